"""Everybody who can be mentioned in a storyboard, and what a shot uses of them."""

from typing import NamedTuple

from runner.edition.edition import Edition
from runner.language.document import Origin
from runner.language.materials import Asset, Stock
from runner.request import LocalFile, Material, Remote
from runner.values import dataclass, field


class Used(NamedTuple):
    """A material of a shot, the name that the user wrote for it, and where."""

    material: Material
    name: str
    origin: Origin
    source: Origin | None = None
    """Where the asset says it; None for what a field or a prompt names itself."""


@dataclass(slots=True)
class Cast:
    """Everybody who can be mentioned in one storyboard."""

    names: dict[str, Asset | str]
    stock: Stock
    edition: Edition
    hidden: tuple[str, ...] = ()
    """How names begin that are not known because of another problem."""
    takes: dict[str, int] = field(default_factory=dict)
    """Takes of each shot whose number is known."""
    fine: set[object] = field(default_factory=set)
    """Combinations of model, resolution and so on in which nothing was found wrong."""

    @property
    def known(self) -> tuple[str, ...]:
        return tuple(sorted(one.name if isinstance(one, Asset) else one for one in self.names.values()))


def same_source(one: Material, other: Material) -> bool:
    """One file or address, or one frame of one take: named twice it is sent once."""
    match one, other:
        case LocalFile(), LocalFile():
            return one.path == other.path
        case Remote(), Remote():
            return one.url == other.url
    return one == other
