"""The webhook server: 204 to every request, hints only on an attempt's own path, bounded resources."""

import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest

from runner.attempts.task_facts import Callback
from runner.providers.kinovi.callback import read_callback
from runner.providers.transport.webhook_server import WebhookLimits, WebhookServer
from tests.waiting import until

TOKEN = "r" * 43
DONE = json.dumps({"taskId": "task_1", "status": "success"}).encode()
SMALL = WebhookLimits(request_seconds=0.5, max_connections=4, hint_interval=0.3)


def hints_of(visits: Callable[[int], Awaitable[None]], **changes: Any) -> list[tuple[str, Callback]]:
    """The hints that a webhook server passes on during some requests."""
    hints: list[tuple[str, Callback]] = []
    arguments: dict[str, Any] = {"limits": SMALL, **changes}
    receiver = WebhookServer(
        lambda token: token == TOKEN,
        lambda token, callback: hints.append((token, callback)),
        read_callback,
        **arguments,
    )

    async def served() -> None:
        async with receiver.listening("127.0.0.1", 0) as problem:
            assert problem is None
            await visits(receiver.port)

    anyio.run(served)
    return hints


def exchange(request: bytes, port: int, timeout: float = 3.0) -> bytes:
    """Send raw bytes and read the answer to its end."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        try:
            connection.sendall(request)
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    return answer


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: hooks.example.com", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def single_visit(request: bytes, answers: list[bytes]) -> Callable[[int], Awaitable[None]]:
    async def visit(port: int) -> None:
        answers.append(await anyio.to_thread.run_sync(exchange, request, port))

    return visit


@pytest.mark.parametrize("path", [f"/{TOKEN}", f"/storyboard/{TOKEN}", f"/a/b/{TOKEN}?x=1", f"http://h/{TOKEN}"])
def test_a_hint_on_an_attempts_own_path_is_heard_wherever_the_tunnel_leads(path: str) -> None:
    answers: list[bytes] = []

    assert hints_of(single_visit(post(path, DONE), answers)) == [(TOKEN, Callback("task_1", "success"))]
    assert answers[0].startswith(b"HTTP/1.1 204 ")


def test_a_body_in_chunks_is_heard() -> None:
    request = (
        f"POST /{TOKEN} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{len(DONE):x}\r\n".encode()
        + DONE
        + b"\r\n0\r\n\r\n"
    )

    assert len(hints_of(single_visit(request, []))) == 1


def test_a_sender_that_waits_to_be_told_to_go_on_is_told() -> None:
    answers: list[bytes] = []
    hints = hints_of(single_visit(post(f"/{TOKEN}", DONE, "Expect: 100-continue"), answers))

    assert len(hints) == 1
    assert b"204" in answers[0]


IGNORED: dict[str, bytes] = {
    "an unknown path": post("/" + "x" * 43, DONE),
    "no path": post("/", DONE),
    "the path with more behind it": post(f"/{TOKEN}/more", DONE),
    "a GET": f"GET /{TOKEN} HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
    "no JSON": post(f"/{TOKEN}", b"taskId=task_1"),
    "no task": post(f"/{TOKEN}", b'{"status": "success"}'),
    "deep JSON": post(f"/{TOKEN}", b"[" * 60_000),
    "a body beyond the bound": post(f"/{TOKEN}", b" " * 70_000),
    "a body of a gigabyte, announced": post(f"/{TOKEN}", DONE).replace(b"Content-Length: ", b"Content-Length: 1000000"),
    "headers beyond the bound": post(f"/{TOKEN}", DONE, "X-Long: " + "x" * 40_000),
    "HTTP/0.9": b"GET /\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
    "two lengths": post(f"/{TOKEN}", DONE, "Content-Length: 5"),
    "half a body": post(f"/{TOKEN}", DONE)[:-5],
}


@pytest.mark.parametrize("name", IGNORED)
def test_everything_else_is_answered_or_cut_off_and_tells_nothing(name: str) -> None:
    answers: list[bytes] = []

    assert hints_of(single_visit(IGNORED[name], answers)) == []
    assert answers[0] == b"" or answers[0].startswith(b"HTTP/1.1 204 ")


def test_the_answer_does_not_tell_a_known_path_from_an_unknown_one() -> None:
    answers: list[bytes] = []

    async def both(port: int) -> None:
        paths = (TOKEN, "x" * 43)
        answers.extend([await anyio.to_thread.run_sync(exchange, post(f"/{path}", DONE), port) for path in paths])

    hints_of(both)

    assert answers[0] == answers[1]


@pytest.mark.parametrize(("interval", "count"), [(60.0, 1), (0.0, 5)])
def test_a_replayed_hint_is_one_hint_for_a_while(interval: float, count: int) -> None:
    async def many(port: int) -> None:
        for _ in range(5):
            await anyio.to_thread.run_sync(exchange, post(f"/{TOKEN}", DONE), port)

    assert len(hints_of(many, limits=WebhookLimits(hint_interval=interval))) == count


def test_another_task_is_heard_at_once_and_a_flood_of_tasks_is_bounded() -> None:
    async def many(port: int) -> None:
        for number in range(9):
            body = b'{"taskId": "task_%d", "status": "success"}' % number
            await anyio.to_thread.run_sync(exchange, post(f"/{TOKEN}", body), port)

    limits = WebhookLimits(hint_interval=60.0, max_tasks=3)
    assert [callback.task_id for _, callback in hints_of(many, limits=limits)] == ["task_0", "task_1", "task_2"]


def test_slow_senders_hold_no_place_for_long_and_a_flood_passes() -> None:
    async def flooded(port: int) -> None:
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        for line in lines:
            line.sendall(b"P")
        await until(lambda: all(map(_is_closed, lines)), "the slow senders are cut off")
        try:
            answer = await anyio.to_thread.run_sync(exchange, post(f"/{TOKEN}", DONE), port)
        finally:
            for line in lines:
                line.close()
        assert answer.startswith(b"HTTP/1.1 204 ")

    assert len(hints_of(flooded)) == 1


def test_beyond_the_bound_connections_are_closed_at_once() -> None:
    async def many(port: int) -> None:
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(SMALL.max_connections + 3)]
        await until(lambda: sum(map(_is_closed, lines)) == 3, "those beyond the bound are closed")
        for line in lines:
            line.close()

    hints_of(many, limits=WebhookLimits(request_seconds=30, max_connections=SMALL.max_connections))


def _is_closed(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(65536) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_port_that_is_taken_is_said_and_the_run_goes_on_without() -> None:
    async def tried() -> str | None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            receiver = WebhookServer(lambda token: True, lambda token, callback: None, read_callback)
            async with receiver.listening("127.0.0.1", listener.getsockname()[1]) as problem:
                return problem

    message = anyio.run(tried)

    assert message is not None
    assert "polled" in message
