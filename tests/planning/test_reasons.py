"""Reasons as data: every code that a plan gives, with the changed fields."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from runner.attempts.events import (
    Created,
    Doubtful,
    Failed,
    Lost,
    OutcomeUnknown,
    Payload,
    Refused,
    SendStarted,
    ServerError,
    Stored,
    Succeeded,
)
from runner.attempts.history import History
from runner.language.model import Shot
from runner.planning.plan_inputs import NO_OVERRIDES, PlanOverrides
from runner.planning.reason import RESERVED, Reason, ReasonCode
from runner.requests.request import LocalFile
from tests.builders.plans import BOARD_FILM, FREE, after, clip, last_frame, pick, plan, public_address, shot

MADE = (SendStarted(), Created("task_1"), Succeeded((), Decimal(200)), Stored(clip("quay")))
UNKNOWN = (SendStarted(), OutcomeUnknown("the line broke"))
DOOR = LocalFile("assets/door.png", "a" * 64, "image", 10)


def reasons(*shots: Shot, history: History | None = None, overrides: PlanOverrides = NO_OVERRIDES) -> list[Reason]:
    return [step.reason for step in plan(*shots, history=history, overrides=overrides).steps]


def after_events(*payloads: Payload) -> Reason:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *payloads)
    return reasons(quay, history=history)[0]


def after_change(before: Shot, now: Shot) -> Reason:
    history = History()
    after(history, plan(before).steps[0], *MADE)
    return reasons(now, history=history)[0]


def changed_prompt() -> Reason:
    return after_change(shot("quay", "the sea"), shot("quay", "the harbour"))


def changed_frame() -> Reason:
    return after_change(shot("quay", materials=[DOOR]), shot("quay", materials=[replace(DOOR, sha256="b" * 64)]))


def changed_reference() -> Reason:
    def by_reference(sha256: str) -> Shot:
        quay = shot("quay", materials=[replace(DOOR, sha256=sha256)])
        return quay._replace(request=quay.request._replace(mode="reference"))

    return after_change(by_reference("a" * 64), by_reference("b" * 64))


def changed_model() -> Reason:
    return after_change(shot("quay"), shot("quay", model="seedance2-fast"))


def changed_duration() -> Reason:
    return after_change(shot("quay"), shot("quay", seconds=8))


def changed_upstream() -> Reason:
    enter, history = shot("enter", materials=[last_frame("quay")]), History()
    for step in plan(shot("quay", "the sea"), enter).steps:
        after(history, step, *MADE)
    after(history, plan(shot("quay", "the harbour")).steps[0], *MADE)
    return reasons(shot("quay", "the harbour"), enter, history=history)[1]


def changed_pick() -> Reason:
    quay, enter, history = shot("quay", takes=2), shot("enter", materials=[last_frame("quay")]), History()
    first, second = plan(quay).steps
    for step in (first, second):
        after(history, step, *MADE)
    pick(history, first)
    after(history, plan(quay, enter, history=history).steps[2], *MADE)
    pick(history, second)
    return reasons(quay, enter, history=history)[2]


def kept() -> Reason:
    history = History()
    attempt = after(history, plan(shot("quay", "the sea")).steps[0], *MADE)
    asked = shot("quay", "the harbour")
    history.keep(attempt.id, plan(asked).steps[0].fingerprint)
    return reasons(asked, history=history)[0]


def drawn_by_an_earlier_version() -> Reason:
    quay, history = shot("quay"), History(drawing=7)
    attempt = after(history, plan(quay).steps[0], *MADE)
    history.attempts[attempt.id] = replace(attempt, intent=replace(attempt.intent, drawing=6))
    return plan(quay, history=history, account=FREE).steps[0].reason


def made_elsewhere() -> Reason:
    quay, history = shot("quay"), History()
    attempt = after(history, plan(quay).steps[0], *MADE)
    history.attempts[attempt.id] = replace(attempt, repository="/films/spot")
    decided = plan(quay, history=history, on_disk=lambda _: False, root="/films/ferry")
    return decided.steps[0].reason


def waits_for_run() -> Reason:
    quay, history = shot("quay"), History()
    attempt = after(history, plan(quay).steps[0], *MADE[:2])
    history.attempts[attempt.id] = replace(attempt, repository="/films/spot", held_elsewhere=True)
    return plan(quay, history=history, root="/films/ferry").steps[0].reason


def upstream_unsettled() -> Reason:
    quay, enter, history = shot("quay"), shot("enter", materials=[last_frame("quay")]), History()
    after(history, plan(quay).steps[0], *UNKNOWN)
    return reasons(quay, enter, history=history)[1]


def waiting(takes: int) -> Reason:
    return reasons(shot("quay", takes=takes), shot("enter", materials=[last_frame("quay")]))[-1]


def retake() -> Reason:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE)
    return reasons(quay, history=history, overrides=PlanOverrides(retakes=frozenset({(BOARD_FILM, "quay")})))[0]


def again() -> Reason:
    quay, history = shot("quay"), History()
    attempt = after(history, plan(quay).steps[0], SendStarted(), Refused(400, "bad ratio"))
    return reasons(quay, history=history, overrides=PlanOverrides(again=frozenset({attempt.id})))[0]


REACHED: dict[ReasonCode, tuple[Callable[[], Reason], str, tuple[str, ...]]] = {
    ReasonCode.NEW: (lambda: reasons(shot("quay"))[0], "new", ()),
    ReasonCode.PROMPT_CHANGED: (changed_prompt, 'the prompt: "the −sea−" → "the +harbour+"', ("prompt",)),
    ReasonCode.REFERENCE_CHANGED: (changed_reference, "the content of assets/door.png changed", ("references",)),
    ReasonCode.FRAME_CHANGED: (changed_frame, "the content of assets/door.png changed", ("first_frame",)),
    ReasonCode.MODEL_CHANGED: (changed_model, "model seedance-20 → seedance2-fast", ("model",)),
    ReasonCode.SETTING_CHANGED: (changed_duration, "duration 5 → 8", ("duration",)),
    ReasonCode.UPSTREAM_CHANGED: (
        changed_upstream,
        "quay changed, and this is made from quay's last frame",
        ("first_frame",),
    ),
    ReasonCode.PICK_CHANGED: (changed_pick, "quay's last frame is of take 2 now, was take 1", ("first_frame",)),
    ReasonCode.DRAWING_CHANGED: (drawn_by_an_earlier_version, "drawn by an earlier version", ()),
    ReasonCode.MADE: (lambda: after_events(*MADE), "made", ()),
    ReasonCode.MADE_ELSEWHERE: (made_elsewhere, "the same request was made for ../spot (2026-03-01)", ()),
    ReasonCode.KEPT: (kept, "yours, although the prompt has changed since", ("prompt",)),
    ReasonCode.RUNNING: (lambda: after_events(*MADE[:2]), "task_1 is waiting", ()),
    ReasonCode.TO_DOWNLOAD: (lambda: after_events(*MADE[:3]), "made; its clip is still to be downloaded", ()),
    ReasonCode.FAILED: (
        lambda: after_events(*MADE[:2], Failed("provider", "no capacity")),
        "failed last time: no capacity",
        (),
    ),
    ReasonCode.REFUSED: (lambda: after_events(*MADE[:2], Failed("face", "Face detected")), "Face detected", ()),
    ReasonCode.UNSETTLED: (lambda: after_events(*UNKNOWN), "the line broke", ()),
    ReasonCode.DOUBTFUL: (
        lambda: after_events(*MADE[:3], Doubtful(clip("quay"), "is 2.0 s long instead of 5 s")),
        "paid, and its clip is 2.0 s long instead of 5 s",
        (),
    ),
    ReasonCode.GONE: (lambda: after_events(*MADE[:3], Lost("expired")), "expired", ()),
    ReasonCode.MATERIAL_BLOCKED: (
        lambda: plan(shot("door", materials=[DOOR]), can_publish=public_address).steps[0].reason,
        f"{DOOR.path} has no public address",
        (),
    ),
    ReasonCode.UPSTREAM_BLOCKED: (upstream_unsettled, "quay is unsettled", ()),
    ReasonCode.WAITS_FOR_SHOT: (lambda: waiting(1), "for quay, which a run makes first", ()),
    ReasonCode.WAITS_FOR_PICK: (lambda: waiting(2), "pick a take of quay", ()),
    ReasonCode.WAITS_FOR_RUN: (waits_for_run, "the run of ../spot makes it", ()),
    ReasonCode.RETAKE: (retake, "another take", ()),
    ReasonCode.AGAIN: (again, "again, by --again", ()),
}


@pytest.mark.parametrize("code", REACHED)
def test_a_plan_gives_the_code_with_its_text_and_the_changed_fields(code: ReasonCode) -> None:
    reason_of, text, changed = REACHED[code]
    assert reason_of() == Reason(code, text, changed)


OF_A_RUN = {ReasonCode.MATERIAL_UNREACHABLE}
"""Found out by a run alone, which opens connections."""


def test_every_code_is_given_by_a_plan_or_by_a_run_or_reserved() -> None:
    assert REACHED.keys() | RESERVED | OF_A_RUN == set(ReasonCode)
    assert not REACHED.keys() & RESERVED


def test_of_several_changes_the_code_is_of_the_authors_own_words_and_all_fields_are_named() -> None:
    reason = after_change(shot("quay", "the sea"), shot("quay", "the harbour", seconds=8, resolution="1080p"))
    assert reason.code is ReasonCode.PROMPT_CHANGED
    assert reason.changed == ("resolution", "duration", "prompt")


def test_a_material_more_is_a_change_of_its_field() -> None:
    reason = after_change(
        shot("quay", materials=[DOOR]), shot("quay", materials=[DOOR, replace(DOOR, sha256="b" * 64)])
    )
    assert (reason.code, reason.changed) == (ReasonCode.FRAME_CHANGED, ("last_frame",))


def test_a_charge_in_doubt_is_a_failure_that_says_so() -> None:
    reason = after_events(SendStarted(), ServerError("oops"))
    assert reason == Reason(ReasonCode.FAILED, "the server failed last time, maybe charged: oops")


def test_a_doubtful_clip_whose_fault_no_manifest_names_did_not_pass_a_check() -> None:
    assert after_events(*MADE[:3], Doubtful(clip("quay"), "")).text == "paid, and its clip did not pass a check"
