"""The edition of October 2026: models with bounds of their own, late bills, decimals, frames and uploads."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.double.media import clip
from tests.sandbox.sandbox_client import SandboxClient, picture, running_sandbox

MINUTE = 60


@pytest.fixture
def october(tmp_path: Path) -> Iterator[SandboxClient]:
    with running_sandbox(tmp_path, edition="2026-10", seconds=0.1) as client:
        yield client


def order(client: SandboxClient, model: str, **inputs: Any) -> httpx.Response:
    fields = {"prompt": "A boat", "duration": 5, "outputResolution": "720p", **inputs}
    return client.http.post("/api/v1/jobs/createTask", json={"model": model, "inputs": fields})


def task(client: SandboxClient, model: str, **inputs: Any) -> str:
    answer = order(client, model, **inputs)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["taskId"])


def upload(client: SandboxClient, name: str, content: bytes) -> str:
    reservation = client.http.post("/api/v1/uploads", json={"fileName": name}).json()
    headers = {"Content-Type": reservation["contentType"]}
    assert httpx.put(reservation["uploadUrl"], content=content, headers=headers).status_code == 200
    return str(reservation["url"])


def paths(answer: httpx.Response) -> list[str]:
    return [error["path"] for error in answer.json()["errors"]]


def test_a_late_bill_is_the_reserved_credits_first_and_whole_four_minutes_later(october: SandboxClient) -> None:
    video = upload(october, "waltz.mp4", clip(80, 10.0))
    made = task(october, "seedance2-5", videoUrls=[video], mode="reference")
    assert october.wait_for_end(made)["creditsUsed"] == 175
    october.set_clock(advance=3 * MINUTE)
    assert october.record(made)["creditsUsed"] == 175
    october.set_clock(advance=2 * MINUTE)
    assert round(october.record(made)["creditsUsed"], 2) == 525
    (account,) = october.state()["accounts"]
    assert round(account["charged"], 2) == round(october.state()["charged"], 2) == 525


def test_a_late_bill_counts_thirty_seconds_at_most(october: SandboxClient) -> None:
    videos = [upload(october, f"{number}.mp4", clip(60 + number, 20.0)) for number in range(2)]
    made = task(october, "seedance2-5", videoUrls=videos, mode="reference")
    october.wait_for_end(made)
    october.set_clock(advance=5 * MINUTE)
    assert october.record(made)["creditsUsed"] == 35 * 35


def test_without_a_video_the_bill_is_whole_at_once(october: SandboxClient) -> None:
    assert october.wait_for_end(task(october, "seedance2-5"))["creditsUsed"] == 295
    assert october.wait_for_end(task(october, "seedance2.0-mini", outputResolution="480p"))["creditsUsed"] == 37.5


@pytest.mark.parametrize(
    ("model", "inputs", "path"),
    [
        ("seedance2-5", {"duration": 31}, "inputs.duration"),
        ("seedance2.0-mini", {"duration": 16}, "inputs.duration"),
        ("seedance2.0-mini", {"outputResolution": "1080p"}, "inputs.outputResolution"),
        ("seedance2-5", {"outputResolution": "4k"}, "inputs.outputResolution"),
        ("seedance2.0-mini", {"prompt": "x" * 10_001}, "inputs.prompt"),
        ("seedance2-5", {"prompt": "x" * 30_001}, "inputs.prompt"),
    ],
)
def test_bounds_are_the_models(october: SandboxClient, model: str, inputs: Mapping[str, Any], path: str) -> None:
    assert paths(order(october, model, **inputs)) == [path]


def test_a_reference_video_of_seedance2_5_has_two_seconds_or_more(october: SandboxClient) -> None:
    video = upload(october, "short.mp4", clip(80, 1.0))
    assert paths(order(october, "seedance2-5", videoUrls=[video], mode="reference")) == ["inputs.videoUrls"]
    assert order(october, "seedance-20", videoUrls=[video], mode="reference").status_code == 200


def test_bytes_without_the_named_content_type_are_refused(october: SandboxClient) -> None:
    reservation = october.http.post("/api/v1/uploads", json={"fileName": "door.png"}).json()
    assert reservation["contentType"] == "image/png"
    plain = httpx.put(reservation["uploadUrl"], content=picture(), headers={"Content-Type": "application/octet-stream"})
    assert plain.status_code == 403


@pytest.mark.parametrize(("model", "kind"), [("seedance-20", "image/png"), ("seedance2-5", "image/jpeg")])
def test_the_last_frame_is_a_png_or_of_the_newest_model_a_jpeg(october: SandboxClient, model: str, kind: str) -> None:
    (output,) = october.wait_for_end(task(october, model))["output"]
    frame = httpx.get(output["lastFrameImage"])
    assert (frame.status_code, frame.headers["content-type"]) == (200, kind)
    assert isinstance(output["seed"], int)


@pytest.mark.parametrize("model", ["seedance-20", "seedance2-5"])
def test_the_last_frame_of_a_task_is_a_first_frame_of_the_next(october: SandboxClient, model: str) -> None:
    frame = october.wait_for_end(task(october, model))["output"][0]["lastFrameImage"]
    following = task(october, model, prompt="The same boat", mode="keyframe", imageUrls=[frame])
    assert october.wait_for_end(following)["status"] == "success"


@pytest.mark.parametrize(
    ("resolution", "ratio", "size"),
    [
        ("480p", "16:9", (864, 496)),
        ("480p", "9:16", (496, 864)),
        ("720p", "16:9", (1280, 720)),
        ("720p", "4:3", (1112, 834)),
        ("720p", "3:4", (834, 1112)),
        ("720p", "21:9", (1470, 630)),
    ],
)
def test_sizes_are_those_of_the_vendors_clips(
    october: SandboxClient, resolution: str, ratio: str, size: tuple[int, int]
) -> None:
    made = task(october, "seedance-20", outputResolution=resolution, aspectRatio=ratio, duration=4)
    (output,) = october.wait_for_end(made)["output"]
    assert (output["width"], output["height"]) == size
