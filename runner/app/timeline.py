"""The film's timeline for editors: OTIO, and by its adapters EDL, FCP XML and CSV."""

import csv
import filecmp
import io
import json
import os
import shutil
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from runner.app.clips_on_disk import clips_on_disk
from runner.app.display_path import display_path
from runner.app.films import Film, segment_file, target_of, without_clips
from runner.app.manifest_files import ManifestFiles
from runner.app.note import notes_of
from runner.assembly.parts import AssemblyError
from runner.assembly.sources import SourceFacts, facts_of
from runner.attempts.attempt import Attempt
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, reason
from runner.files.writing import make_folder, replace_content
from runner.lazy_dataclass import dataclass
from runner.show.screens.film_files import FilmFile
from runner.show.text.format import count
from runner.timeline.cut_list import Segment
from runner.timeline.media_names import media_names, own_media_names
from runner.timeline.otio import MediaFile, TimelineEntry, editors_rate, otio_document

FORMATS = {"otio": "otio", "edl": "edl", "fcpxml": "fcpxml", "xml": "xml", "csv": "csv"}
"""Ending of the file by format."""
# The names of OpenTimelineIO's adapters by format.
_ADAPTERS = {"edl": "cmx_3600", "fcpxml": "fcpx_xml", "xml": "fcp_xml"}
MEDIA_FOLDER = "media"


@dataclass(frozen=True, slots=True)
class WrittenTimeline:
    """The file of a timeline."""

    film: Film
    path: Path
    clips: int
    """Clips under their unique names in `media/`."""
    notes: tuple[str, ...] = ()

    @property
    def file(self) -> FilmFile:
        """The timeline as the screen shows it."""
        cut = self.film.cut
        missing = tuple((segment.label, segment.reason) for segment in cut.missing)
        facts = (f"{count(self.clips, 'clip')} in media/",)
        return FilmFile("timeline", cut.film, display_path(self.path), cut.seconds, facts, self.notes, missing)


def write_timeline(manifests: ManifestFiles, film: Film, to: Path | None, file_format: str) -> WrittenTimeline:
    """Write one film's timeline and the media that it names. Raises `CommandError`."""
    ending = FORMATS[file_format]
    target, root = target_of(manifests.settings.root, to, film.target(f"timeline.{ending}"))
    facts, damaged = _facts_of_clips(manifests.settings.root, film)
    film = without_clips(manifests.settings.root, film, damaged)
    media = _Media(manifests, film, (target.parent, root), facts)
    entries = [media.entry(segment) for segment in film.cut.segments]
    rate = media.rate()
    document = otio_document(film.cut, entries, rate, media.music())
    content = _content(document, film, entries, file_format, rate)
    try:
        make_folder(target.parent, root)
        media_notes = media.link()
        replace_content(target, root, content)
    except (OSError, FileRejected) as error:
        raise CommandError(ExitCode.INVALID, f"cannot write {display_path(target)}: {reason(error)}") from error
    return WrittenTimeline(film, target, len(media.links), (*_notes(film, file_format), *media_notes))


def editor_names(film: Film) -> tuple[dict[tuple[str, str, int], str], dict[str, str]]:
    """Names of a film's files for editors: of takes by storyboard, shot and number, of other files by their path."""
    # Unique over the film: editors link media again by the file's name alone, and every shot has a `take-1`.
    takes = media_names(
        (step.shot.storyboard, step.shot.id, step.take)
        for segment in film.cut.segments
        if segment.shot is not None
        for step in film.plan.takes_of(segment.shot)
    )
    own = [segment.label for segment in film.cut.segments if segment.kind == "clip"]
    music = [film.cut.music.path] if film.cut.music is not None else []
    return takes, own_media_names([*own, *music], takes.values())


class _Media:
    """The clips of one film under names of their own, and the facts that editors need."""

    def __init__(
        self, manifests: ManifestFiles, film: Film, target: tuple[Path, Path], facts: dict[Path, SourceFacts]
    ) -> None:
        self._repository = manifests.settings.root
        self._film = film
        self._folder, self._root = target
        self._facts = facts
        storyboard = film.plan.batch.storyboard_of(film.cut.film)
        self._notes = notes_of(manifests, storyboard)
        self.links: dict[str, Path] = {}
        """The file behind each name in the media folder."""
        self._names, self._own_names = editor_names(film)

    def entry(self, segment: Segment) -> TimelineEntry:
        """A segment with all takes of its shot that are at hand."""
        if segment.shot is None:
            path = segment_file(self._repository, segment)
            if path is None:
                return TimelineEntry(segment)
            try:
                return TimelineEntry(segment, (self._file(path, self._own_names[segment.label], "clip", {}, segment),))
            except AssemblyError as error:
                where = display_path(path)
                raise CommandError(ExitCode.INVALID, f"{where} {error.message}; no timeline was made") from error
        files: list[MediaFile] = []
        active = 0
        for step in self._film.plan.takes_of(segment.shot):
            attempt = self._film.history.attempts.get(step.attempt or "")
            is_shown = step.take == segment.take
            path = segment_file(self._repository, segment) if is_shown else self._clip(attempt)
            if path is None:
                continue
            if is_shown:
                active = len(files)
            name = self._names[(step.shot.storyboard, step.shot.id, step.take)]
            try:
                files.append(self._file(path, name, f"take {step.take}", _take_metadata(attempt), None))
            except AssemblyError:
                continue  # a take that the film does not show, and that no editor could open
        has_active = any(file.key == f"take {segment.take}" for file in files)
        notes = tuple(note for note in self._notes.get(segment.shot.id, ()) if note.take == segment.take)
        return TimelineEntry(segment, tuple(files) if has_active else (), active, notes)

    def music(self) -> MediaFile | None:
        music = self._film.cut.music
        if music is None or music.seconds is None:
            return None
        path = self._repository / music.path
        name = self._own_names[music.path]
        self.links[f"{name}{path.suffix}"] = path
        return MediaFile("music", name, f"{MEDIA_FOLDER}/{name}{path.suffix}", Fraction(music.seconds))

    def rate(self) -> Fraction:
        """Frames a second of the timeline: what most of the film's time has, as editors count it."""
        seconds: dict[Fraction, Fraction] = {}
        for segment in self._film.cut.segments:
            path = segment_file(self._repository, segment)
            if path is not None and path in self._facts:
                rate = self._facts[path].video.rate
                seconds[rate] = seconds.get(rate, Fraction(0)) + Fraction(segment.seconds)
        return editors_rate(max(seconds, key=lambda rate: (seconds[rate], rate), default=Fraction(24)))

    def link(self) -> list[str]:
        """Make the media folder: a link to each clip, a copy where links fail.

        A file that is neither stays, since it may be somebody's work; returns a note on each.
        """
        folder = self._folder / MEDIA_FOLDER
        make_folder(folder, self._root)
        notes = []
        for name, source in self.links.items():
            target, address = folder / name, os.path.relpath(source, folder)
            if target.is_symlink():
                if os.readlink(target) == address:
                    continue
                target.unlink()
            elif target.exists():
                if not filecmp.cmp(source, target, shallow=False):
                    notes.append(
                        f"{MEDIA_FOLDER}/{name} is another file than the clip, and stays; delete it to have the clip"
                    )
                continue
            try:
                # Relative, so that the film's folder can be moved or mounted elsewhere with its media.
                target.symlink_to(address)
            except OSError:
                shutil.copyfile(source, target)
        return notes

    def _clip(self, attempt: Attempt | None) -> Path | None:
        """The clip of a take that is not shown; None where it is not at hand."""
        exists = clips_on_disk(self._film.history, self._repository)
        clips = [clip for clip in attempt.clips if exists(clip)] if attempt is not None else []
        return self._repository / clips[0].path if clips else None

    def _file(self, path: Path, name: str, key: str, metadata: Mapping[str, object], own: Segment | None) -> MediaFile:
        """A file under its name. Raises AssemblyError for a clip that cannot be opened."""
        file_name = f"{name}{path.suffix or '.mp4'}"
        if own is not None and own.is_picture:
            self.links[file_name] = path
            return MediaFile(key, name, f"{MEDIA_FOLDER}/{file_name}", Fraction(own.seconds), False, metadata)
        facts = self._facts[path] = self._facts.get(path) or facts_of(path)
        self.links[file_name] = path
        has_sound = facts.audio is not None
        return MediaFile(key, name, f"{MEDIA_FOLDER}/{file_name}", facts.seconds, has_sound, metadata)


def _facts_of_clips(root: Path, film: Film) -> tuple[dict[Path, SourceFacts], set[Path]]:
    """Facts of the clips of the shots that the film shows, and those that cannot be opened."""
    facts, damaged = {}, set()
    for segment in film.cut.segments:
        path = segment_file(root, segment) if segment.kind == "shot" else None
        if path is not None and path not in facts:
            try:
                facts[path] = facts_of(path)
            except AssemblyError:
                damaged.add(path)
    return facts, damaged


def _take_metadata(attempt: Attempt | None) -> dict[str, object]:
    if attempt is None:
        return {}
    intent = attempt.intent
    return {
        "prompt": intent.request.get("prompt"),
        "fingerprint": intent.fingerprint,
        "quoted_credits": float(intent.quoted),
        "task_id": attempt.task_id,
    }


def _content(
    document: Mapping[str, object], film: Film, entries: list[TimelineEntry], file_format: str, rate: Fraction
) -> bytes:
    if file_format == "otio":
        return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
    if file_format == "csv":
        return _csv(film, entries, rate)
    return _by_adapter(document, file_format)


def _csv(film: Film, entries: list[TimelineEntry], rate: Fraction) -> bytes:
    """A line for each segment: order, names, source and record times."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["number", "shot", "take", "scene", "media", "in", "seconds", "film_start", "film_end", "prompt"])
    at = Fraction(0)
    for number, entry in enumerate(entries, 1):
        segment = entry.segment
        shot = segment.shot
        end = at + Fraction(segment.seconds)
        writer.writerow(
            [
                number,
                _cell(segment.label),
                segment.take or "",
                _cell((shot.scene or "") if shot is not None else ""),
                entry.active_media.target if entry.active_media is not None else "",
                segment.in_seconds,
                segment.seconds,
                f"{float(at):.3f}",
                f"{float(end):.3f}",
                _cell((shot.request.prompt or "") if shot is not None else ""),
            ]
        )
        at = end
    return file.getvalue().encode()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _by_adapter(document: Mapping[str, object], file_format: str) -> bytes:
    try:
        import opentimelineio
    except ImportError as error:
        message = f'--format {file_format} needs OpenTimelineIO: pip install "storyboard-runner[timeline]"'
        raise CommandError(ExitCode.INVALID, message) from error
    timeline = opentimelineio.adapters.read_from_string(json.dumps(document), "otio_json")
    for clip in timeline.find_clips():
        # An EDL names a source by its reel alone.
        clip.metadata.setdefault("cmx_3600", {})["reel"] = clip.name
    try:
        text = opentimelineio.adapters.write_to_string(timeline, _ADAPTERS[file_format])
    except (opentimelineio.exceptions.OTIOError, ValueError, KeyError) as error:
        message = f"OpenTimelineIO's adapter for {file_format} cannot write this film: {error}; --format otio can"
        raise CommandError(ExitCode.INVALID, message) from error
    return str(text).encode()


def _notes(film: Film, file_format: str) -> tuple[str, ...]:
    notes = list(film.cut.notes)
    if file_format in _ADAPTERS and any(len(film.plan.takes_of(s.shot)) > 1 for s in film.cut.segments if s.shot):
        notes.append(f"{file_format} holds the shown takes only; --format otio holds all")
    return tuple(notes)
