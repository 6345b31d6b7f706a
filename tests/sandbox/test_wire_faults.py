"""Each way an HTTP answer can go wrong, scripted, against what really happened to the task."""

import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.sandbox.sandbox_client import Guest, body
from tests.waiting import wait_until


def made(guest: Guest) -> int:
    count = guest.state()["creates"]
    assert isinstance(count, int)
    return count


def raw(guest: Guest, request: bytes, seconds: float = 10) -> bytes:
    """Everything that comes back for some bytes, to the end of the line; a reset is told as its last word."""
    port = httpx.URL(guest.base).port
    assert port is not None
    heard = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as line:
            line.sendall(request)
            while piece := line.recv(65536):
                heard += piece
    except ConnectionResetError:
        heard += b"<reset>"
    return heard


def creation(guest: Guest) -> bytes:
    content = json.dumps(body()).encode()
    head = f"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {guest.key}\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


@pytest.mark.parametrize("was_made", [True, False])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_the_line_breaks_before_or_after_the_task_was_made(own: Guest, was_made: bool, end: str) -> None:
    own.set_faults({"on": "create", "do": {"answer": "none", "end": end, "made": was_made}})
    assert raw(own, creation(own)) == (b"<reset>" if end == "reset" else b"")
    assert made(own) == was_made


def test_a_stall_makes_the_task_and_answers_late(own: Guest) -> None:
    own.set_faults({"on": "create", "do": {"stall": 0.4}})
    with pytest.raises(httpx.ReadTimeout):
        own.http.post("/api/v1/jobs/createTask", json=body(), timeout=0.15)
    started = time.monotonic()
    assert own.create().status_code == 200
    assert time.monotonic() - started > 0.35
    assert made(own) == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504, 522])
def test_every_status_with_and_without_the_apis_own_json(own: Guest, status: int) -> None:
    own.set_faults(
        {"on": "create", "occurrence": 1, "do": {"status": status, "message": "no"}},
        {"on": "create", "occurrence": 2, "do": {"status": status, "html": True}},
    )
    told, page = own.create(), own.create()
    assert (told.status_code, told.json()) == (status, {"message": "no"})
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html")
    assert page.headers["server"] == "gateway"
    assert made(own) == 0


def test_a_gateway_error_after_the_task_was_made(own: Guest) -> None:
    own.set_faults({"on": "create", "do": {"html": True, "status": 504, "made": True}})
    assert own.create().status_code == 504
    assert made(own) == 1


def test_headers_as_scripted(own: Guest) -> None:
    own.set_faults({"on": "create", "do": {"status": 429, "headers": {"Retry-After": "7"}, "body": '{"limit": 3}'}})
    answer = own.create()
    assert (answer.headers["retry-after"], answer.json()) == ("7", {"limit": 3})


@pytest.mark.parametrize(("where", "status"), [("https://login.invalid/", 302), ("self", 308), ("loop", 307)])
def test_redirects(own: Guest, where: str, status: int) -> None:
    own.set_faults({"on": "create", "do": {"redirect": where, "status": status}})
    answer = own.create()
    place = {"self": f"{own.base}/api/v1/jobs/createTask", "loop": f"{own.base}/api/v1/jobs/createTask?again=1"}
    assert (answer.status_code, answer.headers["location"]) == (status, place.get(where, where))
    assert made(own) == 0


def test_an_answer_is_cut_at_every_byte(own: Guest) -> None:
    whole = len('{"taskId":"task_cl1234567890123456789012"}')
    for cut in (0, 1, whole - 1):
        own.set_faults({"on": "create", "do": {"cut": cut}})
        heard = raw(own, creation(own))
        head, _, rest = heard.partition(b"\r\n\r\n")
        assert f"content-length: {whole}".encode() in head
        assert len(rest) == cut
    assert made(own) == 3


@pytest.mark.parametrize(
    "text",
    [
        '{"code":200,"data":{"taskId":"{taskId}"}}',
        '{"taskId":null}',
        '{"taskId":"{taskId}","taskId":"task_other"}',
        '{"taskId":NaN}',
        "{answer}{answer}",
        "",
    ],
)
def test_bodies_as_scripted_of_a_task_that_was_made(own: Guest, text: str) -> None:
    own.set_faults({"on": "create", "do": {"body": text}})
    answer = own.create()
    task = own.state()["tasks"][0]["taskId"]
    real = json.dumps({"taskId": task}, separators=(",", ":"))
    assert answer.status_code == 200
    assert answer.text == text.replace("{taskId}", task).replace("{answer}", real)


def test_the_id_of_an_earlier_task_comes_back_for_a_new_one(own: Guest) -> None:
    first = own.task()
    own.set_faults({"on": "create", "do": {"body": '{"taskId":"{earlierTaskId}"}'}})
    assert own.task() == first
    assert made(own) == 2


def test_text_in_other_encodings(own: Guest) -> None:
    own.set_faults(
        {"on": "create", "occurrence": 1, "do": {"encoding": "utf-16"}},
        {"on": "create", "occurrence": 2, "do": {"encoding": "utf-8-sig"}},
        {"on": "create", "occurrence": 3, "do": {"encoding": "gzip"}},
    )
    contents = [own.create().content for _ in range(3)]
    assert contents[0].startswith(b"\xff\xfe")
    assert contents[1].startswith(b"\xef\xbb\xbf{")
    assert contents[2].startswith(b'{"taskId"')


def test_a_bomb_unpacks_to_a_hundred_megabytes(own: Guest) -> None:
    own.set_faults({"on": "create", "do": {"encoding": "bomb"}})
    heard = raw(own, creation(own))
    assert b"content-encoding: gzip" in heard
    assert len(heard) < 200_000


def test_garbage_interim_answers_and_large_or_slow_headers(own: Guest) -> None:
    own.set_faults(
        {"on": "create", "occurrence": 1, "do": {"answer": "garbage"}},
        {"on": "create", "occurrence": 2, "do": {"interim": 500}},
        {"on": "create", "occurrence": 3, "do": {"header_bytes": 500_000}},
        {"on": "create", "occurrence": 4, "do": {"header_seconds": 0.3}},
    )
    assert not raw(own, creation(own)).startswith(b"HTTP")
    assert raw(own, creation(own)).count(b"102 Processing") == 500
    assert len(raw(own, creation(own))) > 500_000
    started = time.monotonic()
    assert b'{"taskId"' in raw(own, creation(own))
    assert time.monotonic() - started > 0.25
    assert made(own) == 3


@pytest.mark.parametrize("on", ["poll", "upload"])
def test_other_requests_go_wrong_the_same_ways(own: Guest, on: str) -> None:
    task = own.task()
    own.set_faults({"on": on, "times": 1, "do": {"status": 503}}, {"on": on, "times": 1, "do": {"cut": 3}})

    def ask() -> httpx.Response:
        return own.look(task) if on == "poll" else own.http.post("/api/v1/uploads", json={"fileName": "a.png"})

    assert ask().status_code == 503
    with pytest.raises(httpx.RemoteProtocolError):
        ask()
    assert ask().status_code == 200


# -- files ------------------------------------------------------------------------------------------------


def fetched(guest: Guest, task: str, do: dict[str, Any], **headers: str) -> httpx.Response:
    guest.set_faults({"on": "media", "do": do})
    return httpx.get(guest.record(task)["output"][0]["url"], headers=headers)


def test_every_way_a_clip_comes_out_wrong(own: Guest) -> None:
    task = own.task()
    own.over(task)
    whole = own.clip(task).content
    half = len(whole) // 2
    assert fetched(own, task, {"cut": half, "length": "none"}).content == whole[:half]
    with pytest.raises(httpx.RemoteProtocolError):
        fetched(own, task, {"cut": half})
    assert fetched(own, task, {"length": -10}).content == whole[:-10]
    assert fetched(own, task, {"body": ""}).content == b""
    assert fetched(own, task, {"zeros": True}).content == bytes(len(whole))
    page = fetched(own, task, {"html": True, "status": 200, "type": "video/mp4"})
    assert (page.status_code, page.headers["content-type"], page.text[:9]) == (200, "video/mp4", "<!DOCTYPE")
    assert [fetched(own, task, {"status": code}).status_code for code in (403, 404, 410)] == [403, 404, 410]
    assert fetched(own, task, {"type": "application/octet-stream"}).content == whole
    changed = fetched(own, task, {"changed": True})
    assert (changed.headers["etag"], changed.content == whole) == ('"changed"', False)
    assert len(fetched(own, task, {"endless": 3_000_000}).content) == len(whole) + 3_000_000
    started = time.monotonic()
    assert fetched(own, task, {"rate": len(whole) * 2}).content == whole
    assert time.monotonic() - started > 0.3


def test_every_way_a_range_is_answered_wrong(own: Guest) -> None:
    task = own.task()
    own.over(task)
    whole = own.clip(task).content
    ignored = fetched(own, task, {"range": "ignore"}, Range="bytes=100-")
    assert (ignored.status_code, ignored.content) == (200, whole)
    wrong = fetched(own, task, {"range": "wrong"}, Range="bytes=100-199")
    assert (wrong.status_code, wrong.content) == (206, whole[93:200])
    assert fetched(own, task, {"range": "refuse"}, Range="bytes=100-").status_code == 416
    cut = fetched(own, task, {"cut": 50, "length": "none"}, Range="bytes=100-")
    assert (cut.status_code, cut.content) == (206, whole[100:150])


def test_the_first_download_of_a_clip_fails_and_the_second_works(own: Guest) -> None:
    own.set_faults({"on": "media", "look": 1, "do": {"status": 403}})
    task = own.task()
    own.over(task)
    assert [own.clip(task).status_code for _ in range(3)] == [403, 200, 200]


# -- connections ------------------------------------------------------------------------------------------


def test_a_connection_is_reset_before_anything_is_read(own: Guest) -> None:
    own.set_faults({"on": "connection", "times": 1, "do": {"reset": True}})
    assert raw(own, b"") == b"<reset>"
    assert own.another("a-fresh-client").look("x").status_code == 404


def test_nothing_listens_for_a_while(own: Guest) -> None:
    own.set_faults({"on": "connection", "times": 1, "do": {"refuse": 1.5}})
    assert raw(own, b"") == b"<reset>"
    wait_until(lambda: not listens(own), "nothing listens", 1.5)
    wait_until(lambda: listens(own), "a listener is back")
    assert httpx.get(own.base).status_code == 404


def listens(guest: Guest) -> bool:
    try:
        httpx.get(guest.base)
    except httpx.ConnectError:
        return False
    return True


def test_a_connection_is_accepted_and_never_answered(own: Guest) -> None:
    own.set_faults({"on": "connection", "times": 1, "do": {"silent": True}})
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(own.base, timeout=0.3)
    assert httpx.get(own.base).status_code == 404
