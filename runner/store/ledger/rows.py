"""Rows of the ledger: attempts with their current state, and the events that led to it."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Any

from runner.attempts.attempt import Attempt, AttemptState, apply_event
from runner.attempts.events import Account, Clip, Created, Doubtful, Event, SendStarted, Stored, Succeeded
from runner.diagnostics.failures import LedgerUnusable
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

VISIBLE = "(scope = '' OR scope IN (SELECT value FROM json_each(?)))"
"""What counts in a repository, by its names: all that counts in the whole account, and its own."""


@dataclass(frozen=True, slots=True)
class LedgerScope:
    """The account (by row id) and repository whose rows a run writes."""

    account: int
    repository: str
    """Its top folder."""
    free: bool
    previous_names: tuple[str, ...] = ()
    """What the first version called it: by its first commits, or by its path."""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.repository, *self.previous_names)


@dataclass(frozen=True, slots=True)
class SavedPlanRow:
    """A saved plan that this ledger wrote: the user's consent, as the user saw it."""

    id: str
    digest: str
    ceiling: Decimal


class AttemptRows:
    """Queries and writes of rows; the caller holds the transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def insert(self, scope: LedgerScope, attempt: Attempt, *events: Event, migrated: bool = False) -> None:
        """`migrated`: it may stand beside another open one of its request."""
        intent = attempt.intent
        cursor = self.db.execute(
            "INSERT INTO attempt(id, account, repository, storyboard, shot, take, fingerprint, run, at, sent, intended,"
            " state, open, task, costs, folded, scope, migrated, plan)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(attempt.id, scope.account, scope.repository, intent.storyboard, intent.shot, intent.take),
                *(intent.fingerprint, intent.run, attempt.intended_at.timestamp()),
                *_state_columns(attempt, encode_intent(intent)),
                # A paid task serves every repository of the account; a free clip, and what only a manifest claims, its
                # own alone.
                scope.repository if scope.free or attempt.from_manifest else "",
                migrated,
                intent.saved_plan,
            ),
        )
        for event in events:
            self._append_event(cursor.lastrowid, event)

    def import_attempt(self, scope: LedgerScope, attempt: Attempt) -> AlreadyAttempted | None:
        """Insert an attempt from elsewhere with its reconstructed events; a refusal if a row contradicts it.

        One that only a manifest names counts in its own repository until the provider has confirmed it.
        """
        if self.has_attempt(attempt.id):
            return None
        intent = attempt.intent
        other = self.db.execute(
            f"SELECT task FROM attempt WHERE account = ? AND (task = ? OR fingerprint = ? AND open) AND {VISIBLE}"  # noqa: S608
            " ORDER BY task IS ? DESC LIMIT 1",
            (scope.account, attempt.task_id, intent.fingerprint, json.dumps(scope.names), attempt.task_id),
        ).fetchone()
        # One task is one clip and one charge: under two attempts it would be counted twice.
        if other is not None and other["task"] is not None and other["task"] == attempt.task_id:
            return AlreadyAttempted(f"task {attempt.task_id} belongs to another attempt")
        if other is not None and attempt.state.is_open:
            return AlreadyAttempted(
                f"{intent.shot} take {intent.take} is open in the ledger, and the manifest has task {attempt.task_id} "
                f"for it: settle the open attempt first; `storyboard settle` lists it"
            )
        self.insert(scope, attempt, *reconstructed_events(attempt))
        return None

    def insert_lost(self, scope: LedgerScope, attempt: Attempt) -> None:
        """Insert the row of an attempt that this ledger had once, beside other rows of the same request."""
        self.insert(scope, attempt, *reconstructed_events(attempt), migrated=True)

    def has_task(self, task: str) -> bool:
        return self.db.execute("SELECT 1 FROM attempt WHERE task = ? LIMIT 1", (task,)).fetchone() is not None

    def recorded_tasks(self, tasks: Collection[str]) -> frozenset[str]:
        """The task ids, of some, that a row has."""
        rows = self.db.execute(
            "SELECT task FROM attempt WHERE task IN (SELECT value FROM json_each(?))", (json.dumps(list(tasks)),)
        )
        return frozenset(row["task"] for row in rows)

    def all_tasks(self) -> frozenset[str]:
        """The task ids of all rows: quicker than asking for many of them."""
        row = self.db.execute("SELECT json_group_array(task) FROM attempt WHERE task IS NOT NULL").fetchone()
        return frozenset(json.loads(row[0]))

    def is_forgotten(self, task: str) -> bool:
        return self.db.execute("SELECT 1 FROM forgotten WHERE task = ?", (task,)).fetchone() is not None

    def forget(self, task: str, at: str) -> None:
        """The user has given up a task that stands in a receipt alone."""
        self.db.execute("INSERT OR IGNORE INTO forgotten(task, at) VALUES (?, ?)", (task, at))

    def has_attempt(self, attempt: str) -> bool:
        return self.db.execute("SELECT 1 FROM attempt WHERE id = ?", (attempt,)).fetchone() is not None

    def open_rows(self) -> list[sqlite3.Row]:
        """Every open attempt of every account and repository."""
        # Named: without that index the statement fails, instead of reading every row at each start of a run.
        opened = "SELECT serial FROM attempt INDEXED BY attempt_open WHERE open"
        query = f"SELECT * FROM attempt WHERE serial IN ({opened}) ORDER BY serial"  # noqa: S608
        return self.db.execute(query).fetchall()

    def rows_of(self, scope: LedgerScope, storyboards: Collection[str] | None = None) -> list[sqlite3.Row]:
        """The attempts that a repository ordered, in the order of their intents; of all its storyboards, or of some.

        Of the others what is open comes, too: a storyboard that is gone may have left it.
        """
        own = "account = ? AND repository IN (SELECT value FROM json_each(?))"
        whose = (scope.account, json.dumps(scope.names))
        if storyboards is None:
            query = f"SELECT * FROM attempt WHERE {own} ORDER BY serial"  # noqa: S608 (no word of it comes from outside)
            return self.db.execute(query, whose).fetchall()
        named = f"SELECT serial FROM attempt WHERE {own} AND storyboard IN (SELECT value FROM json_each(?))"  # noqa: S608
        opened = f"SELECT serial FROM attempt WHERE open AND {own}"  # noqa: S608
        query = f"SELECT * FROM attempt WHERE serial IN ({named} UNION {opened}) ORDER BY serial"  # noqa: S608
        return self.db.execute(query, (*whose, json.dumps(list(storyboards)), *whose)).fetchall()

    def rows_named(
        self, scope: LedgerScope, fingerprints: Collection[str], tasks: Collection[str]
    ) -> list[sqlite3.Row]:
        """The attempts of some fingerprints, and those that have some tasks, as far as they count in a repository."""
        return self.db.execute(
            f"SELECT * FROM attempt WHERE serial IN ("  # noqa: S608
            "SELECT serial FROM attempt WHERE account = ? AND fingerprint IN (SELECT value FROM json_each(?))"
            " UNION SELECT serial FROM attempt WHERE account = ? AND task IN (SELECT value FROM json_each(?))"
            f") AND {VISIBLE} ORDER BY serial",
            (
                *(scope.account, json.dumps(list(fingerprints)), scope.account, json.dumps(list(tasks))),
                json.dumps(scope.names),
            ),
        ).fetchall()

    def repositories_with_open(self, account: int) -> list[str]:
        """The top folders of the repositories that have left something open."""
        query = "SELECT DISTINCT repository FROM attempt WHERE open AND account = ? AND repository LIKE '/%'"
        return [row["repository"] for row in self.db.execute(query, (account,))]

    def open_of(self, account: int, repositories: Collection[str]) -> list[sqlite3.Row]:
        """The open attempts of some repositories."""
        return self.db.execute(
            "SELECT * FROM attempt WHERE open AND account = ? AND repository IN (SELECT value FROM json_each(?))"
            " ORDER BY serial",
            (account, json.dumps(list(repositories))),
        ).fetchall()

    def row_of_task(self, account: int, task: str) -> sqlite3.Row | None:
        """The attempt of a task, that counts in the whole account before one that does not."""
        row: sqlite3.Row | None = self.db.execute(
            "SELECT * FROM attempt WHERE account = ? AND task = ? ORDER BY scope LIMIT 1", (account, task)
        ).fetchone()
        return row

    def is_known_by_commit(self, account: int) -> bool:
        """Whether rows of an account stand under a name that the first version took from a first commit."""
        row = self.db.execute(
            "SELECT 1 FROM attempt WHERE account = ? AND repository >= 'commit:' AND repository < 'commit;' LIMIT 1",
            (account,),
        ).fetchone()
        return row is not None

    def rename_repository(self, scope: LedgerScope) -> None:
        """Move the rows that the first version wrote under another name of a repository under its folder."""
        for name in scope.previous_names:
            self.db.execute(
                "UPDATE attempt SET repository = ? WHERE account = ? AND repository = ?",
                (scope.repository, scope.account, name),
            )
            self.db.execute(
                "UPDATE OR IGNORE attempt SET scope = ? WHERE account = ? AND scope = ?",
                (scope.repository, scope.account, name),
            )

    def _append_event(self, serial: int | None, event: Event) -> None:
        self.db.execute(
            "INSERT INTO event(attempt, at, kind, data) VALUES (?, ?, ?, ?)", (serial, *encode_event(event))
        )

    def write_event(self, event: Event, scope: LedgerScope | None = None) -> AlreadyAttempted | None:
        """Write an event, and the state of its attempt after the event; a refusal if another row contradicts it.

        `scope` is that of the run that writes.
        """
        row = self.db.execute("SELECT * FROM attempt WHERE id = ?", (event.attempt,)).fetchone()
        # An older copy of the ledger in its place: going on would order again what that copy has never seen.
        if row is None:
            raise LedgerUnusable(f"the ledger has no attempt {event.attempt}: was the file replaced by an older copy?")
        if scope is not None and isinstance(event.payload, Stored | Doubtful):
            event = replace(event, payload=_seen_from(row, scope, event.payload))
        after = apply_event(attempt_from_row(row), event)
        if after.task_id is not None and after.task_id != row["task"] and self._task_taken(row, after.task_id):
            return AlreadyAttempted(f"task {after.task_id} belongs to another attempt")
        # `settle --undo` can open an attempt again, while another of the take was made meanwhile.
        if after.state.is_open and not row["open"] and self._has_open_attempt(row):
            return AlreadyAttempted("another attempt of the same take is already open")
        sent, _, *rest = _state_columns(after, "")
        self.db.execute(
            "UPDATE attempt SET sent = ?, state = ?, open = ?, task = ?, costs = ?, folded = ? WHERE serial = ?",
            (sent, *rest, row["serial"]),
        )
        self._append_event(row["serial"], event)
        # The bill equals the quote: it is this very task, and not one whose id somebody wrote into a manifest.
        if isinstance(event.payload, Succeeded) and after.credits_used == after.intent.quoted:
            self._count_in_account(row)
        return None

    def _count_in_account(self, row: sqlite3.Row) -> None:
        """Count an attempt of a manifest as the account's: the provider confirmed it with this user's key."""
        self.db.execute(
            "UPDATE OR IGNORE attempt SET scope = '' WHERE serial = ? AND scope <> ''"
            " AND account NOT IN (SELECT id FROM account WHERE free)",
            (row["serial"],),
        )

    def _task_taken(self, row: sqlite3.Row, task: str) -> bool:
        cursor = self.db.execute(
            f"SELECT 1 FROM attempt WHERE account = ? AND task = ? AND serial <> ? AND {VISIBLE}",  # noqa: S608
            (row["account"], task, row["serial"], json.dumps([row["scope"]])),
        )
        return cursor.fetchone() is not None

    def _has_open_attempt(self, row: sqlite3.Row) -> bool:
        cursor = self.db.execute(
            f"SELECT 1 FROM attempt WHERE account = ? AND fingerprint = ? AND open AND serial <> ? AND {VISIBLE}",  # noqa: S608
            (row["account"], row["fingerprint"], row["serial"], json.dumps([row["repository"]])),
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

    def note_saved_plan(self, account: int, saved: SavedPlanRow, at: str) -> None:
        self.db.execute(
            "INSERT INTO saved_plan(id, account, digest, ceiling, at) VALUES (?, ?, ?, ?, ?)",
            (saved.id, account, saved.digest, to_microcredits(saved.ceiling), at),
        )

    def saved_plan(self, account: int, id: str) -> SavedPlanRow | None:
        row = self.db.execute(
            "SELECT digest, ceiling FROM saved_plan WHERE id = ? AND account = ?", (id, account)
        ).fetchone()
        return None if row is None else SavedPlanRow(id, row["digest"], credits_of(row["ceiling"]))

    def sum(self, condition: str, *values: Any) -> Decimal:
        row = self.db.execute(f"SELECT COALESCE(SUM(costs), 0) FROM attempt WHERE {condition}", values).fetchone()  # noqa: S608
        return credits_of(int(row[0]))


def attempt_from_row(row: sqlite3.Row) -> Attempt:
    return decode_attempt(row["id"], decode_intent(row, row["intended"]), row["folded"])


def attempt_for(scope: LedgerScope, row: sqlite3.Row, is_alive: Callable[[str], bool]) -> Attempt:
    """An attempt as it is seen from a repository: whether another one ordered it, and where its clips lie."""
    attempt = attempt_from_row(row)
    own = row["repository"] in scope.names
    if own and all(clip.repository is None for clip in attempt.clips):
        return attempt

    def seen(clip: Clip) -> Clip:
        place = clip.repository or row["repository"]
        return replace(clip, repository=None if place in scope.names else place)

    attempt = replace(
        attempt,
        clip=None if attempt.clip is None else seen(attempt.clip),
        other_copies=tuple(map(seen, attempt.other_copies)),
    )
    if own:
        return attempt
    # Of a dead run nobody brings the clip: this one takes it over.
    held = attempt.state.is_open and is_alive(attempt.intent.run)
    return replace(attempt, repository=row["repository"], held_elsewhere=held)


def _seen_from(row: sqlite3.Row, scope: LedgerScope, stored: Stored | Doubtful) -> Stored | Doubtful:
    """A clip's place as it stands in the row: beside its name the repository, where that is not the attempt's own."""
    place = stored.clip.repository or scope.repository
    own = place == row["repository"] or (place == scope.repository and row["repository"] in scope.names)
    return replace(stored, clip=replace(stored.clip, repository=None if own else place))


def _state_columns(attempt: Attempt, intent_text: str) -> tuple[Any, ...]:
    """The columns (sent, intended, state, open, task, costs, folded) of an attempt's current state."""
    return (
        attempt.sent_at.timestamp() if attempt.sent_at else None,
        intent_text,
        str(attempt.state),
        attempt.state.is_open,
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
    if attempt.state.has_result:
        ended_at = attempt.ended_at or attempt.intended_at
        events.append(Event(ended_at, attempt.id, Succeeded(attempt.outputs, attempt.credits_used)))
        if attempt.clip is not None and attempt.state is AttemptState.STORED:
            events.append(Event(ended_at, attempt.id, Stored(attempt.clip, attempt.notes)))
        if attempt.clip is not None and attempt.state is AttemptState.DOUBTFUL:
            events.append(Event(ended_at, attempt.id, Doubtful(attempt.clip, attempt.doubt)))
    return events
