"""`storyboard fetch`: downloads the clips that the manifest names and this machine lacks; pays for nothing."""

import argparse
import sys
from contextlib import AsyncExitStack

import anyio

from runner.app import run_store
from runner.app.fetch import OrphanFetcher
from runner.app.orphaned_attempts import as_retake, stored_orphans
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
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Downloads the clips that the manifest names and that this machine lacks or that were changed: from another "
        "place on this disk, else from the provider, which keeps media for some days. Clips of earlier versions of a "
        "shot are fetched too, into earlier/. Creates no task, pays for nothing. A download is kept only if it is the "
        "recorded clip."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard fetch storyboards/harbour.yaml --provider kinovi\n"
        "\n"
        "exit codes:\n"
        "  0  every current clip is here\n"
        "  1  some clips are gone or could not be fetched\n"
        "  3  invalid input\n"
        "  5  the key is missing or was refused"
    )
    flags.add_reading(parser, required=True, all_help="list intact clips too")


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(args)
    with run_store.open_run_store(session) as store:
        history = session.with_manifests(store.history())
        results = anyio.run(_fetch_all, session, history, store)
        run_store.write_manifests(session, history)
    if args.json:
        print(json_document(clips_json(results, "fetch")), end="")
    else:
        print(clips(results, terminal_width(), use_color(sys.stdout, args.no_color), "", args.all), end="")
    return ExitCode.OK if all(result.is_fine for result in results) else ExitCode.FAILED


async def _fetch_all(session: Session, history: History, store: run_store.RunStore) -> list[ClipCheck]:
    results: list[ClipCheck] = []
    plan = session.plan(history)
    orphans = [(attempt, as_retake(plan, attempt)) for attempt in stored_orphans(session, history, plan)]
    retakes = [
        (step, attempt, attempt.clip) for attempt, step in orphans if step is not None and attempt.clip is not None
    ]
    async with AsyncExitStack() as stack:
        gateways: list[ProviderGateway] = []

        async def gateway() -> ProviderGateway:
            if not gateways:
                gateways.append(await open_gateway(session, history, stack))
            return gateways[0]

        for step, attempt, clip in [*takes_with_clips(session, history), *retakes]:
            result = check(session, step, attempt, clip)
            if result.verdict in ("missing", "changed"):
                result = await _fetch_clip(await gateway(), result, step, attempt, history, store)
            results.append(result)
        fetcher = OrphanFetcher(session, history, store, gateway)
        for attempt, retake_step in orphans:
            if (retake_step is None or attempt.clip is None) and (
                orphan_result := await fetcher.fetch(attempt)
            ) is not None:
                results.append(orphan_result)
    return results


async def _fetch_clip(
    gateway: ProviderGateway,
    result: ClipCheck,
    step: Step,
    attempt: Attempt,
    history: History,
    store: run_store.RunStore,
) -> ClipCheck:
    """Restore a clip from this disk, else download it by a fresh link; other content is rejected."""
    stored: Stored | TransferFailed | None = await gateway.restore_local(attempt, step)
    if stored is None and attempt.task_id is not None:
        match await gateway.poll(attempt.task_id):
            case Succeeded(outputs=outputs):
                stored = await gateway.download_exact(replace(attempt, outputs=outputs), step)
            case Running(not_found=True):
                return _with_verdict(result, "gone", "the provider no longer has its record")
            case Running(message=message):
                return _with_verdict(result, "failed", message or "the provider gives no link to it")
            case other:
                return _with_verdict(result, "failed", other.message)
    match stored:
        case Stored():
            if attempt.from_manifest and (refusal := store.ledger.import_attempt(attempt)) is not None:
                return _with_verdict(result, "failed", refusal.message)
            event = Event(store.clock.now(), attempt.id, stored)
            store.ledger.append(event)
            history.apply(event)
            return _with_verdict(result, "fetched", "")
        case TransferFailed(message):
            return _with_verdict(result, "failed", message)
        case None:
            return _with_verdict(result, "gone", "it has no task id")


def _with_verdict(result: ClipCheck, verdict: Verdict, message: str) -> ClipCheck:
    return replace(result, verdict=verdict, message=message)
