"""One frame of the live view: how far a run has come at this moment, in the room that a terminal has. Pure."""

from collections.abc import Iterable
from datetime import datetime

from runner.show.live.progress import ENDED_BADLY, Progress, TakeProgress, clock_time, elapsed, summary
from runner.show.screens.advice import advice
from runner.show.screens.plan_table import WIDE
from runner.show.text.cells import cut, left, right
from runner.show.text.cells import width as cells
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, lasting, length
from runner.show.text.labels import shot_name, take_names
from runner.show.text.layout import joined, labelled
from runner.show.text.style import Style

_BAR = 18
_LABEL = 9
_MOST_MADE = 3
_MOST_NAMED = 60
_LEAST_TITLE = 14
_LATE = 1.25
"""Beyond so many times the usual a task is late, and the bar promises nothing any more."""


def frame(progress: Progress, now: datetime, width: int, height: int, ink: Style) -> list[str]:
    """The lines of the live view at this moment; never wider or taller than told."""
    width = min(width, WIDE)
    head = headline(progress, now, width, ink)
    if height < 6 or width < 40:
        return [head][:height]
    foot = _foot(progress, now, width, ink)
    room = height - len(foot) - 3
    ended = any(progress.number(event) for event in ("stored", *ENDED_BADLY)) or progress.warnings
    running = _running(progress, now, width, max(1, room * 2 // 3 if ended else room), ink)
    blocks = [[head], running, _ended(progress, width, room - len(running) - 1, ink), foot]
    lines = [line for block in blocks if block for line in ("", *block)][1:]
    return lines[:height]


def headline(progress: Progress, now: datetime, width: int, ink: Style) -> str:
    """`The Last Ferry   8 of 28 made · 3 running · 16 to go          06:41`; the last facts go first when narrow."""
    time = clock_time(progress, now)
    name, facts = progress.title, summary(progress)
    least = min(cells(name), _LEAST_TITLE)
    while len(facts) > 1 and least + 3 + cells(" · ".join(facts)) + 3 + cells(time) > width:
        facts.pop()
    told = " · ".join(facts)
    name = cut(name, max(0, width - cells(told) - cells(time) - 6))
    room = width - cells(name) - cells(told) - cells(time) - 3
    if room < 1:
        return cut(told, width)
    return f"{ink(name, 'strong')}   {told}{' ' * room}{ink(time, 'quiet')}"


def _running(progress: Progress, now: datetime, width: int, most: int, ink: Style) -> list[str]:
    """A line for each task in progress, the one that ends first on top; those beyond `most` are counted."""
    stands = sorted(progress.running, key=lambda stand: (stand.event == "created", -elapsed(stand, now)))
    shown = stands if len(stands) <= most else stands[: most - 1]
    several = progress.several
    name_cells = max((cells(shot_name(stand.step, several)) for stand in shown), default=0)
    name_cells = min(name_cells, max(12, width // 3))
    lines = [_task(stand, now, width, name_cells, several, ink) for stand in shown]
    if len(stands) > len(shown):
        lines.append(f"  {ink(f'and {len(stands) - len(shown)} more running', 'quiet')}")
    return lines


def _task(stand: TakeProgress, now: datetime, width: int, name_cells: int, several: bool, ink: Style) -> str:
    status = _status(stand)
    took = elapsed(stand, now)
    name = left(shot_name(stand.step, several), name_cells)
    lead = f"  {name}  take {stand.step.take:<3} {ink(left(status, 11), 'quiet')} "
    told = right(length(int(took)), 6)
    about = ""
    if stand.expected:
        about = f"  {'of about' if took <= stand.expected * _LATE else 'usually'} {length(int(stand.expected))}"
    if stand.event == "succeeded":
        about = "  downloading"
    room = width - (2 + name_cells + 2 + 8 + 1 + 11 + 1) - cells(told) - cells(about)
    if room < 6:
        return cut(f"  {name}  take {stand.step.take} {status} {told.strip()}", width)
    return f"{lead}{bar(stand, took, min(_BAR, room), ink)}{told}{ink(about, 'quiet')}"


def _status(stand: TakeProgress) -> str:
    if stand.event == "succeeded":
        return "made"
    return one_line(stand.attempt.status, 40) if stand.attempt is not None and stand.attempt.status else "sent"


def bar(stand: TakeProgress, took: float, width: int, ink: Style) -> str:
    """Time that has passed of the time expected; it is never full before the clip is made."""
    share = 1.0 if stand.event == "succeeded" else min(0.95, took / stand.expected) if stand.expected else 0.0
    if stand.attempt is not None and stand.attempt.status == "waiting" and stand.event != "succeeded":
        share = 0.0
    full = int(share * width)
    return ink("█" * full, "good") + ink("░" * (width - full), "quiet")


def _ended(progress: Progress, width: int, most: int, ink: Style) -> list[str]:
    """What is made, shortly, and every take that went wrong with the vendor's words, in at most so many lines."""
    if most < 1:
        return []
    several = progress.several
    bad = [_bad(alike, width, several, ink) for event in ENDED_BADLY for alike in _alike(progress.in_state(event))]
    bad += [labelled("warning", said, width, ink, "warn", _LABEL)[:3] for said in dict.fromkeys(progress.warnings)]
    lines = [*_made(progress, width, ink), *(line for lines in bad for line in lines)]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"  {ink('and more, told at the end', 'quiet')}"]


def _made(progress: Progress, width: int, ink: Style) -> list[str]:
    if not (number := progress.number("stored")):
        return []
    latest = progress.latest("stored", _MOST_NAMED)
    lines = joined(take_names([stand.step for stand in latest], progress.several), width - _LABEL - 4, "  ")
    if len(lines) > _MOST_MADE or number > len(latest):
        lines = [f"{count(number, 'clip')}, the last of them", *lines[1 - _MOST_MADE :]]
    margin = " " * (_LABEL + 4)
    return [f"  {ink(left('made', _LABEL), 'good')}  {lines[0]}", *(margin + line for line in lines[1:])]


def _alike(stands: Iterable[TakeProgress]) -> Iterable[list[TakeProgress]]:
    """Takes about which the same was said, together."""
    by_words: dict[str, list[TakeProgress]] = {}
    for stand in stands:
        by_words.setdefault(stand.words, []).append(stand)
    return by_words.values()


def _bad(stands: list[TakeProgress], width: int, several: bool, ink: Style) -> list[str]:
    names = take_names([stand.step for stand in stands], several)
    more = f"  and {len(names) - 5} more" if len(names) > 5 else ""
    first = stands[0]
    said = f'"{one_line(first.words, 200)}"' if first.words else "no word about why"
    if first.event == "unsettled":
        told = f"{said}; nobody knows whether it was charged, and it is not sent again"
    else:
        told = f"{said}, not charged; {advice(first.attempt, first.step.shot if len(stands) == 1 else None)}"
    return labelled(first.event, f"{'  '.join(names[:5])}{more}  {told}", width, ink, "bad", _LABEL)[:3]


def _foot(progress: Progress, now: datetime, width: int, ink: Style) -> list[str]:
    """The money, what Ctrl-C does, and how long it may still take, wherever there is room for that."""
    rest = progress.seconds_left(now)
    about = f"about {lasting(rest)} left" if rest else ""
    hint = "Ctrl-C stops new clips; running ones are kept."
    if progress.stopping:
        hint = "Stopping: no new clip is begun; running ones are kept. Ctrl-C again leaves at once."
    facts = " · ".join(_money(progress))
    label = ink(left("credits", _LABEL), "quiet")
    room = width - _LABEL - 4 - cells(facts) - cells(about)
    if room >= 3:
        return [f"  {label}  {facts}{' ' * room}{about}".rstrip(), f"  {ink(cut(hint, width - 2), 'quiet')}"]
    room = max(3, width - 2 - cells(hint) - cells(about))
    below = f"  {hint}{' ' * room}{about}".rstrip()
    return [cut(f"  {facts}", width), below if cells(below) <= width else cut(f"  {hint}", width)]


def _money(progress: Progress) -> list[str]:
    money = progress.money
    if progress.plan is not None and progress.plan.is_free:
        whole = money.billed + money.running + money.to_go
        return [
            f"free; on {escape_terminal(progress.asks)} {credits_text(money.billed)} of {credits_text(whole)} so far"
        ]
    found = [
        f"{credits_text(amount)} {what}"
        for amount, what in (
            (money.billed, "billed"),
            (money.running, "running"),
            (money.maybe_charged, "perhaps charged"),
            (money.to_go, "to go"),
        )
        if amount or what == "billed"
    ]
    most = money.billed + money.running + money.maybe_charged + money.to_go
    ceiling = "" if progress.ceiling is None else f" of {credits_text(progress.ceiling)}"
    return [*found, f"at most {credits_text(most)}{ceiling}"]
