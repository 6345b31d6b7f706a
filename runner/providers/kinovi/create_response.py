"""What an answer to createTask means for money: status, headers and body to one value. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from runner.attempts.events import (
    ConcurrencyLimited,
    Created,
    CreateResult,
    KeyRefused,
    NoCredits,
    OutcomeUnknown,
    Refused,
    ServerError,
)
from runner.providers.transport import strict_json

Headers = Iterable[tuple[str, str]]
LONGEST_PAUSE = 300.0
"""Seconds of `Retry-After` that are believed."""
WORDS = 2000
"""Characters of the vendor's text that are kept."""
_ID = re.compile(r"[A-Za-z0-9._:-]{1,200}")
_REFUSED = frozenset({400, 403, 413, 422})
_WRONG_HOST = frozenset({404, 405})
_NOT_CREATED = _REFUSED | _WRONG_HOST | {401, 402, 429}
_UNPARSED = object()


def parse_create(status: int, headers: Headers, body: bytes) -> CreateResult:
    """The answer to a createTask; whatever no page documents as "not created" is `Unknown`, with the raw bytes."""
    headers = tuple(headers)
    try:
        said = strict_json.parse(body)
    except strict_json.NotJsonError as error:
        said, trouble = _UNPARSED, str(error)
    else:
        trouble = ""
    ids = _task_ids(said)
    if 200 <= status < 300:
        return _accepted(status, headers, body, said, ids, trouble)
    if ids:
        return unknown(status, headers, body, f"HTTP {status} with a task id")
    return _refusal(status, headers, body, said)


def parse_truncated(status: int, headers: Headers, body: bytes) -> CreateResult:
    """The same for an answer whose end is missing: only a whole id, or a status that says "not created", counts."""
    headers = tuple(headers)
    answer = parse_create(status, headers, body)
    if isinstance(answer, Created) or status in _NOT_CREATED:
        return answer
    return unknown(status, headers, body, "the answer broke off")


def unknown(status: int, headers: Headers, body: bytes, words: str) -> OutcomeUnknown:
    """Nobody knows: everything that came is kept."""
    return OutcomeUnknown(words, status, tuple(headers), body, stop=300 <= status < 400)


def _accepted(
    status: int, headers: tuple[tuple[str, str], ...], body: bytes, said: Any, ids: set[str], why: str
) -> CreateResult:
    if len(ids) == 1:
        return Created(next(iter(ids)))
    if len(ids) > 1:
        return unknown(status, headers, body, f"HTTP {status} with {len(ids)} different task ids")
    code = _code(said)
    if code in _NOT_CREATED - _WRONG_HOST and not _mentions_id(said):
        return _refusal(code, headers, body, said)
    return unknown(status, headers, body, f"HTTP {status} without a task id" + (f": {why}" if why else ""))


def _refusal(status: int, headers: tuple[tuple[str, str], ...], body: bytes, said: Any) -> CreateResult:
    own = error_message(said)
    words = own or responder(status, headers)
    match status:
        case 401:
            return KeyRefused(words)
        case 402:
            return NoCredits(words, amount(field(said, "required")), amount(field(said, "available")))
        case 429:
            return ConcurrencyLimited(
                words, _count(field(said, "limit")), _count(field(said, "current")), retry_after(headers)
            )
        case 500 if own:
            return ServerError(words)
        case _ if status in _WRONG_HOST:
            return Refused(status, words, stop=True)
        case _ if status in _REFUSED:
            return Refused(status, _detailed(words, said), _errors(said), stop=not own)
        case _ if 300 <= status < 400:
            return unknown(status, headers, body, f"HTTP {status}: sent on to another address")
        case _:
            return unknown(status, headers, body, words)


# -- the shapes that answers come in, shared with the reading of records ----------------------------------


def error_message(said: Any) -> str:
    """The API's own words of an error, or "" when this is not its JSON."""
    if not isinstance(said, Mapping):
        return ""
    for key in ("message", "error", "msg", "detail"):
        if words := text_of(said.get(key)):
            return words
    return _listed(said)


def _listed(said: Any) -> str:
    """What `errors[]` says, in one line."""
    return "; ".join(f"{path}: {words}" if path else words for path, words in _errors(said))[:WORDS]


def _detailed(words: str, said: Any) -> str:
    """The vendor's words with what it says of single fields, where it says more."""
    more = _listed(said)
    return words if more in words else f"{words} ({more})"[:WORDS]


def text_of(value: Any) -> str:
    """Text of an error that may be a string, an object with a message, or a list of such."""
    match value:
        case str():
            return value.strip()[:WORDS]
        case Mapping():
            return text_of(value.get("message") or value.get("msg") or value.get("code"))
        case list():
            return "; ".join(words for words in map(text_of, value[:20]) if words)[:WORDS]
        case _:
            return ""


def field(said: Any, key: str) -> Any:
    """A field of an answer, at its top or in its envelope (`data`, `error`)."""
    return next((box[key] for box in envelopes(said) if key in box), None)


def envelopes(said: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in which an answer may keep its fields: itself, then what it wraps."""
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    if not isinstance(said, Mapping):
        return
    yield said
    for wrapped in map(said.get, ("data", "result", "error", "task")):
        if isinstance(wrapped, list) and len(wrapped) == 1:
            wrapped = wrapped[0]
        if isinstance(wrapped, Mapping):
            yield wrapped


def parse_task_id(value: Any) -> str | None:
    """A task id as text if it is one that may stand in an address and in a file; a whole number is taken as text."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def amount(value: Any) -> Decimal | None:
    """Credits: a number or its text, exact, finite, not negative."""
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(\.\d{1,15})?", value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return None
    return Decimal(value) if 0 <= value < 10**12 else None


def header(headers: Headers, name: str) -> str | None:
    """The first header of that name, without regard to case."""
    return next((value for key, value in headers if key.lower() == name), None)


def retry_after(headers: Headers) -> float | None:
    """Seconds that `Retry-After` asks for, at most 300; a date counts from the server's own; None for garbage."""
    headers = tuple(headers)
    asked = (header(headers, "retry-after") or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", asked) and asked.isascii():
        return min(float(asked[:20]), LONGEST_PAUSE)
    try:
        until, now = parsedate_to_datetime(asked), parsedate_to_datetime(header(headers, "date") or "")
        return min(max((until - now).total_seconds(), 0.0), LONGEST_PAUSE)
    except (ValueError, TypeError, OverflowError):
        return None


def responder(status: int, headers: Headers) -> str:
    """Who answered, where it was not the API itself."""
    server = header(headers, "server")
    return f"HTTP {status}, answered by {server[:80]}" if server else f"HTTP {status}, without the API's own words"


def _task_ids(said: Any) -> set[str]:
    found = {parse_task_id(box[key]) for box in envelopes(said) for key in ("taskId", "task_id") if key in box}
    return {task for task in found if task is not None}


def _mentions_id(said: Any) -> bool:
    return any(box.get(key) is not None for box in envelopes(said) for key in ("taskId", "task_id"))


def _code(said: Any) -> int | None:
    """The status in an envelope `{code, message, data}`."""
    code = said.get("code") if isinstance(said, Mapping) else None
    if isinstance(code, str) and re.fullmatch(r"[1-5]\d\d", code):
        return int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _count(value: Any) -> int | None:
    found = amount(value)
    return int(found) if found is not None else None


def _errors(said: Any) -> tuple[tuple[str, str], ...]:
    """`errors[]` as (path, words); the path in dots, "" where none is named."""
    listed = field(said, "errors")
    if not isinstance(listed, list):
        return ()
    return tuple(pair for pair in map(_error, listed[:100]) if pair[1])


def _error(item: Any) -> tuple[str, str]:
    if not isinstance(item, Mapping):
        return "", text_of(item)
    path = next((item[key] for key in ("path", "field", "loc", "param") if key in item), "")
    if isinstance(path, list):
        path = ".".join(str(part) for part in path)
    return str(path)[:200], text_of(item)
