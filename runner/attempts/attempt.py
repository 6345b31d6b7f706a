"""One attempt: its states, and how each event changes it. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Literal

from runner.attempts.events import (
    Clip,
    ConcurrencyLimited,
    Created,
    Doubtful,
    Event,
    Failed,
    FailureClass,
    Intent,
    KeyRefused,
    Lost,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Output,
    Refused,
    Running,
    SendStarted,
    ServerError,
    Settled,
    Stored,
    Succeeded,
)
from runner.lazy_dataclass import dataclass, replace

LOST_AFTER = timedelta(days=1)
"""A task may be lost once its record is missing this long after its creation: until then a replica may lag behind."""


class AttemptState(StrEnum):
    """The state of an attempt after its events."""

    INTENDED = "intended"
    NOT_CREATED = "not created"
    REFUSED = "refused"
    MAYBE_CHARGED = "perhaps charged"
    """Ended by a documented 500: may be tried again, counts as charged until settled."""
    UNSETTLED = "unsettled"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    STORED = "stored"
    DOUBTFUL = "doubtful"
    """Paid and at hand, and the clip fails a check of ours; the user may accept it."""
    FAILED = "failed"
    GONE = "gone"
    ABANDONED = "abandoned"

    # Cached, since plans and schedules ask for them by the ten thousand.

    @cached_property
    def is_open(self) -> bool:
        """Whether no other attempt of the take may be created meanwhile: a UNIQUE index in the ledger says so too."""
        state = AttemptState
        return self in (state.INTENDED, state.UNSETTLED, state.RUNNING, state.SUCCEEDED)

    @cached_property
    def is_charged(self) -> bool:
        """Whether the provider made the clip, and billed it."""
        return self.has_result or self is AttemptState.GONE

    @cached_property
    def is_paid(self) -> bool:
        """Whether the task is ordered, and charged unless it fails: never forgotten, never ordered again by itself."""
        return self.is_charged or self in (AttemptState.RUNNING, AttemptState.UNSETTLED)

    @cached_property
    def has_clip(self) -> bool:
        """Whether a clip came: complete, or waiting beside its final name for the user's decision."""
        return self in (AttemptState.STORED, AttemptState.DOUBTFUL)

    @cached_property
    def has_result(self) -> bool:
        """Whether the task succeeded, and nothing says that its clip is lost."""
        return self is AttemptState.SUCCEEDED or self.has_clip

    @cached_property
    def is_in_progress(self) -> bool:
        """Whether the request is on its way, or its task runs."""
        return self in (AttemptState.INTENDED, AttemptState.RUNNING)

    @cached_property
    def may_hold_slot(self) -> bool:
        """Whether a task may hold one of the account's slots: an unsettled one does for as long as a task can live."""
        return self.is_in_progress or self is AttemptState.UNSETTLED

    @cached_property
    def has_failed(self) -> bool:
        """Whether the provider has answered that no clip comes."""
        return self in (AttemptState.FAILED, AttemptState.REFUSED)

    @cached_property
    def awaits_clip(self) -> bool:
        """Whether the task is known, and its clip is still to come."""
        return self in (AttemptState.RUNNING, AttemptState.SUCCEEDED)

    @cached_property
    def lacks_task(self) -> bool:
        """Whether a task may have been created whose id is not known."""
        return self in (AttemptState.INTENDED, AttemptState.UNSETTLED)

    @cached_property
    def is_settleable(self) -> bool:
        """Whether only the provider's records or the user can say if the attempt was charged."""
        return self in (AttemptState.UNSETTLED, AttemptState.MAYBE_CHARGED)

    @cached_property
    def accepts_verdict(self) -> bool:
        """Whether the user may say if the attempt was charged, as a first decision or as a correction of one."""
        return self.is_settleable or self is AttemptState.ABANDONED

    @cached_property
    def may_be_charged(self) -> bool:
        """Whether a charge may still come, or may have been made: the quote counts."""
        return self.is_in_progress or self.is_settleable

    @cached_property
    def is_repeatable_if_free(self) -> bool:
        """Whether a run on a free account makes the take again, instead of waiting for anybody."""
        return self.is_settleable or self in (AttemptState.DOUBTFUL, AttemptState.GONE)

    @cached_property
    def has_used_take(self) -> bool:
        """Whether the take's number is used: a retake gets the next number."""
        return self.is_charged or self is AttemptState.REFUSED

    @cached_property
    def leaves_no_clip(self) -> bool:
        """Whether the take has no good clip, and this run makes no other: takes that are made from it are blocked."""
        state = AttemptState
        return self in (state.REFUSED, state.FAILED, state.UNSETTLED, state.DOUBTFUL, state.GONE)

    @cached_property
    def outweighs_manifest(self) -> bool:
        """Whether the ledger's attempt stands, whatever later order a manifest records."""
        return self.is_open or self.has_clip or self in (AttemptState.ABANDONED, AttemptState.MAYBE_CHARGED)


# Differences up to the higher of the two are the provider's rounding: it bills 142.57 where the table says 142.55.
_ROUNDING_CREDITS, _ROUNDING_SHARE = Decimal("0.05"), Decimal("0.0005")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to create a task, with the outcome so far."""

    id: str
    intent: Intent
    state: AttemptState
    intended_at: datetime
    sent_at: datetime | None = None
    task_id: str | None = None
    status: str = ""
    """The provider's latest status of the running task: waiting, generating."""
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    failure: FailureClass | None = None
    message: str = ""
    """The provider's own message, raw."""
    errors: tuple[tuple[str, str], ...] = ()
    """The provider's errors of single fields of a refused request: path in the body, message."""
    outputs: tuple[Output, ...] = ()
    credits_used: Decimal | None = None
    bill_read_at: datetime | None = None
    """When the bill was read after the first answer of success; None: not again since then."""
    duration: float | None = None
    """Seconds from createTime to completeTime, by the provider's clock."""
    clip: Clip | None = None
    other_copies: tuple[Clip, ...] = ()
    """The same clip under the names of other takes that share the request."""
    notes: tuple[str, ...] = ()
    """Differences of the clip from the order."""
    doubt: str = ""
    """The fault that a check of ours found in a doubtful clip."""
    charged: bool = False
    """Whether the user settled the attempt as charged: abandoned, and counted."""
    from_manifest: bool = False
    """Whether the attempt is in a manifest only, and not in this ledger."""
    state_before_settlement: AttemptState | None = None
    repository: str | None = None
    """The top folder of another repository that ordered it; None for this one."""
    held_elsewhere: bool = False
    """A living run of that other repository ordered it, and brings it home."""
    kept_for: str | None = None
    """The wanted fingerprint that a person said this clip stands for, by `keep`."""

    @property
    def model(self) -> str | None:
        """The model that was asked for; None where only a manifest tells of it, and without its request."""
        model = self.intent.request.get("model")
        return model if isinstance(model, str) else None

    @property
    def clip_fault(self) -> str:
        """The fault of a doubtful clip, as a sentence about the clip goes on: `is 2.0 s long instead of 5 s`."""
        # A manifest may leave the fault out, as one that was merged by hand does.
        return self.doubt or "did not pass a check"

    def needs_other_key(self, key_id: str) -> bool:
        """Whether another key ordered it: its task is asked for with that one only; every key fits an empty id."""
        return bool(key_id) and self.intent.key_id not in ("", key_id)

    @property
    def needs_confirmation(self) -> bool:
        """Whether only a manifest tells of it, and without its request: the provider's record must confirm the task."""
        return self.from_manifest and not self.intent.request

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clip under every name it was stored under; some names may hold another clip by now."""
        return self.other_copies if self.clip is None else (self.clip, *self.other_copies)

    @property
    def credits(self) -> Decimal:
        """The highest possible cost: the bill or the quote, whichever is higher; zero if surely not charged."""
        if self.state.is_charged:
            # The higher one: a bill that settles late is too low at first, and ceilings must not see room in that.
            return max(self.intent.quoted, self.credits_used or Decimal(0))
        if self.state.may_be_charged or self.charged:
            return self.intent.quoted
        return Decimal(0)

    @property
    def billed(self) -> Decimal:
        """The credits that the provider billed, the quote without a readable bill; zero unless the task succeeded."""
        if not self.state.is_charged:
            return Decimal(0)
        return self.intent.quoted if self.credits_used is None else self.credits_used

    @property
    def price_deviation(self) -> Literal["above", "below"] | None:
        """The direction in which the bill differs from the quote; None without a bill, or within a rounding."""
        return price_deviation(self.credits_used, self.intent.quoted)


def price_deviation(billed: Decimal | None, quoted: Decimal) -> Literal["above", "below"] | None:
    """The direction in which a bill differs from its quote; None without a bill, and within the provider's rounding."""
    if billed is None or abs(billed - quoted) <= max(_ROUNDING_CREDITS, quoted * _ROUNDING_SHARE):
        return None
    return "above" if billed > quoted else "below"


def open_attempt(event: Event) -> Attempt:
    """The attempt that an `Intent` opens."""
    assert isinstance(event.payload, Intent)
    return Attempt(event.attempt, event.payload, AttemptState.INTENDED, event.at)


def apply_event(attempt: Attempt, event: Event) -> Attempt:
    """The attempt after one more event; an event without news leaves the attempt unchanged."""
    match event.payload:
        case SendStarted():
            return replace(attempt, sent_at=event.at)
        case Created(task_id):
            return _accepted(attempt, event.at, task_id)
        case NotSent(message) | KeyRefused(message) | NoCredits(message) | ConcurrencyLimited(message):
            return replace(attempt, state=AttemptState.NOT_CREATED, message=message, ended_at=event.at)
        case Refused(status=404 | 405, message=message):  # the wrong host: the take itself was not refused
            return replace(attempt, state=AttemptState.NOT_CREATED, message=message, ended_at=event.at)
        case Refused(message=message, errors=errors):
            return replace(attempt, state=AttemptState.REFUSED, message=message, errors=errors, ended_at=event.at)
        case ServerError(message):
            return replace(attempt, state=AttemptState.MAYBE_CHARGED, message=message, ended_at=event.at)
        case OutcomeUnknown(message):
            return replace(attempt, state=AttemptState.UNSETTLED, message=message)
        case Running():
            return _apply_running(attempt, event.payload)
        case Succeeded():
            return _succeeded(attempt, event.at, event.payload)
        case Failed():
            return _failed(attempt, event.at, event.payload)
        case Lost(message):
            return replace(attempt, state=AttemptState.GONE, message=message, ended_at=event.at)
        case Stored() | Doubtful():
            return _downloaded(attempt, event.payload)
        case Settled():
            return _settled(attempt, event.at, event.payload)
        case Intent():
            return attempt


def _accepted(attempt: Attempt, at: datetime, task_id: str) -> Attempt:
    return replace(attempt, state=AttemptState.RUNNING, task_id=task_id, accepted_at=at, status="waiting", message="")


def _apply_running(attempt: Attempt, answer: Running) -> Attempt:
    # A poll that came late must not bring an ended attempt back to life.
    if attempt.state is not AttemptState.RUNNING or not answer.answered:
        return attempt
    return replace(attempt, status=answer.status)


def _duration_seconds(created_ms: int | None, completed_ms: int | None) -> float | None:
    # By the provider's own clock, which may have been set between the two moments.
    if created_ms is None or completed_ms is None or completed_ms < created_ms:
        return None
    return (completed_ms - created_ms) / 1000


def _succeeded(attempt: Attempt, at: datetime, answer: Succeeded) -> Attempt:
    return replace(
        attempt,
        # A bill that is read again after the clip was stored must not take the clip away.
        state=attempt.state if attempt.state.has_clip else AttemptState.SUCCEEDED,
        outputs=answer.outputs,
        # An answer without a readable bill must not take the number that is known.
        credits_used=answer.credits_used if answer.credits_used is not None else attempt.credits_used,
        # The first answer of success: readings of the bill are counted from there.
        ended_at=attempt.ended_at or at,
        bill_read_at=None if attempt.ended_at is None else at,
        duration=_duration_seconds(answer.created_ms, answer.completed_ms),
        message="",
    )


def _failed(attempt: Attempt, at: datetime, answer: Failed) -> Attempt:
    # Success is final: a record that says "failed" afterwards takes no paid clip back.
    if attempt.state.is_charged:
        return attempt
    # These depend on what was sent, so the same request would fail again; all others may be tried again.
    refused = answer.kind in ("moderation", "face")
    return replace(
        attempt,
        state=AttemptState.REFUSED if refused else AttemptState.FAILED,
        failure=answer.kind,
        message=answer.message,
        credits_used=answer.credits_used,
        ended_at=at,
        duration=_duration_seconds(answer.created_ms, answer.completed_ms),
    )


def _downloaded(attempt: Attempt, payload: Stored | Doubtful) -> Attempt:
    return _stored(attempt, payload) if isinstance(payload, Stored) else _doubtful(attempt, payload)


def _stored(attempt: Attempt, payload: Stored) -> Attempt:
    if attempt.state is AttemptState.DOUBTFUL:
        attempt = replace(attempt, doubt="", clip=None, other_copies=())  # what lay beside has its final name now
    place = clip_place(payload.clip)
    # A second place is another copy: takes that share the request have one each.
    if attempt.clip is None or clip_place(attempt.clip) == place:
        return replace(attempt, state=AttemptState.STORED, clip=payload.clip, notes=payload.notes)
    others = tuple(copy for copy in attempt.other_copies if clip_place(copy) != place)
    return replace(attempt, state=AttemptState.STORED, other_copies=(*others, payload.clip))


def _doubtful(attempt: Attempt, payload: Doubtful) -> Attempt:
    if attempt.state is AttemptState.STORED:
        return attempt  # a whole clip of the same task came before
    if attempt.state is not AttemptState.DOUBTFUL or attempt.clip is None:
        return replace(attempt, state=AttemptState.DOUBTFUL, clip=payload.clip, doubt=payload.doubt)
    place = clip_place(attempt.clip)
    copies = {clip_place(copy): copy for copy in (*attempt.other_copies, payload.clip) if clip_place(copy) != place}
    return replace(attempt, other_copies=tuple(copies.values()))


def clip_place(clip: Clip) -> tuple[str | None, str]:
    return clip.repository, clip.path


def _settled(attempt: Attempt, at: datetime, settlement: Settled) -> Attempt:
    match settlement.verdict:
        case "adopted":
            adopted = _accepted(attempt, at, settlement.task_id or "")
            return replace(adopted, state_before_settlement=attempt.state, message=attempt.message)
        case "undone":
            return _undo_settlement(attempt)
        case _:
            return replace(
                attempt,
                state=AttemptState.ABANDONED,
                charged=settlement.verdict == "charged",
                ended_at=at,
                # The state before the first of several decisions: `--undo` goes back to what was known then.
                state_before_settlement=attempt.state_before_settlement or attempt.state,
            )


def _undo_settlement(attempt: Attempt) -> Attempt:
    """The attempt with its settlement reverted: unsettled again; a task bound by the settlement is unbound."""
    before = attempt.state_before_settlement
    if before is None:
        return attempt
    restored = replace(attempt, state=before, charged=False, state_before_settlement=None, ended_at=None)
    if attempt.state is AttemptState.ABANDONED:
        return restored
    return replace(restored, task_id=None, accepted_at=None, status="")
