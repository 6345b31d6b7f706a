"""The lines of a plan's table: shots in film order, by scene; unchanged and equal shots share a line. Pure."""

import os.path
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise

from runner.language.model import Shot
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action, Step
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference
from runner.show.text.escape import escape_terminal

MOST_ROWS = 36
"""Lines that a reader can survey on one screen: a longer table joins runs of shots first, then scenes."""
SEVERAL = "several"
NEARLY_ALL = 0.8
"""Share of the shots from which on a value stands in the head, and in the rows of the exceptions only."""
NO_SCENE = "no scene"
"""Heading of shots without a scene that follow a scene: without one they would seem to belong to it."""
# Characters of two ids that fit the column of shots at 80 columns, with a comma between them.
_SHORT_PAIR = 14
# The clip as a whole is what a bare shot's name means.
_PARTS = {"clip": "", "first_frame": " first frame", "last_frame": " last frame"}


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of the table: consecutive shots with all their steps."""

    shots: tuple[Shot, ...]
    steps: tuple[Step, ...]
    places: tuple[int, ...]
    """Positions of the shots in the file."""

    @property
    def name(self) -> str:
        """Short name of its shots; a range only if no other shot stands between them."""
        whole = self.places[-1] - self.places[0] + 1 == len(self.places)
        return span([shot.id for shot in self.shots], whole)

    @property
    def is_kept(self) -> bool:
        """Whether every take of the line has its clip."""
        return all(step.action is Action.KEEP for step in self.steps)

    @property
    def has_problem(self) -> bool:
        return any(step.action.is_problem for step in self.steps)


@dataclass(frozen=True, slots=True)
class SceneRows:
    """The lines of consecutive shots of one scene; `name` is None for shots without a scene that begin the film."""

    name: str | None
    table_lines: tuple[TableLine, ...]
    folded: bool = False
    """Whether one line represents the whole scene."""

    @property
    def whole(self) -> TableLine:
        """All shots of the scene as one line."""
        return join(self.table_lines)

    @property
    def steps(self) -> Iterator[Step]:
        return (step for entry in self.table_lines for step in entry.steps)

    @property
    def has_problem(self) -> bool:
        return any(entry.has_problem for entry in self.table_lines)

    @property
    def lines(self) -> int:
        return 1 if self.folded else len(self.table_lines) + (self.name is not None)


def join(lines: Iterable[TableLine]) -> TableLine:
    """Several lines joined to one."""
    entries = tuple(lines)
    if len(entries) == 1:
        return entries[0]
    shots = tuple(shot for entry in entries for shot in entry.shots)
    steps = tuple(step for entry in entries for step in entry.steps)
    return TableLine(shots, steps, tuple(place for entry in entries for place in entry.places))


def scenes(
    shots: Sequence[Shot], steps: Mapping[str, Sequence[Step]], all_shots: bool, most: int = MOST_ROWS
) -> tuple[SceneRows, ...]:
    """Scenes in film order, in as much detail as `most` lines allow; `all_shots` gives every shot a line."""
    groups = _scene_groups(shots, steps)
    if all_shots:
        return tuple(groups)
    # Folding does not help where even one line a scene is too much; thousands of scenes are counted at once.
    if len(groups) > most:
        folded = [SceneRows(group.name, group.table_lines, folded=True) for group in groups]
        return _limit_scenes(folded, _folding_order(folded), most)
    return _fit([SceneRows(group.name, _join_runs(group.table_lines, _exact_digest)) for group in groups], most)


def _scene_groups(shots: Sequence[Shot], steps: Mapping[str, Sequence[Step]]) -> list[SceneRows]:
    """Consecutive shots of one scene, in film order: a scene that returns is a second group."""
    lines = [TableLine((shot,), tuple(steps.get(shot.id, ())), (place,)) for place, shot in enumerate(shots)]
    groups = [(name, tuple(group)) for name, group in groupby(lines, key=lambda line: line.shots[0].scene)]
    return [SceneRows(name or (NO_SCENE if index else None), group) for index, (name, group) in enumerate(groups)]


def _fit(scene_rows: list[SceneRows], most: int) -> tuple[SceneRows, ...]:
    """Join runs, then fold scenes, from the end and those with problems last, until the table is short enough."""
    scene_rows = [SceneRows(scene.name, scene.table_lines, _one_line(scene)) for scene in scene_rows]
    order = _folding_order(scene_rows)
    lines = sum(scene.lines for scene in scene_rows)
    # Lines are counted on, not counted anew: a film of 10,000 shots folds in one pass.
    for shorter in (_merge_similar, _fold):
        for index in order:
            if lines <= most:
                return tuple(scene_rows)
            lines_before, scene_rows[index] = scene_rows[index].lines, shorter(scene_rows[index])
            lines += scene_rows[index].lines - lines_before
    return _limit_scenes(scene_rows, order, most)


def _folding_order(scene_rows: Sequence[SceneRows]) -> list[int]:
    """Scene numbers in the order of folding: from the end, scenes with problems last."""
    return sorted(range(len(scene_rows)), key=lambda index: (scene_rows[index].has_problem, -index))


def _limit_scenes(scene_rows: list[SceneRows], order: Sequence[int], most: int) -> tuple[SceneRows, ...]:
    """The scenes, at most `most`, preferring those with problems; the others as one line."""
    if len(scene_rows) <= most:
        return tuple(scene_rows)
    visible = set(order[-(most - 1) :])
    rest = [scene for index, scene in enumerate(scene_rows) if index not in visible]
    entries = tuple(entry for scene in rest for entry in scene.table_lines)
    # A scene that returns is a second group: `more scenes` would count it twice.
    returning = len({scene.name for scene in scene_rows}) < len(scene_rows)
    more = SceneRows(f"{len(entries)} more shots" if returning else f"{len(rest)} more scenes", entries, folded=True)
    return (*(scene_rows[index] for index in sorted(visible)), more)


def _one_line(scene: SceneRows) -> bool:
    return scene.name is not None and len(scene.table_lines) == 1 and scene.table_lines[0].is_kept


def _merge_similar(scene: SceneRows) -> SceneRows:
    return scene if scene.folded else SceneRows(scene.name, _join_runs(scene.table_lines, _loose_digest))


def _fold(scene: SceneRows) -> SceneRows:
    return SceneRows(scene.name, scene.table_lines, folded=True)


def _join_runs(entries: Iterable[TableLine], digest: Callable[[TableLine], Hashable]) -> tuple[TableLine, ...]:
    """Neighbours of equal digest joined; the unchanged shots of a scene become one line, where the first stands."""
    entries = list(entries)
    unchanged = list(filter(_is_unchanged, entries))
    # Where the first unchanged shot stands, the line of all of them does: film order for the eye.
    before = [entry for entry in entries if not unchanged or entry.places < unchanged[0].places]
    after = [entry for entry in entries[len(before) :] if not _is_unchanged(entry)]
    runs = [[join(run) for _, run in groupby(part, key=digest)] for part in (before, after)]
    return (*runs[0], *([join(unchanged)] if unchanged else []), *runs[1])


def _is_unchanged(entry: TableLine) -> bool:
    return bool(entry.steps) and entry.is_kept


def _exact_digest(entry: TableLine) -> Hashable:
    """Digest of everything that the line of a shot would show."""
    steps = tuple(sorted((step.take, step.action, step.reason) for step in entry.steps))
    return (*_request_digest(entry), material_list(entry.shots[0]), steps)


def _loose_digest(entry: TableLine) -> Hashable:
    """Digest without materials and reasons, for a shorter table than `_exact_digest` gives."""
    return (*_request_digest(entry), tuple(sorted(Counter(step.action for step in entry.steps).items())))


def _request_digest(entry: TableLine) -> tuple[Hashable, ...]:
    request = entry.shots[0].request
    return (request.model, request.resolution, request.upscale, request.seconds, entry.shots[0].skip)


def material_list(shot: Shot) -> str:
    """The materials of a shot by the author's names: `maria, quay last frame`; `words` for a prompt alone."""
    materials = shot.request.materials
    names = shot.names if len(shot.names) == len(materials) else ("",) * len(materials)
    labels = dict.fromkeys(_name(material, name) for material, name in zip(materials, names, strict=True))
    return ", ".join(labels) or "words"


def _name(material: Material, name: str) -> str:
    match material:
        case TakeReference():
            pin = "" if material.take is None else f"#{material.take}"
            return escape_terminal(f"{material.shot}{pin}{_PARTS[material.part]}")
        # A path that stands in the prompt itself is no name: its last part is.
        case LocalFile():
            return escape_terminal(name if name and "/" not in name else os.path.basename(material.path))
        case RemoteFile():
            return escape_terminal(name if name and "/" not in name else material.url.rstrip("/").rpartition("/")[2])


def model(shots: Sequence[Shot], short_names: Mapping[str, str] | None = None) -> str:
    """Model and resolution of these shots: `20 · 720p` with a short name; `several` when they differ."""
    kinds = dict.fromkeys((shot.request.model, shot.request.resolution, shot.request.upscale) for shot in shots)
    if len(kinds) != 1:
        return SEVERAL
    ((name, resolution, upscale),) = kinds
    return escape_terminal(
        f"{(short_names or {}).get(name, name)} · {resolution}" + (f" → {upscale}" if upscale else "")
    )


def count_models(shots: Iterable[Shot]) -> Counter[str]:
    """The number of shots of each model and resolution, spelled out; a film has few of them."""
    numbers: Counter[str] = Counter()
    samples: dict[tuple[str, str, str | None], list[Shot]] = {}
    for shot in shots:
        samples.setdefault((shot.request.model, shot.request.resolution, shot.request.upscale), []).append(shot)
    for same in samples.values():
        numbers[model(same[:1])] += len(same)
    return numbers


def usual_model(models: Counter[str]) -> str | None:
    """Model and resolution that nearly all shots share; None when there are too many exceptions."""
    if not models:
        return None
    # The commonest; of equals the first in the film, since a Counter keeps the order of its shots.
    name = max(models, key=models.__getitem__)
    return name if models[name] >= NEARLY_ALL * models.total() else None


def span(ids: Sequence[str], whole: bool = True) -> str:
    """Short name of shots: `SH010`, `SH030-SH040`, `fire-1 … fire-6`, `quay … door (5)`.

    `whole`: no shot between the first and the last is missing.
    """
    first, last = escape_terminal(ids[0]), escape_terminal(ids[-1])
    if len(ids) == 1:
        return first
    if whole and _numbered(ids):
        # `fire-1-fire-6` would read as one name.
        return f"{first} … {last}" if "-" in first + last else f"{first}-{last}"
    if len(ids) == 2 and len(first) + len(last) <= _SHORT_PAIR:
        return f"{first}, {last}"
    stem = _stem(ids)
    # A stem of two letters would seem to name half the film.
    return f"{escape_terminal(stem)}* ({len(ids):,})" if len(stem) > 2 else f"{first} … {last} ({len(ids):,})"


def _stem(ids: Sequence[str]) -> str:
    """Common prefix of all ids, up to a separator."""
    # What the first and the last in the alphabet share, all between them share.
    least, most = min(ids), max(ids)
    same = next((index for index, (a, b) in enumerate(zip(least, most, strict=False)) if a != b), len(least))
    return least[: max(least.rfind(separator, 0, same) for separator in "-._") + 1]


def _numbered(ids: Sequence[str]) -> bool:
    """Whether all ids share a stem and end in rising numbers, so that first and last describe them."""
    matches = [re.fullmatch(r"(.*?)([0-9]+)", shot) for shot in ids]
    parts = [(match[1], int(match[2])) for match in matches if match is not None]
    return len(parts) == len(ids) and all(a[0] == b[0] and a[1] < b[1] for a, b in pairwise(parts))
