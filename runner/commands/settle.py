"""`storyboard settle`: lists attempts whose outcome nobody knows, and ends one."""

import argparse
import sys
from collections.abc import Sequence

import anyio

from runner.app import foreign_outputs, run_store
from runner.app.project import color, columns
from runner.app.session import Opened, named, paid
from runner.attempts.events import Event, LookAnswer, Settled
from runner.attempts.history import Attempt, History, State
from runner.attempts.task_facts import Facts
from runner.commands import flags
from runner.diagnostics.problem import ExitCode, Stop, foremost
from runner.planning.selection import board_name
from runner.planning.settlement import adoption, declared, doubts, likeliest, stranger, undone
from runner.providers.kinovi.client import Client
from runner.providers.kinovi.request_body import body, placeholder
from runner.show.screens.settle import Doubts, settle, settle_json, settled, which
from runner.show.text.escape import json_document


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
    flags.add_choice(parser)
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    desk = paid(args)
    if args.shot is None:
        if args.task or args.not_charged or args.charged or args.undo:
            raise Stop(ExitCode.USAGE, "say which: storyboard settle SHOT …")
        return _list(desk)
    desk, strange = foreign_outputs.own(desk)
    foreign_outputs.tell(strange)
    with run_store.ledger(desk) as records:
        history = desk.recall(records.history())
        attempt, event = _word(desk, history, records)
        taken = records.ledger.take_in(attempt) if attempt.elsewhere else None
        taken = taken or records.ledger.append(event)
        if taken is not None:
            raise Stop(ExitCode.USAGE, f"{taken.words}: nothing was changed")
        if not args.quiet:
            verdict = event.what.verdict if isinstance(event.what, Settled) else "adopted"
            print(settled(attempt, verdict, args.task))
    return ExitCode.DONE


def _list(desk: Opened) -> ExitCode:
    desk, history, strange = foreign_outputs.history_of_the_rest(desk)
    foreign_outputs.tell(strange)
    found = Doubts(doubts(history), desk.settings.usd_per_credit)
    if desk.args.json:
        print(json_document(settle_json(found)), end="")
    else:
        print(settle(found, columns(), color(desk.args, sys.stdout)), end="")
    return foremost([*[ExitCode.UNFIT] * bool(strange), *[ExitCode.UNSETTLED] * bool(found.attempts)])


def _word(desk: Opened, history: History, records: run_store.Records) -> tuple[Attempt, Event]:
    """The attempt that is meant, and what is true of it from now on."""
    args, now = desk.args, records.clock.now()
    if args.undo:
        attempt = _one([each for each in history.attempts.values() if each.before_settled is not None], args.shot)
        return attempt, undone(attempt, history, now)
    if args.task:
        return _adopted(desk, history, records)
    if not args.not_charged and not args.charged:
        raise Stop(ExitCode.USAGE, "say how it ended: --task ID, --not-charged, --charged or --undo")
    wanted = [each for each in history.attempts.values() if each.state in (*_DOUBT, State.ABANDONED)]
    attempt = _one([each for each in wanted if each.state in _DOUBT] or wanted, args.shot)
    return attempt, declared(attempt, args.charged, now)


_DOUBT = (State.UNSETTLED, State.PERHAPS)


def _one(attempts: Sequence[Attempt], words: str) -> Attempt:
    """The attempt that `quay`, `harbour:quay#2` or `quay@Ab3dE2f7` names; of several each is told, and what to type."""
    found = _named(attempts, words)
    if not found:
        raise Stop(ExitCode.USAGE, f"nothing of {words!r} is in doubt\n  storyboard settle      lists what is")
    if len(found) > 1:
        raise Stop(ExitCode.USAGE, "\n".join([f"{words!r} names {len(found)} attempts: say which", *which(found)]))
    return found[0]


def _named(attempts: Sequence[Attempt], words: str) -> list[Attempt]:
    name, _, mark = words.partition("@")
    name, _, take = name.partition("#")
    board, _, shot = name.rpartition(":")
    return [
        each
        for each in attempts
        if each.intended.shot.casefold() == shot.casefold()
        and board in ("", board_name(each.intended.storyboard))
        and take in ("", str(each.intended.take))
        and each.id.startswith(mark)
    ]


def _adopted(desk: Opened, history: History, records: run_store.Records) -> tuple[Attempt, Event]:
    """A task that the provider confirms, for the attempt in doubt, or for a take that no ledger has tried."""
    args, now = desk.args, records.clock.now()
    seen, facts = anyio.run(_look, desk, args.task)
    waiting = _named(doubts(history), args.shot)
    try:
        attempt = likeliest(waiting, facts) or _one(waiting, args.shot)
    except Stop:
        if facts is None:
            raise
        return _taken_over(desk, history, facts, records)
    return attempt, adoption(attempt, args.task, seen, facts, history, now)


def _taken_over(desk: Opened, history: History, facts: Facts, records: run_store.Records) -> tuple[Attempt, Event]:
    """On the user's word, a task that was made for a take of which no ledger knows an attempt."""
    now = records.clock.now()
    shot, take = named(desk, desk.args.shot)
    plan = desk.plan(history)
    step = next((step for step in plan.steps_of(shot.storyboard, shot.id) if step.take == (take or 1)), None)
    if step is None or step.fingerprint is None or history.standing(step.fingerprint) is not None:
        raise Stop(ExitCode.USAGE, f"{shot.id} take {take or 1} has an attempt already, and it is not in doubt")
    sent = body(shot.request, desk.edition, placeholder)
    attempt = stranger(plan, step, desk.args.task, dict(sent), facts, now)
    records.ledger.take_in(attempt)
    return attempt, Event(now, attempt.id, Settled("adopted", desk.args.task))


async def _look(desk: Opened, task_id: str) -> tuple[LookAnswer, Facts | None]:
    settings = desk.settings
    async with Client(settings.base_url, settings.key(), desk.edition) as client:
        return await client.confirm(task_id)
