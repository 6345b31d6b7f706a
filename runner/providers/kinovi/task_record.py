"""Parser of recordInfo answers: running, succeeded, failed, or unusable. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeGuard

from runner.attempts.events import Failed, FailureClass, Output, PollResult, Running, Succeeded
from runner.attempts.task_facts import TaskFacts
from runner.providers.kinovi.create_response import (
    MAX_TEXT,
    amount,
    envelopes,
    error_message,
    parse_task_id,
    responder,
    text_of,
)
from runner.providers.transport import strict_json
from runner.providers.transport.headers import Headers, retry_after

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
    ("face detected", "face"),
    ("facedetectionsuspect", "face"),
    ("did not pass review", "review"),
    ("violates platform rules", "moderation"),
    ("content violates", "moderation"),
    ("failed review", "moderation"),
    ("asset_review_failed", "moderation"),
    ("may contain sensitive content", "moderation"),
    ("may violate platform or copyright rules", "moderation"),
    ("blocked by moderation", "moderation"),
    ("audio cannot be the only reference", "moderation"),
    ("failed to download your reference", "moderation"),
    ("generation failed", "provider"),
    ("timed out", "provider"),
    ("server error", "provider"),
    ("temporarily unavailable", "provider"),
)
_OUTPUT_WORDS = ("generated video", "generated content", "output video")


def parse_record(
    status: int,
    headers: Headers,
    body: bytes,
    task_id: str,
    model: str | None = None,
    models: Mapping[str, str] | None = None,
) -> PollResult:
    """Parse the answer to a recordInfo about `task_id`; an unusable answer means "poll again", never "failed".

    A known `model` must match a record that names one of the edition's `models`; an undocumented model name is
    ignored, since a paid task must not be lost for it.
    """
    headers = tuple(headers)
    try:
        payload = strict_json.parse(body)
    except strict_json.NotJsonError as error:
        return _no_answer(status, headers, None, f"unreadable answer: {error}")
    code = _status_of(status, payload)
    if not 200 <= code < 300:
        return _no_answer(code, headers, payload)
    record = _record(payload)
    if record is None:
        return _no_answer(code, headers, payload, "the answer has no task record")
    if mismatch := _mismatch(record, task_id, model, models or {}):
        return _no_answer(code, headers, payload, mismatch)
    return _parse(record)


def parse_facts(status: int, body: bytes) -> TaskFacts | None:
    """The facts of a task record, or None without a record."""
    try:
        payload = strict_json.parse(body)
    except strict_json.NotJsonError:
        return None
    record = _record(payload) if 200 <= _status_of(status, payload) < 300 else None
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


def documented_status(value: Any) -> str | None:
    """The documented status for a status or synonym in any case; None for another value."""
    return _STATUSES.get(value.strip().lower().replace(" ", "_").replace("-", "_")) if isinstance(value, str) else None


def failure_class(message: str, code: str = "") -> FailureClass:
    """The class of a failure, by fragments of its error text and by its code, without regard to case.

    What is said of the generated clip concerns no material: the same request may pass next time.
    """
    folded = f"{message} {code}".casefold()
    kind: FailureClass = next((kind for part, kind in _CLASSES if part in folded), "other")
    return "review" if kind == "moderation" and any(part in folded for part in _OUTPUT_WORDS) else kind


def epoch_ms(value: Any) -> int | None:
    """Milliseconds since 1970 from milliseconds, seconds, or ISO 8601 text; None if unreadable."""
    if isinstance(value, str):
        return _parse_iso(value)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 < value < 10**14:
        return None
    # Below 10^11 it is seconds until the year 5138; as milliseconds it would be of 1973.
    return int(value * 1000) if value < 10**11 else int(value)


def _parse_iso(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text)
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _status_of(status: int, payload: Any) -> int:
    """The HTTP status, or the status in an envelope `{code, message, data}` of a 200."""
    code = payload.get("code") if isinstance(payload, Mapping) else None
    enveloped = isinstance(code, int) and not isinstance(code, bool) and 300 <= code < 600 and _record(payload) is None
    return code if status == 200 and enveloped and isinstance(code, int) else status


def _record(payload: Any) -> Mapping[str, Any] | None:
    """The object that is the task record: one with status and task id, else the innermost with a status."""
    candidates = [envelope for envelope in envelopes(payload) if "status" in envelope or "state" in envelope]
    identified = [envelope for envelope in candidates if "taskId" in envelope or "task_id" in envelope]
    return next(iter(identified or candidates[-1:]), None)


def _mismatch(record: Mapping[str, Any], task_id: str, model: str | None, models: Mapping[str, str]) -> str:
    """The reason why a record cannot belong to a task, or ""."""
    record_task = record.get("taskId", record.get("task_id"))
    if record_task is not None and parse_task_id(record_task) != task_id:
        return "the record belongs to another task"
    # A failure makes the take free to be ordered again: only a record that names the task may say so.
    if record_task is None and documented_status(_status_value(record)) == FAIL:
        return "a failed record without a task id"
    record_model = models.get(str(record.get("model")))
    if model is not None and record_model is not None and record_model != models.get(model):
        return f"the record names another model, {record_model}"
    return ""


def _status_value(record: Mapping[str, Any]) -> Any:
    return record["status"] if "status" in record else record.get("state")


def _parse(record: Mapping[str, Any]) -> PollResult:
    value = _status_value(record)
    times = epoch_ms(record.get("createTime")), epoch_ms(record.get("completeTime"))
    credits_used = amount(record.get("creditsUsed"))
    match documented_status(value):
        case "success":
            return Succeeded(_outputs(record), credits_used, *times)
        case "fail":
            message, code = _failure_text(record)
            return Failed(failure_class(message, code), message, code, credits_used, *times)
        case None:
            return Running(str(value)[:80], f"the provider reports the undocumented status {str(value)[:80]!r}")
        case status:
            return Running(status)


def _outputs(record: Mapping[str, Any]) -> tuple[Output, ...]:
    """The http(s) links with what the provider says of each clip; other values are dropped.

    Last frame and seed stand beside a clip, or at the top of the record of a single one.
    """
    output = record.get("output")
    items = output if isinstance(output, list) else [output]
    top = record if len(items) == 1 else {}
    outputs = []
    # A bound for a record that lists without end; a task has one clip.
    for item in items[:20]:
        fields = {"url": item} if isinstance(item, str) else item
        if isinstance(fields, Mapping) and _is_link(url := fields.get("url")):
            frame = fields.get("lastFrameImage", top.get("lastFrameImage"))
            outputs.append(
                Output(
                    url,
                    _pixels(fields.get("width")),
                    _pixels(fields.get("height")),
                    frame if _is_link(frame) else None,
                    _seed(fields.get("seed", top.get("seed"))),
                )
            )
    return tuple(outputs)


def _seed(value: Any) -> int | None:
    # What SQLite and most readers of JSON hold as a whole number.
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _is_link(url: Any) -> TypeGuard[str]:
    # Signed links have some hundred characters; 8,000 is what servers commonly accept in a request line.
    return isinstance(url, str) and len(url) <= 8000 and url.lower().startswith(("https://", "http://"))


def _pixels(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 100_000 else None


def _failure_text(record: Mapping[str, Any]) -> tuple[str, str]:
    """Message and code of a failed task; `error` may be text or an object."""
    error = record.get("error")
    code = error.get("code") if isinstance(error, Mapping) else record.get("errorCode", record.get("failCode"))
    message = next(
        (text for key in ("error", "errorMessage", "failMsg", "message") if (text := text_of(record.get(key)))), ""
    )
    return message[:MAX_TEXT], str(code)[:200] if isinstance(code, (str, int)) else ""


def _no_answer(status: int, headers: Headers, payload: Any, message: str = "") -> Running:
    """The result of a poll without a usable record: poll again later."""
    return Running(
        "",
        message or error_message(payload) or responder(status, headers),
        answered=False,
        not_found=status in (404, 410),
        key_refused=status == 401,
        retry_after=retry_after(headers),
    )
