"""Events and attempts as JSON of the ledger's rows, both ways and exact."""

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, cast

from runner.clock import stamp
from runner.events import (
    Busy,
    Clip,
    Created,
    Event,
    Failed,
    Intended,
    KeyRefused,
    NoCredits,
    NotSent,
    Output,
    Refused,
    Running,
    Sending,
    Settled,
    Stored,
    Succeeded,
    TryLater,
    Unknown,
    Vanished,
    What,
)
from runner.history import (
    Attempt,
    State,
)
from runner.request import Plain
from runner.values import names

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        *(Intended, Sending, Created, NotSent, Refused, KeyRefused, NoCredits, Busy, TryLater, Unknown),
        *(Running, Succeeded, Failed, Vanished, Stored, Settled),
    )
}
_MICRO = Decimal(1_000_000)


def micro(credits: Decimal) -> int:
    """Millionths of a credit, rounded up: what sums are made of."""
    return int((credits * _MICRO).to_integral_value(ROUND_CEILING))


def credits_of(millionths: int) -> Decimal:
    return Decimal(millionths) / _MICRO


moment = datetime.fromisoformat


def _plain(value: Any) -> Any:
    """What `json` does not know: exact decimals and moments as text, bytes as base64, values by their fields."""
    match value:
        case Decimal():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return stamp(value)
        case Mapping():
            return dict(value)
        case Clip() | Output():
            return {name: getattr(value, name) for name in names(type(value))}
    raise TypeError(f"no row holds a {type(value).__name__}")


def dumps(value: object) -> str:
    return json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=True)


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in value)


_READ: dict[str, Callable[[Any], Any]] = {
    "quoted": _decimal,
    "credits_used": _decimal,
    "required": _decimal,
    "available": _decimal,
    "raw": base64.b64decode,
    "headers": _pairs,
    "errors": _pairs,
    "notes": tuple,
    "tags": tuple,
    "outputs": lambda value: tuple(Output(**output) for output in value),
    "clip": lambda value: None if value is None else Clip(**value),
    "copies": lambda value: tuple(Clip(**copy) for copy in value),
    "state": State,
    "before_settled": lambda value: None if value is None else State(value),
    "intended_at": moment,
    "sent_at": lambda value: None if value is None else moment(value),
    "accepted_at": lambda value: None if value is None else moment(value),
    "ended_at": lambda value: None if value is None else moment(value),
}


def _read(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _READ[key](value) if key in _READ else value for key, value in data.items()}


def event_row(event: Event) -> tuple[str, str, str]:
    """(at, kind, data) of an event; an intent's data stand in its attempt's row."""
    what = event.what
    if isinstance(what, Intended):
        return stamp(event.at), "Intended", ""
    return (
        stamp(event.at),
        type(what).__name__,
        dumps({name: getattr(what, name) for name in names(type(what))}),
    )


def read_what(kind: str, data: str) -> What:
    """The opposite of `event_row`, for all but intents."""
    return cast(What, _KINDS[kind](**_read(json.loads(data))))


_KEPT = ("storyboard", "shot", "take", "fingerprint", "run")
"""Fields of an intent that have a column of their own."""


def intended_data(intended: Intended) -> str:
    """Three lines: what is small, the body, the neutral form; the long ones are seldom read."""
    small = {name: getattr(intended, name) for name in names(Intended) if name not in (*_KEPT, "body", "request")}
    return "\n".join((dumps(small), intended.body.replace("\n", " "), dumps(intended.request)))


def read_intended(columns: sqlite3.Row, data: str) -> Intended:
    small, body, form = data.split("\n")
    kept = {name: columns[name] for name in _KEPT}
    return Intended(**kept, **_read(json.loads(small)), body=body, request=Form(form))


class Form(Mapping[str, Plain]):
    """A neutral form that is read from its JSON when somebody looks into it."""

    __slots__ = ("_text", "_value")

    def __init__(self, text: str) -> None:
        self._text = text
        self._value: dict[str, Plain] | None = None

    def _read(self) -> dict[str, Plain]:
        if self._value is None:
            self._value = json.loads(self._text)
        return self._value

    def __getitem__(self, key: str) -> Plain:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __repr__(self) -> str:
        return repr(self._read())


_FOLDED = tuple(name for name in names(Attempt) if name not in ("id", "intended", "elsewhere"))


def attempt_data(attempt: Attempt) -> str:
    """An attempt as it stands, without its intent; what is as it was at the beginning is left out."""
    values = {name: getattr(attempt, name) for name in _FOLDED}
    return dumps(
        {
            name: value
            for name, value in values.items()
            if value is not None and value is not False and value not in ("", ())
        }
    )


def read_attempt(id: str, intended: Intended, data: str) -> Attempt:
    return Attempt(id=id, intended=intended, **_read(json.loads(data)))
