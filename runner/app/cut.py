"""The film of a storyboard as one video file: `cut.mp4`."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from runner.app.cut_key import NAME, burn_in_text, cut_key, slate_lines, stored_key
from runner.app.display_path import display_path
from runner.app.films import Film, segment_file, target_of, without_clips
from runner.app.font_environment import font_environment
from runner.assembly.assemble import assemble
from runner.assembly.parts import AssembledFilm, Assembly, AssemblyError, MusicTrack, Part
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, reason, resolve_inside
from runner.files.writing import create_afresh, make_folder, move_file, part_of, remove_file
from runner.lazy_dataclass import dataclass
from runner.settings.settings import Settings
from runner.show.screens.film_files import FilmFile
from runner.show.text.command_line import CommandLine
from runner.timeline.cut_list import Segment

Progress = Callable[[Fraction, Fraction], None]
"""Called with the seconds that are written and the seconds of the film; may raise to stop."""


@dataclass(frozen=True, slots=True)
class CutOptions:
    """Choices for the making of a cut."""

    to: Path | None = None
    burn_in: bool = False
    quick: bool = False
    """Whether an encoded cut has 480 lines, as at the end of a free run."""
    copy_only: bool = False
    """Whether to raise CannotCopy where the film would have to be encoded."""


@dataclass(frozen=True, slots=True)
class MadeCut:
    """A film file, and what a viewer should know of it."""

    film: Film
    path: Path
    is_new: bool
    """Whether the file was made now; False where it already held this edit and these clips."""
    result: AssembledFilm | None = None
    """None where the file was not made anew."""

    @property
    def missing(self) -> tuple[Segment, ...]:
        return self.film.cut.missing

    @property
    def file(self) -> FilmFile:
        """The cut as the screen shows it."""
        cut, facts = self.film.cut, ["unchanged: it already shows this edit and these clips"]
        if self.result is not None:
            shape = self.result.shape
            facts = [f"{shape.width} × {shape.height}", f"{float(shape.rate):.5g} fps"]
            facts.append("pictures not encoded again" if self.result.copied else f"encoded, since {self.result.reason}")
        notes = (*cut.notes, *(self.result.notes if self.result is not None else ()))
        missing = tuple((segment.label, segment.reason) for segment in cut.missing)
        return FilmFile("watch", cut.film, display_path(self.path), cut.seconds, tuple(facts), notes, missing)


def command_for_missing(command_line: CommandLine, cuts: Sequence[MadeCut]) -> str:
    """The command that brings the clips for which slates stand in; "" where none is missing."""
    missing = [segment for cut in cuts for segment in cut.missing]
    if not missing:
        return ""
    is_damaged = all(segment.is_damaged for segment in missing)
    return command_line.verify() if is_damaged else command_line.run()


def make_cut(settings: Settings, film: Film, options: CutOptions, progress: Progress) -> MadeCut:
    """Make one film's file unless it is there already; a slate stands in for a clip that is damaged.

    Raises `CommandError` naming what cannot be shown or written, CannotCopy, and whatever `progress` raises.
    """
    # Each turn puts a slate in place of one damaged clip; where that changes nothing, the error is no clip's.
    while True:
        try:
            return _made_cut(settings, film, options, progress)
        except AssemblyError as error:
            whole = film if error.path is None else without_clips(settings.root, film, {error.path})
            if whole == film:
                where = f"{display_path(error.path)} " if error.path is not None else "the cut: "
                raise CommandError(ExitCode.INVALID, f"{where}{error.message}; no cut was made") from error
            film = whole


def _made_cut(settings: Settings, film: Film, options: CutOptions, progress: Progress) -> MadeCut:
    """Make one film's file unless it is there already. Raises AssemblyError too."""
    marks = ("burn-in",) if options.burn_in else ()
    target, root = target_of(settings.root, options.to, film.target(NAME, *marks))
    assembly = assembly_of(settings, film, options)
    stored = stored_key(target)
    # A small film of a free run does not stand for the one that is asked for in full size.
    if stored is not None and stored.content == assembly.key and (options.quick or not stored.is_quick):
        return MadeCut(film, target, is_new=False)
    from av.error import FFmpegError

    # Under another name until it is whole: no player, and no later command, takes half a film for the film.
    part = part_of(target)
    try:
        make_folder(target.parent, root)
        with create_afresh(part, root) as file:
            result = assemble(assembly, file, part, lambda seconds: progress(seconds, assembly.seconds))
            file.flush()
        move_file(part, target, root)
    except (OSError, FileRejected, FFmpegError) as error:
        raise CommandError(ExitCode.INVALID, f"cannot write {display_path(target)}: {reason(error)}") from error
    finally:
        # A stopped cut leaves no part behind: unlike a clip's it could not be continued.
        with suppress(OSError):
            remove_file(part, root)
    return MadeCut(film, target, is_new=True, result=result)


def assembly_of(settings: Settings, film: Film, options: CutOptions) -> Assembly:
    """The parts of the film file, its music and its key."""
    files = [(segment, segment_file(settings.root, segment)) for segment in film.cut.segments]
    is_free = settings.account.free
    parts = tuple(
        _part(segment, path, burn_in_text(segment, is_free) if options.burn_in else "") for segment, path in files
    )
    return Assembly(
        parts,
        _music(settings, film),
        cut_key(settings, film, is_burnt_in=options.burn_in),
        quick=options.quick,
        copy_only=options.copy_only,
        environment=font_environment(),
    )


def _part(segment: Segment, path: Path | None, burn_in: str) -> Part:
    seconds = Fraction(segment.seconds)
    if path is None:
        return Part("slate", seconds, slate_lines=slate_lines(segment), burn_in=burn_in)
    return Part(
        "picture" if segment.is_picture else "clip",
        seconds,
        path,
        Fraction(segment.in_seconds),
        float(segment.level or 0),
        burn_in=burn_in,
    )


def _music(settings: Settings, film: Film) -> MusicTrack | None:
    music = film.cut.music
    if music is None:
        return None
    try:
        path = resolve_inside(settings.root / music.path, settings.root, may_be_hidden=True)
    except (FileRejected, OSError) as error:
        raise CommandError(ExitCode.INVALID, f"the music {music.path} cannot be read: {reason(error)}") from error
    return MusicTrack(path, Fraction(music.start), float(music.level or 0))
