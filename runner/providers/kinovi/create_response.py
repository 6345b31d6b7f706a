"""Parser of createTask answers: what status, headers and body mean for money, as one value. Pure."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from runner.attempts.events import (
    MAX_CREDITS,
    ConcurrencyLimited,
    Created,
    CreateResult,
    KeyRefused,
    NoCredits,
    OutcomeUnknown,
    Refused,
    ServerError,
)
from runner.attempts.task_id import is_task_id
from runner.providers.transport import strict_json
from runner.providers.transport.headers import Headers, header, retry_after
from runner.providers.transport.redaction import without_links

MAX_TEXT = 2000
"""Characters of an error text from the provider that are stored."""
# Decimals of a bill: the provider computes in binary fractions, 99.80000000000001.
_DECIMALS = 2
# 400 is documented; with 403, 413 and 422 servers and firewalls refuse what they do not take. 404 and 405 are answers
# of another host.
_REFUSED = frozenset({400, 403, 413, 422})
_WRONG_HOST = frozenset({404, 405})
_NOT_CREATED = _REFUSED | _WRONG_HOST | {401, 402, 429}
_UNPARSED = object()


def parse_create(status: int, headers: Headers, body: bytes) -> CreateResult:
    """Parse the answer to a createTask; anything not documented as "not created" is `OutcomeUnknown` with its bytes."""
    headers = tuple(headers)
    try:
        payload = strict_json.parse(body)
    except strict_json.NotJsonError as error:
        payload, parse_error = _UNPARSED, str(error)
    else:
        parse_error = ""
    ids = _task_ids(payload)
    if 200 <= status < 300:
        return _accepted(status, headers, body, payload, ids, parse_error)
    # An error that names a task is a contradiction: somebody may have to pay for it.
    if ids:
        return outcome_unknown(status, headers, body, f"HTTP {status} with a task id")
    return _refusal(status, headers, body, payload)


def parse_truncated(status: int, headers: Headers, body: bytes) -> CreateResult:
    """Parse an incomplete answer: only a complete task id, or a status that means "not created", counts."""
    headers = tuple(headers)
    answer = parse_create(status, headers, body)
    if isinstance(answer, Created) or status in _NOT_CREATED:
        return answer
    return outcome_unknown(status, headers, body, "the answer was cut off")


def outcome_unknown(status: int, headers: Headers, body: bytes, message: str) -> OutcomeUnknown:
    """The result "outcome unknown", with everything that was received."""
    return OutcomeUnknown(message, status, tuple(headers), body, stop=300 <= status < 400)


def _accepted(
    status: int, headers: tuple[tuple[str, str], ...], body: bytes, payload: Any, ids: set[str], parse_error: str
) -> CreateResult:
    if len(ids) == 1:
        return Created(next(iter(ids)))
    if len(ids) > 1:
        return outcome_unknown(status, headers, body, f"HTTP {status} with {len(ids)} different task ids")
    code = _code(payload)
    # A 200 whose envelope says 4xx is a refusal; with any id beside it, nobody knows.
    if code in _NOT_CREATED - _WRONG_HOST and not _mentions_id(payload):
        return _refusal(code, headers, body, payload)
    return outcome_unknown(
        status, headers, body, f"HTTP {status} without a task id" + (f": {parse_error}" if parse_error else "")
    )


def _refusal(status: int, headers: tuple[tuple[str, str], ...], body: bytes, payload: Any) -> CreateResult:
    api_message = error_message(payload)
    message = api_message or responder(status, headers)
    match status:
        case 401:
            return KeyRefused(message)
        case 402:
            return NoCredits(message, amount(find_field(payload, "required")), amount(find_field(payload, "available")))
        case 429:
            return ConcurrencyLimited(
                message,
                _whole_number(find_field(payload, "limit")),
                _whole_number(find_field(payload, "current")),
                retry_after(headers),
            )
        # Only the API's own 500 is documented; one of a proxy may hide a task that was created.
        case 500 if api_message:
            return ServerError(message)
        case _ if status in _WRONG_HOST:
            return Refused(status, message, stop=True)
        case _ if status in _REFUSED:
            # Without the API's message a firewall answered, which would refuse the next request as well.
            return Refused(status, _with_field_errors(message, payload), _field_errors(payload), stop=not api_message)
        case _ if 300 <= status < 400:
            return outcome_unknown(status, headers, body, f"HTTP {status}: a redirect to another address")
        case _:
            return outcome_unknown(status, headers, body, message)


# -- shapes of answers, shared with the parser of task records -------------------------------------------


def error_message(payload: Any) -> str:
    """The API's error message, or "" for JSON of another server."""
    if not isinstance(payload, Mapping):
        return ""
    for key in ("message", "error", "msg", "detail"):
        if text := text_of(payload.get(key)):
            return text
    return _field_errors_text(payload)


def _field_errors_text(payload: Any) -> str:
    """The entries of `errors[]` in one line."""
    return "; ".join(f"{path}: {text}" if path else text for path, text in _field_errors(payload))[:MAX_TEXT]


def _with_field_errors(message: str, payload: Any) -> str:
    """An error message with the errors of single fields, unless the message contains them."""
    details = _field_errors_text(payload)
    return message if details in message else f"{message} ({details})"[:MAX_TEXT]


def text_of(value: Any) -> str:
    """The text of an error, without links: a string, an object with a message, or a list of either."""
    match value:
        case str():
            return without_links(value[: 2 * MAX_TEXT]).strip()[:MAX_TEXT]
        case Mapping():
            return text_of(value.get("message") or value.get("msg") or value.get("code"))
        case list():
            return "; ".join(text for text in map(text_of, value[:20]) if text)[:MAX_TEXT]
        case _:
            return ""


def find_field(payload: Any, key: str) -> Any:
    """A field of an answer, at the top or in an envelope (`data`, `error`)."""
    return next((envelope[key] for envelope in envelopes(payload) if key in envelope), None)


def envelopes(payload: Any) -> Iterator[Mapping[str, Any]]:
    """The objects that may hold an answer's fields: the answer, then the objects in its envelope."""
    if isinstance(payload, list) and len(payload) == 1:
        payload = payload[0]
    if not isinstance(payload, Mapping):
        return
    yield payload
    for wrapped in map(payload.get, ("data", "result", "error", "task")):
        if isinstance(wrapped, list) and len(wrapped) == 1:
            wrapped = wrapped[0]
        if isinstance(wrapped, Mapping):
            yield wrapped


def parse_task_id(value: Any) -> str | None:
    """A task id that is safe in a URL and a file name, or None; a whole number counts as its text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and is_task_id(value) else None


def amount(value: Any) -> Decimal | None:
    """Credits from a number or its text, rounded to two decimals; None unless within bounds."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(\.\d{1,15})?", value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value <= MAX_CREDITS:
        return None
    rounded = round(Decimal(value), _DECIMALS)
    return Decimal(value) if rounded == value else rounded


def responder(status: int, headers: Headers) -> str:
    """A message for an answer without the API's own text: the status, and the server's name if known."""
    server = header(headers, "server")
    return f"HTTP {status}, answered by {server[:80]}" if server else f"HTTP {status} without a message of the API"


def _task_ids(payload: Any) -> set[str]:
    ids = {
        parse_task_id(envelope[key])
        for envelope in envelopes(payload)
        for key in ("taskId", "task_id")
        if key in envelope
    }
    return {task for task in ids if task is not None}


def _mentions_id(payload: Any) -> bool:
    return any(envelope.get(key) is not None for envelope in envelopes(payload) for key in ("taskId", "task_id"))


def _code(payload: Any) -> int | None:
    """The status in an envelope `{code, message, data}`."""
    code = payload.get("code") if isinstance(payload, Mapping) else None
    if isinstance(code, str) and re.fullmatch(r"[1-5]\d\d", code):
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _whole_number(value: Any) -> int | None:
    number = amount(value)
    return int(number) if number is not None else None


def _field_errors(payload: Any) -> tuple[tuple[str, str], ...]:
    """`errors[]` as (path, text); the path joined by dots, "" without a path."""
    errors = find_field(payload, "errors")
    if not isinstance(errors, list):
        return ()
    return tuple(pair for pair in map(_field_error, errors[:100]) if pair[1])


def _field_error(item: Any) -> tuple[str, str]:
    if not isinstance(item, Mapping):
        return "", text_of(item)
    path = next((item[key] for key in ("path", "field", "loc", "param") if key in item), "")
    if isinstance(path, list):
        path = ".".join(str(part) for part in path)
    return str(path)[:200], text_of(item)
