"""`storyboard fetch`: downloads again the clips that the manifest names and this machine lacks; pays for nothing."""

import argparse
import sys
from contextlib import AsyncExitStack

import anyio

from runner.app import run_store
from runner.app.fetch import OrphanFetcher
from runner.app.orphaned_attempts import as_retake, stored_orphans
from runner.app.project import terminal_width, use_color
from runner.app.provider_gateway import ProviderGateway, open_gateway
from runner.app.session import Session, open_for_reading
from runner.attempts.events import Event, Running, Stored, Succeeded
from runner.attempts.history import Attempt, History
from runner.commands import flags
from runner.commands.verify import check, takes_with_clips
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import TransferFailed
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
    session = open_for_reading(args)
    with run_store.open_run_store(session) as records:
        history = session.with_manifests(records.history())
        checks = anyio.run(_fetched, session, history, records)
        run_store.write_manifests(session, history)
    if args.json:
        print(json_document(clips_json(checks, "fetch")), end="")
    else:
        print(clips(checks, terminal_width(), use_color(args, sys.stdout), "", args.all), end="")
    return ExitCode.OK if all(each.is_fine for each in checks) else ExitCode.FAILED


async def _fetched(session: Session, history: History, records: run_store.RunStore) -> list[ClipCheck]:
    checks: list[ClipCheck] = []
    plan = session.plan(history)
    before = [(attempt, as_retake(plan, attempt)) for attempt in stored_orphans(session, history, plan)]
    own = [(step, attempt, attempt.clip) for attempt, step in before if step is not None and attempt.clip is not None]
    async with AsyncExitStack() as stack:
        found: list[ProviderGateway] = []

        async def gateway() -> ProviderGateway:
            if not found:
                found.append(await open_gateway(session, history, stack))
            return found[0]

        for step, attempt, clip in [*takes_with_clips(session, history), *own]:
            checked = check(session, step, attempt, clip)
            if checked.verdict in ("missing", "changed"):
                checked = await _brought(await gateway(), checked, step, attempt, history, records)
            checks.append(checked)
        rest = OrphanFetcher(session, history, records, gateway)
        for attempt, retaken in before:
            if (retaken is None or attempt.clip is None) and (told := await rest.check_all(attempt)) is not None:
                checks.append(told)
    return checks


async def _brought(
    gateway: ProviderGateway,
    found: ClipCheck,
    step: Step,
    attempt: Attempt,
    history: History,
    records: run_store.RunStore,
) -> ClipCheck:
    """From this disk, else by a fresh link from the provider; taken only when it is the same clip."""
    stored: Stored | TransferFailed | None = await gateway.restore_local(attempt, step)
    if stored is None and attempt.task_id is not None:
        match await gateway.poll(attempt.task_id):
            case Succeeded(outputs=outputs):
                stored = await gateway.download_exact(replace(attempt, outputs=outputs), step)
            case Running(not_found=True):
                return _as(found, "gone", "the provider no longer has its record")
            case Running(message=words):
                return _as(found, "failed", words or "the provider does not name a link")
            case other:
                return _as(found, "failed", other.message)
    match stored:
        case Stored():
            if attempt.from_manifest and (taken := records.ledger.import_attempt(attempt)) is not None:
                return _as(found, "failed", taken.message)
            event = Event(records.clock.now(), attempt.id, stored)
            records.ledger.append(event)
            history.apply(event)
            return _as(found, "fetched", "")
        case TransferFailed(words):
            return _as(found, "failed", words)
        case None:
            return _as(found, "gone", "no task is known of it")


def _as(found: ClipCheck, verdict: Verdict, words: str) -> ClipCheck:
    return replace(found, verdict=verdict, message=words)
