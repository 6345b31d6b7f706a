"""The settlement of attempts of unknown outcome: by a task that the provider confirms, or by the user's statement."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import anyio

from runner.app import foreign_outputs
from runner.app.batch_planner import BatchPlanner
from runner.app.conversation import Note
from runner.app.history_reader import HistoryReader
from runner.app.ledger_reading import left_by_gone_repositories, unknown_receipts
from runner.app.named_shots import resolve_shot
from runner.app.run_store import RunStore, RunStoreOpener
from runner.attempts.attempt import Attempt
from runner.attempts.events import PollResult, Settled, SettlementVerdict
from runner.attempts.film import TakeKey, storyboard_slug
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.diagnostics.problem import CommandError, ExitCode, most_severe
from runner.lazy_dataclass import dataclass, replace
from runner.planning.settlement import (
    adopt_task,
    attempt_for_unknown_task,
    best_match,
    settle_by_user,
    undo_settlement,
    unsettled_attempts,
)
from runner.providers.api import provider_api
from runner.requests.placeholder import placeholder
from runner.show.screens.settle import UnsettledList, settle_commands


@dataclass(frozen=True, slots=True)
class Statement:
    """A user's statement about an attempt: its task, whether it was charged, or that the last decision was wrong."""

    task: str | None = None
    not_charged: bool = False
    charged: bool = False
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The unsettled attempts of an account, and the warnings about outputs that could not be read."""

    listed: UnsettledList
    foreign: Sequence[str]

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the command that lists it."""
        # A receipt without an attempt is a paid task too.
        is_open = bool(self.listed.attempts or self.listed.receipts)
        return most_severe([*[ExitCode.INVALID] * bool(self.foreign), *[ExitCode.UNSETTLED] * is_open])


def list_unsettled(planner: BatchPlanner, reader: HistoryReader) -> Unsettled:
    """The unsettled attempts of the account."""
    planner, history, foreign = foreign_outputs.history_without_foreign(planner, reader, everything=True)
    _look_up_takes(planner, history)
    settings = planner.settings
    left_behind = left_by_gone_repositories(settings)
    _load_left_behind(history, left_behind)
    unsettled = UnsettledList(
        unsettled_attempts(history),
        settings.usd_per_credit,
        receipts=unknown_receipts(settings),
        left_behind=left_behind,
        root=str(settings.root),
    )
    return Unsettled(unsettled, foreign)


def settle_attempt(
    planner: BatchPlanner, opener: RunStoreOpener, reference: str, statement: Statement, note: Note
) -> tuple[Attempt, SettlementVerdict]:
    """Settle the attempt that `quay`, `harbour:quay#2` or `quay@Ab3dE2f7` names; return it with the verdict.

    Raise `CommandError` where no single attempt is meant, or the statement does not fit it: nothing is changed then.
    """
    own_batch, foreign = foreign_outputs.without_foreign(opener.reader)
    for message in foreign:
        note(message)
    planner, reader = replace(planner, batch=own_batch), replace(opener.reader, batch=own_batch)
    with replace(opener, reader=reader).unlocked(note) as store:
        history = store.history(everything=True)
        names = _look_up_takes(planner, history)
        _load_left_behind(history, left_by_gone_repositories(planner.settings))
        attempt, settled = _Settling(planner, store, history, names, reference).settle(statement)
        if (refusal := store.record(history, attempt.id, settled)) is not None:
            raise CommandError(ExitCode.USAGE, f"{refusal.message}: nothing was changed")
    return attempt, settled.verdict


def forget_task(opener: RunStoreOpener, task: str | None, shot: str | None, note: Note) -> str:
    """Give up a task that only a receipt of the first version names, by the user's word; return its id."""
    # A task of a shot is settled there: to forget it would drop what was paid.
    if task is None or shot is not None:
        raise CommandError(ExitCode.USAGE, "say which task is given up: storyboard settle --task ID --forget")
    with opener.unlocked(note) as store:
        tasks = [receipt.task for receipt in store.ledger.unknown_receipts()]
        # A task with a row is settled as its attempt; to forget it would drop what was paid.
        if task not in tasks:
            candidates = f"; those that do: {', '.join(tasks)}" if tasks else ""
            raise CommandError(ExitCode.USAGE, f"{task} does not stand in a receipt without a row{candidates}")
        store.ledger.forget_task(task)
    return task


Names = Mapping[str, Collection[TakeKey]]
"""The takes that ask for a request now, by its fingerprint: a shot may have another name than when it was ordered."""


def _look_up_takes(planner: BatchPlanner, history: History) -> Names:
    """Add to the history the attempts of other repositories of the account for the takes of these storyboards."""
    names: dict[str, list[TakeKey]] = {}
    if not planner.has_errors:
        for step in planner.plan(history).steps:
            names.setdefault(step.fingerprint or "", []).append(step.key)
    return names


def _load_left_behind(history: History, attempts: Sequence[Attempt]) -> None:
    """Add to the history the unsettled attempts of repositories that are gone: they can be settled here, too."""
    history.load(attempt for attempt in attempts if attempt.id not in history.attempts)


@dataclass(frozen=True, slots=True)
class _Settling:
    """The settlement of the attempt that a reference names, on the open ledger."""

    planner: BatchPlanner
    store: RunStore
    history: History
    names: Names
    reference: str

    def settle(self, statement: Statement) -> tuple[Attempt, Settled]:
        """The attempt to settle, and the event that settles it."""
        if statement.undo:
            return self._undo()
        if statement.task:
            return self._adopt_task(statement.task)
        if not statement.not_charged and not statement.charged:
            raise CommandError(ExitCode.USAGE, "add the outcome: --task ID, --not-charged, --charged or --undo")
        candidates = [attempt for attempt in self.history.attempts.values() if attempt.state.accepts_verdict]
        unsettled = [attempt for attempt in candidates if attempt.state.is_settleable]
        # Given-up ones only where no other is meant: a decision about one of them is a correction.
        attempt = self._exactly_one(unsettled if self._matching(unsettled) else candidates)
        return attempt, settle_by_user(attempt, statement.charged)

    def _undo(self) -> tuple[Attempt, Settled]:
        attempts = self.history.attempts.values()
        settled = [attempt for attempt in attempts if attempt.state_before_settlement is not None]
        if not self._matching(settled):
            raise CommandError(
                ExitCode.USAGE,
                f"nothing was settled for {self.reference!r}: there is nothing to undo; to list what is unsettled:\n"
                "  storyboard settle",
            )
        attempt = self._exactly_one(settled)
        return attempt, undo_settlement(attempt, self.history)

    def _adopt_task(self, task: str) -> tuple[Attempt, Settled]:
        """Adopt a task that the provider confirms: for the unsettled attempt, or for a take without an attempt."""
        answer, facts = anyio.run(_fetch_record, self.planner, task)
        # The task may be another repository's attempt already, which its own ledger rows say.
        self.history.load_more((), [task])
        # An unsettled attempt goes first: its request is known, so that a task that does not fit is refused.
        candidates = self._matching(unsettled_attempts(self.history))
        if not candidates and facts is not None:
            return self._adopt_for_untried_take(task, facts)
        attempt = best_match(candidates, facts) or self._exactly_one(candidates)
        return attempt, adopt_task(attempt, task, answer, facts, self.history)

    def _adopt_for_untried_take(self, task: str, facts: TaskFacts) -> tuple[Attempt, Settled]:
        """Adopt a task, on the user's statement, for a take of which the ledger has no attempt."""
        now, history = self.store.clock.now(), self.history
        shot, take = resolve_shot(self.planner, self.reference)
        plan = self.planner.plan(history)
        step = next((step for step in plan.steps_of(shot.key) if step.take == (take or 1)), None)
        if step is None or step.fingerprint is None or history.current_attempt(step.fingerprint) is not None:
            message = f"{shot.id} take {take or 1} has an attempt already, and it is not unsettled"
            raise CommandError(ExitCode.USAGE, message)
        if any(attempt.task_id == task for attempt in history.attempts.values()):
            raise CommandError(ExitCode.USAGE, f"{task} belongs to another attempt already: nothing was changed")
        # As it would be sent now: the body of that request is known to nobody.
        sent = provider_api(self.planner.settings.provider).encode(shot.request, self.planner.edition, placeholder)
        attempt = attempt_for_unknown_task(plan, step, task, dict(sent), facts, now)
        if (refusal := self.store.ledger.import_attempt(attempt)) is not None:
            raise CommandError(ExitCode.USAGE, f"{refusal.message}: nothing was changed")
        history.load([attempt])
        return attempt, Settled("adopted", task)

    def _exactly_one(self, attempts: Sequence[Attempt]) -> Attempt:
        """The attempt that the reference names; an ambiguous name raises with all of them."""
        matches = self._matching(attempts)
        if not matches:
            message = f"no attempt of {self.reference!r} is unsettled; to list all that are:\n  storyboard settle"
            raise CommandError(ExitCode.USAGE, message)
        if len(matches) > 1:
            first_line = f"{self.reference!r} names {len(matches)} attempts: choose one"
            raise CommandError(ExitCode.USAGE, "\n".join([first_line, *settle_commands(matches)]))
        return matches[0]

    def _matching(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """The attempts that were ordered for a take of this name, or whose request a take of this name asks for now."""
        name, _, id_prefix = self.reference.partition("@")
        name, _, take = name.partition("#")
        slug, _, shot = name.rpartition(":")

        def is_named(key: TakeKey) -> bool:
            film, shot_id, number = key
            return (
                shot_id.casefold() == shot.casefold()
                and slug in ("", storyboard_slug(film.storyboard))
                and take in ("", str(number))
            )

        def keys(attempt: Attempt) -> Iterator[TakeKey]:
            intent = attempt.intent
            yield intent.film, intent.shot, intent.take
            yield from self.names.get(intent.fingerprint, ())

        return [
            attempt for attempt in attempts if attempt.id.startswith(id_prefix) and any(map(is_named, keys(attempt)))
        ]


async def _fetch_record(planner: BatchPlanner, task_id: str) -> tuple[PollResult, TaskFacts | None]:
    settings = planner.settings
    async with provider_api(settings.provider).client(settings.base_url, settings.key(), planner.edition) as client:
        return await client.fetch_record(task_id)
