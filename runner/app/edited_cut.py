"""The way back from the editor: a timeline that was edited elsewhere as the storyboard's `cut:` section."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from runner.app.clips_on_disk import clips_on_disk
from runner.app.films import Film
from runner.app.timeline import editor_names
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, read_bytes, read_named, reason, resolve_inside
from runner.files.writing import replace_content
from runner.language.yaml.replace_section import SectionNotReplaced, replace_section
from runner.lazy_dataclass import dataclass, replace
from runner.timeline.cut_list import cut_list
from runner.timeline.cut_section import cut_section
from runner.timeline.edited import LIMIT, EditedCut, FilmFacts, FilmMedia, ShotFacts, TimelineError, read_edited

_SECTION = "cut"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class CutFromEditor:
    """The section of an edited timeline."""

    storyboard: str
    section: str
    """YAML text."""
    entries: int
    notes: tuple[str, ...]
    """What a cut cannot say."""
    is_written: bool = False
    lost_comments: bool = False
    """Whether comments stood in the section that was replaced."""


def cut_from_editor(root: Path, films: Sequence[Film], timeline: Path, *, write: bool) -> CutFromEditor:
    """Read an edited timeline, and put its section into the storyboard where that is asked. Raises `CommandError`."""
    if len(films) > 1:
        raise CommandError(ExitCode.USAGE, "--from is the timeline of one film: name its storyboard")
    film = films[0]
    edited = _edited(root, film, timeline)
    storyboard = film.cut.storyboard
    lost_comments = _write(root, storyboard, edited) if write else False
    return CutFromEditor(
        storyboard, cut_section(edited.entries), len(edited.entries), edited.notes, write, lost_comments
    )


def _edited(root: Path, film: Film, timeline: Path) -> EditedCut:
    try:
        content = read_named(timeline, root, LIMIT)
        return read_edited(content, _film_facts(root, film))
    except (FileRejected, TimelineError) as error:
        message = error.message if isinstance(error, FileRejected) else str(error)
        raise CommandError(ExitCode.INVALID, f"{timeline} {message}") from error


def _film_facts(root: Path, film: Film) -> FilmFacts:
    """The film as a timeline of it is compared with it."""
    takes, own = editor_names(film)
    clips = {
        segment.label: FilmMedia("clip", segment.label, is_picture=segment.is_picture)
        for segment in film.cut.segments
        if segment.kind == "clip"
    }
    media = {name: FilmMedia("shot", shot, number) for (_, shot, number), name in takes.items()}
    media |= {name: clips[label] for label, name in own.items() if label in clips}
    return FilmFacts(film.cut.storyboard, media, _shots(root, film), clips)


def _shots(root: Path, film: Film) -> dict[str, ShotFacts]:
    """Each shot as the film shows it without an entry of its own."""
    storyboard = film.plan.batch.storyboard_of(film.cut.film)
    # Without the present cut: what the editor left as the shot has it, needs no words in the section.
    plain = cut_list(replace(storyboard, cut=None), film.plan, film.history, clips_on_disk(film.history, root))
    return {
        segment.shot.id: ShotFacts(
            segment.in_seconds, segment.seconds, Decimal(segment.shot.request.seconds), segment.take
        )
        for segment in plain.segments
        if segment.shot is not None
    }


def _write(root: Path, storyboard: str, edited: EditedCut) -> bool:
    """Replace the section; returns whether comments were lost with the old one."""
    try:
        path = resolve_inside(root / storyboard, root)
        content = read_bytes(path, root)
        # Mark and line ends stay as the user's editor wrote them: the diff shows the section, and nothing else.
        mark = _BOM if content.startswith(_BOM) else b""
        text = content.removeprefix(mark).decode()
        newline = "\r\n" if "\r\n" in text else "\n"
        replaced = replace_section(text, _SECTION, cut_section(edited.entries, newline))
        replace_content(path, root, mark + replaced.text.encode())
    except SectionNotReplaced as error:
        raise CommandError(
            ExitCode.INVALID, f"{storyboard}: {error}; nothing was written: paste the section"
        ) from error
    except (OSError, FileRejected, UnicodeDecodeError) as error:
        raise CommandError(ExitCode.INVALID, f"cannot write {storyboard}: {reason(error)}") from error
    return replaced.lost_comments
