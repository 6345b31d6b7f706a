"""The number of shots that a storyboard file has, and of those that have an error."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import prod
from typing import NamedTuple

from runner.diagnostics.problem import Problem
from runner.language.shot_draft import ShotDraft
from runner.language.yaml.document import Key, Value
from runner.lazy_pattern import lazy_pattern

# The start of a place in an entry of `shots`, which counts from 0.
_ENTRY = lazy_pattern(r"shots\[(\d+)\]")


def written_shots(shots: Value) -> tuple[int, ...]:
    """The number of shots that each entry of `shots` stands for, whatever its shape; a mapping has them by name."""
    if isinstance(shots, dict):
        from runner.language.list_hints import is_one_shot

        shots = [shots] if is_one_shot(shots) else list(shots.values())
    return tuple(map(_combinations, shots)) if isinstance(shots, list) else ()


def _combinations(entry: Value) -> int:
    """The shots of an entry: 1, or the product of the lengths of its matrix's axes."""
    matrix = entry.get("matrix") if isinstance(entry, dict) else None
    if not isinstance(matrix, dict):
        return 1
    # Of a broken matrix nobody can tell what `exclude` and `include` would do.
    axes = (axis for name, axis in matrix.items() if name not in ("include", "exclude"))
    return prod(len(axis) for axis in axes if isinstance(axis, dict | list) and axis)


class ShotCounts(NamedTuple):
    """The number of shots of a file, and of those with an error."""

    shots: int
    faulty: int


def count_shots(
    written: Sequence[int], drafts: Sequence[ShotDraft], errors: Iterable[Problem], file: str
) -> ShotCounts:
    """Count the expanded shots and those of the entries that were left out.

    A shot has an error that names it, or that lies in its entry of the file and names no shot.
    """
    expanded = Counter(map(_index, drafts))
    names: set[str] = set()
    entries: set[int] = set()
    for error in errors:
        names.update(error.shots)
        match = _ENTRY.match(error.place.path) if error.place.file == file and not error.shots else None
        if match:
            entries.add(int(match.group(1)))
    faulty = sum(_index(draft) not in entries and draft.id in names for draft in drafts)
    # An entry that was left out has no expanded shots, and counts as it is written.
    faulty += sum(expanded[index] or written[index] for index in entries if index < len(written))
    left_out = sum(count for index, count in enumerate(written) if index not in expanded)
    return ShotCounts(len(drafts) + left_out, faulty)


def _index(draft: ShotDraft) -> Key:
    """The index of the entry of `shots` that a shot stands in."""
    return draft.entry.path[1]
