"""`storyboard settle`: lists unsettled attempts, and settles one."""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence

import anyio

from runner.app import foreign_outputs, run_store
from runner.app.plan_report import left_by_gone_repositories, unknown_receipts
from runner.app.session import Session, open_for_billing, resolve_shot
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Event, PollResult, Settled
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode, most_severe
from runner.planning.selection import storyboard_slug
from runner.planning.settlement import (
    adopt_task,
    attempt_for_unknown_task,
    best_match,
    settle_by_user,
    undo_settlement,
    unsettled_attempts,
)
from runner.providers.kinovi.client import Client
from runner.providers.kinovi.request_body import encode, placeholder
from runner.show.json.settle import settle_json
from runner.show.screens.settle import UnsettledList, confirmation, settle, settle_commands
from runner.show.text.cells import wrap
from runner.show.text.escape import escape_terminal, json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Without SHOT: lists the unsettled attempts, of which nobody knows whether the provider created and charged "
        "them. With SHOT: settles one, by the id of its task on the provider's page, or by your own statement. Only "
        "polls that task; never pays. Nothing is overwritten: --undo reverts a decision."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard settle\n"
        "  storyboard settle quay --task task_clxxxx\n"
        "      the task exists: take it over, at no new charge\n"
        "  storyboard settle harbour:quay --not-charged\n"
        "      the task does not exist: the next run creates it\n"
        "  storyboard settle quay#2 --charged\n"
        "      the task was charged, and its clip is lost\n"
        "  storyboard settle quay --undo\n"
        "      revert the last decision\n"
        "  storyboard settle quay@Ab3dE2f7 --not-charged\n"
        "      one of several attempts of a take, by the id in the list\n"
        "  storyboard settle --task task_clxxxx --forget\n"
        "      a task that only a receipt names, and of no shot any more: give it up\n"
        "\n"
        "exit codes:\n"
        "  0  listed or settled\n"
        "  2  no such attempt\n"
        "  5  the key is missing or was refused\n"
        "  6  listed, and some attempts are unsettled"
    )
    parser.add_argument(
        "shot", nargs="?", metavar="SHOT", help="quay, harbour:quay, quay#2 (its take 2) or quay@ATTEMPT"
    )
    group = parser.add_argument_group("outcome").add_mutually_exclusive_group()
    group.add_argument(
        "--task",
        metavar="ID",
        type=flags.task_id,
        help="this task was created: confirm it at the provider, then take it over",
    )
    group.add_argument("--not-charged", action="store_true", help="no task was created: the next run may create it")
    group.add_argument(
        "--charged", action="store_true", help="the task was charged and its clip is lost: count it, and make it again"
    )
    group.add_argument("--undo", action="store_true", help="revert the last decision about it")
    parser.add_argument(
        "--forget", action="store_true", help="with --task and without SHOT: give up a task that only a receipt names"
    )
    flags.add_input(parser)
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_billing(args)
    if args.forget:
        return _forget(session)
    if args.shot is None:
        if args.task or args.not_charged or args.charged or args.undo:
            raise CommandError(ExitCode.USAGE, "name the shot: storyboard settle SHOT …")
        return _list(session)
    session, foreign = foreign_outputs.without_foreign(session)
    foreign_outputs.print_warnings(foreign)
    with run_store.open_ledger(session) as store:
        history = session.with_manifests(store.history(everything=True))
        names = _look_up_takes(session, history)
        _load_left_behind(history, left_by_gone_repositories(session))
        attempt, event = _resolve(session, history, store, names)
        refusal = store.ledger.import_attempt(attempt) if attempt.from_manifest else None
        refusal = refusal or store.ledger.append(event)
        if refusal is not None:
            raise CommandError(ExitCode.USAGE, f"{refusal.message}: nothing was changed")
        if not args.quiet:
            verdict = event.payload.verdict if isinstance(event.payload, Settled) else "adopted"
            print(*wrap(confirmation(attempt, verdict, args.task), terminal_width()), sep="\n")
    return ExitCode.OK


def _forget(session: Session) -> ExitCode:
    """Ends what a receipt of the first version tells, by the user's word."""
    args = session.args
    if args.task is None or args.shot is not None:
        raise CommandError(ExitCode.USAGE, "say which task is given up: storyboard settle --task ID --forget")
    with run_store.open_ledger(session) as store:
        tasks = [receipt.task for receipt in store.ledger.unknown_receipts()]
        if args.task not in tasks:
            candidates = f"; those that do: {', '.join(tasks)}" if tasks else ""
            raise CommandError(ExitCode.USAGE, f"{args.task} does not stand in a receipt without a row{candidates}")
        store.ledger.forget_task(args.task)
    if not args.quiet:
        print(f"{escape_terminal(args.task)}: given up; no run asks for it any more")
    return ExitCode.OK


TakeKey = tuple[str, str, int]
"""Storyboard, shot and take."""
Names = Mapping[str, Collection[TakeKey]]
"""The takes that ask for a request now, by its fingerprint: a shot may have another name than when it was ordered."""


def _look_up_takes(session: Session, history: History) -> Names:
    """What other repositories of the account have ordered of the takes of these storyboards is known from now on."""
    names: dict[str, list[TakeKey]] = {}
    if not session.problems.errors:
        for step in session.plan(history).steps:
            names.setdefault(step.fingerprint or "", []).append(step.key)
    return names


def _load_left_behind(history: History, attempts: Sequence[Attempt]) -> None:
    """What repositories that are gone have left in doubt can be settled here, too."""
    history.load(attempt for attempt in attempts if attempt.id not in history.attempts)


def _list(session: Session) -> ExitCode:
    session, history, foreign = foreign_outputs.history_without_foreign(session, everything=True)
    foreign_outputs.print_warnings(foreign)
    _look_up_takes(session, history)
    left_behind = left_by_gone_repositories(session)
    _load_left_behind(history, left_behind)
    unsettled = UnsettledList(
        unsettled_attempts(history), session.settings.usd_per_credit, receipts=unknown_receipts(session),
        left_behind=left_behind, root=str(session.settings.root),
    )  # fmt: skip
    if session.args.json:
        print(json_document(settle_json(unsettled)), end="")
    else:
        print(settle(unsettled, terminal_width(), use_color(sys.stdout, session.args.no_color)), end="")
    doubt = bool(unsettled.attempts or unsettled.receipts)
    return most_severe([*[ExitCode.INVALID] * bool(foreign), *[ExitCode.UNSETTLED] * doubt])


def _resolve(session: Session, history: History, store: run_store.RunStore, names: Names) -> tuple[Attempt, Event]:
    """The attempt to settle, and the event that settles it."""
    args, now = session.args, store.clock.now()
    if args.undo:
        attempt = _exactly_one(
            [attempt for attempt in history.attempts.values() if attempt.state_before_settlement is not None],
            args.shot,
            names,
        )
        return attempt, undo_settlement(attempt, history, now)
    if args.task:
        return _adopt_task(session, history, store, names)
    if not args.not_charged and not args.charged:
        raise CommandError(ExitCode.USAGE, "add the outcome: --task ID, --not-charged, --charged or --undo")
    candidates = [
        attempt
        for attempt in history.attempts.values()
        if attempt.state.is_settleable or attempt.state is AttemptState.ABANDONED
    ]
    unsettled = [attempt for attempt in candidates if attempt.state.is_settleable]
    attempt = _exactly_one(unsettled if _matching(unsettled, args.shot, names) else candidates, args.shot, names)
    return attempt, settle_by_user(attempt, args.charged, now)


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
        storyboard, shot_id, number = key
        return (
            shot_id.casefold() == shot.casefold()
            and slug in ("", storyboard_slug(storyboard))
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
                    (attempt.intent.storyboard, attempt.intent.shot, attempt.intent.take),
                    *names.get(attempt.intent.fingerprint, ()),
                ],
            )
        )
    ]


def _adopt_task(session: Session, history: History, store: run_store.RunStore, names: Names) -> tuple[Attempt, Event]:
    """Adopt a task that the provider confirms: for the unsettled attempt, or for a take without an attempt."""
    args, now = session.args, store.clock.now()
    answer, facts = anyio.run(_poll, session, args.task)
    history.load_more((), [args.task])
    candidates = _matching(unsettled_attempts(history), args.shot, names)
    if not candidates and facts is not None:
        return _adopt_for_untried_take(session, history, facts, store)
    attempt = best_match(candidates, facts) or _exactly_one(candidates, args.shot, names)
    return attempt, adopt_task(attempt, args.task, answer, facts, history, now)


def _adopt_for_untried_take(
    session: Session, history: History, facts: TaskFacts, store: run_store.RunStore
) -> tuple[Attempt, Event]:
    """Adopt a task, on the user's statement, for a take of which the ledger has no attempt."""
    now = store.clock.now()
    shot, take = resolve_shot(session, session.args.shot)
    plan = session.plan(history)
    step = next((step for step in plan.steps_of(shot.storyboard, shot.id) if step.take == (take or 1)), None)
    if step is None or step.fingerprint is None or history.current_attempt(step.fingerprint) is not None:
        raise CommandError(
            ExitCode.USAGE, f"{shot.id} take {take or 1} has an attempt already, and it is not unsettled"
        )
    if any(attempt.task_id == session.args.task for attempt in history.attempts.values()):
        raise CommandError(
            ExitCode.USAGE, f"{session.args.task} belongs to another attempt already: nothing was changed"
        )
    sent = encode(shot.request, session.edition, placeholder)
    attempt = attempt_for_unknown_task(plan, step, session.args.task, dict(sent), facts, now)
    if (refusal := store.ledger.import_attempt(attempt)) is not None:
        raise CommandError(ExitCode.USAGE, f"{refusal.message}: nothing was changed")
    return attempt, Event(now, attempt.id, Settled("adopted", session.args.task))


async def _poll(session: Session, task_id: str) -> tuple[PollResult, TaskFacts | None]:
    settings = session.settings
    async with Client(settings.base_url, settings.key(), session.edition) as client:
        return await client.fetch_record(task_id)
