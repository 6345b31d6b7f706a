"""Mutable state of a run, in small objects that only their own verbs change."""

from collections.abc import Iterator

from runner.attempts.film import TakeKey
from runner.engine.backoff import backoff
from runner.engine.in_flight import Addresses, Creates, Downloads, Polls
from runner.engine.run_events import StopReason
from runner.engine.throttle import CreateThrottle
from runner.lazy_dataclass import dataclass, field

# How many tasks that webhooks named for one attempt are kept.
_MAX_CLAIMS = 4


@dataclass(slots=True)
class Stop:
    """The reason why nothing more is ordered."""

    reason: StopReason | None = None
    """Why no further task is created; running tasks are collected all the same."""
    is_interrupted: bool = False
    """Whether a signal asked the run to end: nothing is started any more."""

    def forbid_tasks(self, reason: StopReason) -> bool:
        """Whether this is the first reason to create no further task; the first one stays."""
        is_first = self.reason is None
        self.reason = self.reason or reason
        return is_first

    def interrupt(self) -> None:
        """Note that a signal asked the run to end."""
        self.is_interrupted = True


@dataclass(slots=True)
class UnsettledSlots:
    """Slots that unsettled attempts hold: each may be a running task, for as long as a task can live."""

    _until: dict[str, float] = field(default_factory=dict)

    def hold(self, attempt: str, until: float) -> None:
        """Hold a slot for an attempt until a moment."""
        self._until[attempt] = until

    def release(self, attempt: str) -> None:
        """Free the slot of an attempt that is unsettled no more."""
        self._until.pop(attempt, None)

    def held(self, now: float) -> int:
        """The number of slots that are held."""
        return sum(until > now for until in self._until.values())

    def next_free(self, now: float, slots: int) -> float | None:
        """The moment when a slot is free again, if unsettled attempts hold all of them; None while one is free."""
        # Sorted, the one at `len - slots` is the first end that brings the number below the slots.
        ends = sorted(until for until in self._until.values() if until > now)
        return ends[len(ends) - slots] if len(ends) >= slots else None

    def holders(self, now: float) -> list[tuple[str, float]]:
        """The attempts that hold a slot, each with the moment until which it does."""
        return [(attempt, until) for attempt, until in self._until.items() if until > now]


@dataclass(slots=True)
class WebhookClaim:
    """A task that a webhook named for an attempt whose createTask answer was lost."""

    next_at: float
    """When to poll the task next; infinite once its record was found not to match."""
    tries: int = 0

    def try_again(self, now: float) -> None:
        """Count a poll that did not decide the claim."""
        self.tries += 1
        self.next_at = now + backoff(self.tries)

    def reject(self) -> None:
        self.next_at = float("inf")


@dataclass(slots=True)
class Webhooks:
    """Webhooks of this run: whether any can arrive, how many ends they reported, and the tasks that they named."""

    is_active: bool = False
    """Whether webhooks can arrive: an unsettled attempt is then waited for as long as its task can live."""
    _claims: dict[str, dict[str, WebhookClaim]] = field(default_factory=dict)
    """By attempt without an answer: the last few tasks that webhooks named, by task id; the newest is last."""
    _reported: set[str] = field(default_factory=set)
    _ended: int = 0

    def activate(self) -> None:
        self.is_active = True

    def report_end(self, attempt: str) -> None:
        """Note that a webhook reported the end of a running attempt."""
        self._reported.add(attempt)

    def count_end(self) -> None:
        """Count a task that succeeded: the sample for the share of ends that webhooks report."""
        self._ended += 1

    def unreported_share(self) -> float:
        """The estimated share of ends that no webhook reports: half, before any task has ended."""
        if not self.is_active:
            return 1.0
        # Laplace's rule: one imagined end with and one without a webhook, so that two ends are no certainty.
        return (self._ended - min(len(self._reported), self._ended) + 1) / (self._ended + 2)

    def claim(self, attempt: str, task: str, now: float) -> None:
        """Keep the last few tasks that were named for an attempt: a wrong webhook must not shut out the right one."""
        claims = self._claims.setdefault(attempt, {})
        claims.setdefault(task, WebhookClaim(now))
        while len(claims) > _MAX_CLAIMS:
            del claims[next(iter(claims))]

    def claims(self) -> Iterator[tuple[str, dict[str, WebhookClaim]]]:
        """The attempts with claims, each with its claims by task."""
        return iter(self._claims.items())

    def claim_of(self, attempt: str, task: str, now: float) -> WebhookClaim:
        """A claim; a new one where other claims have taken its place meanwhile."""
        return self._claims[attempt].get(task) or WebhookClaim(now)

    def drop_claims(self, attempt: str) -> None:
        del self._claims[attempt]

    def tasks_of_others(self, attempt: str) -> set[str]:
        """The tasks that webhooks named for other attempts."""
        return {task for other, claims in self._claims.items() if other != attempt for task in claims}


@dataclass(slots=True)
class Rechecks:
    """The findings of our own fetch of the materials of tasks that were refused for one of them."""

    _repeatable: set[str] = field(default_factory=set)
    _notes: dict[str, str] = field(default_factory=dict)

    def allow_repeat(self, fingerprint: str) -> None:
        """Let a request be made once more, since its materials are published again."""
        self._repeatable.add(fingerprint)

    def may_repeat(self, fingerprint: str) -> bool:
        """Whether the materials of a request could not be fetched after all, and it may be made once more."""
        return fingerprint in self._repeatable

    def note(self, attempt: str, text: str) -> None:
        """Keep what the fetch showed, for the end of the run."""
        self._notes[attempt] = text

    def note_of(self, attempt: str) -> str:
        return self._notes.get(attempt, "")


@dataclass(slots=True)
class BillReadings:
    """Attempts whose bill may still grow, with the moment of the next reading, and the readings in flight."""

    _due: dict[str, float] = field(default_factory=dict)
    _in_flight: set[str] = field(default_factory=set)

    def schedule(self, attempt: str, due_at: float) -> None:
        self._due[attempt] = due_at

    def close(self, attempt: str) -> None:
        """Note that a bill is final, or can no longer be read."""
        self._due.pop(attempt, None)

    def begin(self, attempt: str) -> None:
        self._in_flight.add(attempt)

    def end(self, attempt: str) -> None:
        self._in_flight.discard(attempt)

    def __contains__(self, attempt: str) -> bool:
        return attempt in self._due

    def __len__(self) -> int:
        return len(self._in_flight)

    def open(self) -> tuple[str, ...]:
        """The attempts whose bill may still grow."""
        return tuple(self._due)

    def due(self, now: float) -> list[str]:
        """The attempts whose bill is to be read now."""
        return [attempt for attempt, at in self._due.items() if at <= now and attempt not in self._in_flight]

    def next_at(self, now: float) -> float | None:
        """The moment of the next due bill after this one; None without any."""
        return min((at for at in self._due.values() if at > now), default=None)


@dataclass(slots=True)
class OtherRuns:
    """The looks into the ledger at what living runs of other repositories make."""

    next_at: float = 0.0
    """When to read the ledger next."""
    until: float = float("inf")
    """The moment until which this run waits for those of other repositories."""
    is_reading: bool = False
    _announced: set[TakeKey] = field(default_factory=set)

    def begin_reading(self) -> None:
        self.is_reading = True

    def end_reading(self, next_at: float) -> None:
        self.is_reading, self.next_at = False, next_at

    def announce(self, take: TakeKey) -> bool:
        """Whether it was not yet said of a take that another repository's run makes it; now it is."""
        is_news = take not in self._announced
        self._announced.add(take)
        return is_news


@dataclass(slots=True)
class RunState:
    """Mutable state of a run: each part has verbs, and no other module changes its fields."""

    throttle: CreateThrottle
    key_id: str = ""
    """The key of this run; empty at a free account, where every key is as good."""
    creates: Creates = field(default_factory=Creates)
    polls: Polls = field(default_factory=Polls)
    downloads: Downloads = field(default_factory=Downloads)
    addresses: Addresses = field(default_factory=Addresses)
    rechecks: Rechecks = field(default_factory=Rechecks)
    unsettled: UnsettledSlots = field(default_factory=UnsettledSlots)
    webhooks: Webhooks = field(default_factory=Webhooks)
    bills: BillReadings = field(default_factory=BillReadings)
    others: OtherRuns = field(default_factory=OtherRuns)
    stop: Stop = field(default_factory=Stop)

    @property
    def busy(self) -> bool:
        """Whether any order is in flight."""
        creates, polls, downloads = len(self.creates), len(self.polls), len(self.downloads)
        return bool(creates or polls or downloads or len(self.addresses) or len(self.bills) or self.others.is_reading)
