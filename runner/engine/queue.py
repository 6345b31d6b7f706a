"""The work queue: a plan in order of urgency, longest remaining chain first, then longest task. Pure."""

from collections.abc import Mapping

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import ShotKey
from runner.attempts.history import History, duration_class
from runner.engine.duration_model import estimate
from runner.lazy_dataclass import dataclass
from runner.planning.orphans import Orphan
from runner.planning.plan import Action, Plan, Step
from runner.requests.request import JsonValue, LocalFile

Target = Step | Orphan
"""Whose clip it is: a take of the plan, or an attempt that no take asks for any more."""


@dataclass(frozen=True, slots=True)
class SharedRequest:
    """The takes that share one request: one task is created for all of them. An orphan's request may have no take."""

    fingerprint: str
    steps: tuple[Step, ...]
    orphans: tuple[Orphan, ...] = ()

    @property
    def paying_step(self) -> Step | None:
        """The first step that orders the request: the task is created, and paid, in its name."""
        return next((step for step in self.steps if step.may_order), None)

    def targets_of(self, attempt: Attempt) -> tuple[Target, ...]:
        """The targets of an attempt's clip: the takes that share the request, or the orphan that it is."""
        return (orphan,) if (orphan := self.orphan_of(attempt)) is not None else self.steps

    def target_of(self, attempt: Attempt) -> Target:
        """The target that an attempt was ordered for: the step of its take, else the first with its request."""
        targets, intent = self.targets_of(attempt), attempt.intent
        key = (intent.film, intent.shot, intent.take)
        return next((target for target in targets if target.key == key), targets[0])

    def orphan_of(self, attempt: Attempt) -> Orphan | None:
        """The orphan that an attempt of this request is; None for an attempt of the takes."""
        return next((orphan for orphan in self.orphans if orphan.attempt == attempt.id), None)


@dataclass(frozen=True, slots=True)
class WorkQueue:
    """A plan in order of urgency: longest remaining chain first, then longest task, then the files' order.

    Orphans that no take shares a request with come last.
    """

    groups: tuple[SharedRequest, ...]
    by_fingerprint: Mapping[str, SharedRequest]
    positions: Mapping[str, int]
    """Positions in `groups` by fingerprint."""
    dependents: Mapping[str, tuple[str, ...]]
    """By fingerprint: the fingerprints of the requests that are made from its clip."""
    multi_clip: frozenset[str]
    """Fingerprints with work left after their attempt is stored: several steps, or a clip missing on disk."""
    awaited_shots: frozenset[ShotKey]
    """All shots above undecided takes: when a take of one ends, a new plan may be due."""

    file_count: int
    """Files of the storyboards that requests to order are made from."""
    made_by_other_runs: tuple[str, ...]
    """Fingerprints that living runs of other repositories make."""

    @property
    def has_undecided(self) -> bool:
        """Whether some take is undecided, or made by another repository's run."""
        return bool(self.awaited_shots or self.made_by_other_runs)


def build_queue(plan: Plan, history: History, prior: float) -> WorkQueue:
    """Build the queue of a plan; `prior` is the expected seconds of a task of which nothing was learned."""
    seconds = _ExpectedSeconds(history, prior)
    chains = _remaining_seconds(plan, seconds)
    members: dict[str, list[Step]] = {}
    for step in plan.steps:
        if step.fingerprint is not None and step.action.needs_engine and not _is_unconfirmed(history, step):
            members.setdefault(step.fingerprint, []).append(step)
    orphans: dict[str, list[Orphan]] = {}
    for orphan in plan.orphans:
        if orphan.may_be_fetched:
            orphans.setdefault(orphan.fingerprint, []).append(orphan)
    groups = [
        SharedRequest(fingerprint, tuple(members.get(fingerprint, ())), tuple(orphans.get(fingerprint, ())))
        for fingerprint in members | orphans
    ]

    def urgency(group: SharedRequest) -> tuple[float, float]:
        # Orphans last: nobody waits for their clips.
        if not group.steps:
            return (0.0, 0.0)
        # The longest remaining chain first: a film ends with its last chain, whatever else is done before.
        chain = max(chains[step.shot.key] for step in group.steps)
        return (-chain, -seconds.of(group.steps[0]))

    groups.sort(key=urgency)
    return WorkQueue(
        tuple(groups),
        {group.fingerprint: group for group in groups},
        {group.fingerprint: position for position, group in enumerate(groups)},
        _dependents(groups),
        frozenset(group.fingerprint for group in groups if _has_several_clips(group, history)),
        _awaited_shots(plan),
        _file_count(groups),
        tuple(group.fingerprint for group in groups if any(step.waits_for == "run" for step in group.steps)),
    )


def _file_count(groups: list[SharedRequest]) -> int:
    requests = [group.steps[0].shot.request for group in groups if group.paying_step is not None]
    return len({material for request in requests for material in request.materials if type(material) is LocalFile})


def _dependents(groups: list[SharedRequest]) -> dict[str, tuple[str, ...]]:
    dependents: dict[str, dict[str, None]] = {}
    for group in groups:
        for step in group.steps:
            for up in step.upstream:
                dependents.setdefault(up.fingerprint, {})[group.fingerprint] = None
    return {fingerprint: tuple(others) for fingerprint, others in dependents.items()}


def _awaited_shots(plan: Plan) -> frozenset[ShotKey]:
    needs = {step.shot.key: step.shot.needs for step in plan.steps}
    undecided = [step.shot for step in plan.steps if step.fingerprint is None and step.waits_for == "shot"]
    pending = [(shot.film, need) for shot in undecided for need in shot.needs]
    awaited: set[ShotKey] = set()
    while pending:
        key = pending.pop()
        if key not in awaited:
            awaited.add(key)
            pending += [(key[0], need) for need in needs.get(key, ())]
    return frozenset(awaited)


def _has_several_clips(group: SharedRequest, history: History) -> bool:
    return len(group.steps) > 1 or any(_is_stored(history, step) for step in group.steps)


def _is_unconfirmed(history: History, step: Step) -> bool:
    """Whether a take waits for a confirmation, which comes before a run: it is neither polled nor ordered meanwhile."""
    attempt = history.attempts.get(step.attempt or "")
    return attempt is not None and attempt.needs_confirmation


def _is_stored(history: History, step: Step) -> bool:
    attempt = history.current_attempt(step.fingerprint or "")
    return attempt is not None and attempt.state is AttemptState.STORED


class _ExpectedSeconds:
    """Expected seconds of a step; each class of work is estimated once."""

    def __init__(self, history: History, prior: float) -> None:
        self._history = history
        self._prior = prior
        self._seconds_by_class: dict[str, float] = {}

    def of(self, step: Step) -> float:
        request = step.shot.request
        fields: dict[str, JsonValue] = {
            "model": request.model,
            "resolution": request.resolution,
            "seconds": request.seconds,
        }
        work_class = duration_class(fields | {"upscale": request.upscale})
        if work_class not in self._seconds_by_class:
            self._seconds_by_class[work_class] = estimate(self._history.durations, work_class, self._prior).median
        return self._seconds_by_class[work_class]


def _remaining_seconds(plan: Plan, seconds: _ExpectedSeconds) -> dict[ShotKey, float]:
    """The expected seconds of the longest chain of shots that starts with a shot, each made from the last; by shot."""
    first_steps = {step.shot.key: step for step in plan.steps}
    needed_by: dict[ShotKey, list[ShotKey]] = {}
    for key, step in first_steps.items():
        for need in step.shot.needs:
            needed_by.setdefault((key[0], need), []).append(key)
    remaining: dict[ShotKey, float] = {}
    for key in first_steps:  # iterative: chains may be longer than the interpreter's stack
        stack = [key]
        while stack:
            top = stack[-1]
            pending = [other for other in needed_by.get(top, ()) if other not in remaining]
            if pending:
                stack += pending
                continue
            stack.pop()
            own_seconds = 0.0 if first_steps[top].action is Action.KEEP else seconds.of(first_steps[top])
            remaining[top] = own_seconds + max((remaining[other] for other in needed_by.get(top, ())), default=0.0)
    return remaining
