"""A view shows what happens and never stops a run, whatever becomes of its reader."""

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import select
import struct
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import TextIO

import pytest

from runner.clock import SystemClock
from runner.engine.run_events import RunEvent
from runner.show.live.output import BackgroundWriter
from runner.show.live.progress import Progress
from runner.show.live.view import JsonView, PlainView, TerminalView, View, view
from tests.builders.screen_films import NOON, ferry, history, plan
from tests.show.driver import Quickened, story
from tests.waiting import wait_until

STORY = list(story(plan(ferry())))
MADE = sum(news.event == "stored" for news in STORY)
ALLOWED = re.compile("\x1b\\[[0-9;]*[mAKGJH]|\x1b\\[\\?25[lh]|\r|\n|\x1b\\[2K")


def tell(shown: View, news: list[RunEvent] = STORY) -> None:
    """Tells all; where a telling is held up by its reader, the test does not end."""
    for each in news:
        shown.on_event(each)


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    """A pipe of the smallest size: what is read from, and the stream that writes."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield reading, stream


def drain(end: int) -> str:
    """Everything that is in a pipe or terminal until nobody writes any more."""
    found = b""
    while select.select([end], [], [], 5)[0]:
        try:
            chunk = os.read(end, 65536)
        except OSError:
            break
        if not chunk:
            break
        found += chunk
    return found.decode("utf-8", "replace")


def reader(end: int, into: list[str]) -> threading.Thread:
    thread = threading.Thread(target=lambda: into.append(drain(end)), daemon=True)
    thread.start()
    return thread


# -- pipes ------------------------------------------------------------------------------------------------


def test_a_pipe_gets_one_short_line_for_each_event_that_matters() -> None:
    found: list[str] = []
    with pipe() as (end, stream):
        thread = reader(end, found)
        shown = view(stream, Progress(), SystemClock(), terminal=False, color=False)
        assert isinstance(shown, PlainView)
        tell(shown)
        shown.close()
    thread.join(5)
    lines = found[0].splitlines()
    assert lines[0] == "00:00 start     The Last Ferry: 28 takes"
    assert sum(" made " in line for line in lines) == MADE
    assert all(line.isprintable() and len(line) < 160 for line in lines)


def test_a_log_names_each_clip_as_it_is_seen_from_the_reader() -> None:
    stream = io.StringIO()
    shown = view(stream, Progress(prefix="../.."), SystemClock(), terminal=False, color=False)
    tell(shown)
    shown.close()
    made = [line.split()[-1] for line in stream.getvalue().splitlines() if " made " in line and "take" in line]
    assert made
    assert all(path.startswith("../../renders/ferry/kinovi/clips/SH") for path in made)


def test_the_first_line_says_how_many_takes_of_an_earlier_run_go_on() -> None:
    past = history(plan(ferry()), {("SH010", 1): "running", ("SH030", 1): "succeeded"})
    stream = io.StringIO()
    shown = view(stream, Progress(), SystemClock(), terminal=False, color=False)
    shown.on_event(RunEvent("plan", NOON, plan=plan(ferry(), history=past)))
    shown.close()
    assert stream.getvalue() == "00:00 start     The Last Ferry: 28 takes, 2 of them resumed\n"


def test_quiet_says_only_what_went_wrong() -> None:
    stream = io.StringIO()
    shown = view(stream, Progress(), SystemClock(), terminal=True, color=True, quiet=True)
    tell(shown)
    shown.close()
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["refused", "unsettled"]


def test_a_closed_pipe_stops_nothing() -> None:
    with pipe() as (end, stream):
        shown = PlainView(stream, Progress(), SystemClock())
        os.close(end)
        tell(shown)
        shown.close()


def test_a_full_pipe_holds_up_nothing() -> None:
    with pipe() as (end, stream):
        pen = BackgroundWriter(stream, stall_timeout=0.2)
        for _ in range(10_000):
            pen.write("a line that nobody reads\n")
        pen.close()  # holds: nobody reads, and neither waits for a reader
        os.close(end)


def test_a_slow_reader_gets_everything_in_order() -> None:
    found: list[str] = []
    with pipe() as (end, stream):
        pen = BackgroundWriter(stream)
        for number in range(5_000):
            pen.write(f"{number}\n")
        thread = reader(end, found)
        pen.close()
    thread.join(5)
    assert found[0] == "".join(f"{number}\n" for number in range(5_000))


def test_an_ascii_stream_gets_ascii() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="ascii") as stream:
        pen = BackgroundWriter(stream)
        pen.write("made SH010 ×3 · 港\n")
        pen.close()
    assert drain(reading) == "made SH010 x3 - \\u6e2f\n"
    os.close(reading)


def test_a_long_silence_is_broken_by_a_sign_of_life() -> None:
    stream, clock = io.StringIO(), Hurried()
    shown = PlainView(stream, Progress(), clock)
    shown.on_event(STORY[0])
    clock.hours = 1
    wait_until(lambda: " working " in stream.getvalue(), "a sign of life")
    shown.close()
    assert stream.getvalue().splitlines()[-1].startswith("1:00:00 working   0 of 28 made")


class Hurried(SystemClock):
    """A clock that is set by hand."""

    hours = 0

    def now(self) -> datetime:
        return NOON + timedelta(hours=self.hours)

    def monotonic(self) -> float:
        return self.hours * 3600.0


# -- JSON lines -------------------------------------------------------------------------------------------


def test_json_goes_to_one_stream_and_words_to_the_other() -> None:
    results, words = io.StringIO(), io.StringIO()
    shown = JsonView(results, PlainView(words, Progress(), SystemClock()))
    tell(shown)
    shown.stopping()
    shown.close()
    events = [json.loads(line)["event"] for line in results.getvalue().splitlines()]
    assert events == [news.event for news in STORY]
    assert "stopping" in words.getvalue()


# -- terminals --------------------------------------------------------------------------------------------


@contextmanager
def terminal(columns: int, rows: int) -> Iterator[tuple[int, TextIO]]:
    """A pseudo-terminal of a size: the person's side, and the program's."""
    person, program = pty.openpty()
    fcntl.ioctl(program, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    with os.fdopen(program, "w", encoding="utf-8") as stream:
        yield person, stream


def played(columns: int, rows: int) -> str:
    """What a terminal of this size receives of a whole run in about a second."""
    found: list[str] = []
    with terminal(columns, rows) as (end, stream):
        thread = reader(end, found)
        clock = Quickened(speed=1450)
        shown = TerminalView(stream, Progress(concurrency=3), clock, color=True)
        for each in STORY:
            wait_until(partial(clock.is_at, each.at), "the clock runs")
            shown.on_event(each)
        shown.close()
    thread.join(5)
    os.close(end)
    return found[0]


@pytest.mark.parametrize(("columns", "rows"), [(100, 30), (80, 24), (30, 4), (3, 1)])
def test_a_terminal_of_any_size_is_drawn_on_and_given_back(columns: int, rows: int) -> None:
    text = played(columns, rows)
    assert "\x1b[?25h" in text.rsplit("\x1b[?25l", 1)[-1], "the cursor is shown again"
    assert ALLOWED.sub("", text).isprintable()
    if columns >= 80:
        assert "The Last Ferry" in text
        assert "generating" in text


def test_a_terminal_that_went_away_stops_nothing() -> None:
    with terminal(80, 24) as (person, stream):
        shown = TerminalView(stream, Progress(), SystemClock(), color=True)
        os.close(person)
        tell(shown)
    shown.close()  # holds: it does not wait for a terminal


def fill(end: int) -> None:
    """Writes until the other side takes no more."""
    os.set_blocking(end, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(end, b".")
    os.set_blocking(end, True)


def test_a_stopped_terminal_holds_up_nothing() -> None:
    """Nobody reads the other side: writing blocks as after Ctrl-S."""
    with terminal(200, 60) as (person, stream):
        fill(stream.fileno())
        shown = TerminalView(stream, Progress(), SystemClock(), color=True)
        tell(shown)
        shown.stopping()
        shown.close()  # holds: it does not wait for a terminal
        os.close(person)
