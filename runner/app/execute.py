"""The execution of an approved plan: the engine runs, the manifest is written meanwhile, films are made at the end."""

import signal
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack, suppress
from decimal import Decimal

import anyio

from runner.app import provider_gateway, webhooks
from runner.app.batch_planner import BatchPlanner
from runner.app.budget_scope import StoryboardBudgets
from runner.app.closing_report import ClosingReporter, repo_prefix
from runner.app.completion_words import keep_completion_words
from runner.app.conversation import Conversation
from runner.app.credit_scope import CreditScope
from runner.app.final_cut import FilmReporter
from runner.app.manifest_files import ManifestFiles
from runner.app.manifests import write_first_picks, write_manifests
from runner.app.options import DisplayOptions
from runner.app.orphaned_attempts import lock_outputs_of_orphans
from runner.app.run_outcome import RunOutcome
from runner.app.run_store import PlannedRun, open_clip_store
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
from runner.planning.plan_inputs import PlanOverrides, PlanScope
from runner.settings.settings import Settings
from runner.show.live.progress import Progress

# Minimum seconds between two writes of the manifest during a run.
_MANIFEST_EVERY = 5.0
# Minimum pause between two writes, as a multiple of the last write's duration: at most 0.5 % of the time.
_MANIFEST_SHARE = 200


@dataclass(frozen=True, slots=True)
class Execution:
    """The execution of a command's plans: by which planner, into which manifests, and how its end is told."""

    planner: BatchPlanner
    budgets: StoryboardBudgets
    credit_scope: CreditScope
    manifests: ManifestFiles
    closing: ClosingReporter
    films: FilmReporter
    display: DisplayOptions
    makes_films: bool
    """Whether a run that made a clip ends with its film."""

    def execute(
        self, run: PlannedRun, conversation: Conversation, *, more_follows: bool = False, before: ExitCode = ExitCode.OK
    ) -> RunOutcome:
        """Run the engine on an approved plan, while the user follows it; manifests and film are written at the end.

        `more_follows`: the command may order more after this, and ends the event stream and the film itself. `before`
        is the exit code of what the command carried out before: the last event has the more severe one.
        """
        plan, history, clock = run.plan, run.history, run.store.clock
        started_at = clock.monotonic()
        if plan.is_free and not self.display.quiet and (message := _missing_font(plan)) is not None:
            conversation.advise(message)
        run_view = conversation.follow_run(self._progress(plan), clock)
        hides_end = more_follows and self.display.as_json

        def show(event: RunEvent) -> None:
            if event.outcome is not None:
                if hides_end:
                    return
                outcome = replace(self.credit_scope.with_sums(history, event.outcome), code_of_command=before)
                event = replace(event, outcome=outcome)
            run_view.on_event(event)

        try:
            result = anyio.run(self._run_engine, run, show, run_view.stopping)
        except BaseException as error:
            run_view.close()
            with suppress(Failure):  # the error that ended the run matters more to the user
                write_manifests(self.manifests, self.planner.plan(history), history)
            raise (root_cause(error) if isinstance(error, BaseExceptionGroup) else error) from error
        run_view.close()
        # The sandbox goes on without picks anyway, so that none has to be recorded for its next run.
        if run.scope.overrides.first_take and not plan.is_free:
            picks = _first_take_picks(self.planner, history, run.scope.overrides, clock)
            write_first_picks(self.manifests, plan.batch.storyboards, history, picks)
        write_manifests(self.manifests, self.planner.plan(history), history)
        # Again after the run: a retake has a number that TAB did not know.
        keep_completion_words(self.planner.settings, self.planner.batch, history)
        closing = None
        # The last event of the stream says the same to a program.
        if not self.display.as_json:
            closing = self.closing.context(history, run.store.limits.run, clock.monotonic() - started_at, result)
            if not more_follows:
                whole_plan = closing.whole_plan or plan
                films = self.films.make_films(history, whole_plan, result, conversation, is_wanted=self.makes_films)
                closing = replace(closing, films=films)
        return RunOutcome(result.exit_code, plan, result, clock.now(), was_followed=True, closing=closing)

    def _progress(self, plan: Plan) -> Progress:
        settings = self.planner.settings
        return Progress(
            ceiling=_spending_limit(settings, plan),
            concurrency=settings.concurrency,
            prefix=repo_prefix(settings.root),
            look_command=self.films.look_line().dailies("--serve"),
        )

    async def _run_engine(
        self, run: PlannedRun, show: Callable[[RunEvent], None], on_stop: Callable[[], None]
    ) -> RunResult:
        planner, history, store = self.planner, run.history, run.store
        settings = planner.settings
        limits = replace(store.limits, budgets=self.budgets.of(run.plan, history))
        # Before the first order: the ledger counts budgets in the transaction that writes an intent.
        store.ledger.set_budget_scope(limits)
        manifest_writer = ManifestWriter(self.manifests, planner.plan, history, store.clock)

        def emit(event: RunEvent) -> None:
            show(event)
            manifest_writer.on_event(event)

        stop_request = StopRequest()
        async with AsyncExitStack() as stack, anyio.create_task_group() as group:
            gateway = await provider_gateway.open_gateway(
                settings, planner.edition, planner.routes, open_clip_store(settings, history), stack
            )
            group.start_soon(_watch_signals, stop_request, on_stop)
            mark_orphans = lock_outputs_of_orphans(
                settings, planner.batch.films, run.plan, stack.enter_context(ExitStack())
            )
            replan = self._replanner(run, limits)
            # The same marks at each new plan: another run holds those outputs until this one ends.
            planned = PlannedWork(mark_orphans(run.plan), history, lambda history: mark_orphans(replan(history)))
            ports = RunPorts(gateway, store.ledger, store.clock, emit)
            async with webhooks.listen(settings, gateway.client, store.clock, emit) as inbox:
                result = await run_loop(planned, ports, limits, stop_request, inbox)
            # The watcher of signals never ends by itself.
            group.cancel_scope.cancel()
        return self.credit_scope.with_sums(history, result)

    def _replanner(self, run: PlannedRun, limits: RunLimits) -> Callable[[History], Plan]:
        def replan(history: History) -> Plan:
            plan = self.planner.plan(history, run.scope)
            budgets = self.budgets.of(plan, history)
            # A pick or a finished take changes what is made from it, and so the fingerprints that a budget counts.
            run.store.ledger.set_budget_scope(replace(limits, budgets=budgets))
            return plan

        return replan


async def _watch_signals(stop_request: StopRequest, on_stop: Callable[[], None]) -> None:
    """Stop creating tasks at the first Ctrl-C, SIGTERM or closed terminal, exit at the second."""
    stop_signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    active_signals = [
        number for number in stop_signals if signal.getsignal(number) is not signal.SIG_IGN
    ]  # nohup means it
    with anyio.open_signal_receiver(*active_signals) as signals:
        async for _ in signals:
            stop_request.on_signal()
            on_stop()


def _first_take_picks(
    planner: BatchPlanner, history: History, overrides: PlanOverrides, clock: Clock
) -> dict[ShotKey, Pick]:
    """The takes that `--first-take` used, as picks: without them the next run would wait for a pick again."""
    multi_take_shots = {shot.key for shot in planner.batch.shots if shot.takes > 1}
    plan = planner.plan(history, PlanScope(overrides=overrides))
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
    """The writer of the manifest during a run, so that a task id is in it soon after the provider accepted the task."""

    manifests: ManifestFiles
    plan_whole: Callable[[History], Plan]
    history: History
    clock: Clock
    next_at: float = float("-inf")

    def on_event(self, event: RunEvent) -> None:
        # The events that change what a manifest says: a task id in it keeps a clone from paying for the same take.
        if event.event in ("created", "stored", "failed", "refused", "unsettled"):
            started_at = self.clock.monotonic()
            if started_at < self.next_at:
                return
            with suppress(Failure):  # the ledger has it; the write at the end of the run reports the error
                write_manifests(self.manifests, self.plan_whole(self.history), self.history)
            now = self.clock.monotonic()
            self.next_at = now + max(_MANIFEST_EVERY, _MANIFEST_SHARE * (now - started_at))


def _missing_font(plan: Plan) -> str | None:
    """The font that the animatics of this plan lack."""
    from runner.animatic.fonts import missing_font
    from runner.settings.environment import child_environment

    prompts = "".join(step.shot.request.prompt or "" for step in plan.steps if step.is_billable)
    # Every font has ASCII, and asking fontconfig starts a process.
    return None if prompts.isascii() else missing_font(prompts, child_environment())


def _spending_limit(settings: Settings, plan: Plan) -> Decimal | None:
    """The most that this run may cost: `--max-credits`, else the confirmed price."""
    if plan.is_free:
        return None
    return settings.max_credits if settings.max_credits is not None else plan.totals.credits
