"""A model of an edition, with the limits of its requests."""

from runner.lazy_dataclass import dataclass
from runner.requests.request import Mode

SHORT_SIDE = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
"""Pixels of the shorter side of a clip by resolution, lowest first."""


def short_side(resolution: str) -> int:
    """Pixels of the shorter side of a clip; a resolution beyond the usual ones names them: `540p`."""
    # A new edition is data alone: it may name a resolution that this table lacks.
    return SHORT_SIDE.get(resolution) or int(resolution.rstrip("pk"))


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the requests of one model; seconds are of media or of output."""

    seconds: tuple[int, int]
    prompt: int
    aspect_ratios: tuple[str, ...]
    images: int
    videos: int
    audio: int
    video_seconds: tuple[int, int]
    """Shortest and longest length of one reference video."""
    audio_seconds: int
    frames: int
    prompt_required: frozenset[Mode]
    fields: frozenset[str]
    """Optional fields of a shot that the model supports: upscale, seed, audio."""
    videos_seconds: int | None = None
    """Total length of reference videos above which there is an error."""
    videos_seconds_warn: int | None = None
    """Total length of reference videos above which there is a warning."""


@dataclass(frozen=True, slots=True)
class Model:
    """One model of an edition, by the name that is sent and priced."""

    name: str
    short_name: str
    """The name where there is little room; the whole name for a model without one."""
    task_life: int
    """Seconds after which the provider ends a task."""
    default_seconds: int
    default_resolution: str
    limits: Limits
