"""A timeline that was edited elsewhere (OpenTimelineIO, JSON), read back as the entries of a cut. Pure.

What a cut cannot say (gaps, dissolves, speed, several tracks of pictures) is left out, and each is a note.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from pathlib import PurePosixPath
from typing import Literal, Never, TypeGuard
from urllib.parse import unquote, urlsplit

from runner.lazy_dataclass import dataclass, field
from runner.timeline.otio import METADATA_KEY

LIMIT = 64 << 20
"""Bytes of a timeline that is read: one of 10,000 clips has a third of it."""
# No film comes near these: beyond them a file is a mistake, or made to take all memory.
_MAX_CHILDREN = 100_000
_MAX_SECONDS = 1_000_000
_MAX_TEXT = 500
_MAX_NOTES = 200

Json = Mapping[str, object]


class TimelineError(Exception):
    """A timeline that cannot be read back; the text says why, for the user."""


@dataclass(frozen=True, slots=True)
class FilmMedia:
    """A clip as the film knows it: a take of a shot, or a finished clip or picture of the cut."""

    kind: Literal["shot", "clip"]
    name: str
    """The shot's id, or the path as it is written."""
    take: int | None = None
    is_picture: bool = False


@dataclass(frozen=True, slots=True)
class ShotFacts:
    """A shot's own range, and its take that the film shows."""

    in_seconds: Decimal
    seconds: Decimal
    """Film time without an entry of its own."""
    duration: Decimal
    """The ordered length of its clip, beyond which no entry may reach."""
    take: int | None


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """The film that a timeline has to be of."""

    storyboard: str
    media: Mapping[str, FilmMedia]
    """By the name under which editors know a file: `ferry_SH040_t02`."""
    shots: Mapping[str, ShotFacts]
    clips: Mapping[str, FilmMedia]
    """The finished clips and pictures of the cut by their path as it is written."""


@dataclass(frozen=True, slots=True)
class EditedEntry:
    """An entry of a cut: a shot without any of the fields is shown as the storyboard has it."""

    kind: Literal["shot", "clip", "slate"]
    text: str
    take: int | None = None
    in_seconds: Decimal | None = None
    seconds: Decimal | None = None
    level: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EditedCut:
    """The entries of an edited timeline, and what of it a cut cannot say."""

    entries: tuple[EditedEntry, ...]
    notes: tuple[str, ...]


def read_edited(content: bytes, film: FilmFacts) -> EditedCut:
    """The cut of an edited timeline. Raises TimelineError for what is no timeline of this film."""
    try:
        # Some Windows programs begin a file with a byte order mark.
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise TimelineError(f"is no JSON that can be read ({str(error)[:120]}); export it as OTIO") from error
    reader = _TrackReader(film)
    timeline = _timeline(document)
    reader.check_film(timeline)
    entries = tuple(reader.entries(_tracks(timeline)))
    if reader.matched == 0:
        raise TimelineError(f"has no clip of {film.storyboard}: it is of another film, or its clips were renamed")
    more = len(reader.notes) - _MAX_NOTES
    notes = [*reader.notes[:_MAX_NOTES], *([f"and {more} more of that kind"] if more > 0 else [])]
    return EditedCut(entries, tuple(notes))


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no number of JSON")


def _timeline(document: object) -> Json:
    if isinstance(document, dict):
        schema = str(document.get("OTIO_SCHEMA", ""))
        if schema.startswith("Timeline."):
            return document
        if schema.startswith("SerializableCollection."):
            timelines = [child for child in _children(document) if _schema(child) == "Timeline"]
            if timelines:
                # What some editors export even for a single timeline.
                return timelines[0]
    raise TimelineError("is JSON, and no OpenTimelineIO timeline; export it as OTIO")


def _schema(item: Json) -> str:
    return str(item.get("OTIO_SCHEMA", "")).partition(".")[0]


def _children(item: object) -> list[Json]:
    children = item.get("children") if isinstance(item, dict) else None
    if not isinstance(children, list):
        return []
    if len(children) > _MAX_CHILDREN:
        raise TimelineError(f"has a track of more than {_MAX_CHILDREN:,} pieces")
    return [child for child in children if isinstance(child, dict)]


def _tracks(timeline: Json) -> list[Json]:
    tracks = [track for track in _children(timeline.get("tracks")) if track.get("kind") == "Video"]
    if not tracks:
        raise TimelineError("has no track of pictures")
    return tracks


@dataclass(slots=True)
class _TrackReader:
    """The reader of a track's pieces in order, at a running second of the film."""

    film: FilmFacts
    notes: list[str] = field(default_factory=list)
    matched: int = 0
    _at: Fraction = Fraction(0)
    """The second of the edited film at which the next piece begins."""
    _written: Decimal = Decimal(0)
    """The second at which the next entry begins as it is written, rounded: rounding never adds up."""

    def check_film(self, timeline: Json) -> None:
        written = _own_metadata(timeline).get("storyboard")
        if isinstance(written, str) and written != self.film.storyboard:
            raise TimelineError(f"is of {_text(written)}, not of {self.film.storyboard}")

    def entries(self, tracks: list[Json]) -> Iterator[EditedEntry]:
        filled = [track for track in tracks if any(_schema(item) == "Clip" for item in _children(track))]
        # Editors leave empty tracks on top: the first one that holds clips is the film.
        main, *others = filled or tracks
        for track in others:
            self._note(f"track {_text(track.get('name'))}: a cut has one track of pictures; it is left out")
        for item in _children(main):
            schema = _schema(item)
            if schema == "Clip":
                entry = self._clip(item)
            elif schema == "Gap":
                entry = self._gap(item)
            else:
                entry = None
                self._note_other(item, schema)
            if entry is not None:
                yield entry

    def _clip(self, item: Json) -> EditedEntry | None:
        name = _text(item.get("name"))
        start, seconds = self._range(item)
        if seconds <= 0 or item.get("enabled") is False:
            if seconds > 0:
                self._note(f"{name} at {self._time()}: is switched off; it is left out")
            return None
        # Before the clip is known: an effect on a foreign clip is lost as well.
        self._note_effects(item, name)
        media = self._media(item)
        if media is None:
            self._note(f"{name} at {self._time()}: is none of this film's clips; it is left out")
            return None
        self.matched += 1
        if start < 0:
            self._note(f"{name} at {self._time()}: begins {float(-start):.3f} s before its clip; it begins with it")
            start, seconds = Fraction(0), seconds + start
        level = _decimal(_own_metadata(item).get("level"))
        if media.kind == "clip":
            length = self._advance(seconds)
            begin = None if media.is_picture else _rounded(start)
            return EditedEntry("clip", media.name, None, begin or None, length, level or None)
        return self._shot(media, name, start, seconds, level)

    def _shot(
        self, media: FilmMedia, name: str, start: Fraction, seconds: Fraction, level: Decimal | None
    ) -> EditedEntry:
        facts = self.film.shots[media.name]
        take = media.take if media.take != facts.take else None
        # A little above half a frame at 24 a second: what an editor's frames round away is no change by a person.
        picture = Fraction(1, 40)
        same_start = abs(start - Fraction(facts.in_seconds)) < picture
        same_length = abs(seconds - Fraction(facts.seconds)) < picture
        if same_start and same_length and take is None and level is None:
            self._at += seconds
            self._written += facts.seconds
            return EditedEntry("shot", media.name)
        begin = facts.in_seconds if same_start else _rounded(start)
        beyond = start + seconds - Fraction(facts.duration)
        if beyond > 0:
            # Less is the timeline's own rounding to a frame, and worth no note.
            if beyond > picture:
                self._note(f"{name} at {self._time()}: reaches {float(beyond):.3f} s beyond its clip; it ends with it")
            seconds -= beyond
        length = min(self._advance(seconds), facts.duration - begin)
        has_start = begin != facts.in_seconds or begin > 0
        return EditedEntry("shot", media.name, take, begin if has_start else None, length, level)

    def _gap(self, item: Json) -> EditedEntry | None:
        _, seconds = self._range(item)
        own = _own_metadata(item)
        kind, label = own.get("kind"), own.get("label")
        if seconds <= 0:
            return None
        if kind == "slate" and isinstance(label, str) and label.strip():
            return EditedEntry("slate", label[:_MAX_TEXT], seconds=self._advance(seconds))
        shot = own.get("shot")
        if kind == "shot" and isinstance(shot, str) and shot in self.film.shots:
            self.matched += 1
            take = own.get("take")
            facts = self.film.shots[shot]
            # JSON's true is an int in Python.
            number = take if isinstance(take, int) and not isinstance(take, bool) and take > 0 else facts.take
            return self._shot(FilmMedia("shot", shot, number), shot, Fraction(facts.in_seconds), seconds, None)
        self._note(f"a gap of {float(seconds):.3f} s at {self._time()}: a cut has none; write a slate there")
        return None

    def _note_other(self, item: Json, schema: str) -> None:
        if schema == "Transition":
            self._note(f"a transition at {self._time()}: a cut has none; the clips follow each other")
            return
        name = _text(item.get("name")) or schema
        self._note(f"{name} at {self._time()}: a {schema or 'piece'} within the track is left out")

    def _note_effects(self, item: Json, name: str) -> None:
        effects = item.get("effects")
        for effect in effects if isinstance(effects, list) else []:
            if not isinstance(effect, dict):
                continue
            kind = _schema(effect)
            scalar = effect.get("time_scalar")
            if kind == "LinearTimeWarp" and isinstance(scalar, int | float):
                self._note(f"{name} at {self._time()}: runs at {scalar:g} × its speed; a cut keeps the speed")
            elif kind in ("FreezeFrame", "TimeEffect"):
                self._note(f"{name} at {self._time()}: its time is changed ({kind}); a cut keeps the speed")
            else:
                self._note(f"{name} at {self._time()}: the effect {_text(effect.get('name')) or kind} is left out")

    def _media(self, item: Json) -> FilmMedia | None:
        """The film's clip: by the name of its file, by what the timeline recorded of it, by the clip's own name."""
        reference = _reference(item)
        names = [str(reference.get("name") or ""), _file_stem(reference.get("target_url"))]
        # The name of the file first: in an editor a replaced clip keeps the metadata of the one before.
        for name in names:
            if name in self.film.media:
                return self.film.media[name]
        own = _own_metadata(item)
        shot, take, label = own.get("shot"), own.get("take"), own.get("label")
        if isinstance(shot, str) and shot in self.film.shots:
            return FilmMedia("shot", shot, take if isinstance(take, int) and take > 0 else None)
        if own.get("kind") == "clip" and isinstance(label, str) and label in self.film.clips:
            return self.film.clips[label]
        return self.film.media.get(PurePosixPath(str(item.get("name") or "")).stem)

    def _range(self, item: Json) -> tuple[Fraction, Fraction]:
        """The second of its file at which a piece begins, and its length in seconds."""
        reference = _reference(item)
        available = reference.get("available_range")
        used = item.get("source_range")
        if not isinstance(used, dict):
            used = available
        if not isinstance(used, dict):
            # Everything behind it would be shifted: no note can mend that.
            raise TimelineError(f"has a piece without a length: {_text(item.get('name'))} at {self._time()}")
        first = _seconds(available.get("start_time")) if isinstance(available, dict) else Fraction(0)
        return _seconds(used.get("start_time")) - first, _seconds(used.get("duration"))

    def _advance(self, seconds: Fraction) -> Decimal:
        """Go on by the length of a piece; its length as it is written."""
        self._at += seconds
        end = _rounded(self._at)
        # The difference of two rounded ends: lengths that are rounded alone would add up to another film.
        length = max(Decimal("0.001"), end - self._written)
        self._written += length
        return length.normalize() + 0

    def _time(self) -> str:
        return f"{float(self._at):.3f} s"

    def _note(self, text: str) -> None:
        self.notes.append(text)


def _own_metadata(item: Json) -> Json:
    metadata = item.get("metadata")
    own = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    return own if isinstance(own, dict) else {}


def _reference(item: Json) -> Json:
    """The active media reference of a clip."""
    references = item.get("media_references")
    key = item.get("active_media_reference_key")
    active = references.get(key) if isinstance(references, dict) and isinstance(key, str) else None
    # A Clip.1 has one reference, a Clip.2 several by key.
    reference = active if active is not None else item.get("media_reference")
    return reference if isinstance(reference, dict) else {}


def _file_stem(address: object) -> str:
    try:
        return PurePosixPath(unquote(urlsplit(str(address or "")).path).replace("\\", "/")).stem
    except ValueError:
        return ""


def _seconds(time: object) -> Fraction:
    """A RationalTime in seconds."""
    value, rate = (time.get("value"), time.get("rate")) if isinstance(time, dict) else (None, None)
    if not _is_number(value) or not _is_number(rate) or not 0 < rate <= 100_000:
        raise TimelineError("has a time that is none: a value and a rate of frames are needed")
    # 29.97 in a file is 30000/1001.
    seconds = Fraction(value) / Fraction(rate).limit_denominator(1001)
    if abs(seconds) > _MAX_SECONDS:
        raise TimelineError("has a time beyond eleven days")
    return seconds


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _decimal(value: object) -> Decimal | None:
    """A change of sound in dB as the language allows it; None for none."""
    # The bounds of `level` in the language: a value beyond could not be pasted.
    if not _is_number(value) or not -60 <= value <= 20:
        return None
    return round(Decimal(str(value)), 3).normalize() + 0


def _rounded(seconds: Fraction) -> Decimal:
    """Seconds to the millisecond: less than half a picture of any rate."""
    # `+ 0` makes 0 of -0, which Decimal would write with its sign.
    return (Decimal(round(seconds * 1000)) / 1000).normalize() + 0


def _text(value: object) -> str:
    return str(value or "")[:_MAX_TEXT]
