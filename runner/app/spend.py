"""The bill of a period: attempts of the ledger, and of manifests for takes that the ledger does not have."""

from datetime import UTC, date, datetime, timedelta
from itertools import chain

from runner.app import foreign_outputs
from runner.app.batch_planner import BatchPlanner
from runner.app.credit_scope import CreditScope
from runner.app.history_reader import HistoryReader
from runner.attempts.attempt import Attempt
from runner.clock import SystemClock
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.show.screens.spend import Bill, BillItem, By, build_bill


@dataclass(frozen=True, slots=True)
class Period:
    """A time from local midnight to local midnight; None is open."""

    start: datetime | None
    end: datetime | None
    name: str

    def __contains__(self, attempt: Attempt) -> bool:
        # The provider bills when it accepts a task, which may be past midnight.
        moment = attempt.accepted_at or attempt.intended_at
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)


def period_of(month: date | None, since: date | None, until: date | None) -> Period:
    """The period between two days, where one is given, else the month of a first day; None is the present one."""
    return _period_between(since, until) if since or until else _period_of_month(month)


def _period_between(since: date | None, until: date | None) -> Period:
    """The period between two days, both included; either may be open."""
    if since and until and since > until:
        raise CommandError(ExitCode.USAGE, f"--since {since} is after --until {until}")
    name = " ".join(part for part in (since and f"since {since}", until and f"until {until}") if part)
    return Period(_start(since), _start(until and until + timedelta(days=1)), name)


def _period_of_month(first: date | None) -> Period:
    first = first or SystemClock().now().astimezone().date().replace(day=1)
    # 32 days after the first lie in the next month, however long this one is.
    next_month = (first + timedelta(days=32)).replace(day=1)
    return Period(_start(first), _start(next_month), f"{first:%B %Y}")


def bill(
    planner: BatchPlanner, reader: HistoryReader, period: Period, by: By, *, of_repository: bool
) -> tuple[Bill, list[str]]:
    """The bill of a period, grouped, and the warnings about outputs that could not be read.

    `of_repository`: of all that was ordered here, whatever storyboards there are now.
    """
    planner, history, foreign = foreign_outputs.history_without_foreign(planner, reader, everything=True)
    attempts_by_path = None if of_repository else CreditScope(planner).attempts_by_storyboard(history)
    attempts = chain(*attempts_by_path.values()) if attempts_by_path is not None else history.own_and_named()
    items = [_item(planner.batch, attempt) for attempt in attempts if attempt in period]
    paths = None if attempts_by_path is None else tuple(attempts_by_path)
    return build_bill(items, by, planner.settings.usd_per_credit, period.name, storyboards=paths), foreign


def _start(day: date | None) -> datetime | None:
    # Local midnight, as people count days; the ledger keeps UTC.
    return None if day is None else datetime(day.year, day.month, day.day).astimezone().astimezone(UTC)


def _item(batch: Batch, attempt: Attempt) -> BillItem:
    """An item with scene and tags at the time of the order; for a manifest's attempt, those of today's shot."""
    intent = attempt.intent
    if not attempt.from_manifest:
        return BillItem(attempt, intent.scene, intent.tags)
    key = (intent.film, intent.shot)
    shot = next((shot for shot in batch.shots if shot.key == key), None)
    return BillItem(attempt, shot.scene if shot else None, shot.tags if shot else ())
