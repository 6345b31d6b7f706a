"""The life of a task over HTTP: made, charged, told, refunded; accounts, caps and the five documented ends."""

import time
from io import BytesIO
from pathlib import Path

import pytest

from runner.sandbox.faults.demo import NAMES
from runner.sandbox.options import DEMO_KEY
from runner.sandbox.state.task import TASK_ERRORS
from tests.sandbox.sandbox_client import Guest, house, picture


def test_a_task_is_waiting_then_generating_then_a_clip(tmp_path: Path) -> None:
    with house(tmp_path, seconds=1.2) as guest:
        task = guest.task()
        seen: list[str] = []
        while not seen or seen[-1] != "success":
            told = guest.record(task)
            if not seen or told["status"] != seen[-1]:
                seen.append(told["status"])
            assert told["creditsUsed"] == 60
            assert (told["output"] is None) == (told["status"] != "success")
            time.sleep(0.02)
        assert seen == ["waiting", "generating", "success"]
        assert told["taskId"] == task
        assert told["model"] == "seedance-20"
        assert told["error"] is None
        assert 1200 <= told["completeTime"] - told["createTime"] < 2500


def test_a_clip_is_an_mp4_of_the_asked_shape_and_length(shared: Guest) -> None:
    import av

    task = shared.task({"aspectRatio": "9:16", "duration": "6"})
    told = shared.over(task)["output"][0]
    clip = shared.clip(task)
    assert (told["width"], told["height"]) == (480, 854)
    assert clip.headers["content-type"] == "video/mp4"
    with av.open(BytesIO(clip.content), "r") as film:
        stream = film.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 480, 854)
        assert film.streams.audio[0].codec_context.name == "aac"
        assert film.duration == pytest.approx(6_000_000, abs=100_000)


def test_a_clip_comes_in_ranges(shared: Guest) -> None:
    task = shared.task()
    shared.over(task)
    whole = shared.clip(task).content
    part = shared.clip(task, headers={"Range": "bytes=100-199"})
    assert part.status_code == 206
    assert part.content == whole[100:200]


def test_a_refusal_names_every_field(shared: Guest) -> None:
    answer = shared.create({"duration": "99", "colour": "red"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid parameters: ")
    assert {item["path"] for item in answer.json()["errors"]} == {"inputs.colour", "inputs.duration"}


def test_an_account_without_credits_is_told_what_it_lacks(tmp_path: Path) -> None:
    with house(tmp_path, credits=100, seconds=30) as guest:
        guest.task()
        answer = guest.create()
        assert answer.status_code == 402
        assert answer.json() == {"message": "Insufficient credits", "required": 60, "available": 40}
        assert guest.another("another-account").create().status_code == 200


def test_a_full_account_is_told_its_limit_and_nothing_is_charged(tmp_path: Path) -> None:
    with house(tmp_path, cap=2, seconds=30) as guest:
        guest.task()
        guest.task()
        answer = guest.create()
        assert answer.status_code == 429
        assert (answer.json()["limit"], answer.json()["current"]) == (2, 2)
        state = guest.state()
        assert state["creates"] == 2
        assert state["accounts"][0]["peak"] == 2
        assert state["accounts"][0]["reserved"] == 120


def test_credits_come_before_slots_and_good_bodies_before_credits(tmp_path: Path) -> None:
    with house(tmp_path, cap=1, credits=60, seconds=30) as guest:
        assert guest.create({"duration": "99"}).status_code == 400
        guest.task()
        assert guest.create({"duration": "99"}).status_code == 400
        assert guest.create().status_code == 402


@pytest.mark.parametrize("end", list(TASK_ERRORS))
def test_each_documented_end_costs_nothing(own: Guest, end: str) -> None:
    own.http.post("/__sandbox/account", json={"credits": 60})
    own.set_faults({"on": "task", "do": {"error": end, "seconds": 0}})
    told = own.over(own.task())
    assert told["status"] == "fail"
    assert told["error"] == TASK_ERRORS[end]
    assert (told["creditsUsed"], told["output"], told["completeTime"]) == (0, None, None)
    assert own.state()["accounts"][0]["available"] == 60
    assert own.state()["charged"] == 0


def test_a_task_is_seen_by_its_own_account_only(shared: Guest) -> None:
    task = shared.task()
    assert shared.another("somebody-elses-key").look(task).status_code == 404


@pytest.mark.parametrize("task_id", ["made-up", "../../etc/passwd", "%00", "x" * 1000, "task_cl&x=1"])
def test_a_made_up_task_is_not_found(shared: Guest, task_id: str) -> None:
    answer = shared.look(task_id)
    assert answer.status_code == 404
    assert answer.json() == {"message": "Task not found"}


def test_a_record_is_asked_for_by_its_id(shared: Guest) -> None:
    answer = shared.http.get("/api/v1/jobs/recordInfo")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "taskId"


def test_the_same_body_again_is_another_take_and_the_same_again_elsewhere(tmp_path: Path) -> None:
    clips = []
    for name in ("one", "two"):
        with house(tmp_path / name, plain_clips=False) as guest:
            guest.set_faults({"on": "task", "do": {"size": [160, 90], "length": 1}})
            frame = guest.put(picture())
            tasks = [guest.task({"urls": [frame]}) for _ in range(2)]
            clips.append([guest.over(task) and guest.clip(task).content for task in tasks])
    assert clips[0] == clips[1]
    assert clips[0][0] != clips[0][1]


def test_what_cannot_be_drawn_is_the_documented_server_error_and_the_next_is_drawn(own: Guest) -> None:
    own.set_faults({"on": "task", "times": 1, "do": {"size": [17, 17]}})
    told = own.over(own.task())
    assert (told["status"], told["error"], told["creditsUsed"]) == ("fail", TASK_ERRORS["server"], 0)
    assert len(own.state()["trouble"]) == 1
    assert own.over(own.task())["status"] == "success"


# -- the demo key ----------------------------------------------------------------------------------------


def test_the_demo_key_sees_the_five_sample_tasks(shared: Guest) -> None:
    demo = shared.another(DEMO_KEY)
    told = {name: demo.record(name) for name in NAMES}
    assert [record["status"] for record in told.values()] == ["success", "success", "fail", "fail", "fail"]
    assert "text violates" in told["demo_task_fail_text_moderation"]["error"]
    assert "Face detected" in told["demo_task_fail_face_detected"]["error"]
    assert "try again" in told["demo_task_fail_server_error"]["error"]
    assert demo.clip("demo_task_t2v_success").content[4:8] == b"ftyp"
    assert shared.look("demo_task_t2v_success").status_code == 404


def test_the_demo_key_has_no_credits_and_no_say(shared: Guest) -> None:
    demo = shared.another(DEMO_KEY)
    answer = demo.create()
    assert answer.status_code == 402
    assert answer.json()["available"] == 0
    assert demo.create({"duration": "99"}).status_code == 400
    assert demo.http.get("/__sandbox/state").status_code == 403


# -- editions --------------------------------------------------------------------------------------------


def test_2026_09_tells_seed_media_type_and_last_frame(tmp_path: Path) -> None:
    import httpx

    with house(tmp_path, edition="2026-09") as guest:
        told = guest.over(guest.task({"duration": 4, "seed": 7}))["output"][0]
        assert (told["mediaType"], told["seed"]) == ("video", 7)
        frame = httpx.get(told["lastFrameImage"])
        assert frame.headers["content-type"] == "image/png"
        assert frame.content.startswith(b"\x89PNG")


def test_the_pro_site_takes_its_own_sample(tmp_path: Path) -> None:
    prompt = "A serene Japanese garden with cherry blossoms swaying in the wind"
    body = {"model": "seedance-20", "inputs": {"prompt": prompt, "resolution": "1280x720", "duration": "5s"}}
    with house(tmp_path, edition="pro-site") as guest:
        answer = guest.http.post("/api/v1/jobs/createTask", json=body)
        told = guest.over(answer.json()["taskId"])
        assert (told["creditsUsed"], told["output"][0]["width"], told["output"][0]["height"]) == (200, 1280, 720)
