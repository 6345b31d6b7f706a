"""The states of each shot's takes, in the words of the plan. Pure."""

from collections.abc import Collection, Mapping

from runner.attempts.film import ShotKey, TakeKey
from runner.planning.plan import Action, Plan
from runner.planning.reason import ReasonCode

FAILED = "failed"


def states_by_shot(plan: Plan, missing_clips: Collection[TakeKey]) -> Mapping[ShotKey, frozenset[str]]:
    """The words of every shot of a plan; a made take whose clip is missing on this machine is kept."""
    states: dict[ShotKey, set[str]] = {}
    for step in plan.steps:
        words = states.setdefault(step.shot.key, set())
        words.add(Action.KEEP.value if step.key in missing_clips else step.action.value)
        if step.reason.code is ReasonCode.FAILED:
            words.add(FAILED)
    return {key: frozenset(words) for key, words in states.items()}
