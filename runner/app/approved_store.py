"""The approval of a plan's orders, which ends with the store that a run may order through."""

from runner.app import approval, saved_plans
from runner.app.conversation import Conversation
from runner.app.plan_report import plan_context
from runner.app.run_store import RunStore
from runner.app.session import Session
from runner.attempts.history import History
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan


def approve_orders(
    session: Session,
    plan: Plan,
    history: History,
    store: RunStore,
    conversation: Conversation,
    first: Plan | None = None,
) -> RunStore:
    """Show the plan and get approval; the store with the confirmed price as its limit.

    `first` has those of the plan's orders that are asked for now.
    """
    if not plan.is_free and conversation.can_ask and not session.command.display.quiet:
        conversation.show_plan(plan, replace(plan_context(session, plan, history), before_question=True))
    approval.check_can_pay(session, plan, history)
    approved_price = approval.approve_spending(
        session,
        plan,
        history,
        store.spent_last_24h(),
        conversation,
        is_consented=saved_plans.is_consent(session, store),
        run=store.limits.run,
        first=first,
    )
    return store if approved_price is None else store.with_price_cap(approved_price)
