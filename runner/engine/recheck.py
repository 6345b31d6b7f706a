"""Materials of a task that was refused for one of them, fetched; what cannot be fetched is published again, once."""

from runner.attempts.attempt import Attempt
from runner.attempts.events import Failed
from runner.engine import messages
from runner.engine.eligibility import required_materials
from runner.engine.run_context import RunContext
from runner.planning.plan import Step
from runner.requests.request import RemoteFile

# Parts of a failure's text or code that can mean two things: refused by review, or not fetchable.
_WORDS = (
    "asset_review_failed",
    "failed to download your reference",
    "failed to fetch",
    "could not download",
    "could not fetch",
    "unable to download",
)


async def recheck_materials(run: RunContext, step: Step, attempt: Attempt, answer: Failed) -> str:
    """Fetch the materials of a task that failed for one of them; what this fetch showed, or an empty text.

    What cannot be fetched now loses its address, so that it is published again, and the take may be made once more: the
    failed task cost nothing.
    """
    text = f"{answer.message} {answer.code}".casefold()
    if run.plan.account.free or not any(words in text for words in _WORDS):
        return ""
    failures: dict[str, str] = {}
    is_publishable = False
    for need in required_materials(step, run.history):
        address = run.state.addresses.of(need)
        if address is None:
            continue
        if (failure := await run.provider.recheck(need.material, address)) is not None:
            failures[messages.name_of(need.material)] = failure.message
            # An address that the user wrote is theirs: there is nothing here to publish again.
            if not isinstance(need.material, RemoteFile):
                is_publishable = True
                run.state.addresses.withdraw(need)
    if is_publishable:
        run.state.rechecks.allow_repeat(attempt.intent.fingerprint)
    note = messages.rechecked(failures, run.clock.now())
    run.state.rechecks.note(attempt.id, note)
    return note
