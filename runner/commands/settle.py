"""`storyboard settle`: lists attempts whose outcome nobody knows, and ends one."""

import argparse
import sys
from collections.abc import Sequence

import anyio

from runner.app import foreign_outputs, run_store
from runner.app.plan_report import unknown_receipts
from runner.app.project import terminal_width, use_color
from runner.app.session import Session, open_for_billing, resolve_shot
from runner.attempts.events import Event, PollResult, Settled
from runner.attempts.history import Attempt, AttemptState, History
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
from runner.show.screens.settle import UnsettledList, confirmation, settle, settle_json, which
from runner.show.text.escape import escape_terminal, json_document


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Without SHOT: lists the attempts of which nobody knows whether they were created and charged. With SHOT:\n"
        "ends one, by the id of the task that you see on the provider's page, or by your word. Sends nothing but a\n"
        "look at that task; pays for nothing. Rows are only appended: a wrong word can be taken back."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard settle\n"
        "  storyboard settle quay --task task_clxxxx      it is there: take it over, no new charge\n"
        "  storyboard settle harbour:quay --not-charged   it is not: the next run makes it\n"
        "  storyboard settle quay#2 --charged             it was charged, and the clip cannot be had\n"
        "  storyboard settle quay --undo                  take the last word back\n"
        "  storyboard settle quay@Ab3dE2f7 --not-charged  one of several attempts of a take, as the list marks them\n"
        "  storyboard settle --task task_clxxxx --forget  a task of a receipt, whose shot nobody can name any more\n"
        "exit codes: 0 listed or ended, 2 no such attempt, 5 key, 6 listed, and something is in doubt"
    )
    parser.add_argument(
        "shot", nargs="?", metavar="SHOT", help="quay, harbour:quay, quay#2 for its take 2, or quay@MARK"
    )
    words = parser.add_mutually_exclusive_group()
    words.add_argument("--task", metavar="ID", help="it created this task: confirmed at the provider, then taken over")
    words.add_argument("--not-charged", action="store_true", help="it was not created: it may be made again")
    words.add_argument("--charged", action="store_true", help="it was charged and its clip is lost: counted, made anew")
    words.add_argument("--undo", action="store_true", help="take the last word about it back")
    parser.add_argument(
        "--forget", action="store_true", help="with --task and no SHOT: give up a task that stands in a receipt alone"
    )
    flags.add_choice(parser)
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_billing(args)
    if args.forget:
        return _forget(session)
    if args.shot is None:
        if args.task or args.not_charged or args.charged or args.undo:
            raise CommandError(ExitCode.USAGE, "say which: storyboard settle SHOT …")
        return _list(session)
    session, strange = foreign_outputs.without_foreign(session)
    foreign_outputs.print_warnings(strange)
    with run_store.open_ledger(session) as records:
        history = session.with_manifests(records.history(everything=True))
        _ask_for_takes(session, history)
        attempt, event = _resolve(session, history, records)
        taken = records.ledger.import_attempt(attempt) if attempt.from_manifest else None
        taken = taken or records.ledger.append(event)
        if taken is not None:
            raise CommandError(ExitCode.USAGE, f"{taken.message}: nothing was changed")
        if not args.quiet:
            verdict = event.payload.verdict if isinstance(event.payload, Settled) else "adopted"
            print(confirmation(attempt, verdict, args.task))
    return ExitCode.OK


def _forget(session: Session) -> ExitCode:
    """Ends what a receipt of the first version tells, by the user's word."""
    args = session.args
    if args.task is None or args.shot is not None:
        raise CommandError(ExitCode.USAGE, "say which task is given up: storyboard settle --task ID --forget")
    with run_store.open_ledger(session) as records:
        tasks = [receipt.task for receipt in records.ledger.unknown_receipts()]
        if args.task not in tasks:
            known = f"; those that do: {', '.join(tasks)}" if tasks else ""
            raise CommandError(ExitCode.USAGE, f"{args.task} does not stand in a receipt without a row{known}")
        records.ledger.forget_task(args.task)
    if not args.quiet:
        print(f"{escape_terminal(args.task)}: given up; no run asks for it any more")
    return ExitCode.OK


def _ask_for_takes(session: Session, history: History) -> None:
    """What other repositories of the account have ordered of the takes of these storyboards is known from now on."""
    if not session.problems.errors:
        session.plan(history)


def _list(session: Session) -> ExitCode:
    session, history, strange = foreign_outputs.history_without_foreign(session, everything=True)
    foreign_outputs.print_warnings(strange)
    _ask_for_takes(session, history)
    found = UnsettledList(
        unsettled_attempts(history), session.settings.usd_per_credit, receipts=unknown_receipts(session)
    )
    if session.args.json:
        print(json_document(settle_json(found)), end="")
    else:
        print(settle(found, terminal_width(), use_color(session.args, sys.stdout)), end="")
    return most_severe(
        [*[ExitCode.INVALID] * bool(strange), *[ExitCode.UNSETTLED] * bool(found.attempts or found.receipts)]
    )


def _resolve(session: Session, history: History, records: run_store.RunStore) -> tuple[Attempt, Event]:
    """The attempt that is meant, and what is true of it from now on."""
    args, now = session.args, records.clock.now()
    if args.undo:
        attempt = _exactly_one(
            [each for each in history.attempts.values() if each.state_before_settlement is not None], args.shot
        )
        return attempt, undo_settlement(attempt, history, now)
    if args.task:
        return _adopt_task(session, history, records)
    if not args.not_charged and not args.charged:
        raise CommandError(ExitCode.USAGE, "say how it ended: --task ID, --not-charged, --charged or --undo")
    wanted = [each for each in history.attempts.values() if each.state in (*_DOUBT, AttemptState.ABANDONED)]
    attempt = _exactly_one([each for each in wanted if each.state in _DOUBT] or wanted, args.shot)
    return attempt, settle_by_user(attempt, args.charged, now)


_DOUBT = (AttemptState.UNSETTLED, AttemptState.MAYBE_CHARGED)


def _exactly_one(attempts: Sequence[Attempt], words: str) -> Attempt:
    """The attempt that `quay`, `harbour:quay#2` or `quay@Ab3dE2f7` names; of several each is told, and what to type."""
    found = _named(attempts, words)
    if not found:
        raise CommandError(ExitCode.USAGE, f"nothing of {words!r} is in doubt\n  storyboard settle      lists what is")
    if len(found) > 1:
        raise CommandError(
            ExitCode.USAGE, "\n".join([f"{words!r} names {len(found)} attempts: say which", *which(found)])
        )
    return found[0]


def _named(attempts: Sequence[Attempt], words: str) -> list[Attempt]:
    name, _, mark = words.partition("@")
    name, _, take = name.partition("#")
    board, _, shot = name.rpartition(":")
    return [
        each
        for each in attempts
        if each.intent.shot.casefold() == shot.casefold()
        and board in ("", storyboard_slug(each.intent.storyboard))
        and take in ("", str(each.intent.take))
        and each.id.startswith(mark)
    ]


def _adopt_task(session: Session, history: History, records: run_store.RunStore) -> tuple[Attempt, Event]:
    """A task that the provider confirms, for the attempt in doubt, or for a take that no ledger has tried."""
    args, now = session.args, records.clock.now()
    seen, facts = anyio.run(_poll, session, args.task)
    history.load_more((), [args.task])
    waiting = _named(unsettled_attempts(history), args.shot)
    try:
        attempt = best_match(waiting, facts) or _exactly_one(waiting, args.shot)
    except CommandError:
        if facts is None:
            raise
        return _adopt_for_untried_take(session, history, facts, records)
    return attempt, adopt_task(attempt, args.task, seen, facts, history, now)


def _adopt_for_untried_take(
    session: Session, history: History, facts: TaskFacts, records: run_store.RunStore
) -> tuple[Attempt, Event]:
    """On the user's word, a task that was made for a take of which no ledger knows an attempt."""
    now = records.clock.now()
    shot, take = resolve_shot(session, session.args.shot)
    plan = session.plan(history)
    step = next((step for step in plan.steps_of(shot.storyboard, shot.id) if step.take == (take or 1)), None)
    if step is None or step.fingerprint is None or history.current_attempt(step.fingerprint) is not None:
        raise CommandError(ExitCode.USAGE, f"{shot.id} take {take or 1} has an attempt already, and it is not in doubt")
    if any(attempt.task_id == session.args.task for attempt in history.attempts.values()):
        raise CommandError(
            ExitCode.USAGE, f"{session.args.task} belongs to another attempt already: nothing was changed"
        )
    sent = encode(shot.request, session.edition, placeholder)
    attempt = attempt_for_unknown_task(plan, step, session.args.task, dict(sent), facts, now)
    if (taken := records.ledger.import_attempt(attempt)) is not None:
        raise CommandError(ExitCode.USAGE, f"{taken.message}: nothing was changed")
    return attempt, Event(now, attempt.id, Settled("adopted", session.args.task))


async def _poll(session: Session, task_id: str) -> tuple[PollResult, TaskFacts | None]:
    settings = session.settings
    async with Client(settings.base_url, settings.key(), session.edition) as client:
        return await client.fetch_record(task_id)
