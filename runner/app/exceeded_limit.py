"""The screen of a plan that a run would refuse: the limit, cheaper alternatives, and one of them to type next."""

from decimal import Decimal

from runner.app.approval import SpendLimit, spend_limits
from runner.app.ledger_reading import spent_last_24h
from runner.app.plan_report import command_below_limit, plan_context
from runner.app.session import Session
from runner.attempts.history import History
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.show.screens.plan import PlanContext
from runner.show.text.format import credits_text


def context_with_limit(session: Session, plan: Plan, history: History) -> PlanContext:
    """The context of a plan's screen; above a limit on spending, with the way below it."""
    limit = None if plan.is_free else _exceeded_limit(session, plan, history)
    if limit is None:
        return plan_context(session, plan, history)
    context = plan_context(session, plan, history, below=max(limit.limit - limit.already, Decimal(0)))
    return _above_limit(limit, session, context)


def _exceeded_limit(session: Session, plan: Plan, history: History) -> SpendLimit | None:
    """The first limit that a run would exceed, which is exit 4."""
    if not plan.totals.credits or session.settings.max_credits == 0:
        return None
    today = Decimal(0) if session.settings.credits_per_day is None else spent_last_24h(session.settings)
    limits = spend_limits(session, plan, history, today)
    return next((limit for limit in limits if limit.would_be > limit.limit), None)


def _above_limit(limit: SpendLimit, session: Session, context: PlanContext) -> PlanContext:
    """The context of a plan above a limit: with the reason, and one of the cheaper alternatives as next command."""
    excess = credits_text(limit.would_be - limit.limit)
    already = f", {credits_text(limit.already)} of them spent or unsettled," if limit.already else ""
    message = (
        f"a run stops with exit 4: {credits_text(limit.would_be)} credits{already} are {excess} over {limit.name} "
        f"({credits_text(limit.limit)})"
    )
    command = command_below_limit(session, context.cheaper)
    next_command = (command, "below the limit") if command else ("storyboard prices", "models and resolutions by price")
    return replace(context, stopped_by=message, replacement=next_command)
