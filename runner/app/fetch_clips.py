"""Fetches the clips of all takes that this machine lacks, or accepts doubtful ones; pays for nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from runner.app.clip_fetcher import ClipFetcher
from runner.app.confirmation import confirm_tasks
from runner.app.conversation import Note
from runner.app.fetch import OrphanFetcher
from runner.app.late_bills import read_due_bills
from runner.app.manifests import write_manifests
from runner.app.named_shots import find_shot
from runner.app.orphaned_attempts import stored_orphans
from runner.app.provider_gateway import ProviderGateway, open_gateway
from runner.app.run_store import RunStore, open_run_store
from runner.app.session import Session
from runner.app.verify import check, takes_with_clips
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.history import History
from runner.diagnostics.plural import count
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.plan import Action, Plan, Step
from runner.show.screens.clips import ClipCheck


def fetch_clips(session: Session, note: Note) -> list[ClipCheck]:
    """Fetch every recorded clip that is missing or changed; the state of each clip afterwards."""

    async def fetch_all(session: Session, history: History, store: RunStore) -> list[ClipCheck]:
        plan = session.planner.plan(history)
        results = await _fetch_all(session, plan, history, store)
        if running := sum(_is_running(step, history) for step in plan.steps):
            line = session.command_line.with_inputs_of_all_commands("--provider", "--select", "--exclude")
            collect = line.run("--max-credits 0")
            note(f"{count(running, 'take')} at the provider: {collect} collects what is done, and buys nothing")
        return results

    return _with_ledger(session, note, fetch_all)


def accept_clips(session: Session, names: Sequence[str], note: Note) -> list[ClipCheck]:
    """Accept the doubtful clips of the named shots; a shot without one is a usage error, before anything moves."""

    async def accept_all(session: Session, history: History, store: RunStore) -> list[ClipCheck]:
        doubtful = [clip for name in names for clip in _doubtful_clips(session, history, name)]
        async with _lazy_gateway(session, history) as gateway:
            fetcher = ClipFetcher(session.settings, history, store, gateway)
            return [await fetcher.accept(step, attempt) for step, attempt in doubtful]

    return _with_ledger(session, note, accept_all)


def _with_ledger(
    session: Session, note: Note, work: Callable[[Session, History, RunStore], Awaitable[list[ClipCheck]]]
) -> list[ClipCheck]:
    """Run `work` under the locks of the outputs, then write the manifests."""
    with open_run_store(session, note) as store:
        history = store.history()
        confirm_tasks(session.planner, history, store, note)
        results = anyio.run(work, session, history, store)
        write_manifests(session.manifests, session.planner.plan(history), history)
    return results


def _is_running(step: Step, history: History) -> bool:
    """Whether only a run can collect the clip of a take: its task had not ended when somebody last asked."""
    attempt = history.attempts.get(step.attempt or "")
    return step.action is Action.RESUME and attempt is not None and attempt.state is AttemptState.RUNNING


async def _fetch_all(session: Session, plan: Plan, history: History, store: RunStore) -> list[ClipCheck]:
    results: list[ClipCheck] = []
    selected = session.selected(history)
    orphans = stored_orphans(history, plan, session.films, selected)
    async with _lazy_gateway(session, history) as gateway:
        await read_due_bills(session.settings, session.edition, history, store, gateway)
        fetcher = ClipFetcher(session.settings, history, store, gateway)
        selected_plan = session.planner.plan(history, selected=selected)
        for step, attempt, clip in takes_with_clips(session.settings, selected_plan, history):
            result = check(session.settings, step, attempt, clip)
            if result.verdict in ("missing", "changed"):
                result = await fetcher.fetch(result, step, attempt)
            results.append(result)
        orphan_fetcher = OrphanFetcher(session.settings, session.edition, history, store, gateway)
        results += [orphan for attempt in orphans if (orphan := await orphan_fetcher.fetch(attempt)) is not None]
    return results


def _doubtful_clips(session: Session, history: History, name: str) -> list[tuple[Step, Attempt]]:
    """The doubtful takes of a shot, retakes included, or the one take that `quay#2` names."""
    shot, take = find_shot(session, name)
    current = {step.attempt: step for step in session.planner.plan(history).steps_of(shot.key)}
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
            f"{name} has no doubtful clip from {shot.film.folder(session.settings.provider)}; "
            "storyboard status lists them",
        )
    return sorted(doubtful, key=lambda pair: pair[0].take)


@asynccontextmanager
async def _lazy_gateway(session: Session, history: History) -> AsyncIterator[Callable[[], Awaitable[ProviderGateway]]]:
    """Context manager: a function that opens the provider's gateway when it is first needed."""
    async with AsyncExitStack() as stack:
        gateways: list[ProviderGateway] = []

        async def gateway() -> ProviderGateway:
            if not gateways:
                gateways.append(await open_gateway(session.planner, history, stack))
            return gateways[0]

        yield gateway
