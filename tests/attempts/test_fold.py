"""What is true after events, as tables of values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.attempts.events import (
    Busy,
    Clip,
    Created,
    Event,
    Failed,
    Intended,
    KeyRefused,
    NoCredits,
    NotSent,
    Output,
    Refused,
    Running,
    Sending,
    Settled,
    Stored,
    Succeeded,
    TryLater,
    Unknown,
    Vanished,
    What,
)
from runner.attempts.history import OPEN, History, State, cut_short, let_go, work
from tests.builders import history_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLIP = Clip("renders/film/kinovi/clips/quay/take-1.mp4", "ab", 10, 1280, 720, 4.0)
COPY = Clip("renders/film/kinovi/clips/pier/take-1.mp4", "ab", 10, 1280, 720, 4.0)
MADE = Succeeded((Output("https://m.example/1.mp4"),), Decimal(160), 1000, 61000)


def intended(mark: str = "f1", shot: str = "quay", run: str = "run1") -> Intended:
    return Intended("film.yaml", shot, 1, mark, {"model": "m"}, "{}", Decimal(160), "classic", "key", "receipt", run)


def story(*whats: What, attempt: str = "a1") -> History:
    moments = (NOON + timedelta(seconds=second) for second in range(len(whats) + 1))
    return history_of(Event(at, attempt, what) for at, what in zip(moments, (intended(), *whats), strict=False))


@pytest.mark.parametrize(
    ("whats", "state", "costs", "billed"),
    [
        ((), State.INTENDED, 160, 0),
        ((Sending(),), State.INTENDED, 160, 0),
        ((NotSent("no"),), State.NOT_CREATED, 0, 0),
        ((Sending(), Created("t")), State.RUNNING, 160, 0),
        ((Sending(), KeyRefused("no")), State.NOT_CREATED, 0, 0),
        ((Sending(), NoCredits("no")), State.NOT_CREATED, 0, 0),
        ((Sending(), Busy("no")), State.NOT_CREATED, 0, 0),
        ((Sending(), Refused(400, "no")), State.REFUSED, 0, 0),
        ((Sending(), TryLater("500")), State.PERHAPS, 160, 0),
        ((Sending(), TryLater("500"), Unknown("500")), State.UNSETTLED, 160, 0),
        ((Sending(), Unknown("reset")), State.UNSETTLED, 160, 0),
        ((Sending(), Unknown("reset"), Created("late")), State.RUNNING, 160, 0),
        ((Sending(), Created("t"), Running("generating")), State.RUNNING, 160, 0),
        ((Sending(), Created("t"), MADE), State.SUCCEEDED, 160, 160),
        ((Sending(), Created("t"), Succeeded((), Decimal(170))), State.SUCCEEDED, 170, 170),
        ((Sending(), Created("t"), MADE, Stored(CLIP)), State.STORED, 160, 160),
        ((Sending(), Created("t"), MADE, Vanished("gone")), State.GONE, 160, 160),
        ((Sending(), Created("t"), Failed("provider", "x", credits_used=Decimal(160))), State.FAILED, 0, 0),
        ((Sending(), Created("t"), Failed("review", "x")), State.FAILED, 0, 0),
        ((Sending(), Created("t"), Failed("face", "x")), State.REFUSED, 0, 0),
        ((Sending(), Created("t"), Failed("moderation", "x")), State.REFUSED, 0, 0),
        ((Sending(), Unknown("x"), Settled("charged")), State.ABANDONED, 160, 0),
        ((Sending(), Unknown("x"), Settled("not-charged")), State.ABANDONED, 0, 0),
        ((Sending(), Unknown("x"), Settled("not-charged"), Settled("undone")), State.UNSETTLED, 160, 0),
        ((Sending(), Unknown("x"), Settled("adopted", "t")), State.RUNNING, 160, 0),
        ((Sending(), Unknown("x"), Settled("adopted", "t"), Settled("undone")), State.UNSETTLED, 160, 0),
    ],
)
def test_events_fold_to_a_state_and_what_it_may_have_cost(
    whats: tuple[What, ...], state: State, costs: int, billed: int
) -> None:
    attempt = story(*whats).attempts["a1"]
    assert (attempt.state, int(attempt.credits), int(attempt.billed)) == (state, costs, billed)


@pytest.mark.parametrize("late", [Running("generating"), Failed("provider", "x"), MADE])
def test_success_wins_over_what_is_heard_later(late: What) -> None:
    after = story(Sending(), Created("t"), MADE, Stored(CLIP), late).attempts["a1"]
    assert (after.state, after.clip, int(after.billed)) == (State.STORED, CLIP, 160)


def test_a_wrong_word_that_is_taken_back_forgets_the_task() -> None:
    after = story(Sending(), Unknown("x"), Settled("adopted", "t"), Settled("undone")).attempts["a1"]
    assert (after.task_id, after.accepted_at) == (None, None)


def test_a_clip_that_several_takes_share_keeps_its_first_name() -> None:
    after = story(Sending(), Created("t"), MADE, Stored(CLIP), Stored(COPY), Stored(CLIP)).attempts["a1"]
    assert (after.clip, after.copies) == (CLIP, (COPY,))


@pytest.mark.parametrize(
    ("whats", "end"),
    [((), NotSent), ((Sending(),), Unknown), ((Sending(), Created("t")), type(None))],
)
def test_of_a_dead_run_only_an_intent_with_the_sending_mark_is_in_doubt(whats: tuple[What, ...], end: type) -> None:
    assert type(cut_short(story(*whats).attempts["a1"])) is end


def test_open_attempts_are_those_that_stop_another() -> None:
    history = story(Sending(), Unknown("x"))
    assert [attempt.id for attempt in history.open()] == ["a1"]
    history.feed(Event(NOON, "a1", Settled("not-charged")))
    assert history.open() == []
    assert {State.INTENDED, State.UNSETTLED, State.RUNNING, State.SUCCEEDED} == OPEN


@pytest.mark.parametrize(
    ("ends", "standing"),
    [
        ((Refused(400, "no"), MADE), "a2"),
        ((MADE, Refused(400, "no")), "a1"),
        ((Refused(400, "no"), Failed("other", "x")), "a2"),
    ],
)
def test_the_made_or_open_attempt_speaks_for_a_take_else_the_latest(ends: tuple[What, What], standing: str) -> None:
    history = History()
    for name, end in zip(("a1", "a2"), ends, strict=True):
        for what in (intended(), Sending(), end):
            history.feed(Event(NOON, name, what))
    found = history.standing("f1")
    assert found is not None
    assert found.id == standing


def test_how_long_tasks_took_is_learned_by_class_and_once() -> None:
    history = story(Sending(), Created("t"), MADE, MADE, Stored(CLIP))
    assert history.durations == {work({"model": "m"}): [60.0]}


@pytest.mark.parametrize("whats", [(Sending(), Unknown("x")), (Sending(), TryLater("x")), (MADE, Vanished("x"))])
def test_a_free_account_lets_go_of_doubt_and_loss(whats: tuple[What, ...]) -> None:
    attempt = story(*whats).attempts["a1"]
    assert let_go(attempt, free=False) is None
    said = let_go(attempt, free=True)
    assert said is not None
    assert said.verdict == "not-charged"
