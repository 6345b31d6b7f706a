"""Every edition's spelling of the same requests, body by body as sent."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner.editions.edition import NAMES, load
from runner.providers.kinovi.request_body import encode, encoder, field_at, material_at
from runner.requests.placeholder import placeholder
from runner.requests.request import LocalFile, RemoteFile, Request, TakeReference

GOLDEN = json.loads(Path(__file__).with_name("bodies.json").read_text("utf-8"))

FRONT = RemoteFile("https://cdn.example.com/front.png", "image")
SIDE = RemoteFile("https://cdn.example.com/side.png", "image")
WALTZ = RemoteFile("https://cdn.example.com/waltz.mp4", "video", Decimal(6))
FADO = RemoteFile("https://cdn.example.com/fado.mp3", "audio", Decimal(9))

REQUESTS: dict[str, Request] = {
    "text to video": Request("seedance-20", "720p", 5, "16:9", "text", "Sunrise"),
    "text to video, shape left to the server": Request("seedance-20", "720p", 4, None, "text", "Sunrise"),
    "text to video, portrait and fast": Request("seedance2-fast", "480p", 15, "9:16", "text", "Sunrise"),
    "one frame": Request("seedance-20", "720p", 5, "16:9", "keyframe", "She waits", (FRONT,)),
    "two frames and no prompt": Request("seedance-20", "720p", 5, "16:9", "keyframe", None, (FRONT, SIDE)),
    "references of all kinds": Request(
        "seedance-20", "1080p", 8, "21:9", "reference", "@image1 dances @video1", (FRONT, WALTZ, SIDE, FADO)
    ),
    "upscaled": Request("seedance-20", "720p", 5, "16:9", "text", "Sunrise", upscale="4k"),
    "native 4k with a seed and no sound": Request(
        "seedance-20", "4k", 5, "16:9", "text", "Sunrise", seed=7, audio=False
    ),
    "passed through": Request("seedance-20", "720p", 5, "16:9", "text", "Sunrise", inputs=(("cameraFixed", True),)),
}


def spelled(request: Request, edition: str) -> Any:
    """The body, or the words of why this edition has none."""
    try:
        return encode(request, load(edition), placeholder)
    except (ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("edition", NAMES)
@pytest.mark.parametrize("name", REQUESTS)
def test_each_edition_spells_a_request_in_its_own_way(edition: str, name: str) -> None:
    assert spelled(REQUESTS[name], edition) == GOLDEN[edition][name]


def test_every_golden_body_belongs_to_a_request() -> None:
    assert {edition: sorted(bodies) for edition, bodies in GOLDEN.items()} == {
        edition: sorted(REQUESTS) for edition in NAMES
    }


@pytest.mark.parametrize("edition", NAMES)
def test_many_requests_are_spelled_as_one_alone(edition: str) -> None:
    known = load(edition)
    body_of = encoder(known, placeholder)
    fit = [request for name, request in REQUESTS.items() if not str(GOLDEN[edition][name]).startswith("ValueError")]
    assert [body_of(request) for request in fit * 2] == [encode(request, known, placeholder) for request in fit * 2]


def test_a_second_name_of_a_model_is_sent_as_its_first() -> None:
    asked = Request("seedance2.0-fast", "480p", 5, "16:9", "text", "Sunrise")

    assert encode(asked, load("classic"), placeholder)["model"] == "seedance2-fast"


def test_the_callback_stands_beside_the_inputs() -> None:
    sent = encode(REQUESTS["text to video"], load("classic"), placeholder, "https://hooks.example.com/abc")

    assert sent["callBackUrl"] == "https://hooks.example.com/abc"


def test_what_is_passed_through_never_overrides_a_field_of_ours() -> None:
    asked = Request("seedance-20", "720p", 5, "16:9", "text", "Sunrise", inputs=(("outputResolution", "1080p"),))

    assert encode(asked, load("classic"), placeholder)["inputs"]["outputResolution"] == "720p"  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("material", "text"),
    [
        (TakeReference("quay", "last_frame"), "@quay.last_frame"),
        (TakeReference("quay", "clip", 2), "@quay#2"),
        (TakeReference("quay", "first_frame", 3), "@quay#3.first_frame"),
        (TakeReference("quay", "clip"), "@quay"),
        (FRONT, "https://cdn.example.com/front.png"),
        (LocalFile("storyboards/assets/door.png", "ab12", "image", 10), "file:storyboards/assets/door.png#sha256=ab12"),
    ],
)
def test_a_place_without_an_address_says_what_will_stand_there(material: Any, text: str) -> None:
    assert placeholder(material) == text


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("inputs.duration", "duration"),
        ("inputs.outputResolution", "resolution"),
        ("outputResolution", "resolution"),
        ("inputs.urls[1]", "materials"),
        ("body.inputs.urls.0", "materials"),
        ("/inputs/aspectRatio", "aspect_ratio"),
        ("$.inputs['prompt']", "prompt"),
        ("inputs.audioUrls", "materials"),
        ("model", "model"),
        ("inputs.wrong", None),
        ("", None),
    ],
)
def test_a_path_in_the_vendors_errors_is_mapped_to_our_field(path: str, ours: str | None) -> None:
    assert field_at(path, load("classic")) == ours


@pytest.mark.parametrize(
    ("path", "edition", "name"),
    [
        ("inputs.urls[0]", "classic", "door.png"),
        ("inputs.urls[1]", "classic", "walk.mp4"),
        ("inputs.audioUrls[0]", "classic", "sea.mp3"),
        ("inputs.audioUrls.0.url", "2026-09", "sea.mp3"),
        ("inputs.videoUrls[0]", "2026-09", "walk.mp4"),
        ("inputs.imageUrls[0]", "2026-09", "door.png"),
        ("inputs.imageUrls[1]", "2026-09", None),
        ("inputs.urls", "classic", None),
        ("inputs.urls[7]", "classic", None),
        ("inputs.duration[0]", "classic", None),
    ],
)
def test_a_path_into_a_list_is_mapped_to_the_material_that_was_sent_there(
    path: str, edition: str, name: str | None
) -> None:
    host = "https://cdn.example.com/"
    materials = (
        RemoteFile(f"{host}sea.mp3", "audio"),
        RemoteFile(f"{host}door.png", "image"),
        RemoteFile(f"{host}walk.mp4", "video"),
    )
    request = Request("seedance-20", "720p", 5, "16:9", "reference", "a prompt", materials)
    found = material_at(path, request, load(edition))
    assert (None if found is None else materials[found].url) == (None if name is None else host + name)
