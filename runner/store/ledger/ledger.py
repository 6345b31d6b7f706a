"""The durable record of every attempt and every credit: SQLite in the state folder, one for all repositories."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from runner.attempts.events import Account, Created, Event, Intent, OutcomeUnknown
from runner.attempts.history import (
    Attempt,
    AttemptState,
    History,
    apply_event,
    open_attempt,
)
from runner.attempts.recovery import outcome_after_crash, release_free_attempt
from runner.clock import Clock, format_utc
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted, ConcurrencyFull, LimitExceeded
from runner.store import locks, receipts
from runner.store.ledger import guards
from runner.store.ledger.codec import NewerRowError, parse_time
from runner.store.ledger.database import LedgerFile, database_error, newer_version_error, release_space, reserve_space
from runner.store.ledger.rows import AttemptRows, LedgerScope, attempt_from_row

T = TypeVar("T")
_DAY = timedelta(hours=24)


class Ledger:
    """One connection, one writer at a time; every method is durable on return and may be called from any thread.

    `start_run` comes first: only the ledger of a run may write attempts.
    """

    def __init__(self, state: Path, clock: Clock) -> None:
        self.state = state
        self._clock = clock
        self._file = LedgerFile(state)
        self._db = self._file.connection
        self._table = AttemptRows(self._db)
        self._lock = threading.Lock()
        self._receipts: receipts.Receipts | None = None
        self._scope: LedgerScope | None = None
        self._limits: RunLimits | None = None
        self._started_at = (clock.now(), clock.monotonic())
        """By the wall clock, and by the monotonic clock, which no one can set."""
        self._unconfirmed_tasks: set[str] = set()
        """Task ids of this run that are in the receipts and not yet in a row."""
        self._receipt_errors: dict[str, str] = {}
        """By attempt with a receipt and no row yet: why writing the receipt failed, "" on success."""

    # -- reading ------------------------------------------------------------------------------------------

    def canonical_repository(self, account: Account, names: Sequence[str]) -> str:
        """The repository name that this ledger's rows use; the first name if there are no rows."""
        with self._reading():
            account_id = self._table.find_account(account)
            return names[0] if account_id is None else self._table.canonical_repository(account_id, names)

    def history(self, account: Account, repository: str, *others: str) -> History:
        """The history of an account and a repository on this machine; writes nothing.

        `others` are more names of the repository: further root commits, and its path.
        An intent of a dead run counts as never sent or as unsettled, and a receipt without a row as accepted: the
        same events that `start_run` writes.
        """
        with self._reading():  # nothing but the rows: a reader blocks the writer of a run
            account_id = self._table.find_account(account)
            rows = [] if account_id is None else self._table.rows_of(account_id, (repository, *others))
            task_receipts = self._receipts_by_attempt() if rows else {}
        history = History()
        with self._translated_errors():
            history.load(attempt_from_row(row) for row in rows)
        for event in self._recovery_events(history.open(), account.free, task_receipts):
            history.apply(event)
        return history

    def events(self, attempt: str) -> list[Event]:
        """All events of one attempt, in order."""
        with self._reading():
            return list(self._table.events(attempt))

    def spent_since(self, account: Account, since: datetime) -> Decimal:
        """Credits that may have been spent from an account since a time: quote or bill, whichever is higher."""
        with self._reading():
            account_id = self._table.find_account(account)
            return self._table.sum("account = ? AND at >= ?", account_id, since.timestamp())

    def spent_last_24h(self, account: Account) -> Decimal:
        return self.spent_since(account, self._clock.now() - _DAY)

    # -- a run --------------------------------------------------------------------------------------------

    def start_run(self, account: Account, repository: str, limits: RunLimits, previous_name: str | None = None) -> None:
        """Open the ledger for a run: reserve space, create the locked receipts file, write the events of dead runs.

        Rows under `previous_name`, the repository's name before its first commit, get the current name.
        """
        reserve_space(self.state)
        self._receipts = receipts.Receipts(self.state, limits.run)

        def start() -> list[str]:
            self._scope = LedgerScope(self._table.enter_account(account), repository, account.free)
            if previous_name not in (None, repository):
                self._table.rename_repository(self._scope.account, str(previous_name), repository)
            return self._recover()

        for run in self._transact(start):
            (self.state / locks.RUNS / run).unlink(missing_ok=True)
        self.set_budget_scope(limits)

    def set_budget_scope(self, limits: RunLimits) -> None:
        """Set the fingerprints that count for the budgets; called again after every change of the plan."""
        with self._lock, self._translated_errors():
            self._limits = limits
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS counted(storyboard TEXT, fingerprint TEXT)")
            self._db.execute("DELETE FROM counted")
            self._db.executemany(
                "INSERT INTO counted VALUES (?, ?)",
                [
                    (storyboard, fingerprint)
                    for storyboard, budget in limits.budgets.items()
                    for fingerprint in sorted(budget.fingerprints)
                ],
            )

    def _recover(self) -> list[str]:
        """Write the events of dead runs; returns the runs whose receipts are all in the ledger now."""
        task_receipts = self._receipts_by_attempt()
        free = {row["id"]: bool(row["free"]) for row in self._db.execute("SELECT id, free FROM account")}
        for row in self._table.open_rows():
            for event in self._recovery_events([attempt_from_row(row)], free[row["account"]], task_receipts):
                if self._table.write_event(event) is not None:
                    self._table.write_event(
                        Event(
                            event.at, event.attempt, OutcomeUnknown("the receipt's task id belongs to another attempt")
                        )
                    )
        return [
            run
            for run, attempts in self._dead_run_receipts().items()
            if all(self._table.has_attempt(attempt) for attempt, _, _ in attempts)
        ]

    def _recovery_events(
        self, attempts: list[Attempt], free: bool, task_receipts: dict[str, tuple[str, str]]
    ) -> Iterator[Event]:
        """The events that bring attempts of dead runs up to date."""
        for attempt in attempts:
            after = attempt
            if attempt.state in (AttemptState.INTENDED, AttemptState.UNSETTLED) and attempt.id in task_receipts:
                task, at = task_receipts[attempt.id]
                yield (event := Event(parse_time(at), attempt.id, Created(task)))
                after = apply_event(attempt, event)
            elif (outcome := outcome_after_crash(attempt)) is not None and not locks.run_is_alive(
                self.state, attempt.intent.run
            ):
                yield (event := Event(self._clock.now(), attempt.id, outcome))
                after = apply_event(attempt, event)
            if (release := release_free_attempt(after, free)) is not None:
                yield Event(self._clock.now(), attempt.id, release)

    def _dead_run_receipts(self) -> dict[str, list[tuple[str, str, str]]]:
        folder = self.state / locks.RUNS
        return {run: receipts.read_receipts(folder / run) for run in locks.dead_runs(self.state)}

    def _receipts_by_attempt(self) -> dict[str, tuple[str, str]]:
        return {attempt: (task, at) for lines in self._dead_run_receipts().values() for attempt, task, at in lines}

    def intend(self, event: Event, attempts_seen: int) -> LimitExceeded | AlreadyAttempted | ConcurrencyFull | None:
        """Write an intent, checked against limits and concurrency in the same transaction; None when written."""
        assert isinstance(event.payload, Intent)
        intent = event.payload
        scope, limits = self._require_run()
        now, today = self._clock.now(), self._now_for_budget()

        def write() -> LimitExceeded | AlreadyAttempted | ConcurrencyFull | None:
            refusal = (
                guards.already_attempted(self._table, scope, intent, attempts_seen)
                or guards.concurrency_full(
                    self._table, scope, limits, now, lambda run: locks.run_is_alive(self.state, run)
                )
                or guards.limit_exceeded(self._table, scope, intent, limits, today)
            )
            if refusal is None:
                self._table.insert(scope, open_attempt(event), event)
            return refusal

        return self._transact(write)

    def _now_for_budget(self) -> datetime:
        """Now, at most the start plus the monotonic duration: a clock set ahead must not begin a new day of credits."""
        wall, steady = self._started_at
        return min(self._clock.now(), wall + timedelta(seconds=self._clock.monotonic() - steady))

    def _require_run(self) -> tuple[LedgerScope, RunLimits]:
        assert self._scope is not None, "start_run comes first"
        assert self._limits is not None
        return self._scope, self._limits

    def append(self, event: Event) -> AlreadyAttempted | None:
        """Append an event, after the receipt of a task id; a refusal if another attempt has the task id."""
        receipt_error = ""
        if isinstance(event.payload, Created):
            self.write_receipt(event)
            receipt_error = self._receipt_errors.pop(event.attempt)
        try:
            conflict = self._transact(lambda: self._table.write_event(event))
        except CommandError as error:
            if not isinstance(event.payload, Created):
                raise
            note = receipt_error or f"its receipt is in {self.state / locks.RUNS}; the next run resumes it"
            raise CommandError(
                error.code, f"{error.message}\nTask {event.payload.task_id} was created: {note}"
            ) from error
        if receipt_error:
            raise CommandError(ExitCode.INVALID, receipt_error)
        if isinstance(event.payload, Created):
            self._unconfirmed_tasks.discard(event.payload.task_id)
        return conflict

    def write_receipt(self, event: Event) -> None:
        """Write the receipt of a task id, which is on disk on return; fast, and never behind a commit."""
        assert isinstance(event.payload, Created)
        if event.attempt not in self._receipt_errors:
            self._receipt_errors[event.attempt] = self._try_receipt(event, event.payload.task_id)

    def _try_receipt(self, event: Event, task_id: str) -> str:
        """Write a receipt; returns a message with the task id on failure, else ""."""
        if self._receipts is None:
            return ""
        self._unconfirmed_tasks.add(task_id)
        try:
            self._receipts.write(event.attempt, task_id, format_utc(event.at))
        except OSError as error:
            return (
                f"cannot write the receipts file ({error.strerror}). Note the id of this paid task: {task_id} "
                "(for storyboard settle --task)"
            )
        return ""

    def import_attempt(self, attempt: Attempt) -> AlreadyAttempted | None:
        """Write a row for an attempt known only from a manifest; a refusal if another attempt of the take is open."""
        scope, _ = self._require_run()
        return self._transact(lambda: self._table.import_attempt(scope, attempt))

    def check_not_moved(self) -> None:
        """Raise `CommandError` when the ledger was moved, deleted or replaced since it was opened."""
        self._file.check()

    def close(self) -> None:
        """Close the ledger; the receipts file is deleted when every task id of the run has its row."""
        if self._receipts is not None:
            self._receipts.close(complete=not self._unconfirmed_tasks)
            self._receipts = None
        self._file.close()

    # -- transactions -------------------------------------------------------------------------------------

    def _transact(self, work: Callable[[], T]) -> T:
        """Run work in a durable transaction; on a full disk, release the reserved space and try once more."""
        with self._lock:
            try:
                return self._run_transaction(work)
            except sqlite3.Error as error:
                if "full" not in str(error):
                    raise database_error(self._file.path, error) from error
                release_space(self.state)
            except NewerRowError as error:
                raise newer_version_error(self._file.path, f"{error} in it") from error
            with self._translated_errors():
                return self._run_transaction(work)

    def _run_transaction(self, work: Callable[[], T]) -> T:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        return result

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Context manager: one consistent snapshot for several queries."""
        with self._lock, self._translated_errors():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise database_error(self._file.path, error) from error
        except NewerRowError as error:
            raise newer_version_error(self._file.path, f"{error} in it") from error
