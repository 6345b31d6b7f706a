"""Everybody who can be mentioned in a storyboard, and what a shot uses of them."""

from collections.abc import Callable
from typing import NamedTuple

from runner.editions.edition import Edition
from runner.language.materials import Asset, MediaCache
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import LocalFile, Material, RemoteFile

Where = tuple[str] | tuple[str, int]
"""A field of a shot, or an item of one; looked up in the file only when there is something to say."""

PROMPT = ("prompt",)


class UsedMaterial(NamedTuple):
    """A material of a shot, the name that the user wrote for it, and where."""

    material: Material
    name: str
    where: Where
    source: NodeRef | None = None
    """Where the asset says it; None for what a field or a prompt names itself."""


class OutputFormat(NamedTuple):
    """The part of a request that many shots share."""

    model: str
    resolution: str
    seconds: int
    aspect_ratio: str | None
    upscale: str | None


@dataclass(slots=True)
class SymbolTable:
    """Everybody who can be mentioned in one storyboard."""

    names: dict[str, Asset | str]
    media: MediaCache
    edition: Edition
    takes: Callable[[str], int | None]
    """How many takes a shot has, by its id; None when nobody knows."""
    suppressed_prefixes: tuple[str, ...] = ()
    """How names begin that are not known because of another problem."""
    output_formats: dict[tuple[Value, ...], OutputFormat] = field(default_factory=dict)
    """What shots are asked for, by the values that say it: few for many shots."""
    checked_combinations: set[object] = field(default_factory=set)
    """Combinations of model, resolution and so on in which nothing was found wrong."""

    _sorted_names: tuple[str, ...] = ()

    @property
    def all_names(self) -> tuple[str, ...]:
        """Everybody's name as it is written, sorted once."""
        if not self._sorted_names:
            self._sorted_names = tuple(
                sorted(symbol.name if isinstance(symbol, Asset) else symbol for symbol in self.names.values())
            )
        return self._sorted_names


def same_source(first: Material, second: Material) -> bool:
    """One file or address, or one frame of one take: named twice it is sent once."""
    match first, second:
        case LocalFile(), LocalFile():
            return first.path == second.path
        case RemoteFile(), RemoteFile():
            return first.url == second.url
    return first == second
