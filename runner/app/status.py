"""The state of every take, by manifest and ledger."""

from runner.app import foreign_outputs
from runner.app.budget_scope import StoryboardBudgets
from runner.app.credit_scope import CreditScope
from runner.app.field_locations import field_locator
from runner.app.final_cut import FilmReporter
from runner.app.ledger_reading import left_by_gone_repositories
from runner.app.session import Session
from runner.app.spending_limits import committed_credits
from runner.attempts.attempt import Attempt
from runner.clock import SystemClock
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.plan import Plan
from runner.planning.plan_inputs import PlanScope
from runner.settings.settings import Settings
from runner.show.screens.status import StatusReport
from runner.show.text.command_line import CommandLine


def status_report(session: Session) -> tuple[StatusReport, list[str]]:
    """The state of the selected takes, and the warnings about outputs that could not be read.

    Raise `CommandError` where no output could be read.
    """
    settings = session.settings
    planner, history, foreign = foreign_outputs.history_without_foreign(session.planner, session.history_reader)
    # With one readable storyboard the others are notes; without any there is nothing to show.
    if foreign and not planner.batch.storyboards:
        raise CommandError(ExitCode.INVALID, "\n".join(foreign))
    plan = planner.plan(history, PlanScope(session.selection.selected(history)))
    budgets = {} if plan.is_free else StoryboardBudgets(planner).of(plan, history)

    def plan_whole() -> Plan:
        return plan if plan.selected is None else planner.plan(history)

    report = StatusReport(
        plan,
        history,
        SystemClock().now(),
        _next_command_line(session),
        locate_field=field_locator(session.sources),
        orphans=tuple(history.attempts[orphan.attempt] for orphan in plan.orphans),
        sums=CreditScope(planner).sums_by_storyboard(history),
        budget_used={path: committed_credits(history, budget) for path, budget in budgets.items()},
        left_behind=_left_behind(settings, plan),
        root=str(settings.root),
        films=FilmReporter(settings, session.look_line).lines_by_film(history, planner.batch, plan_whole),
    )
    return report, foreign


def _left_behind(settings: Settings, plan: Plan) -> tuple[Attempt, ...]:
    """The open attempts of repositories that are gone, without those that this plan takes over."""
    taken = {step.attempt for step in plan.steps}
    return tuple(attempt for attempt in left_by_gone_repositories(settings) if attempt.id not in taken)


def _next_command_line(session: Session) -> CommandLine:
    """The command line to type next, with the provider that was found by its clips."""
    # `status` looks where clips are, a run where the settings say: the line has to name it.
    is_explicit = session.command.input.provider is not None or session.settings.account.free
    line = session.command_line
    return line if is_explicit else line.with_flag("--provider", session.settings.provider)
