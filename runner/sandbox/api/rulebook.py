"""Rules and prices of the vendor's pages, read a second time on purpose: nothing comes from `runner.editions`."""

from collections.abc import Mapping
from typing import Literal

from runner.diagnostics.problem import CommandError, ExitCode, closest_match
from runner.lazy_dataclass import dataclass

RATIOS: Mapping[str, tuple[int, int]] = {
    "16:9": (16, 9),
    "9:16": (9, 16),
    "1:1": (1, 1),
    "3:4": (3, 4),
    "4:3": (4, 3),
    "21:9": (21, 9),
}
SHORT_SIDE = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}
SECONDS = (4, 15)
DEFAULT_SECONDS = 5
FRAMES, IMAGES, VIDEOS, AUDIO = 2, 9, 3, 3
MATERIAL_SECONDS = 15
MEDIA_DAYS, RECORD_DAYS = 14, 60
UPLOAD_HOURS = 24
LINK_HOURS = 24

PRO, FAST = "seedance-20", "seedance2-fast"
_BOTH_NAMES = {PRO: PRO, "seedance2.0-pro": PRO, FAST: FAST, "seedance2.0-fast": FAST}


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
    max_prompt_length: int
    prompt_required: bool
    """False: a prompt is optional with first and last frame."""
    rates: Mapping[tuple[str, str], int]
    rates_with_video: Mapping[tuple[str, str], int]
    upscale_rate: int | None
    """Credits a second on top for 4K; None where there is no upscale."""
    videos_share_duration: bool
    """True: all videos together may last 15 seconds."""
    result_has_media: bool
    """True: results name `seed`, `mediaType` and `lastFrameImage`."""


_CLASSIC = Rulebook(
    name="classic",
    models=_BOTH_NAMES,
    image_list="urls",
    video_list="urls",
    fields=frozenset(
        ("urls", "audioUrls", "prompt", "duration", "aspectRatio", "mode", "outputResolution", "upscaleResolution")
    ),
    duration="text",
    max_prompt_length=4000,
    prompt_required=False,
    rates={(PRO, "480p"): 15, (PRO, "720p"): 40, (PRO, "1080p"): 83, (FAST, "480p"): 10, (FAST, "720p"): 28},
    rates_with_video={},
    upscale_rate=28,
    videos_share_duration=False,
    result_has_media=False,
)
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
    max_prompt_length=10_000,
    prompt_required=True,
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
    videos_share_duration=True,
    result_has_media=True,
)
_PRO_SITE = Rulebook(
    name="pro-site",
    models={PRO: PRO},
    image_list="urls",
    video_list="",
    fields=frozenset(("urls", "prompt", "resolution", "duration")),
    duration="suffixed",
    max_prompt_length=4000,
    prompt_required=False,
    rates={(PRO, "720p"): 40},
    rates_with_video={},
    upscale_rate=None,
    videos_share_duration=False,
    result_has_media=False,
)
_RULEBOOKS = {pages.name: pages for pages in (_CLASSIC, _LATER, _PRO_SITE)}
NAMES = tuple(_RULEBOOKS)


def rulebook_of(edition: str) -> Rulebook:
    """The rulebook of an edition; CommandError with the nearest name for an unknown edition."""
    if edition not in _RULEBOOKS:
        near = closest_match(edition, NAMES)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(NAMES)}"
        raise CommandError(ExitCode.INVALID, f"the sandbox has no edition {edition}: {hint}")
    return _RULEBOOKS[edition]


def frame_size(resolution: str, ratio: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels, both even: the resolution names the shorter side."""
    short, (ratio_width, ratio_height) = SHORT_SIDE[resolution], ratio
    long = round(short * max(ratio_width, ratio_height) / min(ratio_width, ratio_height) / 2) * 2
    return (long, short) if ratio_width >= ratio_height else (short, long)
