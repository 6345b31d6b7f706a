"""What recordInfo says of a task: running, succeeded, failed, or nothing that can be believed. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeGuard

from runner.attempts.events import Failed, FailureClass, Output, PollResult, Running, Succeeded
from runner.attempts.task_facts import TaskFacts
from runner.providers.kinovi.create_response import (
    WORDS,
    Headers,
    amount,
    envelopes,
    error_message,
    parse_task_id,
    responder,
    retry_after,
    text_of,
)
from runner.providers.transport import strict_json

WAITING, GENERATING, SUCCESS, FAIL = "waiting", "generating", "success", "fail"
_STATUSES = {
    **dict.fromkeys(
        ("waiting", "queued", "queuing", "queueing", "in_queue", "pending", "submitted", "created"), WAITING
    ),
    **dict.fromkeys(("generating", "running", "processing", "in_progress", "started", "working"), GENERATING),
    **dict.fromkeys(("success", "succeeded", "successful", "completed", "complete", "finished", "done"), SUCCESS),
    **dict.fromkeys(("fail", "failed", "failure"), FAIL),
}
_CLASSES: tuple[tuple[str, FailureClass], ...] = (
    ("violates platform rules", "moderation"),
    ("content violates", "moderation"),
    ("face detected", "face"),
    ("did not pass review", "review"),
    ("generation failed", "provider"),
    ("timed out", "provider"),
    ("server error", "provider"),
    ("temporarily unavailable", "provider"),
)


def parse_record(
    status: int,
    headers: Headers,
    body: bytes,
    task_id: str,
    model: str | None = None,
    names: Mapping[str, str] | None = None,
) -> PollResult:
    """The answer to a recordInfo about `task_id`; what failed or makes no sense is "ask again later", never "failed".

    `model`, if known, must be the record's, too, where the record says one of the edition's `names`: a paid task is not
    lost for a spelling that no page has.
    """
    headers = tuple(headers)
    try:
        said = strict_json.parse(body)
    except strict_json.NotJsonError as error:
        return _no_answer(status, headers, None, f"the answer cannot be read: {error}")
    code = _status_of(status, said)
    if not 200 <= code < 300:
        return _no_answer(code, headers, said)
    record = _record(said)
    if record is None:
        return _no_answer(code, headers, said, "the answer holds no record")
    if strange := _mismatch(record, task_id, model, names or {}):
        return _no_answer(code, headers, said, strange)
    return _parse(record)


def parse_facts(status: int, body: bytes) -> TaskFacts | None:
    """What the record says of itself, or None when there is none."""
    try:
        said = strict_json.parse(body)
    except strict_json.NotJsonError:
        return None
    record = _record(said) if 200 <= _status_of(status, said) < 300 else None
    task = parse_task_id(record.get("taskId")) if record else None
    if record is None or task is None:
        return None
    model = record.get("model")
    return TaskFacts(
        task,
        model if isinstance(model, str) else None,
        epoch_ms(record.get("createTime")),
        epoch_ms(record.get("completeTime")),
        amount(record.get("creditsUsed")),
    )


def known_status(word: Any) -> str | None:
    """One of the four documented statuses for any of their synonyms in any case; None for another word."""
    return _STATUSES.get(word.strip().lower().replace(" ", "_").replace("-", "_")) if isinstance(word, str) else None


def failure_class(words: str) -> FailureClass:
    """What kind of failure a task's error text is, by parts of the text, without regard to case."""
    folded = words.casefold()
    return next((kind for part, kind in _CLASSES if part in folded), "other")


def epoch_ms(value: Any) -> int | None:
    """A time in milliseconds since 1970; it may come as milliseconds, seconds, or ISO 8601 text."""
    if isinstance(value, str):
        return _iso(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 < value < 10**14:
        return None
    return int(value * 1000) if value < 10**11 else int(value)


def _iso(text: str) -> int | None:
    try:
        when = datetime.fromisoformat(text)
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _status_of(status: int, said: Any) -> int:
    """The HTTP status, or the one in an envelope `{code, message, data}` that came with 200."""
    code = said.get("code") if isinstance(said, Mapping) else None
    enveloped = isinstance(code, int) and not isinstance(code, bool) and 300 <= code < 600 and _record(said) is None
    return code if status == 200 and enveloped and isinstance(code, int) else status


def _record(said: Any) -> Mapping[str, Any] | None:
    """The object that holds the record: the one with a status beside an id, else the one with a status."""
    found = [box for box in envelopes(said) if "status" in box or "state" in box]
    named = [box for box in found if "taskId" in box or "task_id" in box]
    return next(iter(named or found[-1:]), None)


def _mismatch(record: Mapping[str, Any], task_id: str, model: str | None, names: Mapping[str, str]) -> str:
    """Why this record cannot be about that task, or ""."""
    told = record.get("taskId", record.get("task_id"))
    if told is not None and parse_task_id(told) != task_id:
        return "the record is another task's"
    if told is None and known_status(_word(record)) == FAIL:
        return "a failure that does not say which task's"
    seen = names.get(str(record.get("model")))
    if model is not None and seen is not None and seen != names.get(model):
        return f"the record is of another model, {seen}"
    return ""


def _word(record: Mapping[str, Any]) -> Any:
    return record["status"] if "status" in record else record.get("state")


def _parse(record: Mapping[str, Any]) -> PollResult:
    word = _word(record)
    times = epoch_ms(record.get("createTime")), epoch_ms(record.get("completeTime"))
    bill = amount(record.get("creditsUsed"))
    match known_status(word):
        case "success":
            return Succeeded(_outputs(record.get("output")), bill, *times)
        case "fail":
            words, code = _error(record)
            return Failed(failure_class(words), words, code, bill, *times)
        case None:
            return Running(str(word)[:80], f"the provider says {str(word)[:80]!r}, which no page documents")
        case known:
            return Running(known)


def _outputs(output: Any) -> tuple[Output, ...]:
    """Links by http(s) with the size that the provider tells; whatever else stands there is left out."""
    listed = output if isinstance(output, list) else [output]
    found = []
    for item in listed[:20]:
        told = {"url": item} if isinstance(item, str) else item
        if isinstance(told, Mapping) and _is_link(url := told.get("url")):
            found.append(Output(url, _side(told.get("width")), _side(told.get("height"))))
    return tuple(found)


def _is_link(url: Any) -> TypeGuard[str]:
    return isinstance(url, str) and len(url) <= 8000 and url.lower().startswith(("https://", "http://"))


def _side(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000 else None


def _error(record: Mapping[str, Any]) -> tuple[str, str]:
    """Words and code of a failed task; `error` may be text or an object."""
    error = record.get("error")
    code = error.get("code") if isinstance(error, Mapping) else record.get("errorCode", record.get("failCode"))
    words = next(
        (text for key in ("error", "errorMessage", "failMsg", "message") if (text := text_of(record.get(key)))), ""
    )
    return words[:WORDS], str(code)[:200] if isinstance(code, (str, int)) else ""


def _no_answer(status: int, headers: Headers, said: Any, words: str = "") -> Running:
    """A poll that told nothing: ask again later."""
    return Running(
        "",
        words or error_message(said) or responder(status, headers),
        answered=False,
        not_found=status in (404, 410),
        key_refused=status == 401,
        retry_after=retry_after(headers),
    )
