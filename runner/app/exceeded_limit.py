"""The screen of a plan that a run would refuse: the limit, cheaper alternatives, and one of them to type next."""

from functools import partial

from runner.app.ledger_reading import spent_last_24h
from runner.app.plan_report import PlanReporter
from runner.app.spending_limits import SpendingLimits, SpendLimit
from runner.attempts.history import History
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.show.screens.plan import PlanContext
from runner.show.text.format import credits_text


def context_with_limit(report: PlanReporter, limits: SpendingLimits, plan: Plan, history: History) -> PlanContext:
    """The context of a plan's screen; above a limit on spending, with the way below it."""
    last_day = partial(spent_last_24h, report.settings)
    limit = None if plan.is_free else limits.exceeded(plan, history, last_day)
    if limit is None:
        return report.context(plan, history)
    context = report.context(plan, history, below=limit.left)
    command = report.cheaper.command(context.cheaper)
    next_command = (command, "below the limit") if command else ("storyboard prices", "models and resolutions by price")
    return replace(context, stopped_by=_reason(limit), replacement=next_command)


def _reason(limit: SpendLimit) -> str:
    excess = credits_text(limit.would_be - limit.limit)
    already = f", {credits_text(limit.already)} of them spent or unsettled," if limit.already else ""
    return (
        f"a run stops with exit 4: {credits_text(limit.would_be)} credits{already} are {excess} over {limit.name} "
        f"({credits_text(limit.limit)})"
    )
