"""Assets as a storyboard defines them: their media as written, their part and their words."""

from runner.language.loader import Definition
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass
from runner.requests.request import Kind

KINDS: tuple[Kind, ...] = ("image", "video", "audio")


@dataclass(frozen=True, slots=True)
class Asset:
    """An entry of `assets`: its media as written, and its words (a template)."""

    name: str
    sources: tuple[tuple[Kind | None, str, NodeRef], ...]
    """Kind (None: decided by the file ending), path or URL, and position in the file, for each source."""
    words: str | None
    words_origin: NodeRef
    start: Value
    seconds: Value
    layers: tuple[NodeRef, ...]
    """Definitions of this name; the last one wins."""
    own: bool
    """True when the storyboard itself defines the asset, not an include."""
    aliases: tuple[tuple[str, NodeRef], ...] = ()
    """Further names of the asset, each with its position in the file."""

    @property
    def origin(self) -> NodeRef:
        """Position of the definition that wins."""
        return self.layers[-1]

    def field(self, name: str) -> NodeRef:
        """Position of a field in the last definition that has it; of the asset without one."""
        return _field(self.layers, name)


def read_asset(name: str, definition: Definition, own: bool) -> Asset | None:
    """The asset of a definition; None when its last layer removes the asset."""
    value = definition.merged()
    if isinstance(value, str):
        return Asset(
            name, ((None, value, definition.origin),), None, definition.origin, None, None, definition.layers, own
        )
    if not isinstance(value, dict):
        return None
    kinds = [kind for kind in KINDS if value.get(kind) is not None]
    # An override may change the kind: the merged definition then has two, and the last layer's counts.
    kind = next((k for k in kinds if _is_in_last(definition, k)), kinds[0] if kinds else None)
    sources: tuple[tuple[Kind | None, str, NodeRef], ...] = ()
    if kind is not None:
        written, origin = value[kind], _field(definition.layers, kind)
        items = (
            [(item, origin / i) for i, item in enumerate(written)] if isinstance(written, list) else [(written, origin)]
        )
        sources = tuple((kind, str(item), item_origin) for item, item_origin in items)
    words = value.get("words")
    return Asset(
        name,
        sources,
        words if isinstance(words, str) else None,
        _field(definition.layers, "words"),
        value.get("start"),
        value.get("seconds"),
        definition.layers,
        own,
        _aliases(definition, value.get("aliases")),
    )


def _aliases(definition: Definition, aliases: Value) -> tuple[tuple[str, NodeRef], ...]:
    origin = _field(definition.layers, "aliases")
    items = aliases if isinstance(aliases, list) else []
    return tuple((str(name), origin / index) for index, name in enumerate(items))


def _field(layers: tuple[NodeRef, ...], name: str) -> NodeRef:
    holders = [layer for layer in layers if isinstance(layer.value, dict) and name in layer.value]
    return holders[-1] / name if holders else layers[-1]


def _is_in_last(definition: Definition, name: str) -> bool:
    value = definition.origin.value
    return isinstance(value, dict) and name in value
