"""The plan as a value: for every take an action, a reason and a price."""

from collections.abc import Callable, Collection, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Literal, NamedTuple

from runner.attempts.events import Account
from runner.attempts.film import FilmName, ShotKey, TakeKey
from runner.attempts.pick import Pick
from runner.editions.edition import Edition, Price
from runner.language.edit import CutEntry
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import dataclass, field, replace
from runner.planning.orphans import Orphan
from runner.planning.reason import Reason, ReasonCode
from runner.requests.request import (
    JsonValue,
    LocalFile,
    Material,
    RemoteFile,
    Request,
    ResolvedTake,
    TakeReference,
    neutral_form,
)


class Action(StrEnum):
    """The action of a run on a take; plan, status and `state:` use the same words."""

    MAKE = "make"
    WAIT = "wait"
    RESUME = "resume"
    KEEP = "keep"
    UNSETTLED = "unsettled"
    REFUSED = "refused"
    BLOCKED = "blocked"
    DOUBTFUL = "doubtful"
    GONE = "gone"

    @cached_property
    def is_billable(self) -> bool:
        """Whether a run pays for the take; a take that waits for a pick is paid by a later run."""
        return self in (Action.MAKE, Action.WAIT)

    @cached_property
    def is_pending(self) -> bool:
        """Whether the take may end with a clip."""
        return self.is_billable or self is Action.RESUME

    @cached_property
    def has_attempt(self) -> bool:
        """Whether a paid attempt stands for the take as it is wanted: a retake is listed beside the wanted takes."""
        return self in (Action.KEEP, Action.RESUME, Action.UNSETTLED, Action.DOUBTFUL)

    @cached_property
    def is_problem(self) -> bool:
        """Whether no run makes the take before somebody has done something about it."""
        return self in (Action.UNSETTLED, Action.REFUSED, Action.BLOCKED, Action.DOUBTFUL, Action.GONE)

    @cached_property
    def needs_engine(self) -> bool:
        """Whether a run has something to do, or to look up, for the take."""
        return self not in (Action.KEEP, Action.BLOCKED, Action.REFUSED, Action.DOUBTFUL)


CanPublish = Callable[[Material], bool]
"""Whether a material has a way to the provider."""


def every_material(material: Material) -> bool:
    """The rule of a provider that every material reaches, such as the sandbox."""
    return True


def material_name(material: Material) -> str:
    """A material as a person calls it: its path, its address, or `the last frame of quay`."""
    match material:
        case LocalFile():
            return material.name
        case RemoteFile(url=url):
            return url
        case TakeReference(shot=shot, part=part):
            return f"the {part.replace('_', ' ')} of {shot}"


class Keep(NamedTuple):
    """A person's statement that a clip of an earlier request stands for a take, by `storyboard keep`."""

    wanted: str
    """The fingerprint of the request that the storyboard asks for now."""
    request: Mapping[str, JsonValue]
    """The request that the clip was ordered with, in its neutral form."""


class Step(NamedTuple):
    """The planned action for one take, with the reason given where the action was chosen."""

    shot: Shot
    take: int
    action: Action
    reason: Reason
    price: Price
    fingerprint: str | None
    """None while a pick upstream is missing, which decides the materials; of a kept clip its own."""
    upstream: tuple[ResolvedTake, ...] = ()
    """The take for each of the request's `from_takes`, in order; empty while undecided."""
    waits_for: Literal["shot", "pick", "run"] | None = None
    """A run: that of another repository, which has ordered the same request and still works."""
    blockers: tuple[str, ...] = ()
    """Shots that the take waits for, or that block it."""
    attempt: str | None = None
    """Id of the take's current attempt."""
    duplicate_of: str | None = None
    """Label of the shot whose take has the same request: one clip serves both, paid once."""
    unpublished: tuple[Material, ...] = ()
    """The materials that have no way to the provider, and block the take."""
    keep: Keep | None = None
    """Set while a clip of an earlier request stands for this take."""

    @property
    def is_retake(self) -> bool:
        """Whether the take is beyond the number that the storyboard asks for."""
        return self.take > self.shot.takes

    @property
    def ordered_request(self) -> Request:
        """The request that the clip is measured by: as it was ordered, of a kept clip that of then."""
        request = self.shot.request
        if self.keep is None:
            return request
        form = self.keep.request
        seconds, resolution, ratio, upscale = map(form.get, ("seconds", "resolution", "aspect_ratio", "upscale"))
        return request._replace(
            seconds=seconds if isinstance(seconds, int) else request.seconds,
            resolution=resolution if isinstance(resolution, str) else request.resolution,
            # These two are left out of a request that has none, and the present ones are not those of the clip.
            aspect_ratio=ratio if isinstance(ratio, str) else None,
            upscale=upscale if isinstance(upscale, str) else None,
        )

    @property
    def key(self) -> TakeKey:
        return (*self.shot.key, self.take)

    @property
    def may_order(self) -> bool:
        """Whether this run may order the take's request, in this take's name or another's."""
        return self.action.is_billable and self.waits_for in (None, "shot")

    @property
    def is_billable(self) -> bool:
        """Whether this run orders the take anew."""
        return self.may_order and self.duplicate_of is None

    @property
    def needs_pick(self) -> bool:
        """Whether the take is ordered only after a pick upstream."""
        return self.waits_for == "pick" and self.duplicate_of is None

    def without_a_way(self, materials: tuple[Material, ...]) -> "Step":
        """The step, blocked because these materials have no way to the provider."""
        more = f" and {len(materials) - 1} more have" if len(materials) > 1 else " has"
        reason = Reason(ReasonCode.MATERIAL_BLOCKED, f"{material_name(materials[0])}{more} no public address")
        return self._replace(action=Action.BLOCKED, reason=reason, unpublished=materials)

    def resolve(self, material: TakeReference) -> ResolvedTake:
        """The take that a material of this step is made from."""
        return dict(zip(self.shot.request.from_takes, self.upstream, strict=True))[material]

    def neutral_request(self) -> dict[str, JsonValue]:
        """The neutral form of the request, which the fingerprint hashes."""
        if self.keep is not None:
            return dict(self.keep.request)
        return neutral_form(self.shot.request, self.take, self.resolve)


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of shots, takes and actions; seconds and credits of this run's new orders."""

    shots: int
    takes: int
    actions: dict[Action, int]
    seconds: int
    credits: Decimal | None
    later_takes: int
    later_seconds: int
    later_credits: Decimal | None
    blocked_credits: Decimal | None
    """Price of the takes that are blocked, which stands in no other sum."""


@dataclass(frozen=True)
class Plan:
    """All steps of a batch, in the files' order."""

    batch: Batch
    steps: tuple[Step, ...]
    account: Account
    edition: Edition
    usd_per_credit: Decimal
    selected: frozenset[ShotKey] | None = None
    """Keys of the shots that `--select` and `--exclude` leave; None means all shots."""
    picks: Mapping[ShotKey, Pick] = field(default_factory=dict)
    """The picks that count, by the present names of their shots."""
    stored_picks: Mapping[ShotKey, Pick] = field(default_factory=dict)
    """All picks, those that wait for their old request included, as the manifests are to hold them."""
    given_up: tuple[Shot, ...] = ()
    """Picked shots that this plan makes anew, because their request changed since."""
    skipped_steps: tuple[Step, ...] = ()
    """The takes of skipped shots: no run makes them, and the clips that exist are part of the film."""
    orphans: tuple[Orphan, ...] = ()
    """Paid attempts that none of these takes, and no take left out by a selection, asks for any more."""
    drawing: int | None = None
    """The version of the drawing that a free run draws with."""

    @property
    def is_free(self) -> bool:
        """Whether the credits are play money."""
        return self.account.free

    @property
    def has_orders(self) -> bool:
        """Whether a run would make clips, now or after a pick."""
        return any(step.is_billable or step.needs_pick for step in self.steps)

    def usd(self, credits: Decimal | None) -> Decimal | None:
        """Exact dollars for credits."""
        return None if credits is None else credits * self.usd_per_credit

    @cached_property
    def totals(self) -> Totals:
        return totals(self.steps, shots=sum(1 for _ in self.shots))

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """The selected shots in the files' order, including skipped shots."""
        chosen = self.selected
        return tuple(shot for shot in self.batch.shots if chosen is None or shot.key in chosen)

    @cached_property
    def shots_by_scene(self) -> dict[tuple[FilmName, str], list[Shot]]:
        """The shots of each scene of each film, in the file's order."""
        scenes: dict[tuple[FilmName, str], list[Shot]] = {}
        for shot in self.batch.shots:
            if shot.scene is not None:
                scenes.setdefault((shot.film, shot.scene), []).append(shot)
        return scenes

    @cached_property
    def _by_shot(self) -> dict[ShotKey, list[Step]]:
        steps_by_shot: dict[ShotKey, list[Step]] = {}
        for step in self.steps:
            steps_by_shot.setdefault(step.shot.key, []).append(step)
        return steps_by_shot

    def is_picked(self, step: Step) -> bool:
        """Whether a take is the picked take of its shot."""
        pick = self.picks.get(step.shot.key) if self.picks else None
        return pick is not None and pick.take == step.take

    def film_seconds(self, shot: Shot, entry: CutEntry | None = None) -> Decimal:
        """Seconds of a shot in the film, or in one entry of the cut; a kept clip has the length of its own order."""
        steps = self.steps_of(shot.key)
        # The film shows the pick; before there is one, its first take stands for all.
        chosen = next(filter(self.is_picked, steps), next(iter(steps), None))
        return shot.on_screen(entry, chosen.ordered_request.seconds if chosen is not None else None)

    def film_length(self, storyboard: Storyboard, shots: Collection[ShotKey] | None = None) -> Decimal:
        """Seconds of the whole film, or of what some shots show of it: by its cut, else every shot once."""
        if storyboard.cut is None:
            counted = (shot for shot in storyboard.shots if not shot.skip and (shots is None or shot.key in shots))
            return sum(map(self.film_seconds, counted), Decimal(0))
        by_id = {shot.id: shot for shot in storyboard.shots}
        length = Decimal(0)
        for entry in storyboard.cut:
            shot = by_id[entry.text] if entry.kind == "shot" else None
            if shots is not None and (shot is None or shot.key not in shots):
                continue
            length += self.film_seconds(shot, entry) if shot is not None else entry.seconds or Decimal(0)
        return length

    def film_so_far(self, storyboard: Storyboard, finished: Collection[ShotKey]) -> Decimal:
        """Seconds of the film that wait for no clip: slates and finished clips of elsewhere included."""
        missing = {shot.key for shot in storyboard.shots if shot.key not in finished and not shot.skip}
        return self.film_length(storyboard) - self.film_length(storyboard, missing)

    def first_orders(self, number: int) -> frozenset[TakeKey]:
        """Keys of the first takes of the film, at most `number`, that can be ordered at once, or after others."""
        orders = [step for step in self.steps if step.is_billable]
        # A take that waits for another one would show nothing before that is made.
        ready = [step for step in orders if step.action is Action.MAKE]
        return frozenset(step.key for step in (ready or orders)[:number])

    def ordering_only(self, takes: Collection[TakeKey]) -> "Plan":
        """The plan without the orders of all other takes; what runs or is made stays."""
        steps = (step for step in self.steps if not (step.may_order or step.needs_pick) or step.key in takes)
        return replace(self, steps=tuple(steps))

    def takes_of(self, shot: Shot) -> list[Step]:
        """The takes of a shot, also of a skipped one, whose clips are part of the film."""
        key = shot.key
        return self.steps_of(key) or [step for step in self.skipped_steps if step.key[:2] == key]

    def steps_for(self, storyboard: Storyboard) -> tuple[Step, ...]:
        film = storyboard.film
        return tuple(step for step in self.steps if step.shot.is_of(film))

    def steps_of(self, shot: ShotKey) -> list[Step]:
        """The steps of one shot's takes."""
        return self._by_shot.get(shot, [])


def totals(steps: Collection[Step], shots: int) -> Totals:
    """The totals of some steps; one unknown price makes the credits unknown."""
    counts = dict.fromkeys(Action, 0)
    for step in steps:
        counts[step.action] += 1
    now = [step for step in steps if step.is_billable]
    later = [step for step in steps if step.needs_pick]
    return Totals(
        shots=shots,
        takes=len(steps),
        actions=counts,
        seconds=sum(step.shot.request.seconds for step in now),
        credits=price_of(now),
        later_takes=len(later),
        later_seconds=sum(step.shot.request.seconds for step in later),
        later_credits=price_of(later),
        blocked_credits=price_of(
            [step for step in steps if step.action is Action.BLOCKED and step.duplicate_of is None]
        ),
    )


def price_of(steps: Iterable[Step]) -> Decimal | None:
    """Sum of the prices, whatever the action; None when a price is unknown."""
    total = Decimal(0)
    for step in steps:
        # An unknown price makes the sum unknown: a sum of the rest would read as the whole.
        if step.price.credits is None:
            return None
        total += step.price.credits
    return total
