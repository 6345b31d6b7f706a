"""The context of a plan's screen: warnings, cheaper alternatives, the commands to type next."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal

from runner.animatic.cores import usable_cores
from runner.app.batch_planner import BatchPlanner
from runner.app.cheaper_orders import CheaperOrders
from runner.app.credit_scope import CreditScope
from runner.app.destinations import destinations
from runner.app.selection import Selection
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.diagnostics.problem import Place, Problem
from runner.editions.edition import Edition
from runner.language.model import Batch, Storyboard
from runner.lazy_dataclass import dataclass, replace
from runner.planning.material_routes import Routes
from runner.planning.outgoing import OutgoingMaterial, outgoing_materials, sent_contents
from runner.planning.plan import Action, Plan, Step, material_name
from runner.planning.plan_inputs import PlanScope
from runner.planning.run_time import estimated_seconds
from runner.planning.selection import shot_selector
from runner.requests.decimals import decimal_text
from runner.requests.request import JsonValue, LocalFile
from runner.settings.settings import Settings
from runner.show.screens.blocked import WaysOn
from runner.show.screens.missing_clips import find_missing_clips
from runner.show.screens.plan import Destination, PlanContext
from runner.show.text.command_line import CommandLine
from runner.show.text.layout import from_manifests
from runner.store.git import Repository

# Durations come in steps of seconds, so that a film is hardly ever as long as it should be.
_LENGTH_TOLERANCE = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class PlanReporter:
    """The sources of what a plan's screen and its document say beside the plan."""

    planner: BatchPlanner
    credit_scope: CreditScope
    repository: Repository
    command_line: CommandLine
    selection: Selection
    cheaper: CheaperOrders
    storyboard_warnings: tuple[Problem, ...]

    @property
    def settings(self) -> Settings:
        return self.planner.settings

    @property
    def edition(self) -> Edition:
        return self.planner.edition

    @property
    def routes(self) -> Routes | None:
        """The ways of the batch's materials; None for the free sandbox."""
        return self.planner.routes

    def encoder(self) -> Callable[[Step], Mapping[str, JsonValue]]:
        """The encoder of a step's request as it would be sent."""
        from runner.providers.api import provider_api  # what a plan's screen does without
        from runner.requests.placeholder import placeholder

        encode = provider_api(self.settings.provider).encoder(self.edition, placeholder)
        return lambda step: encode(step.shot.request)

    def context(self, plan: Plan, history: History, below: Decimal | None = None) -> PlanContext:
        """The values on the plan's screen; with `below`, the alternatives of at most so many credits."""
        settings = self.settings
        return PlanContext(
            command_line=self.command_line,
            warnings=self.warnings(plan),
            cheaper=() if plan.is_free else self.cheaper.find(plan, history, below),
            outgoing=self.outgoing(plan, history),
            destinations=self.destinations(history),
            manifest_note=from_manifests(plan, history),
            expected_seconds=estimated_seconds(plan, settings.concurrency, usable_cores()),
            concurrency=settings.concurrency,
            sums=self.credit_scope.sums_by_storyboard(history),
            ways_on=self._ways_on(plan, history),
            missing_clips=find_missing_clips(plan.steps, history),
        )

    def warnings(self, plan: Plan) -> list[Problem]:
        """The warnings of the storyboards, then those of the plan."""
        problems = list(self.storyboard_warnings)
        for storyboard in plan.batch.storyboards:
            problems += (problem for problem in _length_warning(storyboard, plan) if problem not in problems)
        return problems

    def outgoing(self, plan: Plan, history: History) -> tuple[OutgoingMaterial, ...]:
        """The materials that a run of the plan would send."""
        return outgoing_materials(plan, self.routes, sent_contents(history))

    def destinations(self, history: History) -> tuple[Destination, ...]:
        """The destinations of what a run would send."""
        return destinations(self.settings, self.planner.batch, self.routes, self.repository, history)

    def _ways_on(self, plan: Plan, history: History) -> WaysOn:
        """The commands that help where takes are blocked: the sandbox, and the selection with its upstream shots."""
        if not any(step.action is Action.BLOCKED for step in plan.steps):
            return WaysOn()
        alone = ways_without_address(self.routes, self.command_line, plan)
        blocked = {step.shot.key for step in plan.steps if _needs_selection(step, plan)}
        flags, batch = self.selection.flags, self.planner.batch
        if not blocked or not flags.select:
            return alone
        expression = " ".join([*flags.select, _selector(batch, _made_from(batch, blocked))])
        selected = self.selection.shots([expression], flags.exclude, history)
        wider = self.planner.plan(history, PlanScope(selected))
        if any(_needs_selection(step, wider) for step in wider.steps):
            return alone  # --exclude leaves out what they are made from
        wider_line = self.command_line.without_extra_orders().with_selection(expression)
        return replace(alone, wider_selection=wider_line.plan(), wider_credits=wider.totals.credits)


def ways_without_address(routes: Routes | None, command_line: CommandLine, plan: Plan) -> WaysOn:
    """The ways on where materials have none: the sandbox, which needs no public address, and why git has none."""
    sandbox = command_line.without_extra_orders().with_provider("sandbox").run()
    in_git = (routes.at_hand.git if routes else None) or {}
    files = (item for step in plan.steps for item in step.unpublished if isinstance(item, LocalFile))
    reasons = {material_name(file): in_git.get(file.path) for file in files}
    return WaysOn(sandbox, not_git=tuple((name, text) for name, text in reasons.items() if isinstance(text, str)))


def _length_warning(storyboard: Storyboard, plan: Plan) -> Iterator[Problem]:
    if storyboard.length is None:
        return
    film = plan.film_length(storyboard)
    subject, cause = "the shots are", "the shots' `duration`"
    if storyboard.cut is not None:
        subject, cause = "the shots of the cut are", "the cut"
    if abs(film - storyboard.length) > storyboard.length * _LENGTH_TOLERANCE:
        yield Problem(
            "film-length",
            storyboard.length_place or Place(storyboard.path, 1, 1, "length"),
            f"{subject} {decimal_text(film)} s long together; `length` says {storyboard.length} s",
            f"change `length`, or {cause}",
            "warning",
        )


def _made_from(batch: Batch, shots: Collection[ShotKey]) -> set[ShotKey]:
    """The shots that these are made from, directly or not."""
    needs = {shot.key: shot.needs for shot in batch.shots}
    above, pending = set[ShotKey](), list(shots)
    while pending:
        film, shot = pending.pop()
        pending += [key for name in needs[film, shot] if (key := (film, name)) not in above]
        above.update((film, name) for name in needs[film, shot])
    return above


def _needs_selection(step: Step, plan: Plan) -> bool:
    """Whether a take is blocked by a shot that is not selected."""
    chosen = plan.selected or frozenset()
    return step.action is Action.BLOCKED and any((step.shot.film, name) not in chosen for name in step.blockers)


def _selector(batch: Batch, names: Collection[ShotKey]) -> str:
    """Shots as an expression of `--select`, in file order; with the storyboard where an id is not unique."""
    ids = Counter(shot.id for shot in batch.shots)
    shots = [shot for shot in batch.shots if shot.key in names]
    return " ".join(shot_selector(shot.key, with_storyboard=ids[shot.id] > 1) for shot in shots)
