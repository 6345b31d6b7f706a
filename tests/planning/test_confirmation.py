"""A task that a manifest names without its request: it is confirmed at the provider, or it does not count."""

from decimal import Decimal
from typing import Any

import pytest

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip, Failed, PollResult, Running, Succeeded
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.lazy_dataclass import replace
from runner.planning.confirmation import confirmed, objection, to_confirm
from runner.planning.plan import Plan, Step
from tests.builders.plans import START, actions, after, clip, last_frame, plan, shot

PRICE = Decimal(200)
ANSWER = Succeeded((), PRICE)
FACTS = TaskFacts("task_1", "seedance-20", None, None, PRICE)


def claim(step: Step, task: str = "task_1") -> Attempt:
    """An attempt of a step as a manifest's shrunk entry tells of it."""
    attempt = after(History(), step)
    intent = replace(attempt.intent, request={})
    return replace(
        attempt,
        id=f"m-{task}",
        intent=intent,
        state=AttemptState.STORED,
        task_id=task,
        clip=clip(step.shot.id),
        from_manifest=True,
    )


def claimed(*shots: Any) -> tuple[Plan, History]:
    """A clone whose manifest names a task for the first shot, without its request."""
    history = History()
    history.merge_manifest([claim(plan(*shots).steps[0])], {})
    return plan(*shots, history=history), history


def test_it_is_neither_kept_nor_made_before_it_is_confirmed() -> None:
    decided, _ = claimed(shot("quay"))
    assert actions(decided) == ["resume"]
    assert decided.steps[0].reason.text == "the manifest names task_1 for it, which a run confirms at the provider"
    assert decided.totals.credits == 0


def test_what_is_made_from_it_waits_for_it() -> None:
    decided, _ = claimed(shot("quay"), shot("enter", materials=[last_frame("quay")]))
    assert actions(decided) == ["resume", "wait"]


def test_an_attempt_with_its_request_comes_before_it() -> None:
    decided, history = claimed(shot("quay"))
    whole = replace(claim(decided.steps[0], "task_2"), intent=after(History(), decided.steps[0]).intent)
    history.merge_manifest([whole], {})
    assert actions(plan(shot("quay"), history=history)) == ["keep"]


def test_it_comes_before_an_attempt_that_gave_no_clip() -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], Failed("provider", "no"))
    history.merge_manifest([claim(plan(quay).steps[0])], {})
    assert actions(plan(quay, history=history)) == ["resume"]


def test_a_task_of_this_ledger_is_known_and_needs_no_confirmation() -> None:
    quay, history = shot("quay"), History()
    attempt = after(history, plan(quay).steps[0])
    history.attempts[attempt.id] = replace(attempt, state=AttemptState.STORED, task_id="task_1", clip=clip("quay"))
    history.merge_manifest([claim(plan(quay).steps[0])], {})
    assert actions(plan(quay, history=history)) == ["keep"]


def test_it_counts_once_model_seconds_and_credits_agree() -> None:
    decided, history = claimed(shot("quay"))
    [(step, attempt)] = to_confirm(decided, history)
    assert objection(step, attempt, ANSWER, FACTS, history) is None
    history.confirm(confirmed(step, attempt, ANSWER))
    history.mark_imported(attempt.id)
    assert actions(plan(shot("quay"), history=history)) == ["keep"]
    assert history.attempts[attempt.id].intent.request["prompt"] == "quay at dawn"


@pytest.mark.parametrize(
    ("answer", "facts", "reason"),
    [
        (Running("", not_found=True), None, "the provider has no record of task_1"),
        (Running("waiting"), FACTS, "task_1 has not succeeded"),
        (Failed("review", "no"), FACTS, "task_1 has not succeeded"),
        (ANSWER, replace(FACTS, model="seedance-20-fast"), "made with seedance-20-fast, not with seedance-20"),
        (ANSWER, replace(FACTS, model=None), "made with an unknown model"),
        (Succeeded((), Decimal(120)), FACTS, "task_1 took 120 credits, and this take's price is 200"),
        (Succeeded(()), FACTS, "task_1 took None credits"),
    ],
)
def test_it_does_not_count_where_the_record_differs(answer: PollResult, facts: TaskFacts | None, reason: str) -> None:
    decided, history = claimed(shot("quay"))
    [(step, attempt)] = to_confirm(decided, history)
    assert reason in str(objection(step, attempt, answer, facts, history))


def test_it_does_not_count_with_a_clip_of_another_length() -> None:
    decided, history = claimed(shot("quay"))
    [(step, attempt)] = to_confirm(decided, history)
    short = replace(attempt, clip=Clip("clips/quay/take-1.mp4", "ab" * 32, 1, 1280, 720, 3.0))
    assert "lasts 3.0 s, not 5 s" in str(objection(step, short, ANSWER, FACTS, history))


def test_a_task_of_another_take_does_not_count() -> None:
    decided, history = claimed(shot("quay"))
    [(step, attempt)] = to_confirm(decided, history)
    other = replace(claim(plan(shot("boat")).steps[0]), id="m-other", accepted_at=START)
    history.load([replace(other, intent=after(History(), plan(shot("boat")).steps[0]).intent)])
    assert objection(step, attempt, ANSWER, FACTS, history) == "task_1 is another take's"


def test_a_take_whose_task_was_dropped_is_to_be_made() -> None:
    decided, history = claimed(shot("quay"))
    [(_, attempt)] = to_confirm(decided, history)
    history.forget(attempt.id)
    assert actions(plan(shot("quay"), history=history)) == ["make"]
