"""The durable record of every attempt and every credit: SQLite in the state folder, one for all repositories."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from runner.attempts.events import Account, Created, Event, Intended, Unknown
from runner.attempts.history import Attempt, History, State, begin, cut_short, let_go, step
from runner.clock import Clock, stamp
from runner.diagnostics.problem import ExitCode, Stop
from runner.engine.limits import Limits
from runner.engine.ports import Full, Over, Taken
from runner.store import locks, receipts
from runner.store.ledger import guards as ceilings
from runner.store.ledger.codec import NewerRowError, moment
from runner.store.ledger.database import LedgerFile, newer, release, reserve, unfit
from runner.store.ledger.rows import Scope, Table, as_attempt

T = TypeVar("T")
_DAY = timedelta(hours=24)


class Ledger:
    """One connection, one writer at a time; every method is durable on return and may be called from any thread.

    `begin` makes it a run's ledger: only then may it write attempts.
    """

    def __init__(self, state: Path, clock: Clock) -> None:
        self.state = state
        self._clock = clock
        self._file = LedgerFile(state)
        self._db = self._file.connection
        self._table = Table(self._db)
        self._lock = threading.Lock()
        self._receipts: receipts.Receipts | None = None
        self._scope: Scope | None = None
        self._limits: Limits | None = None
        self._began = (clock.now(), clock.monotonic())
        """By the wall clock and by the steady one, which nobody sets."""
        self._unfiled: set[str] = set()
        """Task ids of this run that stand in the receipts, and not yet in a row."""
        self._received: dict[str, str] = {}
        """Attempts whose receipt was written, and not yet the row; with words when it could not be written."""

    # -- reading ------------------------------------------------------------------------------------------

    def home(self, account: Account, names: Sequence[str]) -> str:
        """Which of a repository's names its rows stand under, and are written under; the first while there are none."""
        with self._reading():
            found = self._table.find_account(account)
            return names[0] if found is None else self._table.home(found, names)

    def history(self, account: Account, repository: str, *others: str) -> History:
        """What is true for an account and a repository, as far as this machine knows; writes nothing.

        `others` are more names of the repository: further first commits, and its path, until the first.
        An intent of a run that is no more counts as never sent, or as unsettled, and a receipt without a row as
        accepted, just as `begin` will write it.
        """
        with self._reading():  # only the rows: a reader keeps the writer of a run waiting
            found = self._table.find_account(account)
            rows = [] if found is None else self._table.of(found, (repository, *others))
            dead = self._receipts_of_the_dead() if rows else {}
        history = History()
        with self._translated():
            history.enter(as_attempt(row) for row in rows)
        for event in self._mended(history.open(), account.free, dead):
            history.feed(event)
        return history

    def events(self, attempt: str) -> list[Event]:
        """Everything that happened to one attempt, in order."""
        with self._reading():
            return list(self._table.events(attempt))

    def spent_since(self, account: Account, since: datetime) -> Decimal:
        """Credits that may have been spent from an account since then: quote or bill, whichever is higher."""
        with self._reading():
            found = self._table.find_account(account)
            return self._table.sum("account = ? AND at >= ?", found, since.timestamp())

    def spent_last_24h(self, account: Account) -> Decimal:
        return self.spent_since(account, self._clock.now() - _DAY)

    # -- a run --------------------------------------------------------------------------------------------

    def begin(self, account: Account, repository: str, limits: Limits, before: str | None = None) -> None:
        """Opens it for a run: its lock and receipts are there, room is reserved, what dead runs left is written.

        What stands under the repository's name `before` its first commit is its own from now on.
        """
        reserve(self.state)
        self._receipts = receipts.Receipts(self.state, limits.run)

        def start() -> list[str]:
            self._scope = Scope(self._table.enter_account(account), repository, account.free)
            if before not in (None, repository):
                self._table.rename(self._scope.account, str(before), repository)
            return self._mend()

        for run in self._transact(start):
            (self.state / locks.RUNS / run).unlink(missing_ok=True)
        self.counting(limits)

    def counting(self, limits: Limits) -> None:
        """Which fingerprints count for the budgets; again after the plan changed."""
        with self._lock, self._translated():
            self._limits = limits
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS counted(storyboard TEXT, fingerprint TEXT)")
            self._db.execute("DELETE FROM counted")
            self._db.executemany(
                "INSERT INTO counted VALUES (?, ?)",
                [(board, mark) for board, budget in limits.budgets.items() for mark in sorted(budget.current)],
            )

    def _mend(self) -> list[str]:
        """Closes what dead runs left open; returns the runs whose receipts are in the ledger by now."""
        found = self._receipts_of_the_dead()
        free = {row["id"]: bool(row["free"]) for row in self._db.execute("SELECT id, free FROM account")}
        for row in self._table.open_rows():
            for event in self._mended([as_attempt(row)], free[row["account"]], found):
                if self._table.write(event) is not None:
                    self._table.write(
                        Event(event.at, event.attempt, Unknown("its receipt names a task of another attempt"))
                    )
        return [
            run for run, attempts in self._dead().items() if all(self._table.has(attempt) for attempt, _, _ in attempts)
        ]

    def _mended(self, attempts: list[Attempt], free: bool, found: dict[str, tuple[str, str]]) -> Iterator[Event]:
        """The events that say how attempts of dead runs stand."""
        for attempt in attempts:
            after = attempt
            if attempt.state in (State.INTENDED, State.UNSETTLED) and attempt.id in found:
                task, at = found[attempt.id]
                yield (event := Event(moment(at), attempt.id, Created(task)))
                after = step(attempt, event)
            elif (end := cut_short(attempt)) is not None and not locks.lives(self.state, attempt.intended.run):
                yield (event := Event(self._clock.now(), attempt.id, end))
                after = step(attempt, event)
            if (word := let_go(after, free)) is not None:
                yield Event(self._clock.now(), attempt.id, word)

    def _dead(self) -> dict[str, list[tuple[str, str, str]]]:
        folder = self.state / locks.RUNS
        return {run: receipts.read(folder / run) for run in locks.ended(self.state)}

    def _receipts_of_the_dead(self) -> dict[str, tuple[str, str]]:
        return {attempt: (task, at) for lines in self._dead().values() for attempt, task, at in lines}

    def intend(self, event: Event, known: int) -> Over | Taken | Full | None:
        """An intent, counted against every ceiling and the cap in its own transaction; None when it is written."""
        assert isinstance(event.what, Intended)
        intended = event.what
        scope, limits = self._of_a_run()
        now, today = self._clock.now(), self._today()

        def write() -> Over | Taken | Full | None:
            refused = (
                ceilings.tried(self._table, scope, intended, known)
                or ceilings.full(self._table, scope, limits, now, lambda run: locks.lives(self.state, run))
                or ceilings.over(self._table, scope, intended, limits, today)
            )
            if refused is None:
                self._table.insert(scope, begin(event), event)
            return refused

        return self._transact(write)

    def _today(self) -> datetime:
        """Now, but never later than this run has lasted: a clock that jumps ahead begins no new day for its budget."""
        wall, steady = self._began
        return min(self._clock.now(), wall + timedelta(seconds=self._clock.monotonic() - steady))

    def _of_a_run(self) -> tuple[Scope, Limits]:
        assert self._scope is not None, "begin comes first"
        assert self._limits is not None
        return self._scope, self._limits

    def append(self, event: Event) -> Taken | None:
        """One more row; a task id stands in the receipts first. Taken: another attempt has that task id."""
        rescue = ""
        if isinstance(event.what, Created):
            self.receive(event)
            rescue = self._received.pop(event.attempt)
        try:
            taken = self._transact(lambda: self._table.write(event))
        except Stop as stop:
            if not isinstance(event.what, Created):
                raise
            kept = rescue or f"its receipt is in {self.state / locks.RUNS}, and the next run finds it"
            raise Stop(stop.code, f"{stop.words}\nTask {event.what.task_id} was created: {kept}") from stop
        if rescue:
            raise Stop(ExitCode.UNFIT, rescue)
        if isinstance(event.what, Created):
            self._unfiled.discard(event.what.task_id)
        return taken

    def receive(self, event: Event) -> None:
        """The receipt of a task id, on disk when this returns; quick, and never behind a commit."""
        assert isinstance(event.what, Created)
        if event.attempt not in self._received:
            self._received[event.attempt] = self._receipt(event, event.what.task_id)

    def _receipt(self, event: Event, task_id: str) -> str:
        """Writes a receipt; words with the task id when that failed."""
        if self._receipts is None:
            return ""
        self._unfiled.add(task_id)
        try:
            self._receipts.write(event.attempt, task_id, stamp(event.at))
        except OSError as error:
            return (
                f"the receipts file cannot be written ({error.strerror}). Note this task id, it is paid: {task_id} "
                "(storyboard settle takes it with --task)"
            )
        return ""

    def take_in(self, attempt: Attempt) -> Taken | None:
        """A row for an attempt that only a manifest knew; Taken when another attempt of the take is open here."""
        scope, _ = self._of_a_run()
        return self._transact(lambda: self._table.take_in(scope, attempt))

    def check(self) -> None:
        """Stop when the ledger was moved, deleted or replaced since it was opened."""
        self._file.check()

    def close(self) -> None:
        """Lets go of everything; a run whose task ids all have their rows puts its receipts away."""
        if self._receipts is not None:
            self._receipts.close(done=not self._unfiled)
            self._receipts = None
        self._file.close()

    # -- transactions -------------------------------------------------------------------------------------

    def _transact(self, work: Callable[[], T]) -> T:
        """Durable when this returns; on a full disk the reserved room is given free, and it is tried once more."""
        with self._lock:
            try:
                return self._once(work)
            except sqlite3.Error as error:
                if "full" not in str(error):
                    raise unfit(self._file.path, error) from error
                release(self.state)
            except NewerRowError as error:
                raise newer(self._file.path, f"{error} in it") from error
            with self._translated():
                return self._once(work)

    def _once(self, work: Callable[[], T]) -> T:
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
        """One state of the ledger for several questions."""
        with self._lock, self._translated():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise unfit(self._file.path, error) from error
        except NewerRowError as error:
            raise newer(self._file.path, f"{error} in it") from error
