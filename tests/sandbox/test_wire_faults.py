"""Faults of HTTP answers, scripted, against the true state of the task."""

import json
import select
import socket
from typing import Any

import httpx
import pytest

from tests.sandbox.sandbox_client import SandboxClient, body
from tests.waiting import stays, wait_until


def count_creates(sandbox: SandboxClient) -> int:
    count = sandbox.state()["creates"]
    assert isinstance(count, int)
    return count


def sent(sandbox: SandboxClient, request: bytes) -> socket.socket:
    """A connection on which a raw request has been sent, and nothing was read yet."""
    connection = socket.create_connection(("127.0.0.1", httpx.URL(sandbox.base_url).port or 0), timeout=20)
    connection.sendall(request)
    return connection


def raw_response(sandbox: SandboxClient, request: bytes, seconds: float = 10) -> bytes:
    """All bytes received in answer to a raw request, until the connection ends; a reset ends with `<reset>`."""
    port = httpx.URL(sandbox.base_url).port
    assert port is not None
    response = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                response += chunk
    except ConnectionResetError:
        response += b"<reset>"
    return response


def raw_create_request(sandbox: SandboxClient) -> bytes:
    content = json.dumps(body()).encode()
    head = f"POST /api/v1/jobs/createTask HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {sandbox.key}\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


@pytest.mark.parametrize("is_created", [True, False])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_the_connection_breaks_before_or_after_the_task_was_created(
    sandbox: SandboxClient, is_created: bool, end: str
) -> None:
    sandbox.set_faults({"on": "create", "do": {"answer": "none", "end": end, "made": is_created}})
    assert raw_response(sandbox, raw_create_request(sandbox)) == (b"<reset>" if end == "reset" else b"")
    assert count_creates(sandbox) == is_created


def test_a_stall_makes_the_task_and_answers_late(sandbox: SandboxClient) -> None:
    sandbox.set_faults(
        {"on": "create", "occurrence": 1, "do": {"stall": 3600}},
        {"on": "create", "occurrence": 2, "do": {"stall": 0.1}},
    )
    with sent(sandbox, raw_create_request(sandbox)) as connection:
        wait_until(lambda: count_creates(sandbox) == 1, "the task is made")
        stays(lambda: select.select([connection], [], [], 0)[0] == [], "no byte of the answer comes")
    assert sandbox.create().status_code == 200
    assert count_creates(sandbox) == 2


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 504, 522])
def test_every_status_with_and_without_the_apis_own_json(sandbox: SandboxClient, status: int) -> None:
    sandbox.set_faults(
        {"on": "create", "occurrence": 1, "do": {"status": status, "message": "no"}},
        {"on": "create", "occurrence": 2, "do": {"status": status, "html": True}},
    )
    answer, page = sandbox.create(), sandbox.create()
    assert (answer.status_code, answer.json()) == (status, {"message": "no"})
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html")
    assert page.headers["server"] == "gateway"
    assert count_creates(sandbox) == 0


def test_a_gateway_error_after_the_task_was_made(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "create", "do": {"html": True, "status": 504, "made": True}})
    assert sandbox.create().status_code == 504
    assert count_creates(sandbox) == 1


def test_headers_as_scripted(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "create", "do": {"status": 429, "headers": {"Retry-After": "7"}, "body": '{"limit": 3}'}})
    answer = sandbox.create()
    assert (answer.headers["retry-after"], answer.json()) == ("7", {"limit": 3})


@pytest.mark.parametrize(("target", "status"), [("https://login.invalid/", 302), ("self", 308), ("loop", 307)])
def test_redirects(sandbox: SandboxClient, target: str, status: int) -> None:
    sandbox.set_faults({"on": "create", "do": {"redirect": target, "status": status}})
    answer = sandbox.create()
    locations = {
        "self": f"{sandbox.base_url}/api/v1/jobs/createTask",
        "loop": f"{sandbox.base_url}/api/v1/jobs/createTask?again=1",
    }
    assert (answer.status_code, answer.headers["location"]) == (status, locations.get(target, target))
    assert count_creates(sandbox) == 0


def test_an_answer_is_cut_at_every_byte(sandbox: SandboxClient) -> None:
    whole = len('{"taskId":"task_cl1234567890123456789012"}')
    for cut in (0, 1, whole - 1):
        sandbox.set_faults({"on": "create", "do": {"cut": cut}})
        response = raw_response(sandbox, raw_create_request(sandbox))
        head, _, rest = response.partition(b"\r\n\r\n")
        assert f"content-length: {whole}".encode() in head
        assert len(rest) == cut
    assert count_creates(sandbox) == 3


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
def test_bodies_as_scripted_of_a_task_that_was_made(sandbox: SandboxClient, text: str) -> None:
    sandbox.set_faults({"on": "create", "do": {"body": text}})
    answer = sandbox.create()
    task = sandbox.state()["tasks"][0]["taskId"]
    real = json.dumps({"taskId": task}, separators=(",", ":"))
    assert answer.status_code == 200
    assert answer.text == text.replace("{taskId}", task).replace("{answer}", real)


def test_the_id_of_an_earlier_task_comes_back_for_a_new_one(sandbox: SandboxClient) -> None:
    first = sandbox.create_task()
    sandbox.set_faults({"on": "create", "do": {"body": '{"taskId":"{earlierTaskId}"}'}})
    assert sandbox.create_task() == first
    assert count_creates(sandbox) == 2


def test_text_in_other_encodings(sandbox: SandboxClient) -> None:
    sandbox.set_faults(
        {"on": "create", "occurrence": 1, "do": {"encoding": "utf-16"}},
        {"on": "create", "occurrence": 2, "do": {"encoding": "utf-8-sig"}},
        {"on": "create", "occurrence": 3, "do": {"encoding": "gzip"}},
    )
    contents = [sandbox.create().content for _ in range(3)]
    assert contents[0].startswith(b"\xff\xfe")
    assert contents[1].startswith(b"\xef\xbb\xbf{")
    assert contents[2].startswith(b'{"taskId"')


def test_a_bomb_unpacks_to_a_hundred_megabytes(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "create", "do": {"encoding": "bomb"}})
    response = raw_response(sandbox, raw_create_request(sandbox))
    assert b"content-encoding: gzip" in response
    assert len(response) < 200_000


def test_garbage_interim_answers_and_large_or_slow_headers(sandbox: SandboxClient) -> None:
    sandbox.set_faults(
        {"on": "create", "occurrence": 1, "do": {"answer": "garbage"}},
        {"on": "create", "occurrence": 2, "do": {"interim": 500}},
        {"on": "create", "occurrence": 3, "do": {"header_bytes": 500_000}},
        {"on": "create", "occurrence": 4, "do": {"header_seconds": 3600}},
        {"on": "create", "occurrence": 5, "do": {"header_seconds": 0.1}},
    )
    assert not raw_response(sandbox, raw_create_request(sandbox)).startswith(b"HTTP")
    assert raw_response(sandbox, raw_create_request(sandbox)).count(b"102 Processing") == 500
    assert len(raw_response(sandbox, raw_create_request(sandbox))) > 500_000
    with sent(sandbox, raw_create_request(sandbox)) as connection:
        assert b"HTTP/1.1 200 OK".startswith(connection.recv(65536))
        stays(lambda: select.select([connection], [], [], 0)[0] == [], "the rest of the head is still to come")
    assert b'{"taskId"' in raw_response(sandbox, raw_create_request(sandbox))
    assert count_creates(sandbox) == 4


@pytest.mark.parametrize("operation", ["poll", "upload"])
def test_other_requests_go_wrong_the_same_ways(sandbox: SandboxClient, operation: str) -> None:
    task = sandbox.create_task()
    sandbox.set_faults(
        {"on": operation, "times": 1, "do": {"status": 503}}, {"on": operation, "times": 1, "do": {"cut": 3}}
    )

    def send() -> httpx.Response:
        return (
            sandbox.poll(task)
            if operation == "poll"
            else sandbox.http.post("/api/v1/uploads", json={"fileName": "a.png"})
        )

    assert send().status_code == 503
    # The kernel may tell an answer that breaks off as a reset before its first bytes are read.
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        send()
    assert send().status_code == 200


def test_a_faulty_answer_waits_for_the_rest_of_the_request(sandbox: SandboxClient) -> None:
    """Closing a connection with an unread rest would reset it, and lose the answer."""
    sandbox.set_faults({"on": "upload", "do": {"status": 503, "message": "busy"}})
    url = httpx.URL(sandbox.base_url)
    head = "POST /api/v1/uploads HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\nauthorization: Bearer"
    with socket.create_connection((url.host, url.port), timeout=20) as connection:
        connection.sendall(f"{head} {sandbox.key}\r\n\r\n".encode())
        sandbox.state()  # answered after the head was handled
        assert select.select([connection], [], [], 0)[0] == []
        connection.sendall(b"12345")
        with connection.makefile("rb") as answer:
            assert answer.read().endswith(b'{"message": "busy"}')


# -- files ------------------------------------------------------------------------------------------------


def download_with_fault(sandbox: SandboxClient, task: str, effect: dict[str, Any], **headers: str) -> httpx.Response:
    sandbox.set_faults({"on": "media", "do": effect})
    return httpx.get(sandbox.record(task)["output"][0]["url"], headers=headers)


def test_every_way_a_clip_comes_out_wrong(sandbox: SandboxClient) -> None:
    task = sandbox.create_task()
    sandbox.wait_for_end(task)
    whole = sandbox.download_clip(task).content
    half = len(whole) // 2
    assert download_with_fault(sandbox, task, {"cut": half, "length": "none"}).content == whole[:half]
    with pytest.raises(httpx.RemoteProtocolError):
        download_with_fault(sandbox, task, {"cut": half})
    assert download_with_fault(sandbox, task, {"length": -10}).content == whole[:-10]
    assert download_with_fault(sandbox, task, {"body": ""}).content == b""
    assert download_with_fault(sandbox, task, {"zeros": True}).content == bytes(len(whole))
    page = download_with_fault(sandbox, task, {"html": True, "status": 200, "type": "video/mp4"})
    assert (page.status_code, page.headers["content-type"], page.text[:9]) == (200, "video/mp4", "<!DOCTYPE")
    assert [download_with_fault(sandbox, task, {"status": code}).status_code for code in (403, 404, 410)] == [
        403,
        404,
        410,
    ]
    assert download_with_fault(sandbox, task, {"type": "application/octet-stream"}).content == whole
    changed = download_with_fault(sandbox, task, {"changed": True})
    assert (changed.headers["etag"], changed.content == whole) == ('"changed"', False)
    assert len(download_with_fault(sandbox, task, {"endless": 3_000_000}).content) == len(whole) + 3_000_000
    assert download_with_fault(sandbox, task, {"rate": len(whole) * 20}).content == whole
    sandbox.set_faults({"on": "media", "do": {"rate": 5}})
    with httpx.stream("GET", sandbox.record(task)["output"][0]["url"]) as slow:
        assert len(next(slow.iter_raw())) < len(whole)


def test_every_way_a_range_is_answered_wrong(sandbox: SandboxClient) -> None:
    task = sandbox.create_task()
    sandbox.wait_for_end(task)
    whole = sandbox.download_clip(task).content
    ignored = download_with_fault(sandbox, task, {"range": "ignore"}, Range="bytes=100-")
    assert (ignored.status_code, ignored.content) == (200, whole)
    wrong = download_with_fault(sandbox, task, {"range": "wrong"}, Range="bytes=100-199")
    assert (wrong.status_code, wrong.content) == (206, whole[93:200])
    assert download_with_fault(sandbox, task, {"range": "refuse"}, Range="bytes=100-").status_code == 416
    cut = download_with_fault(sandbox, task, {"cut": 50, "length": "none"}, Range="bytes=100-")
    assert (cut.status_code, cut.content) == (206, whole[100:150])


def test_the_first_download_of_a_clip_fails_and_the_second_works(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "media", "look": 1, "do": {"status": 403}})
    task = sandbox.create_task()
    sandbox.wait_for_end(task)
    assert [sandbox.download_clip(task).status_code for _ in range(3)] == [403, 200, 200]


# -- connections ------------------------------------------------------------------------------------------


def test_a_connection_is_reset_before_anything_is_read(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "connection", "times": 1, "do": {"reset": True}})
    assert raw_response(sandbox, b"") == b"<reset>"
    assert sandbox.with_key("a-fresh-client").poll("x").status_code == 404


def test_nothing_listens_for_a_while(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "connection", "times": 1, "do": {"refuse": 1.5}})
    assert raw_response(sandbox, b"") == b"<reset>"
    wait_until(lambda: not is_listening(sandbox), "nothing listens", 1.5)
    wait_until(lambda: is_listening(sandbox), "a listener is back")
    assert httpx.get(sandbox.base_url).status_code == 404


def is_listening(sandbox: SandboxClient) -> bool:
    try:
        httpx.get(sandbox.base_url)
    except httpx.ConnectError:
        return False
    return True


def test_a_connection_is_accepted_and_never_answered(sandbox: SandboxClient) -> None:
    sandbox.set_faults({"on": "connection", "times": 1, "do": {"silent": True}})
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(sandbox.base_url, timeout=0.3)
    assert httpx.get(sandbox.base_url).status_code == 404
