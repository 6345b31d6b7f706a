"""The compiled model: Shot, Storyboard and Batch."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from runner.diagnostics.problem import Place
from runner.lazy_dataclass import dataclass
from runner.requests.request import Material, RemoteFile, Request


class Shot(NamedTuple):
    """An entry of a storyboard after expansion, with the request that all its takes share."""

    storyboard: str
    """Path of the storyboard from the repository's top."""
    id: str
    request: Request
    takes: int
    place: Place
    """Position of the shot's entry in the file."""
    title: str | None = None
    notes: str | None = None
    scene: str | None = None
    tags: tuple[str, ...] = ()
    skip: bool = False
    axes: tuple[tuple[str, str], ...] = ()
    """Matrix values by axis, as text."""
    names: tuple[str, ...] = ()
    """The user's name of each of the request's materials, in order: `maria`, `quay.last_frame`."""
    own_prompt: str = ""
    """The rendered prompt before its `wrap`, mentions as written."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the shots whose clips this shot is made from, each once."""
        takes = self.request.from_takes
        return tuple(dict.fromkeys([material.shot for material in takes])) if takes else ()

    @property
    def private(self) -> Material | None:
        """The first material without a public address: a local file, or another shot's clip or frame."""
        return next((material for material in self.request.materials if not isinstance(material, RemoteFile)), None)


@dataclass(frozen=True, slots=True)
class Storyboard:
    """A storyboard file with its shots in file order."""

    path: str
    title: str
    shots: tuple[Shot, ...]
    length: Decimal | None = None
    """Intended length of the film in seconds."""
    budget_credits: Decimal | None = None
    budget_usd: Decimal | None = None
    profiles: tuple[str, ...] = ()
    """Names of the profiles of the storyboard and its includes."""
    shot_count: int = 0
    """How many shots the file has after expansion, those with a problem included."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All storyboards of one command."""

    storyboards: tuple[Storyboard, ...]

    @property
    def shots(self) -> Iterator[Shot]:
        return (shot for storyboard in self.storyboards for shot in storyboard.shots)
