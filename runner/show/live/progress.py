"""How far a run has come, folded from its news. Pure."""

from collections import deque
from datetime import datetime
from decimal import Decimal
from itertools import islice

from runner.attempts.history import Attempt
from runner.engine.run_events import CreditTotals, RunEvent
from runner.lazy_dataclass import dataclass, field
from runner.planning.plan import Action, Plan, Step
from runner.show.text.escape import one_line
from runner.show.text.format import length
from runner.show.text.labels import several_boards, title

_RUNNING = ("created", "running", "succeeded")
_LATEST = 8
ENDED_BADLY = ("failed", "refused", "unsettled")
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class TakeProgress:
    """How one take stands in this run."""

    step: Step
    event: str
    attempt: Attempt | None
    expected: float | None
    words: str = ""


@dataclass(slots=True)
class Progress:
    """All that the view knows; it changes only by `feed`."""

    asks: str = "kinovi"
    ceiling: Decimal | None = None
    """Of this command: `--max-credits`, or what was agreed to."""
    at_once: int = 0
    """Tasks in progress at most; 0 when it was not said: then the most that were seen."""
    prefix: str = ""
    """The repository's top seen from where the user stands: what paths of clips are told from."""
    plan: Plan | None = None
    title: str = "storyboard"
    several: bool = False
    """Whether shots are named with their storyboard."""
    began: datetime | None = None
    to_go: dict[Key, Step] = field(default_factory=dict)
    """What this run still has to begin."""
    warnings: list[str] = field(default_factory=list)
    money: CreditTotals = field(default_factory=CreditTotals)
    peak: int = 0
    """The most tasks that were in progress together."""
    wait_for_pick: int = 0
    stopping: bool = False
    over: bool = False
    _event: dict[Key, str] = field(default_factory=dict)
    _stands: dict[str, dict[Key, TakeProgress]] = field(default_factory=dict)
    """By the last news of each take, in the order of their coming."""
    _expected: deque[float] = field(default_factory=lambda: deque(maxlen=_LATEST))
    """How long the latest tasks were said to take: what is known of that grows while a run works."""

    def feed(self, event: RunEvent) -> None:
        """One more thing happened."""
        self.began = self.began or event.at
        self.money = event.money
        if event.plan is not None:
            self._plan(event.plan)
        if event.event == "warning":
            self.warnings.append(one_line(event.message, 400))
        elif event.event == "done":
            self.over = True
        elif event.step is not None:
            self._note(event, event.step)
            self.peak = max(self.peak, len(self.running))

    def _plan(self, plan: Plan) -> None:
        self.plan = plan
        self.title, self.several = title(plan), several_boards(plan)
        self.to_go = {step.key: step for step in plan.steps if step.key not in self._event and _comes(step)}
        self.wait_for_pick = sum(1 for step in plan.steps if step.needs_pick)

    def _note(self, event: RunEvent, step: Step) -> None:
        before = self._stands.get(self._event.pop(step.key, ""), {}).pop(step.key, None)
        expected = event.expected or (before.expected if before is not None else None)
        if event.event == "created" and event.expected:
            self._expected.append(event.expected)
        if event.will_retry:
            self.to_go[step.key] = step
            return
        self.to_go.pop(step.key, None)
        said = event.message or (event.attempt.message if event.attempt is not None else "")
        self._event[step.key] = event.event
        self._stands.setdefault(event.event, {})[step.key] = TakeProgress(
            step, event.event, event.attempt, expected, said
        )

    def in_state(self, *events: str) -> list[TakeProgress]:
        """The takes whose last news is one of these, in the order in which it came."""
        return [stand for event in events for stand in self._stands.get(event, {}).values()]

    def latest(self, event: str, most: int) -> list[TakeProgress]:
        """The last so many of the takes that have this as their last news, in its order."""
        return list(islice(reversed(self._stands.get(event, {}).values()), most))[::-1]

    def number(self, event: str) -> int:
        """How many takes have this as their last news."""
        return len(self._stands.get(event, ()))

    @property
    def running(self) -> list[TakeProgress]:
        return self.in_state(*_RUNNING)

    @property
    def begun(self) -> int:
        """Takes that this run has begun, whatever became of them."""
        return len(self._event)

    def seconds_left(self, now: datetime) -> float | None:
        """Seconds until the end, roughly; None when nothing is known of how long a task takes."""
        if not self._expected:
            return None
        usual = sum(self._expected) / len(self._expected)
        rest = [max(0.0, (stand.expected or usual) - elapsed(stand, now)) for stand in self.running]
        seconds = (sum(rest) + usual * len(self.to_go)) / max(1, self.at_once or self.peak)
        return max(seconds, *rest) if rest else seconds


def _comes(step: Step) -> bool:
    """Whether a run makes or collects it as things stand."""
    return step.is_billable or (step.action is Action.RESUME and step.duplicate_of is None)


def elapsed(stand: TakeProgress, now: datetime) -> float:
    """Seconds since the task was accepted."""
    since = stand.attempt.accepted_at if stand.attempt is not None else None
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


def clock_time(progress: Progress, now: datetime) -> str:
    """How long the run has been at it: `06:41`, `1:02:05`."""
    return length(int((now - (progress.began or now)).total_seconds())).rjust(5, "0")


def summary(progress: Progress) -> list[str]:
    """What is made, runs, is to go, went wrong, and waits: only what there is."""
    made, going = progress.number("stored"), len(progress.running)
    whole = progress.begun + len(progress.to_go)
    found = [f"{made} of {whole} made"]
    for number, what in (
        (going, "running"),
        (len(progress.to_go), "to go"),
        *((progress.number(event), event) for event in ENDED_BADLY),
    ):
        if number:
            found.append(f"{number} {what}")
    if waiting := progress.wait_for_pick:
        found.append(f"{waiting} wait{'s' if waiting == 1 else ''} for a pick")
    return found
