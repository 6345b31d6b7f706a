"""State of a folder, replayed from its journal: tasks, uploads, credits, counters."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue, canonical_json
from runner.sandbox.state.journal import Journal, Line
from runner.sandbox.state.task import Task, bill, is_bill_whole, is_open

TASK_FIELDS: Mapping[str, str] = {
    "id": "id",
    "account": "account",
    "model": "model",
    "credits": "credits",
    "made": "created_at",
    "lasts": "seconds",
    "order": "spec",
    "seed": "seed",
    "callback": "callback",
    "error": "error",
    "fault": "fault",
    "prompt": "prompt",
    "number": "number",
    "server": "server",
    "begun": "started_at",
    "drawn": "drawn_at",
    "called": "callback_result",
    "bills": "late_credits",
    "bills_after": "late_seconds",
}
"""Fields of a task by their names in the journal, which never change."""

UPLOAD_FACTS: Mapping[str, str] = {
    "kind": "kind",
    "sha256": "sha256",
    "bytes": "bytes",
    "seconds": "seconds",
    "width": "width",
    "height": "height",
    "unfit": "rejection",
}
"""Fields of an upload's measurements by their names in the journal."""


@dataclass(slots=True)
class Upload:
    """One uploaded file; reserved only, while `is_stored` is false."""

    id: str
    account: str
    name: str
    created_at: float
    token: str = field(repr=False)
    is_stored: bool = False
    kind: str = ""
    sha256: str = ""
    bytes: int = 0
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    rejection: str = ""
    """Reason why the file cannot be a material; empty when it can."""


@dataclass(slots=True)
class AccountBalance:
    """Credits and concurrency of an account; None: no limit."""

    credits: float | None
    cap: int | None
    charged: float = 0
    """Credits of finished successful tasks."""
    growing: dict[str, float] = field(default_factory=dict)
    """Finished tasks whose bill is not whole yet, and what was charged for each."""
    open_tasks: set[str] = field(default_factory=set)
    peak_open_tasks: int = 0


class SandboxState:
    """The replayed state, the only one that outlives a server; every change is first a line of the journal."""

    def __init__(self, folder: Path, credits: int | None, cap: int | None) -> None:
        self.folder = folder
        self.tasks: dict[str, Task] = {}
        self.uploads: dict[str, Upload] = {}
        self.balances: dict[str, AccountBalance] = {}
        self.body_counts: Counter[str] = Counter()
        self.misplaced: list[Mapping[str, JsonValue]] = []
        self.clock_offset = 0.0
        self.unknown_entry = ""
        """First journal entry that only a later version knows; empty when there is none."""
        self._credits, self._cap = credits, cap
        self.journal = Journal(folder)

    def refresh(self) -> None:
        """Apply the lines that other servers of this folder wrote."""
        for line in self.journal.read_new():
            try:
                self._apply(line)
            except (KeyError, TypeError, ValueError):
                continue  # a line that was edited by hand, or written by another version

    def write(self, *lines: Line) -> None:
        """Append lines to the journal and apply them."""
        with self.journal.locked():
            self.write_locked(*lines)

    def write_locked(self, *lines: Line) -> None:
        """Append and apply lines while the journal is already locked."""
        self.journal.append(list(lines))
        self.refresh()

    def balance_of(self, account: str) -> AccountBalance:
        """The account's balance, created at its first use."""
        return self.balances.setdefault(account, AccountBalance(self._credits, self._cap))

    def close_finished(self, account: str, now: float) -> AccountBalance:
        """The balance after finished tasks have released their slots, and failed ones their credits."""
        balance = self.balance_of(account)
        # A copy: the loop takes out what has ended.
        for task in [self.tasks[task_id] for task_id in balance.open_tasks]:
            if not is_open(task, now):
                balance.open_tasks.discard(task.id)
                balance.growing[task.id] = 0
        for task_id, charged in list(balance.growing.items()):
            task = self.tasks[task_id]
            # A bill may grow after the end: only what is new is added.
            balance.charged += bill(task, now) - charged
            balance.growing[task_id] = bill(task, now)
            if is_bill_whole(task, now):
                del balance.growing[task_id]
        return balance

    def reserved(self, balance: AccountBalance) -> float:
        """Credits of unfinished tasks."""
        return sum(self.tasks[task_id].credits for task_id in balance.open_tasks)

    def available(self, balance: AccountBalance) -> float | None:
        """Credits that a new task may reserve; None: no limit."""
        return None if balance.credits is None else balance.credits - balance.charged - self.reserved(balance)

    def clip_path(self, task_id: str) -> Path:
        """Path of a task's clip, drawn or not."""
        return self.folder / "clips" / f"{task_id}.mp4"

    def upload_path(self, upload: Upload) -> Path:
        """Path of an upload's bytes; the client's extension stays, since media types are derived from it."""
        return self.folder / "uploads" / f"{upload.id}{Path(upload.name).suffix.lower()}"

    def _apply(self, line: Mapping[str, Any]) -> None:
        match line["event"]:
            case "task":
                self._add_task(Task(**self._field_values(TASK_FIELDS, line)), line["body"])
            case "begun":
                self.tasks[line["id"]].started_at = float(line["at"])
            case "drawn":
                self.tasks[line["id"]].drawn_at = float(line["at"])
            case "broken":
                task = self.tasks[line["id"]]
                task.error, task.seconds = str(line["error"]), float(line["at"]) - task.created_at
            case "called":
                self.tasks[line["id"]].callback_result = str(line["result"])
            case "adopted":
                self.tasks[line["id"]].server = line["by"]
            case "upload":
                self.uploads[line["id"]] = Upload(
                    line["id"], line["account"], line["name"], line["made"], line["token"]
                )
            case "stored":
                upload = self.uploads[line["id"]]
                for attribute, value in self._field_values(UPLOAD_FACTS, line["facts"]).items():
                    setattr(upload, attribute, value)
                upload.is_stored = True
            # A new limit begins a new balance, into which all tasks are counted again.
            case "purse":
                self.balances[line["account"]] = AccountBalance(line["credits"], line["cap"])
                self._recount()
            case "clock":
                self.clock_offset = float(line["offset"])
                self._recount()
            case "misplaced":
                self.misplaced.append({"path": line["path"], "where": line["where"]})
            case event:
                self.unknown_entry = self.unknown_entry or f"an event {event!r}"

    def _field_values(self, fields: Mapping[str, str], line: Mapping[str, Any]) -> dict[str, Any]:
        """Values of a line by field name; notes a name that only a later version writes."""
        unknown = line.keys() - fields.keys() - {"event", "body"}
        if unknown:
            self.unknown_entry = self.unknown_entry or f"a field {min(unknown)!r}"
        return {attribute: line[name] for name, attribute in fields.items() if name in line}

    def _add_task(self, task: Task, body_hash: str) -> None:
        self.tasks[task.id] = task
        self.body_counts[body_hash] += 1
        balance = self.close_finished(task.account, task.created_at)
        balance.open_tasks.add(task.id)
        balance.peak_open_tasks = max(balance.peak_open_tasks, len(balance.open_tasks))

    def _recount(self) -> None:
        """Recompute all balances: a clock set back reopens finished tasks."""
        for balance in self.balances.values():
            balance.open_tasks, balance.charged, balance.growing = set(), 0, {}
        for task in self.tasks.values():
            self.balance_of(task.account).open_tasks.add(task.id)


def task_line(task: Task, body_hash: str) -> Line:
    """The journal's line for a new task; `body_hash` counts tasks with the same body."""
    fields = {name: getattr(task, attribute) for name, attribute in TASK_FIELDS.items()}
    if task.late_credits is None:  # an earlier version reads this line as well
        fields = {name: value for name, value in fields.items() if not name.startswith("bills")}
    return {"event": "task", "body": body_hash} | fields


def body_hash(account: str, body: Mapping[str, JsonValue]) -> str:
    """Hash shared by all variations of one body of an account."""
    text = canonical_json({"account": account, "asked": dict(body)})
    return hashlib.sha256(text.encode()).hexdigest()[:32]
