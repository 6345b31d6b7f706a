"""The plan of a batch: what a run would do for its takes with a command's settings, at its provider, on this disk."""

import os
from functools import cached_property

from runner.app.clips_on_disk import clips_on_disk
from runner.app.material_routes import routes_of
from runner.attempts.history import History
from runner.editions.edition import Edition
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.planning.material_routes import Routes
from runner.planning.plan import CanPublish, Plan, every_material
from runner.planning.plan_inputs import WHOLE_BATCH, PlanScope, ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.settings.settings import Settings


@dataclass(frozen=True)
class BatchPlanner:
    """The settings, the edition and the batch that every plan of a command is made with."""

    settings: Settings
    edition: Edition
    batch: Batch
    has_errors: bool = False
    """Whether storyboards have errors, so that shots of theirs are missing in the batch."""

    @cached_property
    def routes(self) -> Routes | None:
        """The ways of the batch's materials; None for the free sandbox."""
        return routes_of(self.settings, self.edition, self.batch)

    def plan(
        self,
        history: History,
        scope: PlanScope = WHOLE_BATCH,
        batch: Batch | None = None,
    ) -> Plan:
        """The plan of a run, of this batch or of another one."""
        settings, first = self.settings, scope.overrides.first
        # A plan may ask for attempts of the ledger that the history does not hold yet; each is loaded once.
        while True:
            plan = build_plan(
                batch or self.batch,
                history,
                ProviderTerms(settings.account, self.edition, settings.usd_per_credit, self._can_publish(batch)),
                RepositoryFiles(clips_on_disk(history, settings.root), str(settings.root), self.is_gone),
                selected=scope.selected,
                overrides=scope.overrides,
            )
            if not history.load_pending():
                # The whole plan first: picks, prices and orphans are those of all takes, whatever is ordered now.
                return plan if first is None else plan.ordering_only(first)

    def _can_publish(self, batch: Batch | None) -> CanPublish:
        # Another profile or commit has other materials.
        routes = self.routes if batch is None else routes_of(self.settings, self.edition, batch)
        return every_material if routes is None else routes.can_take

    def is_gone(self, storyboard: str) -> bool:
        """Whether a storyboard's file is gone; a broken link counts as a file."""
        return bool(storyboard) and not os.path.lexists(self.settings.root / storyboard)
