"""What a storyboard comes to: its shots, and the batch of all storyboards of one command."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from runner.diagnostics.problem import Place
from runner.lazy_dataclass import dataclass
from runner.requests.request import Material, RemoteFile, Request


class Shot(NamedTuple):
    """One entry of a storyboard after expansion, with the one request that all its takes share."""

    storyboard: str
    """Path of the storyboard from the repository's top."""
    id: str
    request: Request
    takes: int
    place: Place
    """Where its entry stands in the file."""
    title: str | None = None
    notes: str | None = None
    scene: str | None = None
    tags: tuple[str, ...] = ()
    skip: bool = False
    axes: tuple[tuple[str, str], ...] = ()
    """Matrix values by axis, as text."""
    names: tuple[str, ...] = ()
    """The name that the user wrote for each of the request's materials, in their order: `maria`, `quay.last_frame`."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the shots that it is made from, each once."""
        takes = self.request.from_takes
        return tuple(dict.fromkeys([material.shot for material in takes])) if takes else ()

    @property
    def private(self) -> Material | None:
        """The first of its materials that has no public address: a local file, or another shot's clip or frame."""
        return next((material for material in self.request.materials if not isinstance(material, RemoteFile)), None)


@dataclass(frozen=True, slots=True)
class Storyboard:
    """One file that has `storyboard:`, with its shots in the file's order."""

    path: str
    title: str
    shots: tuple[Shot, ...]
    length: Decimal | None = None
    """Seconds that the film should have."""
    budget_credits: Decimal | None = None
    budget_usd: Decimal | None = None
    profiles: tuple[str, ...] = ()
    """Names of the profiles that it knows, its includes' too."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one command works on."""

    storyboards: tuple[Storyboard, ...]

    @property
    def shots(self) -> Iterator[Shot]:
        return (shot for storyboard in self.storyboards for shot in storyboard.shots)
