"""The ledger's words: under which name each kind of event, and each field of a value, stands in its rows.

A stored name never changes, whatever the class or field is called in the code. A new field gets a line here; a test
holds that no field of any class is forgotten.
"""

from collections.abc import Mapping
from typing import Any

from runner.attempts.events import (
    Busy,
    Clip,
    Created,
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
)
from runner.attempts.history import Attempt

INTENT = "Intended"
"""The kind whose data stand in its attempt's row."""

EVENT_KINDS: Mapping[str, type[Any]] = {
    "Intended": Intended,
    "Sending": Sending,
    "Created": Created,
    "NotSent": NotSent,
    "Refused": Refused,
    "KeyRefused": KeyRefused,
    "NoCredits": NoCredits,
    "Busy": Busy,
    "TryLater": TryLater,
    "Unknown": Unknown,
    "Running": Running,
    "Succeeded": Succeeded,
    "Failed": Failed,
    "Vanished": Vanished,
    "Stored": Stored,
    "Settled": Settled,
}
"""Stored kind of an event, and its class."""

FIELDS: Mapping[type[Any], Mapping[str, str]] = {
    Clip: {
        "path": "path",
        "sha256": "sha256",
        "bytes": "bytes",
        "width": "width",
        "height": "height",
        "seconds": "seconds",
    },
    Output: {"url": "url", "width": "width", "height": "height"},
    Intended: {
        "quoted": "quoted",
        "edition": "edition",
        "key_id": "key_id",
        "receipt": "receipt",
        "profile": "profile",
        "scene": "scene",
        "tags": "tags",
    },
    Sending: {},
    Created: {"task_id": "task_id"},
    NotSent: {"words": "words", "final": "final"},
    Refused: {"status": "status", "words": "words", "errors": "errors", "stop": "stop"},
    KeyRefused: {"words": "words"},
    NoCredits: {"words": "words", "required": "required", "available": "available"},
    Busy: {"words": "words", "limit": "limit", "current": "current", "retry_after": "retry_after"},
    TryLater: {"words": "words"},
    Unknown: {"words": "words", "status": "status", "headers": "headers", "raw": "raw", "stop": "stop"},
    Running: {
        "status": "status",
        "words": "words",
        "heard": "heard",
        "missing": "missing",
        "key_refused": "key_refused",
        "retry_after": "retry_after",
    },
    Succeeded: {
        "outputs": "outputs",
        "credits_used": "credits_used",
        "created_ms": "created_ms",
        "completed_ms": "completed_ms",
    },
    Failed: {
        "kind": "kind",
        "words": "words",
        "code": "code",
        "credits_used": "credits_used",
        "created_ms": "created_ms",
        "completed_ms": "completed_ms",
    },
    Vanished: {"words": "words"},
    Stored: {"clip": "clip", "notes": "notes"},
    Settled: {"verdict": "verdict", "task_id": "task_id", "words": "words"},
    Attempt: {
        "state": "state",
        "intended_at": "intended_at",
        "sent_at": "sent_at",
        "task_id": "task_id",
        "status": "status",
        "accepted_at": "accepted_at",
        "ended_at": "ended_at",
        "failure": "failure",
        "words": "words",
        "errors": "errors",
        "outputs": "outputs",
        "credits_used": "credits_used",
        "took": "took",
        "clip": "clip",
        "copies": "copies",
        "notes": "notes",
        "charged": "charged",
        "before_settled": "before_settled",
    },
}
"""By class: stored name of a field, and the field; in the order in which they are written."""

COLUMNS: Mapping[str, str] = {
    "storyboard": "storyboard",
    "shot": "shot",
    "take": "take",
    "fingerprint": "fingerprint",
    "run": "run",
}
"""Columns that hold a field of an intent, and the field."""

APART: Mapping[type[Any], frozenset[str]] = {
    Intended: frozenset({*COLUMNS.values(), "body", "request"}),
    Attempt: frozenset({"id", "intended", "elsewhere"}),
}
"""Fields that stand elsewhere in a row (columns, lines of their own), or in no row at all."""
