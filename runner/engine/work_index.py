"""The work of a run by what may be done next, kept up to date request by request as attempts and state change."""

from collections.abc import Iterator

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.history import History
from runner.engine.eligibility import creatable_step, download_due_at, has_clip, poll_due_at
from runner.engine.in_flight import ClipKey
from runner.engine.limits import RunLimits
from runner.engine.ordered_keys import OrderedKeys
from runner.engine.queue import SharedRequest, Target, WorkQueue
from runner.engine.run_state import RunState
from runner.requests.request import Material


class WorkIndex:
    """Requests to create, tasks to poll and clips to download, each in the order in which the scheduler reads them.

    The index follows from queue, history and state. Whoever changes an attempt or the state of a request calls
    `touch`; the next reader gets that request looked at again, and no other. So a decision costs the same however
    many takes the batch has.
    """

    def __init__(self, queue: WorkQueue, history: History, state: RunState, limits: RunLimits) -> None:
        self.queue = queue
        self.history = history
        self._state = state
        self._limits = limits
        self._creatable: OrderedKeys[int, str] = OrderedKeys()
        self._polls: OrderedKeys[float, str] = OrderedKeys()
        self._needed_clips: OrderedKeys[tuple[float, int], ClipKey] = OrderedKeys()
        self._other_clips: OrderedKeys[tuple[float, int], ClipKey] = OrderedKeys()
        self._download_targets: dict[ClipKey, Target] = {}
        self._unpolled_orphans: set[str] = set()
        self._with_clip: set[str] = set()
        self._touched: dict[str, None] = dict.fromkeys(queue.by_fingerprint)
        self._running: dict[str, None] = {}
        for attempt in history.open():  # in the order of their intents
            self._update_running(attempt)

    # -- changes ------------------------------------------------------------------------------------------

    def touch(self, fingerprint: str) -> None:
        """Note that an attempt of a request, or the state of the request, has changed."""
        self._touched[fingerprint] = None

    def touch_all(self) -> None:
        """Note a change that concerns every request."""
        self._touched = dict.fromkeys(self.queue.by_fingerprint)

    def touch_users(self, material: Material) -> None:
        """Note a change that concerns every request with a material."""
        for group in self.queue.groups:
            if group.steps and material in group.steps[0].shot.request.materials:
                self.touch(group.fingerprint)

    def _update(self) -> None:
        while self._touched:
            # While this loop runs, dependents are touched: it ends when nothing follows from a change any more.
            fingerprint, _ = self._touched.popitem()
            group = self.queue.by_fingerprint.get(fingerprint)
            if group is not None:
                self._update_group(group)
            self._update_dependents(fingerprint)

    def _update_group(self, group: SharedRequest) -> None:
        queue, history, state = self.queue, self.history, self._state
        position = queue.positions[group.fingerprint]
        step = creatable_step(group, queue, history, state, self._limits)
        self._creatable.put(group.fingerprint, None if step is None else position)
        clips = self._needed_clips if group.fingerprint in queue.dependents else self._other_clips
        for attempt in history.attempts_of(group.fingerprint):
            self._update_running(attempt)
            poll_at = poll_due_at(attempt, group, queue, history, state, self._limits)
            self._polls.put(attempt.id, poll_at)
            self._update_unpolled(attempt, group, poll_at is not None)
            for target in group.targets_of(attempt):
                due_at = download_due_at(attempt, target, group, queue, history, state)
                key = (attempt.id, target.key)
                clips.put(key, None if due_at is None else (due_at, position))
                if due_at is not None:
                    self._download_targets[key] = target
                else:
                    self._download_targets.pop(key, None)

    def _update_unpolled(self, attempt: Attempt, group: SharedRequest, is_polled: bool) -> None:
        if group.orphan_of(attempt) is None:
            return
        poll_state = self._state.polls.of(attempt.id)
        is_awaited = is_polled or attempt.id in self._state.polls
        if is_awaited and (poll_state is None or not poll_state.answered):
            self._unpolled_orphans.add(attempt.id)
        else:
            self._unpolled_orphans.discard(attempt.id)

    def _update_running(self, attempt: Attempt) -> None:
        if attempt.state is not AttemptState.RUNNING:
            self._running.pop(attempt.id, None)
        elif attempt.intent.fingerprint in self.queue.by_fingerprint:
            self._running.setdefault(attempt.id)

    def _update_dependents(self, fingerprint: str) -> None:
        """Look again at the requests made from the clip of another, once that clip comes or goes."""
        dependents = self.queue.dependents.get(fingerprint, ())
        if not dependents:
            return
        is_here = has_clip(fingerprint, self.queue, self.history, self._state)
        # Only a change is passed on; else a long chain would be walked after each event of its first shot.
        if is_here is (fingerprint in self._with_clip):
            return
        if is_here:
            self._with_clip.add(fingerprint)
        else:
            self._with_clip.discard(fingerprint)
        self._touched.update(dict.fromkeys(dependents))

    # -- readers ------------------------------------------------------------------------------------------

    def creatable(self) -> Iterator[SharedRequest]:
        """Requests whose task may be created, the most urgent first."""
        self._update()
        return (self.queue.groups[position] for position, _ in self._creatable)

    def polls(self) -> Iterator[tuple[float, str]]:
        """The moments to poll attempts, the earliest first."""
        self._update()
        return iter(self._polls)

    def downloads(self) -> Iterator[Iterator[tuple[float, str, Target]]]:
        """The moments to download clips of attempts for targets, the earliest first.

        Two series: clips that another take is made from, then all others.
        """
        self._update()
        for clips in (self._needed_clips, self._other_clips):
            yield ((due_at, key[0], self._download_targets[key]) for (due_at, _), key in clips)

    def awaits_first_polls(self) -> bool:
        """Whether some orphan's first poll of this run is due or on its way."""
        self._update()
        return bool(self._unpolled_orphans)

    def running(self) -> list[Attempt]:
        """The running tasks of the queue's requests, the oldest first."""
        self._update()
        return [self.history.attempts[attempt] for attempt in self._running]

    def in_progress(self) -> int:
        """Slots that this run holds: createTask requests in flight, and running tasks."""
        self._update()
        return len(self._state.creates) + len(self._running)
