"""`storyboard fetch`: downloads the clips that the manifest names and this machine lacks; pays for nothing."""

import argparse
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio

from runner.app import run_store, task_fetch
from runner.app.clip_fetcher import ClipFetcher
from runner.app.confirmation import confirm_tasks
from runner.app.fetch import OrphanFetcher
from runner.app.late_bills import read_due_bills
from runner.app.manifests import write_manifests
from runner.app.named_shots import find_shot, open_for_shots
from runner.app.orphaned_attempts import stored_orphans
from runner.app.provider_gateway import ProviderGateway, open_gateway
from runner.app.session import Session, command_arguments, open_for_billing, open_for_reading
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.history import History
from runner.commands import flags
from runner.commands.verify import check, takes_with_clips
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.plan import Step
from runner.show.json.clips import clips_json
from runner.show.screens.clips import ClipCheck, clips, next_command
from runner.show.text.escape import escape_terminal, json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Downloads the clips that the manifest names and that this machine lacks or that were changed: from another "
        "place on this disk, else from the provider, which keeps media for some days. Clips of earlier versions of a "
        "shot are fetched too, into earlier/. Creates no task, pays for nothing. A download is kept only if it is the "
        "recorded clip.\n"
        "\n"
        "A clip that was paid for and fails a check is doubtful: it is kept beside its place, as take-1.doubtful.mp4. "
        "Look at it; --accept takes it. To download it again instead, delete that file and run storyboard fetch."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard fetch storyboards/harbour.yaml --provider kinovi\n"
        "  storyboard fetch --accept harbour:quay --provider kinovi\n"
        "  storyboard fetch --task task_clxxxx --to quay.mp4\n"
        "      a paid task of a repository that is gone\n"
        "\n"
        "exit codes:\n"
        "  0  every current clip is here\n"
        "  1  some clips are doubtful, gone or could not be fetched\n"
        "  2  no such task\n"
        "  3  invalid input\n"
        "  5  the key is missing or was refused\n"
        "  9  the task still runs"
    )
    flags.add_reading(parser, required=False, all_help="list intact clips too")
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="SHOT",
        help="take the doubtful clip of a shot (quay, harbour:quay, quay#2) as it is; nothing else is done",
    )
    parser.add_argument(
        "--task", metavar="ID", type=flags.task_id, help="with --to: fetch the clip of this task, and nothing else"
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="the file for --task; never one that exists")


def run(args: argparse.Namespace) -> ExitCode:
    if args.task is not None or args.to is not None:
        return _fetch_task(args)
    session = open_for_shots(args, args.accept) if args.accept else open_for_reading(args)
    with run_store.open_run_store(session) as store:
        history = session.with_manifests(store.history())
        confirm_tasks(session, history, store)
        work = _accept_all if args.accept else _fetch_all
        results = anyio.run(work, session, history, store)
        write_manifests(session, history)
    if args.json:
        print(json_document(clips_json(results, "fetch")), end="")
    else:
        only_doubtful = {result.verdict for result in results if not result.is_fine} == {"doubtful"}
        command = next_command(results, command_arguments(args, session.files)) if only_doubtful else ""
        print(clips(results, terminal_width(), use_color(sys.stdout, args.no_color), command, args.all), end="")
    return ExitCode.OK if all(result.is_fine for result in results) else ExitCode.FAILED


def _fetch_task(args: argparse.Namespace) -> ExitCode:
    """Fetch the clip of one task, whatever repository ordered it."""
    if args.task is None or args.to is None or args.accept or args.json:
        raise CommandError(ExitCode.USAGE, "say which task and where: storyboard fetch --task ID --to FILE")
    session = open_for_billing(args)
    with run_store.open_ledger(session) as store:
        fetched = task_fetch.fetch_task(session, store, args.task, args.to)
    if fetched.code is not ExitCode.OK or not args.quiet:
        print(escape_terminal(fetched.message), file=sys.stdout if fetched.code is ExitCode.OK else sys.stderr)
    return fetched.code


async def _fetch_all(session: Session, history: History, store: run_store.RunStore) -> list[ClipCheck]:
    results: list[ClipCheck] = []
    plan = session.plan(history)
    orphans = stored_orphans(session, history, plan)
    async with _lazy_gateway(session, history) as gateway:
        await read_due_bills(session, history, store, gateway)
        fetcher = ClipFetcher(session, history, store, gateway)
        for step, attempt, clip in takes_with_clips(session, history):
            result = check(session, step, attempt, clip)
            if result.verdict in ("missing", "changed"):
                result = await fetcher.fetch(result, step, attempt)
            results.append(result)
        orphan_fetcher = OrphanFetcher(session, history, store, gateway)
        results += [orphan for attempt in orphans if (orphan := await orphan_fetcher.fetch(attempt)) is not None]
    return results


async def _accept_all(session: Session, history: History, store: run_store.RunStore) -> list[ClipCheck]:
    """Accept the doubtful clips of the named shots; a shot without one is a usage error, before anything moves."""
    doubtful = [clip for name in session.args.accept for clip in _doubtful_clips(session, history, name)]
    async with _lazy_gateway(session, history) as gateway:
        fetcher = ClipFetcher(session, history, store, gateway)
        return [await fetcher.accept(step, attempt) for step, attempt in doubtful]


def _doubtful_clips(session: Session, history: History, name: str) -> list[tuple[Step, Attempt]]:
    """The doubtful takes of a shot, retakes included, or the one take that `quay#2` names."""
    shot, take = find_shot(session, name)
    current = {step.attempt: step for step in session.plan(history).steps_of(shot.storyboard, shot.id)}
    doubtful = [
        (step, attempt)
        for attempt in history.attempts.values()
        if attempt.state is AttemptState.DOUBTFUL
        if (step := current.get(attempt.id)) is not None
        if take is None or step.take == take
    ]
    if not doubtful:
        raise CommandError(
            ExitCode.USAGE, f"{name} has no doubtful clip from {session.settings.variant}; storyboard status lists them"
        )
    return sorted(doubtful, key=lambda pair: pair[0].take)


@asynccontextmanager
async def _lazy_gateway(session: Session, history: History) -> AsyncIterator[Callable[[], Awaitable[ProviderGateway]]]:
    """Context manager: a function that opens the provider's gateway when it is first needed."""
    async with AsyncExitStack() as stack:
        gateways: list[ProviderGateway] = []

        async def gateway() -> ProviderGateway:
            if not gateways:
                gateways.append(await open_gateway(session, history, stack))
            return gateways[0]

        yield gateway
