"""The lines of a plan about its materials: what leaves this machine, and by which way."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from runner.planning.material_routes import Skipped
from runner.planning.outgoing import OutgoingMaterial
from runner.show.text.cells import width as cells
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count, volume
from runner.show.text.layout import wrapped

# In the words of film-makers, and in the order in which a line counts them.
_KINDS = {"image": ("picture", "pictures"), "video": ("video", "videos"), "audio": ("sound", "sounds")}
# The two ways on which bytes leave; how long uploads are kept stands in the provider's pages.
_WAYS = {"upload": "uploads, deleted there after 24 hours", "store": "your store"}


def summary_lines(materials: Sequence[OutgoingMaterial], width: int) -> list[str]:
    """`leaves this machine: 5 pictures, 1 sound, 6.2 MB to HOST (uploads, …); 1 was sent before`."""
    parts = [*_leaving(materials), *_staying(materials)]
    sent = sum(material.sent and material.leaves for material in materials)
    if sent:
        parts.append(f"{sent} {'was' if sent == 1 else 'were'} sent before")
    return wrapped("; ".join(parts), width) if parts else []


def _leaving(materials: Sequence[OutgoingMaterial]) -> Iterator[str]:
    groups: dict[tuple[str, str], list[OutgoingMaterial]] = {}
    for material in materials:
        if material.leaves:
            groups.setdefault((material.host, material.way or ""), []).append(material)
    lead = "leaves this machine: "
    for (host, way), members in groups.items():
        sizes = [material.bytes for material in members if material.bytes is not None]
        size = [volume(sum(sizes))] if sizes else []
        yield f"{lead}{', '.join([*_counted(members), *size])} to {escape_terminal(host)} ({_WAYS[way]})"
        lead = ""


def _staying(materials: Sequence[OutgoingMaterial]) -> Iterator[str]:
    own = [material for material in materials if material.way == "vendor"]
    if own:
        yield f"{', '.join(_counted(own))} by links of {escape_terminal(own[0].host)} itself"
    committed = [material for material in materials if material.way == "git"]
    if committed:
        yield f"{', '.join(_counted(committed))} read from {escape_terminal(committed[0].host)} (git)"


def _counted(materials: Iterable[OutgoingMaterial]) -> list[str]:
    counts = Counter[str](material.kind for material in materials)
    return [count(counts[kind], singular, plural) for kind, (singular, plural) in _KINDS.items() if counts[kind]]


def list_lines(materials: Sequence[OutgoingMaterial]) -> list[str]:
    """Each material with way, host, size and the start of its hash; then why earlier ways were not taken."""
    names = [escape_terminal(material.name) for material in materials]
    longest = max(map(cells, names), default=0)
    routes = [f"{material.way or 'no way'} {escape_terminal(material.host)}".strip() for material in materials]
    widest = max(map(cells, routes), default=0)
    lines: list[str] = []
    for name, route, material in zip(names, routes, materials, strict=True):
        size = "" if material.bytes is None else volume(material.bytes)
        row = f"    {name}{' ' * (longest - cells(name))}  {route}{' ' * (widest - cells(route))}  {size:>9}"
        sent = "  sent before" if material.sent else ""
        lines.append(f"{row}  {(material.sha256 or '')[:12]}{sent}".rstrip())
        lines += [f"      not {skipped.way}: {escape_terminal(skipped.reason)}" for skipped in _worth_telling(material)]
    return lines


def _worth_telling(material: OutgoingMaterial) -> Iterator[Skipped]:
    """Git's reason why a file was not taken from it; none for a way that is not configured."""
    for skipped in material.skipped:
        # Whoever has set `git_url` expects git to serve the file, and should know why it does not.
        if skipped.way == "git" and material.sha256 is not None and "git_url" not in skipped.reason:
            yield skipped
