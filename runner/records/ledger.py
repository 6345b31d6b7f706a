"""The durable record of every attempt and every credit: SQLite in the state folder, one for all repositories."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from runner.clock import Clock, stamp
from runner.engine.hands import Full, Over, Taken
from runner.engine.limits import Limits
from runner.history import (
    OPEN,
    Account,
    Attempt,
    Created,
    Event,
    History,
    Intended,
    Pick,
    Sending,
    State,
    Stored,
    Succeeded,
    Unknown,
    begin,
    cut_short,
    let_go,
    step,
)
from runner.problems import ExitCode, Stop
from runner.records import locks, receipts
from runner.records.ledger_file import LedgerFile, release, reserve, unfit
from runner.records.ledger_rows import (
    attempt_data,
    credits_of,
    event_row,
    intended_data,
    micro,
    moment,
    read_attempt,
    read_intended,
    read_what,
)

T = TypeVar("T")
_DAY = timedelta(hours=24)
_TURN_LASTS = 10.0
"""Seconds for which a run that met a full cap counts as waiting for its turn."""


class Ledger:
    """One connection, one writer at a time; every method is durable on return and may be called from any thread.

    `begin` makes it a run's ledger: only then may it write attempts.
    """

    def __init__(self, state: Path, clock: Clock) -> None:
        self.state = state
        self._clock = clock
        self._file = LedgerFile(state)
        self._db = self._file.connection
        self._lock = threading.Lock()
        self._receipts: receipts.Receipts | None = None
        self._account: Account | None = None
        self._account_id = 0
        self._repository = ""
        self._limits: Limits | None = None
        self._unfiled: set[str] = set()
        """Task ids of this run that stand in the receipts, and not yet in a row."""

    # -- reading ------------------------------------------------------------------------------------------

    def history(self, account: Account, repository: str) -> History:
        """What is true for an account and a repository, as far as this machine knows; writes nothing.

        An intent of a run that is no more counts as never sent, or as unsettled, and a receipt without a row as
        accepted, just as `begin` will write it.
        """
        with self._reading():
            found = self._find_account(account)
            history = History()
            if found is None:
                return history
            rows = self._db.execute(
                "SELECT * FROM attempt WHERE account = ? AND repository = ? ORDER BY serial", (found, repository)
            )
            history.enter(_attempt(row) for row in rows)
            for event in self._mended(history.open(), account.free, self._receipts_of_the_dead()):
                history.feed(event)
            history.picks = {
                (row["storyboard"], row["shot"]): row["take"]
                for row in self._db.execute(
                    "SELECT storyboard, shot, take FROM pick WHERE account = ? AND repository = ? ORDER BY serial",
                    (found, repository),
                )
                if row["take"] is not None
            }
            return history

    def events(self, attempt: str) -> list[Event]:
        """Everything that happened to one attempt, in order."""
        with self._reading():
            return list(self._events(attempt))

    def spent_since(self, account: Account, since: datetime) -> Decimal:
        """Credits that may have been spent from an account since then: quote or bill, whichever is higher."""
        with self._reading():
            found = self._find_account(account)
            return self._sum("account = ? AND at >= ?", found, since.timestamp())

    def spent_last_24h(self, account: Account) -> Decimal:
        return self.spent_since(account, self._clock.now() - _DAY)

    def note(self, name: str) -> str | None:
        """A remembered text."""
        with self._reading():
            row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
            return None if row is None else str(row["value"])

    # -- a run --------------------------------------------------------------------------------------------

    def begin(self, account: Account, repository: str, limits: Limits) -> None:
        """Opens it for a run: its lock and receipts are there, room is reserved, what dead runs left is written."""
        reserve(self.state)
        self._receipts = receipts.Receipts(self.state, limits.run)
        self._account, self._repository = account, repository

        def start() -> list[str]:
            self._account_id = self._enter_account(account)
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
        for row in self._db.execute("SELECT * FROM attempt WHERE open ORDER BY serial").fetchall():
            for event in self._mended([_attempt(row)], free[row["account"]], found):
                if self._write(event) is not None:
                    self._write(Event(event.at, event.attempt, Unknown("its receipt names a task of another attempt")))
        return [run for run, attempts in self._dead().items() if all(self._has(attempt) for attempt, _, _ in attempts)]

    def _has(self, attempt: str) -> bool:
        return self._db.execute("SELECT 1 FROM attempt WHERE id = ?", (attempt,)).fetchone() is not None

    def _mended(self, attempts: list[Attempt], free: bool, found: dict[str, tuple[str, str]]) -> Iterator[Event]:
        """The events that say how attempts of dead runs stand."""
        for attempt in attempts:
            after = attempt
            if attempt.state in (State.INTENDED, State.UNSETTLED) and attempt.id in found:
                task, at = found[attempt.id]
                yield (event := Event(moment(at), attempt.id, Created(task)))
                after = step(attempt, event)
            elif attempt.state is State.INTENDED and not locks.lives(self.state, attempt.intended.run):
                said = cut_short(attempt, frozenset())
                if said is not None:
                    yield (event := Event(self._clock.now(), attempt.id, said))
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
        intended, limits = event.what, self._of_a_run()

        def write() -> Over | Taken | Full | None:
            refused = self._tried(intended, known) or self._full(limits) or self._over(intended, limits)
            if refused is None:
                self._insert(begin(event), event)
            return refused

        return self._transact(write)

    def _of_a_run(self) -> Limits:
        assert self._limits is not None, "begin comes first"
        return self._limits

    def _tried(self, intended: Intended, known: int) -> Taken | None:
        row = self._db.execute(
            "SELECT COUNT(*) AS tried, TOTAL(open) AS open FROM attempt"
            " WHERE account = ? AND repository = ? AND fingerprint = ?",
            (self._account_id, self._repository, intended.fingerprint),
        ).fetchone()
        if row["tried"] == known and not row["open"]:
            return None
        return Taken(f"another run has ordered {intended.shot} take {intended.take} meanwhile: run again to go on")

    def _full(self, limits: Limits) -> Full | None:
        """Whether the cap is full over all runs, or this run has its part already while others wait."""
        held = self._held(limits)
        mine, all_held = held.count(limits.run), len(held)
        now = self._clock.now().timestamp()
        others = self._db.execute(
            "SELECT COUNT(*) FROM turn WHERE account = ? AND run <> ? AND at BETWEEN ? AND ?",
            (self._account_id, limits.run, now - _TURN_LASTS, now + _TURN_LASTS),
        ).fetchone()[0]
        part = -(-limits.concurrency // (others + 1))
        if all_held < limits.concurrency and (not others or mine < part):
            self._db.execute("DELETE FROM turn WHERE run = ?", (limits.run,))
            return None
        self._db.execute("INSERT OR REPLACE INTO turn VALUES (?, ?, ?)", (limits.run, self._account_id, now))
        return Full(all_held, limits.concurrency)

    def _held(self, limits: Limits) -> list[str]:
        """The runs of all attempts that hold a slot of the account: tasks that run, and doubt while a task can live."""
        now = self._clock.now().timestamp()
        rows = self._db.execute(
            "SELECT run, state, COALESCE(sent, at) AS since FROM attempt"
            " WHERE account = ? AND open AND state IN (?, ?, ?)",
            (self._account_id, State.INTENDED, State.RUNNING, State.UNSETTLED),
        ).fetchall()
        young = [row["run"] for row in rows if abs(now - row["since"]) < limits.task_life]
        old = [row["run"] for row in rows if abs(now - row["since"]) >= limits.task_life and row["state"] == "running"]
        alive = {run for run in set(old) if locks.lives(self.state, run)}
        return young + [run for run in old if run in alive]

    def _over(self, intended: Intended, limits: Limits) -> Over | None:
        """The first ceiling that this quote would break, by what may have been spent so far."""
        if self._account is None or self._account.free:
            return None
        since = (self._clock.now() - _DAY).timestamp()
        if limits.max_credits is not None:
            spent = self._sum("run = ?", limits.run)
            if spent + intended.quoted > limits.max_credits:
                return Over("--max-credits", limits.max_credits, spent + intended.quoted)
        if (budget := limits.budgets.get(intended.storyboard)) is not None:
            self._db.execute("INSERT INTO counted VALUES (?, ?)", (intended.storyboard, intended.fingerprint))
            spent = budget.elsewhere + self._sum(
                "account = ? AND repository = ? AND storyboard = ?"
                " AND fingerprint IN (SELECT fingerprint FROM counted WHERE storyboard = ?)",
                *(self._account_id, self._repository, intended.storyboard, intended.storyboard),
            )
            if spent + intended.quoted > budget.credits:
                return Over("budget", budget.credits, spent + intended.quoted)
        if limits.credits_per_day is not None:
            spent = self._sum("account = ? AND at >= ?", self._account_id, since)
            if spent + intended.quoted > limits.credits_per_day:
                return Over("credits_per_day", limits.credits_per_day, spent + intended.quoted)
        return None

    def append(self, event: Event) -> Taken | None:
        """One more row; a task id stands in the receipts first. Taken: another attempt has that task id."""
        rescue = ""
        if isinstance(event.what, Created):
            rescue = self._receive(event, event.what.task_id)
        try:
            taken = self._transact(lambda: self._write(event))
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

    def _receive(self, event: Event, task_id: str) -> str:
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

    def take_in(self, attempt: Attempt) -> None:
        """A row for an attempt that only a manifest knew."""
        known = replace(attempt, elsewhere=False)
        self._transact(lambda: self._insert(known, *retold(known)) if not self._has(attempt.id) else None)

    def check(self) -> None:
        """Stop when the ledger was moved, deleted or replaced since it was opened."""
        self._file.check()

    def pick(self, account: Account, repository: str, pick: Pick, take: int | None) -> None:
        """The good take of a shot; None takes the choice back."""
        self._transact(
            lambda: self._db.execute(
                "INSERT INTO pick(account, repository, storyboard, shot, take, at) VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(self._enter_account(account), repository, pick.storyboard, pick.shot, take),
                    stamp(self._clock.now()),
                ),
            )
        )

    def set_note(self, name: str, value: str) -> None:
        """Remembers a text under a name."""
        self._transact(lambda: self._db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value)))

    def close(self) -> None:
        """Lets go of everything; a run whose task ids all have their rows puts its receipts away."""
        if self._receipts is not None:
            self._receipts.close(done=not self._unfiled)
        self._file.close()

    # -- rows ---------------------------------------------------------------------------------------------

    def _insert(self, attempt: Attempt, *events: Event) -> None:
        made = attempt.intended
        cursor = self._db.execute(
            "INSERT INTO attempt(id, account, repository, storyboard, shot, take, fingerprint, run, at, sent, intended,"
            " state, open, task, costs, folded) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(attempt.id, self._account_id, self._repository, made.storyboard, made.shot, made.take),
                *(made.fingerprint, made.run, attempt.intended_at.timestamp()),
                *_changing(attempt, intended_data(made)),
            ),
        )
        for event in events:
            self._log(cursor.lastrowid, event)

    def _log(self, serial: int | None, event: Event) -> None:
        self._db.execute("INSERT INTO event(attempt, at, kind, data) VALUES (?, ?, ?, ?)", (serial, *event_row(event)))

    def _write(self, event: Event) -> Taken | None:
        """One event: its row, and its attempt's row as it stands after it."""
        row = self._db.execute("SELECT * FROM attempt WHERE id = ?", (event.attempt,)).fetchone()
        if row is None:
            raise Stop(
                ExitCode.UNFIT, f"the ledger does not know attempt {event.attempt}: was it put back from a copy?"
            )
        after = step(_attempt(row), event)
        if after.task_id is not None and after.task_id != row["task"] and self._bound(row, after.task_id):
            return Taken(f"task {after.task_id} belongs to another attempt")
        sent, _, *rest = _changing(after, "")
        self._db.execute(
            "UPDATE attempt SET sent = ?, state = ?, open = ?, task = ?, costs = ?, folded = ? WHERE serial = ?",
            (sent, *rest, row["serial"]),
        )
        self._log(row["serial"], event)
        return None

    def _bound(self, row: sqlite3.Row, task: str) -> bool:
        found = self._db.execute(
            "SELECT 1 FROM attempt WHERE account = ? AND task = ? AND serial <> ?",
            (row["account"], task, row["serial"]),
        )
        return found.fetchone() is not None

    def _events(self, attempt: str) -> Iterator[Event]:
        row = self._db.execute("SELECT * FROM attempt WHERE id = ?", (attempt,)).fetchone()
        if row is None:
            return
        for found in self._db.execute(
            "SELECT at, kind, data FROM event WHERE attempt = ? ORDER BY serial", (row["serial"],)
        ):
            kind = found["kind"]
            what = read_intended(dict(row), row["intended"]) if kind == "Intended" else read_what(kind, found["data"])
            yield Event(moment(found["at"]), attempt, what)

    def _find_account(self, account: Account) -> int | None:
        row = self._db.execute(
            "SELECT id FROM account WHERE provider = ? AND host = ?", (account.provider, account.host)
        ).fetchone()
        return None if row is None else int(row["id"])

    def _enter_account(self, account: Account) -> int:
        self._db.execute(
            "INSERT OR IGNORE INTO account(provider, host, free) VALUES (?, ?, ?)",
            (account.provider, account.host, account.free),
        )
        found = self._find_account(account)
        assert found is not None
        return found

    def _sum(self, where: str, *values: Any) -> Decimal:
        row = self._db.execute(f"SELECT COALESCE(SUM(costs), 0) FROM attempt WHERE {where}", values).fetchone()  # noqa: S608
        return credits_of(int(row[0]))

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


def _attempt(row: sqlite3.Row) -> Attempt:
    return read_attempt(row["id"], read_intended(dict(row), row["intended"]), row["folded"])


def _changing(attempt: Attempt, intended: str) -> tuple[Any, ...]:
    """The columns (sent, intended, state, open, task, costs, folded) of an attempt as it stands."""
    return (
        attempt.sent_at.timestamp() if attempt.sent_at else None,
        intended,
        str(attempt.state),
        attempt.state in OPEN,
        attempt.task_id,
        micro(attempt.credits),
        attempt_data(attempt),
    )


def retold(attempt: Attempt) -> list[Event]:
    """The events that an attempt known from a manifest must have had."""
    found: list[Event] = [Event(attempt.intended_at, attempt.id, attempt.intended)]
    if attempt.task_id is not None:
        accepted = attempt.accepted_at or attempt.intended_at
        found += [Event(accepted, attempt.id, Sending()), Event(accepted, attempt.id, Created(attempt.task_id))]
    if attempt.state in (State.SUCCEEDED, State.STORED):
        done = attempt.ended_at or attempt.intended_at
        found.append(Event(done, attempt.id, Succeeded(attempt.outputs, attempt.credits_used)))
        if attempt.clip is not None and attempt.state is State.STORED:
            found.append(Event(done, attempt.id, Stored(attempt.clip, attempt.notes)))
    return found
