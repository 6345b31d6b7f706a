"""A plan as a value: for every take what a run would do, why, and for how much."""

from collections.abc import Collection
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Literal, NamedTuple

from runner.attempts.events import Account
from runner.editions.edition import Edition, Price
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import dataclass, field
from runner.planning.selection import ShotKey
from runner.requests.request import JsonValue, ResolvedTake, TakeReference, neutral_form


class Action(StrEnum):
    """What stands with a take; the same words in plan, status and `state:`."""

    MAKE = "make"
    WAIT = "wait"
    RESUME = "resume"
    KEEP = "keep"
    UNSETTLED = "unsettled"
    REFUSED = "refused"
    BLOCKED = "blocked"
    GONE = "gone"


BILLABLE = frozenset({Action.MAKE, Action.WAIT})
"""Actions that a run would newly pay for; a wait for a pick only later."""
PENDING = frozenset({Action.MAKE, Action.RESUME, Action.WAIT})
"""Actions after which there may be a clip."""


class Step(NamedTuple):
    """What to do about one take; the reason was written where the action was chosen."""

    shot: Shot
    take: int
    action: Action
    reason: str
    price: Price
    fingerprint: str | None
    """None while a pick upstream has still to decide what it is made of."""
    upstream: tuple[ResolvedTake, ...] = ()
    """What each of the request's `from_takes` stands for, in their order; empty while undecided."""
    waits_for: Literal["shot", "pick"] | None = None
    blockers: tuple[str, ...] = ()
    """Shots that it waits for or that block it."""
    attempt: str | None = None
    """The attempt by which it stands."""
    duplicate_of: str | None = None
    """The shot whose take has the same request: one clip serves both, and it is paid once."""

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.shot.storyboard, self.shot.id, self.take)

    @property
    def is_billable(self) -> bool:
        """Whether this run would newly order it."""
        return self.action in BILLABLE and self.waits_for != "pick" and self.duplicate_of is None

    @property
    def needs_pick(self) -> bool:
        """Whether it is ordered once a take upstream has been picked."""
        return self.waits_for == "pick" and self.duplicate_of is None

    def resolve(self, material: TakeReference) -> ResolvedTake:
        """The take that a material of this step is made from."""
        return dict(zip(self.shot.request.from_takes, self.upstream, strict=True))[material]

    def neutral_request(self) -> dict[str, JsonValue]:
        """The neutral form that the fingerprint is taken of."""
        return neutral_form(self.shot.request, self.take, self.resolve)


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of shots, takes and actions; seconds and credits of what this run would newly order."""

    shots: int
    takes: int
    actions: dict[Action, int]
    seconds: int
    credits: Decimal | None
    later_takes: int
    later_seconds: int
    later_credits: Decimal | None


@dataclass(frozen=True)
class Plan:
    """All steps of a batch, in the files' order."""

    batch: Batch
    steps: tuple[Step, ...]
    account: Account
    edition: Edition
    usd_per_credit: Decimal
    profile: str | None = None
    selected: frozenset[ShotKey] | None = None
    """(storyboard, shot) of what `--select` left; None is everything."""
    by_fingerprint: dict[str, Step] = field(default_factory=dict)

    @property
    def is_free(self) -> bool:
        """Whether the credits are play money."""
        return self.account.free

    def usd(self, credits: Decimal | None) -> Decimal | None:
        """Dollars for credits, exact."""
        return None if credits is None else credits * self.usd_per_credit

    @cached_property
    def totals(self) -> Totals:
        return totals(self.steps, shots=sum(1 for _ in self.shots))

    @cached_property
    def shots(self) -> tuple[Shot, ...]:
        """The selected shots, in the files' order; skipped ones too."""
        chosen = self.selected
        return tuple(shot for shot in self.batch.shots if chosen is None or (shot.storyboard, shot.id) in chosen)

    @cached_property
    def _by_shot(self) -> dict[tuple[str, str], list[Step]]:
        steps_by_shot: dict[tuple[str, str], list[Step]] = {}
        for step in self.steps:
            steps_by_shot.setdefault((step.shot.storyboard, step.shot.id), []).append(step)
        return steps_by_shot

    def steps_for(self, storyboard: Storyboard) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.shot.storyboard == storyboard.path)

    def steps_of(self, storyboard: str, shot: str) -> list[Step]:
        """The steps of one shot's takes."""
        return self._by_shot.get((storyboard, shot), [])


def totals(steps: Collection[Step], shots: int) -> Totals:
    """The sums over some steps; an unknown price makes the sum unknown."""
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
        credits=_sum(now),
        later_takes=len(later),
        later_seconds=sum(step.shot.request.seconds for step in later),
        later_credits=_sum(later),
    )


def _sum(steps: Collection[Step]) -> Decimal | None:
    total = Decimal(0)
    for step in steps:
        if step.price.credits is None:
            return None
        total += step.price.credits
    return total
