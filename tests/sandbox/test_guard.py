"""Who is let in, and that nothing which comes in brings it down."""

import asyncio
import json
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from tests.sandbox.sandbox_client import Guest, body, ended, house, served
from tests.sandbox.test_wire_faults import raw

PATHS = ["/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo?taskId=x", "/api/v1/uploads", "/__sandbox/state"]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_is_answered(shared: Guest, path: str) -> None:
    method = "POST" if path in (PATHS[0], PATHS[2]) else "GET"
    answer = httpx.request(method, shared.base + path, json={})
    assert answer.status_code == 401
    assert "missing API key" in answer.json()["message"]


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer a b", "abc", ""])
def test_a_header_that_is_no_bearer_is_no_key(shared: Guest, header: str) -> None:
    assert httpx.get(shared.base + PATHS[1], headers={"Authorization": header}).status_code == 401


def test_a_named_key_is_the_only_one(tmp_path: Path) -> None:
    with house(tmp_path, keys=("the-one-and-only",)) as guest:
        assert guest.create().status_code == 401
        assert guest.another("the-one-and-only").create().status_code == 200
        assert "the-one-and-only" not in (tmp_path / "journal-1.jsonl").read_text()


def test_the_key_comes_before_the_path_and_the_path_before_the_body(shared: Guest) -> None:
    assert httpx.post(f"{shared.base}/api/v1/nothing").status_code == 401
    assert shared.http.post("/api/v1/nothing", content=b"{").status_code == 404


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/api", "/api/v2/jobs/createTask", "/media/x/clip.avi", "/%00"])
def test_an_unknown_path_is_not_found(shared: Guest, path: str) -> None:
    assert shared.http.get(path).status_code == 404


def test_a_wrong_method_is_told_the_right_one(shared: Guest) -> None:
    answer = shared.http.get("/api/v1/jobs/createTask")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254", "", "[::1", "0.0.0.0"])
def test_another_hosts_name_is_refused(shared: Guest, host: str) -> None:
    assert shared.http.get("/__sandbox/state", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8787", "LOCALHOST"])
def test_loopback_has_many_names(shared: Guest, host: str) -> None:
    assert shared.http.get("/__sandbox/state", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "file://", "http://127.0.0.1.evil.example"])
def test_a_web_page_of_another_origin_is_refused(shared: Guest, origin: str) -> None:
    answer = shared.http.post("/api/v1/jobs/createTask", json=body(), headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_key_where_it_does_not_belong_is_noticed(own: Guest) -> None:
    task = own.task()
    link = own.over(task)["output"][0]["url"]
    httpx.get(link, headers={"Authorization": f"Bearer {own.key}"})
    httpx.get(link, headers={"Referer": f"http://x/?key={own.key}"})
    own.http.get("/api/v1/jobs/recordInfo", params={"taskId": own.key})
    own.create({"prompt": f"a sign that says {own.key}"})
    seen = {(item["path"].split("/")[1], item["where"]) for item in own.state()["misplaced"]}
    assert seen == {
        ("media", "header authorization"),
        ("media", "header referer"),
        ("api", "address"),
        ("api", "body"),
    }


def test_a_good_client_misplaces_nothing(own: Guest) -> None:
    own.over(own.task())
    assert own.state()["misplaced"] == []


def test_accounts_have_credits_and_caps_of_their_own(own: Guest) -> None:
    other = own.another("a-poor-account")
    told = own.http.post("/__sandbox/account", json={"key": other.key, "credits": 100, "cap": 1}).json()
    assert (told["available"], told["cap"]) == (100, 1)
    assert own.create().status_code == 200
    own.set_faults({"on": "task", "do": {"seconds": 100}})
    assert [other.create().status_code for _ in range(2)] == [200, 402]
    assert own.http.post("/__sandbox/account", json={"key": other.key, "credits": 100}).json()["available"] == 100
    assert other.create().status_code == 429


@pytest.mark.parametrize("wrong", [{"credits": -1}, {"cap": "3"}, {"caps": 3}, [], {"key": 5}])
def test_an_account_is_not_set_to_nonsense(shared: Guest, wrong: object) -> None:
    assert shared.http.post("/__sandbox/account", json=wrong).status_code == 400


# -- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nonsense",
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"model": NaN}',
        b'{"a": 1, "a": 2}',
        b"1" * 5000,
    ],
)
def test_a_body_that_is_no_json_is_a_400(shared: Guest, content: bytes) -> None:
    answer = shared.http.post("/api/v1/jobs/createTask", content=content)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid parameters: ")


def test_a_hundred_megabytes_are_a_413_and_are_never_kept(shared: Guest) -> None:
    answer = shared.http.post("/api/v1/jobs/createTask", content=bytes(100 << 20))
    assert answer.status_code == 413
    chunks = (bytes(1 << 20) for _ in range(8))
    assert shared.http.post("/api/v1/jobs/createTask", content=chunks).status_code == 413
    assert shared.create().status_code == 200


def test_a_length_that_lies_is_refused(shared: Guest) -> None:
    head = f"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {shared.key}\r\n"
    assert b" 413 " in raw(shared, f"{head}Content-Length: 99999999999\r\nConnection: close\r\n\r\n{{".encode(), 3)


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x00\xa5\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n"],
)
def test_what_is_no_http_is_a_400(shared: Guest, sent: bytes) -> None:
    assert raw(shared, sent).startswith(b"HTTP/1.1 400 ")


def test_endless_headers_are_a_400(shared: Guest) -> None:
    heard = raw(shared, b"GET / HTTP/1.1\r\n" + b"X-Filler: x\r\n" * 20_000)
    assert heard.startswith(b"HTTP/1.1 400 ") or heard == b"<reset>"
    assert shared.look("x").status_code == 404


def test_slow_senders_are_cut_off_while_others_are_served(shared: Guest) -> None:
    port = httpx.URL(shared.base).port
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    try:
        for line in slow:
            line.sendall(b"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-")
        started = time.monotonic()
        assert shared.create().status_code == 200
        assert time.monotonic() - started < 1
    finally:
        for line in slow:
            line.close()


def test_who_never_ends_a_request_gets_a_408_or_nothing(tmp_path: Path) -> None:
    head = b"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer a-slow-client\r\n"
    with house(tmp_path, patience=0.4) as guest:
        assert raw(guest, b"") == b""
        assert raw(guest, head).startswith(b"HTTP/1.1 408 ")
        told = raw(guest, head + b"Content-Length: 10\r\n\r\n{")
        assert told.startswith(b"HTTP/1.1 408 ")
        assert b"the body did not arrive within 0.2 seconds" in told
        time.sleep(0.5)
        assert guest.create().status_code == 200


def test_a_thousand_connections_leave_it_standing(tmp_path: Path) -> None:
    async def one(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/v1/jobs/recordInfo?taskId=x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer[9:12]

    async def all_of_them(port: int) -> list[bytes | BaseException]:
        return await asyncio.gather(*(one(port) for _ in range(1000)), return_exceptions=True)

    process, address = served(tmp_path)
    port = httpx.URL(address).port
    assert port is not None
    assert set(asyncio.run(all_of_them(port))) == {b"401"}
    assert httpx.get(address).status_code == 404
    assert ended(process, signal.SIGTERM) == 0


def test_pipelined_requests_are_answered_in_order(shared: Guest) -> None:
    one = f"GET /api/v1/jobs/recordInfo?taskId=x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {shared.key}\r\n"
    heard = raw(shared, (f"{one}\r\n" * 3 + f"{one}Connection: close\r\n\r\n").encode())
    assert heard.count(b"HTTP/1.1 404 ") == 4


def test_every_refusal_is_json_with_a_message(shared: Guest) -> None:
    for answer in (
        httpx.get(f"{shared.base}/nothing"),
        httpx.get(f"{shared.base}/api/v1/uploads"),
        shared.http.put("/api/v1/uploads"),
        shared.http.get("/media/x/video.mp4"),
        shared.http.put("/uploads/01234567890123456789"),
        shared.http.get("/files/01234567890123456789/a.png"),
    ):
        assert answer.status_code in (401, 403, 404, 405)
        assert isinstance(json.loads(answer.text)["message"], str)
