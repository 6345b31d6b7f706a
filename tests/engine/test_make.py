"""What every answer does to a run: state, exit code, number of requests, words."""

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

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
from runner.attempts.history import Attempt, AttemptState, History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.engine.limits import Budget
from runner.engine.ports import TransferFailed
from runner.engine.run_loop import StopRequest
from runner.planning.plan import Action, Plan

from . import virtual
from .boards import FREE, PATH, batch, film, planner, shot
from .harness import EngineHarness, play
from .provider import NOT_SENT, PROVIDER_FAULT, TRY_LATER, Script, Simulated, Task, World


def stage(
    tmp_path: Path, script: Script = lambda body, count: None, shots: int = 1, cap: int = 1000, bill: int = 160
) -> EngineHarness:
    return EngineHarness(tmp_path, Simulated(World(script, cap=cap), Decimal(bill)), planner(film(shots)))


def once(answer: CreateResult | Failed | str) -> Script:
    """The first request meets this, all others succeed."""
    return lambda body, count: answer if count == 0 else None


def always(answer: CreateResult | Failed | str) -> Script:
    return lambda body, count: answer


def states(played: EngineHarness) -> list[str]:
    return [str(attempt.state) for attempt in played.history().attempts.values()]


def test_a_batch_is_made_and_the_next_run_has_nothing_to_do(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=5)
    first, second = play(here, 2)
    assert (first.exit_code, len(first.finished)) == (ExitCode.OK, 5)
    assert (second.exit_code, len(second.finished)) == (ExitCode.OK, 0)
    assert len(here.provider.world.arrived) == 5
    assert first.money.billed == 800


def test_the_first_request_goes_alone_and_the_cap_holds(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=9)
    play(here)
    made_at = [news.at for news in here.news if news.event == "created"]
    assert made_at[0] < made_at[1] == made_at[2]
    assert here.provider.world.peak == 3


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
    tmp_path: Path, answer: CreateResult, code: ExitCode, state: AttemptState, requests: int
) -> None:
    here = stage(tmp_path, once(answer), shots=3)
    (outcome,) = play(here)
    assert outcome.exit_code == code
    assert len(here.provider.world.arrived) == requests
    attempts = here.history().attempts_of(here.plan(here.history()).steps[0].fingerprint or "")
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
def test_a_lost_answer_is_never_sent_again(tmp_path: Path, answer: CreateResult | str) -> None:
    here = stage(tmp_path, once(answer))
    outcomes = play(here, 3, gap=5000)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.UNSETTLED] * 3
    assert len(here.provider.world.arrived) == 1
    assert states(here) == ["unsettled"]


def test_a_model_that_the_account_may_not_use_is_asked_for_once(tmp_path: Path) -> None:
    here = stage(tmp_path, always(Refused(403, "access not enabled for this model")), shots=5)
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.FAILED, 1)
    assert [fate.message for fate in outcome.not_started] == ["access not enabled for this model"] * 4


def test_what_came_with_an_unknown_answer_is_kept_raw(tmp_path: Path) -> None:
    here = stage(tmp_path, once(OutcomeUnknown("not JSON", 200, (("server", "cdn"),), b"\xff<html>")))
    play(here)
    from runner.store.ledger.ledger import Ledger

    ledger = Ledger(tmp_path, here.clock)
    (attempt,) = here.history().attempts
    kept = [event.payload for event in ledger.events(attempt)][-1]
    ledger.close()
    assert kept == OutcomeUnknown("not JSON", 200, (("server", "cdn"),), b"\xff<html>")


def test_what_never_left_is_tried_again_as_a_new_attempt(tmp_path: Path) -> None:
    here = stage(tmp_path, lambda body, count: NOT_SENT)
    tries = iter([NOT_SENT, NOT_SENT])
    here.provider.world.script = lambda body, count: next(tries, None)
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.OK
    assert states(here) == ["not created", "not created", "stored"]


def test_after_five_requests_that_never_left_the_run_ends(tmp_path: Path) -> None:
    here = stage(tmp_path, always(NOT_SENT), shots=4)
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.INVALID
    assert states(here) == ["not created"] * 5
    assert "nothing listens" in (outcome.stop_reason.message if outcome.stop_reason else "")


def test_a_certificate_that_cannot_be_trusted_is_not_tried_twice(tmp_path: Path) -> None:
    here = stage(tmp_path, always(NotSent("certificate", final=True)))
    (outcome,) = play(here)
    assert (outcome.exit_code, states(here)) == (ExitCode.INVALID, ["not created"])


def test_a_documented_500_is_repeated_and_counted_as_charged(tmp_path: Path) -> None:
    here = stage(tmp_path, once(TRY_LATER))
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.OK
    assert states(here) == ["perhaps charged", "stored"]
    assert outcome.money.maybe_charged == 160
    assert len(outcome.maybe_charged) == 1


def test_after_three_repeats_of_a_500_the_take_is_unsettled_and_creating_stops(tmp_path: Path) -> None:
    here = stage(tmp_path, always(TRY_LATER), shots=2)
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.UNSETTLED
    bodies = here.provider.world.arrived
    assert max(bodies.count(body) for body in set(bodies)) == 4
    assert states(here).count("unsettled") == 1


def test_a_500_is_in_doubt_at_once_when_the_settings_say_so(tmp_path: Path) -> None:
    here = stage(tmp_path, once(TRY_LATER), shots=2)
    (outcome,) = play(here, server_error="settle")
    assert outcome.exit_code == ExitCode.UNSETTLED
    assert sorted(states(here)) == ["stored", "unsettled"]


def test_a_500_is_repeated_only_while_the_ceiling_has_room_for_both(tmp_path: Path) -> None:
    here = stage(tmp_path, once(TRY_LATER))
    (outcome,) = play(here, max_credits=Decimal(319))
    assert len(here.provider.world.arrived) == 1
    assert states(here) == ["unsettled"]
    assert outcome.exit_code == ExitCode.DECLINED
    assert [fate.step.shot.id for fate in outcome.unsettled] == ["s1"]


def test_a_429_waits_for_a_slot_and_loses_nothing(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=12, cap=2)
    (outcome,) = play(here, concurrency=8)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 12)
    assert here.provider.world.peak == 2
    refused = len(here.provider.world.arrived) - 12
    assert refused <= 7 + 12  # the first burst, then at most one for each slot that it hoped for


def test_a_429_for_ever_ends_the_run_with_nothing_spent(tmp_path: Path) -> None:
    here = stage(tmp_path, always(ConcurrencyLimited("no slot")), shots=2)
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.WAITING
    assert outcome.money.billed == outcome.money.maybe_charged == 0
    assert len(here.provider.world.arrived) < 60


def test_retry_after_is_kept(tmp_path: Path) -> None:
    here = stage(tmp_path, once(ConcurrencyLimited("no slot", retry_after=100.0)))
    play(here)
    warned = next(news.at for news in here.news if news.event == "warning")
    created = next(news.at for news in here.news if news.event == "created")
    assert (created - warned).total_seconds() >= 100


@pytest.mark.parametrize(("retries", "made"), [(2, 3), (0, 1)])
def test_a_failure_of_the_provider_is_tried_again_for_nothing(tmp_path: Path, retries: int, made: int) -> None:
    here = stage(tmp_path, always(PROVIDER_FAULT))
    (outcome,) = play(here, retries_provider=retries)
    assert outcome.exit_code == ExitCode.FAILED
    assert len(here.provider.world.tasks) == made
    assert outcome.money.billed == 0
    told = [news.will_retry for news in here.news if news.event == "failed"]
    assert told == [True] * retries + [False]


@pytest.mark.parametrize("kind", ["moderation", "face"])
def test_what_moderation_refuses_is_remembered_over_runs(tmp_path: Path, kind: str) -> None:
    here = stage(tmp_path, always(Failed(kind, "Face detected in uploaded media")))  # type: ignore[arg-type]
    outcomes = play(here, 2)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.FAILED] * 2
    assert len(here.provider.world.tasks) == 1
    assert [len(outcome.refused) for outcome in outcomes] == [1, 1]


def test_output_that_did_not_pass_review_is_made_again_by_the_next_run_only(tmp_path: Path) -> None:
    here = stage(tmp_path, always(Failed("review", "did not pass review")))
    outcomes = play(here, 2)
    assert [len(outcome.failed) for outcome in outcomes] == [1, 1]
    assert len(here.provider.world.tasks) == 2


def test_a_bill_above_the_quote_stops_new_tasks(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=6, bill=166)
    (outcome,) = play(here, concurrency=2)
    assert outcome.exit_code == ExitCode.DECLINED
    assert "seedance-20 720p" in (outcome.stop_reason.message if outcome.stop_reason else "")
    assert len(here.provider.world.tasks) <= 3
    assert len(outcome.finished) == len(here.provider.world.tasks)


def test_a_ceiling_holds_over_retries(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=6)
    (outcome,) = play(here, max_credits=Decimal(500))
    assert outcome.exit_code == ExitCode.DECLINED
    assert (len(here.provider.world.tasks), len(outcome.finished), len(outcome.not_started)) == (3, 3, 3)


def test_the_budget_of_a_storyboard_counts_all_its_runs(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=6)
    marks = frozenset(step.fingerprint or "" for step in here.plan(here.history()).steps)
    budget = {"storyboards/film.yaml": Budget(Decimal(480), marks)}
    first, second = play(here, 2, budgets=budget)
    assert (len(first.finished), len(second.finished)) == (3, 0)
    assert second.exit_code == ExitCode.DECLINED


def test_the_budget_of_a_day_counts_24_hours(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=6)
    outcomes = play(here, 3, gap=12 * 3600 + 10, credits_per_day=Decimal(480))
    assert [len(outcome.finished) for outcome in outcomes] == [3, 0, 3]


# -- looking ----------------------------------------------------------------------------------------------


def looks(here: EngineHarness, script: Callable[[str, int], Running | Succeeded | Failed | None]) -> EngineHarness:
    here.provider.look_script = script
    return here


def test_no_failed_look_fails_a_take(tmp_path: Path) -> None:
    here = looks(stage(tmp_path), lambda task, count: Running("", "HTTP 503", answered=False) if count < 20 else None)
    (outcome,) = play(here)
    assert (outcome.exit_code, len(outcome.finished)) == (ExitCode.OK, 1)


def test_looks_that_fail_for_ever_leave_the_task_to_the_next_run(tmp_path: Path) -> None:
    here = looks(stage(tmp_path), lambda task, count: Running("", "HTTP 503", answered=False))
    (outcome,) = play(here)
    assert (outcome.exit_code, states(here)) == (ExitCode.WAITING, ["running"])
    assert here.provider.world.looks < 60
    here.provider.look_script = lambda task, count: None
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.OK, 1)


def test_an_early_404_is_asked_again(tmp_path: Path) -> None:
    here = looks(stage(tmp_path), lambda task, count: Running("", not_found=True) if count < 8 else None)
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.OK, 1)


def test_a_record_that_is_missing_for_a_day_is_gone_and_not_bought_again(tmp_path: Path) -> None:
    here = looks(stage(tmp_path), lambda task, count: Running("", not_found=True))
    outcomes = play(here, 3, gap=24 * 3600)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.WAITING, ExitCode.FAILED, ExitCode.FAILED]
    assert (states(here), len(here.provider.world.arrived)) == (["gone"], 1)


def test_a_key_that_is_revoked_ends_all_looks_and_keeps_the_tasks(tmp_path: Path) -> None:
    here = looks(stage(tmp_path, shots=6), lambda task, count: Running("", "401", answered=False, key_refused=True))
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.KEY
    assert set(states(here)) == {"running"}
    assert here.provider.world.looks <= 3


def test_success_without_a_clip_is_paid_and_asked_for_again(tmp_path: Path) -> None:
    here = looks(stage(tmp_path), lambda task, count: Succeeded((), Decimal(160)))
    (outcome,) = play(here)
    assert (outcome.exit_code, states(here)) == (ExitCode.WAITING, ["succeeded"])
    assert outcome.money.billed == 160
    here.provider.look_script = lambda task, count: None
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.OK, 1)


def test_a_task_that_outlasts_the_wait_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    here = stage(tmp_path)
    here.provider.world.seconds = lambda count: 4000.0
    first, second, third = play(here, 3, gap=100)
    assert [o.exit_code for o in (first, second, third)] == [ExitCode.WAITING, ExitCode.WAITING, ExitCode.OK]
    assert len(here.provider.world.arrived) == 1


# -- clips ------------------------------------------------------------------------------------------------


def test_a_download_that_fails_is_tried_again_with_a_new_link(tmp_path: Path) -> None:
    here = stage(tmp_path)
    tries = iter([TransferFailed("HTTP 403"), TransferFailed("cut off")])
    here.provider.store_script = lambda attempt, count: next(tries, None)
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.OK, 1)


def test_a_clip_that_cannot_be_fetched_is_paid_once_and_fetched_by_a_later_run(tmp_path: Path) -> None:
    here = stage(tmp_path)
    here.provider.store_script = lambda attempt, count: TransferFailed("HTTP 500")
    (outcome,) = play(here)
    assert (outcome.exit_code, states(here)) == (ExitCode.WAITING, ["succeeded"])
    here.provider.store_script = lambda attempt, count: None
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.OK, 1)


def test_media_that_are_gone_are_never_bought_again(tmp_path: Path) -> None:
    here = stage(tmp_path)
    here.provider.store_script = lambda attempt, count: Lost("deleted after 14 days")
    outcomes = play(here, 2)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.FAILED] * 2
    assert (states(here), len(here.provider.world.arrived)) == (["gone"], 1)


def test_a_dead_link_means_gone_only_after_the_days_that_media_are_kept(tmp_path: Path) -> None:
    here = stage(tmp_path)
    here.provider.store_script = lambda attempt, count: TransferFailed("HTTP 404", link_expired=True)
    outcomes = play(here, 3, gap=8 * 24 * 3600)
    assert [outcome.exit_code for outcome in outcomes] == [ExitCode.WAITING, ExitCode.WAITING, ExitCode.FAILED]
    assert (states(here), len(here.provider.world.arrived)) == (["gone"], 1)


def test_another_key_is_said_before_its_tasks_are_waited_for(tmp_path: Path) -> None:
    here = stage(tmp_path)
    play(here, no_wait=True)
    here.provider.key_id = "89abcdef"
    play(here)
    assert [news.message for news in here.news if news.event == "warning"] == [
        "some running tasks were created with another key: a key of another account cannot see them"
    ]


def test_a_full_disk_under_a_clip_stops_new_tasks(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=9)
    here.provider.store_script = lambda attempt, count: TransferFailed("no space left", final=True)
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.INVALID
    assert len(here.provider.world.arrived) <= 6


def test_equal_requests_are_paid_once_and_each_take_gets_its_clip(tmp_path: Path) -> None:
    twins = batch(shot("a", prompt="the sea"), shot("b", prompt="the sea"), shot("c"))
    here = EngineHarness(tmp_path, Simulated(World()), planner(twins))
    outcomes = play(here, 2)
    assert len(here.provider.world.arrived) == 2
    assert [len(outcome.finished) for outcome in outcomes] == [3, 0]
    assert sorted(path.split("/")[4] for _, path in here.provider.stored) == ["a", "b", "c"]


def test_a_clip_missing_on_disk_is_healed_without_paying(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=2)
    play(here)
    here.plan = planner(film(2), missing=lambda path: "/s1/" in path)
    (outcome,) = play(here)
    assert [fate.step.shot.id for fate in outcome.finished] == ["s1"]
    assert len(here.provider.world.arrived) == 2


def test_a_shot_is_made_of_the_stored_clip_of_the_shot_above(tmp_path: Path) -> None:
    here = EngineHarness(tmp_path, Simulated(World()), planner(batch(shot("b", ("a",)), shot("a"))))
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.OK
    order = [(news.event, news.step.shot.id) for news in here.news if news.step and news.event in ("created", "stored")]
    assert order == [("created", "a"), ("stored", "a"), ("created", "b"), ("stored", "b")]


def test_what_depends_on_a_failed_take_is_blocked_and_the_rest_is_made(tmp_path: Path) -> None:
    shots = batch(shot("a"), shot("b", ("a",)), shot("c", ("b",)), shot("d"))
    here = EngineHarness(tmp_path, Simulated(World(once(Refused(400, "no")))), planner(shots))
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.FAILED
    assert [fate.step.shot.id for fate in outcome.finished] == ["d"]
    assert [fate.step.shot.id for fate in outcome.blocked] == ["b", "c"]


def test_the_first_take_that_succeeded_is_gone_on_with_in_the_sandbox(tmp_path: Path) -> None:
    shots = batch(shot("a", takes=2), shot("b", ("a",)))
    here = EngineHarness(tmp_path, Simulated(World(once(Refused(400, "no")))), planner(shots, FREE), FREE)
    (outcome,) = play(here)
    assert [(fate.step.shot.id, fate.step.take) for fate in outcome.finished] == [("a", 2), ("b", 1)]


def test_a_free_attempt_never_stays_in_doubt(tmp_path: Path) -> None:
    here = EngineHarness(tmp_path, Simulated(World(once("lost"))), planner(film(2), FREE), FREE)
    first, second = play(here, 2)
    assert (first.exit_code, second.exit_code) == (ExitCode.UNSETTLED, ExitCode.OK)
    assert sorted(states(here)) == ["abandoned", "stored", "stored"]


def test_a_task_id_that_another_attempt_has_is_doubt(tmp_path: Path) -> None:
    from runner.attempts.events import Created

    here = stage(tmp_path, lambda body, count: Created("task_same"), shots=2)
    here.provider.look_script = lambda task, count: Succeeded((Output("https://media.example/x.mp4"),), Decimal(160))
    (outcome,) = play(here)
    assert (outcome.exit_code, sorted(states(here))) == (ExitCode.UNSETTLED, ["stored", "unsettled"])


# -- manifests from elsewhere -----------------------------------------------------------------------------


def from_elsewhere(here: EngineHarness, task: str) -> Callable[[History], Plan]:
    """The plan after a manifest was pulled that names a running task of the first shot."""
    plan = here.plan
    step = plan(History()).steps[0]
    made = Intent(
        PATH, step.shot.id, 1, step.fingerprint or "", step.neutral_request(), "", Decimal(160), "classic", "", "", ""
    )  # fmt: skip
    told = Attempt("pulled", made, AttemptState.RUNNING, virtual.BEGIN, task_id=task, accepted_at=virtual.BEGIN)

    def planned(history: History) -> Plan:
        history.merge_manifest([told], {})
        return plan(history)

    return planned


def test_a_task_that_a_manifest_names_is_collected_and_not_paid_again(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=2)
    here.provider.world.tasks["task_0"] = Task("task_0", "", 0.0, 30.0)
    here.plan = from_elsewhere(here, "task_0")
    first, second = play(here, 2)
    assert (first.exit_code, len(first.finished), second.exit_code, len(second.finished)) == (
        ExitCode.OK,
        2,
        ExitCode.OK,
        0,
    )
    assert len(here.provider.world.arrived) == 1


def test_doubt_here_and_a_task_in_the_manifest_stop_only_that_take(tmp_path: Path) -> None:
    here = stage(tmp_path, once("lost"), shots=2)
    play(here, 1)
    here.plan = from_elsewhere(here, "task_9")
    (outcome,) = play(here)
    assert (outcome.exit_code, len(outcome.unsettled), len(outcome.finished)) == (ExitCode.UNSETTLED, 1, 0)
    assert len(here.provider.world.arrived) == 2


# -- doubt and slots --------------------------------------------------------------------------------------


def test_doubt_holds_its_slot_for_as_long_as_a_task_can_live(tmp_path: Path) -> None:
    here = stage(tmp_path, lambda body, count: "lost" if count < 3 else None, shots=6)
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.UNSETTLED, 3)
    assert "run again after 12:15 UTC" in here.news[-2].message
    (outcome,) = play(here, 1)
    assert len(here.provider.world.arrived) == 3
    here.clock.offset = here.clock.offset.__class__(hours=1)
    (outcome,) = play(here)
    assert (outcome.exit_code, len(outcome.finished), len(outcome.unsettled)) == (ExitCode.UNSETTLED, 3, 3)


# -- stopping ---------------------------------------------------------------------------------------------


def stopped_after(here: EngineHarness, seconds: float, again: float | None = None) -> list[object]:
    async def main() -> list[object]:
        stopping = StopRequest()
        found: list[object] = []

        async def work() -> None:
            found.append(await here.run(stopping))

        async with anyio.create_task_group() as group:
            group.start_soon(work)
            await anyio.sleep(seconds)
            stopping.on_signal()
            if again is not None:
                await anyio.sleep(again)
                stopping.on_signal()
        return found

    return virtual.run(main)


def test_the_first_signal_creates_no_more_and_leaves_what_runs_to_the_next_run(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=6)
    stopped_after(here, 10)
    assert here.news[-1].outcome is not None
    assert here.news[-1].outcome.exit_code == ExitCode.INTERRUPTED
    assert states(here) == ["running"] * 3
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.OK, 6)


def test_a_request_on_its_way_is_answered_after_the_first_signal(tmp_path: Path) -> None:
    here = stage(tmp_path)
    stopped_after(here, 0.3)  # between the sending mark and the answer
    assert states(here) == ["running"]


def test_the_second_signal_leaves_at_once_and_a_request_on_its_way_is_in_doubt(tmp_path: Path) -> None:
    here = stage(tmp_path)
    here.provider.world.latency = 20.0
    stopped_after(here, 25, again=1)
    assert here.news[-1].outcome is not None
    assert here.news[-1].outcome.exit_code == ExitCode.INTERRUPTED
    assert states(here) == ["unsettled"]
    assert len(here.news[-1].outcome.unsettled) == 1


def test_a_defect_of_ours_does_not_lose_the_answer_of_a_request_on_its_way(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=3)
    here.provider.world.latency = 5.0

    def breaks(task: str, count: int) -> None:
        if len(here.provider.world.tasks) == 3:  # two answers are still on their way
            raise ZeroDivisionError

    here.provider.look_script = breaks
    here.provider.world.seconds = lambda count: 30.0
    with pytest.raises(ZeroDivisionError):
        play(here)
    assert states(here) == ["running"] * 3


def test_no_wait_creates_and_leaves_and_the_next_run_collects(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=5)
    (outcome,) = play(here, no_wait=True)
    assert (outcome.exit_code, states(here)) == (ExitCode.WAITING, ["running"] * 3)
    assert here.provider.world.looks == 0
    (outcome,) = play(here)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.OK, 5)


def test_fail_fast_orders_nothing_after_a_failure(tmp_path: Path) -> None:
    here = stage(tmp_path, once(Refused(400, "no")), shots=6)
    (outcome,) = play(here, fail_fast=True)
    assert (outcome.exit_code, len(here.provider.world.arrived)) == (ExitCode.FAILED, 1)


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
    tmp_path: Path, answer: CreateResult, code: ExitCode
) -> None:
    here = stage(tmp_path, shots=2)
    here.provider.preflight_answer = answer
    (outcome,) = play(here)
    assert (outcome.exit_code, here.provider.world.arrived) == (code, [])
    assert [str(step.action) for step in outcome.plan.steps] == [Action.MAKE] * 2


# -- the ledger goes away ---------------------------------------------------------------------------------


def test_a_ledger_deleted_while_running_is_noticed_before_the_next_request(tmp_path: Path) -> None:
    here = stage(tmp_path, shots=6)

    def steal(body: str, count: int) -> None:
        if count == 1 and (tmp_path / "ledger.db").exists():
            (tmp_path / "ledger.db").rename(tmp_path / "stolen.db")

    here.provider.world.script = steal
    with pytest.raises(CommandError) as stopped:
        play(here)
    assert stopped.value.code == ExitCode.INVALID
    assert "moved" in stopped.value.message
    assert len(here.provider.world.arrived) <= 3


def test_the_provider_must_not_hear_of_an_attempt_whose_mark_was_not_written(tmp_path: Path) -> None:
    here = stage(tmp_path)
    attempts: list[Attempt] = []
    here.provider.world.script = lambda body, count: (tmp_path / "ledger.db").unlink()
    with pytest.raises(CommandError):
        play(here)
    assert (here.provider.world.arrived, attempts) == ([], [])


def test_a_mark_that_cannot_be_written_leaves_no_doubt(tmp_path: Path) -> None:
    here = stage(tmp_path)
    here.history()  # makes the ledger
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        database.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON event WHEN NEW.kind = 'Sending'"
            " BEGIN SELECT RAISE(ABORT, 'no marks today'); END"
        )
    with pytest.raises(CommandError, match="no marks today"):
        play(here)
    database.execute("DROP TRIGGER broken")
    database.close()
    assert (here.provider.world.arrived, states(here)) == ([], ["not created"])
    (outcome,) = play(here)
    assert outcome.exit_code == ExitCode.OK


def test_words_of_a_repeat_name_what_is_counted(tmp_path: Path) -> None:
    here = stage(tmp_path, once(ServerError("internal error")))
    play(here)
    said = [news.message for news in here.news if news.event == "warning"]
    assert said == ["the server failed (HTTP 500), perhaps after it charged; repeat 1 of 3 in 5 s, "
                    "counted as charged until settled"]  # fmt: skip
