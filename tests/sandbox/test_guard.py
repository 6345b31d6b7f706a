"""Authentication, and robustness against hostile input."""

import asyncio
import json
import select
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.sandbox.sandbox_client import SandboxClient, body, running_sandbox, start_server, stop_server
from tests.sandbox.test_wire_faults import raw_response

PATHS = ["/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo?taskId=x", "/api/v1/uploads", "/__sandbox/state"]


@pytest.mark.parametrize("path", PATHS)
def test_without_a_key_nothing_is_answered(shared_sandbox: SandboxClient, path: str) -> None:
    method = "POST" if path in (PATHS[0], PATHS[2]) else "GET"
    answer = httpx.request(method, shared_sandbox.base_url + path, json={})
    assert answer.status_code == 401
    assert "missing API key" in answer.json()["message"]


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer a b", "abc", ""])
def test_a_header_that_is_no_bearer_is_no_key(shared_sandbox: SandboxClient, header: str) -> None:
    assert httpx.get(shared_sandbox.base_url + PATHS[1], headers={"Authorization": header}).status_code == 401


def test_a_named_key_is_the_only_one(tmp_path: Path) -> None:
    with running_sandbox(tmp_path, keys=("the-one-and-only",)) as sandbox:
        assert sandbox.create().status_code == 401
        assert sandbox.with_key("the-one-and-only").create().status_code == 200
        assert "the-one-and-only" not in (tmp_path / "journal-1.jsonl").read_text()


def test_the_key_comes_before_the_path_and_the_path_before_the_body(shared_sandbox: SandboxClient) -> None:
    assert httpx.post(f"{shared_sandbox.base_url}/api/v1/nothing").status_code == 401
    assert shared_sandbox.http.post("/api/v1/nothing", content=b"{").status_code == 404


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/api", "/api/v2/jobs/createTask", "/media/x/clip.avi", "/%00"])
def test_an_unknown_path_is_not_found(shared_sandbox: SandboxClient, path: str) -> None:
    assert shared_sandbox.http.get(path).status_code == 404


def test_a_405_names_the_allowed_method(shared_sandbox: SandboxClient) -> None:
    answer = shared_sandbox.http.get("/api/v1/jobs/createTask")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254", "", "[::1", "0.0.0.0"])
def test_another_hosts_name_is_refused(shared_sandbox: SandboxClient, host: str) -> None:
    assert shared_sandbox.http.get("/__sandbox/state", headers={"Host": host}).status_code in (400, 421)


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8787", "LOCALHOST"])
def test_loopback_has_many_names(shared_sandbox: SandboxClient, host: str) -> None:
    assert shared_sandbox.http.get("/__sandbox/state", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "file://", "http://127.0.0.1.evil.example"])
def test_a_web_page_of_another_origin_is_refused(shared_sandbox: SandboxClient, origin: str) -> None:
    answer = shared_sandbox.http.post("/api/v1/jobs/createTask", json=body(), headers={"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_key_where_it_does_not_belong_is_noticed(sandbox: SandboxClient) -> None:
    task = sandbox.create_task()
    link = sandbox.wait_for_end(task)["output"][0]["url"]
    httpx.get(link, headers={"Authorization": f"Bearer {sandbox.key}"})
    httpx.get(link, headers={"Referer": f"http://x/?key={sandbox.key}"})
    sandbox.http.get("/api/v1/jobs/recordInfo", params={"taskId": sandbox.key})
    sandbox.create({"prompt": f"a sign that says {sandbox.key}"})
    places = {(item["path"].split("/")[1], item["where"]) for item in sandbox.state()["misplaced"]}
    assert places == {
        ("media", "header authorization"),
        ("media", "header referer"),
        ("api", "address"),
        ("api", "body"),
    }


def test_a_good_client_misplaces_nothing(sandbox: SandboxClient) -> None:
    sandbox.wait_for_end(sandbox.create_task())
    assert sandbox.state()["misplaced"] == []


def test_accounts_have_credits_and_caps_of_their_own(sandbox: SandboxClient) -> None:
    other = sandbox.with_key("a-poor-account")
    account = sandbox.http.post("/__sandbox/account", json={"key": other.key, "credits": 100, "cap": 1}).json()
    assert (account["available"], account["cap"]) == (100, 1)
    assert sandbox.create().status_code == 200
    sandbox.set_faults({"on": "task", "do": {"seconds": 100}})
    assert [other.create().status_code for _ in range(2)] == [200, 402]
    assert sandbox.http.post("/__sandbox/account", json={"key": other.key, "credits": 100}).json()["available"] == 100
    assert other.create().status_code == 429


@pytest.mark.parametrize("wrong", [{"credits": -1}, {"cap": "3"}, {"caps": 3}, [], {"key": 5}])
def test_an_account_is_not_set_to_nonsense(shared_sandbox: SandboxClient, wrong: object) -> None:
    assert shared_sandbox.http.post("/__sandbox/account", json=wrong).status_code == 400


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
def test_a_body_that_is_no_json_is_a_400(shared_sandbox: SandboxClient, content: bytes) -> None:
    answer = shared_sandbox.http.post("/api/v1/jobs/createTask", content=content)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid parameters: ")


def test_a_hundred_megabytes_are_a_413_and_are_never_kept(shared_sandbox: SandboxClient) -> None:
    answer = shared_sandbox.http.post("/api/v1/jobs/createTask", content=bytes(100 << 20))
    assert answer.status_code == 413
    chunks = (bytes(1 << 20) for _ in range(8))
    assert shared_sandbox.http.post("/api/v1/jobs/createTask", content=chunks).status_code == 413
    assert shared_sandbox.create().status_code == 200


def test_a_length_that_lies_is_refused(shared_sandbox: SandboxClient) -> None:
    head = f"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {shared_sandbox.key}\r\n"
    assert b" 413 " in raw_response(
        shared_sandbox, f"{head}Content-Length: 99999999999\r\nConnection: close\r\n\r\n{{".encode(), 3
    )


@pytest.mark.parametrize(
    "content",
    [b"\x16\x03\x01\x00\xa5\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n"],
)
def test_bytes_that_are_not_http_are_a_400(shared_sandbox: SandboxClient, content: bytes) -> None:
    assert raw_response(shared_sandbox, content).startswith(b"HTTP/1.1 400 ")


def test_endless_headers_are_a_400(shared_sandbox: SandboxClient) -> None:
    response = raw_response(shared_sandbox, b"GET / HTTP/1.1\r\n" + b"X-Filler: x\r\n" * 20_000)
    assert response.startswith(b"HTTP/1.1 400 ") or response == b"<reset>"
    assert shared_sandbox.poll("x").status_code == 404


def test_slow_senders_are_cut_off_while_others_are_served(shared_sandbox: SandboxClient) -> None:
    port = httpx.URL(shared_sandbox.base_url).port
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    try:
        for connection in slow:
            connection.sendall(b"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-")
        assert shared_sandbox.create().status_code == 200
        assert select.select(slow, [], [], 0)[0] == [], "they are still connected"
    finally:
        for connection in slow:
            connection.close()


def test_an_unfinished_request_gets_a_408_or_nothing(tmp_path: Path) -> None:
    head = b"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer a-slow-client\r\n"
    with running_sandbox(tmp_path, request_timeout=0.4) as sandbox:
        assert raw_response(sandbox, b"") == b""
        assert raw_response(sandbox, head).startswith(b"HTTP/1.1 408 ")
        response = raw_response(sandbox, head + b"Content-Length: 10\r\n\r\n{")
        assert response.startswith(b"HTTP/1.1 408 ")
        assert b"the body did not arrive within 0.2 seconds" in response
        assert sandbox.create().status_code == 200


def test_a_server_survives_a_thousand_connections(tmp_path: Path) -> None:
    async def status_of_request(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /api/v1/jobs/recordInfo?taskId=x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer[9:12]

    async def all_of_them(port: int) -> list[bytes | BaseException]:
        return await asyncio.gather(*(status_of_request(port) for _ in range(1000)), return_exceptions=True)

    process, address = start_server(tmp_path)
    port = httpx.URL(address).port
    assert port is not None
    assert set(asyncio.run(all_of_them(port))) == {b"401"}
    assert httpx.get(address).status_code == 404
    assert stop_server(process, signal.SIGTERM) == 0


def test_pipelined_requests_are_answered_in_order(shared_sandbox: SandboxClient) -> None:
    key = shared_sandbox.key
    request = f"GET /api/v1/jobs/recordInfo?taskId=x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
    response = raw_response(shared_sandbox, (f"{request}\r\n" * 3 + f"{request}Connection: close\r\n\r\n").encode())
    assert response.count(b"HTTP/1.1 404 ") == 4


def test_every_refusal_is_json_with_a_message(shared_sandbox: SandboxClient) -> None:
    for answer in (
        httpx.get(f"{shared_sandbox.base_url}/nothing"),
        httpx.get(f"{shared_sandbox.base_url}/api/v1/uploads"),
        shared_sandbox.http.put("/api/v1/uploads"),
        shared_sandbox.http.get("/media/x/video.mp4"),
        shared_sandbox.http.put("/uploads/01234567890123456789"),
        shared_sandbox.http.get("/files/01234567890123456789/a.png"),
    ):
        assert answer.status_code in (401, 403, 404, 405)
        assert isinstance(json.loads(answer.text)["message"], str)
