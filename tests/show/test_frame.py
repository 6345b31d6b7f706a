"""The live view, frame by frame, from the news of a run that never was."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.engine.run_events import RunEvent
from runner.show.live.frame import frame
from runner.show.live.log import event_line, heartbeat, opening_line
from runner.show.live.progress import Progress, summary
from runner.show.text.cells import width as cells
from runner.show.text.style import Style
from tests.show.conftest import Golden
from tests.show.driver import story
from tests.show.films import NOON, SANDBOX, ferry, matrix, plan, series

STORY = list(story(plan(ferry())))
FREE = list(story(plan(ferry(), account=SANDBOX)))
SEVERAL = list(story(plan(series(60, 6), matrix()), at_once=50))
BARE = Style(color=False)


def after(news: list[RunEvent], seconds: float, at_once: int = 3) -> Progress:
    """What is known so many seconds into a run."""
    progress = Progress(ceiling=Decimal(4480), concurrency=at_once)
    for each in news:
        if each.at <= NOON + timedelta(seconds=seconds):
            progress.apply(each)
    return progress


def shown(news: list[RunEvent], seconds: float, width: int, height: int = 30) -> str:
    lines = frame(after(news, seconds), NOON + timedelta(seconds=seconds), width, height, BARE)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_a_run_in_the_middle(width: int, golden: Golden) -> None:
    golden(f"live-{width}", shown(STORY, 1010, width))


def test_a_run_at_its_beginning(golden: Golden) -> None:
    golden("live-begin", shown(STORY, 20, 100))


def test_a_free_run_says_what_it_would_have_cost(golden: Golden) -> None:
    golden("live-free", shown(FREE, 700, 100))


def test_fifty_at_once_in_a_small_terminal(golden: Golden) -> None:
    golden("live-fifty", shown(SEVERAL, 200, 100, height=24))


def test_the_view_says_that_it_is_stopping() -> None:
    progress = after(STORY, 700)
    progress.stopping = True
    lines = frame(progress, NOON + timedelta(seconds=700), 100, 30, BARE)
    assert "Stopping: no new clips" in lines[-1]


@settings(max_examples=150, deadline=None)
@given(seconds=st.integers(0, 1500), width=st.integers(2, 200), height=st.integers(1, 60), many=st.booleans())
def test_no_frame_is_wider_or_taller_than_its_terminal(seconds: int, width: int, height: int, many: bool) -> None:
    news = SEVERAL if many else STORY
    lines = frame(after(news, seconds), NOON + timedelta(seconds=seconds), width, height, BARE)
    assert len(lines) <= height
    assert all(cells(line) <= width for line in lines)


def test_every_take_is_counted_in_exactly_one_place() -> None:
    for seconds in range(0, 1500, 50):
        progress = after(STORY, seconds)
        found = [int(re.findall(r"\d+", fact)[0]) for fact in summary(progress) if "wait" not in fact]
        assert sum(found) == 28


def test_the_time_left_shrinks_to_nothing() -> None:
    left = [after(STORY, seconds).seconds_left(NOON + timedelta(seconds=seconds)) for seconds in (10, 500, 1000, 1500)]
    assert left == sorted(left, key=lambda seconds: -(seconds or 0))
    assert left[0] is not None
    assert 1200 < left[0] < 1600
    assert left[-1] == 0


def test_a_log_has_a_line_for_each_event_that_matters(golden: Golden) -> None:
    progress, lines = Progress(concurrency=3), list[str]()
    for each in STORY:
        progress.apply(each)
        if each.plan is not None:
            lines.append(opening_line(progress))
        line = event_line(progress, each)
        lines += [line] if line else []
    lines.append(heartbeat(after(STORY, 700), NOON + timedelta(seconds=700)))
    golden("log", "\n".join(lines) + "\n")
    assert sum(line.split()[1] == "made" for line in lines) == 26
