"""Which lines a plan's table has: shots by scene, unchanged ones as one line, runs of equal ones as one. Pure."""

import os.path
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from runner.language.model import Shot
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action, Step
from runner.requests.request import FromTake, LocalFile, Material, Remote
from runner.show.text.escape import clean

MOST_ROWS = 36
"""A table of more lines than this says less than one of fewer: runs are joined, then scenes."""
_TROUBLE = frozenset({Action.UNSETTLED, Action.REFUSED, Action.BLOCKED, Action.GONE})
SEVERAL = "several"
_SHORT_PAIR = 14
_SHORT_MODELS = {"seedance-20": "20", "seedance2-fast": "fast"}
_PARTS = {"clip": "", "first_frame": " first frame", "last_frame": " last frame"}


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in one line: some shots that follow each other, with all their steps."""

    shots: tuple[Shot, ...]
    steps: tuple[Step, ...]
    places: tuple[int, ...]
    """Where the shots stand in the file."""

    @property
    def name(self) -> str:
        """Its shots, shortly; a range only when nothing stands between them."""
        whole = self.places[-1] - self.places[0] + 1 == len(self.places)
        return span([shot.id for shot in self.shots], whole)

    @property
    def kept(self) -> bool:
        """Nothing is to be done for any of it."""
        return all(step.action is Action.KEEP for step in self.steps)

    @property
    def trouble(self) -> bool:
        return any(step.action in _TROUBLE for step in self.steps)


@dataclass(frozen=True, slots=True)
class Scene:
    """The lines of one scene, in the order of the file; `name` is None where no scene is given."""

    name: str | None
    entries: tuple[Entry, ...]
    folded: bool = False
    """One line stands for the whole scene."""

    @property
    def whole(self) -> Entry:
        """All its shots as one line."""
        return join(self.entries)

    @property
    def trouble(self) -> bool:
        return any(entry.trouble for entry in self.entries)

    @property
    def lines(self) -> int:
        return 1 if self.folded else len(self.entries) + (self.name is not None)


def join(entries: Iterable[Entry]) -> Entry:
    """Several lines as one."""
    found = tuple(entries)
    shots = tuple(shot for entry in found for shot in entry.shots)
    steps = tuple(step for entry in found for step in entry.steps)
    return Entry(shots, steps, tuple(place for entry in found for place in entry.places))


def scenes(
    shots: Sequence[Shot], steps: Mapping[str, Sequence[Step]], all_shots: bool, most: int = MOST_ROWS
) -> tuple[Scene, ...]:
    """The table of a storyboard in as much detail as `most` lines allow; `all_shots` gives every shot its own."""
    by_scene: dict[str | None, list[Entry]] = {}
    for place, shot in enumerate(shots):
        by_scene.setdefault(shot.scene, []).append(Entry((shot,), tuple(steps.get(shot.id, ())), (place,)))
    if all_shots:
        return tuple(Scene(name, tuple(entries)) for name, entries in by_scene.items())
    if len(by_scene) > most:
        folded = [Scene(name, tuple(entries), folded=True) for name, entries in by_scene.items()]
        return _first(folded, _quietest(folded), most)
    exact = [Scene(name, _joined(entries, _same)) for name, entries in by_scene.items()]
    return _fitting(exact, most)


def _fitting(found: list[Scene], most: int) -> tuple[Scene, ...]:
    """Joins runs, then folds scenes, the last and quietest first, until the table is short enough."""
    found = [Scene(scene.name, scene.entries, _one_line(scene)) for scene in found]
    order = _quietest(found)
    lines = sum(scene.lines for scene in found)
    for shorter in (_loosely, _fold):
        for at in order:
            if lines <= most:
                return tuple(found)
            before, found[at] = found[at].lines, shorter(found[at])
            lines += found[at].lines - before
    return _first(found, order, most)


def _quietest(found: Sequence[Scene]) -> list[int]:
    """The order in which scenes give way: from the end, those in trouble last."""
    return sorted(range(len(found)), key=lambda at: (found[at].trouble, -at))


def _first(found: list[Scene], order: Sequence[int], most: int) -> tuple[Scene, ...]:
    """So many scenes, those in trouble among them; the rest as one line."""
    if len(found) <= most:
        return tuple(found)
    shown = set(order[-(most - 1) :])
    rest = [scene for at, scene in enumerate(found) if at not in shown]
    more = Scene(f"{len(rest)} more scenes", tuple(entry for scene in rest for entry in scene.entries), folded=True)
    return (*(found[at] for at in sorted(shown)), more)


def _one_line(scene: Scene) -> bool:
    return scene.name is not None and len(scene.entries) == 1 and scene.entries[0].kept


def _loosely(scene: Scene) -> Scene:
    return scene if scene.folded else Scene(scene.name, _joined(scene.entries, _alike))


def _fold(scene: Scene) -> Scene:
    return Scene(scene.name, scene.entries, folded=True)


def _joined(entries: Iterable[Entry], digest: Callable[[Entry], Hashable]) -> tuple[Entry, ...]:
    """Neighbours of one digest as one line each; what is unchanged goes last, as one line for the scene."""
    kept, rest = list[Entry](), list[Entry]()
    for entry in entries:
        (kept if entry.kept and entry.steps else rest).append(entry)
    runs = [join(run) for _, run in groupby(rest, key=digest)]
    return (*runs, join(kept)) if kept else tuple(runs)


def _same(entry: Entry) -> Hashable:
    """What two neighbours must share to be shown as one: all that their line would say."""
    stands = tuple(sorted((step.take, step.action, step.reason) for step in entry.steps))
    return (*_kind(entry), made_of(entry.shots[0]), stands)


def _alike(entry: Entry) -> Hashable:
    """Less than `_same`: materials and words may differ."""
    return (*_kind(entry), tuple(sorted(Counter(step.action for step in entry.steps).items())))


def _kind(entry: Entry) -> tuple[Hashable, ...]:
    request = entry.shots[0].request
    return (request.model, request.resolution, request.upscale, request.seconds, entry.shots[0].skip)


def made_of(shot: Shot) -> str:
    """What a shot is made from, by the names that its author gave: `maria, quay last frame`."""
    materials = shot.request.materials
    names = shot.names if len(shot.names) == len(materials) else ("",) * len(materials)
    shown = dict.fromkeys(_name(material, name) for material, name in zip(materials, names, strict=True))
    return ", ".join(shown) or "words"


def _name(material: Material, name: str) -> str:
    match material:
        case FromTake():
            pin = "" if material.take is None else f"#{material.take}"
            return clean(f"{material.shot}{pin}{_PARTS[material.part]}")
        case LocalFile():
            return clean(name if name and "/" not in name else os.path.basename(material.path))
        case Remote():
            return clean(name if name and "/" not in name else material.url.rstrip("/").rpartition("/")[2])


def model(shots: Sequence[Shot], full: bool) -> str:
    """Model and resolution of some shots: `20 · 720p`; `full` spells the model out; empty when they differ."""
    kinds = dict.fromkeys((shot.request.model, shot.request.resolution, shot.request.upscale) for shot in shots)
    if len(kinds) != 1:
        return SEVERAL
    ((name, resolution, upscale),) = kinds
    short = name if full else _SHORT_MODELS.get(name, name)
    return clean(f"{short} · {resolution}" + (f" → {upscale}" if upscale else ""))


def span(ids: Sequence[str], whole: bool = True) -> str:
    """Some shots by name: `SH010`, `SH030-SH040`, `fire-1 … fire-6`, `quay … door (5)`; `whole`: none is left out."""
    first, last = clean(ids[0]), clean(ids[-1])
    if len(ids) == 1:
        return first
    if whole and _numbered(ids):
        return f"{first} … {last}" if "-" in first + last else f"{first}-{last}"
    if len(ids) == 2 and len(first) + len(last) <= _SHORT_PAIR:
        return f"{first}, {last}"
    stem = _stem(ids)
    return f"{clean(stem)}* ({len(ids):,})" if len(stem) > 2 else f"{first} … {last} ({len(ids):,})"


def _stem(ids: Sequence[str]) -> str:
    """What all begin with, up to a mark between words."""
    least, most = min(ids), max(ids)
    same = next((at for at, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), len(least))
    return least[: max(least.rfind(mark, 0, same) for mark in "-._") + 1]


def _numbered(ids: Sequence[str]) -> bool:
    """One stem and rising numbers at the end: first and last say it all."""
    found = [re.fullmatch(r"(.*?)([0-9]+)", shot) for shot in ids]
    parts = [(match[1], int(match[2])) for match in found if match is not None]
    return len(parts) == len(ids) and all(a[0] == b[0] and a[1] < b[1] for a, b in pairwise(parts))
