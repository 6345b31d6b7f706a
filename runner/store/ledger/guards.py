"""The checks before an intent is written, in its transaction: other attempts, concurrency over all runs, limits."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from runner.attempts.attempt import AttemptState
from runner.attempts.events import Intent
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted, ConcurrencyFull, LimitExceeded
from runner.store.ledger.rows import VISIBLE, AttemptRows, LedgerScope

DAY = timedelta(hours=24)
"""The period of `budget.credits_per_day`."""
# Seconds for which a run that found no free slot counts as waiting for its turn.
_TURN_SECONDS = 10.0


def already_attempted(
    table: AttemptRows, scope: LedgerScope, intent: Intent, attempts_seen: int
) -> AlreadyAttempted | None:
    """The refusal if another run has attempted the same take since the caller read the ledger."""
    row = table.db.execute(
        "SELECT COUNT(*) AS tried, TOTAL(open) AS open FROM attempt"  # noqa: S608
        f" WHERE account = ? AND fingerprint = ? AND {VISIBLE}",
        (scope.account, intent.fingerprint, json.dumps(scope.names)),
    ).fetchone()
    # As many as the caller has read, and none that may still make the clip: nothing has happened since its plan.
    if row["tried"] == attempts_seen and not row["open"]:
        return None
    return AlreadyAttempted(
        f"another run has ordered {intent.shot} take {intent.take} in the meantime: run again to continue"
    )


def concurrency_full(
    table: AttemptRows, scope: LedgerScope, limits: RunLimits, at: datetime, is_alive: Callable[[str], bool]
) -> ConcurrencyFull | None:
    """The refusal if all runs together fill the concurrency, or this run has its fair share while others wait."""
    now = at.timestamp()
    holders = _runs_holding_slots(table, scope, limits, now, is_alive)
    own_slots, total = holders.count(limits.run), len(holders)
    waiting_runs = table.db.execute(
        # A clock that was set back leaves a turn in the future, which must not hold others up for longer than one in
        # the past.
        "SELECT COUNT(*) FROM turn WHERE account = ? AND run <> ? AND at BETWEEN ? AND ?",
        (scope.account, limits.run, now - _TURN_SECONDS, now + _TURN_SECONDS),
    ).fetchone()[0]
    # Rounded up, so that with more runs than slots each still gets one.
    share = -(-limits.concurrency // (waiting_runs + 1))
    if total < limits.concurrency and (not waiting_runs or own_slots < share):
        # This run has its slot and waits no more; the others' shares grow by that.
        table.db.execute("DELETE FROM turn WHERE run = ?", (limits.run,))
        return None
    table.db.execute("INSERT OR REPLACE INTO turn VALUES (?, ?, ?)", (limits.run, scope.account, now))
    return ConcurrencyFull(total, limits.concurrency)


def _runs_holding_slots(
    table: AttemptRows, scope: LedgerScope, limits: RunLimits, now: float, is_alive: Callable[[str], bool]
) -> list[str]:
    """The run of every attempt that holds a slot of the account: running tasks, and unsettled ones that may run."""
    rows = table.db.execute(
        "SELECT run, state, COALESCE(sent, at) AS since FROM attempt WHERE account = ? AND open"
        " AND state IN (SELECT value FROM json_each(?))",
        (scope.account, json.dumps([state for state in AttemptState if state.may_hold_slot])),
    ).fetchall()
    # By distance, since a clock that was set back makes attempts that seem to be of the future.
    young = [row["run"] for row in rows if abs(now - row["since"]) < limits.task_life]
    # A task older than any can live holds no slot, unless the run that polls it is alive and still says "running".
    old = [
        row["run"]
        for row in rows
        if abs(now - row["since"]) >= limits.task_life and row["state"] == AttemptState.RUNNING
    ]
    alive = {run for run in set(old) if is_alive(run)}
    return young + [run for run in old if run in alive]


def limit_exceeded(
    table: AttemptRows, scope: LedgerScope, intent: Intent, limits: RunLimits, at: datetime
) -> LimitExceeded | None:
    """The first limit that the quote would exceed, counting everything that may have been spent."""
    # Quotes at a free account are those of the paid provider, and nothing is spent.
    if scope.free:
        return None
    since = (at - DAY).timestamp()
    if limits.max_credits is not None:
        spent = table.sum("run = ?", limits.run)
        if spent + intent.quoted > limits.max_credits:
            return LimitExceeded("--max-credits", limits.max_credits, spent + intent.quoted)
    if limits.saved_plan is not None:
        spent = table.sum("plan = ?", limits.saved_plan.id)
        if spent + intent.quoted > limits.saved_plan.credits:
            return LimitExceeded("the saved plan", limits.saved_plan.credits, spent + intent.quoted)
    if (budget := limits.budgets.get(intent.storyboard)) is not None:
        # The request itself counts in its budget, whether or not the plan listed it.
        table.db.execute("INSERT INTO counted VALUES (?, ?)", (intent.storyboard, intent.fingerprint))
        spent = budget.manifest_credits + table.sum(
            "account = ? AND repository = ? AND storyboard = ?"
            " AND fingerprint IN (SELECT fingerprint FROM counted WHERE storyboard = ?)",
            *(scope.account, scope.repository, intent.storyboard, intent.storyboard),
        )
        if spent + intent.quoted > budget.credits:
            return LimitExceeded("budget", budget.credits, spent + intent.quoted)
    if limits.credits_per_day is not None:
        spent = table.sum("account = ? AND at >= ?", scope.account, since)
        if spent + intent.quoted > limits.credits_per_day:
            return LimitExceeded("credits_per_day", limits.credits_per_day, spent + intent.quoted)
    return None
