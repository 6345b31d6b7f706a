"""Validation of bodies: valid ones, and each error with its path."""

from typing import Any

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from runner.sandbox.api.validation import AddressRejected, Material, ValidRequest, validate
from runner.sandbox.rulebook import NAMES, rulebook_of

IMAGE, VIDEO, AUDIO = "https://a.example/a.jpg", "https://a.example/b.mp4", "https://a.example/c.mp3"


def no_upload(address: str) -> Material | AddressRejected | None:
    return None


def valid(inputs: dict[str, Any], edition: str = "classic", model: str = "seedance-20") -> ValidRequest:
    request = validate({"model": model, "inputs": inputs}, rulebook_of(edition), no_upload)
    assert isinstance(request, ValidRequest), request
    return request


def errors_of(body: Any, edition: str = "classic") -> dict[str, str]:
    errors = validate(body, rulebook_of(edition), no_upload)
    assert isinstance(errors, list), errors
    return {item.path: item.message for item in errors}


def input_errors(inputs: Any, edition: str = "classic") -> dict[str, str]:
    return errors_of({"model": "seedance-20", "inputs": inputs}, edition)


# -- prices, row by row: pages 000 and 003 name the rates, 004 the totals of reference mode -----------------


@pytest.mark.parametrize(
    ("model", "resolution", "upscale", "credits"),
    [
        ("seedance-20", "1080p", None, 415),
        ("seedance-20", "720p", None, 200),
        ("seedance-20", "480p", None, 75),
        ("seedance-20", "1080p", "4k", 555),
        ("seedance-20", "720p", "4k", 340),
        ("seedance-20", "480p", "4k", 215),
        ("seedance2-fast", "720p", None, 140),
        ("seedance2-fast", "480p", None, 50),
        ("seedance2-fast", "720p", "4k", 280),
        ("seedance2-fast", "480p", "4k", 190),
    ],
)
def test_classic_sells_five_seconds_at_the_rates_of_its_pages(
    model: str, resolution: str, upscale: str | None, credits: int
) -> None:
    inputs = {"prompt": "x", "duration": "5", "outputResolution": resolution}
    if upscale is not None:
        inputs["upscaleResolution"] = upscale
    assert valid(inputs, model=model).credits == credits


@pytest.mark.parametrize(
    ("model", "seconds", "plain", "upscaled"),
    [
        ("seedance-20", 4, 160, 272),
        ("seedance-20", 5, 200, 340),
        ("seedance-20", 8, 320, 544),
        ("seedance-20", 10, 400, 680),
        ("seedance-20", 15, 600, 1020),
        ("seedance2-fast", 4, 112, 224),
        ("seedance2-fast", 5, 140, 280),
        ("seedance2-fast", 8, 224, 448),
        ("seedance2-fast", 10, 280, 560),
        ("seedance2-fast", 15, 420, 840),
    ],
)
def test_reference_mode_without_a_resolution_costs_what_its_own_page_says(
    model: str, seconds: int, plain: int, upscaled: int
) -> None:
    inputs = {"prompt": "x", "duration": str(seconds), "mode": "reference", "urls": [IMAGE]}
    assert valid(inputs, model=model).credits == plain
    assert valid({**inputs, "upscaleResolution": "4k"}, model=model).credits == upscaled


@pytest.mark.parametrize(
    ("model", "resolution", "plain", "with_video"),
    [
        ("seedance-20", "480p", 15, 19),
        ("seedance-20", "720p", 40, 48),
        ("seedance-20", "1080p", 90, 108),
        ("seedance-20", "4k", 200, 240),
        ("seedance2-fast", "480p", 14, 18),
        ("seedance2-fast", "720p", 28, 34),
    ],
)
def test_a_reference_video_makes_a_second_dearer_in_2026_09(
    model: str, resolution: str, plain: int, with_video: int
) -> None:
    inputs: dict[str, Any] = {"prompt": "x", "duration": 10, "outputResolution": resolution, "mode": "reference"}
    assert valid({**inputs, "imageUrls": [IMAGE]}, "2026-09", model).credits == plain * 10
    assert valid({**inputs, "videoUrls": [VIDEO]}, "2026-09", model).credits == with_video * 10


@pytest.mark.parametrize(("seconds", "credits"), [("4s", 160), ("5s", 200), ("8s", 320), ("10s", 400), ("15s", 600)])
def test_the_pro_site_sells_forty_credits_a_second(seconds: str, credits: int) -> None:
    assert valid({"prompt": "x", "resolution": "1280x720", "duration": seconds}, "pro-site").credits == credits


# -- defaults ----------------------------------------------------------------------------------------------


def test_defaults_are_five_seconds_of_1080p_at_16_9() -> None:
    request = valid({"prompt": "x"})
    assert (request.seconds, request.width, request.height, request.credits) == (5, 1920, 1080, 415)


def test_fast_without_a_resolution_is_720p_since_it_has_no_1080p() -> None:
    request = valid({"prompt": "x"}, model="seedance2-fast")
    assert (request.width, request.height, request.credits) == (1280, 720, 140)


@pytest.mark.parametrize(
    ("ratio", "width", "height"),
    [
        ("16:9", 1280, 720),
        ("9:16", 720, 1280),
        ("1:1", 720, 720),
        ("3:4", 720, 960),
        ("4:3", 960, 720),
        ("21:9", 1680, 720),
    ],
)
def test_the_resolution_names_the_shorter_side(ratio: str, width: int, height: int) -> None:
    request = valid({"prompt": "x", "aspectRatio": ratio, "outputResolution": "720p"})
    assert (request.width, request.height) == (width, height)


def test_an_upscaled_clip_is_4k() -> None:
    request = valid({"prompt": "x", "outputResolution": "480p", "upscaleResolution": "4k"})
    assert (request.width, request.height) == (3840, 2160)


@pytest.mark.parametrize("model", ["seedance-20", "seedance2.0-pro"])
def test_both_names_of_a_model_are_one_model(model: str) -> None:
    assert valid({"prompt": "x"}, model=model).model == "seedance-20"


def test_one_image_is_a_first_frame_and_two_are_first_and_last() -> None:
    assert [item.address for item in valid({"urls": [IMAGE, IMAGE]}).materials] == [IMAGE, IMAGE]
    assert valid({"urls": [IMAGE]}).mode == "keyframe"


def test_images_and_videos_share_a_list_in_classic() -> None:
    request = valid(
        {"prompt": "@Image1 as in @VIDEO1", "mode": "reference", "urls": [VIDEO, IMAGE], "audioUrls": [AUDIO]}
    )
    assert [item.kind for item in request.materials] == ["video", "image", "audio"]


# -- errors and their paths -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "path", "message"),
    [
        ({}, "inputs.prompt", "missing prompt"),
        ({"prompt": "  "}, "inputs.prompt", "missing prompt"),
        ({"prompt": 5}, "inputs.prompt", "required"),
        ({"prompt": "x" * 4001}, "inputs.prompt", "maximum 4000 characters, got 4001"),
        ({"prompt": "x", "duration": 5}, "inputs.duration", 'a string from "4" to "15"'),
        ({"prompt": "x", "duration": "5s"}, "inputs.duration", 'a string from "4" to "15"'),
        ({"prompt": "x", "duration": "3"}, "inputs.duration", 'a string from "4" to "15"'),
        ({"prompt": "x", "duration": "16"}, "inputs.duration", 'a string from "4" to "15"'),
        ({"prompt": "x", "duration": "05"}, "inputs.duration", 'a string from "4" to "15"'),
        ({"prompt": "x", "duration": "٥"}, "inputs.duration", 'a string from "4" to "15"'),
        ({"prompt": "x", "aspectRatio": "5:4"}, "inputs.aspectRatio", "16:9, 9:16, 1:1, 3:4, 4:3, 21:9"),
        ({"prompt": "x", "mode": "text"}, "inputs.mode", "keyframe or reference"),
        ({"prompt": "x", "outputResolution": "4k"}, "inputs.outputResolution", "480p"),
        ({"prompt": "x", "upscaleResolution": "8k"}, "inputs.upscaleResolution", "must be 4k"),
        ({"prompt": "x", "urls": []}, "inputs.urls", "at least one"),
        ({"prompt": "x", "urls": IMAGE}, "inputs.urls", "must be a list"),
        ({"prompt": "x", "urls": ["nonsense"]}, "inputs.urls[0]", "publicly accessible"),
        ({"prompt": "x", "urls": ["file:///etc/passwd"]}, "inputs.urls[0]", "publicly accessible"),
        ({"prompt": "x", "urls": [IMAGE, "https://a.example/a.gif"]}, "inputs.urls[1]", "JPEG, PNG or WebP"),
        ({"prompt": "x", "urls": [IMAGE] * 3}, "inputs.urls", "maximum 2 images in keyframe mode, got 3"),
        ({"prompt": "x", "urls": [VIDEO]}, "inputs.urls", "only supported in reference mode"),
        ({"prompt": "x", "audioUrls": [AUDIO]}, "inputs.audioUrls", "only supported in reference mode"),
        ({"prompt": "x", "mode": "reference"}, "inputs.urls", "at least one image or video"),
        ({"prompt": "x", "mode": "reference", "audioUrls": [AUDIO]}, "inputs.urls", "at least one image or video"),
        ({"mode": "reference", "urls": [IMAGE]}, "inputs.prompt", "missing prompt"),
        ({"prompt": "x", "mode": "reference", "urls": [IMAGE] * 10}, "inputs.urls", "maximum 9 images, got 10"),
        ({"prompt": "x", "mode": "reference", "urls": [VIDEO] * 4}, "inputs.urls", "maximum 3 videos, got 4"),
        (
            {"prompt": "x", "mode": "reference", "urls": [IMAGE], "audioUrls": [AUDIO] * 4},
            "inputs.audioUrls",
            "maximum 3 audio files, got 4",
        ),
        ({"prompt": "@image2 walks", "mode": "reference", "urls": [IMAGE]}, "inputs.prompt", "@image2 has no material"),
        ({"prompt": "@VIDEO1 walks", "mode": "reference", "urls": [IMAGE]}, "inputs.prompt", "@video1 has no material"),
        ({"prompt": "@audio1 plays", "mode": "reference", "urls": [IMAGE]}, "inputs.prompt", "0 audio files"),
        ({"prompt": "@image0 walks", "mode": "reference", "urls": [IMAGE]}, "inputs.prompt", "@image0 has no material"),
        ({"prompt": "@image1 walks"}, "inputs.prompt", "mentions need mode: reference"),
        ({"prompt": "看@image1走进", "urls": [IMAGE]}, "inputs.prompt", "mentions need mode: reference"),
        ({"prompt": "x", "resolution": "1280x720"}, "inputs.resolution", "did you mean outputResolution?"),
        ({"prompt": "x", "aspect_ratio": "1:1"}, "inputs.aspect_ratio", "did you mean aspectRatio?"),
        ({"prompt": "x", "seed": 1}, "inputs.seed", "unknown field"),
    ],
)
def test_classic_names_every_error(inputs: dict[str, Any], path: str, message: str) -> None:
    errors = input_errors(inputs)
    assert list(errors) == [path]
    assert message in errors[path]


@pytest.mark.parametrize(
    ("inputs", "path", "message"),
    [
        ({"imageUrls": [IMAGE]}, "inputs.prompt", "missing prompt"),
        ({"prompt": "x" * 10_001}, "inputs.prompt", "maximum 10000"),
        ({"prompt": "x", "duration": "5"}, "inputs.duration", "a whole number from 4 to 15"),
        ({"prompt": "x", "duration": True}, "inputs.duration", "a whole number"),
        ({"prompt": "x", "urls": [IMAGE]}, "inputs.urls", "unknown field"),
        ({"prompt": "x", "upscaleResolution": "4k"}, "inputs.upscaleResolution", "unknown field"),
        ({"prompt": "x", "seed": -1}, "inputs.seed", "whole number"),
        ({"prompt": "x", "generate_audio": "no"}, "inputs.generate_audio", "true or false"),
        ({"prompt": "x", "mode": "reference", "imageUrls": [VIDEO]}, "inputs.imageUrls[0]", "JPEG"),
        ({"prompt": "x", "mode": "reference", "videoUrls": [IMAGE]}, "inputs.videoUrls[0]", "MP4"),
    ],
)
def test_2026_09_names_every_error(inputs: dict[str, Any], path: str, message: str) -> None:
    errors = input_errors(inputs, "2026-09")
    assert path in errors
    assert message in errors[path]


@pytest.mark.parametrize(
    ("inputs", "path"),
    [
        ({"prompt": "x", "duration": "5"}, "inputs.duration"),
        ({"prompt": "x", "resolution": "1920x1080"}, "inputs.resolution"),
        ({"prompt": "x", "outputResolution": "720p"}, "inputs.outputResolution"),
        ({"prompt": "x", "mode": "reference", "urls": [IMAGE]}, "inputs.mode"),
    ],
)
def test_the_pro_site_has_fields_of_its_own(inputs: dict[str, Any], path: str) -> None:
    assert list(input_errors(inputs, "pro-site")) == [path]


def test_the_pro_site_knows_one_model_by_one_name() -> None:
    assert list(errors_of({"model": "seedance2-fast", "inputs": {"prompt": "x"}}, "pro-site")) == ["model"]


def test_all_errors_are_reported_at_once() -> None:
    errors = errors_of(
        {"model": "veo", "inputs": {"duration": "99", "colour": "red"}, "callBackUrl": "nowhere", "n": 2}
    )
    assert set(errors) == {"model", "inputs.duration", "inputs.colour", "callBackUrl", "n", "inputs.prompt"}


@pytest.mark.parametrize("edition", NAMES)
@pytest.mark.parametrize("body", [None, 5, "x", [], [{}], True, {"model": "seedance-20"}, {"inputs": []}])
def test_no_body_is_too_odd_to_be_refused(body: Any, edition: str) -> None:
    assert errors_of(body, edition)


def test_fast_has_no_1080p() -> None:
    body = {"model": "seedance2-fast", "inputs": {"prompt": "x", "outputResolution": "1080p"}}
    assert errors_of(body) == {"inputs.outputResolution": "must be one of 480p, 720p for seedance2-fast"}


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        [
            "5",
            "5s",
            "720p",
            "4k",
            "16:9",
            "reference",
            "keyframe",
            "@image1 @video9",
            IMAGE,
            VIDEO,
            AUDIO,
            "http://[::1",
        ]
    )
)
JSON = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
FIELDS = st.sampled_from(sorted({name for edition in NAMES for name in rulebook_of(edition).fields}))


@seed(20260301)
@settings(max_examples=100, database=None)
@given(st.dictionaries(FIELDS, JSON, max_size=8), st.sampled_from(NAMES))
def test_every_body_is_either_valid_or_has_errors(inputs: Any, edition: str) -> None:
    result = validate({"model": "seedance-20", "inputs": inputs}, rulebook_of(edition), no_upload)
    if isinstance(result, ValidRequest):
        assert result.credits > 0
        assert 4 <= result.seconds <= 15
        assert result.width % 2 == result.height % 2 == 0
    else:
        assert result
        assert all(item.path.startswith("inputs") and item.message for item in result)


# -- durations of uploaded materials --------------------------------------------------------------------------


def measured(seconds: float) -> Any:
    def lookup(address: str) -> Material | AddressRejected | None:
        kind: Any = "video" if address.endswith("mp4") else "audio" if address.endswith("mp3") else "image"
        return Material(address, kind, "here", "hash", seconds, 100, 100)

    return lookup


def test_each_video_may_last_fifteen_seconds_and_in_2026_09_all_of_them_together() -> None:
    classic: Any = {"model": "seedance-20", "inputs": {"prompt": "x", "mode": "reference", "urls": [VIDEO, VIDEO]}}
    assert isinstance(validate(classic, rulebook_of("classic"), measured(14)), ValidRequest)
    too_long = validate(classic, rulebook_of("classic"), measured(16))
    assert isinstance(too_long, list)
    assert too_long[0].message == "video 1 lasts 16.0 s; a video may last 15 s"
    later: Any = {"model": "seedance-20", "inputs": {"prompt": "x", "mode": "reference", "videoUrls": [VIDEO, VIDEO]}}
    together = validate(later, rulebook_of("2026-09"), measured(14))
    assert isinstance(together, list)
    assert [item.path for item in together] == ["inputs.videoUrls"]


def test_audio_may_last_fifteen_seconds_together() -> None:
    inputs: Any = {"prompt": "x", "mode": "reference", "urls": [IMAGE], "audioUrls": [AUDIO, AUDIO]}
    errors = validate({"model": "seedance-20", "inputs": inputs}, rulebook_of("classic"), measured(8))
    assert isinstance(errors, list)
    assert errors[0].message == "the audio files last 16.0 s in total; all together may last 15 s"


def test_the_pro_site_takes_the_shape_of_the_first_image() -> None:
    def lookup(address: str) -> Material | AddressRejected | None:
        return Material(address, "image", "here", "hash", None, 900, 1600)

    body: Any = {"model": "seedance-20", "inputs": {"urls": [IMAGE], "duration": "5s"}}
    request = validate(body, rulebook_of("pro-site"), lookup)
    assert isinstance(request, ValidRequest)
    assert (request.width, request.height) == (720, 1280)
