"""Links that expire, media and records that go: by a clock that can be set."""

import httpx
import pytest

from tests.sandbox.sandbox_client import Guest

DAY = 86400


def test_a_link_expires_and_the_record_has_a_new_one(own: Guest) -> None:
    task = own.task()
    old = own.over(task)["output"][0]["url"]
    assert httpx.get(old).status_code == 200
    own.set_clock(advance=25 * 3600)
    expired = httpx.get(old)
    assert expired.status_code == 403
    assert "expired" in expired.json()["message"]
    assert own.clip(task).status_code == 200


@pytest.mark.parametrize("change", [{"expires": "99999999999"}, {"signature": "0" * 40}, {"expires": "soon"}])
def test_a_link_cannot_be_made_by_hand(shared: Guest, change: dict[str, str]) -> None:
    task = shared.task()
    link = httpx.URL(shared.over(task)["output"][0]["url"])
    assert httpx.get(link.copy_merge_params(change)).status_code == 403


def test_media_are_gone_after_14_days_and_the_record_after_60(own: Guest) -> None:
    task = own.task()
    own.over(task)
    own.set_clock(advance=13 * DAY)
    assert own.clip(task).status_code == 200
    own.set_clock(advance=2 * DAY)
    assert own.clip(task).status_code == 404
    assert own.record(task)["status"] == "success"
    own.set_clock(advance=46 * DAY)
    assert own.look(task).status_code == 404


def test_the_clock_is_set_by_steps_and_to_a_moment_and_shows_in_every_date(own: Guest) -> None:
    assert own.set_clock(now="2031-05-06T07:08:09Z").json()["now"].startswith("2031-05-06T07:08:")
    assert "06 May 2031" in own.look("x").headers["date"]
    own.set_clock(advance=3600)
    assert own.http.get("/__sandbox/clock").json()["now"].startswith("2031-05-06T08:08:")
    assert own.set_clock(offset=0).json()["offset"] == 0


@pytest.mark.parametrize("body", [{}, {"now": "noon"}, {"advance": "1"}, {"advance": 1e300}, {"advance": True}, []])
def test_a_clock_is_not_set_to_nonsense(shared: Guest, body: object) -> None:
    assert shared.http.post("/__sandbox/clock", json=body).status_code == 400


def test_a_clock_set_forward_ends_a_task_and_set_back_opens_it_again(own: Guest) -> None:
    own.set_faults({"on": "task", "do": {"seconds": 1000}})
    task = own.task()
    while own.state()["tasks"][0]["status"] != "waiting":
        pass
    own.set_clock(advance=500)
    assert own.record(task)["status"] == "generating"
    own.set_clock(advance=600)
    assert own.over(task)["status"] == "success"
    own.set_clock(offset=0)
    assert own.record(task)["status"] == "waiting"
    assert own.state()["accounts"][0]["inProgress"] == 1
