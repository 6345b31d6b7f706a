"""The memory of inspected files in the state folder: one file for each repository, replaced as a whole.

It only saves time: a missing, damaged, foreign or oversized file is an empty memory, and one that cannot be written is
not written. Two commands that write at once lose entries at worst, which are then inspected again.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from runner.media.file_memory import FileMemory, FileNumbers, RememberedFile, facts_of_list, facts_to_list

FOLDER = "files"
# Raised with the form of an entry: a file of another version counts as an empty memory.
_VERSION = 1
MAX_BYTES = 8 << 20
MAX_FILES = 20_000
"""Entries of one repository; the oldest inspections go first."""
MAX_REPOSITORIES = 200
"""Memories in the folder; the longest unused go first."""

State = Literal["none", "ok", "damaged", "read-only"]


def memory_path(state: Path, root: Path) -> Path:
    """The file that holds the memory of the repository at `root`."""
    import hashlib

    return state / FOLDER / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:24]}.json"


def load(path: Path) -> dict[str, RememberedFile]:
    """The stored entries; none where they cannot be read."""
    return _read(path) or {}


def save(
    path: Path, memory: FileMemory, *, max_files: int = MAX_FILES, max_repositories: int = MAX_REPOSITORIES
) -> None:
    """Store the memory where it has news, with entries that another command stored meanwhile."""
    if not memory.has_news:
        return
    files = (_read(path) or {}) | memory.files
    newest = sorted(files.items(), key=lambda item: item[1].seen, reverse=True)[:max_files]
    # The memory only saves time: without room or permission the next command inspects again.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        _replace(path, _document(dict(newest)))
        # Otherwise there is no file more than before.
        if is_new:
            _prune(path.parent, max_repositories)
        memory.has_news = False


def state_of(path: Path) -> State:
    """The condition of a stored memory, for `doctor`."""
    if not path.exists():
        return "none"
    if _read(path) is None:
        return "damaged"
    return "ok" if os.access(path.parent, os.W_OK) else "read-only"


def _read(path: Path) -> dict[str, RememberedFile] | None:
    """The stored entries; None for a file that is missing, damaged, too large or of another version."""
    import hashlib
    import json

    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        checksum, _, body = data.partition(b"\n")
        if len(data) > MAX_BYTES or checksum.decode("ascii") != hashlib.sha256(body).hexdigest():
            return None
        document = json.loads(body)
        if document["version"] != _VERSION:
            return None
        return {name: _entry(values) for name, values in document["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None


def _entry(values: list[Any]) -> RememberedFile:
    *numbers, seen, facts = values
    if len(numbers) != 5 or not all(isinstance(number, int) for number in (*numbers, seen)):
        raise ValueError("no numbers of a file")
    if not isinstance(facts, list):
        raise ValueError("no facts of a file")
    return RememberedFile(FileNumbers(*numbers), facts_of_list(facts), seen)


def _document(files: Mapping[str, RememberedFile]) -> bytes:
    import hashlib
    import json

    entries = {
        name: [
            entry.numbers.device,
            entry.numbers.inode,
            entry.numbers.size,
            entry.numbers.changed,
            entry.numbers.entry_changed,
            entry.seen,
            facts_to_list(entry.facts),
        ]
        for name, entry in files.items()
    }
    body = json.dumps({"version": _VERSION, "files": entries}, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogateescape"
    )
    return hashlib.sha256(body).hexdigest().encode("ascii") + b"\n" + body


def _replace(path: Path, content: bytes) -> None:
    """Write a new file beside, and give it the name: a reader sees the old or the new one."""
    # Imported only where something is stored: it takes a millisecond to load.
    import tempfile

    handle, part = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _prune(folder: Path, most: int) -> None:
    memories = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in memories[most:]:
        path.unlink(missing_ok=True)
