"""The take that a reference to another shot stands for: the pick that counts, the only take, or the first finished."""

from collections.abc import Callable, Iterable, Mapping

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import FilmName, ShotKey
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.language.model import Shot
from runner.lazy_dataclass import dataclass, field
from runner.planning.change_reason import changed_part
from runner.planning.plan import Action, Step
from runner.requests.request import JsonValue, TakeReference


@dataclass(slots=True)
class ChosenTakes:
    """The chosen takes of one storyboard; asked for the shots upstream before those downstream."""

    shots: Mapping[str, Shot]
    history: History
    free: bool
    first_take: bool
    """Whether a shot without a pick stands for its first finished take."""
    take: Callable[[str, int], Step]
    fingerprint: Callable[[Shot, int], str | None]
    """The fingerprint of a take's clip, also beyond the shot's `takes`; None while the upstream is to be picked."""
    request: Callable[[Shot, int], Mapping[str, JsonValue]]
    """The request of a take in its neutral form."""
    is_of_film: Callable[[Attempt], bool]
    """Whether an attempt was ordered for this output, or its clip lies there."""
    _chosen: dict[TakeReference, int | None] = field(default_factory=dict)
    _bound: dict[str, Pick | None] = field(default_factory=dict)
    _retakes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _picks: dict[str, tuple[str, Pick]] | None = None
    _picked_numbers: frozenset[int] = frozenset()
    _numbers: tuple[int, ...] | None = None

    def of(self, reference: TakeReference) -> int | None:
        """The number of the take that a reference stands for; None while the take is to be picked."""
        if reference not in self._chosen:
            self._chosen[reference] = reference.take or self._chosen_take(self.shots[reference.shot])
        return self._chosen[reference]

    def _chosen_take(self, shot: Shot) -> int | None:
        if (pick := self.pick_of(shot)) is not None:
            return pick.take
        # One take is no choice, unless a retake stands beside it.
        if shot.takes == 1 and (self.first_take or not any(map(self._is_choice, self.retakes(shot)))):
            return 1
        return self._first_finished(shot) if self.first_take else None

    def _is_choice(self, retake: Step) -> bool:
        attempt = self.history.attempts.get(retake.attempt or "")
        return attempt is not None and (attempt.state.has_clip or attempt.state.is_open)

    # -- picks --------------------------------------------------------------------------------------------

    def pick_of(self, shot: Shot) -> Pick | None:
        """The pick that counts for a shot."""
        pick = self.bound_pick(shot)
        return pick if pick is not None and self._is_in_force(shot, pick) else None

    def bound_pick(self, shot: Shot) -> Pick | None:
        """The pick of a clip that the shot asks for as it is now, whatever name the shot had; the own name first."""
        if not self.history.picks:
            return None
        if shot.id not in self._bound:
            own = self.history.picks.get(shot.key)
            is_own = own is not None and own.fingerprint == self.fingerprint(shot, own.take)
            self._bound[shot.id] = own if own is not None and is_own and own.fingerprint else self._moved_pick(shot)
        return self._bound[shot.id]

    def _moved_pick(self, shot: Shot) -> Pick | None:
        """The pick that stands under a name which this shot's request had before."""
        picks = self._picks_by_fingerprint(shot.film)
        # Fingerprints hold the number of the take: only those that somebody picked are tried.
        for number in self._picked_numbers:
            name, pick = picks.get(self.fingerprint(shot, number) or "", ("", None))
            other = self.shots.get(name)
            if pick is not None and name != shot.id and (other is None or other.request != shot.request):
                return pick
        return None

    def _picks_by_fingerprint(self, film: FilmName) -> dict[str, tuple[str, Pick]]:
        """The name and the pick for each picked fingerprint."""
        if self._picks is None:
            self._picks = {
                pick.fingerprint: (name, pick)
                for (own, name), pick in self.history.picks.items()
                if own == film and pick.fingerprint is not None
            }
            self._picked_numbers = frozenset(pick.take for _, pick in self._picks.values())
        return self._picks

    def _is_in_force(self, shot: Shot, pick: Pick) -> bool:
        """Whether the clip of the picked take is the one that was seen; a free clip is the same each time."""
        if self.free and pick.take <= shot.takes:
            return True
        step = self.take(shot.id, pick.take)
        attempt = self.history.attempts.get(step.attempt or "")
        if attempt is None or self.free:
            return attempt is not None
        # The pick is of the clip that somebody saw: a task of later has made another one.
        return step.action is not Action.MAKE and pick.task_id in (None, attempt.task_id)

    def why_pick_again(self, shot: Shot) -> str | None:
        """The reason why the stored pick of a shot does not count: `quay's prompt changed`; None without a reason."""
        pick = self.bound_pick(shot)
        if pick is not None:
            return None if self._is_in_force(shot, pick) else f"take {pick.take} was made anew"
        pick = self.history.picks.get(shot.key)
        if pick is None or self.fingerprint(shot, pick.take) is None:
            return None
        picked = self.history.own_attempts_of(pick.fingerprint or "")
        before = picked[-1].intent.request if picked else {}
        part = changed_part(before, self.request(shot, pick.take)) if before else "request"
        return f"{shot.id}'s {part} changed"

    def in_force(self) -> dict[ShotKey, Pick]:
        """The picks that count, by the present names of their shots."""
        if not self.history.picks:
            return {}
        shots = self.shots.values()
        return {shot.key: pick for shot in shots if (pick := self.pick_of(shot)) is not None}

    def given_up(self, steps: Iterable[Step]) -> list[Shot]:
        """The picked shots of which these steps make takes of a changed request."""
        if not self.history.picks:
            return []
        ordered = dict.fromkeys(step.shot for step in steps if step.is_billable and step.action is Action.MAKE)
        picked = [shot for shot in ordered if shot.key in self.history.picks]
        return [shot for shot in picked if self.bound_pick(shot) is None and self.why_pick_again(shot) is not None]

    def stored_picks(self) -> dict[ShotKey, Pick]:
        """All picks under the present names of their shots; one that no shot asks for keeps a place."""
        if not self.history.picks:
            return {}
        bound = {shot.key: pick for shot in self.shots.values() if (pick := self.bound_pick(shot))}
        films = {shot.film for shot in self.shots.values()}
        taken = list(bound.values())
        result, displaced, vacated = dict(bound), list[Pick](), list[ShotKey]()
        for key, pick in self.history.picks.items():
            if key[0] not in films:
                continue
            if pick in taken:
                vacated += [key] if key not in result else []
            elif key in result:
                displaced.append(pick)
            else:
                result[key] = pick
        return result | dict(zip(vacated, displaced, strict=False))

    # -- retakes ------------------------------------------------------------------------------------------

    def retakes(self, shot: Shot) -> Iterable[Step]:
        """The steps of the shot's retakes: takes beyond `takes` that were paid for with the present request."""
        if shot.id not in self._retakes:
            self._retakes[shot.id] = tuple(self._retake_numbers(shot))
        pick = self.bound_pick(shot)
        for number in self._retakes[shot.id]:
            step = self.take(shot.id, number)
            if step.action.has_attempt or (step.action is Action.GONE and pick is not None and pick.take == number):
                yield step

    def _retake_numbers(self, shot: Shot) -> Iterable[int]:
        if self._numbers is None:
            attempts = filter(self.is_of_film, self.history.attempts.values())
            self._numbers = tuple(sorted({attempt.intent.take for attempt in attempts}))
        for number in self._numbers:
            fingerprint = self.fingerprint(shot, number) if number > shot.takes else None
            ordered = self.history.own_attempts_of(fingerprint) if fingerprint is not None else ()
            if any(self._was_ordered_for(shot, attempt) for attempt in ordered):
                yield number

    def _was_ordered_for(self, shot: Shot, attempt: Attempt) -> bool:
        """Whether an attempt is of this shot, maybe under another name, and not of a shot with the same request."""
        other = self.shots.get(attempt.intent.shot)
        is_own = attempt.intent.shot == shot.id or other is None or other.request != shot.request
        return is_own and self.is_of_film(attempt)

    # -- shots without a pick -----------------------------------------------------------------------------

    def _first_finished(self, shot: Shot) -> int | None:
        """The lowest take with a clip, once no take of the shot is still pending; None before."""
        steps = [self.take(shot.id, take) for take in range(1, shot.takes + 1)]
        if any(
            step.action.is_pending for step in steps if step.action is not Action.RESUME or not self._is_stored(step)
        ):
            return None
        return next((step.take for step in steps if step.action in (Action.KEEP, Action.RESUME)), None)

    def _is_stored(self, step: Step) -> bool:
        attempt = self.history.attempts.get(step.attempt or "")
        return attempt is not None and attempt.state is AttemptState.STORED

    def unpicked(self, reference: TakeReference) -> tuple[str, ...]:
        """The upstream shots that need a pick before a reference is decided."""
        take = self.of(reference)
        if take is None:
            return (reference.shot,)
        above = self.take(reference.shot, take)
        return above.blockers if above.fingerprint is None else ()
