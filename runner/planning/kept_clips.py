"""Clips that stand for a request which the storyboard asks for now, by `storyboard keep`. Pure."""

from collections.abc import Callable, Collection, Mapping

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.lazy_dataclass import dataclass
from runner.planning.change_reason import changed_part, describe_change
from runner.planning.plan import Action
from runner.planning.reason import Reason, ReasonCode
from runner.requests.request import JsonValue


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

    def of(self, wanted: str) -> Attempt | None:
        """The attempt whose clip is kept for a request; None without one, and once the request itself was ordered."""
        attempt = self.by_wanted.get(wanted)
        if attempt is None or any(
            own.state.is_open or own.state.has_clip for own in self.history.own_attempts_of(wanted)
        ):
            return None
        is_lost = attempt.state is AttemptState.GONE and not self.free and attempt.id not in self.again
        return attempt if is_lost or attempt.state is AttemptState.STORED else None

    def action(self, attempt: Attempt, request: Mapping[str, JsonValue]) -> tuple[Action, Reason]:
        """The action and its reason for a take that has this clip and is asked for with another request."""
        if attempt.state is AttemptState.GONE:
            text = "kept for what the storyboard asks for now, and the provider lost the clip"
            return Action.GONE, Reason(ReasonCode.GONE, text)
        if any(map(self.clip_exists, attempt.clips)):
            change = describe_change(attempt.intent.request, request)
            part = changed_part(attempt.intent.request, request)
            return Action.KEEP, Reason(ReasonCode.KEPT, f"yours, although the {part} has changed since", change.changed)
        text = "kept; its clip is missing or changed on disk, and is fetched again for free"
        return Action.RESUME, Reason(ReasonCode.TO_DOWNLOAD, text)


def kept_clips(
    history: History,
    is_of_film: Callable[[Attempt], bool],
    free: bool,
    clip_exists: Callable[[Clip], bool],
    again: Collection[str],
) -> KeptClips:
    """The kept clips of the output whose attempts `is_of_film` names; of several for one request the latest."""
    attempts = [
        attempt for attempt in history.attempts.values() if attempt.kept_for is not None and is_of_film(attempt)
    ]
    attempts.sort(key=lambda attempt: attempt.intended_at)
    return KeptClips(history, {attempt.kept_for or "": attempt for attempt in attempts}, free, clip_exists, again)
