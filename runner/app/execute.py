"""Executes an approved plan: runs the engine, writes the manifest meanwhile, makes the films at the end."""

import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, suppress
from decimal import Decimal

import anyio

from runner.app import approval, provider_gateway, webhooks
from runner.app.batch_planner import BatchPlanner
from runner.app.completion_words import keep_completion_words
from runner.app.conversation import Conversation
from runner.app.credit_scope import with_sums
from runner.app.final_cut import closing_films
from runner.app.manifest_files import ManifestFiles
from runner.app.manifests import write_first_picks, write_manifests
from runner.app.orphaned_attempts import lock_outputs_of_orphans
from runner.app.run_outcome import RunOutcome
from runner.app.run_store import RunStore, closing_context, repo_prefix
from runner.app.session import Session
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.clock import Clock
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import RunLimits
from runner.engine.run_events import RunEvent, RunResult
from runner.engine.run_loop import StopRequest, root_cause, run_loop
from runner.engine.run_ports import PlannedWork, RunPorts
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan
from runner.planning.plan_inputs import PlanOverrides
from runner.settings.settings import Settings
from runner.show.live.progress import Progress
from runner.show.live.view import View

# Minimum seconds between two writes of the manifest during a run.
_MANIFEST_EVERY = 5.0
# Minimum pause between two writes, as a multiple of the last write's duration: at most 0.5 % of the time.
_MANIFEST_SHARE = 200


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan that may be carried out, with the history and the overrides that it was made from."""

    session: Session
    plan: Plan
    history: History
    store: RunStore
    overrides: PlanOverrides
    more_follows: bool = False
    """Whether the command may order more after this: it ends the event stream and the film itself."""
    before: ExitCode = ExitCode.OK
    """The exit code of what the command carried out before this: the last event has the more severe one."""


def execute_plan(approved: ApprovedPlan, conversation: Conversation) -> RunOutcome:
    """Run the engine on a plan, while the user follows it; the manifests and the film are written when it returns."""
    session, plan, history, clock = approved.session, approved.plan, approved.history, approved.store.clock
    started_at = clock.monotonic()
    if plan.is_free and not session.command.display.quiet and (message := _missing_font(plan)) is not None:
        conversation.advise(message)
    run_view = conversation.follow_run(_progress(session, plan), clock)
    try:
        result = anyio.run(_execute, approved, run_view)
    except BaseException as error:
        run_view.close()
        with suppress(Failure):  # the error that ended the run matters more to the user
            write_manifests(session.manifests, session.planner.plan(history), history)
        raise (root_cause(error) if isinstance(error, BaseExceptionGroup) else error) from error
    run_view.close()
    if approved.overrides.first_take and not plan.is_free:
        picks = _first_take_picks(session.planner, history, approved.overrides, clock)
        write_first_picks(session.manifests, plan.batch.storyboards, history, picks)
    write_manifests(session.manifests, session.planner.plan(history), history)
    keep_completion_words(session, history)
    closing = None
    if not session.command.display.as_json:
        closing = closing_context(session, approved.store, history, clock.monotonic() - started_at, result)
        if not approved.more_follows:
            films = closing_films(session, history, closing.whole_plan or plan, result, conversation)
            closing = replace(closing, films=films)
    return RunOutcome(result.exit_code, plan, result, clock.now(), was_followed=True, closing=closing)


def _progress(session: Session, plan: Plan) -> Progress:
    return Progress(
        ceiling=_spending_limit(session.settings, plan),
        concurrency=session.settings.concurrency,
        prefix=repo_prefix(session),
        look_command=session.command_line.to_look(session.look_provider).dailies("--serve"),
    )


async def _execute(approved: ApprovedPlan, run_view: View) -> RunResult:
    session, history, store = approved.session, approved.history, approved.store
    limits = replace(store.limits, budgets=approval.storyboard_budgets(session.planner, approved.plan, history))
    store.ledger.set_budget_scope(limits)
    manifest_writer = ManifestWriter(session.manifests, session.planner, history, store.clock)

    def emit(event: RunEvent) -> None:
        if event.outcome is not None:
            if approved.more_follows and session.command.display.as_json:
                return
            outcome = replace(with_sums(session.planner, history, event.outcome), code_of_command=approved.before)
            event = replace(event, outcome=outcome)
        run_view.tell(event)
        manifest_writer.tell(event)

    stop_request = StopRequest()
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        gateway = await provider_gateway.open_gateway(session.planner, history, stack)
        group.start_soon(_watch_signals, stop_request, run_view)
        mark_orphans = lock_outputs_of_orphans(
            session.settings, session.films, approved.plan, stack.enter_context(ExitStack())
        )
        replan = _replanner(approved, limits)
        planned = PlannedWork(mark_orphans(approved.plan), history, lambda history: mark_orphans(replan(history)))
        ports = RunPorts(gateway, store.ledger, store.clock, emit)
        async with webhooks.listen(session.settings, gateway.client, store.clock, emit) as inbox:
            result = await run_loop(planned, ports, limits, stop_request, inbox)
        group.cancel_scope.cancel()
    return with_sums(session.planner, history, result)


def _replanner(approved: ApprovedPlan, limits: RunLimits) -> Callable[[History], Plan]:
    session = approved.session

    def replan(history: History) -> Plan:
        plan = session.planner.plan(history, selected=session.selected(history), overrides=approved.overrides)
        budgets = approval.storyboard_budgets(session.planner, plan, history)
        approved.store.ledger.set_budget_scope(replace(limits, budgets=budgets))
        return plan

    return replan


async def _watch_signals(stop_request: StopRequest, run_view: View) -> None:
    """Stop creating tasks at the first Ctrl-C, SIGTERM or closed terminal, exit at the second."""
    stop_signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    active_signals = [
        number for number in stop_signals if signal.getsignal(number) is not signal.SIG_IGN
    ]  # nohup means it
    with anyio.open_signal_receiver(*active_signals) as signals:
        async for _ in signals:
            stop_request.on_signal()
            run_view.stopping()


def _first_take_picks(
    planner: BatchPlanner, history: History, overrides: PlanOverrides, clock: Clock
) -> dict[ShotKey, Pick]:
    """The takes that `--first-take` used, as picks: without them the next run would wait for a pick again."""
    multi_take_shots = {shot.key for shot in planner.batch.shots if shot.takes > 1}
    plan = planner.plan(history, overrides=overrides)
    picks: dict[ShotKey, Pick] = {}
    for step in plan.steps:
        for material, upstream in zip(step.shot.request.from_takes, step.upstream, strict=False):
            key = (step.shot.film, upstream.shot)
            if material.take is None and key in multi_take_shots and key not in plan.picks:
                attempt = history.current_attempt(upstream.fingerprint)
                task_id = attempt.task_id if attempt is not None else None
                picks[key] = Pick(upstream.take, upstream.fingerprint, task_id, clock.now())
    return picks


@dataclass(slots=True)
class ManifestWriter:
    """Writes the manifest during a run, so that a task id is in it soon after the provider accepted the task."""

    manifests: ManifestFiles
    planner: BatchPlanner
    history: History
    clock: Clock
    next_at: float = float("-inf")

    def tell(self, event: RunEvent) -> None:
        if event.event in ("created", "stored", "failed", "refused", "unsettled"):
            started_at = self.clock.monotonic()
            if started_at < self.next_at:
                return
            with suppress(Failure):  # the ledger has it; the write at the end of the run reports the error
                write_manifests(self.manifests, self.planner.plan(self.history), self.history)
            now = self.clock.monotonic()
            self.next_at = now + max(_MANIFEST_EVERY, _MANIFEST_SHARE * (now - started_at))


def _missing_font(plan: Plan) -> str | None:
    """The font that the animatics of this plan lack."""
    from runner.animatic.fonts import missing_font
    from runner.settings.environment import child_environment

    prompts = "".join(step.shot.request.prompt or "" for step in plan.steps if step.is_billable)
    return None if prompts.isascii() else missing_font(prompts, child_environment())


def _spending_limit(settings: Settings, plan: Plan) -> Decimal | None:
    """The most that this run may cost: `--max-credits`, else the confirmed price."""
    if plan.is_free:
        return None
    return settings.max_credits if settings.max_credits is not None else plan.totals.credits
