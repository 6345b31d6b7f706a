"""The bill of a period: attempts of the ledger, and of manifests for takes that the ledger does not have."""

from datetime import UTC, date, datetime, timedelta

from runner.app import foreign_outputs
from runner.app.credit_scope import attempts_by_storyboard
from runner.app.session import Session
from runner.attempts.attempt import Attempt
from runner.attempts.history import History
from runner.clock import SystemClock
from runner.lazy_dataclass import dataclass
from runner.show.screens.spend import Bill, BillItem, By, build_bill


@dataclass(frozen=True, slots=True)
class Period:
    """A time from local midnight to local midnight; None is open."""

    start: datetime | None
    end: datetime | None
    name: str

    def __contains__(self, attempt: Attempt) -> bool:
        moment = attempt.accepted_at or attempt.intended_at
        return (self.start is None or moment >= self.start) and (self.end is None or moment < self.end)


def period_between(since: date | None, until: date | None) -> Period:
    """The period between two days, both included; either may be open."""
    name = " ".join(part for part in (since and f"since {since}", until and f"until {until}") if part)
    return Period(_start(since), _start(until and until + timedelta(days=1)), name)


def period_of_month(first: date | None) -> Period:
    """The month that begins on a day; None is this month."""
    first = first or SystemClock().now().astimezone().date().replace(day=1)
    next_month = (first + timedelta(days=32)).replace(day=1)
    return Period(_start(first), _start(next_month), f"{first:%B %Y}")


def bill(session: Session, period: Period, by: By) -> tuple[Bill, list[str]]:
    """The bill of a period, grouped, and the warnings about outputs that could not be read."""
    session, history, foreign = foreign_outputs.history_without_foreign(session, everything=True)
    storyboards, attempts = _scope(session, history)
    items = [_item(session, attempt) for attempt in attempts if attempt in period]
    return build_bill(items, by, session.settings.usd_per_credit, period.name, storyboards=storyboards), foreign


def _start(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day).astimezone().astimezone(UTC)


def _scope(session: Session, history: History) -> tuple[tuple[str, ...] | None, list[Attempt]]:
    """The storyboards of the bill, None for the whole repository, and the attempts that count."""
    if not session.command.input.files:
        return None, list(history.own_and_named())
    attempts_by_path = attempts_by_storyboard(session.planner, history)
    return tuple(attempts_by_path), [attempt for attempts in attempts_by_path.values() for attempt in attempts]


def _item(session: Session, attempt: Attempt) -> BillItem:
    """An item with scene and tags at the time of the order; for a manifest's attempt, those of today's shot."""
    intent = attempt.intent
    if not attempt.from_manifest:
        return BillItem(attempt, intent.scene, intent.tags)
    key = (intent.film, intent.shot)
    shot = next((shot for shot in session.batch.shots if shot.key == key), None)
    return BillItem(attempt, shot.scene if shot else None, shot.tags if shot else ())
