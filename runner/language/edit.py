"""The edit of a film as its storyboard writes it: the entries of `cut:`, and the music; no fingerprint holds it."""

from decimal import Decimal
from typing import Literal

from runner.diagnostics.problem import Place
from runner.lazy_dataclass import dataclass

EntryKind = Literal["shot", "clip", "slate"]


@dataclass(frozen=True, slots=True)
class CutEntry:
    """One entry of `cut:`. Times are seconds; None leaves a value to the shot or to the clip."""

    kind: EntryKind
    text: str
    """The shot's id, the clip's path as written, or the words on the slate."""
    place: Place
    take: int | None = None
    """The take to show, of a shot; None shows the picked one."""
    path: str | None = None
    """The clip's or picture's path from the repository's top."""
    is_picture: bool = False
    """Whether `path` is a picture, which stands still."""
    in_seconds: Decimal | None = None
    seconds: Decimal | None = None
    """For a clip without `seconds`: its measured length after `in`."""
    level: Decimal | None = None
    """Decibels by which the sound is raised or lowered."""


@dataclass(frozen=True, slots=True)
class Music:
    """The sound under the whole cut."""

    path: str
    """The path from the repository's top."""
    start: Decimal = Decimal(0)
    """Seconds into the sound at which it begins."""
    level: Decimal | None = None
    """Decibels by which the sound is raised or lowered."""
    seconds: Decimal | None = None
    """The measured length of the whole sound; None where it cannot be measured."""
