"""The limits on spending: what each allows, and the sum that a plan would bring it to."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.app.budget_scope import StoryboardBudgets
from runner.attempts.history import History
from runner.attempts.sums import counted_credits
from runner.engine.limits import Budget
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan, totals
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from runner.planning.saved_plan import SavedPlan


@dataclass(frozen=True, slots=True)
class SpendLimit:
    """A limit on spending, and the sum that the run would bring it to."""

    name: str
    limit: Decimal
    would_be: Decimal
    already: Decimal
    """Credits that count before this run."""

    @property
    def left(self) -> Decimal:
        """Credits that a run may still order."""
        return max(self.limit - self.already, Decimal(0))


@dataclass(frozen=True, slots=True)
class SpendingLimits:
    """The sources of a command's limits: settings and flags, budgets of its storyboards, the saved plan."""

    settings: Settings
    budgets: StoryboardBudgets
    saved_plan: "SavedPlan | None" = None

    def exceeded(
        self, plan: Plan, history: History, last_day: Callable[[], Decimal], run: str = ""
    ) -> SpendLimit | None:
        """The first limit that a run of the plan would exceed; None too where it orders nothing, or has no price.

        `last_day` reads the account's credits of the last 24 hours; `run` is the id of a run at work.
        """
        # With `--max-credits 0` a run buys nothing, and collects what is paid for.
        if (
            plan.totals.credits is None
            or not any(step.is_billable for step in plan.steps)
            or self.settings.max_credits == 0
        ):
            return None
        limits = self._of(plan, history, last_day, run)
        return next((limit for limit in limits if limit.would_be > limit.limit), None)

    def _of(self, plan: Plan, history: History, last_day: Callable[[], Decimal], run: str) -> Iterator[SpendLimit]:
        """Every limit of this run, in quoted or billed credits, whichever are higher."""
        settings, ordered = self.settings, plan.totals.credits or Decimal(0)
        if (limit := settings.max_credits) is not None:
            spent = credits_of_run(history, run)
            yield SpendLimit("--max-credits", limit, spent + ordered, spent)
        if (saved := self.saved_plan) is not None:
            attempts = history.attempts.values()
            spent = counted_credits(attempt for attempt in attempts if attempt.intent.saved_plan == saved.id)
            yield SpendLimit("the saved plan", saved.ceiling, spent + ordered, spent)
        # By storyboard: the orders of one film must not use up another one's budget.
        for path, budget in self.budgets.of(plan, history).items():
            already = committed_credits(history, budget)
            new = totals([step for step in plan.steps if step.shot.storyboard == path], shots=0).credits or Decimal(0)
            yield SpendLimit(f"the budget in {path}", budget.credits, already + new, already)
        if (limit := settings.credits_per_day) is not None:
            spent = last_day()
            yield SpendLimit("budget.credits_per_day", limit, spent + ordered, spent)


def credits_of_run(history: History, run: str) -> Decimal:
    """Credits of what a run ordered so far: made, running, unsettled."""
    return counted_credits(attempt for attempt in history.attempts.values() if run and attempt.intent.run == run)


def committed_credits(history: History, budget: Budget) -> Decimal:
    """Credits of the attempts that count in a storyboard's budget: made, running, unsettled."""
    attempts = (
        attempt
        for fingerprint in budget.fingerprints
        for attempt in history.attempts_of(fingerprint)
        if history.is_own_or_named(attempt)
    )
    return counted_credits(attempts)
