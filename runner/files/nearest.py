"""Finds the file that a path was probably meant to name, where the path leads nowhere."""

import os
from collections.abc import Iterator
from pathlib import Path
from unicodedata import is_normalized, normalize
from urllib.parse import unquote

from runner.diagnostics.problem import closest_match

_MAX_ENTRIES = 2000
"""How many files of the repository are looked at: a hint must not take longer than the check itself."""


def nearest_file_hint(path: Path, root: Path) -> str:
    """Hint for a file that does not exist: the file that is there under nearly that name, or an empty text.

    The same name in another case or Unicode form, with `%20` for a blank, with another ending, misspelt, or in
    another folder of the repository.
    """
    wanted = Path(os.path.normpath(path))
    files = list(_files_of(root))
    top = os.path.normpath(root)
    relative = os.path.relpath(wanted, top)
    for form in (_fold, lambda name: _fold(unquote(name))):
        for file in files:
            if form(file) == form(relative):
                return _hint_naming(file, relative)
    same_name = [file for file in files if _fold(os.path.basename(file)) == _fold(wanted.name)]
    if same_name:
        return _hint_naming(min(same_name, key=lambda file: (file.count("/"), file)), relative)
    folder = _fold(os.path.dirname(relative))
    beside = {os.path.basename(file): file for file in files if _fold(os.path.dirname(file)) == folder}
    stems = {name: file for name, file in beside.items() if _fold(Path(name).stem) == _fold(wanted.stem)}
    if stems:
        return _hint_naming(min(stems.values()), relative)
    closest = closest_match(unquote(wanted.name), tuple(beside))
    return _hint_naming(beside[closest], relative) if closest is not None else ""


def _fold(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).casefold())


def _hint_naming(file: str, wanted: str) -> str:
    if file != wanted and normalize("NFC", file) == normalize("NFC", wanted):
        form = "NFC" if is_normalized("NFC", file) else "NFD"
        return f"{file} is there under the same name in another Unicode form ({form}): rename that file"
    return f"the repository has {file}"


def _files_of(root: Path) -> Iterator[str]:
    """Paths of visible files relative to `root`, a bounded number of them; links are not followed."""
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                count += 1
                if count > _MAX_ENTRIES:
                    return
                yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
