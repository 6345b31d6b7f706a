"""The durable record of every attempt and every credit: SQLite in the state folder, one for all repositories."""

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from runner.attempts.attempt import Attempt, apply_event, open_attempt
from runner.attempts.events import Account, Created, Event, Intent
from runner.attempts.history import History
from runner.clock import Clock, format_utc
from runner.diagnostics.failures import Failure, LedgerUnusable
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted, ConcurrencyFull, LimitExceeded
from runner.store import locks, receipts
from runner.store.ledger import guards
from runner.store.ledger.codec import NewerRowError
from runner.store.ledger.database import LedgerFile, database_error, newer_version_error, release_space, reserve_space
from runner.store.ledger.guards import DAY
from runner.store.ledger.recovery import Recovery
from runner.store.ledger.rows import AttemptRows, LedgerScope, SavedPlanRow, attempt_for
from runner.store.receipts import Receipt

T = TypeVar("T")


def _is_gone(repository: str) -> bool:
    """Whether nothing stands at a repository's last path; a disk that does not answer proves nothing."""
    try:
        Path(repository).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


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
        self._run_lock: locks.RunLock | None = None
        self._intents: dict[str, Intent] = {}
        """Intents of this run by attempt: a receipt holds them, too."""
        self._receipt_errors: dict[str, str] = {}
        """By attempt with a receipt and no row yet: why writing the receipt failed, "" on success."""

    # -- reading ------------------------------------------------------------------------------------------

    def is_known_by_commit(self, account: Account) -> bool:
        """Whether the first version's names of repositories are needed to tell whose some rows are."""
        with self._reading():
            account_id = self._table.find_account(account)
            return account_id is not None and self._table.is_known_by_commit(account_id)

    def history(
        self, account: Account, repository: str, *previous_names: str, storyboards: Collection[str] | None = None
    ) -> History:
        """The history of an account in a repository, as far as this machine knows; writes nothing.

        What the repository ordered is in it, of all its storyboards or of some; what other repositories ordered of the
        same requests comes when it is asked for. `previous_names` is what the first version called the repository.
        An intent of a run that is no more counts as never sent, or as unsettled, and a receipt without a row as
        accepted, just as `start_run` will write it.
        """
        with self._reading():  # nothing but the rows: a reader blocks the writer of a run
            account_id = self._table.find_account(account)
            if account_id is None:
                return History()
            scope = LedgerScope(account_id, repository, account.free, previous_names)
            rows = self._table.rows_of(scope, storyboards)
            recovery = self._recovery()
            tasks = recovery.tasks() if rows else {}
        history = History(lookup=lambda fingerprints, tasks: self._look_up(scope, fingerprints, tasks))
        history.load(self._seen(scope, rows, recovery, tasks))
        return history

    def _look_up(self, scope: LedgerScope, fingerprints: Collection[str], tasks: Collection[str]) -> list[Attempt]:
        with self._reading():
            rows = self._table.rows_named(scope, fingerprints, tasks)
            recovery = self._recovery()
            tasks = recovery.tasks() if rows else {}
        return list(self._seen(scope, rows, recovery, tasks))

    def _seen(
        self, scope: LedgerScope, rows: list[sqlite3.Row], recovery: Recovery, tasks: dict[str, Receipt]
    ) -> Iterator[Attempt]:
        """Attempts as they are seen from a repository, those of dead runs as they will be written."""
        with self._translated_errors():
            for row in rows:
                attempt = attempt_for(scope, row, lambda run: locks.run_is_alive(self.state, run))
                for event in recovery.events([attempt], scope.free, tasks):
                    attempt = apply_event(attempt, event)
                yield attempt

    def left_by_gone_repositories(self, account: Account, repository: str) -> list[Attempt]:
        """Open attempts of the account's repositories that are not found at their last path, as one of them sees it."""
        with self._reading():
            account_id = self._table.find_account(account)
            if account_id is None or account.free:
                return []
            scope = LedgerScope(account_id, repository, account.free)
            gone = [place for place in self._table.repositories_with_open(account_id) if _is_gone(place)]
            rows = self._table.open_of(account_id, gone)
            recovery = self._recovery()
            tasks = recovery.tasks() if rows else {}
        return list(self._seen(scope, rows, recovery, tasks))

    def attempt_of_task(self, account: Account, repository: str, task: str) -> Attempt | None:
        """The attempt that has a task, in whatever repository of the account it was ordered."""
        with self._reading():
            account_id = self._table.find_account(account)
            row = None if account_id is None else self._table.row_of_task(account_id, task)
            if account_id is None or row is None:
                return None
            scope = LedgerScope(account_id, repository, account.free)
        return attempt_for(scope, row, lambda run: locks.run_is_alive(self.state, run))

    def attempts_of(self, fingerprints: Collection[str]) -> list[Attempt]:
        """All attempts of some requests as they stand now; open ones of runs that died meanwhile are closed first."""
        scope, _ = self._require_run()
        attempts = self._look_up(scope, fingerprints, ())
        if not any(self._is_left_open(attempt) for attempt in attempts):
            return attempts
        self._transact(self._recovery().recover)
        return self._look_up(scope, fingerprints, ())

    def _is_left_open(self, attempt: Attempt) -> bool:
        return attempt.repository is not None and attempt.state.is_open and not attempt.held_elsewhere

    def saved_plan(self, account: Account, id: str) -> SavedPlanRow | None:
        """The saved plan of this id, if this ledger wrote one for the account."""
        with self._reading():
            account_id = self._table.find_account(account)
            return None if account_id is None else self._table.saved_plan(account_id, id)

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
        return self.spent_since(account, self._clock.now() - DAY)

    # -- a run --------------------------------------------------------------------------------------------

    def start_run(
        self,
        account: Account,
        repository: str,
        limits: RunLimits,
        previous_names: Collection[str] = (),
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open the ledger for a run: lock it, open receipts, reserve room, and recover the remains of dead runs.

        Rows that the first version wrote under another name of the repository move under its folder. `report` gets
        the progress of a change of the ledger's form.
        """
        self._bring_to_present_form(report)
        reserve_space(self.state)
        # The lock comes before the first intent: to other runs an intent without it is a dead run's.
        self._run_lock = locks.RunLock(self.state, limits.run)
        # Nobody pays at a free account: a task that is lost there is made again.
        if not account.free:
            self._receipts = receipts.Receipts(self.state, account, repository, self._clock)
        recovery = self._recovery()

        def start() -> list[str]:
            names = tuple(name for name in previous_names if name != repository)
            self._scope = LedgerScope(self._table.enter_account(account), repository, account.free, names)
            self._table.rename_repository(self._scope)
            return recovery.recover()

        for run in self._transact(start):
            # After the commit that closed what the run left: a crash before it finds the run's file again.
            locks.remove_run_file(self.state / locks.RUNS / run)
        for place in recovery.unreadable:
            report(
                f"a line of the receipts cannot be read ({place}): where it names a task that no clip came of, "
                "`storyboard settle SHOT --task ID` takes that over"
            )
        self.set_budget_scope(limits)

    def note_saved_plan(self, account: Account, saved: SavedPlanRow, report: Callable[[str], None]) -> None:
        """Write a plan that the user saves: running it on this ledger needs no other consent. No run is needed."""
        self._bring_to_present_form(report)

        def write() -> None:
            self._table.note_saved_plan(self._table.enter_account(account), saved, format_utc(self._clock.now()))

        self._transact(write)

    def _bring_to_present_form(self, report: Callable[[str], None]) -> None:
        self._file.migrate(report)
        self._db = self._file.connection
        self._table = AttemptRows(self._db)

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

    def unknown_receipts(self) -> list[Receipt]:
        """Receipts of the first version that no row knows: paid tasks of which nobody can tell what for."""
        with self._reading():
            return self._recovery().unknown()

    def forget_task(self, task: str) -> None:
        """The user has given up a task that stands in a receipt alone."""
        self._transact(lambda: self._table.forget(task, format_utc(self._clock.now())))

    def _recovery(self) -> Recovery:
        return Recovery(self.state, self._clock, self._table)

    def intend(self, event: Event, attempts_seen: int) -> LimitExceeded | AlreadyAttempted | ConcurrencyFull | None:
        """Write an intent, checked against limits and concurrency in the same transaction; None when written."""
        assert isinstance(event.payload, Intent)
        intent = event.payload
        scope, limits = self._require_run()
        now, today = self._clock.now(), self._now_for_budget()

        def write() -> LimitExceeded | AlreadyAttempted | ConcurrencyFull | None:
            # Another run's attempt comes first: where the clip is on its way already, neither slots nor limits matter.
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

        refusal = self._transact(write)
        if refusal is None:
            # Only of what was written: the receipt of its task repeats it, should the ledger lose the row.
            self._intents[event.attempt] = intent
        return refusal

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
            conflict = self._transact(lambda: self._table.write_event(event, self._scope))
        except Failure as error:
            # Nobody could be asked again for what a `Created` holds, the task id: the message must name it.
            if not isinstance(event.payload, Created):
                raise
            note = receipt_error or f"its receipt is in {self.state / receipts.FOLDER}; the next run resumes it"
            raise LedgerUnusable(f"{error.message}\nTask {event.payload.task_id} was created: {note}") from error
        if receipt_error:
            raise LedgerUnusable(receipt_error)
        return conflict

    def write_receipt(self, event: Event) -> None:
        """Write the receipt of a task id, which is on disk on return; fast, and never behind a commit."""
        assert isinstance(event.payload, Created)
        # Written once: the engine asks for it before the commit waits in line, and `append` asks again.
        if event.attempt not in self._receipt_errors:
            self._receipt_errors[event.attempt] = self._try_receipt(event, event.payload.task_id)

    def _try_receipt(self, event: Event, task_id: str) -> str:
        """Write a receipt; returns a message with the task id on failure, else ""."""
        if self._receipts is None:
            return ""
        intent = self._intents.get(event.attempt)
        try:
            try:
                self._receipts.write(event.attempt, task_id, event.at, intent)
            except OSError:
                release_space(self.state)  # perhaps the disk is full
                self._receipts.write(event.attempt, task_id, event.at, intent)
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
        """Raise `LedgerUnusable` when the ledger was moved, deleted or replaced since it was opened."""
        self._file.check()

    def close(self) -> None:
        """Close the ledger, its receipts and the run's lock."""
        if self._receipts is not None:
            self._receipts.close()
            self._receipts = None
        if self._run_lock is not None:
            self._run_lock.close()
            self._run_lock = None
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
        # The write lock at once: a transaction that reads first and then writes could find that another run was
        # quicker.
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = work()
            self._db.execute("COMMIT")
        # A Ctrl-C in the middle as well: an open transaction would block every other run.
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
