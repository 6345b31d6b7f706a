"""The shots and the extra orders that a command line names, by the states of their takes too."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from runner.app.batch_planner import BatchPlanner
from runner.app.options import OrderOptions, SelectionOptions
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action, Plan
from runner.planning.plan_inputs import PlanOverrides, PlanScope
from runner.planning.selection import select

if TYPE_CHECKING:
    from runner.planning.saved_plan import SavedPlan


@dataclass(frozen=True, slots=True)
class Selection:
    """The flags of a command line that say which takes are meant; a saved plan has them in their place."""

    planner: BatchPlanner
    flags: SelectionOptions
    orders: OrderOptions
    saved_plan: "SavedPlan | None" = None

    def plan(self, history: History) -> Plan:
        """The plan of what the command line asks for."""
        return self.planner.plan(history, self.scope(history))

    def whole_plan(self, history: History) -> Plan:
        """The plan of the whole batch, whatever is selected."""
        return self.planner.plan(history)

    def scope(self, history: History) -> PlanScope:
        """The selected shots and the extra orders.

        A run works them out once, before anything is sent: what it makes changes the states that they are named by.
        """
        return PlanScope(self.selected(history), self.overrides(history))

    def selected(self, history: History) -> frozenset[ShotKey] | None:
        """The shots that `--select` and `--exclude` leave; None without either."""
        # By the shots that the plan lists: a shot that was added since matches the expressions too, and was never
        # reviewed.
        if self.saved_plan is not None:
            return self.saved_plan.selected(self.planner.batch)
        return self.shots(self.flags.select, self.flags.exclude, history)

    def shots(self, chosen: Iterable[str], excluded: Iterable[str], history: History) -> frozenset[ShotKey] | None:
        """The shots that expressions select, by their states too."""
        return select(self.planner.batch, chosen, excluded, lambda: self.states(history))

    def states(self, history: History) -> Mapping[ShotKey, frozenset[str]]:
        """The states of each shot's takes, for `state:`."""
        from runner.planning.take_states import states_by_shot
        from runner.show.screens.missing_clips import find_missing_clips

        plan = self.whole_plan(history)
        return states_by_shot(plan, find_missing_clips(plan.steps, history))

    def overrides(self, history: History) -> PlanOverrides:
        """The orders of `--first-take`, `--again` and `--retake`."""
        again, retake = self.orders.again, self.orders.retake
        if again and retake:
            raise CommandError(ExitCode.USAGE, "--again and --retake cannot be combined: run them one after the other")
        saved, expressions = self.saved_plan, again or retake
        shots = None
        if expressions:
            batch = self.planner.batch
            shots = self.shots(expressions, (), history) if saved is None else saved.named(batch, expressions)
        return PlanOverrides(
            first_take=self.orders.first_take,
            again=self._attempts_to_repeat(history, shots) if again else None,
            retakes=self._open_retakes(history, shots) if retake else None,
        )

    def _open_retakes(self, history: History, shots: frozenset[ShotKey] | None) -> frozenset[ShotKey] | None:
        saved = self.saved_plan
        return shots if saved is None or shots is None else saved.open_retakes(history, shots)

    def _attempts_to_repeat(self, history: History, shots: frozenset[ShotKey] | None) -> frozenset[str]:
        steps = self.planner.plan(history, PlanScope(shots)).steps
        pending = (Action.RESUME, Action.UNSETTLED)  # ordered by this flag before a crash: the run continues them
        repeatable = [step for step in steps if step.action in (Action.REFUSED, Action.GONE, *pending)]
        if (saved := self.saved_plan) is not None:
            attempts = [history.attempts[step.attempt] for step in repeatable if step.attempt is not None]
            return frozenset(attempt.id for attempt in attempts if saved.may_repeat(attempt))
        if not repeatable:
            raise CommandError(ExitCode.USAGE, "--again: none of the selected takes is refused or gone")
        return frozenset(step.attempt for step in repeatable if step.attempt is not None)
