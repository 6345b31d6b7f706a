"""Unique names of clips for editors: all clips are called `take-N.mp4`, and editors link again by name. Pure."""

from collections.abc import Iterable
from itertools import count
from pathlib import PurePosixPath

from slugify import slugify

from runner.attempts.film import storyboard_slug

MAX_REEL = 32
"""Letters of a reel's name in an EDL (CMX 3600 in its common form)."""


def media_names(takes: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str, int], str]:
    """A name for each take (storyboard, shot, number): `ferry_SH040_t02`, at most 32 letters, all different."""
    names: dict[tuple[str, str, int], str] = {}
    used: set[str] = set()
    for key in takes:
        if key not in names:
            names[key] = _free(_name(*key), used)
            used.add(names[key].casefold())
    return names


def own_media_names(labels: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """A name for each file of the user's own, by its path as written: its stem, different from the names `taken`."""
    names: dict[str, str] = {}
    used = {name.casefold() for name in taken}
    for label in labels:
        if label not in names:
            names[label] = _unique(PurePosixPath(label).stem, used)
            used.add(names[label].casefold())
    return names


def _unique(stem: str, used: set[str]) -> str:
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    return next(candidate for candidate in candidates if candidate.casefold() not in used)


def _name(storyboard: str, shot: str, take: int) -> str:
    ending = f"_t{take:02d}"
    film = slugify(storyboard_slug(storyboard), separator="-", lowercase=False)
    words = slugify(shot, separator="-", lowercase=False) or "shot"
    room = MAX_REEL - len(ending) - 1
    # The shot has the room, since editors look for it; of the film at least 4 letters stay.
    film_room = max(4, room - len(words))
    return f"{film[:film_room]}_{words[: room - min(len(film), film_room)]}{ending}"


def _free(name: str, used: set[str]) -> str:
    """The name, with a number where another one has it already."""
    # Names that differ in case are one file on macOS and Windows.
    if name.casefold() not in used:
        return name
    stem, _, ending = name.rpartition("_")
    number = 2
    while True:
        mark = f"-{number}_{ending}"
        # The number counts within the 32 letters: an EDL cuts the end, where the names differ.
        candidate = stem[: MAX_REEL - len(mark)] + mark
        if candidate.casefold() not in used:
            return candidate
        number += 1
