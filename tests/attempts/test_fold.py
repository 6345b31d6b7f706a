"""What is true after events, as tables of values."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.attempts.attempt import AttemptState
from runner.attempts.events import (
    Clip,
    ConcurrencyLimited,
    Created,
    Doubtful,
    Event,
    Failed,
    Intent,
    KeyRefused,
    Lost,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Output,
    Payload,
    Refused,
    Running,
    SendStarted,
    ServerError,
    Settled,
    Stored,
    Succeeded,
)
from runner.attempts.history import History, duration_class
from runner.attempts.recovery import outcome_after_crash, release_free_attempt
from runner.lazy_dataclass import replace
from tests.builders.histories import history_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CLIP = Clip("renders/film/kinovi/clips/quay/take-1.mp4", "ab", 10, 1280, 720, 4.0)
COPY = Clip("renders/film/kinovi/clips/pier/take-1.mp4", "ab", 10, 1280, 720, 4.0)
BESIDE = Clip("renders/film/kinovi/clips/quay/take-1.doubtful.mp4", "ab", 10, 1280, 720, 4.0)
BESIDE_COPY = Clip("renders/film/kinovi/clips/pier/take-1.doubtful.mp4", "ab", 10, 1280, 720, 4.0)
MADE = Succeeded((Output("https://m.example/1.mp4"),), Decimal(160), 1000, 61000)


def intent(fingerprint: str = "f1", shot: str = "quay", run: str = "run1") -> Intent:
    return Intent(
        "film.yaml", shot, 1, fingerprint, {"model": "m"}, "{}", Decimal(160), "classic", "key", "receipt", run
    )


def story(*payloads: Payload, attempt: str = "a1") -> History:
    moments = (NOON + timedelta(seconds=second) for second in range(len(payloads) + 1))
    return history_of(Event(at, attempt, payload) for at, payload in zip(moments, (intent(), *payloads), strict=False))


@pytest.mark.parametrize(
    ("whats", "state", "costs", "billed"),
    [
        ((), AttemptState.INTENDED, 160, 0),
        ((SendStarted(),), AttemptState.INTENDED, 160, 0),
        ((NotSent("no"),), AttemptState.NOT_CREATED, 0, 0),
        ((SendStarted(), Created("t")), AttemptState.RUNNING, 160, 0),
        ((SendStarted(), KeyRefused("no")), AttemptState.NOT_CREATED, 0, 0),
        ((SendStarted(), NoCredits("no")), AttemptState.NOT_CREATED, 0, 0),
        ((SendStarted(), ConcurrencyLimited("no")), AttemptState.NOT_CREATED, 0, 0),
        ((SendStarted(), Refused(400, "no")), AttemptState.REFUSED, 0, 0),
        ((SendStarted(), ServerError("500")), AttemptState.MAYBE_CHARGED, 160, 0),
        ((SendStarted(), ServerError("500"), OutcomeUnknown("500")), AttemptState.UNSETTLED, 160, 0),
        ((SendStarted(), OutcomeUnknown("reset")), AttemptState.UNSETTLED, 160, 0),
        ((SendStarted(), OutcomeUnknown("reset"), Created("late")), AttemptState.RUNNING, 160, 0),
        ((SendStarted(), Created("t"), Running("generating")), AttemptState.RUNNING, 160, 0),
        ((SendStarted(), Created("t"), MADE), AttemptState.SUCCEEDED, 160, 160),
        ((SendStarted(), Created("t"), Succeeded((), Decimal(170))), AttemptState.SUCCEEDED, 170, 170),
        ((SendStarted(), Created("t"), MADE, Stored(CLIP)), AttemptState.STORED, 160, 160),
        ((SendStarted(), Created("t"), MADE, Doubtful(BESIDE, "is odd")), AttemptState.DOUBTFUL, 160, 160),
        ((SendStarted(), Created("t"), MADE, Doubtful(BESIDE, "is odd"), MADE), AttemptState.DOUBTFUL, 160, 160),
        ((SendStarted(), Created("t"), MADE, Doubtful(BESIDE, "is odd"), Stored(CLIP)), AttemptState.STORED, 160, 160),
        ((SendStarted(), Created("t"), MADE, Stored(CLIP), Doubtful(BESIDE, "is odd")), AttemptState.STORED, 160, 160),
        ((SendStarted(), Created("t"), MADE, Lost("gone")), AttemptState.GONE, 160, 160),
        ((SendStarted(), Created("t"), Failed("provider", "x", credits_used=Decimal(160))), AttemptState.FAILED, 0, 0),
        ((SendStarted(), Created("t"), Failed("review", "x")), AttemptState.FAILED, 0, 0),
        ((SendStarted(), Created("t"), Failed("face", "x")), AttemptState.REFUSED, 0, 0),
        ((SendStarted(), Created("t"), Failed("moderation", "x")), AttemptState.REFUSED, 0, 0),
        ((SendStarted(), OutcomeUnknown("x"), Settled("charged")), AttemptState.ABANDONED, 160, 0),
        ((SendStarted(), OutcomeUnknown("x"), Settled("not-charged")), AttemptState.ABANDONED, 0, 0),
        (
            (SendStarted(), OutcomeUnknown("x"), Settled("not-charged"), Settled("undone")),
            AttemptState.UNSETTLED,
            160,
            0,
        ),
        ((SendStarted(), OutcomeUnknown("x"), Settled("adopted", "t")), AttemptState.RUNNING, 160, 0),
        (
            (SendStarted(), OutcomeUnknown("x"), Settled("adopted", "t"), Settled("undone")),
            AttemptState.UNSETTLED,
            160,
            0,
        ),
    ],
)
def test_events_fold_to_a_state_and_what_it_may_have_cost(
    whats: tuple[Payload, ...], state: AttemptState, costs: int, billed: int
) -> None:
    attempt = story(*whats).attempts["a1"]
    assert (attempt.state, int(attempt.credits), int(attempt.billed)) == (state, costs, billed)


@pytest.mark.parametrize("late", [Running("generating"), Failed("provider", "x"), MADE])
def test_success_wins_over_what_is_heard_later(late: Payload) -> None:
    after = story(SendStarted(), Created("t"), MADE, Stored(CLIP), late).attempts["a1"]
    assert (after.state, after.clip, int(after.billed)) == (AttemptState.STORED, CLIP, 160)


def test_a_wrong_word_that_is_taken_back_forgets_the_task() -> None:
    after = story(SendStarted(), OutcomeUnknown("x"), Settled("adopted", "t"), Settled("undone")).attempts["a1"]
    assert (after.task_id, after.accepted_at) == (None, None)


def test_a_doubtful_clip_tells_its_doubt_until_it_is_accepted() -> None:
    doubts = (Doubtful(BESIDE, "is odd"), Doubtful(BESIDE_COPY, "is odd"))
    doubtful = story(SendStarted(), Created("t"), MADE, *doubts).attempts["a1"]
    assert (doubtful.doubt, doubtful.clips) == ("is odd", (BESIDE, BESIDE_COPY))
    accepted = story(SendStarted(), Created("t"), MADE, *doubts, Stored(CLIP, ("accepted",))).attempts["a1"]
    assert (accepted.doubt, accepted.clips, accepted.notes) == ("", (CLIP,), ("accepted",))


def test_a_clip_that_several_takes_share_keeps_its_first_name() -> None:
    after = story(SendStarted(), Created("t"), MADE, Stored(CLIP), Stored(COPY), Stored(CLIP)).attempts["a1"]
    assert (after.clip, after.other_copies) == (CLIP, (COPY,))


@pytest.mark.parametrize(
    ("whats", "end"),
    [((), NotSent), ((SendStarted(),), OutcomeUnknown), ((SendStarted(), Created("t")), type(None))],
)
def test_of_a_dead_run_only_an_intent_with_the_sending_mark_is_in_doubt(whats: tuple[Payload, ...], end: type) -> None:
    assert type(outcome_after_crash(story(*whats).attempts["a1"])) is end


def test_open_attempts_are_those_that_stop_another() -> None:
    history = story(SendStarted(), OutcomeUnknown("x"))
    assert [attempt.id for attempt in history.open()] == ["a1"]
    history.apply(Event(NOON, "a1", Settled("not-charged")))
    assert history.open() == []


@pytest.mark.parametrize(
    ("ends", "standing"),
    [
        ((Refused(400, "no"), MADE), "a2"),
        ((MADE, Refused(400, "no")), "a1"),
        ((Refused(400, "no"), Failed("other", "x")), "a2"),
    ],
)
def test_the_made_or_open_attempt_speaks_for_a_take_else_the_latest(
    ends: tuple[Payload, Payload], standing: str
) -> None:
    history = History()
    for attempt_id, end in zip(("a1", "a2"), ends, strict=True):
        for payload in (intent(), SendStarted(), end):
            history.apply(Event(NOON, attempt_id, payload))
    current = history.current_attempt("f1")
    assert current is not None
    assert current.id == standing


def test_how_long_tasks_took_is_learned_by_class_and_once() -> None:
    history = story(SendStarted(), Created("t"), MADE, MADE, Stored(CLIP))
    assert history.durations == {duration_class({"model": "m"}): [60.0]}


@pytest.mark.parametrize(
    "whats",
    [
        (SendStarted(), OutcomeUnknown("x")),
        (SendStarted(), ServerError("x")),
        (MADE, Doubtful(BESIDE, "x")),
        (MADE, Lost("x")),
    ],
)
def test_a_free_account_lets_go_of_doubt_and_loss(whats: tuple[Payload, ...]) -> None:
    attempt = story(*whats).attempts["a1"]
    assert release_free_attempt(attempt, free=False) is None
    settlement = release_free_attempt(attempt, free=True)
    assert settlement is not None
    assert settlement.verdict == "not-charged"


def test_the_attempts_by_task_are_those_that_have_one_and_that_no_other_repository_ordered() -> None:
    own = story(SendStarted(), Created("task_1")).attempts["a1"]
    elsewhere = replace(own, id="a2", task_id="task_2", repository="/films/other")
    unsent = replace(own, id="a3", task_id=None, accepted_at=None)
    history = History()
    history.load([own, elsewhere, unsent])
    assert history.own_by_task() == {"task_1": own}
