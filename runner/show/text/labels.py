"""Names of shots and takes: `SH010`, `harbour:quay`, `SH010 ×3`."""

import posixpath
from collections.abc import Sequence

from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import is_clip_of
from runner.attempts.events import Clip
from runner.planning.plan import Plan, Step
from runner.planning.selection import storyboard_slug
from runner.show.text.escape import escape_terminal, one_line


def shot_name(step: Step, several: bool) -> str:
    """The shot's id, after its storyboard's name if there are several storyboards."""
    shot = escape_terminal(step.shot.id)
    return f"{escape_terminal(storyboard_slug(step.shot.storyboard))}:{shot}" if several else shot


def full_name(step: Step) -> str:
    """The shot as an argument of `settle` and `pick`, unique in the repository: `harbour:quay`."""
    return shot_name(step, several=True)


def take_names(steps: Sequence[Step], several: bool = False) -> list[str]:
    """Takes grouped by shot: `SH010 ×3` for all three takes of a shot, `SH070 take 1`, `SH080 takes 1 3`."""
    by_shot: dict[str, list[Step]] = {}
    for step in steps:
        by_shot.setdefault(shot_name(step, several), []).append(step)
    return [_takes(name, shot_steps) for name, shot_steps in by_shot.items()]


def _takes(name: str, steps: Sequence[Step]) -> str:
    numbers = sorted({step.take for step in steps})
    if numbers == list(range(1, steps[0].shot.takes + 1)):
        return name if len(numbers) == 1 else f"{name} ×{len(numbers)}"
    return f"{name} take{'' if len(numbers) == 1 else 's'} {' '.join(map(str, numbers))}"


def clip_path(attempt: Attempt, step: Step, prefix: str = "") -> str:
    """Path of the take's clip; `prefix` is the repository's top relative to the working folder."""
    clip = own_clip(attempt, step)
    return escape_terminal(posixpath.join(prefix, clip.path)) if clip is not None else ""


def own_clip(attempt: Attempt, step: Step) -> Clip | None:
    """The attempt's clip under the name of this take, else another copy of it."""
    board = storyboard_slug(step.shot.storyboard)

    def is_other(clip: Clip) -> tuple[bool, bool]:
        is_complete = is_clip_of(clip.path, step.shot.id, step.take, doubtful=False)
        return not is_complete, board not in clip.path.split("/")

    return min(attempt.clips, key=is_other, default=None)


def title(plan: Plan) -> str:
    """The storyboard's title, or the number of storyboards."""
    paths = {step.shot.storyboard for step in plan.steps}
    boards = [board for board in plan.batch.storyboards if board.path in paths] or plan.batch.storyboards
    titles = [one_line(board.title, 200) for board in boards]
    return titles[0] if len(titles) == 1 else f"{len(titles)} storyboards"


def several_boards(plan: Plan) -> bool:
    """Whether the plan has several storyboards, so that shot names need the storyboard's name."""
    return len({step.shot.storyboard for step in plan.steps}) > 1
