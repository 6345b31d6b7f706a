"""One step of the double's script: the answer to one request, down to the byte at which the connection breaks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

End = Literal["close", "reset", "stall"]
When = Literal["request", "head", "accept"]

CREATE = "POST /api/v1/jobs/createTask"
POLL = "GET /api/v1/jobs/recordInfo"
MEDIA = "GET /media"


@dataclass(frozen=True, slots=True)
class Step:
    """Played once (or `times`, 0 for ever) for the next request whose `METHOD path` begins with `on`."""

    on: str = CREATE
    status: int = 200
    body: bytes = b""
    """`{task}` stands for the id of the created task, `{host}` for the address of the double."""
    headers: tuple[tuple[str, str], ...] = ()
    creates: bool | None = None
    """Whether a createTask creates (and charges) a task; None: if the status is 200."""
    when: When = "request"
    """Act after the whole request, after its headers, or right after the connection was accepted."""
    delay: float = 0.0
    """Seconds before the first byte of the answer."""
    raw: bytes | None = None
    """The whole answer, instead of status, headers and body."""
    length: bool = True
    """Whether `Content-Length` is sent; without it the end of the connection is the end of the body."""
    cut: int | None = None
    """How many bytes of the answer go out before it ends."""
    pace: float = 0.0
    """Bytes a second, 0 for all at once."""
    repeat: bytes = b""
    """Sent again and again after the answer, up to `repeat_bytes`: endless headers, a body without an end."""
    repeat_bytes: int = 50_000_000
    end: End | None = None
    """How the connection ends; None: kept alive when the answer was whole, else closed."""
    times: int = 1


def reply(status: int, value: Any, **more: Any) -> Step:
    """An answer in JSON."""
    return Step(status=status, body=json.dumps(value).encode(), headers=(("Content-Type", "application/json"),), **more)


def created(**more: Any) -> Step:
    """The documented answer to a createTask."""
    return reply(200, {"taskId": "{task}"}, **more)


def page(status: int, server: str = "cloudflare", **more: Any) -> Step:
    """The web page of a gateway in front of the API."""
    html = b"<!doctype html><h1>Sorry, you have been blocked</h1>"
    return Step(status=status, body=html, headers=(("Content-Type", "text/html"), ("Server", server)), **more)


def dropped(*, creates: bool, end: End = "reset", when: When = "request", **more: Any) -> Step:
    """A dropped connection without a byte of an answer; `creates`: the task was created all the same."""
    return Step(raw=b"", creates=creates, end=end, when=when, **more)


def record(task: str, status: str, **changes: Any) -> dict[str, Any]:
    """The documented record of a task."""
    return {
        "taskId": task,
        "model": "seedance-20",
        "status": status,
        "creditsUsed": 0,
        "output": None,
        "error": None,
        "createTime": 1735599634000,
        "completeTime": None,
        **changes,
    }


def read(script: list[Mapping[str, Any]]) -> list[Step]:
    """Steps of a JSON file: the fields above; `json` for a body in JSON, texts for bytes."""
    return [_step(dict(entry)) for entry in script]


def _step(entry: dict[str, Any]) -> Step:
    base = reply(entry.pop("status", 200), entry.pop("json")) if "json" in entry else Step()
    texts = {key: value.encode() for key, value in entry.items() if key in ("body", "raw", "repeat")}
    if "headers" in entry:
        entry["headers"] = tuple((key, value) for key, value in entry["headers"])
    if unknown := entry.keys() - {field.name for field in fields(Step)}:
        raise ValueError(f"a step has no {', '.join(sorted(unknown))}")
    return replace(base, **{**entry, **texts})
