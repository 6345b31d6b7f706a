"""Every answer to createTask, and what it means for money."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempts.events import (
    ConcurrencyLimited,
    Created,
    KeyRefused,
    NoCredits,
    OutcomeUnknown,
    Refused,
    ServerError,
)
from runner.providers.kinovi.create_response import parse_create, parse_truncated
from runner.providers.transport.headers import retry_after

JSON = (("Content-Type", "application/json"),)
WALL = (("Server", "cloudflare"), ("Content-Type", "text/html"))
PAGE = b"<html><h1>Sorry, you have been blocked</h1></html>"


def read(status: int, body: Any, headers: tuple[tuple[str, str], ...] = JSON) -> Any:
    return parse_create(status, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize(
    "body",
    [
        {"taskId": "task_1"},
        {"task_id": "task_1"},
        {"code": 200, "message": "ok", "data": {"taskId": "task_1"}},
        {"code": 0, "msg": "success", "data": {"task_id": "task_1"}},
        {"taskId": "task_1", "data": {"taskId": "task_1"}},
        {"code": 500, "data": {"taskId": "task_1"}},
        {"data": [{"taskId": "task_1"}]},
        {"result": {"taskId": "task_1"}},
    ],
)
def test_a_task_id_is_found_however_it_is_wrapped(body: Any) -> None:
    assert read(200, body) == Created("task_1")
    assert read(201, body) == Created("task_1")


def test_a_number_is_taken_as_the_text_of_an_id() -> None:
    assert read(200, {"taskId": 4711}) == Created("4711")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        PAGE,
        b"{}",
        b"[]",
        b"null",
        b"[" * 200_000,
        b'{"taskId":' + b"[" * 200_000,
        b'{"taskId": "task_1", "taskId": "task_2"}',
        b'{"taskId": "task_1", "taskId": "task_1"}',
        b'{"taskId": "task_1"} trailing',
        '{"taskId": "task_1"}'.encode("utf-16"),
        '{"taskId": "task_1"}'.encode("utf-16-le"),
        b'{"taskId": "task_\xff"}',
        b'{"taskId": "\\ud800"}',
        {"taskId": None},
        {"taskId": ""},
        {"taskId": True},
        {"taskId": 1.5},
        {"taskId": -1.0},
        {"taskId": ["task_1"]},
        {"taskId": "a" * 201},
        {"taskId": "a" * 1_000_000},
        {"taskId": "task_1\n"},
        {"taskId": "../x"},
        {"taskId": "a&b"},
        {"taskId": "täsk"},
        {"taskId": "task_1", "data": {"taskId": "task_2"}},
        {"code": 500, "message": "Internal error"},
        {"code": 404, "message": "no such path"},
        {"code": 402, "message": "no", "data": {"taskId": "not an id"}},
        {"code": True},
    ],
)
def test_a_success_without_one_trustworthy_id_is_unknown_with_its_bytes(body: Any) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = read(200, raw)

    assert isinstance(answer, OutcomeUnknown)
    assert (answer.status, answer.headers, answer.raw, answer.stop) == (200, JSON, raw, False)
    assert answer.message


def test_a_refusal_in_an_envelope_counts_only_where_no_id_is() -> None:
    refused = {"code": 402, "message": "Insufficient credits", "data": {"required": 200, "available": 12.5}}

    assert read(200, refused) == NoCredits("Insufficient credits", Decimal(200), Decimal("12.5"))
    assert read(200, {"code": "401", "message": "Bad key"}) == KeyRefused("Bad key")
    assert isinstance(read(200, {"code": 402, "data": {"taskId": "task_1"}}), Created)


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_documented_refusal_keeps_the_vendors_words_and_paths(status: int) -> None:
    body = {
        "message": "Invalid parameters",
        "errors": [
            {"path": "inputs.duration", "message": "must be 4 to 15"},
            {"path": ["inputs", "urls", 0], "message": "not reachable"},
            "and so on",
        ],
    }

    assert read(status, body) == Refused(
        status,
        "Invalid parameters (inputs.duration: must be 4 to 15; inputs.urls.0: not reachable; and so on)",
        (("inputs.duration", "must be 4 to 15"), ("inputs.urls.0", "not reachable"), ("", "and so on")),
    )


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_firewalls_page_is_a_refusal_that_stops_creating_and_says_who_answered(status: int) -> None:
    assert read(status, PAGE, WALL) == Refused(status, f"HTTP {status}, answered by cloudflare", (), stop=True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "m"}, "m"),
        ({"error": "e"}, "e"),
        ({"error": {"code": "c", "message": "e"}}, "e"),
        ({"error": {"code": "c"}}, "c"),
        ({"msg": "m"}, "m"),
        ({"detail": [{"msg": "one"}, {"msg": "two"}]}, "one; two"),
        ({"errors": [{"field": "prompt", "message": "too long"}]}, "prompt: too long"),
    ],
)
def test_an_errors_words_are_found_in_every_known_shape(body: Any, words: str) -> None:
    answer = read(400, body)

    assert (answer.message, answer.stop) == (words, False)


def test_words_are_cut_to_a_bounded_length() -> None:
    assert len(read(400, {"message": "x" * 100_000}).message) == 2000


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("body", [PAGE, b'{"message": "Not found"}'])
def test_a_missing_createtask_is_the_wrong_host(status: int, body: bytes) -> None:
    answer = read(status, body)

    assert isinstance(answer, Refused)
    assert answer.stop


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed_and_leaves_the_one_that_was_sent_unknown(status: int) -> None:
    answer = read(status, b"", (("Location", "https://elsewhere.example"),))

    assert isinstance(answer, OutcomeUnknown)
    assert answer.stop


def test_the_key_refused() -> None:
    assert read(401, {"message": "Invalid API key"}) == KeyRefused("Invalid API key")
    assert isinstance(read(401, PAGE, WALL), KeyRefused)


@pytest.mark.parametrize(
    ("body", "required", "available"),
    [
        ({"message": "m", "required": 200, "available": 30}, 200, 30),
        ({"message": "m", "required": "200.5", "available": 0}, "200.5", 0),
        ({"error": {"message": "m", "required": 200, "available": 30}}, 200, 30),
        ({"message": "m"}, None, None),
        ({"message": "m", "required": -1, "available": "many"}, None, None),
        ({"message": "m", "required": True, "available": 10**15}, None, None),
    ],
)
def test_no_credits_says_what_was_required_and_what_is_there(body: Any, required: Any, available: Any) -> None:
    numbers = tuple(None if number is None else Decimal(number) for number in (required, available))

    assert read(402, body) == NoCredits("m", *numbers)


def test_busy_says_limit_current_and_how_long() -> None:
    answer = read(429, {"message": "m", "limit": 3, "current": 3}, (("retry-after", "7"),))

    assert answer == ConcurrencyLimited("m", 3, 3, 7.0)
    assert read(429, PAGE, WALL) == ConcurrencyLimited("HTTP 429, answered by cloudflare")
    assert read(429, b"").limit is None


DATE = ("Date", "Wed, 21 Oct 2026 07:28:00 GMT")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("12", 12.0),
        ("1.5", 1.5),
        ("301", 300.0),
        ("1000000000", 300.0),
        ("9" * 400, 300.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 09:28:30 GMT", 300.0),
        ("Wed, 21 Oct 2026 07:00:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("١٢", None),
        ("Wed, 99 Oct 2026 07:28:30 GMT", None),
        ("Wed, 21 Oct 99999 07:28:30 GMT", None),
    ],
)
def test_retry_after_in_every_form_is_bounded(text: str, seconds: float | None) -> None:
    assert retry_after([("Retry-After", text), DATE]) == seconds


def test_a_date_without_the_servers_own_date_says_nothing() -> None:
    assert retry_after([("Retry-After", "Wed, 21 Oct 2026 07:28:30 GMT")]) is None


def test_a_500_is_retry_later_only_in_the_apis_own_json() -> None:
    assert read(500, {"message": "Internal error"}) == ServerError("Internal error")
    for body in (PAGE, b"", b"{}", b"[]", b'{"message": ""}', b'{"message": "a", "message": "b"}', b'"oops"'):
        assert isinstance(read(500, body), OutcomeUnknown)


@pytest.mark.parametrize("status", [*range(406, 413), 414, 415, 418, 425, 431, 451, 499, 501, 502, 503, 504, 520, 524])
def test_whatever_no_page_calls_not_created_is_unknown(status: int) -> None:
    for body in (PAGE, b'{"message": "Bad gateway"}'):
        assert isinstance(read(status, body), OutcomeUnknown)


@pytest.mark.parametrize("status", [400, 402, 409, 429, 500, 503])
def test_a_task_id_in_an_error_means_that_nobody_knows(status: int) -> None:
    assert isinstance(read(status, {"message": "duplicate", "taskId": "task_1"}), OutcomeUnknown)


def test_an_answer_cut_anywhere_counts_only_with_the_whole_id() -> None:
    whole = b'{"taskId": "task_1"}\n'
    answers = [parse_truncated(200, JSON, whole[:end]) for end in range(len(whole))]

    assert answers[-1] == Created("task_1")
    assert all(isinstance(answer, OutcomeUnknown) for answer in answers[:-1])
    assert [answer.raw for answer in answers[:-1] if isinstance(answer, OutcomeUnknown)] == [
        whole[:end] for end in range(len(whole) - 1)
    ]


def test_a_cut_error_is_believed_by_its_status_alone() -> None:
    assert isinstance(parse_truncated(402, JSON, b'{"mess'), NoCredits)
    assert isinstance(parse_truncated(429, JSON, b""), ConcurrencyLimited)
    assert isinstance(parse_truncated(500, JSON, b'{"message": "x"}'), OutcomeUnknown)
    assert isinstance(parse_truncated(503, JSON, b""), OutcomeUnknown)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["taskId", "code", "data", "message", "error", "errors", "limit", "required"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.integers(100, 599), VALUES | st.binary())
def test_no_answer_raises_and_a_success_is_created_or_unknown_or_an_envelopes_refusal(status: int, body: Any) -> None:
    answer = read(status, body)

    if isinstance(answer, Created):
        assert 200 <= status < 300
    if isinstance(answer, ServerError):
        assert status == 500
