"""How far a run has come, folded from its news, and the frame that shows it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from runner.engine.news import Money, News
from runner.history import Attempt
from runner.plan import Action, Plan, Step
from runner.show.amounts import credits_text, lasting, length
from runner.show.cells import cut, left, right, wrap
from runner.show.cells import width as cells
from runner.show.clean import clean, words
from runner.show.ink import Ink
from runner.show.names import shot_name, take_names

_BAR = 18
_RUNNING = frozenset({"created", "running", "succeeded"})
_ENDED_BADLY = ("failed", "refused", "unsettled")
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Stand:
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
    at_once: int = 1
    plan: Plan | None = None
    began: datetime | None = None
    stands: dict[Key, Stand] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    money: Money = field(default_factory=Money)
    expected: dict[Key, float] = field(default_factory=dict)
    stopping: bool = False
    over: bool = False

    def feed(self, news: News) -> None:
        """One more thing happened."""
        self.began = self.began or news.at
        self.money = news.money
        if news.plan is not None:
            self.plan = news.plan
        if news.event == "warning":
            self.warnings.append(words(news.words, 400))
        elif news.event == "done":
            self.over = True
        elif news.step is not None:
            self._note(news, news.step)

    def _note(self, news: News, step: Step) -> None:
        before = self.stands.get(step.key)
        expected = news.expected or (before.expected if before is not None else None)
        said = news.words or (news.attempt.words if news.attempt is not None else "")
        if news.again:
            self.stands.pop(step.key, None)
            return
        self.stands[step.key] = Stand(step, news.event, news.attempt, expected, said)
        if expected:
            self.expected[step.key] = expected

    def having(self, *events: str) -> list[Stand]:
        """The takes whose last news is one of these, in the order of their first."""
        return [stand for stand in self.stands.values() if stand.event in events]

    @property
    def running(self) -> list[Stand]:
        return [stand for stand in self.stands.values() if stand.event in _RUNNING]

    @property
    def to_go(self) -> list[Step]:
        """What this run still has to begin."""
        if self.plan is None:
            return []
        return [
            step
            for step in self.plan.steps
            if step.key not in self.stands and (step.orders or (step.action is Action.RESUME and step.shares is None))
        ]

    @property
    def wait_for_pick(self) -> int:
        return 0 if self.plan is None else sum(1 for step in self.plan.steps if step.later)

    def left(self, now: datetime) -> float | None:
        """Seconds until the end, roughly; None when nothing is known of how long a task takes."""
        if not self.expected:
            return None
        usual = sum(self.expected.values()) / len(self.expected)
        rest = [max(0.0, (stand.expected or usual) - elapsed(stand, now)) for stand in self.running]
        seconds = (sum(rest) + usual * len(self.to_go)) / max(1, self.at_once)
        return max(seconds, *rest) if rest else seconds


def elapsed(stand: Stand, now: datetime) -> float:
    """Seconds since the task was accepted."""
    since = stand.attempt.accepted_at if stand.attempt is not None else None
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0


# -- the frame --------------------------------------------------------------------------------------------


def frame(progress: Progress, now: datetime, width: int, height: int, ink: Ink) -> list[str]:
    """The lines of the live view at this moment; never wider or taller than told."""
    head = headline(progress, now, width, ink)
    if height < 6 or width < 40:
        return [head][:height]
    foot = _foot(progress, now, width, ink)
    room = height - len(foot) - 3
    running = _running(
        progress, now, width, max(1, room // 2 if progress.having("stored", *_ENDED_BADLY) else room), ink
    )
    ended = _ended(progress, width, max(0, room - len(running) - 1), ink)
    blocks = [[head], running, ended, foot]
    lines = [line for block in blocks if block for line in ("", *block)][1:]
    return lines[:height]


def headline(progress: Progress, now: datetime, width: int, ink: Ink) -> str:
    """`The Last Ferry   8 of 28 made · 3 running · 16 to go          06:41`."""
    time = length(int((now - (progress.began or now)).total_seconds())).rjust(5, "0")
    facts = " · ".join(counts(progress))
    name = cut(title(progress.plan), max(8, width - cells(facts) - cells(time) - 6))
    room = width - cells(name) - cells(facts) - cells(time) - 3
    if room < 2:
        return cut(f"{name}   {facts}", width)
    return f"{ink(name, 'strong')}   {facts}{' ' * room}{ink(time, 'quiet')}"


def title(plan: Plan | None) -> str:
    """The storyboard's title, or how many there are."""
    boards = {} if plan is None else {step.shot.storyboard: None for step in plan.steps}
    if plan is None or not boards:
        return "storyboard"
    if len(boards) > 1:
        return f"{len(boards)} storyboards"
    return words(next(board.title for board in plan.batch.storyboards if board.path in boards), 200)


def counts(progress: Progress) -> list[str]:
    """What is made, runs, is to go, went wrong, and waits: only what there is."""
    made, going = len(progress.having("stored")), len(progress.running)
    whole = len(progress.stands) + len(progress.to_go)
    found = [f"{made} of {whole} made"]
    for number, what in (
        (going, "running"),
        (len(progress.to_go), "to go"),
        *((len(progress.having(event)), event) for event in _ENDED_BADLY),
    ):
        if number:
            found.append(f"{number} {what}")
    if waiting := progress.wait_for_pick:
        found.append(f"{waiting} wait{'s' if waiting == 1 else ''} for a pick")
    return found


def _running(progress: Progress, now: datetime, width: int, most: int, ink: Ink) -> list[str]:
    """A line for each task in progress, the one that ends first on top; those beyond `most` are counted."""
    stands = sorted(progress.running, key=lambda stand: (stand.event == "created", -elapsed(stand, now)))
    shown = stands if len(stands) <= most else stands[: most - 1]
    several = several_boards(progress.plan)
    name_cells = max((cells(shot_name(stand.step, several)) for stand in shown), default=0)
    name_cells = min(name_cells, max(12, width // 3))
    lines = [_task(stand, now, width, name_cells, several, ink) for stand in shown]
    if len(stands) > len(shown):
        lines.append(f"  {ink(f'and {len(stands) - len(shown)} more running', 'quiet')}")
    return lines


def _task(stand: Stand, now: datetime, width: int, name_cells: int, several: bool, ink: Ink) -> str:
    status = _status(stand)
    took = elapsed(stand, now)
    name = left(shot_name(stand.step, several), name_cells)
    lead = f"  {name}  take {stand.step.take:<3} {ink(left(status, 11), 'quiet')} "
    told = right(length(int(took)), 6)
    about = f"  of about {length(int(stand.expected))}" if stand.expected else ""
    if stand.event == "succeeded":
        about = "  downloading"
    room = width - (2 + name_cells + 2 + 8 + 1 + 11 + 1) - cells(told) - cells(about)
    if room < 6:
        return cut(f"  {name}  take {stand.step.take} {status} {told.strip()}", width)
    return f"{lead}{bar(stand, took, min(_BAR, room), ink)}{told}{ink(about, 'quiet')}"


def _status(stand: Stand) -> str:
    if stand.event == "succeeded":
        return "made"
    return words(stand.attempt.status, 40) if stand.attempt is not None and stand.attempt.status else "sent"


def bar(stand: Stand, took: float, width: int, ink: Ink) -> str:
    """Time that has passed of the time expected; it is never full before the clip is made."""
    share = 1.0 if stand.event == "succeeded" else min(0.95, took / stand.expected) if stand.expected else 0.0
    if stand.attempt is not None and stand.attempt.status == "waiting" and stand.event != "succeeded":
        share = 0.0
    full = int(share * width)
    return ink("█" * full, "good") + ink("░" * (width - full), "quiet")


def _ended(progress: Progress, width: int, most: int, ink: Ink) -> list[str]:
    """What is made, shortly, and every take that went wrong with the vendor's words."""
    lines = _made(progress, width, ink)
    for event in _ENDED_BADLY:
        for stand in progress.having(event):
            lines += _bad(stand, width, several_boards(progress.plan), ink)
    for warning in dict.fromkeys(progress.warnings):
        lines += _beside("warning", warning, width, ink, "warn")
    return (
        lines if len(lines) <= most else [*lines[: max(0, most - 1)], f"  {ink('and more, told at the end', 'quiet')}"]
    )


def _made(progress: Progress, width: int, ink: Ink) -> list[str]:
    made = progress.having("stored")
    if not made:
        return []
    names = take_names([stand.step for stand in made], several_boards(progress.plan))
    lines = wrap("  ".join(names).replace(" ", "\u00a0").replace("\u00a0\u00a0", "  "), max(20, width - 11))
    if len(lines) > 3:
        lines = [f"{len(made)} clips", *lines[-2:]]
    shown = [line.replace("\u00a0", " ").strip() for line in lines]
    return [f"  {ink('made', 'good')}     {shown[0]}", *(f"           {line}" for line in shown[1:])]


def _bad(stand: Stand, width: int, several: bool, ink: Ink) -> Iterable[str]:
    name = f"{shot_name(stand.step, several)} take {stand.step.take}"
    charge = "; nobody knows whether it was charged" if stand.event == "unsettled" else ", not charged"
    said = f'"{words(stand.words, 200)}"' if stand.words else "no word about why"
    yield from _beside(stand.event, f"{name}  {said}{charge}", width, ink, "bad")


def _beside(label: str, text: str, width: int, ink: Ink, name: str) -> list[str]:
    first, *rest = wrap(text, max(20, width - 13))
    margin = " " * 13 if len(label) > 8 else " " * 11
    lead = f"  {ink(label, name)}"
    return [f"{lead}{margin[len(label) + 2 :]}{first}", *(margin + line for line in rest[:2])]


def _foot(progress: Progress, now: datetime, width: int, ink: Ink) -> list[str]:
    rest = progress.left(now)
    about = f"about {lasting(rest)} left" if rest else ""
    facts = " · ".join(_money(progress))
    room = width - 11 - cells(facts) - cells(about)
    line = f"  {ink('credits', 'quiet')}  {facts}{' ' * max(3, room)}{about}" if room >= 3 else cut(f"  {facts}", width)
    hint = "Stopping: no new clip is begun; running ones are kept. Ctrl-C again leaves at once."
    if not progress.stopping:
        hint = "Ctrl-C stops new clips; running ones are kept."
    return [line, f"  {ink(cut(hint, width - 2), 'quiet')}"]


def _money(progress: Progress) -> list[str]:
    money = progress.money
    if progress.plan is not None and progress.plan.play:
        whole = money.billed + money.running + money.to_go
        return [f"free; on {clean(progress.asks)} {credits_text(money.billed)} of {credits_text(whole)} so far"]
    found = [
        f"{credits_text(amount)} {what}"
        for amount, what in (
            (money.billed, "billed"),
            (money.running, "running"),
            (money.perhaps, "perhaps charged"),
            (money.to_go, "to go"),
        )
        if amount or what == "billed"
    ]
    most = money.billed + money.running + money.perhaps + money.to_go
    ceiling = "" if progress.ceiling is None else f" of {credits_text(progress.ceiling)}"
    return [*found, f"at most {credits_text(most)}{ceiling}"]


def several_boards(plan: Plan | None) -> bool:
    """Whether shots must be named with their storyboard."""
    return plan is not None and len({step.shot.storyboard for step in plan.steps}) > 1


# -- one line an event, for pipes and logs ----------------------------------------------------------------

_WORDS = {"created": "sent", "stored": "made", "failed": "failed", "refused": "refused", "unsettled": "unsettled"}


def event_line(progress: Progress, news: News) -> str | None:
    """`06:41 made      SH010 take 1  renders/…/take-1.mp4`; None for what a log need not know."""
    time = length(int((news.at - (progress.began or news.at)).total_seconds())).rjust(5, "0")
    if news.event == "warning":
        return f"{time} warning   {words(news.words, 1000)}"
    if news.event not in _WORDS or news.step is None:
        return None
    word = "again" if news.again else _WORDS[news.event]
    name = f"{shot_name(news.step, several_boards(progress.plan))} take {news.step.take}"
    return f"{time} {word:<9} {name}  {_detail(news)}".rstrip()


def _detail(news: News) -> str:
    attempt = news.attempt
    said = words(news.words or (attempt.words if attempt is not None else ""), 1000)
    if attempt is None:
        return said
    if news.event == "created":
        about = f", about {lasting(news.expected)}" if news.expected else ""
        return f"{words(attempt.task_id or '', 200)}{about}"
    if news.event == "stored" and attempt.clip is not None:
        return clean(attempt.clip.path)
    return f'"{said}"' if said else ""


def heartbeat(progress: Progress, now: datetime) -> str:
    """`05:00 still     8 of 28 made · 3 running · 16 to go`."""
    time = length(int((now - (progress.began or now)).total_seconds())).rjust(5, "0")
    rest = progress.left(now)
    about = [f"about {lasting(rest)} left"] if rest else []
    return f"{time} still     {' · '.join([*counts(progress), *about])}"


def opening_line(progress: Progress) -> str:
    """`00:00 begin     The Last Ferry: 28 takes`."""
    takes = len(progress.stands) + len(progress.to_go)
    name = title(progress.plan)
    return f"00:00 begin     {name}: {takes} {'take' if takes == 1 else 'takes'}, {progress.at_once} at a time"
