"""What the vendor's pages allow and ask, read a second time on purpose: nothing here comes from `runner.editions`."""

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
    """One way the pages have told it; `rates` are credits for each second of the clip."""

    name: str
    models: Mapping[str, str]
    images: str
    """Name of the list that images stand in."""
    videos: str
    """Name of the list that videos stand in; the same as `images` where they share one."""
    fields: frozenset[str]
    duration: Literal["text", "suffixed", "whole"]
    prompt_letters: int
    prompt_always: bool
    """False: a prompt is optional with first and last frame."""
    rates: Mapping[tuple[str, str], int]
    rates_with_video: Mapping[tuple[str, str], int]
    upscale_rate: int | None
    """Credits a second on top for 4K; None where there is no upscale."""
    videos_share_seconds: bool
    """True: 15 seconds are for all videos together."""
    result_has_media: bool
    """True: results name `seed`, `mediaType` and `lastFrameImage`."""


_CLASSIC = Rulebook(
    name="classic",
    models=_BOTH_NAMES,
    images="urls",
    videos="urls",
    fields=frozenset(
        ("urls", "audioUrls", "prompt", "duration", "aspectRatio", "mode", "outputResolution", "upscaleResolution")
    ),
    duration="text",
    prompt_letters=4000,
    prompt_always=False,
    rates={(PRO, "480p"): 15, (PRO, "720p"): 40, (PRO, "1080p"): 83, (FAST, "480p"): 10, (FAST, "720p"): 28},
    rates_with_video={},
    upscale_rate=28,
    videos_share_seconds=False,
    result_has_media=False,
)
_LATER = Rulebook(
    name="2026-09",
    models=_BOTH_NAMES,
    images="imageUrls",
    videos="videoUrls",
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
    prompt_letters=10_000,
    prompt_always=True,
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
    videos_share_seconds=True,
    result_has_media=True,
)
_PRO_SITE = Rulebook(
    name="pro-site",
    models={PRO: PRO},
    images="urls",
    videos="",
    fields=frozenset(("urls", "prompt", "resolution", "duration")),
    duration="suffixed",
    prompt_letters=4000,
    prompt_always=False,
    rates={(PRO, "720p"): 40},
    rates_with_video={},
    upscale_rate=None,
    videos_share_seconds=False,
    result_has_media=False,
)
_ALL = {pages.name: pages for pages in (_CLASSIC, _LATER, _PRO_SITE)}
NAMES = tuple(_ALL)


def rulebook_of(edition: str) -> Rulebook:
    """The pages of an edition; Stop with the nearest name when there are none."""
    if edition not in _ALL:
        near = closest_match(edition, NAMES)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(NAMES)}"
        raise CommandError(ExitCode.INVALID, f"the sandbox has no edition {edition}: {hint}")
    return _ALL[edition]


def frame_size(resolution: str, ratio: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels, both even: the resolution names the shorter side."""
    short, (wide, high) = SHORT_SIDE[resolution], ratio
    long = round(short * max(wide, high) / min(wide, high) / 2) * 2
    return (long, short) if wide >= high else (short, long)
