"""For every take what a run would do, and why. Pure: (batch, history, selection) to steps."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Literal

from runner.edition.edition import Edition, Price
from runner.history import OPEN, Account, Attempt, Clip, History, State
from runner.language.board import Batch, Shot, Storyboard
from runner.reasons import changed
from runner.request import FromTake, Plain, Upstream, fingerprint, neutral


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


ORDERED = frozenset({Action.MAKE, Action.WAIT})
"""Actions that a run would newly pay for; a wait for a pick only later."""
_COMING = frozenset({Action.MAKE, Action.RESUME, Action.WAIT})


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
    shares: str | None = None
    """The shot whose take has the same request: one clip serves both, and it is paid once."""

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.shot.storyboard, self.shot.id, self.take)

    @property
    def orders(self) -> bool:
        """Whether this run would newly order it."""
        return self.action in ORDERED and self.waits_for != "pick" and self.shares is None

    @property
    def later(self) -> bool:
        """Whether it is ordered once a take upstream has been picked."""
        return self.waits_for == "pick" and self.shares is None

    def resolve(self, material: FromTake) -> Upstream:
        """The take that a material of this step is made from."""
        return dict(zip(self.shot.request.from_takes, self.upstream, strict=True))[material]

    def form(self) -> dict[str, Plain]:
        """The neutral form that the fingerprint is taken of."""
        return neutral(self.shot.request, self.take, self.resolve)


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
    selected: frozenset[tuple[str, str]] | None = None
    """(storyboard, shot) of what `--select` left; None is everything."""
    by_fingerprint: dict[str, Step] = field(default_factory=dict)

    @property
    def play(self) -> bool:
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
        found: dict[tuple[str, str], list[Step]] = {}
        for step in self.steps:
            found.setdefault((step.shot.storyboard, step.shot.id), []).append(step)
        return found

    def of(self, storyboard: Storyboard) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.shot.storyboard == storyboard.path)

    def steps_of(self, storyboard: str, shot: str) -> list[Step]:
        """The steps of one shot's takes."""
        return self._by_shot.get((storyboard, shot), [])


def totals(steps: Collection[Step], shots: int) -> Totals:
    """The sums over some steps; an unknown price makes the sum unknown."""
    counts = dict.fromkeys(Action, 0)
    for step in steps:
        counts[step.action] += 1
    now = [step for step in steps if step.orders]
    later = [step for step in steps if step.later]
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


OnDisk = Callable[[Clip], bool]


def decide(
    batch: Batch,
    history: History,
    *,
    account: Account,
    edition: Edition,
    usd_per_credit: Decimal,
    on_disk: OnDisk,
    profile: str | None = None,
    selected: frozenset[tuple[str, str]] | None = None,
    first_take: bool = False,
) -> Plan:
    """What a run would do. `on_disk` says whether a clip's file is there; `first_take` needs no pick to go on."""
    steps: list[Step] = []
    first_of: dict[str, Step] = {}
    for storyboard in batch.storyboards:
        desk = _Desk(
            storyboard, history, account.free, first_take or account.free, edition, on_disk, profile, selected, first_of
        )
        steps += desk.steps()
    return Plan(batch, tuple(steps), account, edition, usd_per_credit, profile, selected, first_of)


@dataclass(slots=True)
class _Desk:
    """One storyboard while it is decided; `known` and `made_of` remember what was worked out."""

    storyboard: Storyboard
    history: History
    free: bool
    first_take: bool
    edition: Edition
    on_disk: OnDisk
    profile: str | None
    selected: frozenset[tuple[str, str]] | None
    first_of: dict[str, Step]
    shots: dict[str, Shot] = field(default_factory=dict)
    known: dict[tuple[str, int], Step] = field(default_factory=dict)
    chosen: dict[tuple[str, int | None], int | None] = field(default_factory=dict)

    def steps(self) -> list[Step]:
        self.shots = {shot.id: shot for shot in self.storyboard.shots}
        for shot in self._upstream_first():
            for take in range(1, shot.takes + 1):
                self.known[shot.id, take] = self._step(shot, take)
        return [
            self.known[shot.id, take]
            for shot in self.storyboard.shots
            if self._is_selected(shot) and not shot.skip
            for take in range(1, shot.takes + 1)
        ]

    def _upstream_first(self) -> list[Shot]:
        if not any(shot.request.from_takes for shot in self.storyboard.shots):
            return list(self.storyboard.shots)
        graph = {shot.id: [need for need in shot.needs if need in self.shots] for shot in self.storyboard.shots}
        return [self.shots[id] for id in TopologicalSorter(graph).static_order()]

    def _is_selected(self, shot: Shot) -> bool:
        return self.selected is None or (shot.storyboard, shot.id) in self.selected

    # -- what a take is made of ---------------------------------------------------------------------------

    def _choice(self, material: FromTake) -> int | None:
        """The number of the take upstream that counts; None while it has to be picked."""
        key = (material.shot, material.take)
        if key not in self.chosen:
            self.chosen[key] = material.take if material.take is not None else self._picked(self.shots[material.shot])
        return self.chosen[key]

    def _picked(self, shot: Shot) -> int | None:
        picked = self.history.picks.get((shot.storyboard, shot.id))
        if picked is not None:
            return picked
        if shot.takes == 1:
            return 1
        return self._first_made(shot) if self.first_take else None

    def _first_made(self, shot: Shot) -> int | None:
        """The lowest take that was made, once none of them can still become one."""
        steps = [self.known[shot.id, take] for take in range(1, shot.takes + 1)]
        if any(step.action in _COMING for step in steps if step.action is not Action.RESUME or not self._paid(step)):
            return None
        return next((step.take for step in steps if step.action in (Action.KEEP, Action.RESUME)), None)

    def _paid(self, step: Step) -> bool:
        attempt = self.history.attempts.get(step.attempt or "")
        return attempt is not None and attempt.state is State.STORED

    def _upstream(self, shot: Shot) -> tuple[Upstream, ...] | None:
        """What each material from a take stands for; None while a pick is missing somewhere above."""
        found: list[Upstream] = []
        for material in shot.request.from_takes:
            take = self._choice(material)
            made_of = None if take is None else self._take(material.shot, take).fingerprint
            if take is None or made_of is None:
                return None
            found.append(Upstream(material.shot, take, made_of))
        return tuple(found)

    def _take(self, shot: str, take: int) -> Step:
        """A take's step; also of a picked retake beyond the shot's `takes`."""
        if (shot, take) not in self.known:
            self.known[shot, take] = self._step(self.shots[shot], take)
        return self.known[shot, take]

    # -- what to do about it ------------------------------------------------------------------------------

    def _step(self, shot: Shot, take: int) -> Step:
        price = self.edition.price(shot.request)
        upstream = self._upstream(shot)
        if upstream is None:
            return self._waits_for_pick(shot, take, price)
        form = neutral(shot.request, take, dict(zip(shot.request.from_takes, upstream, strict=True)).__getitem__)
        mark = fingerprint(form)
        if (step := self._shared(shot, take, price, mark, upstream)) is not None:
            return step
        attempt = self.history.standing(mark)
        action, reason = self._standing(shot, take, form, attempt)
        step = Step(shot, take, action, reason, price, mark, upstream, attempt=attempt.id if attempt else None)
        if action is Action.MAKE and upstream:
            step = self._after_upstream(step)
        if not shot.skip and self._is_selected(shot):
            self.first_of[mark] = step
        return step

    def _waits_for_pick(self, shot: Shot, take: int, price: Price) -> Step:
        roots = dict.fromkeys(root for material in shot.request.from_takes for root in self._unpicked(material))
        names = ", ".join(roots)
        if blocked := [root for root in roots if not self._may_come(self.shots[root])]:
            reason = f"{blocked[0]} has no take to pick"
            return Step(shot, take, Action.BLOCKED, reason, price, None, blockers=tuple(blocked))
        reason = f"pick a take of {names}" if not self.first_take else f"the takes of {names}"
        return Step(shot, take, Action.WAIT, reason, price, None, waits_for=self._pick_word(), blockers=tuple(roots))

    def _pick_word(self) -> Literal["shot", "pick"]:
        return "shot" if self.first_take else "pick"

    def _may_come(self, shot: Shot) -> bool:
        steps = [self.known[shot.id, take] for take in range(1, shot.takes + 1)]
        coming = _COMING if self._is_selected(shot) and not shot.skip else frozenset({Action.RESUME})
        return any(step.action in coming or step.action is Action.KEEP for step in steps)

    def _unpicked(self, material: FromTake) -> tuple[str, ...]:
        """The shots above that have to be picked before this material is decided."""
        take = self._choice(material)
        if take is None:
            return (material.shot,)
        above = self._take(material.shot, take)
        return above.blockers if above.fingerprint is None else ()

    def _shared(self, shot: Shot, take: int, price: Price, mark: str, upstream: tuple[Upstream, ...]) -> Step | None:
        first = self.first_of.get(mark)
        if first is None or first.key == (shot.storyboard, shot.id, take):
            return None
        name = (
            first.shot.id if first.shot.storyboard == shot.storyboard else f"{first.shot.storyboard}: {first.shot.id}"
        )
        reason = f"the same request as {name}: one clip serves both, paid once"
        action = Action.WAIT if first.action is Action.MAKE else first.action
        return Step(
            shot, take, action, reason if action in ORDERED else first.reason, price, mark, upstream,
            waits_for="shot" if action is Action.WAIT else None,
            blockers=(first.shot.id,) if action is Action.WAIT else first.blockers,
            attempt=first.attempt, shares=name,
        )  # fmt: skip

    def _after_upstream(self, step: Step) -> Step:
        """A take to make, once its materials exist: it waits for those to come, or is blocked by one that will not."""
        above = [self._take(up.shot, up.take) for up in step.upstream]
        missing = [other for other in above if not self._is_made(other)]
        if not missing:
            return step
        lost = [other for other in missing if not self._comes(other)]
        action, why = (Action.BLOCKED, lost) if lost else (Action.WAIT, missing)
        blockers = tuple(dict.fromkeys(other.shot.id for other in why))
        reason = self._blocked_by(lost[0]) if lost else f"for {', '.join(blockers)}, which this run makes"
        return Step(
            step.shot, step.take, action, reason, step.price, step.fingerprint, step.upstream,
            waits_for=None if lost else "shot", blockers=blockers,
        )  # fmt: skip

    def _is_made(self, step: Step) -> bool:
        return step.action is Action.KEEP

    def _comes(self, step: Step) -> bool:
        if step.action is Action.RESUME:
            return True
        return step.action in _COMING and self._is_selected(step.shot) and not step.shot.skip

    def _blocked_by(self, step: Step) -> str:
        name = step.shot.id
        if step.shot.skip:
            return f"{name} is skipped, and has no clip"
        if step.action in _COMING and not self._is_selected(step.shot):
            return f"{name} is not selected, and has no clip"
        return f"{name} is {step.action}"

    def _standing(self, shot: Shot, take: int, form: dict[str, Plain], attempt: Attempt | None) -> tuple[Action, str]:
        if attempt is None:
            return Action.MAKE, self._why_new(shot, take, form)
        match attempt.state:
            case State.STORED if attempt.clip is not None and self.on_disk(attempt.clip):
                return Action.KEEP, "made"
            case State.STORED:
                return Action.RESUME, "made; its clip is not on this disk, and is fetched again for nothing"
            case State.SUCCEEDED:
                return Action.RESUME, "made; its clip is still to be downloaded"
            case State.RUNNING:
                return Action.RESUME, f"{attempt.task_id} is {attempt.status or 'running'}"
            case State.INTENDED:
                return Action.RESUME, "another run is sending it"
            case State.UNSETTLED if not self.free:
                return Action.UNSETTLED, attempt.words or "nobody knows whether it was charged"
            case State.REFUSED:
                return Action.REFUSED, attempt.words
            case State.GONE if not self.free:
                return Action.GONE, attempt.words or "paid, and the provider no longer has the clip"
            case State.FAILED:
                return Action.MAKE, f"failed last time: {attempt.words}"
            case State.PERHAPS:
                return Action.MAKE, f"the server failed last time, perhaps charged: {attempt.words}"
            case _:
                return Action.MAKE, self._why_new(shot, take, form)

    def _why_new(self, shot: Shot, take: int, form: dict[str, Plain]) -> str:
        before = self.history.previous(shot.storyboard, shot.id, take, self.profile)
        if before is None or (before.state not in OPEN and before.clip is None and before.state is not State.FAILED):
            return "new"
        words = changed(before.intended.request, form)
        return words if before.intended.fingerprint != fingerprint(form) else "new"
