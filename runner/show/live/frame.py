"""One frame of the live view: the progress of a run, fitted to the size of the terminal. Pure."""

from collections.abc import Iterable
from datetime import datetime

from runner.show.live.progress import (
    FAILURE_EVENTS,
    Progress,
    TakeProgress,
    clock_time,
    countdown,
    elapsed,
    sending_text,
    summary,
    wait_lines,
)
from runner.show.screens.advice import advice
from runner.show.text.cells import cut, left, right
from runner.show.text.cells import width as cells
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, lasting, length
from runner.show.text.labels import Several, shot_name, take_names
from runner.show.text.layout import LABEL, WIDE, joined, labelled
from runner.show.text.style import Style

# Cells of the bar of a take that is made.
_BAR = 18
# Lines of names of finished clips: beyond, the oldest are counted, so that failures below keep their place.
_MOST_CLIP_LINES = 3
# Finished clips that are named at all: more do not fit into those lines, and each frame pays for them.
_MOST_NAMED = 60
# Cells that a title keeps while facts are dropped for it.
_LEAST_TITLE_CELLS = 14
# A task that takes more than this factor of the expected time is late: the frame stops promising an end.
_LATE_FACTOR = 1.25


def frame(progress: Progress, now: datetime, width: int, height: int, style: Style) -> list[str]:
    """The lines of the live view at `now`, within `width` and `height`."""
    width = min(width, WIDE)
    # Smaller than any block: the counts, and the pause if there is one, say most in a single line.
    if height < 6 or width < 40:
        return [headline(progress, now, width, style, brief=True)][:height]
    head = headline(progress, now, width, style)
    foot = _foot(progress, now, width, style)
    # A quarter at most: 300 shots may wait for something, and the running ones are what a reader looks for.
    waits = _waits(progress, now, width, max(1, height // 4), style)
    # The head and the blank lines around the running takes; with waits a blank line more.
    room = height - len(foot) - len(waits) - 3 - bool(waits)
    ended = any(progress.number(event) for event in ("stored", *FAILURE_EVENTS)) or progress.warnings
    # A third stays for made and failed takes: fifty tasks at once would push every failure off the screen.
    running = _running(progress, now, width, max(1, room * 2 // 3 if ended else room), style)
    blocks = [[head], running, waits, _ended(progress, width, room - len(running) - 1, style), foot]
    lines = [line for block in blocks if block for line in ("", *block)][1:]
    return lines[:height]


def headline(progress: Progress, now: datetime, width: int, style: Style, brief: bool = False) -> str:
    """`The Last Ferry   8 of 28 made · 3 running · 16 to go          06:41`; a narrow terminal drops the last facts.

    `brief`: nothing else is shown, so that a pause stands here.
    """
    time = clock_time(progress, now)
    name, facts = progress.title, summary(progress)
    facts[1:1] = countdown(progress, now) if brief else []
    least = min(cells(name), _LEAST_TITLE_CELLS)
    while len(facts) > 1 and least + 3 + cells(" · ".join(facts)) + 3 + cells(time) > width:
        # From the end, where the facts that change least stand.
        facts.pop()
    facts_text = " · ".join(facts)
    name = cut(name, max(0, width - cells(facts_text) - cells(time) - 6))
    room = width - cells(name) - cells(facts_text) - cells(time) - 3
    if room < 1:
        return cut(facts_text, width)
    return f"{style(name, 'strong')}   {facts_text}{' ' * room}{style(time, 'quiet')}"


def _running(progress: Progress, now: datetime, width: int, most: int, style: Style) -> list[str]:
    """A line for each task in progress, the oldest on top; tasks beyond `most` lines are counted."""
    # Tasks whose status nobody knows yet stand last: in a small window they are those that are only counted.
    takes = sorted(progress.running, key=lambda take: (take.event == "created", -elapsed(take, now)))
    visible = takes if len(takes) <= most else takes[: most - 1]
    several = progress.several
    name_cells = max((cells(shot_name(take.step, several)) for take in visible), default=0)
    name_cells = min(name_cells, max(12, width // 3))
    lines = [_task(take, now, width, name_cells, several, style) for take in visible]
    if len(takes) > len(visible):
        lines.append(f"  {style(f'and {len(takes) - len(visible)} more running', 'quiet')}")
    return lines


def _waits(progress: Progress, now: datetime, width: int, most: int, style: Style) -> list[str]:
    """The waits of the run with their time left, in at most `most` lines."""
    sending = sending_text(progress, now)
    lines = labelled("sending", sending, width, style, "quiet", LABEL) if sending else []
    for index, text in enumerate(wait_lines(progress, now)):
        lines += labelled("waiting" if index == 0 else "", text, width, style, "warn", LABEL)
    return lines[:most]


def _task(take: TakeProgress, now: datetime, width: int, name_cells: int, several: Several, style: Style) -> str:
    status = _status(take)
    took = elapsed(take, now)
    name = left(shot_name(take.step, several), name_cells)
    lead = f"  {name}  take {take.step.take:<3} {style(left(status, 11), 'quiet')} "
    time_text = right(length(int(took)), 6)
    about = ""
    if take.expected:
        about = f"  {'of about' if took <= take.expected * _LATE_FACTOR else 'usually'} {length(int(take.expected))}"
    if status == "waiting":
        about = "  in the vendor's queue"
    if take.event == "succeeded":
        about = "  downloading"
    room = width - (2 + name_cells + 2 + 8 + 1 + 11 + 1) - cells(time_text) - cells(about)
    # A shorter bar shows less than the times do.
    if room < 6:
        return cut(f"  {name}  take {take.step.take} {status} {time_text.strip()}", width)
    return f"{lead}{bar(take, took, min(_BAR, room), style)}{time_text}{style(about, 'quiet')}"


def _status(take: TakeProgress) -> str:
    if take.event == "succeeded":
        return "made"
    return one_line(take.attempt.status, 40) if take.attempt is not None and take.attempt.status else "sent"


def bar(take: TakeProgress, took: float, width: int, style: Style) -> str:
    """Progress bar: elapsed time as a share of the expected time; never full before the clip is made."""
    share = 1.0 if take.event == "succeeded" else min(0.95, took / take.expected) if take.expected else 0.0
    if take.attempt is not None and take.attempt.status == "waiting" and take.event != "succeeded":
        # Time in the vendor's queue is no part of making the clip.
        share = 0.0
    full = int(share * width)
    return style("█" * full, "good") + style("░" * (width - full), "quiet")


def _ended(progress: Progress, width: int, most: int, style: Style) -> list[str]:
    """A summary of the finished clips, and each failed take with the provider's message, in at most `most` lines."""
    if most < 1:
        return []
    several = progress.several
    groups = [takes for event in FAILURE_EVENTS for takes in _by_message(progress.in_state(event))]
    provider = progress.plan.account.provider if progress.plan is not None else "sandbox"
    blocks = [_failure(takes, provider, width, several, style) for takes in groups]
    # Three lines of each: one long text of a provider must not hide the others; log and closing have it whole.
    blocks += [labelled("warning", text, width, style, "warn", LABEL)[:3] for text in dict.fromkeys(progress.warnings)]
    lines = [*_finished(progress, width, style), *(line for block in blocks for line in block)]
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"  {style('and more, listed at the end of the run', 'quiet')}"]


def _finished(progress: Progress, width: int, style: Style) -> list[str]:
    if not (number := progress.number("stored")):
        return []
    latest = progress.latest("stored", _MOST_NAMED)
    lines = joined(take_names([take.step for take in latest], progress.several), width - LABEL - 4, "  ")
    if len(lines) > _MOST_CLIP_LINES or number > len(latest):
        lines = [f"{count(number, 'clip')}, the last of them", *lines[1 - _MOST_CLIP_LINES :]]
    margin = " " * (LABEL + 4)
    return [f"  {style(left('made', LABEL), 'good')}  {lines[0]}", *(margin + line for line in lines[1:])]


def _by_message(takes: Iterable[TakeProgress]) -> Iterable[list[TakeProgress]]:
    """Groups of takes that ended with the same message."""
    by_message: dict[str, list[TakeProgress]] = {}
    for take in takes:
        by_message.setdefault(take.message, []).append(take)
    return by_message.values()


def _failure(takes: list[TakeProgress], provider: str, width: int, several: Several, style: Style) -> list[str]:
    names = take_names([take.step for take in takes], several)
    # Five names: a moderation that hits a whole film is one cause, with three lines.
    more = f"  and {len(names) - 5} more" if len(names) > 5 else ""
    first = takes[0]
    quoted_message = f'"{one_line(first.message, 200)}"' if first.message else "no reason given"
    if first.event == "unsettled":
        explanation = f"{quoted_message}; maybe charged, and not sent again"
    else:
        # The advice names the shot's own materials: true of one shot, wrong for several.
        shot = first.step.shot if len(takes) == 1 else None
        explanation = f"{quoted_message}, not charged; {advice(first.attempt, provider, shot)}"
    return labelled(first.event, f"{'  '.join(names[:5])}{more}  {explanation}", width, style, "bad", LABEL)[:3]


def _foot(progress: Progress, now: datetime, width: int, style: Style) -> list[str]:
    """Credits, the effect of Ctrl-C and the estimated time left, as far as the width allows."""
    rest = progress.seconds_left(now)
    about = f"about {lasting(rest)} left" if rest else ""
    hint = "Ctrl-C stops new clips; running ones are kept."
    if progress.stopping:
        hint = "Stopping: no new clips; running ones are kept. Ctrl-C again exits at once."
    facts = " · ".join(_money(progress))
    label = style(left("credits", LABEL), "quiet")
    room = width - LABEL - 4 - cells(facts) - cells(about)
    if room >= 3:
        below = cut(f"{hint}{_look(progress, width - 2 - cells(hint))}", width - 2)
        return [f"  {label}  {facts}{' ' * room}{about}".rstrip(), f"  {style(below, 'quiet')}"]
    room = max(3, width - 2 - cells(hint) - cells(about))
    below = f"  {hint}{' ' * room}{about}".rstrip()
    return [
        *(f"  {line}" for line in joined(_money(progress), width - 2)),
        below if cells(below) <= width else cut(f"  {hint}", width),
    ]


def _look(progress: Progress, width: int) -> str:
    """The command that shows the clips, right-aligned in so many cells; "" where it has no room."""
    text = f"Look: {progress.look_command}"
    is_shown = progress.look_command and not progress.stopping and cells(text) + 3 <= width
    return " " * (width - cells(text)) + text if is_shown else ""


def _money(progress: Progress) -> list[str]:
    sums, to_go = progress.money.ordered, progress.credits_to_go
    if progress.plan is not None and progress.plan.is_free:
        whole = sums.billed + sums.in_flight + to_go
        provider = escape_terminal(progress.paid_provider)
        return [f"free; on {provider} {credits_text(sums.billed)} of {credits_text(whole)} so far"]
    amounts = [
        f"{credits_text(amount)} {label}"
        for amount, label in (
            (sums.billed, "billed"),
            (sums.in_flight, "in flight"),
            (sums.unsettled, "unsettled"),
            (sums.maybe_charged, "maybe charged"),
            (to_go, "to go"),
        )
        if amount or label == "billed"
    ]
    # Unsettled and maybe charged count as paid here, as they do in every ceiling.
    most = sum(sums, to_go)
    ceiling = "" if progress.ceiling is None else f" of {credits_text(progress.ceiling)}"
    return [*amounts, f"at most {credits_text(most)}{ceiling}"]
