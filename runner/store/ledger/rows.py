"""Rows of the ledger: attempts with their current state, and the events that led to it."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from runner.attempts.events import Account, Created, Doubtful, Event, SendStarted, Stored, Succeeded
from runner.attempts.history import OPEN, Attempt, AttemptState, apply_event
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.ports import AlreadyAttempted
from runner.lazy_dataclass import dataclass, replace
from runner.store.ledger.codec import (
    credits_of,
    decode_attempt,
    decode_intent,
    decode_payload,
    encode_attempt,
    encode_event,
    encode_intent,
    parse_time,
    to_microcredits,
)
from runner.store.ledger.stored_names import INTENT


@dataclass(frozen=True, slots=True)
class LedgerScope:
    """The account (by row id) and repository whose rows a run writes."""

    account: int
    repository: str
    free: bool


class AttemptRows:
    """Queries and writes of rows; the caller holds the transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def insert(self, scope: LedgerScope, attempt: Attempt, *events: Event) -> None:
        intent = attempt.intent
        cursor = self.db.execute(
            "INSERT INTO attempt(id, account, repository, storyboard, shot, take, fingerprint, run, at, sent, intended,"
            " state, open, task, costs, folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(attempt.id, scope.account, scope.repository, intent.storyboard, intent.shot, intent.take),
                *(intent.fingerprint, intent.run, attempt.intended_at.timestamp()),
                *_state_columns(attempt, encode_intent(intent)),
            ),
        )
        for event in events:
            self._append_event(cursor.lastrowid, event)

    def import_attempt(self, scope: LedgerScope, attempt: Attempt) -> AlreadyAttempted | None:
        """Insert an attempt from a manifest with its reconstructed events; a refusal if a row contradicts it."""
        imported = replace(attempt, from_manifest=False)
        if self.has_attempt(imported.id):
            return None
        other = self.db.execute(
            "SELECT task FROM attempt WHERE account = ? AND (task = ? OR repository = ? AND fingerprint = ? AND open)",
            (scope.account, imported.task_id, scope.repository, imported.intent.fingerprint),
        ).fetchone()
        if other is not None and (imported.state in OPEN or other["task"] == imported.task_id):
            intent = imported.intent
            return AlreadyAttempted(
                f"{intent.shot} take {intent.take} is open in the ledger, and the manifest has task {imported.task_id} "
                f"for it: settle the open attempt first (storyboard settle {intent.shot})"
            )
        self.insert(scope, imported, *reconstructed_events(imported))
        return None

    def has_attempt(self, attempt: str) -> bool:
        return self.db.execute("SELECT 1 FROM attempt WHERE id = ?", (attempt,)).fetchone() is not None

    def open_rows(self) -> list[sqlite3.Row]:
        """Every open attempt of every account and repository."""
        return self.db.execute("SELECT * FROM attempt WHERE open ORDER BY serial").fetchall()

    def canonical_repository(self, account: int, names: Sequence[str]) -> str:
        """The first of a repository's names that has rows; else the first name."""
        for name in names:
            row = self.db.execute(
                "SELECT 1 FROM attempt WHERE account = ? AND repository = ? LIMIT 1", (account, name)
            ).fetchone()
            if row is not None:
                return name
        return names[0]

    def rows_of(self, account: int, names: Sequence[str]) -> list[sqlite3.Row]:
        """All attempts of an account and a repository, by any of its names, in the order of their intents."""
        return self.db.execute(
            "SELECT * FROM attempt WHERE account = ?"
            " AND repository IN (SELECT value FROM json_each(?)) ORDER BY serial",
            (account, json.dumps(names)),
        ).fetchall()

    def rename_repository(self, account: int, previous_name: str, repository: str) -> None:
        """Move the rows of a repository from its path's name to the name from its first commit."""
        self.db.execute(
            "UPDATE OR IGNORE attempt SET repository = ? WHERE account = ? AND repository = ?",
            (repository, account, previous_name),
        )

    def _append_event(self, serial: int | None, event: Event) -> None:
        self.db.execute(
            "INSERT INTO event(attempt, at, kind, data) VALUES (?, ?, ?, ?)", (serial, *encode_event(event))
        )

    def write_event(self, event: Event) -> AlreadyAttempted | None:
        """Write an event, and the state of its attempt after the event; a refusal if another row contradicts it."""
        row = self.db.execute("SELECT * FROM attempt WHERE id = ?", (event.attempt,)).fetchone()
        if row is None:
            raise CommandError(
                ExitCode.INVALID, f"the ledger has no attempt {event.attempt}: was the file replaced by an older copy?"
            )
        after = apply_event(attempt_from_row(row), event)
        if after.task_id is not None and after.task_id != row["task"] and self._task_taken(row, after.task_id):
            return AlreadyAttempted(f"task {after.task_id} belongs to another attempt")
        if after.state in OPEN and not row["open"] and self._has_open_attempt(row):
            return AlreadyAttempted("another attempt of the same take is already open")
        sent, _, *rest = _state_columns(after, "")
        self.db.execute(
            "UPDATE attempt SET sent = ?, state = ?, open = ?, task = ?, costs = ?, folded = ? WHERE serial = ?",
            (sent, *rest, row["serial"]),
        )
        self._append_event(row["serial"], event)
        return None

    def _task_taken(self, row: sqlite3.Row, task: str) -> bool:
        cursor = self.db.execute(
            "SELECT 1 FROM attempt WHERE account = ? AND task = ? AND serial <> ?",
            (row["account"], task, row["serial"]),
        )
        return cursor.fetchone() is not None

    def _has_open_attempt(self, row: sqlite3.Row) -> bool:
        cursor = self.db.execute(
            "SELECT 1 FROM attempt WHERE account = ? AND repository = ? AND fingerprint = ? AND open AND serial <> ?",
            (row["account"], row["repository"], row["fingerprint"], row["serial"]),
        )
        return cursor.fetchone() is not None

    def events(self, attempt: str) -> Iterator[Event]:
        row = self.db.execute("SELECT * FROM attempt WHERE id = ?", (attempt,)).fetchone()
        if row is None:
            return
        for record in self.db.execute(
            "SELECT at, kind, data FROM event WHERE attempt = ? ORDER BY serial", (row["serial"],)
        ):
            kind = record["kind"]
            payload = decode_intent(row, row["intended"]) if kind == INTENT else decode_payload(kind, record["data"])
            yield Event(parse_time(record["at"]), attempt, payload)

    def find_account(self, account: Account) -> int | None:
        row = self.db.execute(
            "SELECT id FROM account WHERE provider = ? AND host = ?", (account.provider, account.host)
        ).fetchone()
        return None if row is None else int(row["id"])

    def enter_account(self, account: Account) -> int:
        self.db.execute(
            "INSERT OR IGNORE INTO account(provider, host, free) VALUES (?, ?, ?)",
            (account.provider, account.host, account.free),
        )
        account_id = self.find_account(account)
        assert account_id is not None
        return account_id

    def sum(self, condition: str, *values: Any) -> Decimal:
        row = self.db.execute(f"SELECT COALESCE(SUM(costs), 0) FROM attempt WHERE {condition}", values).fetchone()  # noqa: S608
        return credits_of(int(row[0]))


def attempt_from_row(row: sqlite3.Row) -> Attempt:
    return decode_attempt(row["id"], decode_intent(row, row["intended"]), row["folded"])


def _state_columns(attempt: Attempt, intent_text: str) -> tuple[Any, ...]:
    """The columns (sent, intended, state, open, task, costs, folded) of an attempt's current state."""
    return (
        attempt.sent_at.timestamp() if attempt.sent_at else None,
        intent_text,
        str(attempt.state),
        attempt.state in OPEN,
        attempt.task_id,
        to_microcredits(attempt.credits),
        encode_attempt(attempt),
    )


def reconstructed_events(attempt: Attempt) -> list[Event]:
    """The events that an attempt from a manifest must have had."""
    events: list[Event] = [Event(attempt.intended_at, attempt.id, attempt.intent)]
    if attempt.task_id is not None:
        accepted_at = attempt.accepted_at or attempt.intended_at
        events += [
            Event(accepted_at, attempt.id, SendStarted()),
            Event(accepted_at, attempt.id, Created(attempt.task_id)),
        ]
    if attempt.state in (AttemptState.SUCCEEDED, AttemptState.STORED, AttemptState.DOUBTFUL):
        ended_at = attempt.ended_at or attempt.intended_at
        events.append(Event(ended_at, attempt.id, Succeeded(attempt.outputs, attempt.credits_used)))
        if attempt.clip is not None and attempt.state is AttemptState.STORED:
            events.append(Event(ended_at, attempt.id, Stored(attempt.clip, attempt.notes)))
        if attempt.clip is not None and attempt.state is AttemptState.DOUBTFUL:
            events.append(Event(ended_at, attempt.id, Doubtful(attempt.clip, attempt.doubt)))
    return events
