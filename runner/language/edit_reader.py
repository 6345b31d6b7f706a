"""The reader of a storyboard's `cut:` and `music:`, checked against its shots and the files that they name."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from runner.diagnostics.folded_name import fold_name
from runner.diagnostics.problem import Problem
from runner.language.asset import Asset
from runner.language.causes import as_consequence
from runner.language.edit import CutEntry, EntryKind, Music
from runner.language.film_time import check_range
from runner.language.materials import KIND_LABELS
from runner.language.model import Shot
from runner.language.storyboard_ir import StoryboardIR
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass
from runner.requests.decimals import decimal_text, exact_decimal
from runner.requests.request import LocalFile

# How many shots a warning names.
_MAX_NAMED = 8


def read_edit(ir: StoryboardIR, shots: Sequence[Shot]) -> tuple[tuple[CutEntry, ...] | None, Music | None]:
    """The entries of a storyboard's `cut:`, None without one, and its music; report what does not fit.

    `shots` are those without a problem: an entry of another shot is checked by its name alone.
    """
    reader = _EditReader(ir, {shot.id: shot for shot in shots})
    cut = reader.cut()
    music = reader.music()
    if music is not None:
        reader.check_music(music, _film_seconds(cut, reader.shots))
    return cut, music


def _film_seconds(cut: Sequence[CutEntry] | None, shots: Mapping[str, Shot]) -> Decimal:
    """The length of the film as it is written."""
    if cut is None:
        return sum((shot.on_screen() for shot in shots.values() if not shot.skip), Decimal(0))
    lengths = (
        shots[entry.text].on_screen(entry) if entry.kind == "shot" and entry.text in shots else entry.seconds
        for entry in cut
    )
    return sum((seconds for seconds in lengths if seconds is not None), Decimal(0))


@dataclass(frozen=True, slots=True)
class _EditReader:
    ir: StoryboardIR
    shots: Mapping[str, Shot]

    def _report(self, code: str, origin: NodeRef, message: str, hint: str = "", *, on_key: bool = False) -> None:
        place = origin.key_place() if on_key else origin.place()
        self.ir.scope.problems.add(Problem(code, place, message, hint, related=origin.alias_chain()))

    # -- the cut ------------------------------------------------------------------------------------------

    def cut(self) -> tuple[CutEntry, ...] | None:
        """The usable entries; None without `cut:`."""
        origin = NodeRef(self.ir.document, ("cut",))
        items = origin.value
        if not isinstance(items, list):
            return None
        entries = tuple(self._entries(origin, items))
        # An entry with a problem may be the one that shows a shot.
        if len(entries) == len(items):
            self._warn_left_out(origin, entries)
        return entries

    def _entries(self, origin: NodeRef, items: Sequence[Value]) -> Iterator[CutEntry]:
        for index, item in enumerate(items):
            # Its shape is reported already, and an empty mapping stands in its place.
            if ("cut", index) in self.ir.scope.broken:
                continue
            fields = item if isinstance(item, dict) else {"shot": item}
            node = origin / index
            if "clip" in fields:
                entry = self._clip(node, fields)
            elif "slate" in fields:
                entry = self._slate(node, fields)
            else:
                entry = self._shot(node, fields)
            if entry is not None:
                yield entry

    def _shot(self, node: NodeRef, fields: Mapping[str, Value]) -> CutEntry | None:
        written = str(fields["shot"])
        name = node / "shot" if isinstance(node.value, dict) else node
        symbol = self.ir.symbols.names.get(fold_name(written))
        if not isinstance(symbol, str):
            self._report_name(name, written, symbol)
            return None
        shot = self.shots.get(symbol)
        entry = self._entry("shot", symbol, node, fields)
        # Without times of its own the entry shows what `check_film_time` has checked.
        if shot is None or (entry.in_seconds is None and entry.seconds is None):
            return entry
        start, length = shot.film_range(entry)
        clip = Decimal(shot.request.seconds)
        return entry if self._fits(node, f"the clip of {symbol}", start, length, clip) else None

    def _report_name(self, node: NodeRef, written: str, symbol: Asset | str | None) -> None:
        message = f"no shot is named `{written}`"
        hint = self.ir.symbols.suggestion(written).replace("@", "")
        if isinstance(symbol, Asset):
            message = f"`{written}` is an asset, and the cut shows shots"
            path = next((path for _, path, _ in symbol.sources), "PATH")
            hint = f"write {{clip: {path}}} to show its file"
        problem = Problem("cut-name", node.place(), message, hint, related=node.alias_chain())
        cause = self.ir.scope.left_out.cause_of_name(written) if symbol is None else None
        self.ir.scope.problems.add(problem if cause is None else as_consequence(problem, cause))

    def _clip(self, node: NodeRef, fields: Mapping[str, Value]) -> CutEntry | None:
        written, origin = str(fields["clip"]), node / "clip"
        if not self._has_no_field(node, fields, "take", "a clip"):
            return None
        file = self._local_file(origin, written)
        if file is None:
            return None
        if file.kind == "audio":
            self._report("cut-entry", origin, f"`{written}` is audio, and a cut shows pictures", "write it as `music`")
            return None
        entry = self._entry("clip", written, node, fields, path=file.path, is_picture=file.kind == "image")
        if entry.is_picture:
            return self._with_seconds(node, entry, "a picture") if self._picture_is_plain(node, fields) else None
        if file.seconds is None:
            return self._with_seconds(node, entry, "a clip that cannot be measured")
        start = entry.in_seconds or Decimal(0)
        if not self._fits(node, f"`{written}`", start, entry.seconds, file.seconds):
            return None
        length = file.seconds - start if entry.seconds is None else entry.seconds
        return self._entry("clip", written, node, {**fields, "seconds": None}, path=file.path, seconds=length)

    def _picture_is_plain(self, node: NodeRef, fields: Mapping[str, Value]) -> bool:
        return self._has_no_field(node, fields, "in", "a picture") and self._has_no_field(
            node, fields, "level", "a picture"
        )

    def _slate(self, node: NodeRef, fields: Mapping[str, Value]) -> CutEntry | None:
        if not all(self._has_no_field(node, fields, name, "a slate") for name in ("take", "in", "level")):
            return None
        value = fields["slate"]
        text = value if isinstance(value, str) else (node / "slate").source_text()
        return self._with_seconds(node, self._entry("slate", text, node, fields), "a slate")

    def _entry(
        self,
        kind: EntryKind,
        text: str,
        node: NodeRef,
        fields: Mapping[str, Value],
        path: str | None = None,
        is_picture: bool = False,
        seconds: Decimal | None = None,
    ) -> CutEntry:
        take = fields.get("take")
        return CutEntry(
            kind,
            text,
            node.place(),
            take if isinstance(take, int) else None,
            path,
            is_picture,
            exact_decimal(fields.get("in")),
            exact_decimal(fields.get("seconds")) if seconds is None else seconds,
            exact_decimal(fields.get("level")),
        )

    def _with_seconds(self, node: NodeRef, entry: CutEntry, what: str) -> CutEntry | None:
        if entry.seconds is not None:
            return entry
        self._report("cut-entry", node, f"{what} has no length of its own", "add seconds: 3")
        return None

    def _has_no_field(self, node: NodeRef, fields: Mapping[str, Value], name: str, what: str) -> bool:
        if name not in fields:
            return True
        hint = "a take is of a shot" if name == "take" else "remove it"
        self._report("cut-entry", node / name, f"{what} takes no `{name}`", hint, on_key=True)
        return False

    def _fits(self, node: NodeRef, what: str, start: Decimal, length: Decimal | None, clip: Decimal) -> bool:
        """Whether a range lies within a clip of so many seconds; one that does not is reported."""
        if (error := check_range(what, start, length, clip)) is None:
            return True
        self._report("cut-range", node, *error)
        return False

    def _warn_left_out(self, origin: NodeRef, entries: Sequence[CutEntry]) -> None:
        in_cut = {entry.text for entry in entries if entry.kind == "shot"}
        absent = [
            draft.id for draft in self.ir.drafts if draft.id not in in_cut and draft.values.get("skip") is not True
        ]
        if not absent:
            return
        names = ", ".join(absent[:_MAX_NAMED]) + (
            f" and {len(absent) - _MAX_NAMED} more" if absent[_MAX_NAMED:] else ""
        )
        message = f"the cut leaves out {names}"
        hint = "add what the film is to show; a shot that is not needed can be skipped: skip: true"
        self.ir.scope.problems.add(Problem("cut-leaves-out", origin.key_place(), message, hint, "warning"))

    # -- files and music ----------------------------------------------------------------------------------

    def _local_file(self, origin: NodeRef, written: str) -> LocalFile | None:
        if "://" in written:
            message = f"`{written}` is an address, and a cut is made from files of the repository"
            self._report("cut-entry", origin, message, "download it, and write its path")
            return None
        material = self.ir.symbols.media.source(written, None, origin)
        if isinstance(material, Problem):
            self.ir.scope.problems.add(material)
            return None
        return material if isinstance(material, LocalFile) else None

    def music(self) -> Music | None:
        """The sound under the cut; None without one, or when its file cannot be used."""
        node = NodeRef(self.ir.document, ("music",))
        fields = node.value
        if not isinstance(fields, dict) or not isinstance(fields.get("audio"), str):
            return None
        origin = node / "audio"
        file = self._local_file(origin, str(fields["audio"]))
        if file is None:
            return None
        if file.kind != "audio":
            kind = KIND_LABELS[file.kind]
            self._report("material-kind", origin, f"`{fields['audio']}` is {kind}, and music is audio")
            return None
        start = exact_decimal(fields.get("start")) or Decimal(0)
        if file.seconds is not None and not self._fits(
            node / "start", f"`{fields['audio']}`", start, None, file.seconds
        ):
            return None
        return Music(file.path, start, exact_decimal(fields.get("level")), file.seconds)

    def check_music(self, music: Music, film: Decimal) -> None:
        """Warn about music that ends before the film."""
        if music.seconds is None or music.seconds - music.start >= film:
            return
        rest = decimal_text(music.seconds - music.start)
        message = f"the music has {rest} s from its `start` on, and the film {decimal_text(film)} s: its end is silent"
        origin = NodeRef(self.ir.document, ("music", "audio"))
        hint = "choose a longer sound, or an earlier `start`"
        self.ir.scope.problems.add(Problem("music-short", origin.place(), message, hint, "warning"))
