"""The clips of a history that this disk still has."""

import os
from pathlib import Path
from stat import S_ISREG

from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.files.reading import hash_clip
from runner.planning.attempt_action import ClipExists


def clips_on_disk(history: History, root: Path) -> ClipExists:
    """Return a predicate: a clip's file exists with its size, and its hash where several clips had that name."""
    claims: dict[str, set[str]] = {}
    for attempt in history.attempts.values():
        for clip in attempt.clips:
            if clip.repository is None:
                claims.setdefault(clip.path, set()).add(clip.sha256)

    top = str(root)

    def exists(clip: Clip) -> bool:
        # A clip of another repository or of `fetch --task` lies where no film of this one may take it from.
        if clip.repository is not None:
            return False
        path = os.path.join(top, clip.path)  # for each clip of the film: a `Path` takes longer than the look at it
        try:
            status = os.stat(path)
            if not S_ISREG(status.st_mode) or status.st_size != clip.bytes:
                return False
            # A file is hashed only where its size and name leave open whose clip it is: a plan reads no clips.
            return len(claims.get(clip.path, ())) < 2 or hash_clip(Path(path), root) == clip.sha256
        except (OSError, ValueError):
            return False

    return exists
