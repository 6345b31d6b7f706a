"""The ledger's database file: created completely or not at all, identified, and checked for replacement."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from runner.diagnostics.failures import LedgerUnusable
from runner.store.durability import sync_above, sync_folder
from runner.store.ledger import schema
from runner.store.ledger.file_name import NAME

# How long a writer waits for the transaction of another run: a slow disk takes seconds to sync.
_BUSY_TIMEOUT_MS = 30_000
_RESERVE_FILE = "reserve"
# Bytes released when the disk is full, so that the answer to a paid request can still be recorded.
_RESERVE_BYTES = 1024 * 1024


class LedgerFile:
    """The connection to the ledger's database, and the file behind the connection."""

    def __init__(self, state: Path) -> None:
        self.path = state / NAME
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():
                _create(state, self.path)
            self._open()
        except OSError as error:
            raise LedgerUnusable(f"cannot open a ledger in {state}: {error.strerror}") from error
        except sqlite3.Error as error:
            raise database_error(self.path, error) from error

    def _open(self) -> None:
        self._opened_inode = _inode(self.path)
        self.connection = _connect(self.path)
        self.is_first_form = _version(self.connection) < schema.VERSION
        if self.is_first_form:
            self.connection.executescript(schema.READ_FIRST_FORM)
        self._lacks_plans = not self.is_first_form and not schema.knows_plans(self.connection)
        if self._lacks_plans:
            self.connection.executescript(schema.READ_WITHOUT_PLANS)

    def migrate(self, report: Callable[[str], None]) -> None:
        """Bring an older ledger to the present form; a reader leaves it as it is."""
        if not (self.is_first_form or self._lacks_plans):
            return
        try:
            self.connection.close()
            if self.is_first_form:
                schema.migrate(self.path, lambda: _connect(self.path), report)
            else:
                with closing(_connect(self.path)) as connection:
                    schema.add_plans(connection)
            self._open()
        except OSError as error:
            raise LedgerUnusable(
                f"the ledger {self.path} cannot be brought to its new form ({error.strerror}): it is as it was; "
                "make room on that disk or mend its rights, then run again",
            ) from error
        except sqlite3.Error as error:
            raise database_error(self.path, error) from error

    def check(self) -> None:
        """Raise `LedgerUnusable` when the opened file was moved or replaced: further rows would be lost."""
        try:
            same = _inode(self.path) == self._opened_inode
        except OSError:
            same = False
        if not same:
            raise LedgerUnusable(
                f"the ledger {self.path} was moved, deleted or replaced during this run: put it back, then run again; "
                "nothing more was sent",
            )

    def close(self) -> None:
        self.connection.close()


def _inode(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _create(state: Path, path: Path) -> None:
    """Create a ledger under a temporary name, then link it: a crash leaves no ledger, never an empty one."""
    new = state / f"new-ledger-{os.getpid()}.db"
    # Left by a killed process that had the same number.
    new.unlink(missing_ok=True)
    # Made by us and not by SQLite, which would give it the rights of the umask: prompts stand in it.
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(new)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(
            f"BEGIN; {schema.CREATE} PRAGMA application_id = {schema.APPLICATION_ID};"
            f" PRAGMA user_version = {schema.VERSION}; COMMIT;"
        )
    finally:
        connection.close()
    sync_above(state)  # before the ledger exists: a power loss can then no longer take its folder
    try:
        # A link fails where a ledger is, and `rename` would replace it: two first runs at once make one ledger.
        os.link(new, path)
    except FileExistsError:  # another run was first
        pass
    finally:
        new.unlink()
    sync_folder(state)


def _connect(path: Path) -> sqlite3.Connection:
    # `mode=rw` never creates: a ledger that has just been deleted is an error, not an empty one that has paid for
    # nothing.
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    try:
        _prepare(connection)
        _check_format(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """A rollback journal, no lasting second file, and a write to a deleted file is an error."""
    # No write-ahead log: it does not work on network drives, and leaves files that a copy of the ledger would miss.
    # EXTRA syncs the folder, too, so that no power loss brings a finished journal back.
    for pragma in (
        "journal_mode = DELETE",
        "synchronous = EXTRA",
        f"busy_timeout = {_BUSY_TIMEOUT_MS}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.row_factory = sqlite3.Row


def _quoted(path: Path) -> str:
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = _version(connection)
    if application != schema.APPLICATION_ID:
        empty = path.stat().st_size == 0
        raise LedgerUnusable(
            f"{path} is {'empty' if empty else 'not a ledger of storyboard'}: restore it from a backup, or, if nothing "
            "was ever paid with it, move it away; nothing was sent",
        )
    # A newer version may have rules of its own for what counts: reading half of them could pay twice.
    if version > schema.VERSION:
        raise newer_version_error(path, f"format {version}; this version reads format {schema.VERSION}")
    if version == schema.VERSION:
        schema.check_columns(connection, path)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def newer_version_error(path: Path, detail: str) -> LedgerUnusable:
    """The error for a ledger of a newer version, which this version must not touch; `detail` is the evidence."""
    return LedgerUnusable(
        f"{path} was written by a newer version of storyboard ({detail}): install that version; nothing was sent",
    )


def database_error(path: Path, error: sqlite3.Error) -> LedgerUnusable:
    """The error for a failed database operation; no money is at risk: no request leaves without a stored intent."""
    message = str(error)
    if "not a database" in message or "malformed" in message:
        hint = "it is damaged: restore it from a backup"
    elif "full" in message:
        hint = "free space on that disk, then run again"
    elif "readonly" in message:
        hint = "it was moved or deleted, or is not writable: put it back or fix its permissions, then run again"
    elif "locked" in message:
        hint = "another process has it locked: wait for that process, then run again"
    else:
        hint = "check that disk, then run again"
    return LedgerUnusable(f"the ledger {path} cannot be used ({message}): {hint}")


def reserve_space(state: Path) -> None:
    """Reserve disk space for the rows after a paid answer; `LedgerUnusable` when the disk is full."""
    path = state / _RESERVE_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # Blocks and not length: a sparse file has the length and reserves nothing.
            if os.fstat(descriptor).st_blocks * 512 < _RESERVE_BYTES:
                os.posix_fallocate(descriptor, 0, _RESERVE_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise LedgerUnusable(f"no space for the ledger in {state}: {error.strerror}; nothing was sent") from error


def release_space(state: Path) -> None:
    """Release the reserved disk space."""
    (state / _RESERVE_FILE).unlink(missing_ok=True)
