"""Links that expire, media and records that are deleted: by a clock that can be set."""

import httpx
import pytest

from tests.sandbox.sandbox_client import SandboxClient

DAY = 86400


def test_a_link_expires_and_the_record_has_a_new_one(sandbox: SandboxClient) -> None:
    task = sandbox.create_task()
    old = sandbox.wait_for_end(task)["output"][0]["url"]
    assert httpx.get(old).status_code == 200
    sandbox.set_clock(advance=25 * 3600)
    expired = httpx.get(old)
    assert expired.status_code == 403
    assert "expired" in expired.json()["message"]
    assert sandbox.download_clip(task).status_code == 200


@pytest.mark.parametrize("change", [{"expires": "99999999999"}, {"signature": "0" * 40}, {"expires": "soon"}])
def test_a_link_cannot_be_made_by_hand(shared_sandbox: SandboxClient, change: dict[str, str]) -> None:
    task = shared_sandbox.create_task()
    link = httpx.URL(shared_sandbox.wait_for_end(task)["output"][0]["url"])
    assert httpx.get(link.copy_merge_params(change)).status_code == 403


def test_media_are_gone_after_14_days_and_the_record_after_60(sandbox: SandboxClient) -> None:
    task = sandbox.create_task()
    sandbox.wait_for_end(task)
    sandbox.set_clock(advance=13 * DAY)
    assert sandbox.download_clip(task).status_code == 200
    sandbox.set_clock(advance=2 * DAY)
    assert sandbox.download_clip(task).status_code == 404
    assert sandbox.record(task)["status"] == "success"
    sandbox.set_clock(advance=46 * DAY)
    assert sandbox.poll(task).status_code == 404


def test_the_clock_is_set_by_steps_and_to_a_moment_and_shows_in_every_date(sandbox: SandboxClient) -> None:
    assert sandbox.set_clock(now="2031-05-06T07:08:09Z").json()["now"].startswith("2031-05-06T07:08:")
    assert "06 May 2031" in sandbox.poll("x").headers["date"]
    sandbox.set_clock(advance=3600)
    assert sandbox.http.get("/__sandbox/clock").json()["now"].startswith("2031-05-06T08:08:")
    assert sandbox.set_clock(offset=0).json()["offset"] == 0


@pytest.mark.parametrize("body", [{}, {"now": "noon"}, {"advance": "1"}, {"advance": 1e300}, {"advance": True}, []])
def test_a_clock_is_not_set_to_nonsense(shared_sandbox: SandboxClient, body: object) -> None:
    assert shared_sandbox.http.post("/__sandbox/clock", json=body).status_code == 400


def test_a_clock_set_forward_ends_a_task_and_set_back_opens_it_again(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "task", "do": {"seconds": 1000}})
    task = sandbox.create_task()
    while sandbox.state()["tasks"][0]["status"] != "waiting":
        pass
    sandbox.set_clock(advance=500)
    assert sandbox.record(task)["status"] == "generating"
    sandbox.set_clock(advance=600)
    assert sandbox.wait_for_end(task)["status"] == "success"
    sandbox.set_clock(offset=0)
    assert sandbox.record(task)["status"] == "waiting"
    assert sandbox.state()["accounts"][0]["inProgress"] == 1
