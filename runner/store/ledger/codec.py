"""Codec between events and attempts and the JSON in the ledger's rows; exact in both directions."""

import base64
import json
import sqlite3
from collections.abc import Callable, ItemsView, Iterator, Mapping
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any, cast, get_args

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip, Event, FailureClass, Intent, Output, Payload, SettlementVerdict
from runner.clock import format_utc
from runner.requests.request import JsonValue
from runner.store.ledger.stored_names import COLUMNS, EVENT_KINDS, FIELDS, INTENT

_KIND_OF = {kind: name for name, kind in EVENT_KINDS.items()}
_MICRO = Decimal(1_000_000)


def to_microcredits(credits: Decimal) -> int:
    """Millionths of a credit, rounded up, as SQLite sums them."""
    # Whole numbers, since SQLite sums others as floats; rounded up, since a ceiling must never see too little.
    return int((credits * _MICRO).to_integral_value(ROUND_CEILING))


def credits_of(millionths: int) -> Decimal:
    return Decimal(millionths) / _MICRO


parse_time = datetime.fromisoformat


# Stored names of clips, outputs and intents that the first version did not know.
_LATER = frozenset({"repository", "last_frame", "seed", "drawing"})


def _encode_value(value: Any) -> Any:
    """Encode what `json` cannot: decimals and times as text, bytes as base64, values by their stored fields."""
    match value:
        case Decimal():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode()
        case datetime():
            return format_utc(value)
        case Mapping():
            return dict(value)
        case Clip() | Output():
            return _without_later(_encode_fields(value))
    raise TypeError(f"no row holds a {type(value).__name__}")


class NewerRowError(ValueError):
    """A row with a kind, field or value that this version does not know: a newer version wrote the row."""


def _encode_fields(value: Any) -> dict[str, Any]:
    """A value as a mapping with the stored names of its fields."""
    return {name: getattr(value, attribute) for name, attribute in FIELDS[type(value)].items()}


def _without_later(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without later ones that are null: such a value stands as the first version wrote it."""
    return {name: field for name, field in fields.items() if name not in _LATER or field is not None}


def dumps(value: object) -> str:
    return json.dumps(value, default=_encode_value, separators=(",", ":"), ensure_ascii=True)


def _decode_decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _decode_pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in value)


def _decode_fields(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Decoded fields under the names that the class uses."""
    fields, values = FIELDS[kind], {}
    for name, value in data.items():
        # Never skipped: what a newer version stored there may decide whether the take was paid.
        if name not in fields:
            raise NewerRowError(f"a field {name!r}")
        values[fields[name]] = _DECODERS[name](value) if name in _DECODERS else value
    return values


def _decode_clip(value: Any) -> Clip | None:
    return None if value is None else Clip(**_decode_fields(Clip, value))


def _literal_decoder(values: frozenset[str], noun: str) -> Callable[[Any], Any]:
    """A decoder for one word of a fixed set."""

    def read(value: Any) -> Any:
        if value is not None and value not in values:
            raise NewerRowError(f"a {noun} {value!r}")
        return value

    return read


def _decode_state(value: Any) -> AttemptState | None:
    try:
        return None if value is None else AttemptState(value)
    except ValueError as error:
        raise NewerRowError(f"a state {value!r}") from error


_decode_failure = _literal_decoder(frozenset(get_args(FailureClass)), "kind of failure")

# Decoders by stored name; a name is decoded in the same way in every class.
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "quoted": _decode_decimal,
    "credits_used": _decode_decimal,
    "required": _decode_decimal,
    "available": _decode_decimal,
    "raw": base64.b64decode,
    "headers": _decode_pairs,
    "errors": _decode_pairs,
    "notes": tuple,
    "tags": tuple,
    "outputs": lambda value: tuple(Output(**_decode_fields(Output, output)) for output in value),
    "clip": _decode_clip,
    "copies": lambda value: tuple(Clip(**_decode_fields(Clip, copy)) for copy in value),
    "kind": _decode_failure,
    "failure": _decode_failure,
    "verdict": _literal_decoder(frozenset(get_args(SettlementVerdict)), "verdict"),
    "state": _decode_state,
    "before_settled": _decode_state,
    "intended_at": parse_time,
    "sent_at": lambda value: None if value is None else parse_time(value),
    "accepted_at": lambda value: None if value is None else parse_time(value),
    "bill_read_at": lambda value: None if value is None else parse_time(value),
    "ended_at": lambda value: None if value is None else parse_time(value),
}


def encode_event(event: Event) -> tuple[str, str, str]:
    """The columns (at, kind, data) of an event; the data of an intent are in the attempt's row instead."""
    payload = event.payload
    if isinstance(payload, Intent):
        return format_utc(event.at), INTENT, ""
    return format_utc(event.at), _KIND_OF[type(payload)], dumps(_encode_fields(payload))


def decode_payload(kind: str, data: str) -> Payload:
    """Decode an event's payload; the inverse of `encode_event`, except for intents."""
    if kind not in EVENT_KINDS:
        raise NewerRowError(f"an event {kind!r}")
    return cast(Payload, EVENT_KINDS[kind](**_decode_fields(EVENT_KINDS[kind], json.loads(data))))


def encode_intent(intent: Intent) -> str:
    """Three lines: the small fields, the body, the neutral request; the two long lines are rarely decoded."""
    return "\n".join(
        # Line breaks are the separator here; in canonical JSON they are white space, and stand in no text.
        (dumps(_without_later(_encode_fields(intent))), intent.body.replace("\n", " "), dumps(intent.request))
    )


def decode_intent(columns: sqlite3.Row, data: str) -> Intent:
    fields, body, request = data.split("\n")
    from_columns = {attribute: columns[column] for column, attribute in COLUMNS.items()}
    return Intent(**from_columns, **_decode_fields(Intent, json.loads(fields)), body=body, request=LazyJson(request))


class LazyJson(Mapping[str, JsonValue]):
    """A neutral request that is parsed from its JSON at the first access."""

    __slots__ = ("_text", "_value")

    def __init__(self, text: str) -> None:
        self._text = text
        self._value: dict[str, JsonValue] | None = None

    def _parsed(self) -> dict[str, JsonValue]:
        if self._value is None:
            self._value = json.loads(self._text)
        return self._value

    def __getitem__(self, key: str) -> JsonValue:
        return self._parsed()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parsed())

    def __len__(self) -> int:
        return len(self._parsed())

    def __eq__(self, other: object) -> bool:
        if type(other) is dict:
            return self._parsed() == other
        if isinstance(other, LazyJson):
            return self._parsed() == other._parsed()
        return self._parsed() == dict(other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def items(self) -> ItemsView[str, JsonValue]:
        """The fields; a view of the parsed value takes a tenth of the time of the inherited one."""
        return self._parsed().items()

    def __repr__(self) -> str:
        return repr(self._parsed())


def encode_attempt(attempt: Attempt) -> str:
    """The state of an attempt without its intent; fields with their initial value are omitted."""
    return dumps(
        {
            name: value
            for name, value in _encode_fields(attempt).items()
            if value is not None and value is not False and value not in ("", ())
        }
    )


def decode_attempt(id: str, intent: Intent, data: str) -> Attempt:
    return Attempt(id=id, intent=intent, **_decode_fields(Attempt, json.loads(data)))
