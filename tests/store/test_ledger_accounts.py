"""A request is known by account and fingerprint: what one repository ordered counts in every other, and when not."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import (
    Clip,
    Created,
    Event,
    Failed,
    OutcomeUnknown,
    Output,
    Payload,
    Refused,
    SendStarted,
    Stored,
    Succeeded,
)
from runner.attempts.history import History
from runner.engine.limits import Budget, RunLimits
from runner.engine.ports import AlreadyAttempted, LimitExceeded
from runner.lazy_dataclass import replace
from runner.store.ledger.ledger import Ledger
from tests.builders.ledgers import LedgerHome
from tests.store.test_ledger import CLIP, FREE, PAID, HandClock, intended, put

LINK = Output("https://m.example/1.mp4")
BILLED = Succeeded((LINK,), Decimal(160))
WAYS_TO_STAND: dict[str, tuple[Payload, ...]] = {
    "unsettled": (SendStarted(), OutcomeUnknown("reset")),
    "running": (SendStarted(), Created("task_1")),
    "succeeded": (SendStarted(), Created("task_1"), BILLED),
    "stored": (SendStarted(), Created("task_1"), BILLED, Stored(CLIP)),
    "refused": (SendStarted(), Refused(400, "too long")),
}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def here(ledgers: LedgerHome, clock: HandClock) -> Iterator[Ledger]:
    opened = ledgers.open(clock)
    opened.start_run(PAID, "/here", RunLimits("run1", concurrency=100))
    yield opened
    opened.close()


@pytest.fixture
def there(here: Ledger, ledgers: LedgerHome, clock: HandClock) -> Iterator[Ledger]:
    opened = ledgers.open(clock)
    opened.start_run(PAID, "/there", RunLimits("run2", concurrency=100))
    yield opened
    opened.close()


def asked(ledger: Ledger, repository: str, fingerprint: str = "f1") -> History:
    """The history of a repository after somebody asked for a take."""
    history = ledger.history(PAID, repository)
    history.attempts_of(fingerprint)
    history.load_pending()
    return history


@pytest.mark.parametrize("state", WAYS_TO_STAND)
def test_what_one_repository_ordered_stands_in_every_other_of_the_account(
    here: Ledger, there: Ledger, state: str
) -> None:
    put(here, "a1", intended(), *WAYS_TO_STAND[state])
    attempt = asked(there, "/there").current_attempt("f1")
    assert attempt is not None
    assert (attempt.state, attempt.repository) == (AttemptState(state), "/here")


@pytest.mark.parametrize("state", ["unsettled", "running", "succeeded"])
def test_an_open_attempt_keeps_every_other_repository_away(here: Ledger, there: Ledger, state: str) -> None:
    put(here, "a1", intended(), *WAYS_TO_STAND[state])
    for attempts_seen in (0, 1):
        order = Event(there._clock.now(), "b1", intended(run="run2"))
        assert isinstance(there.intend(order, attempts_seen), AlreadyAttempted)


def test_what_failed_elsewhere_may_be_ordered_here(here: Ledger, there: Ledger) -> None:
    put(here, "a1", intended(), SendStarted(), Created("task_1"), Failed("provider", "out of order"))
    put(there, "b1", intended(run="run2"), SendStarted(), Created("task_2"), attempts_seen=1)
    current = asked(here, "/here").current_attempt("f1")
    assert current is not None
    assert current.id == "b1"


def test_an_attempt_of_a_living_run_elsewhere_is_its_own_to_collect(here: Ledger, there: Ledger) -> None:
    put(here, "a1", intended(), SendStarted(), Created("task_1"))
    assert asked(there, "/there").attempts["a1"].held_elsewhere
    here.close()
    assert not asked(there, "/there").attempts["a1"].held_elsewhere


def test_another_account_has_its_own_takes(here: Ledger, there: Ledger) -> None:
    put(here, "a1", intended(), SendStarted(), Created("task_1"))
    history = there.history(replace(PAID, host="other.example"), "/there")
    history.attempts_of("f1")
    assert not history.load_pending()


def test_a_free_account_takes_nothing_from_another_repository(ledgers: LedgerHome, clock: HandClock) -> None:
    for number, repository in enumerate(("/here", "/there")):
        ledger = ledgers.open(clock)
        ledger.start_run(FREE, repository, RunLimits(f"run{number}", concurrency=100))
        put(ledger, f"a{number}", intended(run=f"run{number}"), SendStarted(), Created(f"task_{number}"))
        history = ledger.history(FREE, repository)
        history.attempts_of("f1")
        assert not history.load_pending()
        ledger.close()


def test_a_clip_says_in_which_repository_it_lies(here: Ledger, there: Ledger) -> None:
    put(here, "a1", intended(), *WAYS_TO_STAND["stored"])
    assert [clip.repository for clip in asked(there, "/there").attempts["a1"].clips] == ["/here"]
    there.append(Event(there._clock.now(), "a1", Stored(CLIP)))  # copied to the same name below another top
    assert [clip.repository for clip in asked(there, "/there").attempts["a1"].clips] == ["/here", None]
    assert [clip.repository for clip in asked(here, "/here").attempts["a1"].clips] == [None, "/there"]


def test_credits_count_where_they_were_ordered(here: Ledger, there: Ledger) -> None:
    put(here, "a1", intended(), *WAYS_TO_STAND["stored"])
    budgets = {"storyboards/film.yaml": Budget(Decimal(200), frozenset({"f1", "f2"}))}
    there.set_budget_scope(RunLimits("run2", concurrency=100, budgets=budgets))
    assert there.intend(Event(there._clock.now(), "b1", intended("f2", run="run2")), 0) is None
    here.set_budget_scope(RunLimits("run1", concurrency=100, budgets=budgets))
    over = here.intend(Event(here._clock.now(), "a2", intended("f3")), 0)
    assert isinstance(over, LimitExceeded)


# -- what only a manifest tells -----------------------------------------------------------------------------


def claim(task: str = "task_m", fingerprint: str = "f1", clip: Clip | None = None) -> Attempt:
    """What a manifest tells of a take."""
    clock = HandClock()
    return Attempt(
        f"m-{task}", intended(fingerprint, run="manifest"),
        AttemptState.RUNNING if clip is None else AttemptState.STORED,
        clock.now(), sent_at=clock.now(), task_id=task, accepted_at=clock.now(), from_manifest=True, clip=clip,
    )  # fmt: skip


def test_a_claim_counts_in_its_own_repository_alone(here: Ledger, there: Ledger) -> None:
    assert here.import_attempt(claim()) is None
    assert asked(there, "/there").current_attempt("f1") is None
    put(there, "b1", intended(run="run2"), SendStarted(), Created("task_2"))


def test_a_claim_counts_in_the_account_once_the_provider_confirmed_it(here: Ledger, there: Ledger) -> None:
    here.import_attempt(claim())
    here.append(Event(here._clock.now(), "m-task_m", BILLED))
    assert asked(there, "/there").attempts["m-task_m"].state is AttemptState.SUCCEEDED


def test_a_claim_whose_bill_is_another_stays_in_its_repository(here: Ledger, there: Ledger) -> None:
    here.import_attempt(claim())
    here.append(Event(here._clock.now(), "m-task_m", Succeeded((LINK,), Decimal(40))))
    assert asked(there, "/there").current_attempt("f1") is None


def test_a_strangers_claim_does_not_get_a_task_that_the_ledger_knows_for_another_request(
    here: Ledger, there: Ledger
) -> None:
    put(here, "a1", intended(), *WAYS_TO_STAND["stored"])
    history = there.history(PAID, "/there")
    history.merge_manifest([claim("task_1", "f9", CLIP)], {})
    assert history.current_attempt("f9") is None
    assert there.import_attempt(claim("task_1", "f9", CLIP)) is not None


def test_two_repositories_may_be_told_of_one_task(here: Ledger, there: Ledger) -> None:
    assert here.import_attempt(claim()) is None
    assert there.import_attempt(replace(claim(), id="m-other")) is None


def test_a_moved_repository_keeps_the_clips_that_its_manifest_names(here: Ledger, there: Ledger) -> None:
    put(here, "a1", intended(), *WAYS_TO_STAND["stored"])
    history = there.history(PAID, "/there")
    history.merge_manifest([claim("task_1", "f1", CLIP)], {})
    assert history.current_attempt("f1") is history.attempts["a1"]
    assert CLIP in history.attempts["a1"].clips


# -- old ledgers may hold several attempts of one request -----------------------------------------------------


def attempt(id: str, state: AttemptState, repository: str | None, at: int) -> Attempt:
    clock = HandClock()
    clock.passes(seconds=at)
    return Attempt(id, intended(), state, clock.now(), task_id=f"task_{id}", repository=repository)


@pytest.mark.parametrize(
    ("attempts", "current"),
    [
        ((attempt("a", AttemptState.STORED, "/x", 1), attempt("b", AttemptState.STORED, None, 2)), "b"),
        ((attempt("a", AttemptState.STORED, "/x", 1), attempt("b", AttemptState.UNSETTLED, None, 2)), "b"),
        ((attempt("a", AttemptState.STORED, "/x", 1), attempt("b", AttemptState.STORED, "/y", 2)), "a"),
        ((attempt("a", AttemptState.UNSETTLED, "/x", 1), attempt("b", AttemptState.STORED, "/y", 2)), "b"),
        ((attempt("a", AttemptState.STORED, "/x", 1), attempt("b", AttemptState.FAILED, None, 2)), "a"),
        ((attempt("a", AttemptState.RUNNING, "/x", 1), attempt("b", AttemptState.GONE, None, 2)), "a"),
    ],
)
def test_of_several_attempts_a_films_own_is_its_take_else_the_first_that_succeeded(
    attempts: tuple[Attempt, ...], current: str
) -> None:
    history = History()
    history.load(attempts)
    take = history.current_attempt("f1")
    assert take is not None
    assert take.id == current


def test_the_attempt_that_the_manifest_names_is_the_films_take() -> None:
    history = History()
    first, second = attempt("a", AttemptState.STORED, "/x", 1), attempt("b", AttemptState.STORED, "/y", 2)
    history.load([first, second])
    history.merge_manifest([replace(claim("task_b"), intent=second.intent)], {})
    assert history.current_attempt("f1") is second
