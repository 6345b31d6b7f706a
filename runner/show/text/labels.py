"""Names of shots and takes: `SH010`, `harbour:quay`, `SH010 ×3`."""

import posixpath
from collections.abc import Sequence
from typing import Literal

from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import is_clip_of
from runner.attempts.events import Clip
from runner.attempts.film import storyboard_slug
from runner.language.model import Storyboard
from runner.planning.plan import Plan, Step
from runner.planning.selection import is_in_output
from runner.show.text.escape import escape_terminal, one_line

Several = Literal[False, "storyboards", "films"]
"""What a plan has several of, so that shots are named with it; films are of several profiles."""


def shot_name(step: Step, several: Several) -> str:
    """The shot's id, after what tells its film from the others: `quay`, `harbour:quay`, `harbour+tall:quay`."""
    shot = escape_terminal(step.shot.id)
    if not several:
        return shot
    profile = f"+{step.shot.profile}" if several == "films" and step.shot.profile is not None else ""
    return f"{escape_terminal(storyboard_slug(step.shot.storyboard) + profile)}:{shot}"


def full_name(step: Step) -> str:
    """The shot as an argument of `settle` and `pick`, unique in the repository: `harbour:quay`."""
    return shot_name(step, "storyboards")


def take_names(steps: Sequence[Step], several: Several = False) -> list[str]:
    """Takes grouped by shot: `SH010 ×3` for all three takes of a shot, `SH070 take 1`, `SH080 takes 1 3`."""
    by_shot: dict[str, list[Step]] = {}
    for step in steps:
        by_shot.setdefault(shot_name(step, several), []).append(step)
    return [_takes(name, shot_steps) for name, shot_steps in by_shot.items()]


def _takes(name: str, steps: Sequence[Step]) -> str:
    numbers = sorted({step.take for step in steps})
    # All takes of the shot: the number says enough.
    if numbers == list(range(1, steps[0].shot.takes + 1)):
        return name if len(numbers) == 1 else f"{name} ×{len(numbers)}"
    return f"{name} take{'' if len(numbers) == 1 else 's'} {' '.join(map(str, numbers))}"


def clip_path(attempt: Attempt, step: Step, prefix: str = "") -> str:
    """Path of the take's clip; `prefix` is the repository's top relative to the working folder."""
    clip = own_clip(attempt, step)
    return escape_terminal(posixpath.join(prefix, clip.path)) if clip is not None else ""


def own_clip(attempt: Attempt, step: Step) -> Clip | None:
    """The attempt's clip under the name of this take, else another copy of it."""

    def is_other(clip: Clip) -> tuple[bool, bool]:
        is_complete = is_clip_of(clip.path, step.shot.id, step.take, doubtful=False)
        return not is_complete, not is_in_output(clip.path, step.shot.film)

    return min(attempt.clips, key=is_other, default=None)


def title(plan: Plan) -> str:
    """The film's title, or the number of storyboards or films."""
    films = {step.shot.film for step in plan.steps}
    storyboards = [
        storyboard for storyboard in plan.batch.storyboards if storyboard.film in films
    ] or plan.batch.storyboards
    return film_title(plan, storyboards[0]) if len(storyboards) == 1 else number_of_films(plan, len(storyboards))


def film_title(plan: Plan, storyboard: Storyboard) -> str:
    """The storyboard's title, with its profile where the batch has films of several: `The Last Ferry · tall`."""
    title = one_line(storyboard.title, 200)
    profile = storyboard.profile if has_several_profiles(plan) else None
    return title if profile is None else f"{title} · {one_line(profile, 200)}"


def number_of_films(plan: Plan, number: int) -> str:
    """`3 storyboards`; `2 films` where the batch has several profiles."""
    return f"{number} {'films' if has_several_profiles(plan) else 'storyboards'}"


def has_several_profiles(plan: Plan) -> bool:
    """Whether the batch has films of several profiles."""
    return len({storyboard.profile for storyboard in plan.batch.storyboards}) > 1


def several_films(plan: Plan) -> Several:
    """The plan's storyboards or films, where they are several: the names of shots need them then."""
    films = {step.shot.film for step in plan.steps}
    if len({film.profile for film in films}) > 1:
        return "films"
    return "storyboards" if len(films) > 1 else False
