"""The words that a shell completes: ids, tags, scenes and profiles of the storyboards that were last compiled.

One text file for each repository in the state folder, which the shell's function reads without starting this program:
a line is `kind<TAB>name<TAB>takes<TAB>storyboard`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from runner.attempts.film import storyboard_slug
from runner.files.writing import replace_content
from runner.language.model import Batch, Storyboard
from runner.lazy_pattern import lazy_pattern
from runner.settings.settings import Settings

if TYPE_CHECKING:
    from runner.attempts.history import History

FOLDER = "completion"
"""The folder in the state folder."""
# A shell reads the file at each TAB: more lines than these would be felt.
_MAX_LINES = 50_000
# Repositories whose words are kept.
_MAX_FILES = 200
# Of the 255 that a file system takes: the part file beside has a longer name.
_MAX_NAME_BYTES = 240
# Names that no shell takes apart or expands.
_WORD = lazy_pattern(r"\w[\w.@+-]*\Z")
# The path of a storyboard has folders, too.
_SLUG = lazy_pattern(r"\w[\w.@+/-]*\Z")
Takes = Mapping[tuple[str, str], int]
"""The highest number of a take, by the storyboard's path and the shot's id."""


def keep_completion_words(settings: Settings, batch: Batch, history: "History | None" = None) -> None:
    """Keep the words of storyboards without errors; a machine on which that fails completes without them.

    `history` tells the numbers of retakes; without it those of the last time stay.
    """
    state, root = settings.state_or_none, settings.root
    if state is None or (name := file_name(root)) is None:
        return
    # Completion is a convenience: a full disk or a read-only state folder never fails a command.
    with suppress(OSError):
        path = state / FOLDER / name
        before = _read(path)
        takes = _takes_before(before) if history is None else _takes_of(history)
        lines = _lines(root, batch, before, takes)
        content = "".join(f"{line}\n" for line in lines[:_MAX_LINES]).encode()
        # Nothing is written where nothing changed: these commands change no file in a repository that stands.
        if content != before:
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


def _takes_before(content: bytes) -> Takes:
    """The highest takes that a file of words names."""
    lines = (line.split("\t") for line in content.decode("utf-8", "replace").splitlines())
    fields = (line for line in lines if len(line) == 4 and line[0] == "shot" and line[2].isdecimal())
    return {(path, name): int(takes) for _, name, takes, path in fields}


def _takes_of(history: "History") -> Takes:
    """The highest takes that were ordered."""
    takes: dict[tuple[str, str], int] = {}
    for attempt in history.attempts.values():
        key = (attempt.intent.storyboard, attempt.intent.shot)
        takes[key] = max(takes.get(key, 0), attempt.intent.take)
    return takes


def _lines(root: Path, batch: Batch, before: bytes, takes: Takes) -> list[str]:
    """The lines of the compiled storyboards, and those of others in the repository that are still there."""
    compiled = {storyboard.path for storyboard in batch.storyboards}
    others: dict[str, list[str]] = {}
    for line in before.decode("utf-8", "replace").splitlines():
        path = line.rpartition("\t")[2]
        if path not in compiled:
            others.setdefault(path, []).append(line)
    # A command that names one storyboard does not forget the words of the others.
    present = [lines for path, lines in others.items() if os.path.isfile(root / path)]
    new = [line for storyboard in batch.storyboards for line in _words(storyboard, takes)]
    return [*new, *(line for lines in present for line in lines)]


def _words(storyboard: Storyboard, takes: Takes) -> Iterator[str]:
    """The lines of a storyboard; each shot has a second one, with its storyboard before it."""
    path, slug = storyboard.path, storyboard_slug(storyboard.path)
    if not path.isprintable():
        return
    shots = {shot.id: str(max(shot.takes, takes.get((path, shot.id), 0))) for shot in storyboard.shots}
    tags = dict.fromkeys((tag for shot in storyboard.shots for tag in shot.tags), "-")
    scenes = dict.fromkeys((shot.scene for shot in storyboard.shots if shot.scene), "-")
    profiles = dict.fromkeys(storyboard.profiles, "-")
    for kind, names in (("shot", shots), ("tag", tags), ("scene", scenes), ("profile", profiles)):
        for name, number in names.items():
            if _WORD.match(name):
                yield f"{kind}\t{name}\t{number}\t{path}"
    if _SLUG.match(slug):
        yield from (f"shot\t{slug}:{name}\t{number}\t{path}" for name, number in shots.items() if _WORD.match(name))


def _remove_oldest(folder: Path) -> None:
    """Make room for one more repository."""
    files = sorted(folder.glob("*.txt"), key=lambda path: path.stat().st_mtime)
    for path in files[: max(len(files) - _MAX_FILES + 1, 0)]:
        path.unlink(missing_ok=True)
