"""Everything that happened on a state folder, folded from its journal: tasks, uploads, credits, counters."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue, canonical_json
from runner.sandbox.state.journal import Journal, Line
from runner.sandbox.state.task import Task, open_at

TASK_FIELDS: Mapping[str, str] = {
    "id": "id",
    "account": "account",
    "model": "model",
    "credits": "credits",
    "made": "made",
    "lasts": "lasts",
    "order": "order",
    "seed": "seed",
    "callback": "callback",
    "error": "error",
    "fault": "fault",
    "prompt": "prompt",
    "number": "number",
    "server": "server",
    "begun": "begun",
    "drawn": "drawn",
    "called": "called",
}
"""A task's line in the journal: the name that stands there and never changes, and the field."""

UPLOAD_FACTS: Mapping[str, str] = {
    "kind": "kind",
    "sha256": "sha256",
    "bytes": "bytes",
    "seconds": "seconds",
    "width": "width",
    "height": "height",
    "unfit": "unfit",
}
"""The same of what was measured of an upload."""


@dataclass(slots=True)
class Upload:
    """One file that a client put here; without `stored` its place was only reserved."""

    id: str
    account: str
    name: str
    made: float
    token: str = field(repr=False)
    stored: bool = False
    kind: str = ""
    sha256: str = ""
    bytes: int = 0
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    unfit: str = ""
    """Why it can be no material: an empty text when it can."""


@dataclass(slots=True)
class AccountBalance:
    """An account's credits and slots; None: as many as it likes."""

    credits: int | None
    cap: int | None
    settled: int = 0
    """Credits of tasks that succeeded and are over."""
    open: set[str] = field(default_factory=set)
    peak: int = 0


class SandboxState:
    """The fold, and the only state of a server that outlives it; every change is a line of the journal first."""

    def __init__(self, folder: Path, credits: int | None, cap: int | None) -> None:
        self.folder = folder
        self.tasks: dict[str, Task] = {}
        self.uploads: dict[str, Upload] = {}
        self.balances: dict[str, AccountBalance] = {}
        self.body_counts: Counter[str] = Counter()
        self.misplaced: list[Mapping[str, JsonValue]] = []
        self.offset = 0.0
        self.newer = ""
        """What stands in the journal and only a later version knows; empty when there is nothing."""
        self._credits, self._cap = credits, cap
        self.journal = Journal(folder)

    def refresh(self) -> None:
        """Fold in what other servers of this folder wrote."""
        for line in self.journal.news():
            try:
                self._fold(line)
            except (KeyError, TypeError, ValueError):
                continue  # a line that somebody edited, or by another version

    def write(self, *lines: Line) -> None:
        """Append and fold in."""
        with self.journal.held():
            self.write_held(*lines)

    def write_held(self, *lines: Line) -> None:
        """The same, by who holds the journal already."""
        self.journal.append(list(lines))
        self.refresh()

    def balance(self, account: str) -> AccountBalance:
        """The account's purse, made at first sight."""
        return self.balances.setdefault(account, AccountBalance(self._credits, self._cap))

    def close_finished(self, account: str, now: float) -> AccountBalance:
        """The purse, after the tasks that are over gave back their slots, and failed ones their credits."""
        purse = self.balance(account)
        for task in [self.tasks[task_id] for task_id in purse.open]:
            if not open_at(task, now):
                purse.open.discard(task.id)
                purse.settled += task.credits if task.error is None else 0
        return purse

    def reserved(self, purse: AccountBalance) -> int:
        """Credits of tasks that are not over."""
        return sum(self.tasks[task_id].credits for task_id in purse.open)

    def clip(self, task_id: str) -> Path:
        """Where the clip of a task lies, or will lie."""
        return self.folder / "clips" / f"{task_id}.mp4"

    def upload_file(self, upload: Upload) -> Path:
        """Where the bytes of an upload lie; the ending stays, since it says what the file claims to be."""
        return self.folder / "uploads" / f"{upload.id}{Path(upload.name).suffix.lower()}"

    def _fold(self, line: Mapping[str, Any]) -> None:
        match line["event"]:
            case "task":
                self._fold_task(Task(**self._values(TASK_FIELDS, line)), line["body"])
            case "begun":
                self.tasks[line["id"]].begun = float(line["at"])
            case "drawn":
                self.tasks[line["id"]].drawn = float(line["at"])
            case "broken":
                task = self.tasks[line["id"]]
                task.error, task.lasts = str(line["error"]), float(line["at"]) - task.made
            case "called":
                self.tasks[line["id"]].called = str(line["result"])
            case "adopted":
                self.tasks[line["id"]].server = line["by"]
            case "upload":
                self.uploads[line["id"]] = Upload(
                    line["id"], line["account"], line["name"], line["made"], line["token"]
                )
            case "stored":
                upload = self.uploads[line["id"]]
                for attribute, value in self._values(UPLOAD_FACTS, line["facts"]).items():
                    setattr(upload, attribute, value)
                upload.stored = True
            case "purse":
                self.balances[line["account"]] = AccountBalance(line["credits"], line["cap"])
                self._recount()
            case "clock":
                self.offset = float(line["offset"])
                self._recount()
            case "misplaced":
                self.misplaced.append({"path": line["path"], "where": line["where"]})
            case event:
                self.newer = self.newer or f"an event {event!r}"

    def _values(self, fields: Mapping[str, str], line: Mapping[str, Any]) -> dict[str, Any]:
        """A line's values by the code's names; what only a later version writes is noted."""
        unknown = line.keys() - fields.keys() - {"event", "body"}
        if unknown:
            self.newer = self.newer or f"a field {min(unknown)!r}"
        return {attribute: line[name] for name, attribute in fields.items() if name in line}

    def _fold_task(self, task: Task, body: str) -> None:
        self.tasks[task.id] = task
        self.body_counts[body] += 1
        purse = self.close_finished(task.account, task.made)
        purse.open.add(task.id)
        purse.peak = max(purse.peak, len(purse.open))

    def _recount(self) -> None:
        """A clock that was set back opens tasks again that were over."""
        for purse in self.balances.values():
            purse.open, purse.settled = set(), 0
        for task in self.tasks.values():
            self.balance(task.account).open.add(task.id)


def task_line(task: Task, body: str) -> Line:
    """The journal's line for a new task; `body` counts tasks with the same one."""
    return {"event": "task", "body": body} | {name: getattr(task, attribute) for name, attribute in TASK_FIELDS.items()}


def body_key(account: str, asked: Mapping[str, JsonValue]) -> str:
    """What two tasks share when one is another variation of the other."""
    text = canonical_json({"account": account, "asked": dict(asked)})
    return hashlib.sha256(text.encode()).hexdigest()[:32]
