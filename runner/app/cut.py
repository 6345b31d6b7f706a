"""Makes the film of a storyboard as one video file: `cut.mp4`."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

from runner.app.films import Film, segment_file, target_of
from runner.app.session import Session
from runner.assembly.assemble import assemble, key_of
from runner.assembly.parts import AssembledFilm, Assembly, AssemblyError, MusicTrack, Part
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, hash_clip, reason, resolve_inside
from runner.files.writing import create_afresh, make_folder, move_file, part_of, remove_file
from runner.lazy_dataclass import dataclass
from runner.show.text.format import length
from runner.timeline.cut_list import Segment

NAME = "cut.mp4"
_HEAD = 1 << 20
"""Bytes of a film file in which its key stands: the index is in front."""
_VERSION = 1
"""Part of the key: raised when the same edit is drawn differently."""

Progress = Callable[[Fraction, Fraction], None]
"""Called with the seconds that are written and the seconds of the film; may raise to stop."""


@dataclass(frozen=True, slots=True)
class CutOptions:
    """Options of a cut."""

    to: Path | None = None
    burn_in: bool = False
    quick: bool = False
    """Whether an encoded cut has 480 lines, as at the end of a free run."""


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


def make_cut(session: Session, film: Film, options: CutOptions, progress: Progress) -> MadeCut:
    """Make one film's file unless it is there already. Raises `CommandError` naming what cannot be shown or written."""
    marks = ("burn-in",) if options.burn_in else ()
    target, root = target_of(session, options.to, film.target(NAME, *marks))
    assembly = assembly_of(session, film, options)
    if film_key(target) == assembly.key:
        return MadeCut(film, target, is_new=False)
    part = part_of(target)
    try:
        make_folder(target.parent, root)
        with create_afresh(part, root) as file:
            result = assemble(assembly, file, part, lambda seconds: progress(seconds, assembly.seconds))
            file.flush()
        move_file(part, target, root)
    except AssemblyError as error:
        where = f"{_display(session, error.path)} " if error.path is not None else "the cut: "
        raise CommandError(ExitCode.INVALID, f"{where}{error.message}; no cut was made") from error
    except (OSError, FileRejected) as error:
        raise CommandError(ExitCode.INVALID, f"cannot write {session.display_path(target)}: {reason(error)}") from error
    finally:
        with suppress(OSError):
            remove_file(part, root)
    return MadeCut(film, target, is_new=True, result=result)


def film_key(path: Path) -> str | None:
    """The key of the edit and clips that a film file holds; None where there is no such file."""
    try:
        with path.open("rb") as file:
            return key_of(file.read(_HEAD))
    except OSError:
        return None


def assembly_of(session: Session, film: Film, options: CutOptions) -> Assembly:
    """The parts of the film file."""
    files = [(segment, segment_file(session, segment)) for segment in film.cut.segments]
    is_free = session.settings.account.free
    parts = tuple(
        _part(segment, path, _burn_in(segment, is_free) if options.burn_in else "") for segment, path in files
    )
    return Assembly(parts, _music(session, film), _key(session, film, options), quick=options.quick)


def _part(segment: Segment, path: Path | None, burn_in: str) -> Part:
    seconds = Fraction(segment.seconds)
    if path is None:
        return Part("slate", seconds, slate_lines=_slate_lines(segment), burn_in=burn_in)
    return Part(
        "picture" if segment.is_picture else "clip",
        seconds,
        path,
        Fraction(segment.in_seconds),
        float(segment.level or 0),
        burn_in=burn_in,
    )


def _slate_lines(segment: Segment) -> tuple[str, ...]:
    """A slate's text: what it stands for, and why there is no clip."""
    if segment.kind != "shot":
        return (segment.label,)
    take = f"take {segment.take}, " if segment.take is not None else ""
    lines = (segment.label, f"{take}{length(segment.seconds)}: {segment.reason}")
    prompt = segment.shot.request.prompt if segment.shot is not None else None
    return (*lines, prompt) if prompt else lines


def _burn_in(segment: Segment, is_free: bool) -> str:
    """Shot and take; a drawn clip says that it is none of the provider's."""
    name = f"{segment.label}  take {segment.take}" if segment.take is not None else segment.label
    return f"{name}  animatic" if is_free and segment.clip is not None else name


def _music(session: Session, film: Film) -> MusicTrack | None:
    music = film.cut.music
    if music is None:
        return None
    try:
        path = resolve_inside(session.settings.root / music.path, session.settings.root, may_be_hidden=True)
    except (FileRejected, OSError) as error:
        raise CommandError(ExitCode.INVALID, f"the music {music.path} cannot be read: {reason(error)}") from error
    return MusicTrack(path, Fraction(music.start), float(music.level or 0))


def _key(session: Session, film: Film, options: CutOptions) -> str:
    """Hash of all that the file's content follows from."""
    music = film.cut.music
    content = {
        "version": _VERSION,
        "burn_in": options.burn_in,
        "music": None if music is None else [_file_hash(session, music.path), str(music.start), str(music.level)],
        "segments": [_segment_key(session, segment, options) for segment in film.cut.segments],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _segment_key(session: Session, segment: Segment, options: CutOptions) -> list[object]:
    if segment.clip is not None:
        content: object = segment.clip.sha256
    elif segment.path is not None:
        content = _file_hash(session, segment.path)
    else:
        content = list(_slate_lines(segment))
    name = _burn_in(segment, session.settings.account.free) if options.burn_in else ""
    return [content, str(segment.in_seconds), str(segment.seconds), str(segment.level or 0), name]


def _file_hash(session: Session, path: str) -> str:
    try:
        return hash_clip(session.settings.root / path, session.settings.root)
    except OSError as error:
        raise CommandError(ExitCode.INVALID, f"{path} cannot be read: {reason(error)}") from error


def _display(session: Session, path: Path) -> str:
    return session.display_path(path)
