"""Arbitrary bytes, cancelled callers, no free descriptors: the client always returns a value."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.attempts.events import Created, OutcomeUnknown, Running, Succeeded
from runner.engine.ports import TransferFailed
from runner.providers.kinovi.client import Client
from runner.providers.transport.download import Downloaded, Downloader, DownloadLimits, LinkExpired
from runner.providers.transport.public_hosts import resolve_host
from tests.double.server import Double
from tests.double.steps import MEDIA, POLL, Step, dropped
from tests.providers.client_calls import BODY, ask, create, deadlines_of, poll, send_at_once
from tests.waiting import until

HEADS = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ",
        b"HTTP/1.0 500 \r\n\r\n",
        b"HTTP/1.1 999 ?\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
    ]
)
ANSWERS = st.tuples(HEADS, st.binary(max_size=300)).map(b"".join)
SOME = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])


def any_answer(raw: bytes) -> None:
    """Send the same bytes to every client."""
    with Double([Step(on="", raw=raw, end="close", times=0)]) as double:
        created = create(double.url)
        assert not isinstance(created, Created) or b"taskId" in raw
        assert isinstance(poll(double.url), Running | Succeeded)
        assert len(double.requests("POST")) == 1


@SOME
@given(ANSWERS)
def test_whatever_bytes_come_back_are_an_answer(raw: bytes) -> None:
    any_answer(raw)


@pytest.mark.long
@MANY
@given(ANSWERS)
def test_whatever_bytes_come_back_are_an_answer_a_thousand_times(raw: bytes) -> None:
    any_answer(raw)


@SOME
@given(raw=ANSWERS)
def test_whatever_bytes_come_for_a_clip_are_an_outcome(tmp_path: Path, raw: bytes) -> None:
    with Double([Step(on=MEDIA, raw=raw, end="close", times=0)]) as double:
        got = Downloader(local=True, limits=DownloadLimits(grace_seconds=1.0)).fetch(
            f"{double.url}/media/a", tmp_path / "a.part"
        )

    assert isinstance(got, Downloaded | LinkExpired | TransferFailed)


LINKS = [
    "https://exa\x00mple/",
    "http://127.0.0.1:1/\x00",
    "http://a b/",
    "http://" + "a" * 70 + ".com/",
    "http://" + "ä" * 70 + ".com/",
    "http://xn--/",
    "http://.../",
    "http://127.0.0.1:1/" + "x" * 70_000,
    "http://[v1.x]/",
    "http://\ud800/",
    "http://127.0.0.1:0/",
    "http://%00/",
    "http://0x7f.1:1/",
]


def any_link(link: str, part: Path) -> None:
    for resolve in (resolve_host, lambda host, port: ["127.0.0.1"]):
        got = Downloader(local=True, limits=DownloadLimits(grace_seconds=0.3), resolve=resolve).fetch(link, part)
        assert isinstance(got, TransferFailed)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_is_none_is_an_outcome(tmp_path: Path, link: str) -> None:
    any_link(link, tmp_path / "a.part")


@SOME
@given(link=st.text().map("https://{}".format) | st.text(), port=st.integers(0, 9))
def test_any_text_as_a_link_is_an_outcome(tmp_path: Path, link: str, port: int) -> None:
    got = Downloader(
        local=True, limits=DownloadLimits(grace_seconds=0.3), resolve=lambda host, _: [f"127.0.0.{port}"]
    ).fetch(link, tmp_path / "a.part")
    assert isinstance(got, TransferFailed)


def test_a_caller_that_gives_up_after_the_first_byte_is_let_go_at_once_and_leaves_nothing_open() -> None:
    with Double([dropped(creates=True, end="stall")]) as double:

        async def given_up(client: Client) -> bool:
            # Long before the client's own deadline, at which it would give up by itself.
            with anyio.fail_after(30):
                async with anyio.create_task_group() as group:
                    group.start_soon(client.create, BODY, "receipt", send_at_once)
                    await until(lambda: double.created_tasks, "the task is made")
                    group.cancel_scope.cancel()
            return True

        assert ask(double.url, given_up, deadlines=deadlines_of(120))
        assert len(double.created_tasks) == 1


def test_a_shielded_caller_hears_the_answer_although_it_was_cancelled() -> None:
    async def shielded(client: Client) -> Any:
        answers = []
        with anyio.CancelScope() as scope, anyio.CancelScope(shield=True):
            scope.cancel()
            answers.append(await client.create(BODY, "receipt", send_at_once))
        return answers

    with Double([Step(body=b'{"taskId": "task_1"}', delay=0.1)]) as double:
        assert ask(double.url, shielded, deadlines=deadlines_of(5)) == [Created("task_1")]


def test_a_loop_that_was_busy_still_reads_the_answer_that_waits() -> None:
    async def busy(client: Client) -> Any:
        async with anyio.create_task_group() as group:
            group.start_soon(_block, 0.3)
            return await client.create(BODY, "receipt", send_at_once)

    with Double() as double:
        assert ask(double.url, busy, deadlines=deadlines_of(5)) == Created("task_1")


async def _block(seconds: float) -> None:
    await anyio.lowlevel.checkpoint()
    time.sleep(seconds)


WITHOUT_DESCRIPTORS = """
import os, resource, sys
from tests.providers.client_calls import BODY, ask, send_at_once

async def question(client):
    await client.poll("task_1", None)
    descriptors = []
    while len(descriptors) < 100:
        try:
            descriptors.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            break
    answer = await client.create(BODY, "receipt", send_at_once)
    for descriptor in descriptors:
        os.close(descriptor)
    return answer

resource.setrlimit(resource.RLIMIT_NOFILE, (60, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
print(ask(sys.argv[1], question))
"""


def test_without_descriptors_nothing_is_sent() -> None:
    command = [sys.executable, "-c", WITHOUT_DESCRIPTORS]
    with Double() as double:
        result = subprocess.run([*command, double.url], capture_output=True, text=True, check=False)
        sent = len(double.requests())

    assert result.stdout.startswith("NotSent("), result.stdout + result.stderr
    assert sent == 0


def test_a_length_that_no_body_has_tells_nothing() -> None:
    with Double([Step(on=POLL, raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")]) as double:
        assert not poll(double.url).answered


def test_an_address_that_nothing_answers_ends_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        answer = create(f"http://127.0.0.1:{silent.getsockname()[1]}", deadlines=deadlines_of(0.5))

    assert isinstance(answer, OutcomeUnknown)
