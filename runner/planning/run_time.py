"""Time that a run takes: all tasks over the slots, or the longest chain of takes that wait for each other."""

from collections.abc import Sequence

from runner.animatic.drawing_time import drawing_seconds
from runner.editions.model import short_side
from runner.language.defaults import ASPECT_RATIO
from runner.language.model import Storyboard
from runner.planning.plan import Plan, Step
from runner.requests.request import Request

# Seconds that a paid task takes before anything is learned: the provider speaks of 1 to 5 minutes.
_PAID_TASK = 150.0
# Seconds in which a free run starts its sandbox and the drawing processes.
_FREE_START = 1.0
# CPU seconds of a free task beside its drawing: ordering, polling, verifying and storing the clip.
_FREE_TASK = 0.2
# CPU seconds for each second of film whose cut is encoded at the end, by all cores: reading, scaling, 480p.
_CUT_SECOND = 0.16
# The shape of a clip whose shape the provider chooses, by its first frame.
_WIDEST = 16 / 9


def estimated_seconds(plan: Plan, concurrency: int, cores: int) -> float | None:
    """The seconds of a run, by the clips it makes; None when it makes none. `cores` draw a free run's clips."""
    ordered = [step for step in plan.steps if step.is_billable or step.action.value == "resume"]
    if not ordered:
        return None
    # Free clips are drawn by processes of this machine: more of them than cores only share.
    at_once = max(1, min(concurrency, cores) if plan.is_free else concurrency)
    ends: dict[str, float] = {}
    total = 0.0
    for step in ordered:
        seconds = _task_seconds(step) if plan.is_free else _PAID_TASK
        total += seconds
        if step.fingerprint is not None:
            start = max((ends.get(upstream.fingerprint, 0.0) for upstream in step.upstream), default=0.0)
            ends[step.fingerprint] = start + seconds
    longest = max(ends.values(), default=_PAID_TASK if not plan.is_free else 0.0)
    if plan.is_free:
        return _FREE_START + max(total / at_once, longest) + _cut_seconds(plan, ordered) / cores
    # In whole rounds of tasks, the last of which is rarely full.
    return _PAID_TASK * max(-(-len(ordered) // at_once), round(longest / _PAID_TASK))


def _task_seconds(step: Step) -> float:
    width, height = _pixels(step.shot.request)
    return _FREE_TASK + drawing_seconds(width, height, step.shot.request.seconds)


def _cut_seconds(plan: Plan, ordered: Sequence[Step]) -> float:
    """The CPU seconds of the cuts that a run ends with, of those films whose clips cannot be joined as they are."""
    changed = {step.shot.film for step in ordered}
    planned = {step.shot.key for step in plan.steps}
    films = (
        storyboard
        for storyboard in plan.batch.storyboards
        # Of a part of the film no cut is made.
        if storyboard.film in changed and all(shot.skip or shot.key in planned for shot in storyboard.shots)
    )
    return _CUT_SECOND * sum(float(plan.film_length(storyboard)) for storyboard in films if _is_encoded(storyboard))


def _is_encoded(storyboard: Storyboard) -> bool:
    """Whether the cut shows a slate, a part of a clip, or clips of several sizes."""
    on_screen = [shot for shot in storyboard.shots if not shot.skip]
    if len({_pixels(shot.request) for shot in on_screen}) > 1:
        return True
    shots = {shot.id: shot for shot in on_screen}
    entries = storyboard.cut or ()
    ranges = [shots[entry.text].film_range(entry) for entry in entries if entry.text in shots]
    if storyboard.cut is None:
        ranges = [shot.film_range(None) for shot in on_screen]
    is_cut = any(start or seconds is not None for start, seconds in ranges)
    return is_cut or any(entry.kind != "shot" or entry.level is not None for entry in entries)


def _pixels(request: Request) -> tuple[int, int]:
    """About the size of a clip; the provider's own choice of a shape counts as 16:9."""
    short = short_side(request.upscale or request.resolution)
    across, _, down = (request.aspect_ratio or ASPECT_RATIO).partition(":")
    shape = int(across) / int(down) if across.isdigit() and down.isdigit() and int(across) and int(down) else _WIDEST
    return (round(short * max(shape, 1 / shape)), short)
