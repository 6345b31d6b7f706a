"""The ledger's form, the one before it, and how a ledger of the first form is read and brought to the second."""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path

from runner.diagnostics.failures import LedgerUnusable
from runner.store.durability import sync_folder
from runner.store.locks import open_file, wait_for_lock

APPLICATION_ID = 0x53424C47  # "SBLG"
VERSION = 2
BACKUP = "ledger.db.v1"
"""The ledger of the first form, as it was before it was brought to the second; never deleted."""
_TABLES = """
CREATE TABLE account(
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, host TEXT NOT NULL, free INTEGER NOT NULL,
    UNIQUE(provider, host)
);
CREATE TABLE attempt(
    serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES account, repository TEXT NOT NULL,
    storyboard TEXT NOT NULL, shot TEXT NOT NULL, take INTEGER NOT NULL, fingerprint TEXT NOT NULL,
    run TEXT NOT NULL, at REAL NOT NULL, sent REAL, intended TEXT NOT NULL,
    state TEXT NOT NULL, open INTEGER NOT NULL, task TEXT, costs INTEGER NOT NULL, folded TEXT NOT NULL,
    scope TEXT NOT NULL DEFAULT '', migrated INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE event(
    serial INTEGER PRIMARY KEY, attempt INTEGER NOT NULL REFERENCES attempt, at TEXT NOT NULL, kind TEXT NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX event_of ON event(attempt);
CREATE TABLE turn(run TEXT PRIMARY KEY, account INTEGER NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
"""
_ADDED = """
CREATE UNIQUE INDEX one_open_attempt ON attempt(account, scope, fingerprint) WHERE open AND NOT migrated;
CREATE UNIQUE INDEX one_attempt_a_task ON attempt(account, scope, task) WHERE task IS NOT NULL;
CREATE INDEX attempt_of ON attempt(account, fingerprint);
CREATE INDEX attempt_of_task ON attempt(task, account) WHERE task IS NOT NULL;
CREATE INDEX attempt_of_shot ON attempt(account, repository, storyboard, shot);
CREATE INDEX attempt_by_time ON attempt(account, at, costs);
CREATE INDEX attempt_by_run ON attempt(run, costs);
CREATE INDEX attempt_open ON attempt(account, state) WHERE open;
CREATE INDEX attempt_open_of ON attempt(account, repository) WHERE open;
CREATE TABLE compared(file TEXT PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE forgotten(task TEXT PRIMARY KEY, at TEXT NOT NULL) WITHOUT ROWID;
"""
# The plans that this ledger wrote, and the plan that an attempt was ordered by: what the second form grew by.
_SAVED_PLANS = """
ALTER TABLE attempt ADD COLUMN plan TEXT;
CREATE INDEX attempt_of_plan ON attempt(plan, costs) WHERE plan IS NOT NULL;
CREATE TABLE saved_plan(
    id TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES account, digest TEXT NOT NULL, ceiling INTEGER NOT NULL,
    at TEXT NOT NULL
) WITHOUT ROWID;
"""
CREATE = _TABLES + _ADDED + _SAVED_PLANS
"""`scope` is where an attempt counts: everywhere in its account (''), or in the one repository of that name; `compared`
up to where the rows of a receipts file are here; `forgotten` the tasks that the user has given up."""
_PATH = "CASE WHEN repository LIKE 'path:%' THEN substr(repository, 6) ELSE repository END"
# Rows that count in their own repository only: what a manifest told, and free clips.
_ALONE = "id LIKE 'm-%' OR account IN (SELECT id FROM account WHERE free)"
# Named one by one: `SELECT *` of the first form would have `repository` twice.
_COLUMNS = "serial, id, account, storyboard, shot, take, fingerprint, run, at, sent, intended, state, open, task, costs"
READ_FIRST_FORM = f"""
CREATE TEMP TABLE compared(file TEXT PRIMARY KEY, offset INTEGER NOT NULL);
CREATE TEMP TABLE forgotten(task TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TEMP VIEW attempt AS SELECT {_COLUMNS}, folded, {_PATH} AS repository,
    CASE WHEN {_ALONE} THEN {_PATH} ELSE '' END AS scope, 1 AS migrated, NULL AS plan FROM main.attempt
"""  # noqa: S608 (no word of it comes from outside)
"""A reader sees a ledger of the first form in the second one, and leaves the file as it is."""
_TO_SECOND_FORM = f"""
DROP INDEX one_open_attempt;
DROP INDEX one_attempt_a_task;
DROP INDEX attempt_of;
DROP INDEX attempt_by_time;
DROP INDEX attempt_by_run;
DROP INDEX attempt_open;
ALTER TABLE attempt ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN migrated INTEGER NOT NULL DEFAULT 1;
UPDATE attempt SET repository = substr(repository, 6) WHERE repository LIKE 'path:%';
UPDATE attempt SET scope = repository WHERE {_ALONE};
{_ADDED}
{_SAVED_PLANS}
PRAGMA user_version = {VERSION};
"""  # noqa: S608 (no word of it comes from outside)
# 16 MB between two reports of the copy's progress.
_PAGES_A_STEP = 4096


def migrate(path: Path, connect: Callable[[], sqlite3.Connection], report: Callable[[str], None]) -> None:
    """Bring a ledger of the first form to the second, once, after a copy of it is on the disk.

    Killed or failed at any point it leaves the ledger in the first form: the change is one transaction.
    """
    # A lock of its own, and not SQLite's: the copy must not be made twice, and it takes long.
    lock = open_file(path.parent / "migration")
    try:
        wait_for_lock(lock)
        connection = connect()
        try:
            # Asked behind the lock: another process may have done it meanwhile.
            if connection.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                _copy(connection, path, report)
                _change(connection, path, report)
        finally:
            connection.close()
    finally:
        os.close(lock)


def _copy(connection: sqlite3.Connection, path: Path, report: Callable[[str], None]) -> None:
    """A whole copy beside the ledger, by SQLite's backup; under its name once it is durable."""
    part = path.with_name(f"new-{BACKUP}")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with contextlib.closing(sqlite3.connect(part)) as copy:
        connection.backup(copy, pages=_PAGES_A_STEP, progress=partial(_report_copied, report))
    with part.open("rb") as file:
        os.fsync(file.fileno())
    # Under its name only once it is whole and synced: nothing is changed before that.
    part.replace(path.with_name(BACKUP))
    sync_folder(path.parent)


def _report_copied(report: Callable[[str], None], _status: int, remaining: int, total: int) -> None:
    """Report the progress of the copy, for a ledger that takes more than a moment."""
    if total > _PAGES_A_STEP:
        report(f"the ledger is copied: {100 * (total - remaining) // total} %")


def _change(connection: sqlite3.Connection, path: Path, report: Callable[[str], None]) -> None:
    # No reader either: it would see the second form's columns half made.
    connection.execute("BEGIN EXCLUSIVE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] >= VERSION:
            return
        count = connection.execute("SELECT COUNT(*) FROM main.attempt").fetchone()[0]
        report(
            f"the ledger is brought to its new form: {count} attempts; a copy of the old one stays in "
            f"{path.with_name(BACKUP)}"
        )
        # One by one: `executescript` would commit the transaction first.
        for statement in _TO_SECOND_FORM.split(";"):
            connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


READ_WITHOUT_PLANS = """
CREATE TEMP VIEW attempt AS SELECT *, NULL AS plan FROM main.attempt;
CREATE TEMP TABLE saved_plan(id TEXT, account INTEGER, digest TEXT, ceiling INTEGER, at TEXT)
"""
"""A reader sees a ledger that was written before there were saved plans as one without any."""


def knows_plans(connection: sqlite3.Connection) -> bool:
    """Whether a ledger of the second form has the columns of saved plans."""
    return "plan" in _columns(connection)


def add_plans(connection: sqlite3.Connection) -> None:
    """Let a ledger of the second form grow by the saved plans, in one transaction."""
    connection.execute("BEGIN EXCLUSIVE")
    try:
        if not knows_plans(connection):
            for statement in _SAVED_PLANS.split(";"):
                connection.execute(statement)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute("PRAGMA main.table_info(attempt)")}


def check_columns(connection: sqlite3.Connection, path: Path) -> None:
    """Stop where a ledger says that it has the second form, and has not: somebody else changed it halfway."""
    if not {"scope", "migrated"} <= _columns(connection):
        raise LedgerUnusable(
            f"{path} was changed to its new form by half: put {path.with_name(BACKUP)} in its place, then run again; "
            "nothing was sent",
        )
