"""Requests that a living run of another repository has ordered: they are followed in the ledger, for nothing."""

from collections.abc import Collection

from runner.engine import messages
from runner.engine.run_context import RunContext

# Between two readings of the ledger.
_SECONDS_BETWEEN = 2.0


async def read_other_runs(run: RunContext, fingerprints: Collection[str]) -> None:
    """Carry out a `ReadOtherRuns` order."""
    await _read(run, fingerprints)
    run.state.others.end_reading(run.now() + _SECONDS_BETWEEN)
    run.wake()


async def follow(run: RunContext, fingerprint: str) -> bool:
    """Whether another repository has ordered a request meanwhile, so that its clip serves this run, too."""
    await _read(run, [fingerprint])
    attempt = run.history.current_attempt(fingerprint)
    if attempt is None or attempt.repository is None:
        return False
    announce(run)
    return True


async def _read(run: RunContext, fingerprints: Collection[str]) -> None:
    """The ledger's present state of some requests; a new plan where it has changed."""
    attempts = await run.run_blocking(lambda: run.ledger.attempts_of(fingerprints))
    if run.history.update(attempts):
        run.history_changed()
        run.renew_plan()


def announce(run: RunContext) -> None:
    """Say once for each take which run it waits for."""
    for step in run.plan.steps:
        if step.waits_for == "run" and step.attempt is not None and run.state.others.announce(step.key):
            run.emit("warning", step, step.attempt, messages.waits_for_run(step))
