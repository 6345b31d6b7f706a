"""Every outcome of createTask on the wire: the result, the number of requests, the number of created tasks."""

import gzip
import json
import socket
import ssl
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import pytest

from runner.app.exit_codes import exit_code_of
from runner.attempts.events import (
    ConcurrencyLimited,
    Created,
    KeyRefused,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Refused,
    ServerError,
)
from runner.diagnostics.failures import ConnectionUnusable
from runner.paid_providers import paid_providers
from runner.providers.kinovi.client import Client
from runner.providers.transport.http_result import MAX_ANSWER_BYTES
from runner.requests.shot_text import ShotText
from tests.double.server import Double
from tests.double.steps import Step, created, dropped, page, reply
from tests.providers.client_calls import BODY, KEY, ask, create, deadlines_of, poll, preflight, send_at_once
from tests.waiting import stays, until

BOMB = gzip.compress(b'{"taskId": "task_1"}' + b" " * 5_000_000)


def endless(start: bytes, repeat: bytes) -> Step:
    return Step(raw=start, repeat=repeat, creates=True, end="close")


UNKNOWN: dict[str, Step] = {
    "reset after the task was made": dropped(creates=True),
    "closed after the task was made": dropped(creates=True, end="close"),
    "silence": dropped(creates=True, end="stall"),
    "an early 502, then a reset before the request was read": Step(status=502, when="head", end="reset", creates=False),
    "502 from a gateway": page(502, "nginx", creates=True),
    "503": page(503, creates=True),
    "504": page(504, creates=True),
    "520 from a CDN": page(520, creates=True),
    "408": reply(408, {"message": "Request Timeout"}),
    "409": reply(409, {"message": "Conflict"}),
    "425": reply(425, {"message": "Too Early"}),
    "499": page(499),
    "500 from a firewall": page(500),
    "200 with a page": page(200),
    "200 without a task": reply(200, {"message": "ok"}),
    "200 with two tasks": Step(body=b'{"taskId": "a", "taskId": "b"}'),
    "204": Step(status=204, creates=True),
    "an id that breaks off": created(cut=70, end="close"),
    "a status line that breaks off": created(cut=9, end="close"),
    "headers that break off": created(cut=30, end="reset"),
    "an answer longer than a mebibyte": Step(body=b" " * (MAX_ANSWER_BYTES + 10) + b'{"taskId": "task_1"}'),
    "headers that never end": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
    "one header of half a megabyte": Step(
        raw=b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 500_000, creates=True, end="stall"
    ),
    "a flood of 1xx": endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body without an end": endless(b"HTTP/1.1 200 OK\r\n\r\n{", b" " * 1000),
    "no HTTP at all": Step(raw=b"220 mail.example.com ESMTP\r\n", creates=True, end="close"),
    "compressed although identity was asked": Step(
        body=b"\x1f\x8b" + b"\0" * 500, headers=(("Content-Encoding", "gzip"),)
    ),
    "in UTF-16": Step(body='{"taskId": "task_1"}'.encode("utf-16")),
    "two hundred thousand levels deep": Step(body=b"[" * 200_000),
    "a redirect to itself": Step(status=307, headers=(("Location", "/api/v1/jobs/createTask"),), creates=False),
    "a redirect to a login page": Step(status=302, headers=(("Location", "https://login.example"),)),
    "a redirect to nonsense": Step(status=308, headers=(("Location", "http://[::1"),)),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_when_nobody_knows_it_is_unknown_after_one_request(name: str) -> None:
    with Double([UNKNOWN[name]]) as double:
        answer = create(double.url)

    assert isinstance(answer, OutcomeUnknown), answer
    assert answer.message
    assert len(double.requests("")) <= 1
    assert double.accepted == 1


@pytest.mark.parametrize("name", [name for name in UNKNOWN if name.startswith("a redirect")])
def test_a_redirect_stops_creating_and_is_never_followed(name: str) -> None:
    with Double([UNKNOWN[name]]) as double:
        answer = create(double.url)

    assert answer.stop
    assert len(double.requests("")) == 1


def test_a_reset_right_after_the_connection_was_accepted_is_never_taken_for_more_than_is_known() -> None:
    counter = MarkCounter()
    with Double([dropped(creates=False, when="accept")]) as double:
        answer = create(double.url, counter)

    assert isinstance(answer, OutcomeUnknown if counter.count else NotSent)


def test_what_came_before_the_break_is_kept() -> None:
    with Double([created(cut=75, end="close")]) as double:
        answer = create(double.url)

    assert (answer.status, answer.raw) == (200, b'{"tas')
    assert ("Content-Type", "application/json") in answer.headers


def test_an_answer_cut_at_every_byte_is_created_only_with_the_whole_id() -> None:
    body = b'{"taskId": "task_1"}  '
    head = len(b"HTTP/1.1 200 -\r\nContent-Length: 22\r\n\r\n")
    with Double() as double:
        for length in range(len(body) + 1):
            double.play(Step(body=body, cut=head + length, end="close"))
            answer = create(double.url)
            whole = length >= body.index(b"}") + 1
            assert answer == Created("task_1") if whole else isinstance(answer, OutcomeUnknown), length


def test_a_created_task_is_told_with_its_id() -> None:
    with Double() as double:
        assert create(double.url) == Created("task_1")
        assert double.created_tasks == ["task_1"]


def test_a_late_answer_within_the_deadline_still_counts() -> None:
    with Double([created(delay=0.5)]) as double:
        assert create(double.url, deadlines=deadlines_of(5)) == Created("task_1")


def test_the_deadline_is_of_the_whole_and_not_of_each_byte() -> None:
    with Double([created(pace=20)]) as double:
        answer = create(double.url, deadlines=deadlines_of(0.6))

    assert isinstance(answer, OutcomeUnknown)


def test_an_answer_that_comes_before_the_request_was_read_is_heard_when_it_arrives() -> None:
    with Double([reply(402, {"message": "Insufficient credits"}, when="head")]) as double:
        assert isinstance(create(double.url), NoCredits | OutcomeUnknown)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (reply(400, {"message": "Invalid parameters"}), Refused),
        (reply(403, {"message": "access not enabled"}), Refused),
        (page(403), Refused),
        (page(404), Refused),
        (reply(401, {"message": "Invalid API key"}), KeyRefused),
        (reply(402, {"message": "Insufficient credits", "required": 200, "available": 3}), NoCredits),
        (reply(429, {"message": "Too many", "limit": 3, "current": 3}), ConcurrencyLimited),
        (page(429), ConcurrencyLimited),
        (reply(500, {"message": "Internal error"}), ServerError),
    ],
)
def test_documented_answers_are_read_from_the_wire(step: Step, kind: type) -> None:
    with Double([step]) as double:
        answer = create(double.url)
        assert len(double.requests("")) == 1

    assert isinstance(answer, kind)


# -- what never left --------------------------------------------------------------------------------------


def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class MarkCounter:
    """A `before_send` that counts its calls."""

    def __init__(self) -> None:
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:{port}", "https://no-such-host.invalid", "https://127.0.0.1:{port}"]
)
def test_a_connection_that_was_never_made_is_not_sent(host: str) -> None:
    counter = MarkCounter()
    answer = create(host.format(port=unused_port()), counter)

    assert isinstance(answer, NotSent)
    assert not answer.final
    assert counter.count == 0


def test_plain_http_where_tls_was_asked_for_is_final_and_not_sent() -> None:
    counter = MarkCounter()
    with Double([dropped(creates=False, when="accept", end="close", times=0)]) as double:
        double.script[0] = Step(raw=b"HTTP/1.1 400 Bad Request\r\n\r\n", when="accept", end="close")
        answer = create(double.url.replace("http:", "https:"), counter)

    assert isinstance(answer, NotSent)
    assert answer.final
    assert counter.count == 0


def test_a_handshake_that_hangs_is_not_sent() -> None:
    counter = MarkCounter()
    with Double([dropped(creates=False, when="accept", end="stall")]) as double:
        answer = create(double.url.replace("http:", "https:"), counter)

    assert (type(answer), answer.final, counter.count) == (NotSent, False, 0)


def test_a_certificate_that_nobody_vouches_for_is_final_and_not_sent(certificate: Path) -> None:
    counter = MarkCounter()
    with Double(tls=serving(certificate)) as double:
        answer = create(double.url, counter)
        assert double.requests("") == []

    assert (type(answer), answer.final, counter.count) == (NotSent, True, 0)
    assert "certificate" in answer.message


def test_over_tls_a_trusted_host_gets_the_request(certificate: Path) -> None:
    with Double(tls=serving(certificate)) as double:
        answer = create(double.url, tls_context=lambda: ssl.create_default_context(cafile=str(certificate)))

    assert answer == Created("task_1")


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


# -- the sending mark -------------------------------------------------------------------------------------


def test_the_mark_is_made_after_the_connection_and_before_the_first_byte() -> None:
    counts: list[tuple[int, int]] = []
    with Double() as double:

        async def before_send() -> None:
            await until(lambda: double.accepted, "the connection is accepted")
            await anyio.to_thread.run_sync(stays, lambda: not double.journal, "nothing is sent")
            counts.append((double.accepted, len(double.journal)))

        assert isinstance(create(double.url, before_send), Created)

    assert counts == [(1, 0)]


@pytest.mark.parametrize("error", [RuntimeError("no disk"), OSError("no disk"), TimeoutError("slow"), ValueError()])
def test_a_mark_that_cannot_be_made_sends_nothing_and_comes_back(error: Exception) -> None:
    async def broken() -> None:
        raise error

    with Double() as double:
        with pytest.raises(type(error)) as raised:
            create(double.url, broken)
        stays(lambda: double.requests("") == [], "nothing is sent")

    assert raised.value is error


def test_a_mark_that_outlasts_the_deadline_sends_nothing() -> None:
    async def slow() -> None:
        await anyio.sleep_forever()

    with Double() as double:
        answer = create(double.url, slow, deadlines=deadlines_of(0.3))
        stays(lambda: double.requests("") == [], "nothing is sent")

    assert isinstance(answer, NotSent)


def test_cancelled_before_the_mark_nothing_leaves() -> None:
    counter = MarkCounter()
    with Double([dropped(creates=False, when="accept", end="stall")]) as double:
        answer = create(double.url.replace("http:", "https:"), counter, deadlines=deadlines_of(0.2))

    assert isinstance(answer, NotSent)
    assert counter.count == 0


# -- what the request looks like --------------------------------------------------------------------------


def test_each_createtask_has_a_connection_of_its_own_and_says_so() -> None:
    async def three(client: Client) -> list[Any]:
        return [await client.create(BODY, "receipt", MarkCounter()) for _ in range(3)]

    with Double() as double:
        answers = ask(double.url, three)
        entries = double.requests()

    assert answers == [Created("task_1"), Created("task_2"), Created("task_3")]
    assert [entry.connection for entry in entries] == [1, 2, 3]
    assert {entry.header("connection") for entry in entries} == {"close"}


def test_the_request_carries_what_is_documented_and_asks_for_no_encoding() -> None:
    with Double() as double:
        create(double.url)
        [entry] = double.requests()

    assert entry.header("authorization") == f"Bearer {KEY.secret}"
    assert entry.header("content-type") == "application/json"
    assert entry.header("accept-encoding") == "identity"
    assert json.loads(entry.body) == BODY


def test_the_callback_is_the_attempts_own_path() -> None:
    with Double() as double:
        create(double.url, callbacks="https://hooks.example.com/storyboard/")
        [entry] = double.requests()

    assert json.loads(entry.body)["callBackUrl"] == "https://hooks.example.com/storyboard/receipt"


def test_no_cookie_is_kept() -> None:
    async def twice(client: Client) -> None:
        for _ in range(2):
            await client.create(BODY, "receipt", MarkCounter())

    with Double([Step(body=b'{"taskId": "a"}', headers=(("Set-Cookie", "sid=1; Path=/"),))]) as double:
        ask(double.url, twice)

    assert [entry.header("cookie") for entry in double.requests()] == [None, None]


# -- the key ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://example.com", "http://192.168.0.7:8000", "ftp://127.0.0.1", "http://127.0.0.1.evil.example"]
)
def test_the_key_goes_nowhere_but_over_tls_or_to_this_machine(url: str) -> None:
    with pytest.raises(ConnectionUnusable) as stopped:
        create(url)

    assert exit_code_of(stopped.value) == 3
    assert KEY.secret not in stopped.value.message


@pytest.mark.parametrize(
    "url", ["https://exa\x00mple", "https://xn--", "https://[v1]", "https://a:99999", "https://" + "ä" * 70, ""]
)
def test_an_address_that_is_none_is_said_before_anything(url: str) -> None:
    with pytest.raises(ConnectionUnusable) as stopped:
        create(url)

    assert exit_code_of(stopped.value) == 3


@pytest.mark.parametrize("hidden", ["{key}", "x{key}y", "https://a.example/?k={key}"])
def test_a_request_that_holds_the_key_is_not_sent(hidden: str) -> None:
    body: dict[str, Any] = {"inputs": {"prompt": hidden.format(key=KEY.secret)}}
    with Double() as double:
        answer: Any = ask(double.url, lambda client: client.create(body, "receipt", MarkCounter()))
        assert double.accepted == 0

    assert (type(answer), answer.final) == (NotSent, True)
    assert KEY.secret not in answer.message


ECHO = "the key '{key}' ({quoted}, {base64}) is not yours"


@pytest.mark.parametrize("status", [200, 302, 400, 401, 402, 403, 404, 429, 500, 503])
def test_a_key_that_the_host_says_back_is_kept_out_of_everything(status: int) -> None:
    message = ECHO.format(key=KEY.secret, quoted=quote(KEY.secret), base64=b64encode(KEY.secret.encode()).decode())
    step = reply(status, {"message": message, "errors": [{"path": KEY.secret, "message": message}]}, times=0, on="")
    step = replace(step, headers=(*step.headers, ("X-Key", KEY.secret), ("Server", f"proxy of {KEY.secret}")))
    with Double([step]) as double:
        answers = [create(double.url), preflight(double.url), poll(double.url)]

    for form in (KEY.secret, quote(KEY.secret), b64encode(KEY.secret.encode()).decode().rstrip("=")):
        assert form not in repr(answers)


def test_a_lone_surrogate_in_a_prompt_breaks_nothing() -> None:
    body: dict[str, Any] = {"inputs": {"prompt": "\ud800"}}
    with Double() as double:
        assert isinstance(ask(double.url, lambda client: client.create(body, "receipt", send_at_once)), Created)


def test_a_proxy_of_the_environment_never_sees_what_goes_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{unused_port()}")

    with Double() as double:
        assert isinstance(create(double.url), Created)


@pytest.mark.parametrize("step", [reply(502, {}), dropped(creates=False), page(407)])
def test_a_proxy_that_refuses_the_tunnel_means_not_sent(monkeypatch: pytest.MonkeyPatch, step: Step) -> None:
    counter = MarkCounter()
    with Double([replace(step, on="CONNECT")]) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        answer = create("https://api.example.invalid", counter)
        assert [entry.method for entry in proxy.requests("")] == ["CONNECT"]
        assert all(KEY.secret not in value for entry in proxy.requests("") for _, value in entry.headers)

    assert isinstance(answer, NotSent)
    assert counter.count == 0


def test_the_words_of_a_shot_reach_only_a_host_that_declares_to_read_them() -> None:
    words = ShotText("lighthouse: @maria walks", "lighthouse scene\nshe waits")

    async def order(client: Client) -> Any:
        return await client.create(BODY, "receipt", send_at_once, words)

    with Double([created(), created()]) as double:
        ask(double.url, order)
        ask(double.url, order, reads_shot_text=True)
        paid, free = double.requests("POST")
    assert "lighthouse" not in str(paid.headers) + str(paid.body)
    assert free.header("x-storyboard-prompt") == "lighthouse%3A %40maria walks"
    assert free.header("x-storyboard-scene") == "lighthouse scene%0Ashe waits"
    assert free.body == paid.body


def test_no_paid_provider_reads_the_words_of_a_shot() -> None:
    assert not any(provider.reads_shot_text for provider in paid_providers())
