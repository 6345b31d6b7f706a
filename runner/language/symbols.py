"""Everybody who can be mentioned in a storyboard, and what a shot uses of them."""

from collections.abc import Callable
from typing import NamedTuple

from runner.editions.edition import Edition
from runner.language.materials import Asset, Stock
from runner.language.yaml.document import Origin, Value
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import LocalFile, Material, Remote

Where = tuple[str] | tuple[str, int]
"""A field of a shot, or an item of one; looked up in the file only when there is something to say."""

PROMPT = ("prompt",)


class Used(NamedTuple):
    """A material of a shot, the name that the user wrote for it, and where."""

    material: Material
    name: str
    where: Where
    source: Origin | None = None
    """Where the asset says it; None for what a field or a prompt names itself."""


class Form(NamedTuple):
    """The part of a request that many shots share."""

    model: str
    resolution: str
    seconds: int
    aspect_ratio: str | None
    upscale: str | None


@dataclass(slots=True)
class Cast:
    """Everybody who can be mentioned in one storyboard."""

    names: dict[str, Asset | str]
    stock: Stock
    edition: Edition
    takes: Callable[[str], int | None]
    """How many takes a shot has, by its id; None when nobody knows."""
    hidden: tuple[str, ...] = ()
    """How names begin that are not known because of another problem."""
    forms: dict[tuple[Value, ...], Form] = field(default_factory=dict)
    """What shots are asked for, by the values that say it: few for many shots."""
    fine: set[object] = field(default_factory=set)
    """Combinations of model, resolution and so on in which nothing was found wrong."""

    _known: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """Everybody's name as it is written, sorted once."""
        if not self._known:
            self._known = tuple(sorted(one.name if isinstance(one, Asset) else one for one in self.names.values()))
        return self._known


def same_source(one: Material, other: Material) -> bool:
    """One file or address, or one frame of one take: named twice it is sent once."""
    match one, other:
        case LocalFile(), LocalFile():
            return one.path == other.path
        case Remote(), Remote():
            return one.url == other.url
    return one == other
