"""The clips of all takes that this machine lacks, fetched, or doubtful ones accepted; nothing is paid for."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from runner.app.batch_planner import BatchPlanner
from runner.app.clip_fetcher import ClipFetcher
from runner.app.confirmation import confirm_tasks
from runner.app.conversation import Note
from runner.app.late_bills import read_due_bills
from runner.app.manifests import write_manifests
from runner.app.named_shots import find_shot
from runner.app.orphaned_attempts import stored_orphans
from runner.app.provider_gateway import ProviderGateway, open_gateway
from runner.app.run_store import RunStore, RunStoreOpener, open_clip_store
from runner.app.selection import Selection
from runner.app.verify import check, takes_with_clips
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.history import History
from runner.diagnostics.plural import count
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.plan import Action, Plan, Step
from runner.planning.plan_inputs import PlanScope
from runner.show.screens.clips import ClipCheck
from runner.show.text.command_line import CommandLine


def fetch_clips(selection: Selection, opener: RunStoreOpener, command_line: CommandLine, note: Note) -> list[ClipCheck]:
    """Fetch every recorded clip that is missing or changed; the state of each clip afterwards."""

    async def fetch_all(history: History, store: RunStore) -> list[ClipCheck]:
        plan = selection.planner.plan(history)
        results = await _fetch_all(selection, plan, history, store)
        if running := sum(_is_running(step, history) for step in plan.steps):
            line = command_line.with_inputs_of_all_commands("--provider", "--select", "--exclude")
            collect = line.run("--max-credits 0")
            note(f"{count(running, 'take')} at the provider: {collect} collects what is done, and buys nothing")
        return results

    return _with_ledger(selection.planner, opener, note, fetch_all)


def accept_clips(planner: BatchPlanner, opener: RunStoreOpener, names: Sequence[str], note: Note) -> list[ClipCheck]:
    """Accept the doubtful clips of the named shots; a shot without one is a usage error, before anything moves."""

    async def accept_all(history: History, store: RunStore) -> list[ClipCheck]:
        # All names first: a typo in the second moves no clip of the first.
        doubtful = [clip for name in names for clip in _doubtful_clips(planner, history, name)]
        async with _lazy_gateway(planner, history) as gateway:
            fetcher = ClipFetcher(planner.settings, planner.edition, history, store, gateway)
            return [await fetcher.accept(step, attempt) for step, attempt in doubtful]

    return _with_ledger(planner, opener, note, accept_all)


def _with_ledger(
    planner: BatchPlanner,
    opener: RunStoreOpener,
    note: Note,
    work: Callable[[History, RunStore], Awaitable[list[ClipCheck]]],
) -> list[ClipCheck]:
    """Run `work` under the locks of the outputs, then write the manifests."""
    with opener.locked(note) as store:
        history = store.history()
        confirm_tasks(planner, history, store, note)
        results = anyio.run(work, history, store)
        write_manifests(opener.reader.manifests, planner.plan(history), history)
    return results


def _is_running(step: Step, history: History) -> bool:
    """Whether only a run can collect the clip of a take: its task had not ended when somebody last asked."""
    attempt = history.attempts.get(step.attempt or "")
    return step.action is Action.RESUME and attempt is not None and attempt.state is AttemptState.RUNNING


async def _fetch_all(selection: Selection, plan: Plan, history: History, store: RunStore) -> list[ClipCheck]:
    results: list[ClipCheck] = []
    planner, selected = selection.planner, selection.selected(history)
    settings, edition = planner.settings, planner.edition
    orphans = stored_orphans(history, plan, planner.batch.films, selected)
    async with _lazy_gateway(planner, history) as gateway:
        # Here, since the key is at hand: a late bill is never a reason to ask for one.
        await read_due_bills(settings, edition, history, store, gateway)
        fetcher = ClipFetcher(settings, edition, history, store, gateway)
        selected_plan = planner.plan(history, PlanScope(selected))
        for step, attempt, clip in takes_with_clips(settings, selected_plan, history):
            result = check(settings, step, attempt, clip)
            # A doubtful clip is the user's to judge, and stays where it lies.
            if result.verdict in ("missing", "changed"):
                result = await fetcher.fetch(result, step, attempt)
            results.append(result)
        results += [orphan for attempt in orphans if (orphan := await fetcher.fetch_orphan(attempt)) is not None]
    return results


def _doubtful_clips(planner: BatchPlanner, history: History, name: str) -> list[tuple[Step, Attempt]]:
    """The doubtful takes of a shot, retakes included, or the one take that `quay#2` names."""
    shot, take = find_shot(planner, lambda: history, name)
    current = {step.attempt: step for step in planner.plan(history).steps_of(shot.key)}
    doubtful = [
        (step, attempt)
        for attempt in history.attempts.values()
        if attempt.state is AttemptState.DOUBTFUL
        if (step := current.get(attempt.id)) is not None
        if take is None or step.take == take
    ]
    if not doubtful:
        raise CommandError(
            ExitCode.USAGE,
            f"{name} has no doubtful clip from {shot.film.folder(planner.settings.provider)}; "
            "storyboard status lists them",
        )
    return sorted(doubtful, key=lambda pair: pair[0].take)


@asynccontextmanager
async def _lazy_gateway(
    planner: BatchPlanner, history: History
) -> AsyncIterator[Callable[[], Awaitable[ProviderGateway]]]:
    """Context manager: a function that opens the provider's gateway when it is first needed."""
    async with AsyncExitStack() as stack:
        gateways: list[ProviderGateway] = []

        async def open_once() -> ProviderGateway:
            # One client for all clips, and none, so no key, where nothing is missing.
            if not gateways:
                clip_store = open_clip_store(planner.settings, history)
                gateway = await open_gateway(planner.settings, planner.edition, planner.routes, clip_store, stack)
                gateways.append(gateway)
            return gateways[0]

        yield open_once
