"""Rules and prices of the vendor's pages, read a second time on purpose: nothing comes from `runner.editions`."""

from collections.abc import Mapping
from typing import Literal

from runner.diagnostics.failures import SandboxUnusable
from runner.diagnostics.problem import closest_match
from runner.lazy_dataclass import dataclass, field, replace

RATIOS: Mapping[str, tuple[int, int]] = {
    "16:9": (16, 9),
    "9:16": (9, 16),
    "1:1": (1, 1),
    "3:4": (3, 4),
    "4:3": (4, 3),
    "21:9": (21, 9),
}
# Pixels of the shorter side, which names a resolution.
SHORT_SIDE = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
DEFAULT_SECONDS = 5
FRAMES = 2
# Days until media and records are gone, by the later pages.
MEDIA_DAYS, RECORD_DAYS = 14, 60
UPLOAD_HOURS = 24
LINK_HOURS = 24

PRO, FAST, MINI, LONG = "seedance-20", "seedance2-fast", "seedance2.0-mini", "seedance2-5"
# The pages give each model a second name in brackets.
_BOTH_NAMES = {PRO: PRO, "seedance2.0-pro": PRO, FAST: FAST, "seedance2.0-fast": FAST}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The bounds of a request of one model; seconds are of the clip or of materials."""

    seconds: tuple[int, int] = (4, 15)
    max_prompt_length: int = 4000
    images: int = 9
    videos: int = 3
    audio: int = 3
    video_seconds: tuple[int, int] = (0, 15)
    all_video_seconds: int | None = None
    """Length of all videos together; None: no limit."""
    all_audio_seconds: int = 15


@dataclass(frozen=True, slots=True)
class LateBill:
    """A bill that is complete some time after the end of its task: the seconds of reference videos come on top."""

    max_video_seconds: int = 30
    delay: float = 240.0
    """Seconds from the end of the task to the whole bill."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules of one edition of the pages; `rates` are credits for each second of the clip."""

    name: str
    models: Mapping[str, str]
    image_list: str
    """Name of the list that takes images."""
    video_list: str
    """Name of the list that takes videos; equal to `image_list` where both share one."""
    fields: frozenset[str]
    duration: Literal["text", "suffixed", "whole"]
    prompt_required: bool
    """False: a prompt is optional with first and last frame."""
    bounds: Bounds
    """What holds for a model that is not in `model_bounds`."""
    rates: Mapping[tuple[str, str], float]
    rates_with_video: Mapping[tuple[str, str], float]
    upscale_rate: int | None
    """Credits a second on top for 4K; None where there is no upscale."""
    result_has_media: bool
    """True: results name `seed`, `mediaType` and `lastFrameImage`."""
    upload_has_type: bool = False
    """True: the answer to an upload's request names the Content-Type that the PUT must have."""
    model_bounds: Mapping[str, Bounds] = field(default_factory=dict)
    late_bills: Mapping[str, LateBill] = field(default_factory=dict)
    """By model: how requests with a reference video are billed, where that is not by the clip alone."""
    jpeg_frames: frozenset[str] = frozenset()
    """Models whose last frame is a JPEG."""
    sizes: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """Sizes by resolution and ratio, where they do not follow from the shorter side."""

    def frame_ending(self, model: str) -> str:
        """Ending of the file of a clip's last frame."""
        return ".jpg" if model in self.jpeg_frames else ".png"

    def bounds_of(self, model: str) -> Bounds:
        """The bounds of a request of a model."""
        return self.model_bounds.get(model, self.bounds)


_CLASSIC = Rulebook(
    name="classic",
    models=_BOTH_NAMES,
    image_list="urls",
    video_list="urls",
    fields=frozenset(
        ("urls", "audioUrls", "prompt", "duration", "aspectRatio", "mode", "outputResolution", "upscaleResolution")
    ),
    duration="text",
    prompt_required=False,
    bounds=Bounds(),
    rates={(PRO, "480p"): 15, (PRO, "720p"): 40, (PRO, "1080p"): 83, (FAST, "480p"): 10, (FAST, "720p"): 28},
    rates_with_video={},
    upscale_rate=28,
    result_has_media=False,
)
_LATER_BOUNDS = Bounds(max_prompt_length=10_000, all_video_seconds=15)
_LATER = Rulebook(
    name="2026-09",
    models=_BOTH_NAMES,
    image_list="imageUrls",
    video_list="videoUrls",
    fields=frozenset(
        (
            "imageUrls",
            "videoUrls",
            "audioUrls",
            "prompt",
            "duration",
            "aspectRatio",
            "mode",
            "outputResolution",
            "seed",
            "generate_audio",
        )
    ),
    duration="whole",
    prompt_required=True,
    bounds=_LATER_BOUNDS,
    rates={
        (PRO, "480p"): 15,
        (PRO, "720p"): 40,
        (PRO, "1080p"): 90,
        (PRO, "4k"): 200,
        (FAST, "480p"): 14,
        (FAST, "720p"): 28,
    },
    rates_with_video={
        (PRO, "480p"): 19,
        (PRO, "720p"): 48,
        (PRO, "1080p"): 108,
        (PRO, "4k"): 240,
        (FAST, "480p"): 18,
        (FAST, "720p"): 34,
    },
    upscale_rate=None,
    result_has_media=True,
)
_NEWEST = replace(
    _LATER,
    name="2026-10",
    models={**_BOTH_NAMES, MINI: MINI, LONG: LONG},
    rates={
        **_LATER.rates,
        (MINI, "480p"): 7.5,
        (MINI, "720p"): 20,
        (LONG, "480p"): 26,
        (LONG, "720p"): 59,
        (LONG, "1080p"): 143.4,
    },
    rates_with_video={
        **_LATER.rates_with_video,
        (MINI, "480p"): 9.5,
        (MINI, "720p"): 24,
        # Lower than without a video, since the seconds of the references are billed as well.
        (LONG, "480p"): 16,
        (LONG, "720p"): 35,
        (LONG, "1080p"): 85.68,
    },
    upload_has_type=True,
    model_bounds={
        LONG: Bounds(
            seconds=(4, 30),
            max_prompt_length=30_000,
            images=30,
            videos=10,
            audio=10,
            video_seconds=(2, 30),
            all_audio_seconds=30,
        )
    },
    late_bills={LONG: LateBill()},
    jpeg_frames=frozenset((LONG,)),
    # As measured at clips of the vendor's own examples.
    sizes={("480p", "16:9"): (864, 496), ("720p", "4:3"): (1112, 834), ("720p", "21:9"): (1470, 630)},
)
_PRO_SITE = Rulebook(
    name="pro-site",
    models={PRO: PRO},
    image_list="urls",
    video_list="",
    # That page's own spelling: `1280x720` and `5s`, and neither sound nor mode.
    fields=frozenset(("urls", "prompt", "resolution", "duration")),
    duration="suffixed",
    prompt_required=False,
    bounds=Bounds(),
    rates={(PRO, "720p"): 40},
    rates_with_video={},
    upscale_rate=None,
    result_has_media=False,
)
_RULEBOOKS = {pages.name: pages for pages in (_CLASSIC, _LATER, _NEWEST, _PRO_SITE)}
NAMES = tuple(_RULEBOOKS)


def rulebook_of(edition: str) -> Rulebook:
    """The rulebook of an edition; `SandboxUnusable` with the nearest name for an unknown edition."""
    if edition not in _RULEBOOKS:
        near = closest_match(edition, NAMES)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(NAMES)}"
        raise SandboxUnusable(f"the sandbox has no edition {edition}: {hint}")
    return _RULEBOOKS[edition]


def frame_size(resolution: str, ratio: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels, both even: the resolution names the shorter side."""
    short, (ratio_width, ratio_height) = SHORT_SIDE[resolution], ratio
    # Even, since H.264 halves the colour planes in both directions.
    long = round(short * max(ratio_width, ratio_height) / min(ratio_width, ratio_height) / 2) * 2
    return (long, short) if ratio_width >= ratio_height else (short, long)
