"""A shot list as a value: the shots in their order, each with the fields that a storyboard holds. Pure."""

import re
from collections.abc import Mapping
from decimal import Decimal

from runner.lazy_dataclass import dataclass

TEXT_FIELDS = ("id", "scene", "title", "prompt", "notes", "model", "resolution", "aspect_ratio")
"""Fields whose value is text."""
FIELDS = (*TEXT_FIELDS, "tags", "takes", "seconds", "in")
"""The fields of a shot that a shot list can fill."""
MAX_SHOTS = 20_000
"""Shots of a list; a feature film has a tenth of it."""
LONGEST_CLIP = Decimal(15)
"""Seconds of the longest clip of the default model."""


@dataclass(frozen=True, slots=True)
class AcceptedValues:
    """The values that a storyboard takes: any other one becomes a remark, since what is written must be valid."""

    choices: Mapping[str, tuple[str, ...]]
    """The values of each field that has a choice."""
    most_takes: int
    """As many takes as the language allows for a shot."""


@dataclass(frozen=True, slots=True)
class ListedShot:
    """A shot as a list describes it. Texts are as in the list: plain, without mentions and templates."""

    id: str = ""
    """The id that the list asks for, in any form; empty for none."""
    prompt: str = ""
    scene: str = ""
    title: str = ""
    notes: str = ""
    model: str = ""
    resolution: str = ""
    aspect_ratio: str = ""
    tags: tuple[str, ...] = ()
    takes: int | None = None
    seconds: Decimal | None = None
    """Seconds on screen."""
    in_seconds: Decimal = Decimal(0)
    """Where in its clip the shot begins."""
    remarks: tuple[str, ...] = ()
    """Texts of the list that a storyboard cannot hold, each with the reason."""


@dataclass(frozen=True, slots=True)
class ShotList:
    """The shots of a list in their order."""

    shots: tuple[ListedShot, ...]
    title: str = ""
    remarks: tuple[str, ...] = ()
    """Remarks about the whole list: its encoding, rows that are left out."""


def clip_stem(name: str) -> str:
    """A clip's name without the ending of a file."""
    return re.sub(r"\.[A-Za-z0-9]{2,4}\Z", "", name) or name
