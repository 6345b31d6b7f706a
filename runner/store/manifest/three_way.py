"""The merge of plain values from two branches and the version that both grew from. Pure."""

from collections.abc import Mapping
from typing import Any, Final

ABSENT: Final = object()
"""In place of a field that a table does not have."""


def merge_value(base: Any, ours: Any, theirs: Any) -> Any:
    """The value that one side changed; where both did, tables field by field, and else ours, or what is left.

    Each may be `ABSENT`, and so may the result.
    """
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return merge_fields(base if isinstance(base, Mapping) else {}, ours, theirs)
    return theirs if ours is ABSENT else ours


def merge_fields(base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a table, each merged by itself; in the order of ours, then theirs."""
    merged = {
        name: merge_value(*(side.get(name, ABSENT) for side in (base, ours, theirs)))
        for name in dict.fromkeys((*ours, *theirs))
    }
    return {name: value for name, value in merged.items() if value is not ABSENT}
