"""The key of a film: whether `cut.mp4` shows the edit and the clips as they are now."""

import hashlib
import json
from pathlib import Path

from runner.app.films import Film
from runner.assembly.film_key import HEAD, VERSION, FilmKey, key_of
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import hash_clip, reason
from runner.settings.settings import Settings
from runner.show.text.format import length
from runner.timeline.cut_list import Segment

NAME = "cut.mp4"


def stored_key(path: Path) -> FilmKey | None:
    """The key that a film file holds; None where there is no such file."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            return key_of(file.read(HEAD))
    except OSError:
        return None


def older_cut(settings: Settings, film: Film) -> Path | None:
    """The whole film's `cut.mp4` that shows another edit or other clips; None where it agrees or is missing."""
    path = film.folder / NAME
    stored = stored_key(path)
    if stored is None:
        return None
    try:
        return None if stored.content == cut_key(settings, film) else path
    except CommandError:
        # What cannot be read any more is not what the film shows.
        return path


def cut_key(settings: Settings, film: Film, *, is_burnt_in: bool = False) -> str:
    """Hash of all that the content of a film file follows from.

    Raises `CommandError` for material that cannot be read.
    """
    music = film.cut.music
    content = {
        "version": VERSION,
        "burn_in": is_burnt_in,
        "music": None if music is None else [_file_hash(settings, music.path), str(music.start), str(music.level)],
        "segments": [_segment_key(settings, segment, is_burnt_in) for segment in film.cut.segments],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _segment_key(settings: Settings, segment: Segment, is_burnt_in: bool) -> list[object]:
    if segment.clip is not None:
        # The recorded hash: to read every clip again would take as long as to join them.
        content: object = segment.clip.sha256
    elif segment.path is not None:
        content = _file_hash(settings, segment.path)
    else:
        content = list(slate_lines(segment))
    name = burn_in_text(segment, settings.account.free) if is_burnt_in else ""
    return [content, str(segment.in_seconds), str(segment.seconds), str(segment.level or 0), name]


def _file_hash(settings: Settings, path: str) -> str:
    try:
        return hash_clip(settings.root / path, settings.root)
    except OSError as error:
        raise CommandError(ExitCode.INVALID, f"{path} cannot be read: {reason(error)}") from error


def slate_lines(segment: Segment) -> tuple[str, ...]:
    """A slate's text: what it stands for, and why there is no clip."""
    if segment.kind != "shot":
        return (segment.label,)
    take = f"take {segment.take}, " if segment.take is not None else ""
    lines = (segment.label, f"{take}{length(segment.seconds)}: {segment.reason}")
    prompt = segment.shot.request.prompt if segment.shot is not None else None
    return (*lines, prompt) if prompt else lines


def burn_in_text(segment: Segment, is_free: bool) -> str:
    """Shot and take; a drawn clip says that it is none of the provider's."""
    name = f"{segment.label}  take {segment.take}" if segment.take is not None else segment.label
    return f"{name}  animatic" if is_free and segment.clip is not None else name
