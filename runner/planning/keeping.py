"""The clips at hand that `storyboard keep` lets stand for the storyboard as it is now. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.planning.plan import Plan, Step
from runner.requests.request import JsonValue, fingerprint, neutral_form

OwnClip = Callable[[ShotKey, int, Attempt], bool]
"""Whether an attempt's clip lies on this machine under the name of a take."""


class KeepAnswer(NamedTuple):
    """The result of `keep` for one take: a clip to keep, or the reason why there is none."""

    shot: ShotKey
    take: int
    wanted: str | None = None
    """The fingerprint that the clip is to stand for."""
    attempt: Attempt | None = None
    """The attempt whose clip is kept."""
    message: str = ""
    is_refused: bool = False
    """Whether there is a clip, and it cannot be kept."""
    way_on: Literal["accept", "run"] | None = None
    """What makes the clip one to keep: that the user accepts it, or a run that buys nothing."""


def clips_to_keep(
    plan: Plan, history: History, key: ShotKey, own_clip: OwnClip, is_of_film: Callable[[Attempt], bool]
) -> Iterator[KeepAnswer]:
    """The result of `keep` for each take of a shot, its retakes included."""
    steps = plan.steps_of(key)
    # Without a fingerprint there is nothing that a clip could be kept for.
    if any(step.fingerprint is None for step in steps):
        shots = ", ".join(steps[0].blockers) or key[1]
        yield KeepAnswer(key, 1, message=f"waits for a pick itself: first pick a take of {shots}", is_refused=True)
        return
    earlier = _request_at_hand(steps, history, key, own_clip, is_of_film)
    for step in steps:
        if step.keep is not None:
            yield KeepAnswer(key, step.take, message="stands for the storyboard as it is now already")
        elif step.action.has_attempt:
            yield KeepAnswer(key, step.take, message=f"is what the storyboard asks for: {step.reason.text}")
        else:
            yield _answer(key, step.take, step.fingerprint or "", _clip(history, earlier, step.take))
    numbers = {step.take for step in steps}
    # Retakes of the earlier request, which the present plan does not list.
    for number in sorted({attempt.intent.take for attempt in history.attempts.values()} - numbers):
        attempt = _clip(history, earlier, number)
        if attempt is not None and steps and number > steps[0].shot.takes:
            request = neutral_form(steps[0].shot.request, number, steps[0].resolve)
            yield _answer(key, number, fingerprint(request), attempt)


def _request_at_hand(
    steps: Sequence[Step], history: History, key: ShotKey, own_clip: OwnClip, is_of_film: Callable[[Attempt], bool]
) -> Mapping[str, JsonValue]:
    """The request that the shot's clips were ordered with: of the clip in its place, else of the latest clip."""
    wanted = {step.keep.wanted if step.keep is not None else step.fingerprint for step in steps}
    candidates = [
        (own_clip(key, attempt.intent.take, attempt), attempt.intent.shot == key[1], attempt)
        for attempt in history.attempts.values()
        if attempt.state.is_paid and is_of_film(attempt) and attempt.intent.fingerprint not in wanted
    ]
    own = [
        (in_place, attempt.intended_at, attempt) for in_place, is_named, attempt in candidates if in_place or is_named
    ]
    # The clip in its place comes first: it is the one that a person sees and means.
    return max(own, key=lambda entry: entry[:2])[2].intent.request if own else {}


def _clip(history: History, request: Mapping[str, JsonValue], take: int) -> Attempt | None:
    """The attempt of a take with an earlier request."""
    if not request:
        return None
    paid = history.own_attempts_of(fingerprint({**request, "take": take}))
    stored = [attempt for attempt in paid if attempt.state is AttemptState.STORED]
    # A stored clip first; of the others the answer says why they cannot be kept.
    return next(iter(stored), next((attempt for attempt in paid if attempt.state.is_paid), None))


def _answer(key: ShotKey, take: int, wanted: str, attempt: Attempt | None) -> KeepAnswer:
    if attempt is None:
        return KeepAnswer(key, take, message="has no clip of an earlier request: it is to be made")
    match attempt.state:
        case AttemptState.STORED if attempt.task_id is not None:
            return KeepAnswer(key, take, wanted, attempt, "stands for the storyboard as it is now")
        case AttemptState.DOUBTFUL:
            message = "cannot be kept: its clip is doubtful; look at it, then"
            return KeepAnswer(key, take, message=message, is_refused=True, way_on="accept")
        case AttemptState.GONE:
            message = "cannot be kept: the provider has lost its clip, and it is to be made"
        case _:
            message = "cannot be kept yet: its clip is still to come; what brings it, and buys nothing:"
            return KeepAnswer(key, take, message=message, is_refused=True, way_on="run")
    return KeepAnswer(key, take, message=message, is_refused=True)
