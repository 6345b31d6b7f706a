"""The life of a task over HTTP: created, charged, polled, refunded; accounts, caps and the five documented errors."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from runner.sandbox.faults.demo import NAMES
from runner.sandbox.options import DEMO_KEY
from runner.sandbox.state.task import TASK_ERRORS
from tests.sandbox.sandbox_client import SandboxClient, running_sandbox
from tests.waiting import wait_until


def test_a_task_is_waiting_then_generating_then_a_clip(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, seconds=1.2) as sandbox:
        task = sandbox.create_task()
        statuses: list[str] = []

        def ends() -> bool:
            record = sandbox.record(task)
            if record["status"] not in statuses[-1:]:
                statuses.append(record["status"])
            assert record["creditsUsed"] == 60
            assert (record["output"] is None) == (record["status"] != "success")
            return bool(record["status"] == "success")

        wait_until(ends, "the task ends")
        record = sandbox.record(task)
        assert statuses == ["waiting", "generating", "success"]
        assert record["taskId"] == task
        assert record["model"] == "seedance-20"
        assert record["error"] is None
        assert 1200 <= record["completeTime"] - record["createTime"] < 2500


def test_a_clip_is_an_mp4_of_the_asked_shape_and_length(shared_sandbox: SandboxClient) -> None:
    import av

    task = shared_sandbox.create_task({"aspectRatio": "9:16", "duration": "6"})
    record = shared_sandbox.wait_for_end(task)["output"][0]
    clip = shared_sandbox.download_clip(task)
    assert (record["width"], record["height"]) == (480, 854)
    assert clip.headers["content-type"] == "video/mp4"
    with av.open(BytesIO(clip.content), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 480, 854)
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.duration == pytest.approx(6_000_000, abs=100_000)


def test_a_clip_comes_in_ranges(shared_sandbox: SandboxClient) -> None:
    task = shared_sandbox.create_task()
    shared_sandbox.wait_for_end(task)
    whole = shared_sandbox.download_clip(task).content
    part = shared_sandbox.download_clip(task, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole[100:200]


def test_a_refusal_names_every_field(shared_sandbox: SandboxClient) -> None:
    answer = shared_sandbox.create({"duration": "99", "colour": "red"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid parameters: ")
    assert {item["path"] for item in answer.json()["errors"]} == {"inputs.colour", "inputs.duration"}


def test_a_402_names_required_and_available_credits(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, credits=100, seconds=30) as sandbox:
        sandbox.create_task()
        answer = sandbox.create()
        assert answer.status_code == 402
        assert answer.json() == {"message": "Insufficient credits", "required": 60, "available": 40}
        assert sandbox.with_key("another-account").create().status_code == 200


def test_a_429_names_the_limit_and_charges_nothing(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, cap=2, seconds=30) as sandbox:
        sandbox.create_task()
        sandbox.create_task()
        answer = sandbox.create()
        assert answer.status_code == 429
        assert (answer.json()["limit"], answer.json()["current"]) == (2, 2)
        state = sandbox.state()
        assert state["creates"] == 2
        assert state["accounts"][0]["peak"] == 2
        assert state["accounts"][0]["reserved"] == 120


def test_credits_come_before_slots_and_good_bodies_before_credits(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, cap=1, credits=60, seconds=30) as sandbox:
        assert sandbox.create({"duration": "99"}).status_code == 400
        sandbox.create_task()
        assert sandbox.create({"duration": "99"}).status_code == 400
        assert sandbox.create().status_code == 402


@pytest.mark.parametrize("end", list(TASK_ERRORS))
def test_each_documented_end_costs_nothing(sandbox: SandboxClient, end: str) -> None:
    sandbox.http.post("/__sandbox/account", json={"credits": 60})
    sandbox.set_faults({"on": "task", "do": {"error": end, "seconds": 0}})
    record = sandbox.wait_for_end(sandbox.create_task())
    assert record["status"] == "fail"
    assert record["error"] == TASK_ERRORS[end]
    assert (record["creditsUsed"], record["output"], record["completeTime"]) == (0, None, None)
    assert sandbox.state()["accounts"][0]["available"] == 60
    assert sandbox.state()["charged"] == 0


def test_a_task_is_seen_by_its_own_account_only(shared_sandbox: SandboxClient) -> None:
    task = shared_sandbox.create_task()
    assert shared_sandbox.with_key("somebody-elses-key").poll(task).status_code == 404


@pytest.mark.parametrize("task_id", ["made-up", "../../etc/passwd", "%00", "x" * 1000, "task_cl&x=1"])
def test_a_made_up_task_is_not_found(shared_sandbox: SandboxClient, task_id: str) -> None:
    answer = shared_sandbox.poll(task_id)
    assert answer.status_code == 404
    assert answer.json() == {"message": "Task not found"}


def test_a_record_is_asked_for_by_its_id(shared_sandbox: SandboxClient) -> None:
    answer = shared_sandbox.http.get("/api/v1/jobs/recordInfo")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "taskId"


def test_the_same_body_again_is_another_take_and_the_same_again_elsewhere(tmp_path: Path) -> None:
    clips, rings = [], BytesIO()
    Image.radial_gradient("L").save(rings, "PNG")  # a move over one colour shows nothing
    for name in ("one", "two"):
        with running_sandbox(tmp_path / name, plain_clips=False) as sandbox:
            sandbox.set_faults({"on": "task", "do": {"size": [160, 90], "length": 1}})
            frame = sandbox.upload(rings.getvalue())
            tasks = [sandbox.create_task({"urls": [frame]}) for _ in range(2)]
            clips.append([sandbox.wait_for_end(task) and sandbox.download_clip(task).content for task in tasks])
    assert clips[0] == clips[1]
    assert clips[0][0] != clips[0][1]


def test_a_clip_that_cannot_be_drawn_is_the_documented_server_error(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "task", "times": 1, "do": {"size": [17, 17]}})
    record = sandbox.wait_for_end(sandbox.create_task())
    assert (record["status"], record["error"], record["creditsUsed"]) == ("fail", TASK_ERRORS["server"], 0)
    assert len(sandbox.state()["trouble"]) == 1
    assert sandbox.wait_for_end(sandbox.create_task())["status"] == "success"


# -- the demo key ----------------------------------------------------------------------------------------


def test_the_demo_key_sees_the_five_sample_tasks(shared_sandbox: SandboxClient) -> None:
    demo = shared_sandbox.with_key(DEMO_KEY)
    record = {name: demo.record(name) for name in NAMES}
    assert [record["status"] for record in record.values()] == ["success", "success", "fail", "fail", "fail"]
    assert "text violates" in record["demo_task_fail_text_moderation"]["error"]
    assert "Face detected" in record["demo_task_fail_face_detected"]["error"]
    assert "try again" in record["demo_task_fail_server_error"]["error"]
    assert demo.download_clip("demo_task_t2v_success").content[4:8] == b"ftyp"
    assert shared_sandbox.poll("demo_task_t2v_success").status_code == 404


def test_the_demo_key_has_no_credits_and_no_rights(shared_sandbox: SandboxClient) -> None:
    demo = shared_sandbox.with_key(DEMO_KEY)
    answer = demo.create()
    assert answer.status_code == 402
    assert answer.json()["available"] == 0
    assert demo.create({"duration": "99"}).status_code == 400
    assert demo.http.get("/__sandbox/state").status_code == 403


# -- editions --------------------------------------------------------------------------------------------


def test_2026_09_returns_seed_media_type_and_last_frame(tmp_path: Path) -> None:
    import httpx

    with running_sandbox(tmp_path, edition="2026-09") as sandbox:
        record = sandbox.wait_for_end(sandbox.create_task({"duration": 4, "seed": 7}))["output"][0]
        assert (record["mediaType"], record["seed"]) == ("video", 7)
        frame = httpx.get(record["lastFrameImage"])
        assert frame.headers["content-type"] == "image/png"
        assert frame.content.startswith(b"\x89PNG")


def test_the_pro_site_takes_its_own_sample(tmp_path: Path) -> None:
    prompt = "A serene Japanese garden with cherry blossoms swaying in the wind"
    body = {"model": "seedance-20", "inputs": {"prompt": prompt, "resolution": "1280x720", "duration": "5s"}}
    with running_sandbox(tmp_path, edition="pro-site") as sandbox:
        answer = sandbox.http.post("/api/v1/jobs/createTask", json=body)
        record = sandbox.wait_for_end(answer.json()["taskId"])
        assert (record["creditsUsed"], record["output"][0]["width"], record["output"][0]["height"]) == (200, 1280, 720)
