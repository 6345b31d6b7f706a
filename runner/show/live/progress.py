"""The progress of a run, accumulated from its events. Pure."""

import math
from collections import deque
from datetime import datetime
from decimal import Decimal
from itertools import islice

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import TakeKey
from runner.engine.run_events import CreditTotals, Pause, RunEvent, Sending
from runner.lazy_dataclass import dataclass, field
from runner.paid_providers import paid_provider_name
from runner.planning.plan import Action, Plan, Step
from runner.show.text.escape import one_line
from runner.show.text.format import length, volume
from runner.show.text.labels import Several, several_films, shot_name, title

# `succeeded` is one of them: a clip is made once it is stored here, and its link may still expire.
_RUNNING_EVENTS = ("created", "running", "succeeded")
# Tasks whose expected time the estimate averages: enough to smooth it, few enough to follow a change.
_LATEST_TASKS = 8
FAILURE_EVENTS = ("failed", "refused", "unsettled")
# Pauses that keep the whole run from creating tasks, whatever take met them.
_TOPICS_OF_RUN = frozenset({"slots", "network", "unsettled"})


@dataclass(frozen=True, slots=True)
class TakeProgress:
    """The last event of one take in this run."""

    step: Step
    event: str
    attempt: Attempt | None
    expected: float | None
    message: str = ""


@dataclass(frozen=True, slots=True)
class TakeWait:
    """A pause of a run, or of one take."""

    step: Step | None
    wait: Pause


@dataclass(slots=True)
class Progress:
    """The state that the live view draws; `apply` changes it by one event."""

    paid_provider: str = field(default_factory=paid_provider_name)
    ceiling: Decimal | None = None
    """Credits that this command may spend: `--max-credits`, or the approved price."""
    concurrency: int = 0
    """Limit of tasks in progress; 0 when not known: `peak` is used then."""
    prefix: str = ""
    """The repository's top as a path relative to the working folder: clip paths begin with it."""
    look_command: str = ""
    """The command that shows the clips as they come, safe for a terminal; "" names none."""
    plan: Plan | None = None
    title: str = "storyboard"
    several: Several = False
    """Whether shot names need their storyboard's name before them."""
    started_at: datetime | None = None
    to_go: dict[TakeKey, Step] = field(default_factory=dict)
    """Takes that this run has not started yet."""
    warnings: list[str] = field(default_factory=list)
    money: CreditTotals = field(default_factory=CreditTotals)
    peak: int = 0
    """The highest number of tasks that were in progress at once."""
    wait_for_pick: int = 0
    waits: dict[tuple[TakeKey | None, str], TakeWait] = field(default_factory=dict)
    """Pauses by take and topic, the latest of each; those of the whole run have no take."""
    sending: Sending | None = None
    """How far the files are on their way to the provider; None before the first."""
    sending_since: datetime | None = None
    stopping: bool = False
    finished: bool = False
    _last_event: dict[TakeKey, str] = field(default_factory=dict)
    _takes_by_event: dict[str, dict[TakeKey, TakeProgress]] = field(default_factory=dict)
    """Takes by their last event, each list in the order of the events."""
    _expected: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST_TASKS))
    """Expected seconds of the latest tasks only: the estimate improves while a run works."""

    def apply(self, event: RunEvent) -> None:
        """Take one more event of the run into account."""
        self.started_at = self.started_at or event.at
        self.money = event.money
        self._note_wait(event)
        if event.sending is not None:
            self.sending, self.sending_since = event.sending, self.sending_since or event.at
        if event.plan is not None:
            self._replace_plan(event.plan)
        if event.event == "waiting" or event.wait is not None:
            return  # the live view shows the pause itself, while it lasts
        if event.event == "warning":
            self.warnings.append(one_line(event.message, 400))
        elif event.event == "done":
            self.finished = True
        elif event.step is not None:
            self._record(event, event.step)
            self.peak = max(self.peak, len(self.running))

    def _note_wait(self, event: RunEvent) -> None:
        """Record the pause that an event begins; other news of a take end its pauses, a new task those of the run."""
        if event.wait is not None:
            step = None if event.wait.topic in _TOPICS_OF_RUN else event.step
            self.waits[step.key if step is not None else None, event.wait.topic] = TakeWait(step, event.wait)
        elif event.step is not None and event.event != "warning":
            ended = (event.step.key, None) if event.event == "created" else (event.step.key,)
            self.waits = {name: wait for name, wait in self.waits.items() if name[0] not in ended or _stays(name[1])}

    def current_waits(self, now: datetime) -> list[TakeWait]:
        """The pauses that are not over, those of the whole run first, then the soonest to end."""
        if self.stopping:
            return []
        waits = [wait for wait in self.waits.values() if wait.wait.until > now and self._matters(wait)]
        return sorted(waits, key=lambda wait: (wait.step is not None, wait.wait.until))

    def _matters(self, wait: TakeWait) -> bool:
        """Whether something is left to do after the pause: a pause before new tasks needs some to create."""
        return wait.wait.topic not in _TOPICS_OF_RUN or bool(self.to_go)

    def _replace_plan(self, plan: Plan) -> None:
        self.plan = plan
        self.title, self.several = title(plan), several_films(plan)
        # A plan that changes during a run (a pick, another run's clip) must not count takes again that were started.
        self.to_go = {step.key: step for step in plan.steps if step.key not in self._last_event and _is_pending(step)}
        self.wait_for_pick = sum(1 for step in plan.steps if step.needs_pick)

    def _record(self, event: RunEvent, step: Step) -> None:
        previous = self._takes_by_event.get(self._last_event.pop(step.key, ""), {}).pop(step.key, None)
        # Only the first event of a task has an estimate; the bar goes on with it.
        expected = event.expected or (previous.expected if previous is not None else None)
        if event.event == "created" and event.expected:
            self._expected.append(event.expected)
        if event.will_retry:
            # To go again, and no failure: each take is counted in exactly one place, so that the head's numbers add up.
            self.to_go[step.key] = step
            return
        self.to_go.pop(step.key, None)
        message = event.message or (event.attempt.message if event.attempt is not None else "")
        self._last_event[step.key] = event.event
        self._takes_by_event.setdefault(event.event, {})[step.key] = TakeProgress(
            step, event.event, event.attempt, expected, message
        )

    def in_state(self, *events: str) -> list[TakeProgress]:
        """The takes whose last event is one of `events`, in the order of these events."""
        return [take for event in events for take in self._takes_by_event.get(event, {}).values()]

    def latest(self, event: str, most: int) -> list[TakeProgress]:
        """The latest `most` takes whose last event is `event`, oldest first."""
        return list(islice(reversed(self._takes_by_event.get(event, {}).values()), most))[::-1]

    def number(self, event: str) -> int:
        """The number of takes whose last event is `event`."""
        return len(self._takes_by_event.get(event, ()))

    @property
    def running(self) -> list[TakeProgress]:
        return self.in_state(*_RUNNING_EVENTS)

    @property
    def downloading(self) -> list[TakeProgress]:
        """Takes whose task is over and billed, and whose clip is still to come."""
        return [take for take in self.running if is_downloading(take)]

    @property
    def started_count(self) -> int:
        """The number of takes that this run has started, whatever their outcome."""
        return len(self._last_event)

    @property
    def credits_to_go(self) -> Decimal:
        """Credits still to be ordered, those of takes whose request waits for another shot's clip included."""
        # The engine prices requests that are decided: without these the live total grew with each upstream clip.
        undecided = (step for step in self.to_go.values() if step.is_billable and step.fingerprint is None)
        return self.money.to_go + sum((step.price.credits or Decimal(0) for step in undecided), Decimal(0))

    def seconds_left(self, now: datetime) -> float | None:
        """Estimated seconds until the last task ends; None while clips alone are to come, or without an estimate."""
        if not self._expected:
            return None
        usual = sum(self._expected) / len(self._expected)
        tasks = [take for take in self.running if not is_downloading(take)]
        # The time left is that of tasks; how long a download takes depends on a host that nobody has measured.
        if self.running and not tasks and not self.to_go:
            return None  # only downloads are left
        rest = [max(0.0, (take.expected or usual) - elapsed(take, now)) for take in tasks]
        seconds = (sum(rest) + usual * len(self.to_go)) / max(1, self.concurrency or self.peak)
        # One task cannot be shared among slots: the run takes at least as long as its longest.
        return max(seconds, *rest) if rest else seconds


def _is_pending(step: Step) -> bool:
    """Whether a run creates a task for this take, or collects one that runs."""
    is_collected = step.action is Action.RESUME or step.waits_for == "run"
    return step.is_billable or (is_collected and step.duplicate_of is None)


def is_downloading(take: TakeProgress) -> bool:
    """Whether the provider has made the clip, which is not here yet."""
    return take.event == "succeeded" or (take.attempt is not None and take.attempt.state is AttemptState.SUCCEEDED)


def elapsed(take: TakeProgress, now: datetime) -> float:
    """Seconds since the provider accepted the task."""
    since = take.attempt.accepted_at if take.attempt is not None else None
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def clock_time(progress: Progress, now: datetime) -> str:
    """The elapsed time of the run: `06:41`, `1:02:05`."""
    return length(int((now - (progress.started_at or now)).total_seconds())).rjust(5, "0")


def sending_text(progress: Progress, now: datetime) -> str:
    """The files on their way, and the bytes a second so far: `12 of 80, 3.1 MB/s`; empty while none is sent."""
    sending = progress.sending
    if sending is None or not sending.in_flight or sending.done >= sending.whole:
        return ""
    seconds = (now - (progress.sending_since or now)).total_seconds()
    rate = f", {volume(round(sending.sent / seconds))}/s" if sending.sent and seconds > 0 else ""
    return f"{sending.done} of {sending.whole}{rate}"


def countdown(progress: Progress, now: datetime) -> list[str]:
    """The time until the next pause is over, for a screen without room for more."""
    waits = progress.current_waits(now)
    return [f"asks again in {remaining(waits[0], now)}"] if waits else []


def wait_lines(progress: Progress, now: datetime) -> list[str]:
    """The waits of the run with their time left: `asks again in 0:42 (the account's slots are taken)`."""
    return [_wait_line(wait, progress.several, now) for wait in progress.current_waits(now)]


def _wait_line(wait: TakeWait, several: Several, now: datetime) -> str:
    text = one_line(wait.wait.text, 400)
    if wait.step is not None:
        take = f" take {wait.step.take}" if wait.step.shot.takes > 1 else ""
        return f"{shot_name(wait.step, several)}{take}: {text}, in {remaining(wait, now)}"
    verb = "goes on" if wait.wait.topic == "unsettled" else "asks again"
    return f"{verb} in {remaining(wait, now)} ({text})"


def remaining(wait: TakeWait, now: datetime) -> str:
    """The time until a pause is over: `0:42`."""
    # Rounded up: a countdown at 0:00 would seem to hang for a second.
    return length(math.ceil((wait.wait.until - now).total_seconds()))


def _stays(topic: str) -> bool:
    """Whether a pause does not end with a new task: slots in doubt stay taken."""
    return topic == "unsettled"


def summary(progress: Progress) -> list[str]:
    """Counts of takes that are made, running, to go, failed or waiting; zeros are left out."""
    finished, downloading = progress.number("stored"), len(progress.downloading)
    running = len(progress.running) - downloading
    whole = progress.started_count + len(progress.to_go)
    facts = [f"{finished} of {whole} made"]
    for number, label in (
        (running, "running"),
        (downloading, "downloading"),
        (len(progress.to_go), "to go"),
        *((progress.number(event), event) for event in FAILURE_EVENTS),
    ):
        if number:
            facts.append(f"{number} {label}")
    if waiting := progress.wait_for_pick:
        facts.append(f"{waiting} wait{'s' if waiting == 1 else ''} for a pick")
    return facts
