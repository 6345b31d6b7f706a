"""The reader of timelines in OpenTimelineIO's JSON: clips of the picture track become shots, in their order. Pure."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from runner.diagnostics.failures import ShotListUnusable
from runner.diagnostics.plural import count
from runner.shot_lists.shot_list import LONGEST_CLIP, MAX_SHOTS, ListedShot, ShotList, clip_stem
from runner.shot_lists.times import plain_number

SCHEMA_KEY = "OTIO_SCHEMA"
# Stacks within stacks: a file with more is made up, and would end Python's own stack.
_MAX_DEPTH = 50


def read_timeline(document: Any) -> ShotList:
    """The shots of a timeline's first picture track that has a clip. Raises ShotListUnusable."""
    if not isinstance(document, dict) or _kind(document) != "Timeline":
        raise ShotListUnusable("is no timeline of OpenTimelineIO: its OTIO_SCHEMA is not Timeline")
    every = _children(document.get("tracks"))
    # A track that names no kind is one of pictures, as in OTIO itself.
    tracks = [track for track in every if track.get("kind", "Video") == "Video"]
    lists = [list(_track(track)) for track in tracks]
    shots = next((shots for shots in lists if shots), None)
    if not shots:
        raise ShotListUnusable("has no clip on a picture track")
    if len(shots) > MAX_SHOTS:
        raise ShotListUnusable(f"has more than {MAX_SHOTS:,} clips: import it in parts")
    others = sum(1 for clips in lists if clips) - 1
    remarks = [f"{count(others, 'more picture track')} left out: a storyboard's film has one"] if others else []
    sounds = len(every) - len(tracks)
    remarks += [f"{count(sounds, 'track')} of sound left out: a storyboard has one sound, `music:`"] if sounds else []
    return ShotList(tuple(shots), _name(document), tuple(remarks))


def _track(track: dict[str, Any]) -> Iterator[ListedShot]:
    """The clips of a track; what stands between them is a remark of the next one."""
    remarks: list[str] = []
    for item, kind in _items(track):
        if kind == "Clip":
            yield _shot(item, remarks)
            remarks = []
        elif kind == "Gap":
            seconds = _range(item.get("source_range"))[1]
            remarks.append(f"a gap of {seconds:f} s stands before this clip" if seconds else "a gap stands before")
        else:
            remarks.append(f"{kind} {_name(item)} stands before this clip (the cut has straight cuts of clips)")


def _items(composition: dict[str, Any], depth: int = 0) -> Iterator[tuple[dict[str, Any], str]]:
    """The items of a track with their kinds; stacks and tracks inside it are opened."""
    for item in _children(composition):
        kind = _kind(item)
        if kind in ("Stack", "Track") and depth < _MAX_DEPTH:
            yield from _items(item, depth + 1)
        else:
            yield item, kind


def _shot(clip: dict[str, Any], before: list[str]) -> ListedShot:
    remarks = list(before)
    reference = _reference(clip)
    available = _range(reference.get("available_range"))
    start, seconds = _range(clip.get("source_range")) if clip.get("source_range") else available
    # A source may begin at its time of day; programs that count from its first picture write less than that.
    offset = start - available[0] if start >= available[0] else start
    if offset + (seconds or 0) > LONGEST_CLIP and offset:
        remarks.append(f"begins {offset:f} s into its source")
        offset = Decimal(0)
    effects, markers = _objects(clip.get("effects")), _objects(clip.get("markers"))
    remarks += [f"effect {_name(effect) or _kind(effect)} (a storyboard has no effects)" for effect in effects]
    remarks += [f"marker {_name(marker)}" for marker in markers]
    if url := reference.get("target_url"):
        remarks.append(f"its clip is {url}")
    name = _name(clip) or "clip"
    return ListedShot(
        id=clip_stem(name),
        title=name,
        prompt=clip_stem(name),
        seconds=seconds,
        in_seconds=plain_number(offset),
        remarks=tuple(remarks),
    )


def _reference(clip: dict[str, Any]) -> dict[str, Any]:
    """The media of a clip: its active reference, or the only one of older files."""
    references = clip.get("media_references")
    key = clip.get("active_media_reference_key", "DEFAULT_MEDIA")
    reference = references.get(key) if isinstance(references, dict) else clip.get("media_reference")
    return reference if isinstance(reference, dict) else {}


def _range(time_range: Any) -> tuple[Decimal, Decimal | None]:
    """Start and length in seconds; the length is None where there is none."""
    if not isinstance(time_range, dict):
        return Decimal(0), None
    start, length = _time(time_range.get("start_time")), _time(time_range.get("duration"))
    return start or Decimal(0), length if length is not None and length > 0 else None


def _time(time: Any) -> Decimal | None:
    if not isinstance(time, dict):
        return None
    try:
        seconds = Decimal(str(time.get("value"))) / Decimal(str(time.get("rate")))
    except (ArithmeticError, InvalidOperation):
        return None
    # Eleven days and more are a mistake of the file.
    return plain_number(seconds) if seconds.is_finite() and 0 <= seconds < 1_000_000 else None


def _children(composition: Any) -> list[dict[str, Any]]:
    return _objects(composition.get("children")) if isinstance(composition, dict) else []


def _objects(items: Any) -> list[dict[str, Any]]:
    """The objects of a list; none where it is no list."""
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _kind(item: dict[str, Any]) -> str:
    return str(item.get(SCHEMA_KEY, "")).partition(".")[0]


def _name(item: dict[str, Any]) -> str:
    name = item.get("name")
    return name if isinstance(name, str) else ""
