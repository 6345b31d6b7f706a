"""The confirmation of tasks that a manifest names without their request, before a plan counts on them."""

from contextlib import AsyncExitStack

from runner.app.batch_planner import BatchPlanner
from runner.app.conversation import Note
from runner.app.run_store import RunStore, open_clip_store
from runner.attempts.attempt import Attempt
from runner.attempts.events import Running, Succeeded
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.confirmation import confirmed, objection, to_confirm
from runner.planning.plan import Step


def confirm_tasks(planner: BatchPlanner, history: History, store: RunStore, note: Note) -> None:
    """Confirm or drop every such task that a take of the batch waits for.

    A dropped task is noted, and its take is to be made. `CommandError` when the provider does not answer: until
    then nobody knows whether the take is paid for.
    """
    # In turns: an answer changes the plan, and with it which entries a take waits for.
    while any(attempt.needs_confirmation for attempt in history.attempts.values()):
        waiting = list(to_confirm(planner.plan(history), history))
        if not waiting:
            return
        import anyio  # with the event loop, which a run with nothing to confirm may do without

        anyio.run(_confirm_all, planner, history, store, note, waiting)


async def _confirm_all(
    planner: BatchPlanner, history: History, store: RunStore, note: Note, waiting: list[tuple[Step, Attempt]]
) -> None:
    from runner.app.provider_gateway import open_gateway

    async with AsyncExitStack() as stack:
        clip_store = open_clip_store(planner.settings, history)
        gateway = await open_gateway(planner.settings, planner.edition, planner.routes, clip_store, stack)
        for step, attempt in waiting:
            answer, facts = await gateway.client.fetch_record(attempt.task_id or "")
            if isinstance(answer, Running) and not (answer.answered or answer.not_found):
                # Neither paid nor unpaid is known: to order now could buy the take twice.
                raise _no_answer(attempt, answer)
            reason = objection(step, attempt, answer, facts, history)
            if reason is None and isinstance(answer, Succeeded):
                history.confirm(confirmed(step, attempt, answer))
                # Into the ledger before anything is planned on it, so that a crash in between forgets nothing.
                refusal = store.record(history, attempt.id, answer)
                # One that has its row is paid: without the answer it still stands, and is not ordered again.
                if refusal is not None and history.attempts[attempt.id].from_manifest:
                    reason = refusal.message
            if reason is not None:
                # A manifest is a stranger's file: what the provider does not confirm may keep no take from being made.
                history.forget(attempt.id)
                note(_dropped(step, reason))


def _no_answer(attempt: Attempt, answer: Running) -> CommandError:
    task, shot = attempt.task_id, attempt.intent.shot
    if answer.key_refused:
        message = f"the key was refused, and {task} of {shot} is to be confirmed with it: nothing was sent"
        return CommandError(ExitCode.KEY, message)
    reason = answer.message or "it gave no answer"
    message = f"the provider did not confirm {task} of {shot} ({reason}): nothing was ordered; run again later"
    return CommandError(ExitCode.FAILED, message)


def _dropped(step: Step, reason: str) -> str:
    return f"{step.shot.id} take {step.take}: {reason}; the manifest's entry does not count, and the take is to be made"
