"""What the loop says to a person: one sentence with the reason and the way out."""

from datetime import datetime
from decimal import Decimal

from runner.attempts.events import (
    ConcurrencyLimited,
    CreateResult,
    KeyRefused,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Refused,
    Running,
)
from runner.attempts.history import Attempt
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import LimitExceeded, TransferFailed
from runner.engine.run_events import StopReason
from runner.planning.plan import Step
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference

RECORD_GONE = "the provider has had no record of this task for a day; only --again buys it anew"


NO_SLOT = (
    "no slot of the account was free for as long as this run waits: nothing was spent by waiting; run again to go on"
)
OTHER_KEY = "some running tasks were created with another key: a key of another account cannot see them"


SEND_MARK_FAILED = "the ledger could not note that the request was about to leave: it was not sent"
ADOPTED = "its answer was lost; a webhook named the task, and the provider's record fits"


def not_adopted(reason: str) -> str:
    return f"a webhook named a task for an attempt in doubt, and it cannot be its own: {reason}"


def another_task(attempt: Attempt, task_id: str) -> str:
    return (
        f"a webhook names {task_id[:80]} where the answer named {attempt.task_id}: if the provider's page shows both, "
        "one order made two tasks"
    )


def all_slots_unsettled(free_at: datetime) -> str:
    return (
        "every slot is held by an attempt in doubt, whose task may still run: end the doubt (storyboard settle), or "
        f"run again after {free_at:%H:%M} UTC, when the first slot is free"
    )


def media_gone(days: int) -> str:
    return f"the provider deletes its media after {days} days: paid, and gone; only --again buys it anew"


def amount(credits: Decimal) -> str:
    """Credits as a person writes them: 1,240 or 42.5."""
    text = f"{credits:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def limit_exceeded(exceeded: LimitExceeded) -> StopReason:
    return StopReason(
        ExitCode.DECLINED,
        f"the next task would bring {exceeded.ceiling} to {amount(exceeded.would_be)} credits, above {amount(exceeded.limit)}: "
        "no further task was created",
    )


def preflight(answer: CreateResult) -> StopReason | None:
    """Why nothing is created after the question with a made-up id; None when that is no reason."""
    match answer:
        case KeyRefused():
            return key_refused(answer)
        case Refused():
            return StopReason(ExitCode.INVALID, f"{answer.message}: check SEEDANCE_BASE_URL; nothing was sent")
        case NotSent(final=True):
            return unreachable(answer)
        case OutcomeUnknown(stop=True):
            return redirected(answer)
        case _:
            return None


def key_refused(answer: KeyRefused) -> StopReason:
    return StopReason(ExitCode.KEY, f"the key was refused ({answer.message}): check SEEDANCE_API_KEY, then run again")


def key_refused_by_poll(answer: Running) -> StopReason:
    return StopReason(
        ExitCode.KEY,
        f"the key was refused when a task was looked at ({answer.message or '401'}): running tasks are kept; "
        "check SEEDANCE_API_KEY, then run again to collect them",
    )


def no_credits(answer: NoCredits, step: Step) -> StopReason:
    text = "the account has not enough credits"
    if answer.required is not None:
        text += f": the next task needs {amount(answer.required)}"
        text += f", {amount(answer.available)} are left" if answer.available is not None else ""
    quoted = step.price.credits
    if answer.required is not None and quoted is not None and answer.required != quoted:
        text += (
            f". Our quote was {amount(quoted)} ({step.price.row}): the price book is wrong, "
            "see [providers.kinovi.prices]"
        )
    return StopReason(ExitCode.DECLINED, f"{text} ({answer.message}). Add credits, then run again")


def stopped_by(answer: Refused, step: Step) -> StopReason:
    if answer.status in (404, 405):
        message = f"the host does not know createTask (HTTP {answer.status}: {answer.message}): check SEEDANCE_BASE_URL"
        return StopReason(ExitCode.INVALID, message)
    return StopReason(
        ExitCode.INVALID,
        f"something before the API refused the request ({answer.message}), and it may refuse all others: "
        f"no further task "
        f"was created\nwhen it lets requests pass: --again {step.shot.id} sends this one once more",
    )


def redirected(answer: OutcomeUnknown) -> StopReason:
    return StopReason(
        ExitCode.INVALID,
        f"the host answered createTask with a redirect, which is never followed ({answer.message}): "
        "check SEEDANCE_BASE_URL",
    )


def unreachable(answer: NotSent) -> StopReason:
    return StopReason(
        ExitCode.INVALID, f"no request left this machine: {answer.message}. Nothing was spent by these tries"
    )


def not_sent(answer: NotSent) -> str:
    return f"the request did not leave ({answer.message}): trying again"


def concurrency_limited(answer: ConcurrencyLimited) -> str:
    limit = f" of {answer.limit}" if answer.limit is not None else ""
    return f"all slots{limit} of the account are taken: waiting for one"


def server_error_repeat(answer: object, count: int, pause: float) -> str:
    return (
        f"the server failed (HTTP 500), perhaps after it charged; repeat {count} of 3 in {pause:.0f} s, "
        "counted as charged until settled"
    )


def too_many_server_errors() -> StopReason:
    return StopReason(
        ExitCode.UNSETTLED, "the server went on failing (HTTP 500) after three repeats: no further task was created"
    )


def same_task(task_id: str) -> str:
    return f"the provider answered with a task id that another attempt already has ({task_id[:80]})"


def failed_fast(step: Step) -> StopReason:
    return StopReason(ExitCode.FAILED, f"{step.shot.id} take {step.take} failed, and --fail-fast was given")


def price_drift(attempt: Attempt, row: str) -> StopReason | None:
    """Why nothing more is ordered after a bill that differs from its quote, by that row of the book; else None."""
    intent, billed = attempt.intent, attempt.credits_used
    if billed is None or billed == intent.quoted:
        return None
    return StopReason(
        ExitCode.DECLINED,
        f"{intent.shot} take {intent.take} was billed {amount(billed)} credits, the quote was {amount(intent.quoted)}: "
        f"the price book is wrong at {row}; correct it in [providers.kinovi.prices], then run again",
    )


def record_missing(attempt: Attempt) -> str:
    return f"the provider does not know {attempt.task_id} (yet): kept as running, the next run asks again"


def no_clip(attempt: Attempt) -> str:
    return f"{attempt.task_id} succeeded without a clip: paid and kept, the next run asks again"


def cannot_store(failure: TransferFailed) -> StopReason:
    return StopReason(ExitCode.INVALID, f"a clip cannot be stored: {failure.message}")


def fetch_later(failure: TransferFailed) -> str:
    return f"the clip could not be fetched: {failure.message}; it is paid, and the next run fetches it"


def not_published(material: Material, failure: TransferFailed) -> str:
    match material:
        case LocalFile():
            name = material.path
        case RemoteFile():
            name = material.url
        case TakeReference():
            name = str(material)
    return f"{name} could not be published: {failure.message}"
