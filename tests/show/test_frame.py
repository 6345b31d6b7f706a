"""The live view, frame by frame, from the news of a run that never was."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempts.attempt import AttemptState
from runner.engine.run_events import Pause, RunEvent, Sending
from runner.planning.plan import Step
from runner.show.live.frame import frame
from runner.show.live.log import event_line, heartbeat, opening_line
from runner.show.live.progress import Progress, summary
from runner.show.text.cells import width as cells
from runner.show.text.style import Style
from tests.builders.screen_films import NOON, SANDBOX, ferry, matrix, plan, series
from tests.show.conftest import Golden
from tests.show.driver import attempt_of, story

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


@pytest.mark.parametrize(("width", "is_named"), [(80, False), (100, False), (140, True)])
def test_the_page_that_shows_the_clips_is_named_where_it_has_room(width: int, is_named: bool) -> None:
    progress = after(STORY, 1010)
    progress.look_command = "storyboard dailies ferry.yaml --serve"
    lines = frame(progress, NOON + timedelta(seconds=1010), width, 30, BARE)
    assert lines[-1].endswith("Look: storyboard dailies ferry.yaml --serve") == is_named
    assert all(cells(line) <= width for line in lines)
    progress.stopping = True
    assert "Look:" not in frame(progress, NOON + timedelta(seconds=1010), width, 30, BARE)[-1]


def test_a_run_at_its_beginning(golden: Golden) -> None:
    golden("live-begin", shown(STORY, 20, 100))


def test_a_free_run_says_what_it_would_have_cost(golden: Golden) -> None:
    golden("live-free", shown(FREE, 700, 100))


def test_fifty_at_once_in_a_small_terminal(golden: Golden) -> None:
    golden("live-fifty", shown(SEVERAL, 200, 100, height=24))


def waits_shown(wait: Pause, at: float, *later: RunEvent, step: Step | None = None) -> list[str]:
    """The lines about pauses, `at` seconds into a run in which a pause began at 700 seconds."""
    progress = after(STORY, 700)
    progress.apply(RunEvent("waiting", NOON + timedelta(seconds=700), step, wait=wait))
    for event in later:
        progress.apply(event)
    lines = frame(progress, NOON + timedelta(seconds=at), 120, 30, BARE)
    start = next((index for index, line in enumerate(lines) if line.startswith("  waiting ")), None)
    return [] if start is None else [" ".join(line.split()) for line in lines[start : lines.index("", start)]]


SLOTS = Pause(
    "slots",
    NOON + timedelta(seconds=742),
    "the account's slots are taken; 1 of 3 is held by an unsettled order",
)


def test_a_pause_after_a_429_says_for_what_and_counts_down() -> None:
    text = "(the account's slots are taken; 1 of 3 is held by an unsettled order)"
    assert waits_shown(SLOTS, 700) == [f"waiting asks again in 0:42 {text}"]
    assert waits_shown(SLOTS, 741.5) == [f"waiting asks again in 0:01 {text}"]
    assert waits_shown(SLOTS, 742) == []


def test_a_pause_of_one_take_names_the_shot_and_ends_with_other_news_of_it() -> None:
    step = plan(ferry()).steps[3]
    wait = Pause("download", NOON + timedelta(seconds=712), "the link answers 404, a new link is asked for (2 of 8)")
    line = "waiting SH020: the link answers 404, a new link is asked for (2 of 8), in 0:12"
    assert waits_shown(wait, 700, step=step) == [line]
    stored = RunEvent("stored", NOON + timedelta(seconds=701), step)
    assert waits_shown(wait, 702, stored, step=step) == []


def test_slots_that_unsettled_orders_hold_are_said_until_the_first_is_free() -> None:
    step = plan(ferry()).steps[3]
    wait = Pause("unsettled", NOON + timedelta(seconds=4300), "all 3 slots are held by unsettled orders")
    created = RunEvent("created", NOON + timedelta(seconds=701), step)
    assert waits_shown(wait, 700, created) == ["waiting goes on in 1:00:00 (all 3 slots are held by unsettled orders)"]


def test_a_pause_before_new_tasks_is_not_shown_once_none_is_to_be_created() -> None:
    progress = after(STORY, 1e9)
    progress.apply(RunEvent("waiting", NOON, wait=SLOTS))
    assert progress.current_waits(NOON) == []


def test_a_terminal_of_one_line_counts_down_in_its_head() -> None:
    progress = after(STORY, 700)
    progress.apply(RunEvent("waiting", NOON + timedelta(seconds=700), wait=SLOTS))
    assert "asks again in 0:42" in frame(progress, NOON + timedelta(seconds=700), 100, 5, BARE)[0]


def test_a_warning_that_begins_a_pause_stands_in_the_log_and_not_twice_on_the_screen() -> None:
    progress = after(STORY, 700)
    event = RunEvent("warning", NOON + timedelta(seconds=700), message="all 3 slots are taken", wait=SLOTS)
    progress.apply(event)
    assert "all 3 slots" not in "\n".join(frame(progress, NOON + timedelta(seconds=700), 100, 30, BARE))
    assert event_line(progress, event) == "11:40 warning   all 3 slots are taken"
    assert "asks again in 0:42" in heartbeat(progress, NOON + timedelta(seconds=700))
    assert event_line(progress, RunEvent("waiting", NOON, wait=SLOTS)) is None


def test_the_view_says_that_it_is_stopping() -> None:
    progress = after(STORY, 700)
    progress.stopping = True
    lines = frame(progress, NOON + timedelta(seconds=700), 100, 30, BARE)
    assert "Stopping: no new clips" in lines[-1]


@settings(max_examples=150)
@given(seconds=st.integers(0, 1500), width=st.integers(2, 200), height=st.integers(1, 60), many=st.booleans())
def test_no_frame_is_wider_or_taller_than_its_terminal(seconds: int, width: int, height: int, many: bool) -> None:
    news = SEVERAL if many else STORY
    lines = frame(after(news, seconds), NOON + timedelta(seconds=seconds), width, height, BARE)
    assert len(lines) <= height
    assert all(cells(line) <= width for line in lines)


def test_credits_to_go_include_takes_that_wait_for_another_shot_so_that_the_total_never_grows() -> None:
    assert any(step.fingerprint is None and step.is_billable for step in plan(ferry(), account=SANDBOX).steps)
    totals = []
    for seconds in range(0, 1800, 20):
        progress = after(FREE, seconds)
        totals.append(progress.money.ordered.billed + progress.money.ordered.in_flight + progress.credits_to_go)
    assert totals[0] == 5120
    assert totals == sorted(totals, reverse=True)


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


def test_a_billed_clip_that_is_still_to_come_has_no_task_whose_time_could_be_left() -> None:
    progress, step = Progress(concurrency=3), plan(series(1, 1)).steps[0]
    running, made = attempt_of(step, NOON), attempt_of(step, NOON, AttemptState.SUCCEEDED)
    progress.apply(RunEvent("plan", NOON, plan=plan(series(1, 1))))
    progress.apply(RunEvent("created", NOON, step, running, expected=160.0))
    assert heartbeat(progress, NOON).endswith("0 of 1 made · 1 running · about 3 min left")
    progress.apply(RunEvent("succeeded", NOON, step, made))
    assert heartbeat(progress, NOON).endswith("0 of 1 made · 1 downloading")


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


def sending(done: int, sent: int, in_flight: int = 8) -> RunEvent:
    return RunEvent("waiting", NOON + timedelta(seconds=10), sending=Sending(done, 80, sent, in_flight))


def test_files_on_their_way_are_counted_with_their_speed() -> None:
    story_so_far = [STORY[0], replace(sending(0, 0), at=NOON), sending(12, 31_000_000)]

    assert "sending    12 of 80, 3.1 MB/s" in shown(story_so_far, 10, 100)
    assert "sending 12 of 80, 3.1 MB/s" in heartbeat(after(story_so_far, 10), NOON + timedelta(seconds=10))


@pytest.mark.parametrize("last", [sending(80, 9_000_000), sending(12, 9_000_000, in_flight=0)])
def test_files_that_are_there_or_wait_for_their_turn_take_no_line(last: RunEvent) -> None:
    assert "sending" not in shown([STORY[0], last], 10, 100)
