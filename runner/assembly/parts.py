"""The content of a film file: its parts in order, music below them, and the shape of its picture."""

from fractions import Fraction
from pathlib import Path
from typing import Literal

from runner.animatic.fonts import Environment
from runner.lazy_dataclass import dataclass

PartKind = Literal["clip", "picture", "slate"]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the film: a used range of a clip, a still picture, or a slate in place of a missing clip."""

    kind: PartKind
    seconds: Fraction
    """Film time; more than the clip holds is filled with its last frame and silence."""
    path: Path | None = None
    """The clip or picture; None for a slate."""
    start: Fraction = Fraction(0)
    """Seconds into the clip at which the used range begins."""
    level: float = 0.0
    """Change of the sound in dB."""
    slate_lines: tuple[str, ...] = ()
    """The text of a slate, its first line large."""
    burn_in: str = ""
    """Text that is burnt into each frame, followed by the film's time code; "" for none."""

    @property
    def end(self) -> Fraction:
        return self.start + self.seconds


@dataclass(frozen=True, slots=True)
class MusicTrack:
    """An audio file below the whole film; where it is shorter, silence follows."""

    path: Path
    start: Fraction = Fraction(0)
    level: float = 0.0
    """Change of the music in dB."""


@dataclass(frozen=True, slots=True)
class FilmShape:
    """Size in pixels (even numbers) and frames a second of a film file."""

    width: int
    height: int
    rate: Fraction


DEFAULT_SHAPE = FilmShape(1280, 720, Fraction(24))
"""The shape of a film in which no clip says another one."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """A film file to make."""

    parts: tuple[Part, ...]
    music: MusicTrack | None = None
    key: str = ""
    """Hash of the edit and of its clips, written into the file's metadata."""
    fallback: FilmShape = DEFAULT_SHAPE
    """The shape where no part is a clip."""
    quick: bool = False
    """Whether to encode at 480 lines with a fast preset, as at the end of a free run."""
    copy_only: bool = False
    """Whether a film that would have to be encoded is not made."""
    environment: Environment = ()
    """What fontconfig gets: never the environment with the provider's key."""

    @property
    def seconds(self) -> Fraction:
        return sum((part.seconds for part in self.parts), Fraction(0))


@dataclass(frozen=True, slots=True)
class AssembledFilm:
    """The result of an assembly."""

    seconds: Fraction
    shape: FilmShape
    copied: bool
    """Whether the packets of the pictures were copied; otherwise the film was encoded."""
    reason: str = ""
    """Why the packets could not be copied: "2 clips have another size"."""
    notes: tuple[str, ...] = ()
    """What a viewer should know: clips that are shorter than their range, music that ends early, missing fonts."""


class AssemblyError(Exception):
    """A film that cannot be made; `message` names the file, what happened, and is for the user."""

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class CannotCopy(Exception):  # noqa: N818 - a reason to encode, always caught
    """The packets of these parts cannot be joined; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
