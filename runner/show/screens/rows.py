"""Which lines a plan's table has: shots by scene, unchanged ones as one line, runs of equal ones as one. Pure."""

import os.path
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import groupby, pairwise

from runner.language.model import Shot
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action, Step
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference
from runner.show.text.escape import escape_terminal

MOST_ROWS = 36
"""A table of more lines than this says less than one of fewer: runs are joined, then scenes."""
_TROUBLE = frozenset({Action.UNSETTLED, Action.REFUSED, Action.BLOCKED, Action.GONE})
SEVERAL = "several"
_SHORT_PAIR = 14
_SHORT_MODELS = {"seedance-20": "20", "seedance2-fast": "fast"}
_PARTS = {"clip": "", "first_frame": " first frame", "last_frame": " last frame"}


@dataclass(frozen=True, slots=True)
class TableLine:
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
    def is_kept(self) -> bool:
        """Nothing is to be done for any of it."""
        return all(step.action is Action.KEEP for step in self.steps)

    @property
    def has_problem(self) -> bool:
        return any(step.action in _TROUBLE for step in self.steps)


@dataclass(frozen=True, slots=True)
class SceneRows:
    """The lines of one scene, in the order of the file; `name` is None where no scene is given."""

    name: str | None
    table_lines: tuple[TableLine, ...]
    folded: bool = False
    """One line stands for the whole scene."""

    @property
    def whole(self) -> TableLine:
        """All its shots as one line."""
        return join(self.table_lines)

    @property
    def has_problem(self) -> bool:
        return any(entry.has_problem for entry in self.table_lines)

    @property
    def lines(self) -> int:
        return 1 if self.folded else len(self.table_lines) + (self.name is not None)


def join(entries: Iterable[TableLine]) -> TableLine:
    """Several lines as one."""
    found = tuple(entries)
    shots = tuple(shot for entry in found for shot in entry.shots)
    steps = tuple(step for entry in found for step in entry.steps)
    return TableLine(shots, steps, tuple(place for entry in found for place in entry.places))


def scenes(
    shots: Sequence[Shot], steps: Mapping[str, Sequence[Step]], all_shots: bool, most: int = MOST_ROWS
) -> tuple[SceneRows, ...]:
    """The table of a storyboard in as much detail as `most` lines allow; `all_shots` gives every shot its own."""
    by_scene: dict[str | None, list[TableLine]] = {}
    for place, shot in enumerate(shots):
        by_scene.setdefault(shot.scene, []).append(TableLine((shot,), tuple(steps.get(shot.id, ())), (place,)))
    if all_shots:
        return tuple(SceneRows(name, tuple(entries)) for name, entries in by_scene.items())
    if len(by_scene) > most:
        folded = [SceneRows(name, tuple(entries), folded=True) for name, entries in by_scene.items()]
        return _first(folded, _quietest(folded), most)
    exact = [SceneRows(name, _joined(entries, _same)) for name, entries in by_scene.items()]
    return _fitting(exact, most)


def _fitting(found: list[SceneRows], most: int) -> tuple[SceneRows, ...]:
    """Joins runs, then folds scenes, the last and quietest first, until the table is short enough."""
    found = [SceneRows(scene.name, scene.table_lines, _one_line(scene)) for scene in found]
    order = _quietest(found)
    lines = sum(scene.lines for scene in found)
    for shorter in (_merge_similar, _fold):
        for at in order:
            if lines <= most:
                return tuple(found)
            before, found[at] = found[at].lines, shorter(found[at])
            lines += found[at].lines - before
    return _first(found, order, most)


def _quietest(found: Sequence[SceneRows]) -> list[int]:
    """The order in which scenes give way: from the end, those in trouble last."""
    return sorted(range(len(found)), key=lambda at: (found[at].has_problem, -at))


def _first(found: list[SceneRows], order: Sequence[int], most: int) -> tuple[SceneRows, ...]:
    """So many scenes, those in trouble among them; the rest as one line."""
    if len(found) <= most:
        return tuple(found)
    shown = set(order[-(most - 1) :])
    rest = [scene for at, scene in enumerate(found) if at not in shown]
    more = SceneRows(
        f"{len(rest)} more scenes", tuple(entry for scene in rest for entry in scene.table_lines), folded=True
    )
    return (*(found[at] for at in sorted(shown)), more)


def _one_line(scene: SceneRows) -> bool:
    return scene.name is not None and len(scene.table_lines) == 1 and scene.table_lines[0].is_kept


def _merge_similar(scene: SceneRows) -> SceneRows:
    return scene if scene.folded else SceneRows(scene.name, _joined(scene.table_lines, _alike))


def _fold(scene: SceneRows) -> SceneRows:
    return SceneRows(scene.name, scene.table_lines, folded=True)


def _joined(entries: Iterable[TableLine], digest: Callable[[TableLine], Hashable]) -> tuple[TableLine, ...]:
    """Neighbours of one digest as one line each; what is unchanged goes last, as one line for the scene."""
    kept, rest = list[TableLine](), list[TableLine]()
    for entry in entries:
        (kept if entry.is_kept and entry.steps else rest).append(entry)
    runs = [join(run) for _, run in groupby(rest, key=digest)]
    return (*runs, join(kept)) if kept else tuple(runs)


def _same(entry: TableLine) -> Hashable:
    """What two neighbours must share to be shown as one: all that their line would say."""
    stands = tuple(sorted((step.take, step.action, step.reason) for step in entry.steps))
    return (*_kind(entry), made_of(entry.shots[0]), stands)


def _alike(entry: TableLine) -> Hashable:
    """Less than `_same`: materials and words may differ."""
    return (*_kind(entry), tuple(sorted(Counter(step.action for step in entry.steps).items())))


def _kind(entry: TableLine) -> tuple[Hashable, ...]:
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
        case TakeReference():
            pin = "" if material.take is None else f"#{material.take}"
            return escape_terminal(f"{material.shot}{pin}{_PARTS[material.part]}")
        case LocalFile():
            return escape_terminal(name if name and "/" not in name else os.path.basename(material.path))
        case RemoteFile():
            return escape_terminal(name if name and "/" not in name else material.url.rstrip("/").rpartition("/")[2])


def model(shots: Sequence[Shot], full: bool) -> str:
    """Model and resolution of some shots: `20 · 720p`; `full` spells the model out; empty when they differ."""
    kinds = dict.fromkeys((shot.request.model, shot.request.resolution, shot.request.upscale) for shot in shots)
    if len(kinds) != 1:
        return SEVERAL
    ((name, resolution, upscale),) = kinds
    short = name if full else _SHORT_MODELS.get(name, name)
    return escape_terminal(f"{short} · {resolution}" + (f" → {upscale}" if upscale else ""))


def span(ids: Sequence[str], whole: bool = True) -> str:
    """Some shots by name: `SH010`, `SH030-SH040`, `fire-1 … fire-6`, `quay … door (5)`; `whole`: none is left out."""
    first, last = escape_terminal(ids[0]), escape_terminal(ids[-1])
    if len(ids) == 1:
        return first
    if whole and _numbered(ids):
        return f"{first} … {last}" if "-" in first + last else f"{first}-{last}"
    if len(ids) == 2 and len(first) + len(last) <= _SHORT_PAIR:
        return f"{first}, {last}"
    stem = _stem(ids)
    return f"{escape_terminal(stem)}* ({len(ids):,})" if len(stem) > 2 else f"{first} … {last} ({len(ids):,})"


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
