"""The contact sheet of a film: `sheet.jpg`, and as a PDF with text that can be searched."""

import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from runner.animatic.fonts import missing_font
from runner.app.display_path import display_path
from runner.app.films import Film, segment_file, target_of
from runner.app.font_environment import font_environment
from runner.assembly.clip_picture import ClipRange
from runner.assembly.parts import DEFAULT_SHAPE, FilmShape, Part
from runner.assembly.posters import PosterRequest, posters, reach
from runner.assembly.sheet import Sheet, SheetCell, Tone, poster_width, sheet_jpeg
from runner.assembly.slate import slate_picture
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, hash_clip, reason
from runner.files.writing import make_folder, replace_content
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action
from runner.requests.decimals import decimal_text
from runner.settings.settings import Settings
from runner.show.screens.film_files import FilmFile
from runner.show.text.format import count, length
from runner.timeline.cut_list import Segment

# Of a frame without a clip; actions that are not listed ask for somebody's attention.
_TONES: dict[Action, Tone] = {
    Action.KEEP: "good",
    Action.MAKE: "quiet",
    Action.RESUME: "quiet",
    Action.WAIT: "quiet",
}


@dataclass(frozen=True, slots=True)
class MadeSheet:
    """The file of a contact sheet."""

    film: Film
    path: Path
    empty: tuple[Segment, ...]
    """The shots whose frame is empty: no clip, or a clip that cannot be decoded."""
    notes: tuple[str, ...] = ()
    """What a viewer should know: clips that came short, letters that no font draws."""

    @property
    def file(self) -> FilmFile:
        """The sheet as the screen shows it."""
        cut = self.film.cut
        pictures = (count(len(cut.segments), "picture"),)
        empty = tuple((segment.label, segment.reason or "cannot be decoded") for segment in self.empty)
        return FilmFile("sheet", cut.film, display_path(self.path), cut.seconds, pictures, self.notes, empty)


def make_sheet(settings: Settings, film: Film, to: Path | None, *, as_pdf: bool) -> MadeSheet:
    """Write the sheet of one film. Raises `CommandError` when it cannot be written."""
    target, root = target_of(settings.root, to, film.target("sheet.pdf" if as_pdf else "sheet.jpg"))
    sheet = sheet_of(settings, film)
    content = _pdf(sheet) if as_pdf else sheet_jpeg(sheet)
    try:
        make_folder(target.parent, root)
        replace_content(target, root, content)
    except (OSError, FileRejected) as error:
        raise CommandError(ExitCode.INVALID, f"cannot write {display_path(target)}: {reason(error)}") from error
    empty = tuple(
        segment
        for segment, cell in zip(film.cut.segments, sheet.cells, strict=True)
        if cell.picture is None and segment.kind != "slate"
    )
    return MadeSheet(film, target, empty, (*film.cut.notes, *_missing_font(sheet)))


def sheet_of(settings: Settings, film: Film) -> Sheet:
    """The content of a film's sheet, pictures included."""
    segments = film.cut.segments
    width = poster_width(len(segments))
    far = reach(len(segments))
    requests = [_request(settings, segment, width, far) for segment in segments]
    cache = settings.state_or_none / "posters" if settings.state_or_none is not None else None
    taken = iter(posters([request for request in requests if request is not None], cache))
    cells = tuple(
        _cell(segment, next(taken) if request is not None else _slate(segment, width))
        for segment, request in zip(segments, requests, strict=True)
    )
    shots = len({segment.shot.id for segment in segments if segment.shot is not None})
    facts = [count(shots, "shot"), length(film.cut.seconds)]
    if settings.account.free:
        facts.append("animatics, drawn by the sandbox")
    if film.cut.missing:
        facts.append(f"{count(len(film.cut.missing), 'clip')} missing")
    return Sheet(film.cut.title or film.cut.storyboard, " · ".join(facts), cells, font_environment())


def _missing_font(sheet: Sheet) -> Iterator[str]:
    texts = sheet.title + "".join(cell.name + cell.state for cell in sheet.cells)
    if (message := missing_font(texts, dict(font_environment()))) is not None:
        yield message


def _request(settings: Settings, segment: Segment, width: int, far: Fraction) -> PosterRequest | None:
    path = segment_file(settings.root, segment)
    if path is None:
        return None
    span = None
    if not segment.is_picture:
        span = ClipRange(Fraction(segment.in_seconds), Fraction(segment.seconds), far)
    return PosterRequest(path, _hash(settings, segment), span, width)


def _slate(segment: Segment, width: int) -> bytes | None:
    """The picture of a slate of the edit, as the cut shows it; None for a shot without a clip."""
    # A missing clip has an empty frame: a picture would look like something that exists.
    if segment.kind != "slate":
        return None
    part = Part("slate", Fraction(segment.seconds), slate_lines=(segment.label,))
    shape = FilmShape(width, round(width * 9 / 16), DEFAULT_SHAPE.rate)
    file = io.BytesIO()
    slate_picture(part, shape, font_environment()).save(file, format="JPEG", quality=85)
    return file.getvalue()


def _hash(settings: Settings, segment: Segment) -> str:
    """The hash of a segment's file; "" for a file that cannot be read, which then has no picture either."""
    if segment.clip is not None:
        return segment.clip.sha256
    try:
        return hash_clip(settings.root / (segment.path or ""), settings.root)
    except OSError:
        return ""


def _cell(segment: Segment, picture: bytes | None) -> SheetCell:
    seconds = f"{decimal_text(segment.seconds)} s"
    take = f"take {segment.take} · " if segment.take is not None and segment.kind == "shot" else ""
    state, tone = _state(segment, picture)
    scene = (segment.shot.scene or "") if segment.shot is not None else ""
    return SheetCell(segment.label, take + seconds, state, tone, segment.is_picked, picture, scene)


def _state(segment: Segment, picture: bytes | None) -> tuple[str, Tone]:
    if segment.kind == "slate":
        return "slate", "quiet"
    if segment.path is None and segment.kind == "shot":
        word = segment.state.value if segment.state is not None else segment.reason
        return word, _TONES.get(segment.state, "bad") if segment.state is not None else "quiet"
    if picture is None:
        return "cannot be decoded", "bad"
    return "", "good"


def _pdf(sheet: Sheet) -> bytes:
    from runner.assembly.sheet_pdf import PdfMissing, sheet_pdf

    try:
        return sheet_pdf(sheet)
    except PdfMissing as error:
        raise CommandError(ExitCode.INVALID, str(error)) from error
