"""Cheaper orders than a plan's, each with its price, and the command that gives one of them."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from functools import cached_property

from runner.app.batch_planner import BatchPlanner
from runner.app.project import StoryboardSources
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.planning.alternatives import Alternative, find_cheaper
from runner.planning.plan import Plan
from runner.planning.plan_inputs import PlanScope
from runner.show.text.command_line import CommandLine


@dataclass(frozen=True)
class CheaperOrders:
    """The batch whose plans are too dear, and the profiles that could be ordered over its own."""

    planner: BatchPlanner
    sources: StoryboardSources
    command_line: CommandLine
    is_fixed: bool = False
    """Whether a saved plan gives the orders, which has no alternative."""

    def find(self, plan: Plan, history: History, limit: Decimal | None) -> tuple[Alternative, ...]:
        """Alternatives to a plan below the limit, inside its selection; each with its price."""
        if self.is_fixed:
            return ()

        def price(batch: Batch, selected: frozenset[ShotKey] | None) -> Decimal | None:
            if selected is not None and plan.selected is not None:
                return None  # a second --select widens the first
            scope = PlanScope(plan.selected if selected is None else selected)
            return self.planner.plan(history, scope, batch).totals.credits

        return find_cheaper(self.planner.batch, self.planner.edition, price, limit, self._batches_of_more_profiles)

    def command(self, choices: Sequence[Alternative]) -> str | None:
        """The run of the cheapest alternative that makes the whole film, else of the dearest part; None without one."""
        flags = [alternative for alternative in choices if alternative.command]
        whole_films = [alternative for alternative in flags if alternative.description.startswith("--profile ")]
        best = min(whole_films, key=lambda alternative: alternative.credits, default=next(iter(flags), None))
        if best is None:
            return None
        line = self.command_line
        if best in whole_films and line.has("--profile"):
            line = line.without_extra_orders().without("--profile")  # the alternative names them all
        # Rounded up: a ceiling below the price would refuse this very run.
        return line.run(best.description, f"--max-credits {best.credits.to_integral_value(ROUND_CEILING):f}")

    @cached_property
    def _batches_of_more_profiles(self) -> Mapping[str, Batch]:
        """The batch of the same films with one more profile, by its flags; each compiled once, none with errors."""
        ordered = self.planner.settings.profiles
        used = {name for profile in ordered if profile is not None for name in profile.split("+")}
        names = dict.fromkeys(name for storyboard in self.planner.batch.storyboards for name in storyboard.profiles)
        batches = dict[str, Batch]()
        for name in names:
            if name in used:
                continue
            # Over those in use, never in their place: without `pilot`, `draft` is the film of all cities.
            films = [name if profile is None else f"{profile}+{name}" for profile in ordered]
            batch, problems = self.sources.compile(films)
            if not problems.errors:
                batches[" ".join(f"--profile {film}" for film in films)] = batch
        return batches
