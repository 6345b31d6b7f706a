"""`storyboard fetch`: downloads again the clips that the manifest names and this machine lacks; pays for nothing."""

import argparse
import sys
from contextlib import AsyncExitStack

import anyio

from runner.app import run_store
from runner.app.fetch import Earlier
from runner.app.orphaned_attempts import aside, retake
from runner.app.project import color, columns
from runner.app.provider_gateway import Hands, open_hands
from runner.app.session import Opened, looking
from runner.attempts.events import Event, Running, Stored, Succeeded
from runner.attempts.history import Attempt, History
from runner.commands import flags
from runner.commands.verify import check, made
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import NotYet
from runner.lazy_dataclass import replace
from runner.planning.plan import Step
from runner.show.screens.clips import ClipCheck, Verdict, clips, clips_json
from runner.show.text.escape import json_document


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Brings back the clips that the manifest names and this machine lacks or that changed here: from another\n"
        "place on this disk, else from the provider, where media are kept for some days. Clips that were paid for\n"
        "earlier words come, too, and lie in earlier/. Creates no task; pays for nothing. What comes is taken only if\n"
        "it is what was made."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard fetch storyboards/harbour.yaml --provider kinovi\n"
        "exit codes: 0 all are here (one of earlier words may be gone), 1 some are gone or did not come, 5 key"
    )
    flags.add_looking(parser, required=True, every="whole ones in a line of their own, too")


def run(args: argparse.Namespace) -> ExitCode:
    desk = looking(args)
    with run_store.records(desk) as records:
        history = desk.recall(records.history())
        checks = anyio.run(_fetched, desk, history, records)
        run_store.write_manifests(desk, history)
    if args.json:
        print(json_document(clips_json(checks, "fetch")), end="")
    else:
        print(clips(checks, columns(), color(args, sys.stdout), "", args.all), end="")
    return ExitCode.DONE if all(each.well for each in checks) else ExitCode.FAILED


async def _fetched(desk: Opened, history: History, records: run_store.Records) -> list[ClipCheck]:
    checks: list[ClipCheck] = []
    plan = desk.plan(history)
    before = [(attempt, retake(plan, attempt)) for attempt in aside(desk, history, plan)]
    own = [(step, attempt, attempt.clip) for attempt, step in before if step is not None and attempt.clip is not None]
    async with AsyncExitStack() as stack:
        found: list[Hands] = []

        async def hands() -> Hands:
            if not found:
                found.append(await open_hands(desk, history, stack))
            return found[0]

        for step, attempt, clip in [*made(desk, history), *own]:
            checked = check(desk, step, attempt, clip)
            if checked.verdict in ("missing", "changed"):
                checked = await _brought(await hands(), checked, step, attempt, history, records)
            checks.append(checked)
        rest = Earlier(desk, history, records, hands)
        for attempt, retaken in before:
            if (retaken is None or attempt.clip is None) and (told := await rest.checked(attempt)) is not None:
                checks.append(told)
    return checks


async def _brought(
    hands: Hands, found: ClipCheck, step: Step, attempt: Attempt, history: History, records: run_store.Records
) -> ClipCheck:
    """From this disk, else by a fresh link from the provider; taken only when it is the same clip."""
    stored: Stored | NotYet | None = await hands.recall(attempt, step)
    if stored is None and attempt.task_id is not None:
        match await hands.look(attempt.task_id):
            case Succeeded(outputs=outputs):
                stored = await hands.bring(replace(attempt, outputs=outputs), step)
            case Running(missing=True):
                return _as(found, "gone", "the provider no longer has its record")
            case Running(words=words):
                return _as(found, "failed", words or "the provider does not name a link")
            case other:
                return _as(found, "failed", other.words)
    match stored:
        case Stored():
            if attempt.elsewhere and (taken := records.ledger.take_in(attempt)) is not None:
                return _as(found, "failed", taken.words)
            event = Event(records.clock.now(), attempt.id, stored)
            records.ledger.append(event)
            history.feed(event)
            return _as(found, "fetched", "")
        case NotYet(words):
            return _as(found, "failed", words)
        case None:
            return _as(found, "gone", "no task is known of it")


def _as(found: ClipCheck, verdict: Verdict, words: str) -> ClipCheck:
    return replace(found, verdict=verdict, words=words)
