"""For every take what a run would do, and why. Pure: (batch, history, selection) to steps."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from runner.edition.edition import Price
from runner.language.board import Batch, Shot
from runner.request import FromTake, Plain, Upstream, neutral


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


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about one take; the reason was written where the action was chosen."""

    shot: Shot
    take: int
    action: Action
    reason: str
    price: Price
    fingerprint: str | None
    """None while a pick upstream has still to decide what it is made of."""
    upstream: tuple[Upstream, ...] = ()
    """What each of the request's `from_takes` stands for, in their order; empty while undecided."""
    waits_for: Literal["shot", "pick"] | None = None
    blockers: tuple[str, ...] = ()
    """Shots that it waits for or that block it."""
    attempt: str | None = None
    """The attempt by which it stands."""

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.shot.storyboard, self.shot.id, self.take)

    def resolve(self, material: FromTake) -> Upstream:
        """The take that a material of this step is made from."""
        return dict(zip(self.shot.request.from_takes, self.upstream, strict=True))[material]

    def form(self) -> dict[str, Plain]:
        """The neutral form that the fingerprint is taken of."""
        return neutral(self.shot.request, self.take, self.resolve)


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a batch, in the files' order."""

    batch: Batch
    steps: tuple[Step, ...]
