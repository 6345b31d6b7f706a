"""The clips of takes, checked against the hashes that the manifest records."""

from collections.abc import Iterator
from pathlib import Path

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.clip_name import ClipName
from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.files.lfs_pointer import is_lfs_pointer
from runner.files.reading import hash_clip
from runner.planning.plan import Plan, Step
from runner.settings.settings import Settings
from runner.show.screens.clips import LFS_POINTER, ClipCheck


def verify_clips(settings: Settings, plan: Plan, history: History) -> list[ClipCheck]:
    """Check the clip of every take of a plan that has one."""
    return [check(settings, step, attempt, clip) for step, attempt, clip in takes_with_clips(settings, plan, history)]


def takes_with_clips(settings: Settings, plan: Plan, history: History) -> Iterator[tuple[Step, Attempt, Clip]]:
    """Every take of a plan that has a clip, with the clip under its own name."""
    for step in plan.steps:
        attempt = history.current_attempt(step.fingerprint) if step.fingerprint is not None else None
        if attempt is not None and attempt.state.has_clip and attempt.clip is not None:
            own_path = target(settings, step, attempt).relative_to(settings.root).as_posix()
            # A shared take has several copies; each name is checked against its own record.
            own_clips = (clip for clip in attempt.clips if clip.path == own_path)
            yield step, attempt, next(own_clips, attempt.clip)


def target(settings: Settings, step: Step, attempt: Attempt) -> Path:
    """The path of a take's clip; a doubtful clip lies beside its final name."""
    name = ClipName(step.shot.id, step.take, is_doubtful=attempt.state is AttemptState.DOUBTFUL)
    return settings.output_folder(step.shot.film) / name.path


def check(settings: Settings, step: Step, attempt: Attempt, clip: Clip) -> ClipCheck:
    """Check the file of a take against the recorded clip."""
    path = target(settings, step, attempt)
    name = path.relative_to(settings.root).as_posix()
    identity = (step.shot.film, step.shot.id, step.take, name)
    try:
        is_same = hash_clip(path, settings.root) == clip.sha256
    except FileNotFoundError:
        return ClipCheck(*identity, "missing")
    except OSError as error:
        return ClipCheck(*identity, "failed", error.strerror or str(error))
    # A clone without Git LFS has a pointer in each clip's place: nothing is damaged, and git brings it.
    if not is_same and is_lfs_pointer(path, settings.root):
        return ClipCheck(*identity, "missing", LFS_POINTER)
    if not is_same:
        return ClipCheck(*identity, "changed", "its content differs from the recorded clip")
    if attempt.state is AttemptState.DOUBTFUL:
        return ClipCheck(*identity, "doubtful", f"it {attempt.clip_fault}")
    return ClipCheck(*identity, "whole")
