"""The approval of a paid run: can it pay, does it stay below every spending limit, does the user consent."""

from decimal import Decimal

from runner.app import destinations
from runner.app.conversation import Conversation
from runner.app.options import SpendingOptions
from runner.app.plan_report import PlanReporter, ways_without_address
from runner.app.run_store import PlannedRun, RunStore
from runner.app.spending_limits import SpendingLimits, credits_of_run
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import dataclass, replace
from runner.planning.material_routes import Routes
from runner.planning.plan import Plan
from runner.settings.settings import Settings
from runner.show.screens import question
from runner.show.text.command_line import CommandLine
from runner.store import filesystems


@dataclass(frozen=True, slots=True)
class Approval:
    """The conditions under which the plans of a command may be ordered."""

    report: PlanReporter
    limits: SpendingLimits
    spending: SpendingOptions
    run_line: CommandLine
    """The command line of the run, with all that decides how its orders are asked for."""
    shows_plan: bool = True
    """Whether a person sees the plan before the question."""

    def approve(self, planned: PlannedRun, conversation: Conversation, first: Plan | None = None) -> PlannedRun:
        """Show the plan and get consent; the run with the confirmed price as its limit.

        `first` has those of the plan's orders that are asked for now; the limits hold for the whole plan. Raise
        `CommandError` unless the run may spend its price; a free run, and one that orders nothing, may.
        """
        plan, history, store = planned.plan, planned.history, planned.store
        if plan.is_free:
            return planned
        # The plan is worth seeing also where it is refused: a missing key or a limit is told below its price.
        if conversation.can_ask and self.shows_plan:
            conversation.show_plan(plan, replace(self.report.context(plan, history), before_question=True))
        self._check_can_pay(plan)
        # A run that only collects what is paid for spends nothing, and asks nothing.
        if not any(step.is_billable for step in plan.steps) or self.report.settings.max_credits == 0:
            return planned
        # What nobody knows can be held against no limit.
        if plan.totals.credits is None:
            raise CommandError(ExitCode.DECLINED, question.unknown_price(plan))
        self._check_limits(plan, history, store)
        if not self.spending.yes and not self._is_saved_on(store):
            price = self._ask_or_refuse(plan, history, conversation, first)
            # Consent is to a price: without this ceiling three repeats of a documented 500 made 240 credits of the 60
            # agreed to.
            if price is not None:
                store = store.with_price_cap(credits_of_run(history, store.limits.run) + price)
        # Only after the last refusal: an address that was declined is to be marked as new the next time.
        destinations.remember_approval(self.report.settings, self.report.repository, self.report.destinations(history))
        return replace(planned, store=store)

    def _check_can_pay(self, plan: Plan) -> None:
        """Raise `CommandError` unless a paid run may begin: store, CI, disk, key."""
        settings = self.report.settings
        _check_store(self.report, plan)
        self._check_ci(settings, plan)
        filesystems.check_ledger_disk(settings.state)
        settings.key()

    def _check_ci(self, settings: Settings, plan: Plan) -> None:
        spending, line = self.spending, self.report.command_line
        # A pull request's storyboards and settings are a stranger's: its job pays by two flags, which no file can set.
        if settings.pull_request is not None and not (spending.allow_pull_request and spending.max_credits is not None):
            raise CommandError(
                ExitCode.DECLINED,
                f"this is a pull request's CI job ({settings.pull_request}), which does not pay unless you allow it: "
                "nothing was sent. To see the price without a key, or to allow it:\n"
                f"  {line.plan()}\n"
                f"  {line.run('--allow-pull-request --max-credits', question.ceiling_of(plan))}",
            )
        if settings.ci and not settings.ci_state:
            raise CommandError(
                ExitCode.INVALID,
                "STORYBOARD_STATE is not set: in CI the ledger must outlive the job, else clips are paid twice. Name a "
                "folder on a mounted volume, or in a cache that is saved after every job:\n"
                "  export STORYBOARD_STATE=/path/to/that/folder",
            )

    def _check_limits(self, plan: Plan, history: History, store: RunStore) -> None:
        """Raise `CommandError` (exit 4) where the plan would exceed a limit on spending."""
        limit = self.limits.exceeded(plan, history, store.spent_last_24h, store.limits.run)
        if limit is not None:
            cheaper = self.report.cheaper.find(plan, history, limit.left)
            command = self.report.cheaper.command(cheaper) or ""
            message = question.over_limit(plan, limit.name, limit.limit, limit.would_be, cheaper, command)
            raise CommandError(ExitCode.DECLINED, message)

    def _is_saved_on(self, store: RunStore) -> bool:
        """Whether the user consented to these orders by saving the plan that lists them on this ledger."""
        saved = self.limits.saved_plan
        # Of this ledger: a plan that came by mail or by git is a list of prices, and nobody's consent.
        return saved is not None and store.saved_plan_row(saved) is not None

    def _ask_or_refuse(
        self, plan: Plan, history: History, conversation: Conversation, first: Plan | None
    ) -> Decimal | None:
        """Ask the user; without a terminal `--max-credits` is the approval, else raise `CommandError`."""
        targets, saved = self.report.destinations(history), self.limits.saved_plan
        if conversation.can_ask:
            if not conversation.consents(plan, targets, first):
                raise CommandError(ExitCode.DECLINED, question.declined())
            return (first or plan).totals.credits
        if saved is not None:
            message = question.plan_of_another_ledger(self.report.command_line, saved.ceiling)
            raise CommandError(ExitCode.DECLINED, message)
        # The flag alone counts: a limit in the environment says how much, and not that anything may be bought.
        if self.spending.max_credits is None:
            raise CommandError(ExitCode.DECLINED, question.no_terminal(plan, self.run_line, targets))
        return None


def check_materials(routes: Routes | None, command_line: CommandLine, plan: Plan) -> None:
    """Raise `CommandError` where nothing is left to make because materials have no way to the provider."""
    if any(step.unpublished for step in plan.steps):
        ways = ways_without_address(routes, command_line, plan)
        raise CommandError(ExitCode.INVALID, question.nothing_public(plan, ways))


def _check_store(report: PlanReporter, plan: Plan) -> None:
    """Raise `CommandError` if the plan uses the store, and its client or its credentials are missing."""
    routes, ordered = report.routes, [step for step in plan.steps if step.is_billable]
    materials = {material for step in ordered for material in step.shot.request.materials}
    if routes is not None and any("store" in routes.of(material).ways for material in materials):
        from runner.app.material_store import open_store  # with the modules of a run, which a plan does without

        store = open_store(report.settings, report.edition)
        if store is not None:
            store.check_ready()
