"""The difference between two plans of a repository: which shots changed, and what the later one orders beyond. Pure."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from runner.attempts.film import FilmName, ShotKey
from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass
from runner.planning.change_reason import describe_change
from runner.planning.plan import Plan, Step, price_of
from runner.planning.reason import NEW, Reason, ReasonCode
from runner.planning.shot_order import upstream_first
from runner.requests.request import ResolvedTake, TakeReference, fingerprint_fast, neutral_form

Change = Literal["added", "changed", "renamed", "removed", "moved"]


@dataclass(frozen=True, slots=True)
class ShotChange:
    """One shot that differs between the two trees."""

    storyboard: str
    shot: str
    change: Change
    was: str
    """The shot's id before; the same unless it was renamed."""
    reason: Reason | None
    """The reason of an added or changed shot."""
    gives_up_pick: bool
    credits: Decimal | None
    """Price of the shot's orders beyond the earlier tree, after picks too; None for an unknown price."""
    takes: int
    """How many takes these credits are for."""
    profile: str | None = None
    """The combination of profiles of the shot's film."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two trees: its shots, the length of its films in seconds, and the credits of its new orders."""

    shots: int
    film_seconds: Decimal
    credits: Decimal | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All shots that differ, in the order of the film, removed ones last; and both trees as a whole."""

    shots: tuple[ShotChange, ...]
    before: Side
    after: Side
    credits: Decimal | None
    """Price of the orders of the later tree beyond the earlier one."""

    @property
    def has_orders(self) -> bool:
        """Whether something is ordered beyond the earlier tree."""
        return any(shot.takes for shot in self.shots)


def difference(before: Plan, after: Plan) -> Difference:
    """The difference between the plans of two trees, both made against what exists now."""
    storyboards = _matched_storyboards(before.batch.storyboards, after.batch.storyboards)
    beyond = _orders_beyond(before, after)
    given_up = {shot.key for shot in after.given_up}
    changes = [
        change
        for storyboard in after.batch.storyboards
        for change in _StoryboardDifference(storyboards.get(storyboard.film), storyboard, beyond, given_up).changes()
    ]
    left = {storyboard.film for storyboard in storyboards.values()}
    gone = [storyboard for storyboard in before.batch.storyboards if storyboard.film not in left]
    changes += [_removed(shot) for storyboard in gone for shot in storyboard.shots]
    orders = [step for steps in beyond.values() for step in steps]
    return Difference(tuple(changes), _side(before), _side(after), price_of(orders))


def _side(plan: Plan) -> Side:
    film = sum(map(plan.film_length, plan.batch.storyboards), Decimal(0))
    return Side(plan.totals.shots, film, price_of(_orders(plan)))


def _orders(plan: Plan) -> list[Step]:
    """The takes that a run orders, now or after a pick."""
    return [step for step in plan.steps if step.is_billable or step.needs_pick]


def _orders_beyond(before: Plan, after: Plan) -> dict[ShotKey, list[Step]]:
    """The takes that only the later plan orders, by shot."""
    signatures = [_all_signatures(plan.batch.storyboards) for plan in (before, after)]
    earlier = {_order(step, signatures[0]) for step in _orders(before)}
    beyond: dict[ShotKey, list[Step]] = {}
    for step in _orders(after):
        # By request and number, not by name: a renamed shot orders nothing new.
        if _order(step, signatures[1]) not in earlier:
            beyond.setdefault(step.key[:2], []).append(step)
    return beyond


def _order(step: Step, signatures: Mapping[ShotKey, str]) -> tuple[str, int]:
    """The identity of an order in both plans: its request, which a pick that is still missing does not decide."""
    return (signatures[step.key[:2]], step.take)


def _all_signatures(storyboards: Iterable[Storyboard]) -> dict[ShotKey, str]:
    return {
        (storyboard.film, shot): mark for storyboard in storyboards for shot, mark in signatures_of(storyboard).items()
    }


def signatures_of(storyboard: Storyboard) -> dict[str, str]:
    """A mark of what is sent for each shot, upstream shots included, whatever was made or picked, by id."""
    shots = {shot.id: shot for shot in storyboard.shots}
    marks: dict[str, str] = {}
    for shot in upstream_first(shots):
        marks[shot.id] = fingerprint_fast(shot.request, 1, lambda take: _resolved(take, marks))
    return marks


def _resolved(reference: TakeReference, marks: Mapping[str, str]) -> ResolvedTake:
    return ResolvedTake(reference.shot, reference.take or 1, marks.get(reference.shot, ""))


def _matched_storyboards(before: Sequence[Storyboard], after: Sequence[Storyboard]) -> dict[FilmName, Storyboard]:
    """The earlier storyboard of each later film: of the same path, else one that left with equal shots."""
    films = {storyboard.film: storyboard for storyboard in before}
    matched = {storyboard.film: films[storyboard.film] for storyboard in after if storyboard.film in films}
    left = {film: set(signatures_of(storyboard).values()) for film, storyboard in films.items() if film not in matched}
    for storyboard in after:
        candidates = [film for film in left if film.profile == storyboard.profile]
        if storyboard.film in matched or not candidates:
            continue
        marks = set(signatures_of(storyboard).values())
        film = max(candidates, key=lambda film: len(left[film] & marks))
        # Half of its shots: a file that was moved and edited in one commit is still the same film.
        if 2 * len(left[film] & marks) >= max(1, len(left[film])):
            matched[storyboard.film] = films[film]
            del left[film]
    return matched


def _removed(shot: Shot) -> ShotChange:
    return ShotChange(shot.storyboard, shot.id, "removed", shot.id, None, False, Decimal(0), 0, shot.profile)


class _StoryboardDifference:
    """Compares the shots of one storyboard with those that it had."""

    def __init__(
        self,
        before: Storyboard | None,
        after: Storyboard,
        beyond: Mapping[ShotKey, list[Step]],
        given_up: set[ShotKey],
    ) -> None:
        self.after = after
        self.beyond = beyond
        self.given_up = given_up
        self.old = {shot.id: shot for shot in before.shots} if before is not None else {}
        self.new = {shot.id: shot for shot in after.shots}
        self.old_marks = signatures_of(before) if before is not None else {}
        self.new_marks = signatures_of(after)
        self.old_names = self._old_names()
        self.moved = _moved(_film_order(before) if before is not None else [], self._film_by_old_names())

    def changes(self) -> Iterator[ShotChange]:
        for shot in self.after.shots:
            if (change := self._change(shot)) is not None:
                yield change
        names = set(self.old_names.values())
        yield from (_removed(shot) for name, shot in self.old.items() if name not in names)

    def _old_names(self) -> dict[str, str]:
        """The id that each shot had: its own, else that of a shot that left with the same request."""
        names = {name: name for name in self.new if name in self.old}
        left: dict[str, list[str]] = {}
        for name in self.old:
            if name not in self.new:
                left.setdefault(self.old_marks[name], []).append(name)
        for name in self.new:
            if name not in names and (candidates := left.get(self.new_marks[name])):
                names[name] = candidates.pop(0)
        return names

    def _film_by_old_names(self) -> list[str]:
        return [self.old_names[name] for name in _film_order(self.after) if name in self.old_names]

    def _change(self, shot: Shot) -> ShotChange | None:
        was = self.old_names.get(shot.id)
        steps = self.beyond.get(shot.key, [])
        gives_up = shot.key in self.given_up
        kind: Change
        if was is None:
            kind, reason = "added", NEW
        else:
            reason_or_none = self._reason(self.old[was], shot, steps)
            if reason_or_none is not None:
                kind, reason = "changed", reason_or_none
            elif was != shot.id or was in self.moved:
                kind = "renamed" if was != shot.id else "moved"
                return ShotChange(shot.storyboard, shot.id, kind, was, None, gives_up, Decimal(0), 0, shot.profile)
            else:
                return None
        return ShotChange(
            shot.storyboard, shot.id, kind, was or shot.id, reason, gives_up and bool(steps), price_of(steps),
            len(steps), shot.profile,
        )  # fmt: skip

    def _reason(self, old: Shot, new: Shot, steps: Sequence[Step]) -> Reason | None:
        """The reason why something else is sent for a shot; None where nothing is."""
        if self.old_marks[old.id] != self.new_marks[new.id]:
            before, now = (
                neutral_form(shot.request, 1, lambda take, marks=marks: _resolved(take, marks))  # type: ignore[misc]
                for shot, marks in ((old, self.old_marks), (new, self.new_marks))
            )
            return describe_change(before, now, new.duration_follows)
        texts = []
        if old.skip != new.skip:
            texts.append(("skip", "is skipped now" if new.skip else "is no longer skipped"))
        if old.takes != new.takes:
            texts.append(("takes", f"takes {old.takes} → {new.takes}"))
        if texts:
            fields, words = zip(*texts, strict=True)
            return Reason(ReasonCode.SETTING_CHANGED, "; ".join(words), fields)
        return steps[0].reason if steps else None


def _film_order(storyboard: Storyboard) -> list[str]:
    """The ids of the shots in the order in which the film first shows them."""
    names = [entry.text for entry in storyboard.cut if entry.kind == "shot"] if storyboard.cut is not None else []
    return list(dict.fromkeys((*names, *(shot.id for shot in storyboard.shots))))


def _moved(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The fewest shots that must be taken out so that the others stand in the same order in both films."""
    places = {name: place for place, name in enumerate(before)}
    names = [name for name in after if name in places]
    ends: list[int] = []
    chain: list[int] = []
    for name in names:
        # The longest run of shots in the old order stays (patience sorting), and all others have moved.
        position = bisect_left(ends, places[name])
        ends[position : position + 1] = [places[name]]
        chain.append(position)
    staying, wanted = set[str](), len(ends) - 1
    for name, position in zip(reversed(names), reversed(chain), strict=True):
        if position == wanted:
            staying.add(name)
            wanted -= 1
    return set(names) - staying
