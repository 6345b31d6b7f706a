"""The film as an OpenTimelineIO document (schema Timeline.1), for editors. Pure: a cut list and facts of files in.

The shapes are those of https://opentimelineio.readthedocs.io (Clip.2, ExternalReference.1, Gap.1, Marker.2).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from runner.lazy_dataclass import dataclass
from runner.timeline.cut_list import CutList, Segment
from runner.timeline.shot_note import ShotNote

Json = dict[str, object]
METADATA_KEY = "storyboard"


@dataclass(frozen=True, slots=True)
class MediaFile:
    """A clip as an editor sees it."""

    key: str
    """Name of the reference among those of its clip: `take 2`."""
    name: str
    """Unique name without an ending, by which editors link again: `ferry_SH040_t02`."""
    target: str
    """Address relative to the timeline's file."""
    seconds: Fraction
    """Probed length."""
    has_sound: bool = True
    metadata: Mapping[str, object] | None = None
    """Prompt, price and fingerprint of the take."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """A segment with its media: every take is a reference, `active` the shown one; without media it is a gap."""

    segment: Segment
    media: tuple[MediaFile, ...] = ()
    active: int = 0
    notes: tuple[ShotNote, ...] = ()

    @property
    def active_media(self) -> MediaFile | None:
        """The media that the film shows."""
        return self.media[self.active] if self.media else None


def otio_document(
    cut: CutList, entries: Sequence[TimelineEntry], rate: Fraction, music: MediaFile | None = None
) -> Json:
    """The timeline: a track of pictures, a track of their sound, and the music on a track of its own.

    Ranges are whole frames at the film's `rate`, rounded so that they add up to the film's length.
    """
    edges = _edges(cut, rate)
    pictures = [_item(entry, edges[at + 1] - edges[at], rate) for at, entry in enumerate(entries)]
    sounds = [_item(entry, edges[at + 1] - edges[at], rate, is_sound=True) for at, entry in enumerate(entries)]
    tracks = [_track("V1", "Video", pictures), _track("A1", "Audio", sounds)]
    if music is not None and cut.music is not None:
        tracks.append(_track("A2", "Audio", [_music(cut, music, edges[-1], rate)]))
    return {
        "OTIO_SCHEMA": "Timeline.1",
        "name": cut.title or cut.storyboard,
        # By this `cut --from` knows that a timeline is of this film.
        "metadata": {METADATA_KEY: {"storyboard": cut.storyboard}},
        "global_start_time": None,
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "name": "tracks",
            "metadata": {},
            "source_range": None,
            "effects": [],
            "markers": [],
            "enabled": True,
            "children": tracks,
        },
    }


# Frames a second for which editors have time codes (SMPTE 12M).
_SMPTE_RATES = tuple(Fraction(rate) for rate in (24, 25, 30, 50, 60)) + tuple(
    Fraction(rate * 1000, 1001) for rate in (24, 30, 60)
)


def editors_rate(rate: Fraction) -> Fraction:
    """A rate that editors know: the rate itself, a multiple of it (drawn clips have 12 pictures a second), or 24."""
    return next((rate * times for times in (1, 2, 3, 4) if rate * times in _SMPTE_RATES), Fraction(24))


def _edges(cut: CutList, rate: Fraction) -> list[int]:
    """The film's frames at which its segments begin, and the end."""
    edges, at = [0], Decimal(0)
    for segment in cut.segments:
        at += segment.seconds
        # From the film's beginning: lengths that are rounded one by one would add up to another film.
        edges.append(round(Fraction(at) * rate))
    return edges


def _track(name: str, kind: str, children: list[Json]) -> Json:
    return {
        "OTIO_SCHEMA": "Track.1",
        "name": name,
        "kind": kind,
        "metadata": {},
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": children,
    }


def _item(entry: TimelineEntry, frames: int, rate: Fraction, *, is_sound: bool = False) -> Json:
    media = entry.active_media
    # A gap of the same length keeps picture and sound of all that follows together.
    if media is None or (is_sound and not media.has_sound):
        return _gap(entry.segment, frames, rate)
    start = round(Fraction(entry.segment.in_seconds) * rate)
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": media.name,
        "metadata": {METADATA_KEY: _segment_metadata(entry.segment)},
        "source_range": _range(start, frames, rate),
        "effects": [],
        # On the picture alone, or an editor lists each note twice.
        "markers": [] if is_sound else [_marker(note, start, rate) for note in entry.notes],
        "enabled": True,
        "media_references": {file.key: _reference(file, rate) for file in entry.media},
        "active_media_reference_key": media.key,
    }


def _gap(segment: Segment, frames: int, rate: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "Gap.1",
        "name": segment.label,
        "metadata": {METADATA_KEY: _segment_metadata(segment)},
        "source_range": _range(0, frames, rate),
        "effects": [],
        "markers": [],
        "enabled": True,
    }


def _music(cut: CutList, music: MediaFile, frames: int, rate: Fraction) -> Json:
    assert cut.music is not None
    start = round(Fraction(cut.music.start) * rate)
    available = max(0, round(music.seconds * rate) - start)
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": music.name,
        "metadata": {METADATA_KEY: {"music": cut.music.path, "level": _number(cut.music.level)}},
        "source_range": _range(start, min(frames, available), rate),
        "effects": [],
        "markers": [],
        "enabled": True,
        "media_references": {music.key: _reference(music, rate)},
        "active_media_reference_key": music.key,
    }


def _segment_metadata(segment: Segment) -> Json:
    values: Json = {"kind": segment.kind, "label": segment.label}
    if segment.shot is not None:
        values |= {"shot": segment.shot.id, "take": segment.take, "scene": segment.shot.scene}
    if segment.level is not None:
        values["level"] = _number(segment.level)
    if segment.reason:
        values["reason"] = segment.reason
    return values


def _reference(file: MediaFile, rate: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "ExternalReference.1",
        "name": file.name,
        # Relative: the folder can be given to an editor on another machine.
        "target_url": file.target,
        "available_range": _range(0, round(file.seconds * rate), rate),
        "available_image_bounds": None,
        "metadata": {METADATA_KEY: dict(file.metadata or {})},
    }


def _marker(note: ShotNote, start: int, rate: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "Marker.2",
        "name": note.text,
        "comment": note.text,
        "color": "YELLOW",
        "marked_range": _range(start, 1, rate),
        "metadata": {METADATA_KEY: {"at": note.at, "take": note.take}},
    }


def _range(start: int, frames: int, rate: Fraction) -> Json:
    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "start_time": _time(start, rate),
        "duration": _time(frames, rate),
    }


def _time(frames: int, rate: Fraction) -> Json:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
