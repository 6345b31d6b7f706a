"""The action of a take by its current attempt. Pure."""

from collections.abc import Callable, Collection

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip
from runner.planning.plan import Action
from runner.planning.reason import MADE, Reason, ReasonCode

ClipExists = Callable[[Clip], bool]
"""Whether a clip's file is on this machine."""


def action_of_attempt(
    attempt: Attempt, is_free: bool, clip_exists: ClipExists, again: Collection[str]
) -> tuple[Action, Reason] | None:
    """Action and reason; None where the attempt decides nothing, and the take is to be made.

    `is_free`: at a free account nothing stays unsettled, doubtful or gone. `again` are the ids of refused or lost
    attempts that `--again` repeats.
    """
    # A manifest may be edited: its task is believed once the provider's record fits.
    if attempt.needs_confirmation:
        text = f"the manifest names {attempt.task_id} for it, which a run confirms at the provider"
        return Action.RESUME, Reason(ReasonCode.TO_DOWNLOAD, text)
    match attempt.state:
        case AttemptState.STORED if any(map(clip_exists, attempt.clips)):
            return Action.KEEP, MADE
        case AttemptState.STORED:
            text = "made; its clip is missing or changed on disk, and is fetched again for free"
            return Action.RESUME, Reason(ReasonCode.TO_DOWNLOAD, text)
        case AttemptState.SUCCEEDED:
            return Action.RESUME, Reason(ReasonCode.TO_DOWNLOAD, "made; its clip is still to be downloaded")
        case AttemptState.RUNNING:
            return Action.RESUME, Reason(ReasonCode.RUNNING, f"{attempt.task_id} is {attempt.status or 'running'}")
        case AttemptState.INTENDED:
            return Action.RESUME, Reason(ReasonCode.RUNNING, "another run is sending the request")
        case AttemptState.UNSETTLED if not is_free:
            text = attempt.message or "the outcome is unknown: maybe charged"
            return Action.UNSETTLED, Reason(ReasonCode.UNSETTLED, text)
        case AttemptState.REFUSED | AttemptState.GONE if attempt.id in again:
            return Action.MAKE, Reason(ReasonCode.AGAIN, "again, by --again")
        # Never by itself: the same request would be refused again.
        case AttemptState.REFUSED:
            return Action.REFUSED, Reason(ReasonCode.REFUSED, attempt.message)
        case AttemptState.DOUBTFUL if not is_free:
            return Action.DOUBTFUL, Reason(ReasonCode.DOUBTFUL, f"paid, and its clip {attempt.clip_fault}")
        case AttemptState.GONE if not is_free:
            text = attempt.message or "paid, and the provider no longer has the clip"
            return Action.GONE, Reason(ReasonCode.GONE, text)
        # A failed task costs nothing.
        case AttemptState.FAILED:
            return Action.MAKE, Reason(ReasonCode.FAILED, f"failed last time: {attempt.message}")
        # The provider documents "retry later"; ceilings count the failed one as charged.
        case AttemptState.MAYBE_CHARGED:
            text = f"the server failed last time, maybe charged: {attempt.message}"
            return Action.MAKE, Reason(ReasonCode.FAILED, text)
        case _:
            return None
