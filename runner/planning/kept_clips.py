"""Clips that stand for a request which the storyboard asks for now, by `storyboard keep` or as longer ones. Pure."""

from collections.abc import Callable, Collection, Mapping

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.language.model import Shot
from runner.lazy_dataclass import dataclass
from runner.planning.change_reason import changed_part, describe_change
from runner.planning.plan import Action
from runner.planning.reason import Reason, ReasonCode
from runner.requests.request import JsonValue, Resolve, fingerprint_fast


@dataclass(frozen=True, slots=True)
class KeptClips:
    """The kept clips of one output."""

    history: History
    by_wanted: Mapping[str, Attempt]
    """Attempts by the fingerprint that their clip stands for."""
    free: bool
    clip_exists: Callable[[Clip], bool]
    again: Collection[str]
    """Ids of lost attempts that `--again` repeats."""
    may_serve: Callable[[str, Attempt], bool]
    """Whether an attempt of this output was ordered for the shot of an id, or for one that the storyboard lost."""

    def of(self, wanted: str) -> Attempt | None:
        """The attempt whose clip is kept for a request; None without one, and once the request itself was ordered."""
        attempt = self.by_wanted.get(wanted)
        if attempt is None or self._is_ordered(wanted):
            return None
        # A lost one stands as well: ordered anew in silence, a clip that was kept to save money would be paid twice.
        is_lost = attempt.state is AttemptState.GONE and not self.free and attempt.id not in self.again
        return attempt if is_lost or attempt.state is AttemptState.STORED else None

    def longer(self, shot: Shot, take: int, wanted: str, resolve: Resolve, longest: int) -> Attempt | None:
        """The attempt with the next longer clip of a request whose length follows from film time; None without one.

        Once the request itself was ordered, its own clip counts. A clip of another shot of the storyboard is not taken.
        """
        if not shot.duration_follows or self._is_ordered(wanted):
            return None
        # The next longer one first: the less of a clip is cut off, the nearer it is to the one that is wanted.
        for seconds in range(shot.request.seconds + 1, longest + 1):
            mark = fingerprint_fast(shot.request._replace(seconds=seconds), take, resolve)
            for attempt in self.history.own_attempts_of(mark):
                if attempt.state is AttemptState.STORED and self.may_serve(shot.id, attempt):
                    return attempt
        return None

    def _is_ordered(self, fingerprint: str) -> bool:
        attempts = self.history.own_attempts_of(fingerprint)
        return any(attempt.state.is_open or attempt.state.has_clip for attempt in attempts)

    def action(self, attempt: Attempt, request: Mapping[str, JsonValue]) -> tuple[Action, Reason]:
        """The action and its reason for a take that has this clip and is asked for with another request."""
        if attempt.state is AttemptState.GONE:
            text = "kept for what the storyboard asks for now, and the provider lost the clip"
            return Action.GONE, Reason(ReasonCode.GONE, text)
        if any(map(self.clip_exists, attempt.clips)):
            change = describe_change(attempt.intent.request, request)
            part = changed_part(attempt.intent.request, request)
            text = f"yours, although the {part} has changed since"
            if attempt.kept_for is None:
                text = f"{attempt.intent.request.get('seconds')} s made, {request.get('seconds')} s needed"
            return Action.KEEP, Reason(ReasonCode.KEPT, text, change.changed)
        text = "kept; its clip is missing or changed on disk, and is fetched again for free"
        return Action.RESUME, Reason(ReasonCode.TO_DOWNLOAD, text)


def kept_clips(
    history: History,
    is_of_film: Callable[[Attempt], bool],
    free: bool,
    clip_exists: Callable[[Clip], bool],
    again: Collection[str],
    shots: Collection[str],
) -> KeptClips:
    """The kept clips of the output whose attempts `is_of_film` names; of several for one request the latest.

    `shots` are the ids of the storyboard's shots.
    """

    def may_serve(shot: str, attempt: Attempt) -> bool:
        return is_of_film(attempt) and (attempt.intent.shot == shot or attempt.intent.shot not in shots)

    attempts = [
        attempt for attempt in history.attempts.values() if attempt.kept_for is not None and is_of_film(attempt)
    ]
    # The latest wins, since the last of equal keys stays in a mapping.
    attempts.sort(key=lambda attempt: attempt.intended_at)
    by_wanted = {attempt.kept_for or "": attempt for attempt in attempts}
    return KeptClips(history, by_wanted, free, clip_exists, again, may_serve)
