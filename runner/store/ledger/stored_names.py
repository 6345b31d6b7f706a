"""The stored names: how the ledger's rows name every kind of event and every field of a value.

A stored name never changes, whatever the name of the class or field in the code. A new field needs a line in these
tables; a test checks that no field of a class is missing.
"""

from collections.abc import Mapping
from typing import Any

from runner.attempts.attempt import Attempt
from runner.attempts.events import (
    Clip,
    ConcurrencyLimited,
    Created,
    Doubtful,
    Failed,
    Intent,
    KeyRefused,
    Lost,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Output,
    Refused,
    Running,
    SendStarted,
    ServerError,
    Settled,
    Stored,
    Succeeded,
)

INTENT = "Intended"
"""The kind of event whose data are in the attempt's row."""

EVENT_KINDS: Mapping[str, type[Any]] = {
    "Intended": Intent,
    "Sending": SendStarted,
    "Created": Created,
    "NotSent": NotSent,
    "Refused": Refused,
    "KeyRefused": KeyRefused,
    "NoCredits": NoCredits,
    "Busy": ConcurrencyLimited,
    "TryLater": ServerError,
    "Unknown": OutcomeUnknown,
    "Running": Running,
    "Succeeded": Succeeded,
    "Failed": Failed,
    "Vanished": Lost,
    "Stored": Stored,
    "Doubtful": Doubtful,
    "Settled": Settled,
}
"""The class of an event by its stored kind."""

FIELDS: Mapping[type[Any], Mapping[str, str]] = {
    Clip: {
        "path": "path",
        "sha256": "sha256",
        "bytes": "bytes",
        "width": "width",
        "height": "height",
        "seconds": "seconds",
        "repository": "repository",
    },
    Output: {"url": "url", "width": "width", "height": "height", "last_frame": "last_frame", "seed": "seed"},
    Intent: {
        "quoted": "quoted",
        "edition": "edition",
        "key_id": "key_id",
        "receipt": "webhook_token",
        "profile": "profile",
        "scene": "scene",
        "tags": "tags",
        "drawing": "drawing",
    },
    SendStarted: {},
    Created: {"task_id": "task_id"},
    NotSent: {"words": "message", "final": "final"},
    Refused: {"status": "status", "words": "message", "errors": "errors", "stop": "stop"},
    KeyRefused: {"words": "message"},
    NoCredits: {"words": "message", "required": "required", "available": "available"},
    ConcurrencyLimited: {"words": "message", "limit": "limit", "current": "current", "retry_after": "retry_after"},
    ServerError: {"words": "message"},
    OutcomeUnknown: {"words": "message", "status": "status", "headers": "headers", "raw": "raw", "stop": "stop"},
    Running: {
        "status": "status",
        "words": "message",
        "heard": "answered",
        "missing": "not_found",
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
        "words": "message",
        "code": "code",
        "credits_used": "credits_used",
        "created_ms": "created_ms",
        "completed_ms": "completed_ms",
    },
    Lost: {"words": "message"},
    Stored: {"clip": "clip", "notes": "notes"},
    Doubtful: {"clip": "clip", "doubt": "doubt"},
    Settled: {"verdict": "verdict", "task_id": "task_id", "words": "message"},
    Attempt: {
        "state": "state",
        "intended_at": "intended_at",
        "sent_at": "sent_at",
        "task_id": "task_id",
        "status": "status",
        "accepted_at": "accepted_at",
        "ended_at": "ended_at",
        "failure": "failure",
        "words": "message",
        "errors": "errors",
        "outputs": "outputs",
        "credits_used": "credits_used",
        "took": "duration",
        "clip": "clip",
        "copies": "other_copies",
        "notes": "notes",
        "charged": "charged",
        "before_settled": "state_before_settlement",
        "doubt": "doubt",
        "bill_read_at": "bill_read_at",
    },
}
"""By class: the fields by stored name, in the order of writing."""

COLUMNS: Mapping[str, str] = {
    "storyboard": "storyboard",
    "shot": "shot",
    "take": "take",
    "fingerprint": "fingerprint",
    "run": "run",
}
"""The fields of an intent by the column that holds the field."""

STORED_ELSEWHERE: Mapping[type[Any], frozenset[str]] = {
    Intent: frozenset({*COLUMNS.values(), "body", "request"}),
    Attempt: frozenset({"id", "intent", "from_manifest", "repository", "held_elsewhere", "kept_for"}),
}
"""Fields stored in columns or separate lines of a row, or not stored at all."""
