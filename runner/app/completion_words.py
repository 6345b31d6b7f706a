"""The words that a shell completes: ids, tags, scenes and profiles of the storyboards that were last compiled.

One text file for each repository in the state folder, which the shell's function reads without starting this program:
a line is `kind<TAB>name<TAB>takes<TAB>storyboard`.
"""

import os
from contextlib import suppress
from pathlib import Path

from runner.app.project import Project
from runner.files.writing import replace_content
from runner.language.model import Storyboard
from runner.lazy_pattern import lazy_pattern

FOLDER = "completion"
"""The folder in the state folder."""
_MAX_LINES = 50_000
_MAX_FILES = 200
"""Repositories whose words are kept."""
_MAX_NAME_BYTES = 240
_WORD = lazy_pattern(r"\w[\w.@+-]*\Z")
"""Names that no shell takes apart or expands."""


def keep_completion_words(project: Project) -> None:
    """Keep the words of a project without errors; a machine on which that fails completes without them."""
    state, root = project.settings.state_or_none, project.settings.root
    if state is None or project.problems.errors or (name := file_name(root)) is None:
        return
    with suppress(OSError):
        path = state / FOLDER / name
        lines = _lines(project, _read(path))
        content = "".join(f"{line}\n" for line in lines[:_MAX_LINES]).encode()
        if content != _read(path):
            if not path.exists():
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _remove_oldest(path.parent)
            replace_content(path, path.parent, content)


def file_name(root: Path) -> str | None:
    """The name of a repository's file: its path with % in place of /; None for a path that has no such name."""
    name = f"{str(root.resolve()).replace('/', '%')}.txt"
    is_usable = "%" not in str(root) and len(os.fsencode(name)) <= _MAX_NAME_BYTES and name.isprintable()
    return name if is_usable else None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_LINES * 200)
    except OSError:
        return b""


def _lines(project: Project, before: bytes) -> list[str]:
    """The lines of the compiled storyboards, and those of others in the repository that are still there."""
    compiled = {storyboard.path for storyboard in project.batch.storyboards}
    others: dict[str, list[str]] = {}
    for line in before.decode("utf-8", "replace").splitlines():
        path = line.rpartition("\t")[2]
        if path not in compiled:
            others.setdefault(path, []).append(line)
    present = [lines for path, lines in others.items() if os.path.isfile(project.settings.root / path)]
    new = [line for storyboard in project.batch.storyboards for line in _words(storyboard)]
    return [*new, *(line for lines in present for line in lines)]


def _words(storyboard: Storyboard) -> list[str]:
    shots = {shot.id: str(shot.takes) for shot in storyboard.shots}
    tags = dict.fromkeys((tag for shot in storyboard.shots for tag in shot.tags), "-")
    scenes = dict.fromkeys((shot.scene for shot in storyboard.shots if shot.scene), "-")
    profiles = dict.fromkeys(storyboard.profiles, "-")
    if not storyboard.path.isprintable():
        return []
    return [
        f"{kind}\t{name}\t{takes}\t{storyboard.path}"
        for kind, names in (("shot", shots), ("tag", tags), ("scene", scenes), ("profile", profiles))
        for name, takes in names.items()
        if _WORD.match(name)
    ]


def _remove_oldest(folder: Path) -> None:
    """Make room for one more repository."""
    files = sorted(folder.glob("*.txt"), key=lambda path: path.stat().st_mtime)
    for path in files[: max(len(files) - _MAX_FILES + 1, 0)]:
        path.unlink(missing_ok=True)
