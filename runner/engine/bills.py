"""Bills that grow after the end of their tasks, read again; no run waits for one."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from runner.attempts.attempt import Attempt
from runner.attempts.events import Running
from runner.attempts.late_bill import next_reading, reading
from runner.editions.edition import Edition, settles_late
from runner.engine import messages

if TYPE_CHECKING:
    from runner.engine.run_context import RunContext

# Seconds after a reading that failed.
_AGAIN_AFTER = 60.0


def schedule_readings(run: "RunContext") -> None:
    """Schedule the next reading of every open bill of this repository; those of earlier runs may be due."""
    if run.plan.account.free:
        return
    for attempt in list(run.history.own()):
        schedule_reading(run, attempt)


def schedule_reading(run: "RunContext", attempt: Attempt) -> None:
    """Schedule the next reading of one bill, unless the bill is final, or the provider has dropped the record."""
    run.state.bills.close(attempt.id)
    if run.plan.account.free or attempt.ended_at is None:
        return
    due_at = due_reading(attempt, run.plan.edition, run.age(attempt.ended_at))
    if due_at is not None:
        # A moment of the wall clock as one of the loop's: the age of a future moment is negative.
        run.state.bills.schedule(attempt.id, run.now() - run.age(due_at).total_seconds())


def due_reading(attempt: Attempt, edition: Edition, age: timedelta) -> datetime | None:
    """The moment to read a bill next, `age` after its task's success; None for a final or unreadable bill."""
    due_at = next_reading(attempt)
    if due_at is None or edition.has_deleted_record(age):
        return None
    intent = attempt.intent
    return due_at if settles_late(edition, intent.edition, intent.request) else None


async def read_bill(run: "RunContext", attempt_id: str) -> None:
    """Carry out a `ReadBill` order: a poll of a task that has succeeded."""
    attempt = run.history.attempts[attempt_id]
    answer = await run.provider.poll(attempt)
    if (bill := reading(attempt, answer)) is not None:
        await run.append(attempt_id, bill)
        schedule_reading(run, run.history.attempts[attempt_id])
        row = run.plan.edition.price_row(attempt.intent.request)
        if (stop_reason := messages.bill_above_quote(run.history.attempts[attempt_id], row)) is not None:
            run.stop_creating(stop_reason)
    else:
        run.state.bills.schedule(attempt_id, run.now() + _AGAIN_AFTER)
        if isinstance(answer, Running) and answer.key_refused:
            run.state.polls.stop()
    run.state.bills.end(attempt_id)
    run.wake()
