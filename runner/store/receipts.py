"""Task ids, each synced to disk as the very first thing after its answer: one file for each account and month.

The files lie beside the ledger, are only appended to, and never deleted: what a ledger forgot is read back from them.
"""

import fcntl
import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from runner.attempts.events import Account, Intent
from runner.clock import Clock, format_utc
from runner.diagnostics.failures import LedgerUnusable
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern
from runner.store.durability import sync_above
from runner.store.locks import open_file

FOLDER = "receipts"
# The begin of a line, as `Receipts.write` writes it.
_TASK = lazy_pattern(r'\{"attempt":"[^"\n]*","task":"([^"\n]*)"')
BLOCK = 64 << 10
"""Bytes that are compared at once."""
# Receipts of so many days are compared with the ledger.
_COMPARED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One task id, with what it was created for."""

    attempt: str
    task: str
    at: str
    account: Account | None = None
    """None in a receipt of the first version, which holds attempt and task only."""
    repository: str = ""
    intent: Intent | None = None


class Receipts:
    """The receipts of an account, for one run; any thread may write."""

    def __init__(self, state: Path, account: Account, repository: str, clock: Clock) -> None:
        self.folder = state / FOLDER / re.sub(r"[^A-Za-z0-9.@-]", "_", f"{account.provider}@{account.host}")
        self._state = state
        self._account = account
        self._repository = repository
        self._clock = clock
        self._lock = threading.Lock()
        self._file: int | None = None
        self._month = ""
        try:
            for folder in (self.folder.parent, self.folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open(f"{clock.now():%Y-%m}")
        except OSError as error:
            raise LedgerUnusable(f"no receipts can be kept in {state}: {error.strerror}") from error

    def _open(self, month: str) -> int:
        """The file of a month, whose name no power loss takes back."""
        if self._file is None or month != self._month:
            self.close()
            path = self.folder / f"{month}.jsonl"
            self._file, self._month = open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND), month
            sync_above(path, top=self._state)
        return self._file

    def write(self, attempt: str, task_id: str, at: datetime, intent: Intent | None) -> None:
        """Write one line, on disk when this returns; OSError when it is not."""
        fields = {"attempt": attempt, "task": task_id, "at": format_utc(at)} | self._details(intent)
        line = json.dumps(fields, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            file = self._open(f"{self._clock.now():%Y-%m}")
            # Runs of several processes append to the same file, and look at its last byte before.
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                _append(file, line)
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def _details(self, intent: Intent | None) -> dict[str, Any]:
        """The facts about a paid task that a ledger needs if it lost the task's row."""
        details: dict[str, Any] = {"account": [self._account.provider, self._account.host]}
        if intent is None:
            return details
        return details | {
            "repository": self._repository,
            "storyboard": intent.storyboard,
            "shot": intent.shot,
            "take": intent.take,
            "fingerprint": intent.fingerprint,
            "quoted": str(intent.quoted),
            "run": intent.run,
            "profile": intent.profile,
            "edition": intent.edition,
            "key_id": intent.key_id,
            "request": dict(intent.request),
            **({} if intent.saved_plan is None else {"plan": intent.saved_plan}),
        }

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _append(file: int, line: bytes) -> None:
    """Append a whole line, on a line of its own even behind a torn one. OSError."""
    size = os.fstat(file).st_size
    # A line that a power loss tore off has no end: the next one must not be glued to it.
    rest = line if size == 0 or os.pread(file, 1, size - 1) == b"\n" else b"\n" + line
    while rest:
        # `write` may take a part only, where a signal or a nearly full disk comes between.
        rest = rest[os.write(file, rest) :]
    # Before anything else is done with the answer: a task id that is lost is a clip that is paid again.
    os.fdatasync(file)


def recent_files(state: Path, now: datetime) -> list[Path]:
    """The files that may hold a receipt of the last days, of every account."""
    first = f"{now - _COMPARED:%Y-%m}"
    return [path for path in sorted((state / FOLDER).glob("*/*.jsonl")) if path.stem >= first]


@dataclass(frozen=True, slots=True)
class NewLines:
    """The lines of a receipts file behind an offset whose tasks the ledger does not have."""

    lines: list[tuple[int, Receipt | None]]
    """Each with the offset at which it begins; None for a line that is torn or foreign."""
    end: int
    """The offset behind the last whole line."""


def read_from(path: Path, offset: int, are_recorded: Callable[[list[str]], frozenset[str]]) -> NewLines:
    """The lines behind an offset; `are_recorded` says which of some tasks the ledger has: their lines are left out."""
    lines: list[tuple[int, Receipt | None]] = []
    try:
        for block in _blocks(path, offset):
            # Latin-1 reads any bytes and fails at none; task ids are ASCII.
            tasks = _TASK.findall(block.decode("latin-1"))
            recorded = are_recorded(tasks)
            # The usual block holds what the ledger has already: then no line of it is parsed.
            if len(tasks) != block.count(b"\n") or not recorded.issuperset(tasks):
                lines += _lines_of(block, offset, recorded)
            offset += len(block) if block.endswith(b"\n") else 0
    except OSError as error:
        raise LedgerUnusable(f"the receipts in {path} cannot be read: {error.strerror}") from error
    return NewLines(lines, offset)


def _blocks(path: Path, offset: int) -> Iterator[bytes]:
    """Pieces of whole lines, but perhaps the last: small enough for a processor's cache."""
    # Without blocking: a pipe in its place would wait for a writer for ever.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise LedgerUnusable(f"{path} is not a file of receipts but a device or a pipe: move it away")
        file.seek(offset)
        begun: list[bytes] = []
        while piece := file.read(BLOCK):
            end = piece.rfind(b"\n") + 1
            if end:
                yield b"".join((*begun, piece[:end]))
                begun.clear()
            begun.append(piece[end:])
        if any(begun):
            yield b"".join(begun)


def _lines_of(block: bytes, offset: int, recorded: frozenset[str]) -> Iterator[tuple[int, Receipt | None]]:
    for line in block.splitlines(keepends=True):
        match = _TASK.match(line.decode("latin-1"))
        is_whole = line.endswith((b"}\n", b"}"))
        if line.strip() and not (match is not None and is_whole and match[1] in recorded):
            receipt = parse(line)
            if receipt is not None or line.endswith(b"\n"):  # else another process is writing it
                yield offset, receipt
        offset += len(line)


def parse(line: bytes) -> Receipt | None:
    """A line as a receipt."""
    try:
        fields = json.loads(line)
        provider, host = fields["account"]
        account = Account(str(provider), str(host))
        intent = _intent(fields) if "fingerprint" in fields else None
        attempt, task, at = str(fields["attempt"]), str(fields["task"]), str(fields["at"])
        datetime.fromisoformat(at)
        return Receipt(attempt, task, at, account, str(fields.get("repository", "")), intent)
    except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation, OverflowError, RecursionError):
        return None


def _intent(fields: Mapping[str, Any]) -> Intent:
    return Intent(
        storyboard=str(fields["storyboard"]),
        shot=str(fields["shot"]),
        take=int(fields["take"]),
        fingerprint=str(fields["fingerprint"]),
        request=dict(fields["request"]),
        body="",
        quoted=Decimal(fields["quoted"]),
        edition=str(fields["edition"]),
        key_id=str(fields["key_id"]),
        webhook_token="",
        run=str(fields["run"]),
        profile=None if fields["profile"] is None else str(fields["profile"]),
        saved_plan=None if fields.get("plan") is None else str(fields["plan"]),
    )


def read_first_version(path: Path) -> list[Receipt]:
    """The receipts in a file of the first version; a line that was cut off in the middle of writing is none."""
    try:
        text = path.read_bytes().split(b"\0", 1)[0]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerUnusable(f"the receipts in {path} cannot be read: {error.strerror}") from error
    receipts = []
    for line in text.split(b"\n"):
        try:
            fields = json.loads(line)
            receipts.append(Receipt(str(fields["attempt"]), str(fields["task"]), str(fields["at"])))
        except (ValueError, TypeError, KeyError):
            continue
    return receipts
