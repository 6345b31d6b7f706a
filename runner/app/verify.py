"""Checks the clips of takes against the hashes that the manifest records."""

from collections.abc import Iterator
from pathlib import Path

from runner.app.plan_report import read_history
from runner.app.session import Session
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.clip_name import ClipName
from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.files.lfs_pointer import is_lfs_pointer
from runner.files.reading import hash_clip
from runner.planning.plan import Step
from runner.show.screens.clips import LFS_POINTER, ClipCheck


def verify_clips(session: Session) -> list[ClipCheck]:
    """Check the clip of every selected take that has one."""
    history = read_history(session)
    return [check(session, step, attempt, clip) for step, attempt, clip in takes_with_clips(session, history)]


def takes_with_clips(session: Session, history: History) -> Iterator[tuple[Step, Attempt, Clip]]:
    """Every selected take that has a clip, with the clip under its own name."""
    for step in session.plan(history, selected=session.selected(history)).steps:
        attempt = history.current_attempt(step.fingerprint) if step.fingerprint is not None else None
        if attempt is not None and attempt.state.has_clip and attempt.clip is not None:
            own_path = target(session, step, attempt).relative_to(session.settings.root).as_posix()
            own_clips = (clip for clip in attempt.clips if clip.path == own_path)
            yield step, attempt, next(own_clips, attempt.clip)


def target(session: Session, step: Step, attempt: Attempt) -> Path:
    """The path of a take's clip; a doubtful clip lies beside its final name."""
    name = ClipName(step.shot.id, step.take, is_doubtful=attempt.state is AttemptState.DOUBTFUL)
    return session.settings.output_folder(step.shot.film) / name.path


def check(session: Session, step: Step, attempt: Attempt, clip: Clip) -> ClipCheck:
    """Check the file of a take against the recorded clip."""
    path = target(session, step, attempt)
    name = path.relative_to(session.settings.root).as_posix()
    identity = (step.shot.film, step.shot.id, step.take, name)
    try:
        is_same = hash_clip(path, session.settings.root) == clip.sha256
    except FileNotFoundError:
        return ClipCheck(*identity, "missing")
    except OSError as error:
        return ClipCheck(*identity, "failed", error.strerror or str(error))
    if not is_same and is_lfs_pointer(path, session.settings.root):
        return ClipCheck(*identity, "missing", LFS_POINTER)
    if not is_same:
        return ClipCheck(*identity, "changed", "its content differs from the recorded clip")
    if attempt.state is AttemptState.DOUBTFUL:
        return ClipCheck(*identity, "doubtful", f"it {attempt.doubt}")
    return ClipCheck(*identity, "whole")
