"""The budgets of storyboards: each counts all current takes, whatever the command line selects."""

from collections.abc import Iterator
from decimal import Decimal

from runner.app.batch_planner import BatchPlanner
from runner.attempts.history import History
from runner.attempts.sums import counted_credits
from runner.engine.limits import Budget
from runner.language.model import Batch, Storyboard
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.requests.request import fingerprint
from runner.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class StoryboardBudgets:
    """The budgets of a command's storyboards, with the takes that count in each."""

    planner: BatchPlanner

    def of(self, plan: Plan, history: History) -> dict[str, Budget]:
        """Each storyboard's budget in credits, with the fingerprints that count in it."""
        budgets = {}
        fingerprints_by_path = self._fingerprints(plan, history)
        for storyboard in plan.batch.storyboards:
            if (credits := _budget_credits(self.planner.settings, storyboard)) is not None:
                fingerprints = fingerprints_by_path[storyboard.path]
                # A colleague's clips count in a budget, and the ledger of this machine has no rows to count them by.
                imported = [
                    attempt
                    for fingerprint in fingerprints
                    for attempt in history.attempts_of(fingerprint)
                    if attempt.from_manifest
                ]
                budgets[storyboard.path] = Budget(credits, fingerprints, counted_credits(imported))
        return budgets

    def _fingerprints(self, plan: Plan, history: History) -> dict[str, frozenset[str]]:
        """The fingerprints that count in each storyboard's budget: takes, retakes, and takes of its other films."""
        storyboards = [storyboard for storyboard in plan.batch.storyboards if _has_budget(storyboard)]
        if not storyboards:
            return {}
        # The plan without `--select`, `--retake` and `--again`: takes that they leave out count too.
        full_plan = self.planner.plan(history, batch=Batch(tuple(storyboards)))
        counted: dict[str, frozenset[str]] = {}
        for storyboard in storyboards:
            own = frozenset(
                fingerprint
                for steps in (plan.steps_for(storyboard), full_plan.steps_for(storyboard))
                for step in steps
                if (fingerprint := step.fingerprint) is not None
            ).union(
                _retake_fingerprints(full_plan, storyboard, history),
                _fingerprints_of_other_films(self.planner.batch, storyboard, history),
            )
            counted[storyboard.path] = counted.get(storyboard.path, frozenset()) | own
        return counted


def _has_budget(storyboard: Storyboard) -> bool:
    return storyboard.budget_credits is not None or storyboard.budget_usd is not None


def _budget_credits(settings: Settings, storyboard: Storyboard) -> Decimal | None:
    budgets = [storyboard.budget_credits]
    if storyboard.budget_usd is not None:
        budgets.append(storyboard.budget_usd / settings.usd_per_credit)
    # Of a budget in credits and one in dollars the stricter holds.
    return min((credits for credits in budgets if credits is not None), default=None)


def _retake_fingerprints(full_plan: Plan, storyboard: Storyboard, history: History) -> Iterator[str]:
    """Retakes (beyond a shot's `takes`) of its current request; all retakes where a missing pick hides the request."""
    for attempt in history.own_and_named():
        intent = attempt.intent
        if intent.film != storyboard.film:
            continue
        step = next(iter(full_plan.steps_of((storyboard.film, intent.shot))), None)
        # Takes up to `takes` stand in the plan already.
        if step is None or intent.take <= step.shot.takes:
            continue
        if (
            step.fingerprint is None
            or fingerprint({**step.neutral_request(), "take": intent.take}) == intent.fingerprint
        ):
            yield intent.fingerprint


def _fingerprints_of_other_films(batch: Batch, storyboard: Storyboard, history: History) -> Iterator[str]:
    """The last attempt of each take of the storyboard's films that this command does not compile."""
    compiled = {storyboard.film for storyboard in batch.storyboards}
    for (film, _, _), attempt in history.last.items():
        if film.storyboard == storyboard.path and film not in compiled:
            yield history.attempts[attempt].intent.fingerprint
