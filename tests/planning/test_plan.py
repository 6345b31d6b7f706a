"""What a run would do with each take, and why."""

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.attempts.events import (
    Created,
    Failed,
    Lost,
    NotSent,
    OutcomeUnknown,
    Payload,
    Refused,
    Running,
    SendStarted,
    ServerError,
    Stored,
    Succeeded,
)
from runner.attempts.history import History
from runner.planning.plan import Action
from runner.planning.plan_inputs import PlanOverrides
from runner.requests.request import LocalFile, RemoteFile
from tests.builders.plans import (
    BOARD_FILM,
    FREE,
    actions,
    after,
    clip,
    last_frame,
    pick,
    plan,
    public_address,
    renamed,
    shot,
    summary,
)

MADE = (SendStarted(), Created("task_1"), Succeeded((), Decimal(200)), Stored(clip("quay")))


def test_a_new_shot_is_made_for_its_price() -> None:
    decided = plan(shot("quay", takes=3))
    assert summary(decided) == [("quay", take, "make", "new") for take in (1, 2, 3)]
    assert decided.totals.credits == 600
    assert decided.totals.seconds == 15


def test_a_take_whose_material_has_no_way_to_the_provider_is_blocked_and_in_no_price() -> None:
    picture = LocalFile("assets/door.png", "a" * 64, "image", 100)
    address = RemoteFile("https://acme.example/door.png", "image")
    shots = (
        shot("quay", takes=2),
        shot("door", materials=[picture]),
        shot("gate", materials=[address]),
        shot("stairs", materials=[last_frame("quay")]),
    )
    decided = plan(*shots, can_publish=public_address)
    assert actions(decided) == ["make", "make", "blocked", "make", "blocked"]
    assert [step.unpublished for step in decided.steps] == [(), (), (picture,), (), (last_frame("quay"),)]
    assert decided.totals.credits == 600
    assert decided.totals.blocked_credits == 400
    assert decided.totals.later_takes == 0


def test_takes_of_one_shot_are_different_clips() -> None:
    marks = {step.fingerprint for step in plan(shot("quay", takes=3)).steps}
    assert len(marks) == 3


@pytest.mark.parametrize(
    ("happened", "action", "reason"),
    [
        (MADE, "keep", "made"),
        (MADE[:3], "resume", "made; its clip is still to be downloaded"),
        (MADE[:2], "resume", "task_1 is waiting"),
        ((*MADE[:2], Running("generating")), "resume", "task_1 is generating"),
        ((SendStarted(), OutcomeUnknown("the line broke")), "unsettled", "the line broke"),
        ((SendStarted(), Refused(400, "bad ratio")), "refused", "bad ratio"),
        ((*MADE[:2], Failed("face", "Face detected")), "refused", "Face detected"),
        (
            (*MADE[:2], Failed("provider", "Video generation failed")),
            "make",
            "failed last time: Video generation failed",
        ),
        ((NotSent("connection refused"),), "make", "new"),
        ((SendStarted(), ServerError("oops")), "make", "the server failed last time, maybe charged: oops"),
        ((*MADE[:3], Lost("expired")), "gone", "expired"),
    ],
)
def test_what_happened_decides_what_is_done(happened: tuple[Payload, ...], action: str, reason: str) -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *happened)
    assert summary(plan(quay, history=history)) == [("quay", 1, action, reason)]


@pytest.mark.parametrize("end", [OutcomeUnknown("the line broke"), Lost("expired")])
def test_on_a_free_account_doubt_and_loss_are_simply_made_again(end: Payload) -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE[:2], end)
    assert actions(plan(quay, history=history, account=FREE)) == ["make"]


def test_a_made_clip_that_is_not_on_disk_is_fetched_for_nothing() -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE)
    decided = plan(quay, history=history, on_disk=lambda clip: False)
    assert actions(decided) == ["resume"]
    assert decided.totals.credits == 0


def test_a_renamed_shot_is_free() -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE)
    assert actions(plan(renamed(quay, "pier"), history=history)) == ["keep"]


def test_more_takes_pay_only_for_those_that_are_more() -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE)
    decided = plan(quay._replace(takes=3), history=history)
    assert actions(decided) == ["keep", "make", "make"]
    assert decided.totals.credits == 400


def test_fewer_takes_pay_nothing_and_going_back_to_more_neither() -> None:
    quay, history = shot("quay")._replace(takes=3), History()
    for step in plan(quay).steps:
        after(history, step, *MADE)
    for takes in (1, 3):
        decided = plan(quay._replace(takes=takes), history=history)
        assert actions(decided) == ["keep"] * 3
        assert [step.is_retake for step in decided.steps] == [number > takes for number in (1, 2, 3)]
        assert decided.totals.credits == 0


def test_a_changed_prompt_is_made_anew_and_shows_the_words() -> None:
    history = History()
    after(history, plan(shot("quay", "the sea at dawn")).steps[0], *MADE)
    decided = plan(shot("quay", "the harbour at dawn"), history=history)
    assert summary(decided) == [("quay", 1, "make", 'the prompt: "the −sea−" → "the +harbour+"')]


def test_putting_the_old_text_back_costs_nothing() -> None:
    history = History()
    after(history, plan(shot("quay", "the sea")).steps[0], *MADE)
    after(history, plan(shot("quay", "the harbour")).steps[0], *MADE)
    assert actions(plan(shot("quay", "the sea"), history=history)) == ["keep"]


def test_re_flowing_a_prompt_costs_nothing() -> None:
    history = History()
    after(history, plan(shot("quay", "the sea\nat dawn")).steps[0], *MADE)
    assert actions(plan(shot("quay", "the sea  at dawn"), history=history)) == ["keep"]


def test_a_local_file_that_moves_costs_nothing_and_one_that_changes_is_named() -> None:
    door = LocalFile("assets/door.png", "a" * 64, "image", 10)
    history = History()
    after(history, plan(shot("enter", materials=[door])).steps[0], *MADE)
    moved = shot("enter", materials=[replace(door, path="art/door.png")])
    assert actions(plan(moved, history=history)) == ["keep"]
    painted = shot("enter", materials=[replace(door, sha256="b" * 64)])
    assert summary(plan(painted, history=history)) == [("enter", 1, "make", "the content of assets/door.png changed")]


def test_a_shot_made_from_another_waits_for_it_and_is_paid_in_this_run() -> None:
    decided = plan(shot("quay"), shot("enter", materials=[last_frame("quay")]))
    assert summary(decided)[1] == ("enter", 1, "wait", "for quay, which a run makes first")
    assert decided.totals.credits == 400
    assert decided.steps[1].fingerprint is not None


def test_order_in_the_file_does_not_matter_to_what_is_made_from_what() -> None:
    decided = plan(shot("enter", materials=[last_frame("quay")]), shot("quay"))
    assert actions(decided) == ["wait", "make"]


def test_a_shot_made_from_a_made_clip_is_made() -> None:
    quay, enter, history = shot("quay"), shot("enter", materials=[last_frame("quay")]), History()
    after(history, plan(quay).steps[0], *MADE)
    assert actions(plan(quay, enter, history=history)) == ["keep", "make"]


def test_several_takes_without_a_pick_make_what_follows_wait_for_later() -> None:
    chain = (
        shot("quay", takes=2),
        shot("enter", materials=[last_frame("quay")]),
        shot("after", materials=[last_frame("enter")]),
    )
    decided = plan(*chain)
    assert summary(decided)[2:] == [
        ("enter", 1, "wait", "pick a take of quay"),
        ("after", 1, "wait", "pick a take of quay"),
    ]
    assert {step.waits_for for step in decided.steps[2:]} == {"pick"}
    assert decided.totals.credits == 400
    assert decided.totals.later_credits == 400


def test_a_pick_decides_what_follows_and_another_pick_makes_it_anew() -> None:
    quay, enter, history = shot("quay", takes=2), shot("enter", materials=[last_frame("quay")]), History()
    first, second = plan(quay).steps
    after(history, first, *MADE)
    after(history, second, *MADE)
    pick(history, first)
    step = plan(quay, enter, history=history).steps[2]
    assert step.action is Action.MAKE
    after(history, step, *MADE)
    pick(history, second)
    assert summary(plan(quay, enter, history=history))[2] == (
        "enter",
        1,
        "make",
        "quay's last frame is of take 2 now, was take 1",
    )


def test_a_pin_goes_on_without_a_pick() -> None:
    decided = plan(shot("quay", takes=2), shot("enter", materials=[last_frame("quay", 2)]))
    assert summary(decided)[2] == ("enter", 1, "wait", "for quay, which a run makes first")


def test_the_sandbox_goes_on_with_the_first_take_that_succeeded_once_all_have_ended() -> None:
    quay, enter, history = shot("quay", takes=2), shot("enter", materials=[last_frame("quay")]), History()
    first, second = plan(quay).steps
    after(history, first, *MADE[:2], Failed("provider", "failed"))
    waiting = plan(quay, enter, history=history, account=FREE)
    assert actions(waiting) == ["make", "make", "wait"]
    assert waiting.totals.later_credits == 0
    after(history, first, *MADE[:2], Failed("other", "no"), shot_id="quay")
    after(history, second, *MADE)
    after(history, first, *MADE)
    decided = plan(quay, enter, history=history, account=FREE)
    assert actions(decided) == ["keep", "keep", "make"]
    assert decided.steps[2].upstream[0].take == 1


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        ((SendStarted(), OutcomeUnknown("the line broke")), "quay is unsettled"),
        ((SendStarted(), Refused(400, "no")), "quay is refused"),
    ],
)
def test_what_will_not_come_blocks_what_is_made_from_it(happened: tuple[Payload, ...], reason: str) -> None:
    chain = (
        shot("quay"),
        shot("enter", materials=[last_frame("quay")]),
        shot("after", materials=[last_frame("enter")]),
    )
    history = History()
    after(history, plan(*chain).steps[0], *happened)
    decided = plan(*chain, history=history)
    assert summary(decided)[1:] == [("enter", 1, "blocked", reason), ("after", 1, "blocked", "enter is blocked")]
    assert decided.totals.credits == 0


def test_a_selection_never_buys_what_was_not_selected() -> None:
    quay, enter = shot("quay"), shot("enter", materials=[last_frame("quay")])
    decided = plan(quay, enter, selected=frozenset({enter.key}))
    assert summary(decided) == [("enter", 1, "blocked", "quay is not selected, and has no clip")]


def test_a_selection_uses_clips_that_exist() -> None:
    quay, enter, history = shot("quay"), shot("enter", materials=[last_frame("quay")]), History()
    after(history, plan(quay).steps[0], *MADE)
    decided = plan(quay, enter, history=history, selected=frozenset({enter.key}))
    assert summary(decided) == [("enter", 1, "make", "new")]


def test_a_skipped_shot_has_no_takes_and_blocks_what_needs_it() -> None:
    decided = plan(shot("quay", skip=True), shot("enter", materials=[last_frame("quay")]))
    assert summary(decided) == [("enter", 1, "blocked", "quay is skipped, and has no clip")]


def test_equal_requests_are_made_once_and_paid_once() -> None:
    decided = plan(shot("quay", "the same"), shot("pier", "the same"))
    assert summary(decided)[1] == ("pier", 1, "wait", "the same request as quay: one clip serves both, paid once")
    assert decided.totals.credits == 200


def test_an_unknown_price_makes_the_total_unknown() -> None:
    decided = plan(shot("quay", model="seedance2-fast", resolution="1080p"), shot("pier"))
    assert decided.steps[0].price.credits is None
    assert decided.totals.credits is None


@pytest.mark.parametrize("takes", [1, 2])
def test_a_long_chain_is_decided_without_recursion(takes: int) -> None:
    shots = [shot("s0", takes=takes)] + [shot(f"s{n}", materials=[last_frame(f"s{n - 1}")]) for n in range(1, 3000)]
    assert actions(plan(*shots))[-1] == "wait"


def test_a_retake_of_what_begins_on_a_shot_without_a_clip_is_blocked_since_the_run_makes_nothing_else() -> None:
    overrides = PlanOverrides(retakes=frozenset({(BOARD_FILM, "walk")}))
    decided = plan(shot("quay"), shot("walk", materials=[last_frame("quay")]), overrides=overrides)
    assert [(step.key[1:], step.action, step.reason.text) for step in decided.steps] == [
        (("walk", 1), Action.BLOCKED, "quay has no clip, and --retake makes only the takes it names")
    ]
