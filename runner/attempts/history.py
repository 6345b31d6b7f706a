"""The history: the state of every attempt, folded from events that are only appended. Pure."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from runner.attempts.attempt import (
    Attempt,
    AttemptState,
    apply_event,
    clip_place,
    open_attempt,
)
from runner.attempts.events import (
    Event,
    Intent,
)
from runner.attempts.film import FilmName, ShotKey, TakeKey
from runner.attempts.pick import Pick
from runner.lazy_dataclass import dataclass, field, replace
from runner.requests.request import JsonValue


def duration_class(request: Mapping[str, JsonValue]) -> str:
    """The class of work of a request: tasks of one class take about equally long."""
    upscale = request.get("upscale")
    suffix = f" + {upscale}" if upscale else ""
    return f"{request.get('model')} {request.get('resolution')} {request.get('seconds')}s{suffix}"


# States of the attempt that stands for a take, the most certain first.
_STANDING: tuple[Callable[[AttemptState], bool], ...] = (
    lambda state: state is AttemptState.STORED,
    lambda state: state.is_open,
    lambda state: state is AttemptState.DOUBTFUL,
)
# Durations are learned from this many of the latest tasks.
_LEARN_FROM_LAST = 1000
AttemptLookup = Callable[[Collection[str], Collection[str]], Iterable[Attempt]]
"""The ledger's attempts of some fingerprints and of some task ids, whatever repository ordered them."""


@dataclass(slots=True)
class History:
    """All attempts by id and by fingerprint, and the picks.

    Mutable, by its own verbs alone, which keep the indexes up to date: `apply` (an event), `load`, `load_more`,
    `load_pending` and `update` (the ledger's attempts), `merge_manifest`, `mark_imported`, `confirm` and `forget` (what
    a manifest alone tells of), and `keep`.
    """

    attempts: dict[str, Attempt] = field(default_factory=dict)
    picks: dict[ShotKey, Pick] = field(default_factory=dict)
    last: dict[TakeKey, str] = field(default_factory=dict)
    """Id of the latest attempt by film, shot and take: a changed take is compared with it."""
    _by_fingerprint: dict[str, list[str]] = field(default_factory=dict)
    # A dict and no set: open attempts are read in the order of their intents.
    _open: dict[str, None] = field(default_factory=dict)
    _recorded: list[str] = field(default_factory=list)
    _durations: dict[str, list[float]] | None = None
    drawing: int | None = None
    """The version of this program's drawing, at a free account: a clip of another one stands for no take."""
    lookup: AttemptLookup | None = None
    """Asks the ledger for what was not loaded."""
    _named: set[str] = field(default_factory=set)
    """Attempts of other repositories that this one's manifest names as its own takes."""
    _asked: set[str] = field(default_factory=set)
    _pending: set[str] = field(default_factory=set)
    """Fingerprints that somebody asked this history for, and that the ledger was not asked for yet."""

    def apply(self, event: Event) -> None:
        """Apply one more event."""
        if isinstance(event.payload, Intent):
            self._enter(open_attempt(event))
        elif (attempt := self.attempts.get(event.attempt)) is not None:
            after = apply_event(attempt, event)
            self.attempts[event.attempt] = after
            self._update_open(after)
            # Once for each task: a second poll of the same success would count it twice.
            if after.state is AttemptState.SUCCEEDED and after.duration is not None and attempt.duration is None:
                self._record_duration(after)

    def mark_imported(self, attempt_id: str) -> None:
        """Note that an attempt from a manifest has its row in this ledger now."""
        self.attempts[attempt_id] = replace(self.attempts[attempt_id], from_manifest=False)

    def confirm(self, attempt: Attempt) -> None:
        """Put the attempt with the request that the provider confirmed in place of the manifest's without one."""
        self.attempts[attempt.id] = attempt
        self._update_open(attempt)

    def keep(self, attempt_id: str, wanted: str | None) -> None:
        """Let a clip stand for another request than its own, by its fingerprint; with None the keep ends.

        No event: a keep is the manifest's alone, so that everybody who clones it has it.
        """
        self.attempts[attempt_id] = replace(self.attempts[attempt_id], kept_for=wanted)

    def load(self, attempts: Iterable[Attempt]) -> None:
        """Load attempts that a ledger has folded already, in the order of their intents."""
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

    def update(self, attempts: Iterable[Attempt]) -> bool:
        """Whether attempts, as the ledger has them now, are new, or changed ones of others; they are taken in."""
        news = [attempt for attempt in attempts if self._is_news(attempt)]
        for attempt in news:
            if attempt.id in self.attempts:
                self.attempts[attempt.id] = attempt
                self._update_open(attempt)
            else:
                self._enter(attempt, late=True)
        return bool(news)

    def _is_news(self, attempt: Attempt) -> bool:
        before = self.attempts.get(attempt.id)
        # Of its own attempts this run knows more than the ledger's rows that it has just read.
        return before is None or (before.repository is not None and before != attempt)

    def _is_stored_here(self, fingerprint: str) -> bool:
        attempts = (self.attempts[attempt] for attempt in self._by_fingerprint.get(fingerprint, ()))
        return any(attempt.state is AttemptState.STORED and attempt.repository is None for attempt in attempts)

    def own(self) -> Iterator[Attempt]:
        """The attempts that this repository ordered, or that only its manifest tells of."""
        return (attempt for attempt in self.attempts.values() if attempt.repository is None)

    def own_by_task(self) -> Mapping[str, Attempt]:
        """The attempts that have a task, by its id, without those that another repository ordered."""
        by_task = {attempt.task_id: attempt for attempt in self.attempts.values() if attempt.task_id}
        return {task: attempt for task, attempt in by_task.items() if attempt.repository is None}

    def own_and_named(self) -> Iterator[Attempt]:
        """The attempts that count for this repository: its own, and those that its manifest names.

        A named attempt may be of another repository in this ledger: of another clone on the same machine.
        """
        return filter(self.is_own_or_named, self.attempts.values())

    def is_own_or_named(self, attempt: Attempt) -> bool:
        """Whether this repository ordered an attempt, or its manifest names it."""
        return attempt.repository is None or attempt.id in self._named

    def _enter(self, attempt: Attempt, late: bool = False) -> None:
        """`late`: attempts that began after it may be in here already."""
        intent = attempt.intent
        self.attempts[attempt.id] = attempt
        if attempt.state.is_charged and attempt.duration is not None:
            self._record_duration(attempt)
        self._update_open(attempt)
        ids = self._by_fingerprint.setdefault(intent.fingerprint, [])
        ids.append(attempt.id)
        if late:
            # Others' attempts come when they are asked for, and the order of the intents decides which is the latest.
            ids.sort(key=lambda id: self.attempts[id].intended_at)
        key = (intent.film, intent.shot, intent.take)
        if attempt.needs_confirmation and key in self.last:
            return  # without its request it cannot tell what has changed
        if attempt.repository is not None:
            return
        if late:
            self._note_last(attempt)
        else:
            self.last[key] = attempt.id

    def _note_last(self, attempt: Attempt) -> None:
        """Note the latest attempt of a take, unless a later one is known."""
        key = (attempt.intent.film, attempt.intent.shot, attempt.intent.take)
        latest = self.attempts.get(self.last.get(key, ""))
        if latest is None or latest.intended_at <= attempt.intended_at:
            self.last[key] = attempt.id

    def forget(self, attempt_id: str) -> None:
        """Drop an attempt that a manifest told of, and that the provider did not confirm."""
        attempt = self.attempts.pop(attempt_id)
        self._open.pop(attempt_id, None)
        self._by_fingerprint[attempt.intent.fingerprint].remove(attempt_id)
        # Nor is a take compared with it: nobody knows whether it was ever ordered.
        self.last = {key: last for key, last in self.last.items() if last != attempt_id}

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
        if attempt.state.is_open:
            self._open[attempt.id] = None
        else:
            self._open.pop(attempt.id, None)

    def open(self) -> list[Attempt]:
        """Attempts that have not ended: intended, unsettled, running, or succeeded and not stored."""
        return [self.attempts[attempt] for attempt in self._open]

    def attempts_of(self, fingerprint: str) -> list[Attempt]:
        """All attempts of a take, in the order of their intents."""
        # Asked for without knowing: the ledger answers for all of them at once, when the plan is made.
        if fingerprint not in self._asked:
            self._pending.add(fingerprint)
        return [self.attempts[attempt] for attempt in self._by_fingerprint.get(fingerprint, ())]

    def counting_attempts_of(self, fingerprint: str) -> list[Attempt]:
        """The attempts of a take without those whose clips another version of the drawing made."""
        return [attempt for attempt in self.attempts_of(fingerprint) if not self.is_drawn_otherwise(attempt)]

    def is_drawn_otherwise(self, attempt: Attempt) -> bool:
        """Whether a clip is of another version of the drawing than this program's, and is to be drawn anew."""
        is_stored = attempt.state is AttemptState.STORED
        return self.drawing is not None and is_stored and attempt.intent.drawing != self.drawing

    def has_other_drawing(self, fingerprint: str) -> bool:
        """Whether a take has a clip of another version of the drawing."""
        return self.drawing is not None and any(map(self.is_drawn_otherwise, self.attempts_of(fingerprint)))

    def own_attempts_of(self, fingerprint: str) -> list[Attempt]:
        """The attempts of a fingerprint that were ordered here or that a manifest names; the ledger is not asked."""
        attempts = (self.attempts[attempt] for attempt in self._by_fingerprint.get(fingerprint, ()))
        return list(filter(self.is_own_or_named, attempts))

    def current_attempt(self, fingerprint: str) -> Attempt | None:
        """The attempt that decides the state of a take: a stored one, else an open one, else the latest created one.

        Of several, an attempt of this repository, or one that its manifest names, comes before one of another
        repository; and one of this ledger before one from a manifest, because it has to be settled first. One that
        must be confirmed at the provider comes after all of these, and before an attempt that gave no clip.
        """
        attempts = self.counting_attempts_of(fingerprint)
        if len(attempts) < 2:
            return attempts[0] if attempts else None
        claims = [attempt for attempt in attempts if attempt.needs_confirmation]
        if claims:
            attempts = [attempt for attempt in attempts if not attempt.needs_confirmation]
        own = list(filter(self.is_own_or_named, attempts))
        for stands in _STANDING:
            if candidates := [attempt for attempt in own if stands(attempt.state)]:
                return next((attempt for attempt in reversed(candidates) if not attempt.from_manifest), candidates[-1])
        # Another repository's clip stands too: the same account has paid for it once.
        if len(own) < len(attempts):
            for stands in _STANDING:
                if candidates := [attempt for attempt in attempts if stands(attempt.state)]:
                    return candidates[0]
        if claims:
            return claims[-1]
        created = [attempt for attempt in attempts if attempt.state is not AttemptState.NOT_CREATED]
        # One that was provably not created says nothing of the take while another one does.
        return (created or attempts)[-1]

    def is_of_film(self, attempt: Attempt) -> bool:
        """Whether an attempt is a run's to collect: of this repository, or its take by another's order."""
        return attempt.repository is None or self.current_attempt(attempt.intent.fingerprint) is attempt

    def previous(self, film: FilmName, shot: str, take: int) -> Attempt | None:
        """The latest attempt of a take by its name, whatever its fingerprint."""
        attempt = self.last.get((film, shot, take))
        return self.attempts[attempt] if attempt is not None else None

    def in_progress(self) -> Iterator[Attempt]:
        """Attempts whose request is on its way, or whose task runs."""
        return (attempt for attempt in self.open() if attempt.state.is_in_progress)

    def merge_manifest(self, attempts: Iterable[Attempt], picks: Mapping[ShotKey, Pick]) -> None:
        """Merge attempts and picks of a manifest that this ledger does not have."""
        attempts = list(attempts)
        tasks = {attempt.task_id: attempt.id for attempt in self.attempts.values() if attempt.task_id}
        self.load_more(
            {attempt.intent.fingerprint for attempt in attempts if attempt.task_id is None},
            {attempt.task_id for attempt in attempts if attempt.task_id is not None and attempt.task_id not in tasks},
        )
        # Anew, with what the ledger has just answered: a task that it knows is no second attempt.
        tasks = {attempt.task_id: attempt.id for attempt in self.attempts.values() if attempt.task_id}
        for attempt in attempts:
            is_known = attempt.task_id in tasks if attempt.task_id else self._ledger_knows_more(attempt)
            # One task is one attempt, whatever id a manifest of another machine made for it.
            if attempt.id not in self.attempts and not is_known:
                self._enter(replace(attempt, from_manifest=True))
            elif attempt.task_id in tasks:
                self._note_named(self.attempts[tasks[attempt.task_id]], attempt)
                self._note_kept(self.attempts[tasks[attempt.task_id]], attempt)
        self.picks |= {key: pick for key, pick in picks.items() if key not in self.picks}

    def _note_kept(self, recorded: Attempt, manifest_attempt: Attempt) -> None:
        """Note the fingerprint that a clip is kept for, which stands in the manifest alone.

        Other films list a clip that they share with the film it was ordered for, without its keep.
        """
        kept_for = manifest_attempt.kept_for
        is_of_film = manifest_attempt.intent.film == recorded.intent.film
        if recorded.kept_for != kept_for and (is_of_film or kept_for is not None):
            self.keep(recorded.id, kept_for)

    def _note_named(self, recorded: Attempt, manifest_attempt: Attempt) -> None:
        """The manifest names an attempt that another repository ordered for the same request: a take of this one.

        If the manifest's clip is the one that the ledger knows, a copy may lie here, too.
        """
        if recorded.repository is None or recorded.intent.fingerprint != manifest_attempt.intent.fingerprint:
            return
        self._named.add(recorded.id)
        self._note_last(recorded)
        clip = manifest_attempt.clip
        if clip is None or all(other.sha256 != clip.sha256 for other in recorded.clips):
            return
        if all(clip_place(other) != clip_place(clip) for other in recorded.clips):
            self.attempts[recorded.id] = replace(recorded, other_copies=(*recorded.other_copies, clip))

    def _ledger_knows_more(self, manifest_attempt: Attempt) -> bool:
        """Whether this ledger has a newer or decisive attempt of the same take as one without a task in a manifest.

        Of the attempts of other repositories only the very same attempt counts.
        """
        return any(
            attempt.intended_at == manifest_attempt.intended_at
            or (
                attempt.repository is None
                and (attempt.state.outweighs_manifest or attempt.intended_at >= manifest_attempt.intended_at)
            )
            for attempt in self.attempts_of(manifest_attempt.intent.fingerprint)
        )
