"""The history: the state of every attempt, folded from events that are only appended. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from runner.attempts.events import (
    Clip,
    ConcurrencyLimited,
    Created,
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
from runner.lazy_dataclass import dataclass, field, replace
from runner.requests.request import JsonValue


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
    FAILED = "failed"
    GONE = "gone"
    ABANDONED = "abandoned"


OPEN = frozenset({AttemptState.INTENDED, AttemptState.UNSETTLED, AttemptState.RUNNING, AttemptState.SUCCEEDED})
"""While an attempt of a take is open, no other may be created: a UNIQUE index in the ledger says so too."""
CHARGED = frozenset({AttemptState.SUCCEEDED, AttemptState.STORED, AttemptState.GONE})
_ROUNDING_CREDITS, _ROUNDING_SHARE = Decimal("0.05"), Decimal("0.0005")
"""Differences up to the higher of the two are the provider's rounding: it bills 142.57 where the table says 142.55."""


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
    duration: float | None = None
    """Seconds from createTime to completeTime, by the provider's clock."""
    clip: Clip | None = None
    other_copies: tuple[Clip, ...] = ()
    """The same clip under the names of other takes that share the request."""
    notes: tuple[str, ...] = ()
    """Differences of the clip from the order."""
    charged: bool = False
    """Whether the user settled the attempt as charged: abandoned, and counted."""
    from_manifest: bool = False
    """Whether the attempt is in a manifest only, and not in this ledger."""
    state_before_settlement: AttemptState | None = None
    repository: str | None = None
    """The top folder of another repository that ordered it; None for this one."""
    held_elsewhere: bool = False
    """A living run of that other repository ordered it, and brings it home."""

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The clip under every name it was stored under; some names may hold another clip by now."""
        return self.other_copies if self.clip is None else (self.clip, *self.other_copies)

    @property
    def credits(self) -> Decimal:
        """The highest possible cost: the bill or the quote, whichever is higher; zero if surely not charged."""
        if self.state in CHARGED:
            return max(self.intent.quoted, self.credits_used or Decimal(0))
        if (
            self.state
            in (AttemptState.RUNNING, AttemptState.UNSETTLED, AttemptState.MAYBE_CHARGED, AttemptState.INTENDED)
            or self.charged
        ):
            return self.intent.quoted
        return Decimal(0)

    @property
    def billed(self) -> Decimal:
        """The credits that the provider billed; zero unless the task succeeded."""
        return (self.credits_used or Decimal(0)) if self.state in CHARGED else Decimal(0)

    @property
    def price_deviation(self) -> Literal["above", "below"] | None:
        """How the bill differs from the quote; None without a bill, and within the provider's own rounding."""
        return price_deviation(self.credits_used, self.intent.quoted)


def price_deviation(billed: Decimal | None, quoted: Decimal) -> Literal["above", "below"] | None:
    """How a bill differs from its quote; None without a bill, and within the provider's own rounding."""
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
        case Stored():
            return _stored(attempt, event.payload)
        case Settled():
            return _settled(attempt, event.at, event.payload)
        case Intent():
            return attempt


def _accepted(attempt: Attempt, at: datetime, task_id: str) -> Attempt:
    return replace(attempt, state=AttemptState.RUNNING, task_id=task_id, accepted_at=at, status="waiting", message="")


def _apply_running(attempt: Attempt, answer: Running) -> Attempt:
    if attempt.state is not AttemptState.RUNNING or not answer.answered:
        return attempt
    return replace(attempt, status=answer.status)


def _duration_seconds(created_ms: int | None, completed_ms: int | None) -> float | None:
    if created_ms is None or completed_ms is None or completed_ms < created_ms:
        return None
    return (completed_ms - created_ms) / 1000


def _succeeded(attempt: Attempt, at: datetime, answer: Succeeded) -> Attempt:
    return replace(
        attempt,
        state=AttemptState.STORED if attempt.state is AttemptState.STORED else AttemptState.SUCCEEDED,
        outputs=answer.outputs,
        credits_used=answer.credits_used if answer.credits_used is not None else attempt.credits_used,
        ended_at=attempt.ended_at or at,
        duration=_duration_seconds(answer.created_ms, answer.completed_ms),
        message="",
    )


def _failed(attempt: Attempt, at: datetime, answer: Failed) -> Attempt:
    if attempt.state in CHARGED:
        return attempt
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


def _stored(attempt: Attempt, payload: Stored) -> Attempt:
    place = _place(payload.clip)
    if attempt.clip is None or _place(attempt.clip) == place:
        return replace(attempt, state=AttemptState.STORED, clip=payload.clip, notes=payload.notes)
    others = tuple(copy for copy in attempt.other_copies if _place(copy) != place)
    return replace(attempt, state=AttemptState.STORED, other_copies=(*others, payload.clip))


def _place(clip: Clip) -> tuple[str | None, str]:
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


def duration_class(request: Mapping[str, JsonValue]) -> str:
    """The class of work of a request: tasks of one class take about equally long."""
    upscale = request.get("upscale")
    suffix = f" + {upscale}" if upscale else ""
    return f"{request.get('model')} {request.get('resolution')} {request.get('seconds')}s{suffix}"


_KNOWS_MORE = OPEN | {AttemptState.STORED, AttemptState.ABANDONED, AttemptState.MAYBE_CHARGED}
_LEARN_FROM_LAST = 1000
"""Durations are learned from this many of the latest tasks."""
AttemptLookup = Callable[[Collection[str], Collection[str]], Iterable[Attempt]]
"""The ledger's attempts of some fingerprints and of some task ids, whatever repository ordered them."""


@dataclass(slots=True)
class History:
    """All attempts by id and by fingerprint, and the picks.

    Mutable: `apply`, `load` and `merge_manifest` keep the indexes up to date. Picks are set directly, and so is an
    attempt of which no indexed field changes.
    """

    attempts: dict[str, Attempt] = field(default_factory=dict)
    picks: dict[tuple[str, str], int] = field(default_factory=dict)
    last: dict[tuple[str, str, int, str | None], str] = field(default_factory=dict)
    """Id of the latest attempt by storyboard, shot, take and profile: a changed take is compared with it."""
    _by_fingerprint: dict[str, list[str]] = field(default_factory=dict)
    _open: dict[str, None] = field(default_factory=dict)
    _recorded: list[str] = field(default_factory=list)
    _durations: dict[str, list[float]] | None = None
    lookup: AttemptLookup | None = None
    """Asks the ledger for what was not loaded."""
    _named: set[str] = field(default_factory=set)
    """Attempts of other repositories that this one's manifest names as its own takes."""
    _asked: set[str] = field(default_factory=set)
    _pending: set[str] = field(default_factory=set)
    """Fingerprints that somebody asked this history for, and that the ledger was not asked for yet."""

    def apply(self, event: Event) -> None:
        """Applies one more event."""
        if isinstance(event.payload, Intent):
            self._enter(open_attempt(event))
        elif (attempt := self.attempts.get(event.attempt)) is not None:
            after = apply_event(attempt, event)
            self.attempts[event.attempt] = after
            self._update_open(after)
            if after.state is AttemptState.SUCCEEDED and after.duration is not None and attempt.duration is None:
                self._record_duration(after)

    def load(self, attempts: Iterable[Attempt]) -> None:
        """Loads attempts that a ledger has folded already, in the order of their intents."""
        for attempt in attempts:
            self._enter(attempt)

    def load_pending(self) -> bool:
        """Whether the ledger knew more attempts of the fingerprints that were asked for; they are in here now."""
        pending, self._pending = self._pending, set()
        self._asked |= pending
        return self.load_more({mark for mark in pending if not self._is_stored_here(mark)}, ())

    def load_more(self, fingerprints: Collection[str], tasks: Collection[str]) -> bool:
        """Whether the ledger knew more attempts of these; they are in here now."""
        if self.lookup is None or not (fingerprints or tasks):
            return False
        more = [attempt for attempt in self.lookup(fingerprints, tasks) if attempt.id not in self.attempts]
        for attempt in more:
            self._enter(attempt, late=True)
        return bool(more)

    def _is_stored_here(self, fingerprint: str) -> bool:
        attempts = (self.attempts[attempt] for attempt in self._by_fingerprint.get(fingerprint, ()))
        return any(attempt.state is AttemptState.STORED and attempt.repository is None for attempt in attempts)

    def own(self) -> Iterator[Attempt]:
        """The attempts that this repository ordered, or that its manifest tells of."""
        return (attempt for attempt in self.attempts.values() if attempt.repository is None)

    def _enter(self, attempt: Attempt, late: bool = False) -> None:
        """`late`: attempts that began after it may be in here already."""
        intent = attempt.intent
        self.attempts[attempt.id] = attempt
        if attempt.state in CHARGED and attempt.duration is not None:
            self._record_duration(attempt)
        self._update_open(attempt)
        ids = self._by_fingerprint.setdefault(intent.fingerprint, [])
        ids.append(attempt.id)
        if late:
            ids.sort(key=lambda id: self.attempts[id].intended_at)
        key = (intent.storyboard, intent.shot, intent.take, intent.profile)
        previous = self.attempts.get(self.last.get(key, "")) if late else None
        if attempt.repository is None and (previous is None or previous.intended_at <= attempt.intended_at):
            self.last[key] = attempt.id

    def _record_duration(self, attempt: Attempt) -> None:
        self._recorded.append(attempt.id)
        if self._durations is not None and attempt.duration is not None:
            self._durations.setdefault(duration_class(attempt.intent.request), []).append(attempt.duration)

    @property
    def durations(self) -> Mapping[str, list[float]]:
        """Seconds of the latest tasks by class of work, from which polling learns; computed on first use."""
        if self._durations is None:
            self._durations = {}
            for attempt in map(self.attempts.__getitem__, self._recorded[-_LEARN_FROM_LAST:]):
                if attempt.duration is not None:
                    self._durations.setdefault(duration_class(attempt.intent.request), []).append(attempt.duration)
        return self._durations

    def _update_open(self, attempt: Attempt) -> None:
        if attempt.state in OPEN:
            self._open[attempt.id] = None
        else:
            self._open.pop(attempt.id, None)

    def open(self) -> list[Attempt]:
        """Attempts that have not ended: intended, unsettled, running, or succeeded and not stored."""
        return [self.attempts[attempt] for attempt in self._open]

    def attempts_of(self, fingerprint: str) -> list[Attempt]:
        """All attempts of a take, in the order of their intents."""
        if fingerprint not in self._asked:
            self._pending.add(fingerprint)
        return [self.attempts[attempt] for attempt in self._by_fingerprint.get(fingerprint, ())]

    def current_attempt(self, fingerprint: str) -> Attempt | None:
        """The attempt that decides the state of a take: a stored one, else an open one, else the latest created one.

        Of several, an attempt of this repository, or one that its manifest names, comes before one of another
        repository; and one of this ledger before one from a manifest, because it has to be settled first.
        """
        attempts = self.attempts_of(fingerprint)
        if not attempts:
            return None
        own = [attempt for attempt in attempts if attempt.repository is None or attempt.id in self._named]
        for states in ({AttemptState.STORED}, OPEN):
            if candidates := [attempt for attempt in own if attempt.state in states]:
                return next((attempt for attempt in reversed(candidates) if not attempt.from_manifest), candidates[-1])
        if len(own) < len(attempts):
            for states in ({AttemptState.STORED}, OPEN):
                if candidates := [attempt for attempt in attempts if attempt.state in states]:
                    return candidates[0]
        created = [attempt for attempt in attempts if attempt.state is not AttemptState.NOT_CREATED]
        return (created or attempts)[-1]

    def is_of_film(self, attempt: Attempt) -> bool:
        """Whether an attempt is a run's to bring home: of this repository, or its take by another's order."""
        return attempt.repository is None or self.current_attempt(attempt.intent.fingerprint) is attempt

    def previous(self, storyboard: str, shot: str, take: int, profile: str | None = None) -> Attempt | None:
        """The latest attempt of a take by its name, whatever its fingerprint."""
        attempt = self.last.get((storyboard, shot, take, profile))
        return self.attempts[attempt] if attempt is not None else None

    def in_progress(self) -> Iterator[Attempt]:
        """Attempts that hold a slot of the account: intended or running."""
        return (attempt for attempt in self.open() if attempt.state in (AttemptState.INTENDED, AttemptState.RUNNING))

    def merge_manifest(self, attempts: Iterable[Attempt], picks: Mapping[tuple[str, str], int]) -> None:
        """Merges attempts and picks of a manifest that this ledger does not have."""
        attempts = list(attempts)
        tasks = {attempt.task_id: attempt.id for attempt in self.attempts.values() if attempt.task_id}
        self.load_more(
            {attempt.intent.fingerprint for attempt in attempts if attempt.task_id is None},
            {attempt.task_id for attempt in attempts if attempt.task_id is not None and attempt.task_id not in tasks},
        )
        tasks = {attempt.task_id: attempt.id for attempt in self.attempts.values() if attempt.task_id}
        for attempt in attempts:
            is_known = attempt.task_id in tasks if attempt.task_id else self._ledger_knows_more(attempt)
            if attempt.id not in self.attempts and not is_known:
                self._enter(replace(attempt, from_manifest=True))
            elif attempt.task_id in tasks:
                self._note_named(self.attempts[tasks[attempt.task_id]], attempt)
        self.picks |= {key: take for key, take in picks.items() if key not in self.picks}

    def _note_named(self, recorded: Attempt, manifest_attempt: Attempt) -> None:
        """The manifest names an attempt that another repository ordered for the same request: a take of this one.

        If the manifest's clip is the one that the ledger knows, a copy may lie here, too.
        """
        if recorded.repository is None or recorded.intent.fingerprint != manifest_attempt.intent.fingerprint:
            return
        self._named.add(recorded.id)
        clip = manifest_attempt.clip
        if clip is None or all(other.sha256 != clip.sha256 for other in recorded.clips):
            return
        if all(_place(other) != _place(clip) for other in recorded.clips):
            self.attempts[recorded.id] = replace(recorded, other_copies=(*recorded.other_copies, clip))

    def _ledger_knows_more(self, manifest_attempt: Attempt) -> bool:
        """Whether this ledger has a newer or decisive attempt of the same take as one without a task in a manifest.

        Of the attempts of other repositories only the very same attempt counts.
        """
        return any(
            attempt.intended_at == manifest_attempt.intended_at
            or (
                attempt.repository is None
                and (attempt.state in _KNOWS_MORE or attempt.intended_at >= manifest_attempt.intended_at)
            )
            for attempt in self.attempts_of(manifest_attempt.intent.fingerprint)
        )


def outcome_after_crash(attempt: Attempt) -> NotSent | OutcomeUnknown | None:
    """The event that ends an intent without an answer after its run has ended; None for every other attempt."""
    if attempt.state is not AttemptState.INTENDED:
        return None
    if attempt.sent_at is None:
        return NotSent("the run ended before the request left")
    return OutcomeUnknown("the run ended while the request was on its way")


def release_free_attempt(attempt: Attempt, free: bool) -> Settled | None:
    """On a free account, settles an unsettled or lost attempt as not charged, so that the take is made again."""
    if free and attempt.state in (AttemptState.UNSETTLED, AttemptState.MAYBE_CHARGED, AttemptState.GONE):
        return Settled("not-charged", message="free of charge: made again")
    return None
