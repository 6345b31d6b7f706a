"""Orders in flight, and what their tries have come to: creates, polls, downloads and published addresses of a run."""

from collections.abc import Collection
from typing import NamedTuple

from runner.attempts.film import TakeKey
from runner.engine.backoff import backoff
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import LocalFile, Material

ClipKey = tuple[str, TakeKey]
"""(attempt id, take)."""
# Seconds before another poll after a single failed one.
_FIRST_POLL_PAUSE = 4.0


class MaterialNeed(NamedTuple):
    """A material that needs a public address; `source` is the id of the attempt whose clip it comes from."""

    material: Material
    source: str | None


class PublicAddress(NamedTuple):
    """A material's address, and the moment (monotonic seconds) until which tasks may be created with it."""

    address: str
    until: float = float("inf")


@dataclass(slots=True)
class Tries:
    """Tries to store one clip, or to publish one material."""

    count: int = 0
    next_at: float = 0.0
    given_up: bool = False

    def fail(self, now: float, at_least: float = 0.0) -> None:
        """Count a failed try; the pause to the next one doubles, and is `at_least` so many seconds."""
        self.count += 1
        self.next_at = now + max(backoff(self.count), at_least)


@dataclass(slots=True)
class PollState:
    """Polling of one attempt's task; moments are monotonic seconds."""

    created_at: float
    """When the task was created; estimated from the ledger for tasks of earlier runs."""
    waiting_since: float
    """When this run began to wait for the task."""
    next_at: float
    age_when_seen: float = 0.0
    """Age of the task at the last poll that found it running; 0 before the first such poll."""
    missing_since: float | None = None
    """Since when polls find no record, or a success without a clip."""
    answered: bool = False
    """Whether a poll of this run has come back, whatever its answer."""
    failed_polls: int = 0
    """Polls in a row without a usable answer."""
    hinted: bool = False
    """Whether a webhook named the task after the last poll began."""

    def begin(self) -> None:
        """Note that a poll begins: what a webhook said before it counts no longer."""
        self.hinted = False

    def answer(self) -> None:
        """Note that a poll of this run has come back."""
        self.answered = True

    def found_running(self, now: float) -> None:
        """Note an answer that says that the task still runs; the next poll is due until it is scheduled."""
        self.failed_polls, self.missing_since = 0, None
        self.age_when_seen = now - self.created_at
        self.next_at = now

    def found_nothing(self, now: float) -> float:
        """Count a poll that found no record, or no clip; for how many seconds polls have found nothing."""
        self.missing_since = now if self.missing_since is None else self.missing_since
        self.next_at = now + self.failed()
        return now - self.missing_since

    def failed(self) -> float:
        """Count a poll without a usable answer; the seconds to pause."""
        self.failed_polls += 1
        return backoff(self.failed_polls, _FIRST_POLL_PAUSE)

    def schedule(self, delay: float) -> None:
        """Set the next poll, `delay` seconds after the task was last seen running."""
        self.next_at = self.created_at + self.age_when_seen + delay

    def wait_until(self, moment: float) -> None:
        """Set the next poll."""
        self.next_at = moment

    def hurry(self, now: float) -> None:
        """Bring the next poll forward; a poll in flight may be too early, and must not postpone it."""
        self.next_at, self.hinted = min(self.next_at, now), True

    def give_up(self) -> None:
        """End the polls of this run."""
        # From then on every next poll is later than the run waits.
        self.waiting_since = float("-inf")

    def is_over(self, wait: float) -> bool:
        """Whether the next poll would be later than this run waits, in seconds."""
        return self.next_at - self.waiting_since > wait


@dataclass(slots=True)
class Creates:
    """createTask requests in flight, and what keeps others from being sent; by fingerprint, models by name."""

    approved: frozenset[TakeKey] = frozenset()
    """Takes that the approved plan orders: no other take is created, whatever a later plan orders."""
    _in_flight: set[str] = field(default_factory=set)
    _repeat_at: dict[str, float] = field(default_factory=dict)
    _claims: dict[str, str] = field(default_factory=dict)
    _forbidden_models: dict[str, str] = field(default_factory=dict)

    def begin(self, fingerprint: str) -> None:
        self._in_flight.add(fingerprint)

    def end(self, fingerprint: str) -> None:
        self._in_flight.discard(fingerprint)

    def __contains__(self, fingerprint: str) -> bool:
        return fingerprint in self._in_flight

    def __len__(self) -> int:
        return len(self._in_flight)

    def repeat_at(self, fingerprint: str, moment: float) -> None:
        """Let a request be tried again at the earliest at a moment."""
        self._repeat_at[fingerprint] = moment

    def not_before(self, fingerprint: str) -> float:
        """The earliest moment for a request."""
        return self._repeat_at.get(fingerprint, 0.0)

    def claim(self, fingerprint: str, message: str) -> None:
        """Leave a request to another run, which has tried it meanwhile."""
        self._claims[fingerprint] = message

    def claim_on(self, fingerprint: str) -> str | None:
        """The message about another run that has tried a request; None while no other has."""
        return self._claims.get(fingerprint)

    def forbid_model(self, model: str, message: str) -> None:
        """Note the provider's message that the account may not use a model."""
        self._forbidden_models.setdefault(model, message)

    def refusal_of(self, model: str) -> str | None:
        """The provider's message about a model that the account may not use."""
        return self._forbidden_models.get(model)


@dataclass(slots=True)
class Polls:
    """Polls in flight, and the polling of each attempt."""

    stopped: bool = False
    """Whether a poll was answered with a refused key: no more polls."""
    failure_reported: bool = False
    """Whether the log of this run has a poll that failed for a while."""
    _in_flight: set[str] = field(default_factory=set)
    _states: dict[str, PollState] = field(default_factory=dict)

    def begin(self, attempt: str) -> None:
        self._in_flight.add(attempt)

    def end(self, attempt: str) -> None:
        self._in_flight.discard(attempt)

    def __contains__(self, attempt: str) -> bool:
        return attempt in self._in_flight

    def __len__(self) -> int:
        return len(self._in_flight)

    def stop(self) -> None:
        """End polling."""
        self.stopped = True

    def report_failure(self) -> bool:
        """Whether the log does not have yet that polls fail; now it has."""
        is_first, self.failure_reported = not self.failure_reported, True
        return is_first

    def follow(self, attempt: str, created_at: float, now: float) -> PollState:
        """The polling of an attempt, which begins now if it has not begun."""
        return self._states.setdefault(attempt, PollState(created_at, now, now))

    def restart(self, attempt: str, now: float) -> None:
        """Begin to poll the task of an attempt that was created, or bound to its task, just now."""
        self._states[attempt] = PollState(now, now, now)

    def of(self, attempt: str) -> PollState | None:
        """The polling of an attempt; None before it has begun."""
        return self._states.get(attempt)


@dataclass(slots=True)
class Downloads:
    """Downloads in flight, the links and tries of each, and the clips that are stored."""

    _in_flight: set[ClipKey] = field(default_factory=set)
    _stored: set[ClipKey] = field(default_factory=set)
    _tries: dict[ClipKey, Tries] = field(default_factory=dict)
    _fresh_links: set[str] = field(default_factory=set)
    _finished: set[str] = field(default_factory=set)

    def begin(self, clip: ClipKey) -> None:
        self._in_flight.add(clip)

    def end(self, clip: ClipKey) -> None:
        self._in_flight.discard(clip)

    def __contains__(self, clip: ClipKey) -> bool:
        return clip in self._in_flight

    def __len__(self) -> int:
        return len(self._in_flight)

    def is_fetching(self, attempt: str) -> bool:
        """Whether a download of an attempt's clip is in flight."""
        return any(other == attempt for other, _ in self._in_flight)

    def store(self, clip: ClipKey) -> None:
        """Note that a clip has its place."""
        self._stored.add(clip)

    def is_stored(self, clip: ClipKey) -> bool:
        return clip in self._stored

    def fail(self, clip: ClipKey, now: float, *, is_last: bool, most: int) -> Tries:
        """Count a failed download, whose link is not used again; the tries so far, given up if there were the most."""
        # A link that failed once is not tried again: the next poll gives a new one for nothing.
        self._fresh_links.discard(clip[0])
        tries = self._tries.setdefault(clip, Tries())
        tries.fail(now)
        tries.given_up = is_last or tries.count >= most
        return tries

    def give_up(self, clip: ClipKey) -> None:
        """Leave a clip to the next run."""
        self._tries.setdefault(clip, Tries()).given_up = True

    def tries_of(self, clip: ClipKey) -> Tries | None:
        return self._tries.get(clip)

    def is_open(self, clip: ClipKey) -> bool:
        """Whether a clip may still be stored by this run."""
        tries = self._tries.get(clip)
        return clip not in self._stored and not (tries is not None and tries.given_up)

    def renew_link(self, attempt: str) -> None:
        """Note that a poll of this run gave a link to an attempt's clip."""
        self._fresh_links.add(attempt)

    def has_fresh_link(self, attempt: str) -> bool:
        """Whether the links of an attempt come from a poll of this run, and have not failed since."""
        return attempt in self._fresh_links

    def finish(self, fingerprint: str) -> None:
        """Note that all takes of a request have their clips."""
        self._finished.add(fingerprint)

    def is_finished(self, fingerprint: str) -> bool:
        return fingerprint in self._finished


@dataclass(slots=True)
class Addresses:
    """Public addresses of materials: those on their way, those published, and those that cannot be."""

    _in_flight: set[MaterialNeed] = field(default_factory=set)
    _published: dict[MaterialNeed, PublicAddress] = field(default_factory=dict)
    _tries: dict[MaterialNeed, Tries] = field(default_factory=dict)
    _refusals: dict[MaterialNeed, str] = field(default_factory=dict)
    files: int = 0
    """Files of the storyboards that have an address."""
    sent_bytes: int = 0
    """Bytes of materials that left this machine."""

    def begin(self, need: MaterialNeed) -> None:
        self._in_flight.add(need)

    def end(self, need: MaterialNeed) -> None:
        self._in_flight.discard(need)

    def __contains__(self, need: MaterialNeed) -> bool:
        return need in self._in_flight

    def __len__(self) -> int:
        return len(self._in_flight)

    def publish(self, need: MaterialNeed, address: PublicAddress, sent_bytes: int = 0) -> None:
        """Note the address of a material, and how many bytes were sent for it."""
        self.files += isinstance(need.material, LocalFile) and need not in self._published
        self.sent_bytes += sent_bytes
        self._published[need] = address

    def withdraw(self, need: MaterialNeed) -> None:
        """Forget the address of a material, which is to be published again."""
        self._published.pop(need, None)
        self._tries.pop(need, None)

    def of(self, need: MaterialNeed) -> str | None:
        """The address of a material that was published."""
        address = self._published.get(need)
        return address.address if address is not None else None

    def is_usable(self, need: MaterialNeed, now: float) -> bool:
        """Whether a task may be created with the address of a material now."""
        address = self._published.get(need)
        return address is not None and address.until > now

    def fail(self, need: MaterialNeed, now: float, at_least: float) -> Tries:
        """Count a failed try to publish a material."""
        tries = self._tries.setdefault(need, Tries())
        tries.fail(now, at_least)
        return tries

    def try_at(self, need: MaterialNeed) -> float:
        """The earliest moment to publish a material."""
        tries = self._tries.get(need)
        return tries.next_at if tries is not None else 0.0

    def refuse(self, need: MaterialNeed, message: str) -> None:
        """Note why a material cannot be published."""
        self._refusals[need] = message

    def refusal_of(self, need: MaterialNeed) -> str | None:
        """The reason why a material cannot be published."""
        return self._refusals.get(need)

    @property
    def has_refusals(self) -> bool:
        return bool(self._refusals)

    def refuses_any(self, needs: Collection[MaterialNeed]) -> bool:
        """Whether one of some materials cannot be published."""
        return not self._refusals.keys().isdisjoint(needs)
