"""Symbol table of a storyboard: the names that mentions can refer to, and the materials that a shot uses."""

from collections.abc import Callable
from typing import NamedTuple

from runner.diagnostics.problem import Place
from runner.editions.edition import Edition
from runner.language.asset import Asset
from runner.language.materials import AssetMedia, MediaCache
from runner.language.mentions import suggestion
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import Material

Where = tuple[str] | tuple[str, int]
"""A field of a shot, or (field, index) of a list item; its place in the file is looked up only for a problem."""

PROMPT = ("prompt",)


class UsedMaterial(NamedTuple):
    """A material of a shot, with the user's name of it and the field that names it."""

    material: Material
    name: str
    where: Where
    source: NodeRef | None = None
    """Node of the material in its asset; None for a path, an address or a shot."""


class OutputFormat(NamedTuple):
    """Output settings of a request, shared by many shots."""

    model: str
    resolution: str
    seconds: int
    aspect_ratio: str | None
    upscale: str | None


@dataclass(slots=True)
class MisfitFrame:
    """A picture that is the frame of shots of another shape; told once, with all of them."""

    path: str
    name: str
    width: int
    height: int
    place: Place
    """Its first use."""
    shapes: dict[str, None] = field(default_factory=dict)
    """Aspect ratios of the shots, each once, in their order."""
    shots: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class SymbolTable:
    """Names that @mentions can refer to (assets and shots), and caches that the shots of a storyboard share."""

    names: dict[str, Asset | str]
    media: MediaCache
    edition: Edition
    takes: Callable[[str], int | None]
    """Function from a shot's id to its number of takes; None for an unknown shot."""
    forced_output: tuple[str, str] | None = None
    """Model and resolution of every shot, in place of its own."""
    output_formats: dict[tuple[Value, ...], OutputFormat] = field(default_factory=dict)
    """Output settings by the field values that give them: many shots have few different ones."""
    checked_combinations: set[object] = field(default_factory=set)
    """Combinations of model, resolution and so on that passed the edition's checks."""

    misfits: dict[str, MisfitFrame] = field(default_factory=dict)
    """Frames with a shape far from that of their shots, by path."""
    suggestions_left: int = 200
    """For how many more unknown names the nearest one is sought: nobody reads the thousandth."""
    _media: dict[str, AssetMedia] = field(default_factory=dict)
    _all_names: frozenset[str] = frozenset()
    _asset_names_by_file: dict[str, str] | None = None

    def media_of(self, asset: Asset) -> AssetMedia:
        """The inspected media of an asset."""
        media = self._media.get(asset.name)
        if media is None:
            media = self._media[asset.name] = self.media.inspect_asset(asset)
        return media

    def add_misfit(self, frame: MisfitFrame, shape: str, shot: str) -> None:
        """Remember a shot of another shape than its frame; a frame that is known already keeps its first place."""
        misfit = self.misfits.setdefault(frame.path, frame)
        misfit.shapes[shape] = None
        misfit.shots[shot] = None

    def suggestion(self, name: str) -> str:
        """The hint with the nearest name; an empty text when there is none, or after too many."""
        self.suggestions_left -= 1
        return suggestion(name, self.all_names) if self.suggestions_left >= 0 else ""

    def asset_of_file(self, file_name: str) -> str | None:
        """The name of the first asset with a source of this file name, indexed once."""
        if self._asset_names_by_file is None:
            assets = [symbol for symbol in self.names.values() if isinstance(symbol, Asset)]
            self._asset_names_by_file = {
                source.rpartition("/")[2]: asset.name for asset in reversed(assets) for _, source, _ in asset.sources
            }
        return self._asset_names_by_file.get(file_name)

    @property
    def all_names(self) -> frozenset[str]:
        """All names as written, collected once."""
        if not self._all_names:
            self._all_names = frozenset(name for symbol in self.names.values() for name in _names_of(symbol))
        return self._all_names


def _names_of(symbol: Asset | str) -> tuple[str, ...]:
    """The names of an asset, its aliases among them, or the id of a shot."""
    return (symbol.name, *(alias for alias, _ in symbol.aliases)) if isinstance(symbol, Asset) else (symbol,)
