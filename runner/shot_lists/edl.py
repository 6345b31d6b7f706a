"""The reader of edit decision lists (CMX 3600): their events become shots of that length, in their order. Pure."""

import re
from collections.abc import Iterator
from decimal import Decimal

from runner.diagnostics.failures import ShotListUnusable
from runner.diagnostics.plural import count
from runner.lazy_dataclass import dataclass, field
from runner.lazy_pattern import lazy_pattern
from runner.shot_lists.shot_list import LONGEST_CLIP, MAX_SHOTS, ListedShot, ShotList, clip_stem
from runner.shot_lists.times import DEFAULT_RATE, frame_seconds, parse_frames

_CODE = r"(\d{2}:\d{2}:\d{2}[:;.,]\d{2})"
_EVENT = lazy_pattern(
    rf"(\d{{1,6}})\s+(\S+)\s+(\S+)\s+(C|D|W\d*|K\S*)\s*(\d*)\s+{_CODE}\s+{_CODE}\s+{_CODE}\s+{_CODE}", re.IGNORECASE
)
_CLIP_NAME = lazy_pattern(r"\*?\s*(?:FROM CLIP NAME|CLIP NAME)\s*:\s*(.*)", re.IGNORECASE)
_FRAMES = lazy_pattern(r"\d{2}:\d{2}:\d{2}[:.,](\d{2})\b")
_RATES = (24, 25, 30, 50, 60)


@dataclass(slots=True)
class _Event:
    """An event as it is read, with the lines below it. Mutable."""

    number: str
    reel: str
    channels: str
    transition: str
    codes: tuple[str, ...]
    name: str = ""
    remarks: list[str] = field(default_factory=list)


def read_edl(text: str) -> ShotList:
    """The shots of the video events. Raises ShotListUnusable without one."""
    title, drop_frame, events, before = "", False, list[_Event](), list[str]()
    for line in filter(None, map(str.strip, text.split("\n"))):
        if match := _EVENT.match(line):
            transition = f"{match[4]} {match[5]}".strip()
            events.append(_Event(match[1], match[2], match[3].upper(), transition, match.groups()[5:]))
        elif line.upper().startswith("TITLE:"):
            title = line[6:].strip()
        elif line.upper().startswith("FCM:"):
            drop_frame = "NON" not in line.upper()
        elif events and (match := _CLIP_NAME.match(line)):
            events[-1].name = match[1].strip()
        else:
            (events[-1].remarks if events else before).append(line.lstrip("* "))
    rate = _rate(text)
    shots = list(_shots(events, rate, drop_frame))
    if not shots:
        raise ShotListUnusable("has no video event, like `001 AX V C 00:00:00:00 00:00:05:00 00:00:00:00 00:00:05:00`")
    if len(shots) > MAX_SHOTS:
        raise ShotListUnusable(f"has more than {MAX_SHOTS:,} events: import it in parts")
    pictures = "29.97 (drop-frame)" if drop_frame or ";" in events[0].codes[0] else str(rate)
    remarks = [f"{line} (a line before the first event)" for line in before]
    remarks += [f"an EDL names no rate: its time codes were read at {pictures} pictures a second"]
    skipped = sum(1 for event in events if not _shows_picture(event))
    remarks += [f"{count(skipped, 'event')} of sound or black left out"] if skipped else []
    return ShotList(tuple(shots), title, tuple(remarks))


def _rate(text: str) -> int:
    """The lowest usual rate that has every frame number of the list."""
    highest = max((int(number) for number in _FRAMES.findall(text)), default=0)
    return next((rate for rate in _RATES if highest < rate), DEFAULT_RATE)


def _shows_picture(event: _Event) -> bool:
    return ("V" in event.channels or event.channels == "B") and event.reel.upper() not in ("BL", "BLACK")


def _shots(events: list[_Event], rate: int, drop_frame: bool) -> Iterator[ListedShot]:
    for event in filter(_shows_picture, events):
        # FCM says it for all events, whatever sign stands in their codes.
        codes = [code[:8] + ";" + code[9:] if drop_frame else code for code in event.codes]
        frames = [parse_frames(code, rate) or 0 for code in codes]
        is_drop = ";" in codes[0]
        # The record's times: the source may run slower or faster than the film.
        seconds = frame_seconds(frames[3] - frames[2], rate, is_drop)
        start = frame_seconds(frames[0], rate, is_drop)
        remarks = [f"{line} (a line of event {event.number})" for line in event.remarks]
        if not event.transition.upper().startswith("C"):
            remarks.append(f"{event.transition} (a dissolve, wipe or key: the cut of a storyboard has straight cuts)")
        if seconds <= 0:
            if event.codes[2] != event.codes[3]:
                remarks.append(f"event {event.number} ends before it begins")
            else:
                continue  # the first half of a transition lasts no time
        # The times of a reel of an hour: no clip that is made anew is as long.
        if start + seconds > LONGEST_CLIP:
            remarks.append(f"source {event.codes[0]} to {event.codes[1]} of reel {event.reel}")
            start = Decimal(0)
        name = event.name or event.reel
        yield ListedShot(
            # A reel has many events, and its name alone would be many times the same id.
            id=clip_stem(name) if event.name else f"{event.reel}-{event.number}",
            title=name,
            prompt=clip_stem(name),
            seconds=seconds if seconds > 0 else None,
            in_seconds=start,
            remarks=tuple(remarks),
        )
