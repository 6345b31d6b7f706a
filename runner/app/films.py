"""The films of a command: the cut list of each storyboard, what is selected of it, and where its files go."""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from runner.app.clips_on_disk import clips_on_disk
from runner.app.history_reader import HistoryReader
from runner.app.options import SelectionOptions
from runner.app.selection import Selection
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, resolve_inside
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan
from runner.settings.settings import Settings
from runner.timeline.cut_list import CutList, Segment, cut_list

# Characters of a selection in a file name: with the words around it, it stays below the 255 bytes of one.
_MAX_SLUG = 60


@dataclass(frozen=True, slots=True)
class Film:
    """One storyboard's film as far as it is selected."""

    cut: CutList
    folder: Path
    """The output folder, beside whose manifest the film's files lie."""
    plan: Plan
    history: History
    selected: frozenset[ShotKey] | None = None
    """The shots that are selected, in the film or not; None without a selection."""
    slug: str = ""
    """The selection as a part of a file name; "" for the whole film."""

    def target(self, name: str, *marks: str) -> Path:
        """The path of a file of the film: `cut.mp4`, `cut.scene-office.burn-in.mp4`."""
        stem, _, ending = name.rpartition(".")
        return self.folder / ".".join(part for part in (stem, self.slug, *marks, ending) if part)


def films(selection: Selection, reader: HistoryReader, to: Path | None = None) -> list[Film]:
    """The film of every storyboard that has a selected shot.

    Raises `CommandError` where there is none, and where the one file `to` would have to hold several.
    """
    history, slug = reader.read(), _slug(selection.flags)
    whole = whole_films(reader.settings, history, selection.whole_plan(history))
    selected = selection.selected(history)
    in_part = [replace(film, cut=_in_part(film.cut, selected), selected=selected, slug=slug) for film in whole]
    selected_films = [film for film in in_part if film.cut.segments]
    if not selected_films:
        raise CommandError(ExitCode.INVALID, "there is no film: none of the selected shots is in a storyboard's cut")
    _check_target(selected_films, to)
    return selected_films


def whole_films(settings: Settings, history: History, plan: Plan) -> list[Film]:
    """The film of every storyboard, whatever is selected; `plan` is that of all shots."""
    exists = clips_on_disk(history, settings.root)
    return [
        Film(cut_list(storyboard, plan, history, exists), settings.output_folder(storyboard.film), plan, history)
        for storyboard in plan.batch.storyboards
    ]


def without_clips(root: Path, film: Film, damaged: Collection[Path]) -> Film:
    """The film with a slate in place of each shot whose clip is one of these files."""
    segments = tuple(
        replace(segment, path=None, clip=None, is_damaged=True, reason="its clip is damaged")
        if segment.kind == "shot" and segment_file(root, segment) in damaged
        else segment
        for segment in film.cut.segments
    )
    return replace(film, cut=replace(film.cut, segments=segments))


def _check_target(films: Sequence[Film], to: Path | None) -> None:
    if to is not None and len(films) > 1:
        storyboards = {film.cut.storyboard for film in films}
        is_of_profiles = len(storyboards) == 1
        names = ", ".join((film.cut.profile or "none") if is_of_profiles else film.cut.storyboard for film in films[:4])
        way_out = "give one --profile" if is_of_profiles else "name one storyboard"
        raise CommandError(ExitCode.USAGE, f"--to names one file for several films ({names}): {way_out}")


def segment_file(root: Path, segment: Segment) -> Path | None:
    """The file that shows a segment; None for a slate, and where the file is no plain file of the repository."""
    if segment.path is None:
        return None
    path = root / segment.path
    try:
        # The path comes from a manifest, which a stranger may have written.
        return resolve_inside(path, root, may_be_hidden=True)
    except (FileRejected, OSError):
        return None


def target_of(root: Path, to: Path | None, default: Path) -> tuple[Path, Path]:
    """The path to write, and the folder that it must not leave: the repository, or the folder that exists of `--to`."""
    if to is None:
        return default, root
    path = Path(os.path.abspath(to))
    if path.is_dir():
        raise CommandError(ExitCode.USAGE, f"--to: {to} is a folder; name a file in it")
    # The user chose the folder, links included; what is made below it follows none.
    folder = next(parent for parent in path.parents if parent.is_dir())
    return folder.resolve() / path.relative_to(folder), folder.resolve()


def _in_part(cut: CutList, keys: frozenset[ShotKey] | None) -> CutList:
    if keys is None:
        return cut
    chosen = tuple(segment for segment in cut.segments if segment.shot is not None and segment.shot.key in keys)
    return replace(cut, segments=chosen)


def _slug(flags: SelectionOptions) -> str:
    words = [*flags.select, *(f"without {expression}" for expression in flags.exclude)]
    if not words:
        return ""
    from slugify import slugify  # with its tables, which only a film in parts needs

    return slugify(" ".join(words), max_length=_MAX_SLUG) or "selection"
