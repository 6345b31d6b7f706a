"""The effect of every answer on a run: state, exit code, number of requests, message."""

import sqlite3
from collections.abc import Callable
from decimal import Decimal

import anyio
import pytest

from runner.app.exit_codes import exit_code_of
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import (
    ConcurrencyLimited,
    CreateResult,
    Failed,
    Intent,
    KeyRefused,
    Lost,
    NoCredits,
    NotSent,
    OutcomeUnknown,
    Output,
    Refused,
    Running,
    ServerError,
    Succeeded,
)
from runner.attempts.history import History
from runner.attempts.sums import CreditSums
from runner.diagnostics.failures import Failure, LedgerUnusable
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import Budget
from runner.engine.ports import TransferFailed
from runner.engine.run_loop import StopRequest
from runner.planning.plan import Action, Plan
from tests.builders.engine_batches import FREE, PATH, batch, film, planner, shot
from tests.builders.ledgers import LedgerHome

from . import virtual
from .harness import EngineHarness, run_engine
from .provider import NOT_SENT, PROVIDER_FAULT, TRY_LATER, Script, Simulated, Task, World


def harness(
    ledgers: LedgerHome, script: Script = lambda body, count: None, shots: int = 1, cap: int = 1000, bill: int = 160
) -> EngineHarness:
    return EngineHarness(ledgers, Simulated(World(script, concurrency=cap), Decimal(bill)), planner(film(shots)))


def once(answer: CreateResult | Failed | str) -> Script:
    """The first request meets this, all others succeed."""
    return lambda body, count: answer if count == 0 else None


def always(answer: CreateResult | Failed | str) -> Script:
    return lambda body, count: answer


def states(engine: EngineHarness) -> list[str]:
    return [str(attempt.state) for attempt in engine.history().attempts.values()]


def test_a_batch_is_made_and_the_next_run_has_nothing_to_do(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=5)
    first, second = run_engine(engine, 2)
    assert (first.exit_code, len(first.finished)) == (ExitCode.OK, 5)
    assert (second.exit_code, len(second.finished)) == (ExitCode.OK, 0)
    assert len(engine.provider.world.arrived) == 5
    assert first.money.ordered.billed == 800


def test_the_first_request_goes_alone_and_the_cap_holds(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=9)
    run_engine(engine)
    made_at = [event.at for event in engine.emitted if event.event == "created"]
    assert made_at[0] < made_at[1] == made_at[2]
    assert engine.provider.world.peak == 3


@pytest.mark.parametrize(
    ("answer", "code", "state", "requests"),
    [
        (Refused(400, "prompt is too long"), ExitCode.FAILED, AttemptState.REFUSED, 3),
        (Refused(403, "request blocked", stop=True), ExitCode.INVALID, AttemptState.REFUSED, 1),
        (Refused(404, "no such page", stop=True), ExitCode.INVALID, AttemptState.NOT_CREATED, 1),
        (KeyRefused("invalid key"), ExitCode.KEY, AttemptState.NOT_CREATED, 1),
        (NoCredits("not enough", Decimal(160), Decimal(12)), ExitCode.DECLINED, AttemptState.NOT_CREATED, 1),
        (OutcomeUnknown("bad gateway", 502), ExitCode.UNSETTLED, AttemptState.UNSETTLED, 3),
        (OutcomeUnknown("moved", 302, stop=True), ExitCode.INVALID, AttemptState.UNSETTLED, 1),
    ],
)
def test_an_answer_decides_over_the_take_and_the_rest(
    ledgers: LedgerHome, answer: CreateResult, code: ExitCode, state: AttemptState, requests: int
) -> None:
    engine = harness(ledgers, once(answer), shots=3)
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == code
    assert len(engine.provider.world.arrived) == requests
    attempts = engine.history().attempts_of(engine.plan(engine.history()).steps[0].fingerprint or "")
    assert [attempt.state for attempt in attempts] == [state]


@pytest.mark.parametrize(
    "answer",
    [
        OutcomeUnknown("reset"),
        OutcomeUnknown("bad gateway", 502),
        OutcomeUnknown("not JSON", 200, raw=b"\xff<html>"),
        "lost",
        "dropped",
    ],
)
def test_a_lost_answer_is_never_sent_again(ledgers: LedgerHome, answer: CreateResult | str) -> None:
    engine = harness(ledgers, once(answer))
    outcomes = run_engine(engine, 3, gap=5000)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.UNSETTLED] * 3
    assert len(engine.provider.world.arrived) == 1
    assert states(engine) == ["unsettled"]


def test_a_model_that_the_account_may_not_use_is_asked_for_once(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, always(Refused(403, "access not enabled for this model")), shots=5)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.FAILED, 1)
    assert [result.message for result in outcome.not_started] == ["access not enabled for this model"] * 4


def test_what_came_with_an_unknown_answer_is_kept_raw(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(OutcomeUnknown("not JSON", 200, (("server", "cdn"),), b"\xff<html>")))
    run_engine(engine)
    ledger = ledgers.open(engine.clock)
    (attempt,) = engine.history().attempts
    payload = [event.payload for event in ledger.events(attempt)][-1]
    ledger.close()
    assert payload == OutcomeUnknown("not JSON", 200, (("server", "cdn"),), b"\xff<html>")


def test_what_never_left_is_tried_again_as_a_new_attempt(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, lambda body, count: NOT_SENT)
    tries = iter([NOT_SENT, NOT_SENT])
    engine.provider.world.script = lambda body, count: next(tries, None)
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.OK
    assert states(engine) == ["not created", "not created", "stored"]


def test_after_five_requests_that_never_left_the_run_ends(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, always(NOT_SENT), shots=4)
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.INVALID
    assert states(engine) == ["not created"] * 5
    assert "nothing listens" in (outcome.stop_reason.message if outcome.stop_reason else "")


def test_a_certificate_that_cannot_be_trusted_is_not_tried_twice(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, always(NotSent("certificate", final=True)))
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, states(engine)) == (ExitCode.INVALID, ["not created"])


def test_a_documented_500_is_repeated_and_counted_as_charged(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(TRY_LATER))
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.OK
    assert states(engine) == ["perhaps charged", "stored"]
    assert outcome.money.ordered.maybe_charged == 160
    assert len(outcome.maybe_charged) == 1


def test_after_three_repeats_of_a_500_the_take_is_unsettled_and_creating_stops(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, always(TRY_LATER), shots=2)
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.UNSETTLED
    bodies = engine.provider.world.arrived
    assert max(bodies.count(body) for body in set(bodies)) == 4
    assert states(engine).count("unsettled") == 1


def test_a_500_is_in_doubt_at_once_when_the_settings_say_so(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(TRY_LATER), shots=2)
    (outcome,) = run_engine(engine, server_error="settle")
    assert outcome.exit_code == ExitCode.UNSETTLED
    assert sorted(states(engine)) == ["stored", "unsettled"]


def test_a_500_is_repeated_only_while_the_ceiling_has_room_for_both(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(TRY_LATER))
    (outcome,) = run_engine(engine, max_credits=Decimal(319))
    assert len(engine.provider.world.arrived) == 1
    assert states(engine) == ["unsettled"]
    assert outcome.exit_code == ExitCode.DECLINED
    assert [result.step.shot.id for result in outcome.unsettled] == ["s1"]


def test_a_429_waits_for_a_slot_and_loses_nothing(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=12, cap=2)
    (outcome,) = run_engine(engine, concurrency=8)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 12)
    assert engine.provider.world.peak == 2
    refused = len(engine.provider.world.arrived) - 12
    assert refused <= 7 + 12  # the first burst, then at most one for each slot that it hoped for


def test_a_429_for_ever_ends_the_run_with_nothing_spent(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, always(ConcurrencyLimited("no slot")), shots=2)
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.WAITING
    assert outcome.money.ordered == CreditSums()
    assert len(engine.provider.world.arrived) < 60


def test_retry_after_is_kept(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(ConcurrencyLimited("no slot", retry_after=100.0)))
    run_engine(engine)
    warned = next(event.at for event in engine.emitted if event.event == "warning")
    created = next(event.at for event in engine.emitted if event.event == "created")
    assert (created - warned).total_seconds() >= 100


def limited(*unsettled: str, refusals: int, retry_after: float | None) -> Script:
    """Attempts that nobody answers, then 429s, then room."""
    answers: list[CreateResult | str] = [*unsettled]
    answers += [ConcurrencyLimited("no slot", limit=3, current=3, retry_after=retry_after)] * refusals
    return lambda body, count: answers[count] if count < len(answers) else None


@pytest.mark.parametrize("kind", ["lost", "dropped"])
@pytest.mark.parametrize(
    ("unsettled", "refusals", "retry_after", "within"),
    [(1, 3, 1.0, 10), (1, 4, 0.0, 10), (1, 1, None, 12), (1, 3, None, 50), (2, 3, 1.0, 10), (2, 1, 30.0, 40)],
)
def test_a_429_beside_unsettled_attempts_is_tried_again_after_its_pause(
    ledgers: LedgerHome, kind: str, unsettled: int, refusals: int, retry_after: float | None, within: float
) -> None:
    engine = harness(ledgers, limited(*[kind] * unsettled, refusals=refusals, retry_after=retry_after), shots=6)
    (outcome,) = run_engine(engine)
    started = engine.emitted[0].at
    created = [(event.at - started).total_seconds() for event in engine.emitted if event.event == "created"]
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.UNSETTLED, 6 - unsettled)
    assert created[0] < within
    assert len(engine.provider.world.arrived) == 6 + refusals
    assert created[-1] < within + 5 * 130  # one after another at least, without the long pauses of a full account


def test_retry_after_opens_one_try_beside_running_tasks(ledgers: LedgerHome) -> None:
    busy = ConcurrencyLimited("no slot", retry_after=5.0)
    engine = harness(ledgers, lambda body, count: busy if count in (1, 2, 3) else None, shots=3)
    run_engine(engine)
    started = engine.emitted[0].at
    created = [(event.at - started).total_seconds() for event in engine.emitted if event.event == "created"]
    assert created[1] < 20


def test_a_server_that_always_asks_to_wait_a_second_is_not_asked_each_second(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, always(ConcurrencyLimited("no slot", retry_after=0.0)), shots=2)
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.WAITING
    assert len(engine.provider.world.arrived) < 60


def test_a_pause_after_a_429_is_told_with_the_moment_of_the_next_try(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(ConcurrencyLimited("no slot", retry_after=100.0)))
    run_engine(engine)
    warned, created = (
        next(event for event in engine.emitted if event.event == kind) for kind in ("warning", "created")
    )
    assert "next try in 100 s" in warned.message
    assert warned.next_try_at is not None
    assert (warned.next_try_at - warned.at).total_seconds() == pytest.approx(100)
    assert created.next_try_at is None


@pytest.mark.parametrize(("retries", "tasks"), [(2, 3), (0, 1)])
def test_a_failure_of_the_provider_is_tried_again_for_nothing(ledgers: LedgerHome, retries: int, tasks: int) -> None:
    engine = harness(ledgers, always(PROVIDER_FAULT))
    (outcome,) = run_engine(engine, retries_provider=retries)
    assert outcome.exit_code == ExitCode.FAILED
    assert len(engine.provider.world.tasks) == tasks
    assert outcome.money.ordered.billed == 0
    retried = [event.will_retry for event in engine.emitted if event.event == "failed"]
    assert retried == [True] * retries + [False]


@pytest.mark.parametrize("kind", ["moderation", "face"])
def test_what_moderation_refuses_is_remembered_over_runs(ledgers: LedgerHome, kind: str) -> None:
    engine = harness(ledgers, always(Failed(kind, "Face detected in uploaded media")))  # type: ignore[arg-type]
    outcomes = run_engine(engine, 2)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.FAILED] * 2
    assert len(engine.provider.world.tasks) == 1
    assert [len(outcome.refused) for outcome in outcomes] == [1, 1]


def test_output_that_did_not_pass_review_is_made_again_by_the_next_run_only(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, always(Failed("review", "did not pass review")))
    outcomes = run_engine(engine, 2)
    assert [len(outcome.failed) for outcome in outcomes] == [1, 1]
    assert len(engine.provider.world.tasks) == 2


def test_a_bill_above_the_quote_stops_new_tasks(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=6, bill=166)
    (outcome,) = run_engine(engine, concurrency=2)
    assert outcome.exit_code == ExitCode.DECLINED
    assert "seedance-20 720p" in (outcome.stop_reason.message if outcome.stop_reason else "")
    assert len(engine.provider.world.tasks) <= 3
    assert len(outcome.finished) == len(engine.provider.world.tasks)


def test_a_ceiling_holds_over_retries(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=6)
    (outcome,) = run_engine(engine, max_credits=Decimal(500))
    assert outcome.exit_code == ExitCode.DECLINED
    assert (len(engine.provider.world.tasks), len(outcome.finished), len(outcome.not_started)) == (3, 3, 3)


def test_the_budget_of_a_storyboard_counts_all_its_runs(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=6)
    fingerprints = frozenset(step.fingerprint or "" for step in engine.plan(engine.history()).steps)
    budget = {"storyboards/film.yaml": Budget(Decimal(480), fingerprints)}
    first, second = run_engine(engine, 2, budgets=budget)
    assert (len(first.finished), len(second.finished)) == (3, 0)
    assert second.exit_code == ExitCode.DECLINED


def test_the_budget_of_a_day_counts_24_hours(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=6)
    outcomes = run_engine(engine, 3, gap=12 * 3600 + 10, credits_per_day=Decimal(480))
    assert [len(outcome.finished) for outcome in outcomes] == [3, 0, 3]


# -- polling ----------------------------------------------------------------------------------------------


def polled_by(
    engine: EngineHarness, script: Callable[[str, int], Running | Succeeded | Failed | None]
) -> EngineHarness:
    engine.provider.poll_script = script
    return engine


def test_no_failed_poll_fails_a_take(ledgers: LedgerHome) -> None:
    engine = polled_by(
        harness(ledgers), lambda task, count: Running("", "HTTP 503", answered=False) if count < 20 else None
    )
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 1)


def test_polls_that_fail_for_ever_leave_the_task_to_the_next_run(ledgers: LedgerHome) -> None:
    engine = polled_by(harness(ledgers), lambda task, count: Running("", "HTTP 503", answered=False))
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, states(engine)) == (ExitCode.WAITING, ["running"])
    assert engine.provider.world.polls < 60
    engine.provider.poll_script = lambda task, count: None
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.OK, 1)


def logged(engine: EngineHarness) -> list[str]:
    return [event.message for event in engine.emitted if event.event == "warning"]


def test_polls_that_go_on_failing_are_told_once_with_the_providers_words(ledgers: LedgerHome) -> None:
    engine = polled_by(
        harness(ledgers, shots=3),
        lambda task, count: Running("", "HTTP 403: no access", answered=False) if count < 12 else None,
    )
    run_engine(engine)
    assert logged(engine) == [
        "the provider does not answer polls (HTTP 403: no access): running tasks are kept, and polled again"
    ]


def test_records_that_are_missing_for_a_while_are_told_once(ledgers: LedgerHome) -> None:
    engine = polled_by(
        harness(ledgers, shots=3), lambda task, count: Running("", not_found=True) if count < 8 else None
    )
    run_engine(engine)
    (message,) = logged(engine)
    assert message.startswith("the provider has no record of task_")
    assert "is polled for 10 minutes" in message
    assert "check SEEDANCE_BASE_URL" in message


def test_an_early_404_is_polled_again(ledgers: LedgerHome) -> None:
    engine = polled_by(harness(ledgers), lambda task, count: Running("", not_found=True) if count < 8 else None)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.OK, 1)


def test_a_record_that_is_missing_for_a_day_is_gone_and_not_bought_again(ledgers: LedgerHome) -> None:
    engine = polled_by(harness(ledgers), lambda task, count: Running("", not_found=True))
    outcomes = run_engine(engine, 3, gap=24 * 3600)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.WAITING, ExitCode.FAILED, ExitCode.FAILED]
    assert (states(engine), len(engine.provider.world.arrived)) == (["gone"], 1)


def test_a_key_that_is_revoked_ends_all_polls_and_keeps_the_tasks(ledgers: LedgerHome) -> None:
    engine = polled_by(
        harness(ledgers, shots=6), lambda task, count: Running("", "401", answered=False, key_refused=True)
    )
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.KEY
    assert set(states(engine)) == {"running"}
    assert engine.provider.world.polls <= 3


def test_success_without_a_clip_is_paid_and_asked_for_again(ledgers: LedgerHome) -> None:
    engine = polled_by(harness(ledgers), lambda task, count: Succeeded((), Decimal(160)))
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, states(engine)) == (ExitCode.WAITING, ["succeeded"])
    assert outcome.money.ordered.billed == 160
    engine.provider.poll_script = lambda task, count: None
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.OK, 1)


def test_a_task_that_outlasts_the_wait_is_kept_and_taken_up_again(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    engine.provider.world.seconds = lambda count: 4000.0
    first, second, third = run_engine(engine, 3, gap=100)
    assert [o.exit_code for o in (first, second, third)] == [ExitCode.WAITING, ExitCode.WAITING, ExitCode.OK]
    assert len(engine.provider.world.arrived) == 1


# -- clips ------------------------------------------------------------------------------------------------


def test_a_download_that_fails_is_tried_again_with_a_new_link(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    tries = iter([TransferFailed("HTTP 403"), TransferFailed("cut off")])
    engine.provider.store_script = lambda attempt, count: next(tries, None)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.OK, 1)


@pytest.mark.parametrize("expired", [True, False])
def test_a_failed_download_is_told_at_once_and_at_its_end_with_the_number_of_tries(
    ledgers: LedgerHome, expired: bool
) -> None:
    engine = harness(ledgers)
    engine.provider.store_script = lambda attempt, count: TransferFailed("HTTP 404", link_expired=expired)
    run_engine(engine)
    succeeded = next(event.at for event in engine.emitted if event.event == "succeeded")
    first, last = (event for event in engine.emitted if event.event == "warning")
    assert (first.at - succeeded).total_seconds() < 1
    assert "the clip of s1 take 1 could not be fetched at the first of 8 tries: HTTP 404" in first.message
    assert "the clip of s1 take 1 could not be fetched in 8 tries: HTTP 404" in last.message


def test_a_clip_that_cannot_be_fetched_is_paid_once_and_fetched_by_a_later_run(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    engine.provider.store_script = lambda attempt, count: TransferFailed("HTTP 500")
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, states(engine)) == (ExitCode.WAITING, ["succeeded"])
    engine.provider.store_script = lambda attempt, count: None
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.OK, 1)


def test_media_that_are_gone_are_never_bought_again(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    engine.provider.store_script = lambda attempt, count: Lost("deleted after 14 days")
    outcomes = run_engine(engine, 2)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.FAILED] * 2
    assert (states(engine), len(engine.provider.world.arrived)) == (["gone"], 1)


def test_a_dead_link_means_gone_only_after_the_days_that_media_are_kept(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    engine.provider.store_script = lambda attempt, count: TransferFailed("HTTP 404", link_expired=True)
    outcomes = run_engine(engine, 3, gap=8 * 24 * 3600)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.WAITING, ExitCode.WAITING, ExitCode.FAILED]
    assert (states(engine), len(engine.provider.world.arrived)) == (["gone"], 1)


def test_another_key_is_reported_before_its_tasks_are_waited_for(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    run_engine(engine, no_wait=True)
    engine.provider.key_id = "89abcdef"
    run_engine(engine)
    assert [event.message for event in engine.emitted if event.event == "warning"] == [
        "task_1 was ordered with another key (its id begins with 0123), and is asked for with that key only: "
        "set SEEDANCE_API_KEY to it, then run again"
    ]


def test_a_full_disk_under_a_clip_stops_new_tasks(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=9)
    engine.provider.store_script = lambda attempt, count: TransferFailed("no space left", final=True)
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.INVALID
    assert len(engine.provider.world.arrived) <= 6


def test_equal_requests_are_paid_once_and_each_take_gets_its_clip(ledgers: LedgerHome) -> None:
    twins = batch(shot("a", prompt="the sea"), shot("b", prompt="the sea"), shot("c"))
    engine = EngineHarness(ledgers, Simulated(World()), planner(twins))
    outcomes = run_engine(engine, 2)
    assert len(engine.provider.world.arrived) == 2
    assert [len(outcome.finished) for outcome in outcomes] == [3, 0]
    assert sorted(path.split("/")[4] for _, path in engine.provider.stored) == ["a", "b", "c"]


def test_a_clip_missing_on_disk_is_healed_without_paying(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=2)
    run_engine(engine)
    engine.plan = planner(film(2), missing=lambda path: "/s1/" in path)
    (outcome,) = run_engine(engine)
    assert [result.step.shot.id for result in outcome.finished] == ["s1"]
    assert len(engine.provider.world.arrived) == 2


def test_a_shot_is_made_of_the_stored_clip_of_the_shot_above(ledgers: LedgerHome) -> None:
    engine = EngineHarness(ledgers, Simulated(World()), planner(batch(shot("b", ("a",)), shot("a"))))
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.OK
    order = [
        (event.event, event.step.shot.id)
        for event in engine.emitted
        if event.step and event.event in ("created", "stored")
    ]
    assert order == [("created", "a"), ("stored", "a"), ("created", "b"), ("stored", "b")]


def test_what_depends_on_a_failed_take_is_blocked_and_the_rest_is_made(ledgers: LedgerHome) -> None:
    shots = batch(shot("a"), shot("b", ("a",)), shot("c", ("b",)), shot("d"))
    engine = EngineHarness(ledgers, Simulated(World(once(Refused(400, "no")))), planner(shots))
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.FAILED
    assert [result.step.shot.id for result in outcome.finished] == ["d"]
    assert [result.step.shot.id for result in outcome.blocked] == ["b", "c"]


def test_the_first_take_that_succeeded_is_gone_on_with_in_the_sandbox(ledgers: LedgerHome) -> None:
    shots = batch(shot("a", takes=2), shot("b", ("a",)))
    engine = EngineHarness(ledgers, Simulated(World(once(Refused(400, "no")))), planner(shots, FREE), FREE)
    (outcome,) = run_engine(engine)
    assert [(result.step.shot.id, result.step.take) for result in outcome.finished] == [("a", 2), ("b", 1)]


def test_a_free_attempt_never_stays_in_doubt(ledgers: LedgerHome) -> None:
    engine = EngineHarness(ledgers, Simulated(World(once("lost"))), planner(film(2), FREE), FREE)
    first, second = run_engine(engine, 2)
    assert (first.exit_code, second.exit_code) == (ExitCode.UNSETTLED, ExitCode.OK)
    assert sorted(states(engine)) == ["abandoned", "stored", "stored"]


def test_a_task_id_that_another_attempt_has_is_doubt(ledgers: LedgerHome) -> None:
    from runner.attempts.events import Created

    engine = harness(ledgers, lambda body, count: Created("task_same"), shots=2)
    engine.provider.poll_script = lambda task, count: Succeeded((Output("https://media.example/x.mp4"),), Decimal(160))
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, sorted(states(engine))) == (ExitCode.UNSETTLED, ["stored", "unsettled"])


# -- manifests from elsewhere -----------------------------------------------------------------------------


def with_manifest_task(engine: EngineHarness, task: str) -> Callable[[History], Plan]:
    """The plan after a manifest was pulled that names a running task of the first shot."""
    plan = engine.plan
    step = plan(History()).steps[0]
    intent = Intent(
        PATH, step.shot.id, 1, step.fingerprint or "", step.neutral_request(), "", Decimal(160), "classic", "", "", ""
    )  # fmt: skip
    attempt = Attempt("pulled", intent, AttemptState.RUNNING, virtual.BEGIN, task_id=task, accepted_at=virtual.BEGIN)

    def planned(history: History) -> Plan:
        history.merge_manifest([attempt], {})
        return plan(history)

    return planned


def test_a_task_that_a_manifest_names_is_collected_and_not_paid_again(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=2)
    engine.provider.world.tasks["task_0"] = Task("task_0", "", 0.0, 30.0)
    engine.plan = with_manifest_task(engine, "task_0")
    first, second = run_engine(engine, 2)
    assert (first.exit_code, len(first.finished), second.exit_code, len(second.finished)) == (
        ExitCode.OK,
        2,
        ExitCode.OK,
        0,
    )
    assert len(engine.provider.world.arrived) == 1


def test_an_unsettled_attempt_and_a_task_in_the_manifest_stop_only_that_take(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once("lost"), shots=2)
    run_engine(engine, 1)
    engine.plan = with_manifest_task(engine, "task_9")
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(outcome.unsettled), len(outcome.finished)) == (ExitCode.UNSETTLED, 1, 0)
    assert len(engine.provider.world.arrived) == 2


# -- unsettled attempts and slots --------------------------------------------------------------------------------------


def test_an_unsettled_attempt_holds_its_slot_for_as_long_as_a_task_can_live(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, lambda body, count: "lost" if count < 3 else None, shots=6)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.UNSETTLED, 3)
    assert "run again after 12:15 UTC" in engine.emitted[-2].message
    (outcome,) = run_engine(engine, 1)
    assert len(engine.provider.world.arrived) == 3
    engine.clock.offset = engine.clock.offset.__class__(hours=1)
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(outcome.finished), len(outcome.unsettled)) == (ExitCode.UNSETTLED, 3, 3)


# -- stopping ---------------------------------------------------------------------------------------------


def stopped_after(engine: EngineHarness, seconds: float, second_after: float | None = None) -> list[object]:
    async def main() -> list[object]:
        stop_request = StopRequest()
        outcomes: list[object] = []

        async def work() -> None:
            outcomes.append(await engine.run(stop_request))

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await anyio.sleep(seconds)
            stop_request.on_signal()
            if second_after is not None:
                await anyio.sleep(second_after)
                stop_request.on_signal()
        return outcomes

    return virtual.run(main)


def test_the_first_signal_creates_no_more_and_leaves_what_runs_to_the_next_run(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=6)
    stopped_after(engine, 10)
    assert engine.emitted[-1].outcome is not None
    assert engine.emitted[-1].outcome.exit_code == ExitCode.INTERRUPTED
    assert states(engine) == ["running"] * 3
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.OK, 6)


def test_a_request_on_its_way_is_answered_after_the_first_signal(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    stopped_after(engine, 0.3)  # between the sending mark and the answer
    assert states(engine) == ["running"]


def test_the_second_signal_leaves_at_once_and_a_request_on_its_way_is_in_doubt(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    engine.provider.world.latency = 20.0
    stopped_after(engine, 25, second_after=1)
    assert engine.emitted[-1].outcome is not None
    assert engine.emitted[-1].outcome.exit_code == ExitCode.INTERRUPTED
    assert states(engine) == ["unsettled"]
    assert len(engine.emitted[-1].outcome.unsettled) == 1


def test_a_defect_of_ours_does_not_lose_the_answer_of_a_request_on_its_way(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=3)
    engine.provider.world.latency = 5.0

    def breaks(task: str, count: int) -> None:
        if len(engine.provider.world.tasks) == 3:  # two answers are still on their way
            raise ZeroDivisionError

    engine.provider.poll_script = breaks
    engine.provider.world.seconds = lambda count: 30.0
    with pytest.raises(ZeroDivisionError):
        run_engine(engine)
    assert states(engine) == ["running"] * 3


def test_no_wait_creates_and_leaves_and_the_next_run_collects(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=5)
    (outcome,) = run_engine(engine, no_wait=True)
    assert (outcome.exit_code, states(engine)) == (ExitCode.WAITING, ["running"] * 3)
    assert engine.provider.world.polls == 0
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.OK, 5)


def test_fail_fast_orders_nothing_after_a_failure(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(Refused(400, "no")), shots=6)
    (outcome,) = run_engine(engine, fail_fast=True)
    assert (outcome.exit_code, len(engine.provider.world.arrived)) == (ExitCode.FAILED, 1)


# -- the host, before anything is paid -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (KeyRefused("no such key"), ExitCode.KEY),
        (Refused(302, "sends on to a login page", stop=True), ExitCode.INVALID),
        (NotSent("certificate", final=True), ExitCode.INVALID),
    ],
)
def test_a_wrong_host_or_key_is_found_before_anything_is_sent(
    ledgers: LedgerHome, answer: CreateResult, code: ExitCode
) -> None:
    engine = harness(ledgers, shots=2)
    engine.provider.preflight_answer = answer
    (outcome,) = run_engine(engine)
    assert (outcome.exit_code, engine.provider.world.arrived) == (code, [])
    assert [str(step.action) for step in outcome.plan.steps] == [Action.MAKE] * 2


# -- the ledger goes away ---------------------------------------------------------------------------------


def test_a_ledger_deleted_while_running_is_noticed_before_the_next_request(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, shots=6)

    def steal(body: str, count: int) -> None:
        if count == 1 and (ledgers.folder / "ledger.db").exists():
            (ledgers.folder / "ledger.db").rename(ledgers.folder / "stolen.db")

    engine.provider.world.script = steal
    with pytest.raises(Failure) as stopped:
        run_engine(engine)
    assert exit_code_of(stopped.value) == ExitCode.INVALID
    assert "moved" in stopped.value.message
    assert len(engine.provider.world.arrived) <= 3


def test_the_provider_must_not_hear_of_an_attempt_whose_mark_was_not_written(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    attempts: list[Attempt] = []
    engine.provider.world.script = lambda body, count: (ledgers.folder / "ledger.db").unlink()
    with pytest.raises(LedgerUnusable):
        run_engine(engine)
    assert (engine.provider.world.arrived, attempts) == ([], [])


def test_a_mark_that_cannot_be_written_leaves_no_doubt(ledgers: LedgerHome) -> None:
    engine = harness(ledgers)
    engine.history()  # makes the ledger
    with sqlite3.connect(ledgers.folder / "ledger.db") as database:
        database.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON event WHEN NEW.kind = 'Sending'"
            " BEGIN SELECT RAISE(ABORT, 'no marks today'); END"
        )
    with pytest.raises(LedgerUnusable, match="no marks today"):
        run_engine(engine)
    database.execute("DROP TRIGGER broken")
    database.close()
    assert (engine.provider.world.arrived, states(engine)) == ([], ["not created"])
    (outcome,) = run_engine(engine)
    assert outcome.exit_code == ExitCode.OK


def test_the_message_of_a_repeat_names_the_counted_charge(ledgers: LedgerHome) -> None:
    engine = harness(ledgers, once(ServerError("internal error")))
    run_engine(engine)
    messages = [event.message for event in engine.emitted if event.event == "warning"]
    assert messages == ["the server failed (HTTP 500), maybe after it charged; repeat 1 of 3 in 5 s, "
                    "counted as charged until settled"]  # fmt: skip
