"""Settles attempts whose outcome is unknown: by a task that the provider confirms, or by the user's statement."""

from collections.abc import Collection, Mapping, Sequence

import anyio

from runner.app import foreign_outputs, run_store
from runner.app.batch_planner import BatchPlanner
from runner.app.conversation import Note
from runner.app.ledger_reading import left_by_gone_repositories, unknown_receipts
from runner.app.session import Session, resolve_shot
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Event, PollResult, Settled, SettlementVerdict
from runner.attempts.film import TakeKey, storyboard_slug
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import dataclass
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


def list_unsettled(session: Session) -> tuple[UnsettledList, list[str]]:
    """The unsettled attempts of the account, and the warnings about outputs that could not be read."""
    session, history, foreign = foreign_outputs.history_without_foreign(session, everything=True)
    _look_up_takes(session.planner, history)
    left_behind = left_by_gone_repositories(session.settings)
    _load_left_behind(history, left_behind)
    unsettled = UnsettledList(
        unsettled_attempts(history),
        session.settings.usd_per_credit,
        receipts=unknown_receipts(session.settings),
        left_behind=left_behind,
        root=str(session.settings.root),
    )
    return unsettled, foreign


def settle_attempt(
    session: Session, reference: str, statement: Statement, note: Note
) -> tuple[Attempt, SettlementVerdict]:
    """Settle the attempt that `quay`, `harbour:quay#2` or `quay@Ab3dE2f7` names; return it with the verdict.

    Raise `CommandError` where no single attempt is meant, or the statement does not fit it: nothing is changed then.
    """
    session, foreign = foreign_outputs.without_foreign(session)
    for message in foreign:
        note(message)
    with run_store.open_ledger(session, note) as store:
        history = store.history(everything=True)
        names = _look_up_takes(session.planner, history)
        _load_left_behind(history, left_by_gone_repositories(session.settings))
        attempt, event = _resolve(session, history, store, names, reference, statement)
        refusal = store.ledger.import_attempt(attempt) if attempt.from_manifest else None
        refusal = refusal or store.ledger.append(event)
        if refusal is not None:
            raise CommandError(ExitCode.USAGE, f"{refusal.message}: nothing was changed")
    return attempt, event.payload.verdict if isinstance(event.payload, Settled) else "adopted"


def forget_task(session: Session, task: str, note: Note) -> None:
    """Give up a task that only a receipt of the first version names, by the user's word."""
    with run_store.open_ledger(session, note) as store:
        tasks = [receipt.task for receipt in store.ledger.unknown_receipts()]
        if task not in tasks:
            candidates = f"; those that do: {', '.join(tasks)}" if tasks else ""
            raise CommandError(ExitCode.USAGE, f"{task} does not stand in a receipt without a row{candidates}")
        store.ledger.forget_task(task)


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


def _resolve(
    session: Session, history: History, store: run_store.RunStore, names: Names, reference: str, statement: Statement
) -> tuple[Attempt, Event]:
    """The attempt to settle, and the event that settles it."""
    now = store.clock.now()
    if statement.undo:
        settled = [attempt for attempt in history.attempts.values() if attempt.state_before_settlement is not None]
        if not _matching(settled, reference, names):
            raise CommandError(
                ExitCode.USAGE,
                f"nothing was settled for {reference!r}: there is nothing to undo; to list what is unsettled:\n"
                "  storyboard settle",
            )
        attempt = _exactly_one(settled, reference, names)
        return attempt, undo_settlement(attempt, history, now)
    if statement.task:
        return _adopt_task(session, history, store, names, reference, statement.task)
    if not statement.not_charged and not statement.charged:
        raise CommandError(ExitCode.USAGE, "add the outcome: --task ID, --not-charged, --charged or --undo")
    candidates = [
        attempt
        for attempt in history.attempts.values()
        if attempt.state.is_settleable or attempt.state is AttemptState.ABANDONED
    ]
    unsettled = [attempt for attempt in candidates if attempt.state.is_settleable]
    attempt = _exactly_one(unsettled if _matching(unsettled, reference, names) else candidates, reference, names)
    return attempt, settle_by_user(attempt, statement.charged, now)


def _exactly_one(attempts: Sequence[Attempt], reference: str, names: Names) -> Attempt:
    """The attempt that `quay`, `harbour:quay#2` or `quay@Ab3dE2f7` names; an ambiguous name raises with all of them."""
    matches = _matching(attempts, reference, names)
    if not matches:
        raise CommandError(
            ExitCode.USAGE, f"no attempt of {reference!r} is unsettled; to list all that are:\n  storyboard settle"
        )
    if len(matches) > 1:
        raise CommandError(
            ExitCode.USAGE,
            "\n".join([f"{reference!r} names {len(matches)} attempts: choose one", *settle_commands(matches)]),
        )
    return matches[0]


def _matching(attempts: Sequence[Attempt], reference: str, names: Names) -> list[Attempt]:
    """The attempts that were ordered for a take of this name, or whose request a take of this name asks for now."""
    name, _, id_prefix = reference.partition("@")
    name, _, take = name.partition("#")
    slug, _, shot = name.rpartition(":")

    def is_named(key: TakeKey) -> bool:
        film, shot_id, number = key
        return (
            shot_id.casefold() == shot.casefold()
            and slug in ("", storyboard_slug(film.storyboard))
            and take in ("", str(number))
        )

    return [
        attempt
        for attempt in attempts
        if attempt.id.startswith(id_prefix)
        and any(
            map(
                is_named,
                [
                    (attempt.intent.film, attempt.intent.shot, attempt.intent.take),
                    *names.get(attempt.intent.fingerprint, ()),
                ],
            )
        )
    ]


def _adopt_task(
    session: Session, history: History, store: run_store.RunStore, names: Names, reference: str, task: str
) -> tuple[Attempt, Event]:
    """Adopt a task that the provider confirms: for the unsettled attempt, or for a take without an attempt."""
    now = store.clock.now()
    answer, facts = anyio.run(_poll, session, task)
    history.load_more((), [task])
    candidates = _matching(unsettled_attempts(history), reference, names)
    if not candidates and facts is not None:
        return _adopt_for_untried_take(session, history, store, reference, task, facts)
    attempt = best_match(candidates, facts) or _exactly_one(candidates, reference, names)
    return attempt, adopt_task(attempt, task, answer, facts, history, now)


def _adopt_for_untried_take(
    session: Session, history: History, store: run_store.RunStore, reference: str, task: str, facts: TaskFacts
) -> tuple[Attempt, Event]:
    """Adopt a task, on the user's statement, for a take of which the ledger has no attempt."""
    now = store.clock.now()
    shot, take = resolve_shot(session, reference)
    plan = session.planner.plan(history)
    step = next((step for step in plan.steps_of(shot.key) if step.take == (take or 1)), None)
    if step is None or step.fingerprint is None or history.current_attempt(step.fingerprint) is not None:
        message = f"{shot.id} take {take or 1} has an attempt already, and it is not unsettled"
        raise CommandError(ExitCode.USAGE, message)
    if any(attempt.task_id == task for attempt in history.attempts.values()):
        raise CommandError(ExitCode.USAGE, f"{task} belongs to another attempt already: nothing was changed")
    sent = provider_api().encode(shot.request, session.edition, placeholder)
    attempt = attempt_for_unknown_task(plan, step, task, dict(sent), facts, now)
    if (refusal := store.ledger.import_attempt(attempt)) is not None:
        raise CommandError(ExitCode.USAGE, f"{refusal.message}: nothing was changed")
    return attempt, Event(now, attempt.id, Settled("adopted", task))


async def _poll(session: Session, task_id: str) -> tuple[PollResult, TaskFacts | None]:
    settings = session.settings
    async with provider_api().client(settings.base_url, settings.key(), session.edition) as client:
        return await client.fetch_record(task_id)
