"""Recovery of the remains of dead runs and lost rows: intents without an answer, and receipts that no row knows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.attempts.attempt import Attempt, AttemptState, apply_event
from runner.attempts.events import Created, Event, OutcomeUnknown
from runner.attempts.recovery import outcome_after_crash, release_free_attempt
from runner.clock import Clock
from runner.lazy_dataclass import dataclass, field
from runner.store import locks, receipts
from runner.store.ledger.codec import parse_time
from runner.store.ledger.rows import AttemptRows, LedgerScope, attempt_from_row
from runner.store.receipts import NewLines, Receipt


@dataclass(slots=True)
class Recovery:
    """One look at dead runs and receipts; the caller holds the transaction."""

    state: Path
    clock: Clock
    table: AttemptRows
    unreadable: list[str] = field(default_factory=list)
    """Files and offsets of lines that are no receipts."""
    _read: dict[Path, NewLines] = field(default_factory=dict)
    _tasks: frozenset[str] | None = None

    # -- what a reader needs, too ---------------------------------------------------------------------------

    def tasks(self) -> dict[str, Receipt]:
        """The receipts that the ledger has not taken in yet, by attempt."""
        unread = [receipt for lines in self._dead_runs().values() for receipt in lines]
        # A living run writes its own tasks: its receipt is there a moment before its row.
        unread += [receipt for receipt in self._new_receipts() if not self._run_lives(receipt)]
        return {receipt.attempt: receipt for receipt in unread if not self.table.has_task(receipt.task)}

    def _new_receipts(self) -> Iterator[Receipt]:
        for path in receipts.recent_files(self.state, self.clock.now()):
            yield from (receipt for _, receipt in self._new_lines(path).lines if receipt is not None)

    def _new_lines(self, path: Path) -> NewLines:
        """The lines of a file behind those that were compared before; each line is read once."""
        if path not in self._read:
            offset = self._offset(path)
            # For a few lines SQLite is asked; for a whole file, after a ledger was lost, all ids at once are quicker.
            is_long = path.stat().st_size - offset > receipts.BLOCK
            are_recorded = self._all_tasks().intersection if is_long else self.table.recorded_tasks
            self._read[path] = receipts.read_from(path, offset, are_recorded)
        return self._read[path]

    def _all_tasks(self) -> frozenset[str]:
        if self._tasks is None:
            self._tasks = self.table.all_tasks()
        return self._tasks

    def events(self, attempts: Sequence[Attempt], free: bool, tasks: dict[str, Receipt]) -> Iterator[Event]:
        """The events that say how attempts of dead runs stand."""
        for attempt in attempts:
            after = attempt
            # A receipt proves the task, whatever the run still meant to write.
            if attempt.state.lacks_task and attempt.id in tasks:
                receipt = tasks[attempt.id]
                yield (event := Event(parse_time(receipt.at), attempt.id, Created(receipt.task)))
                after = apply_event(attempt, event)
            elif (outcome := outcome_after_crash(attempt)) is not None and not locks.run_is_alive(
                self.state, attempt.intent.run
            ):
                yield (event := Event(self.clock.now(), attempt.id, outcome))
                after = apply_event(attempt, event)
            if (release := release_free_attempt(after, free)) is not None:
                yield Event(self.clock.now(), attempt.id, release)

    # -- what a run writes ----------------------------------------------------------------------------------

    def recover(self) -> list[str]:
        """Close open attempts of dead runs, and add rows for unknown receipts; return the runs whose files may go."""
        tasks = self.tasks()
        free = {row["id"]: bool(row["free"]) for row in self.table.db.execute("SELECT id, free FROM account")}
        for row in self.table.open_rows():
            for event in self.events([attempt_from_row(row)], free[row["account"]], tasks):
                if self.table.write_event(event) is not None:
                    # The attempt is not closed by that: unsettled, it is the user's question.
                    self.table.write_event(
                        Event(event.at, event.attempt, OutcomeUnknown("its receipt names a task of another attempt"))
                    )
        for path in receipts.recent_files(self.state, self.clock.now()):
            self._compare(path)
        # A file with a receipt that no row knows stays: `storyboard settle` asks the user about it.
        return [run for run, lines in self._dead_runs().items() if all(map(self._is_known, lines))]

    def _dead_runs(self) -> dict[str, list[Receipt]]:
        folder = self.state / locks.RUNS
        return {run: receipts.read_first_version(folder / run) for run in locks.dead_runs(self.state)}

    def unknown(self) -> list[Receipt]:
        """Receipts that no row knows and that say too little to make one of: those of the first version."""
        lines = [receipt for lines in self._dead_runs().values() for receipt in lines]
        lines += [receipt for receipt in self._new_receipts() if receipt.intent is None]
        return [
            receipt for receipt in lines if not self._is_known(receipt) and not self.table.has_attempt(receipt.attempt)
        ]

    def _offset(self, path: Path) -> int:
        """The offset up to which a file's receipts stand in this ledger; 0 for a file that shrank."""
        row = self.table.db.execute("SELECT offset FROM compared WHERE file = ?", (self._file_name(path),)).fetchone()
        offset = 0 if row is None else int(row["offset"])
        # A file that shrank was replaced, by a backup perhaps: it is read again from its begin.
        return offset if offset <= path.stat().st_size else 0

    def _compare(self, path: Path) -> None:
        """Give a row to each receipt behind those that were compared before.

        A receipt of a run that is alive is left to that run, and a receipt with too few facts to the user: the next
        run looks again.
        """
        new = self._new_lines(path)
        look_again_at: int | None = None
        for offset, receipt in new.lines:
            if receipt is None:
                self.unreadable.append(f"{path}, byte {offset}")
            elif not self._is_known(receipt) and (self._run_lives(receipt) or not self._take_in(receipt)):
                look_again_at = offset if look_again_at is None else look_again_at
        compared = new.end if look_again_at is None else look_again_at
        if compared != self._offset(path):
            self.table.db.execute(
                "INSERT OR REPLACE INTO compared(file, offset) VALUES (?, ?)", (self._file_name(path), compared)
            )

    def _file_name(self, path: Path) -> str:
        return path.relative_to(self.state).as_posix()

    def _run_lives(self, receipt: Receipt) -> bool:
        """Whether the run that wrote a receipt still works, and has the attempt's row: it writes the task itself."""
        return (
            receipt.intent is not None
            and locks.run_is_alive(self.state, receipt.intent.run)
            and self.table.has_attempt(receipt.attempt)
        )

    def _is_known(self, receipt: Receipt) -> bool:
        """Whether a row has the task, or says of the attempt that it has none; or the user has given the task up."""
        row = self.table.db.execute("SELECT task, state FROM attempt WHERE id = ?", (receipt.attempt,)).fetchone()
        if row is not None and (row["task"] is not None or not AttemptState(row["state"]).lacks_task):
            return True
        return self.table.has_task(receipt.task) or self.table.is_forgotten(receipt.task)

    def _take_in(self, receipt: Receipt) -> bool:
        """Whether a paid task that the ledger lost has a row again."""
        if receipt.account is None or receipt.intent is None:
            return False
        at = parse_time(receipt.at)
        attempt = Attempt(
            receipt.attempt, receipt.intent, AttemptState.RUNNING, at, sent_at=at, task_id=receipt.task,
            status="waiting", accepted_at=at,
        )  # fmt: skip
        scope = LedgerScope(self.table.enter_account(receipt.account), receipt.repository, free=False)
        self.table.insert_lost(scope, attempt)
        return True
