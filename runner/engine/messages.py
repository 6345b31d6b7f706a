"""Messages of a run: one sentence each, with the subject, what happened and the way out."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from runner.attempts.attempt import Attempt, AttemptState
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
from runner.diagnostics.plural import count
from runner.diagnostics.problem import ExitCode
from runner.engine.ports import LimitExceeded, TransferFailed
from runner.engine.run_events import Kind, StopReason
from runner.paid_providers import paid_provider, settings_section
from runner.planning.plan import Step
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference
from runner.settings.api_key import key_variables_text

RECORD_GONE = "the provider has had no record of this task for a day: the task is lost; only --again buys the take anew"
NO_SLOT = "the account had no free slot for as long as this run waits; waiting cost nothing. Run again to go on"
SEND_MARK_FAILED = "the request was not sent: the ledger could not record first that it was about to be sent"
ORPHAN_RUNS = "still running at the provider; its clip is fetched when it ends, at no new charge"
ADOPTED = "the answer to createTask was lost; a webhook named the task, and the provider's record matches"


def other_key(attempt: Attempt) -> str:
    """The message about a task that another key ordered, with the first characters of that key's id."""
    return (
        f"{attempt.task_id} was ordered with another key (its id begins with {attempt.intent.key_id[:4]}), and is "
        f"asked for with that key only: set {paid_provider().key_variables[0]} to it, then run again"
    )


def waits_for_run(step: Step) -> str:
    return f"{step.shot.id} take {step.take} waits: {step.reason.text}"


def not_adopted(reason: str) -> str:
    return f"a webhook named a task for this unsettled attempt, but the task does not match: {reason}"


def another_task(attempt: Attempt, task_id: str) -> str:
    return (
        f"a webhook named {task_id[:80]}, but createTask answered {attempt.task_id}: if the provider's page shows both "
        "tasks, one order made two"
    )


def all_slots_unsettled(free_at: datetime) -> str:
    return (
        "all slots are held by unsettled attempts. Settle them (storyboard settle) or run again after "
        f"{free_at:%H:%M} UTC, when the first slot is free"
    )


def media_gone(days: int) -> str:
    return f"the provider deletes media after {days} days: the clip was paid and is gone; only --again buys it anew"


def amount(credits: Decimal) -> str:
    """Credits in text: 1,240 or 42.5."""
    text = f"{credits:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def limit_exceeded(exceeded: LimitExceeded) -> StopReason:
    return StopReason(
        ExitCode.DECLINED,
        f"stopped: the next task would raise spending to {amount(exceeded.would_be)} credits, "
        f"over {exceeded.ceiling} {amount(exceeded.limit)}",
    )


def preflight(answer: CreateResult) -> StopReason | None:
    """The reason why no task may be created after the poll of a made-up id; None when tasks may be created."""
    match answer:
        case KeyRefused():
            return key_refused(answer)
        case Refused():
            return StopReason(
                ExitCode.INVALID, f"{answer.message}: check {paid_provider().base_url_variable}; no task was created"
            )
        case NotSent(final=True):
            return unreachable(answer)
        case OutcomeUnknown(stop=True):
            return redirected(answer)
        case _:
            return None


def key_refused(answer: KeyRefused) -> StopReason:
    text = f"the provider refused the key ({answer.message}): check {key_variables_text()}, then run again"
    return StopReason(ExitCode.KEY, text)


def key_refused_by_poll(answer: Running) -> StopReason:
    return StopReason(
        ExitCode.KEY,
        f"the provider refused the key in a poll ({answer.message or '401'}): running tasks go on; "
        f"check {key_variables_text()}, then run again to collect them",
    )


def no_credits(answer: NoCredits, step: Step) -> StopReason:
    text = "the account has too few credits"
    if answer.required is not None:
        text += f": the next task needs {amount(answer.required)}"
        text += f", {amount(answer.available)} are left" if answer.available is not None else ""
    quoted = step.price.credits
    if answer.required is not None and quoted is not None and answer.required != quoted:
        text += (
            f". The quote was {amount(quoted)} ({step.price.row}): the price book is wrong, "
            f"see [{settings_section()}.prices]"
        )
    return StopReason(ExitCode.DECLINED, f"{text} ({answer.message}). Add credits, then run again")


def stopped_by(answer: Refused, step: Step) -> StopReason:
    if answer.status in (404, 405):
        message = f"the host does not know createTask (HTTP {answer.status}: {answer.message})"
        message += f": check {paid_provider().base_url_variable}"
        return StopReason(ExitCode.INVALID, message)
    return StopReason(
        ExitCode.INVALID,
        f"a proxy or firewall in front of the API refused the request ({answer.message}), and may refuse all others: "
        f"no further task was created\nonce requests pass, --again {step.shot.id} sends this one again",
    )


def redirected(answer: OutcomeUnknown) -> StopReason:
    return StopReason(
        ExitCode.INVALID,
        f"the host answered createTask with a redirect, which is never followed ({answer.message}): "
        f"check {paid_provider().base_url_variable}",
    )


def unreachable(answer: NotSent) -> StopReason:
    return StopReason(ExitCode.INVALID, f"no request was sent ({answer.message}); nothing was spent")


def not_sent(answer: NotSent) -> str:
    return f"the request was not sent ({answer.message}): trying again"


def concurrency_limited(answer: ConcurrencyLimited, pause: float) -> str:
    count = f" {answer.limit}" if answer.limit is not None else ""
    return f"all{count} slots of the account are taken: waiting for a free one, next try in {pause:.0f} s"


def slots_wait(answer: ConcurrencyLimited, unsettled: int) -> str:
    """The message about a pause after a 429; `unsettled` attempts of ours may each hold one of the slots."""
    text = "the account's slots are taken"
    if not unsettled:
        return text
    verb = "is held by an unsettled order" if unsettled == 1 else "are held by unsettled orders"
    return f"{text}; {unsettled}{f' of {answer.limit}' if answer.limit is not None else ''} {verb}"


def unsettled_wait(slots: int) -> str:
    subject = (
        "the only slot is held by an unsettled order"
        if slots == 1
        else f"all {slots} slots are held by unsettled orders"
    )
    return f"{subject}: storyboard settle frees them"


def network_wait(answer: NotSent) -> str:
    return f"the request could not be sent: {answer.message}"


SHARED_WAIT = "another run on this machine holds the slots"
WEBHOOK_WAIT = "its answer was lost, a webhook may still name its task"


def poll_wait(answer: Running) -> str:
    if answer.not_found:
        return "the provider has no record of the task so far, it is polled again"
    return f"the poll failed ({answer.message}), it is polled again"


def polls_fail(answer: Running) -> str:
    return f"the provider does not answer polls ({answer.message}): running tasks are kept, and polled again"


def server_wait(count: int) -> str:
    return f"the server failed (HTTP 500), sent again ({count} of 3)"


def download_wait(failure: TransferFailed, tries: int, most: int) -> str:
    return f"{failure.message}, a new link is asked for ({tries} of {most})"


def publish_wait(material: Material, failure: TransferFailed, tries: int, most: int) -> str:
    return f"{not_published(material, failure)}, tried again ({tries} of {most})"


def server_error_repeat(count: int, pause: float) -> str:
    return (
        f"the server failed (HTTP 500), maybe after it charged; repeat {count} of 3 in {pause:.0f} s, "
        "counted as charged until settled"
    )


def too_many_server_errors() -> StopReason:
    return StopReason(
        ExitCode.UNSETTLED, "the server still failed (HTTP 500) after three repeats: no further task was created"
    )


def same_task(task_id: str) -> str:
    return f"the provider answered with a task id that belongs to another attempt ({task_id[:80]})"


def orphan_news(kind: Kind, attempt: Attempt, message: str) -> str:
    """The message about an orphan, with its name and the time of its order; empty for what is no news to anybody."""
    match kind:
        case "stored":
            text = f"paid before; its clip was fetched: {attempt.clip.path if attempt.clip is not None else ''}"
        case "failed" | "refused" if attempt.state is AttemptState.DOUBTFUL and attempt.clip is not None:
            text = f"paid before; its clip {attempt.clip_fault}, and is kept as {attempt.clip.path}"
        case "failed" | "refused" if attempt.state is AttemptState.GONE:
            text = f"maybe charged; its clip is lost: {message}"
        case "failed" | "refused":
            text = f"failed, not charged: {message}"
        case "warning":
            text = message
        case _:
            return ""
    when = f"{attempt.intended_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{_take(attempt)} of {when} (earlier version): {text}"


def failed_fast(step: Step) -> StopReason:
    return StopReason(ExitCode.FAILED, f"{step.shot.id} take {step.take} failed: --fail-fast stops the run")


def bill_above_quote(attempt: Attempt, row: str) -> StopReason | None:
    """The reason why nothing more is ordered after a bill above its quote, by `row` of the price book; else None."""
    if attempt.price_deviation != "above":
        return None
    return StopReason(
        ExitCode.DECLINED,
        f"{_bill(attempt)}: the price book is wrong at {row}; correct it in [{settings_section()}.prices], "
        "then run again",
    )


def bill_note(attempt: Attempt) -> str | None:
    """The message about a bill below its quote, or about a bill that cannot be read; else None."""
    if attempt.credits_used is None:
        return (
            f"the provider's record of {attempt.task_id} has no bill that can be read: it counts as its quote, "
            f"{amount(attempt.intent.quoted)} credits"
        )
    return f"{_bill(attempt)}; the run goes on" if attempt.price_deviation == "below" else None


def _bill(attempt: Attempt) -> str:
    billed, quoted = attempt.credits_used or Decimal(0), attempt.intent.quoted
    return f"{_take(attempt)} was billed {amount(billed)} credits, the quote was {amount(quoted)}"


def _take(attempt: Attempt) -> str:
    return f"{attempt.intent.shot} take {attempt.intent.take}"


def record_missing_so_far(attempt: Attempt, seconds: float) -> str:
    return (
        f"the provider has no record of {attempt.task_id} ({_take(attempt)}) so far: it is polled for "
        f"{seconds / 60:.0f} minutes. If it finds no other task either, check {paid_provider().base_url_variable}"
    )


def record_missing(attempt: Attempt) -> str:
    return (
        f"the provider has no record of {attempt.task_id} (yet): the task counts as running, the next run polls again"
    )


def no_clip(attempt: Attempt) -> str:
    return f"{attempt.task_id} succeeded without a clip: the take is paid, and the next run asks for its clip again"


def cannot_store(failure: TransferFailed) -> StopReason:
    return StopReason(ExitCode.INVALID, f"a clip cannot be stored: {failure.message}")


def fetch_again(attempt: Attempt, failure: TransferFailed, tries: int) -> str:
    return (
        f"the clip of {_take(attempt)} could not be fetched at the first of {tries} tries: "
        f"{failure.message}; trying with a new link"
    )


def fetch_later(attempt: Attempt, failure: TransferFailed, tries: int) -> str:
    return (
        f"the clip of {_take(attempt)} could not be fetched in {count(tries, 'try', 'tries')}: {failure.message}; "
        "it is paid, and the next run fetches it"
    )


def doubtful(attempt: Attempt) -> str:
    """The message about a clip that fails a check, with the way to take it all the same."""
    path = attempt.clip.path if attempt.clip is not None else "beside its place"
    # The whole command stands on the closing screen: provider and profile are part of it.
    return f"its clip {attempt.clip_fault}; it is paid, and kept as {path}: if it is good, `fetch --accept` takes it"


def unusable_download(failure: TransferFailed) -> str:
    return f"{failure.message}; it is paid, and asked for once more"


def not_published(material: Material, failure: TransferFailed) -> str:
    return f"cannot reach the provider: {unpublished(material, failure.message)}"


def unpublished(material: Material, message: str) -> str:
    """The failure of a material with its name, once."""
    name = name_of(material)
    bare = message.removeprefix(f"{name.rpartition('/')[2]}: ").removeprefix(f"{name}: ")
    return message if message.startswith(f"{name} ") else f"{name}: {bare}"


def not_checked(material: Material, warning: str) -> str:
    return f"{name_of(material)}: {warning}; the provider may reach it, so the take is ordered"


def rechecked(failures: Mapping[str, str], at: datetime) -> str:
    """Findings of our own fetch of a refused task's materials, and its time; `failures` by material."""
    moment = f"{at:%H:%M} UTC"
    if not failures:
        return f"our own fetch of its materials at {moment} worked"
    causes = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
    return f"our own fetch at {moment} failed: {causes}"


def name_of(material: Material) -> str:
    """A material as the storyboard's files name it."""
    match material:
        case LocalFile():
            return material.name
        case RemoteFile():
            return material.url
        case TakeReference():
            return str(material)
