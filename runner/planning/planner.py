"""The planner: builds a plan from batch, history and selection, with a reason for every take. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from runner.attempts.attempt import Attempt
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.editions.edition import Price
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import dataclass, field
from runner.planning.attempt_action import action_of_attempt
from runner.planning.change_reason import describe_change, made_elsewhere
from runner.planning.chosen_take import ChosenTakes
from runner.planning.film_attempts import has_clip_in, was_ordered_for
from runner.planning.kept_clips import KeptClips, kept_clips
from runner.planning.orphans import find_orphans
from runner.planning.plan import Action, Keep, Plan, Step
from runner.planning.plan_inputs import NO_OVERRIDES, PlanOverrides, ProviderTerms, RepositoryFiles
from runner.planning.reason import DRAWN_OTHERWISE, NEW, RETAKE, Reason, ReasonCode
from runner.planning.retakes import RetakeOrders
from runner.planning.selection import name_from
from runner.planning.shot_order import upstream_first
from runner.requests.request import (
    JsonValue,
    Material,
    Request,
    ResolvedTake,
    TakeReference,
    fingerprint_fast,
    neutral_form,
)

# One mapping for the takes of all shots that are made from no other.
_NO_UPSTREAM: dict[TakeReference, ResolvedTake] = {}


def build_plan(
    batch: Batch,
    history: History,
    terms: ProviderTerms,
    files: RepositoryFiles,
    *,
    selected: frozenset[ShotKey] | None = None,
    overrides: PlanOverrides = NO_OVERRIDES,
) -> Plan:
    """Build the plan of a run. `selected` has the shots that the user selected; None means every shot."""
    steps, planners = list[Step](), list[_StoryboardPlanner]()
    # Shared by all storyboards: a request that two films have is ordered, and paid, once.
    first_by_fingerprint: dict[str, Step] = {}
    picks, stored_picks = dict[ShotKey, Pick](), dict[ShotKey, Pick]()
    given_up, skipped = list[Shot](), list[Step]()
    films = frozenset(storyboard.film for storyboard in batch.storyboards)
    for storyboard in batch.storyboards:
        planner = _StoryboardPlanner(
            storyboard, history, terms, files, selected, overrides, first_by_fingerprint,
            frozenset(film.storyboard for film in films),
        )  # fmt: skip
        planners.append(planner)
        own_steps = planner.steps()
        steps += own_steps
        picks |= planner.chosen.in_force()
        stored_picks |= planner.chosen.stored_picks()
        given_up += planner.chosen.given_up(own_steps)
        skipped += planner.skipped_steps()

    def wanted() -> set[str | None]:
        # Of all shots, selected or not: what a selection leaves out is still wanted, and no orphan.
        whole = (step for planner in planners for step in planner.all_takes())
        return {step.fingerprint for step in (*steps, *whole)}

    return Plan(
        batch, tuple(steps), terms.account, terms.edition, terms.usd_per_credit, selected, picks, stored_picks,
        tuple(given_up), tuple(skipped), find_orphans(history, terms.account, films, files.is_gone, wanted),
        history.drawing,
    )  # fmt: skip


@dataclass(slots=True)
class _StoryboardPlanner:
    """The planner of one storyboard; `steps_by_take` and `prices` memoise."""

    storyboard: Storyboard
    history: History
    terms: ProviderTerms
    files: RepositoryFiles
    selected: frozenset[ShotKey] | None
    overrides: PlanOverrides
    first_by_fingerprint: dict[str, Step]
    paths: frozenset[str]
    """The paths of the batch's storyboards."""
    free: bool = field(init=False)
    shots: dict[str, Shot] = field(default_factory=dict)
    steps_by_take: dict[tuple[str, int], Step] = field(default_factory=dict)
    prices: dict[object, Price] = field(default_factory=dict)
    kept_clips: KeptClips = field(init=False)
    chosen: ChosenTakes = field(init=False)

    def __post_init__(self) -> None:
        self.free = self.terms.account.free
        self.shots = {shot.id: shot for shot in self.storyboard.shots}
        self.kept_clips = kept_clips(
            self.history, self._is_of_film, self.free, self.files.clip_exists, self.overrides.again or (),
            self.shots.keys(),
        )  # fmt: skip
        self.chosen = ChosenTakes(
            self.shots, self.history, self.free, self.overrides.first_take or self.free, self._take,
            self._fingerprint_at_hand, self._neutral_form, self._is_of_film_or_shared,
        )  # fmt: skip

    def _is_of_film(self, attempt: Attempt) -> bool:
        return was_ordered_for(self.storyboard.film, attempt, self.paths)

    def _is_of_film_or_shared(self, attempt: Attempt) -> bool:
        return self._is_of_film(attempt) or has_clip_in(self.storyboard.film, attempt)

    def steps(self) -> list[Step]:
        # Upstream first: the fingerprint of a take holds those of the takes that it is made from.
        for shot in upstream_first(self.shots):
            for take in range(1, shot.takes + 1):
                self.steps_by_take[shot.id, take] = self._step(shot, take)
        chosen = [shot for shot in self.storyboard.shots if self._is_selected(shot) and not shot.skip]
        if self.overrides.retakes is not None:
            ordered = [shot for shot in chosen if shot.key in self.overrides.retakes]
            return RetakeOrders(self.history, self.free, self._take).of(ordered)
        steps = [step for shot in chosen for step in self._takes(shot)]
        return steps if self.overrides.again is None else [step for step in steps if self._is_named_by_again(step)]

    def skipped_steps(self) -> list[Step]:
        """The takes of skipped shots, as their clips stand."""
        return [step for shot in self.storyboard.shots if shot.skip for step in self._takes(shot)]

    def all_takes(self) -> list[Step]:
        """The takes of all shots, of those too that a selection or an order for some takes leaves out."""
        return [step for shot in self.storyboard.shots if not shot.skip for step in self._takes(shot)]

    def _takes(self, shot: Shot) -> list[Step]:
        """The wanted takes of a shot, and its retakes."""
        wanted = [self.steps_by_take[shot.id, take] for take in range(1, shot.takes + 1)]
        return [*wanted, *self.chosen.retakes(shot)]

    def _is_named_by_again(self, step: Step) -> bool:
        """Whether `--again` names an attempt of the step's take, the current one or an earlier one."""
        again = self.overrides.again or frozenset()
        return any(attempt.id in again for attempt in self.history.attempts_of(step.fingerprint or ""))

    def _is_selected(self, shot: Shot) -> bool:
        return self.selected is None or shot.key in self.selected

    # -- the takes upstream -------------------------------------------------------------------------------

    def _upstream(self, shot: Shot) -> tuple[ResolvedTake, ...] | None:
        """The take that each reference of the shot stands for; None while a pick is missing anywhere upstream."""
        resolved: list[ResolvedTake] = []
        for material in shot.request.from_takes:
            take = self.chosen.of(material)
            fingerprint = None if take is None else self._take(material.shot, take).fingerprint
            if take is None or fingerprint is None:
                return None
            resolved.append(ResolvedTake(material.shot, take, fingerprint))
        return tuple(resolved)

    def _take(self, shot: str, take: int) -> Step:
        """The step of a take, including a picked retake beyond the shot's `takes`."""
        if (shot, take) not in self.steps_by_take:
            self.steps_by_take[shot, take] = self._step(self.shots[shot], take)
        return self.steps_by_take[shot, take]

    def _sources(self, shot: Shot) -> Mapping[TakeReference, ResolvedTake] | None:
        """The take of each reference; None while a pick is missing anywhere upstream."""
        upstream = self._upstream(shot) if shot.request.materials else ()
        if upstream is None:
            return None
        return dict(zip(shot.request.from_takes, upstream, strict=True)) if upstream else _NO_UPSTREAM

    def _fingerprint_at_hand(self, shot: Shot, take: int) -> str | None:
        """The fingerprint of a take's clip, whatever its number; None while a pick is missing upstream."""
        if (step := self.steps_by_take.get((shot.id, take))) is not None:
            return step.fingerprint
        if (sources := self._sources(shot)) is None:
            return None
        wanted = fingerprint_fast(shot.request, take, sources.__getitem__)
        attempt = self._standing(shot, take, wanted, sources)
        return wanted if attempt is None else attempt.intent.fingerprint

    def _standing(
        self, shot: Shot, take: int, wanted: str, sources: Mapping[TakeReference, ResolvedTake]
    ) -> Attempt | None:
        """The attempt whose clip stands for a wanted request: kept by a person, or longer than what is needed."""
        attempt = self.kept_clips.of(wanted)
        if attempt is not None or not shot.duration_follows:
            return attempt
        longest = self.terms.edition.model(shot.request.model).limits.seconds[1]
        return self.kept_clips.longer(shot, take, wanted, sources.__getitem__, longest)

    def _neutral_form(self, shot: Shot, take: int) -> Mapping[str, JsonValue]:
        sources = self._sources(shot)
        return {} if sources is None else neutral_form(shot.request, take, sources.__getitem__)

    # -- the action of a take -----------------------------------------------------------------------------

    def _step(self, shot: Shot, take: int) -> Step:
        request = shot.request
        price = self._price(request)
        upstream = self._upstream(shot) if request.materials else ()
        if upstream is None:
            return self._waits_for_pick(shot, take, price)
        sources = dict(zip(request.from_takes, upstream, strict=True)) if upstream else _NO_UPSTREAM
        fingerprint = fingerprint_fast(request, take, sources.__getitem__)
        if (step := self._kept_step(shot, take, price, fingerprint, upstream)) is not None:
            return step
        # Before the history is asked: two takes of one request must not each find nothing there and be ordered twice.
        if (step := self._duplicate_of(shot, take, price, fingerprint, upstream)) is not None:
            return step
        attempt = self.history.current_attempt(fingerprint)
        action, reason = self._action_for(shot, take, sources, fingerprint, attempt)
        waits_for: Literal["run"] | None = None
        if attempt is not None and attempt.repository is not None and action is Action.RESUME:
            reason = made_elsewhere(attempt, self.files.root)
            # Another repository has paid for it: here the clip costs nothing.
            price = price if self.history.is_own_or_named(attempt) else Price(Decimal(0), price.row)
            action, waits_for = (Action.WAIT, "run") if attempt.held_elsewhere else (action, None)
        attempt_id = attempt.id if attempt else None
        step = Step(shot, take, action, reason, price, fingerprint, upstream, waits_for, attempt=attempt_id)
        # Only what would be ordered: a clip that is made needs no materials any more.
        if action is Action.MAKE and (unpublished := self._unpublished(request)):
            step = step.without_a_way(unpublished)
        elif action is Action.MAKE and upstream:
            step = self._after_upstream(step)
        self._note_first(step)
        return step

    def _unpublished(self, request: Request) -> tuple[Material, ...]:
        """The materials of a request that have no way to the provider, each once."""
        return tuple(dict.fromkeys(material for material in request.materials if not self.terms.can_publish(material)))

    def _note_first(self, step: Step) -> None:
        """Note a wanted take, or one that `--retake` orders: later takes of the same request share its clip."""
        is_ordered = not step.is_retake or self.overrides.retakes is not None
        if is_ordered and not step.shot.skip and self._is_selected(step.shot):
            self.first_by_fingerprint[step.fingerprint or ""] = step

    def _kept_step(
        self, shot: Shot, take: int, price: Price, wanted: str, upstream: tuple[ResolvedTake, ...]
    ) -> Step | None:
        """The step of a take for which a clip of another request stands, by `keep`."""
        sources = dict(zip(shot.request.from_takes, upstream, strict=True)) if upstream else _NO_UPSTREAM
        if (attempt := self._standing(shot, take, wanted, sources)) is None:
            return None
        fingerprint = attempt.intent.fingerprint
        if (step := self._duplicate_of(shot, take, price, fingerprint, upstream)) is None:
            action, reason = self.kept_clips.action(attempt, self._neutral_form(shot, take))
            step = Step(shot, take, action, reason, price, fingerprint, upstream, attempt=attempt.id)
            self._note_first(step)
        return step._replace(keep=Keep(wanted, attempt.intent.request))

    def _price(self, request: Request) -> Price:
        if request.has_video:
            return self.terms.edition.price(request, lambda take: Decimal(self.shots[take.shot].request.seconds))
        # A price depends on these alone where no video is billed: a film has few such combinations, and thousands of
        # takes.
        key = (request.model, request.resolution, request.seconds, request.upscale, bool(request.inputs))
        if (price := self.prices.get(key)) is None:
            price = self.prices[key] = self.terms.edition.price(request)
        return price

    def _waits_for_pick(self, shot: Shot, take: int, price: Price) -> Step:
        roots = dict.fromkeys(root for material in shot.request.from_takes for root in self.chosen.unpicked(material))
        names = ", ".join(roots)
        if unpublished := self._unpublished(shot.request):
            return Step(shot, take, Action.BLOCKED, NEW, price, None).without_a_way(unpublished)
        # No later take can be picked either: waiting for a pick would be waiting for ever.
        if blocked := [root for root in roots if not self._may_have_clip(self.shots[root])]:
            reason = Reason(ReasonCode.UPSTREAM_BLOCKED, f"{blocked[0]} has no take to pick")
            return Step(shot, take, Action.BLOCKED, reason, price, None, blockers=tuple(blocked))
        if self.chosen.first_take:
            reason = Reason(ReasonCode.WAITS_FOR_SHOT, f"for the takes of {names}")
            return Step(shot, take, Action.WAIT, reason, price, None, waits_for="shot", blockers=tuple(roots))
        lost = [why for root in roots if (why := self.chosen.why_pick_again(self.shots[root])) is not None]
        text = f"pick again: {'; '.join(lost)}" if lost else f"pick a take of {names}"
        reason = Reason(ReasonCode.WAITS_FOR_PICK, text)
        return Step(shot, take, Action.WAIT, reason, price, None, waits_for="pick", blockers=tuple(roots))

    def _may_have_clip(self, shot: Shot) -> bool:
        steps = [self.steps_by_take[shot.id, take] for take in range(1, shot.takes + 1)]
        is_planned = self._is_selected(shot) and not shot.skip
        return any(
            step.action in (Action.KEEP, Action.RESUME) or (step.action.is_pending and is_planned) for step in steps
        )

    def _duplicate_of(
        self, shot: Shot, take: int, price: Price, fingerprint: str, upstream: tuple[ResolvedTake, ...]
    ) -> Step | None:
        first = self.first_by_fingerprint.get(fingerprint)
        if first is None or first.key == (*shot.key, take):
            return None
        name = name_from(first.shot, shot)
        text = f"the same request as {name}: one clip serves both, paid once"
        # It shares the fate of the first: its task makes the clip for both.
        action = Action.WAIT if first.action is Action.MAKE else first.action
        reason = Reason(ReasonCode.WAITS_FOR_SHOT, text) if action.is_billable else first.reason
        return Step(
            shot, take, action, reason, price, fingerprint, upstream,
            waits_for=(first.waits_for or "shot") if action is Action.WAIT else None,
            blockers=(first.shot.id,) if action is Action.WAIT else first.blockers,
            attempt=first.attempt, duplicate_of=name, unpublished=first.unpublished,
        )  # fmt: skip

    def _after_upstream(self, step: Step) -> Step:
        """The step of a take to make, by its upstream takes: make, wait for their clips, or blocked."""
        upstream_steps = [self._take(up.shot, up.take) for up in step.upstream]
        missing = [other for other in upstream_steps if not self._has_clip(other)]
        if not missing:
            return step
        # One that never comes blocks, whatever the others do.
        unavailable = [other for other in missing if not self._will_have_clip(other)]
        action, shots_above = (Action.BLOCKED, unavailable) if unavailable else (Action.WAIT, missing)
        blockers = tuple(dict.fromkeys(other.shot.id for other in shots_above))
        reason = (
            Reason(ReasonCode.UPSTREAM_BLOCKED, self._blocked_by(unavailable[0]))
            if unavailable
            else Reason(ReasonCode.WAITS_FOR_SHOT, f"for {', '.join(blockers)}, which a run makes first")
        )
        return Step(
            step.shot, step.take, action, reason, step.price, step.fingerprint, step.upstream,
            waits_for=None if unavailable else "shot", blockers=blockers,
        )  # fmt: skip

    def _has_clip(self, step: Step) -> bool:
        return step.action is Action.KEEP

    def _will_have_clip(self, step: Step) -> bool:
        if step.action is Action.RESUME:
            return True
        # A flag that leaves the upstream take out of this run leaves its clip out as well.
        is_planned = step.take <= step.shot.takes and not step.shot.skip and self._excluded_by(step) is None
        return step.action.is_pending and is_planned and self._is_selected(step.shot)

    def _excluded_by(self, step: Step) -> str | None:
        """The flag that restricts the run to takes it names, and not to this one; None when no flag excludes it."""
        if self.overrides.retakes is not None:
            return "--retake"
        return "--again" if self.overrides.again is not None and not self._is_named_by_again(step) else None

    def _blocked_by(self, step: Step) -> str:
        shot = step.shot.id
        if step.shot.skip:
            return f"{shot} is skipped, and has no clip"
        if step.action.is_pending and not self._is_selected(step.shot):
            return f"{shot} is not selected, and has no clip"
        if step.action.is_pending and (flag := self._excluded_by(step)) is not None:
            return f"{shot} has no clip, and {flag} makes only the takes it names"
        if step.action is Action.GONE:
            take = f" take {step.take}" if step.shot.takes > 1 or step.is_retake else ""
            return f"{shot}{take} is gone: fetch it on a machine that has it, pick another take, or --again {shot}"
        return f"{shot} is {step.action}"

    def _action_for(
        self,
        shot: Shot,
        take: int,
        sources: Mapping[TakeReference, ResolvedTake],
        fingerprint: str,
        attempt: Attempt | None,
    ) -> tuple[Action, Reason]:
        if attempt is None:
            return Action.MAKE, self._change_reason(shot, take, sources, fingerprint)
        action = action_of_attempt(attempt, self.free, self.files.clip_exists, self.overrides.again or frozenset())
        return action or (Action.MAKE, self._change_reason(shot, take, sources, fingerprint))

    def _change_reason(
        self, shot: Shot, take: int, sources: Mapping[TakeReference, ResolvedTake], fingerprint: str
    ) -> Reason:
        if self.history.has_other_drawing(fingerprint):
            return DRAWN_OTHERWISE
        previous = self.history.previous(shot.film, shot.id, take)
        if (
            previous is None
            or previous.intent.fingerprint == fingerprint
            # Nothing of it was ever seen, not even that it failed: to the user the take is new, not changed.
            or (not previous.state.is_open and previous.clip is None and not previous.state.has_failed)
        ):
            return NEW if take <= shot.takes else RETAKE
        now = neutral_form(shot.request, take, sources.__getitem__)
        return describe_change(previous.intent.request, now, shot.duration_follows)
