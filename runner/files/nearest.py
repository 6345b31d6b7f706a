"""The file that a path was probably meant to name, where the path leads nowhere."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from unicodedata import is_normalized, normalize
from urllib.parse import unquote

from runner.diagnostics.folded_name import fold_name
from runner.diagnostics.problem import closest_match
from runner.lazy_dataclass import dataclass

# How many files of the repository are looked at: a hint must not take longer than the check itself.
_MAX_ENTRIES = 2000
# In a folder of more files the nearest name is not sought: the search would be repeated for every missing file.
_MAX_NEIGHBOURS = 50


@dataclass(frozen=True, slots=True)
class _FileIndex:
    """The visible files of a repository by the forms in which they are looked for; of equal forms the first counts."""

    by_path: Mapping[str, str]
    by_unquoted_path: Mapping[str, str]
    by_name: Mapping[str, str]
    by_stem: Mapping[tuple[str, str], str]
    """By folder, and file name without its ending."""
    by_folder: Mapping[str, Mapping[str, str]]


def nearest_file_hint(path: Path, root: Path, folder: Path) -> str:
    """Hint for a file that does not exist: the file that is there under nearly that name, or an empty text.

    The same name in another case or Unicode form, with `%20` for a blank, with another ending, misspelt, or in
    another folder of the repository. Of a file in another place than `folder` starts from, the path to write as well.
    """
    index = _index(os.path.normpath(root))
    wanted = Path(os.path.normpath(path))
    relative = os.path.relpath(wanted, os.path.normpath(root))
    above = fold_name(os.path.dirname(relative))
    # From the likeliest slip on: another case, escapes of an address, another folder, another ending.
    file = (
        index.by_path.get(fold_name(relative))
        or index.by_unquoted_path.get(fold_name(unquote(relative)))
        or index.by_name.get(fold_name(wanted.name))
        or index.by_stem.get((above, fold_name(wanted.stem)))
    )
    neighbours = index.by_folder.get(above, {})
    if file is None and len(neighbours) <= _MAX_NEIGHBOURS:
        closest = closest_match(unquote(wanted.name), tuple(neighbours))
        file = neighbours[closest] if closest is not None else None
    return _hint_naming(file, relative, os.path.relpath(Path(root, file), folder)) if file is not None else ""


def _hint_naming(file: str, wanted: str, to_write: str) -> str:
    if file != wanted and normalize("NFC", file) == normalize("NFC", wanted):
        form = "NFC" if is_normalized("NFC", file) else "NFD"
        return f"{file} is there under the same name in another Unicode form ({form}): rename that file"
    return f"the repository has {file}" + (f": write {to_write}" if to_write != file else "")


@lru_cache(maxsize=1)
def _index(root: str) -> _FileIndex:
    """The index of a repository, made once for a command: there may be thousands of missing files."""
    # Reversed: of files of one form the one nearest to the top comes last, and stays in the mapping.
    files = sorted(_files_of(root), key=lambda file: (file.count("/"), file), reverse=True)
    by_folder: dict[str, dict[str, str]] = {}
    for file in files:
        by_folder.setdefault(fold_name(os.path.dirname(file)), {})[os.path.basename(file)] = file

    def by(form: Callable[[str], str]) -> dict[str, str]:
        return {form(file): file for file in files}

    return _FileIndex(
        by_path=by(fold_name),
        by_unquoted_path=by(lambda file: fold_name(unquote(file))),
        by_name=by(lambda file: fold_name(os.path.basename(file))),
        by_stem={(fold_name(os.path.dirname(file)), fold_name(Path(file).stem)): file for file in files},
        by_folder=by_folder,
    )


def _files_of(root: str) -> Iterator[str]:
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
