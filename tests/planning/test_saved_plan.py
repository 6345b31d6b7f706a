"""A saved plan as a value: its digest, the document read back, and each difference by its name."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from runner.attempts.events import (
    Clip,
    Created,
    Failed,
    NotSent,
    OutcomeUnknown,
    Output,
    Refused,
    SendStarted,
    Stored,
    Succeeded,
)
from runner.attempts.film import FilmName
from runner.attempts.history import History
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step
from runner.planning.plan_differences import compare, summary
from runner.planning.plan_inputs import PlanOverrides
from runner.planning.saved_plan import NotASavedPlan, SavedPlan, exact, orders_of, read_saved_plan
from runner.providers.transport.strict_json import parse
from runner.show.json.plan import PlanFacts, plan_json
from runner.show.json.saved_plan import saved_plan_json
from runner.show.text.escape import json_document
from tests.builders.plans import BOARD, BOARD_FILM, FREE, after, batch, last_frame, plan, plan_of, shot

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CLIP = Clip("clips/a/take-1.mp4", "0" * 64, 10, 1280, 720, 5.0)
DONE = (SendStarted(), Created("task_1"), Succeeded((Output("https://x.example/1.mp4"),)), Stored(CLIP))


def saved(decided: Plan, **fields: Any) -> SavedPlan:
    """The saved plan of a plan."""
    value = SavedPlan(
        id="plan-1",
        provider=decided.account.provider,
        host=decided.account.host,
        edition=decided.edition.name,
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        ceiling=exact(decided.totals.credits),
        films=tuple(board.film for board in decided.batch.storyboards),
        shots=frozenset(shot.key for shot in decided.shots),
        select=(),
        exclude=(),
        retake=(),
        again=(),
        first_take=False,
        orders=orders_of(decided),
        destinations=frozenset(),
    )
    return replace(value, **fields)


def body_of(step: Step) -> Mapping[str, Any]:
    return {"model": step.shot.request.model, "inputs": {"prompt": step.shot.request.prompt or ""}}


def text_of(decided: Plan, value: SavedPlan) -> str:
    """The document as it stands in the file."""
    facts = PlanFacts(lambda film: film.storyboard)
    return json_document(saved_plan_json(value, plan_json(decided, body_of, facts)), deep=2)


def document(decided: Plan, value: SavedPlan) -> Any:
    """The document as a program reads it back."""
    return parse(text_of(decided, value).encode())


def differences(value: SavedPlan, decided: Plan, history: History | None = None) -> list[tuple[str, str]]:
    return [(entry.code, entry.text) for entry in compare(value, decided, history or History(), body_of).differences]


def left_out(value: SavedPlan, decided: Plan, history: History | None = None) -> list[str]:
    return summary(compare(value, decided, history or History(), body_of).left_out)


# -- digest and document ------------------------------------------------------------------------------------


def test_the_document_is_read_back_with_the_digest_that_it_states() -> None:
    decided = plan(shot("a", takes=2), shot("b", materials=[last_frame("c")]), shot("c"))
    value = saved(decided)
    again = read_saved_plan(document(decided, value))
    assert again.digest == again.stated_digest == value.digest
    assert again.canonical_form == value.canonical_form
    assert [order.key[1:] for order in again.orders] == [("a", 1), ("a", 2), ("b", 1), ("c", 1)]
    assert {order.film for order in again.orders} == {BOARD_FILM}


@pytest.mark.parametrize("credits", ["0", "0.1", "42.3", "160", "1234567.125", "1000000000000"])
def test_a_price_has_one_text_before_and_after_the_document(credits: str) -> None:
    decided = plan(shot("a"))
    value = saved(decided, ceiling=exact(Decimal(credits)))
    assert read_saved_plan(document(decided, value)).digest == value.digest


def test_two_takes_of_one_request_are_one_order() -> None:
    decided = plan(shot("a", "dawn"), shot("b", "dawn"))
    assert len(read_saved_plan(document(decided, saved(decided))).orders) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"provider": "other"}, {"host": "kinovi.example"}, {"edition": "2026-10"}, {"ceiling": Decimal(201)},
        {"expires_at": NOW}, {"orders": ()},
    ],
)  # fmt: skip
def test_the_digest_holds_account_edition_time_ceiling_and_orders(fields: dict[str, Any]) -> None:
    value = saved(plan(shot("a")))
    assert replace(value, **fields).digest != value.digest


@pytest.mark.parametrize(
    "change", [{"take": 2}, {"fingerprint": "0" * 64}, {"credits": Decimal(201)}]
)  # fmt: skip
def test_the_digest_holds_request_take_and_price_of_each_order(change: dict[str, Any]) -> None:
    value = saved(plan(shot("a"), shot("b")))
    first, *rest = value.orders
    assert replace(value, orders=(first._replace(**change), *rest)).digest != value.digest
    assert replace(value, orders=(*rest, first)).digest == value.digest


@pytest.mark.parametrize("name", ["id", "account", "edition", "created_at", "expires_at", "ceiling", "command"])
def test_a_document_without_a_field_is_no_saved_plan_and_the_field_is_named(name: str) -> None:
    decided = plan(shot("a"))
    whole = document(decided, saved(decided))
    del whole[name]
    with pytest.raises(NotASavedPlan, match=name):
        read_saved_plan(whole)


def test_the_output_of_plan_json_is_no_saved_plan() -> None:
    decided = plan(shot("a"))
    with pytest.raises(NotASavedPlan, match="output of `plan --json`"):
        read_saved_plan(json.loads(json_document(plan_json(decided, body_of, PlanFacts(str)), deep=2)))


# -- what differs -------------------------------------------------------------------------------------------


def test_the_same_storyboards_are_what_the_plan_lists() -> None:
    decided = plan(shot("a", takes=2), shot("b", materials=[last_frame("c")]), shot("c"))
    assert differences(saved(decided), decided) == []
    assert left_out(saved(decided), decided) == []


def test_another_request_is_named_with_the_fields_that_changed() -> None:
    decided = plan(shot("a"))
    value = read_saved_plan(document(decided, saved(decided)))
    assert differences(value, plan(shot("a", "a at noon"))) == [
        ("request", "a take 1 asks for something else than it lists: prompt changed")
    ]
    assert differences(value, plan(shot("a", seconds=6))) == [
        ("request", "a take 1 asks for something else than it lists: what it is made from changed")
    ]


def test_a_take_more_and_a_higher_price_are_named() -> None:
    value = saved(plan(shot("a")))
    assert differences(value, plan(shot("a", takes=2), shot("b"))) == [
        ("take", "a take 2 is to be made (200 credits), and it does not list that take"),
        ("take", "b take 1 is to be made (200 credits), and it does not list that take"),
    ]
    cheaper = replace(value, orders=tuple(order._replace(credits=Decimal(199)) for order in value.orders))
    assert differences(cheaper, plan(shot("a"))) == [("price", "a take 1 costs 200 credits now, and 199 in it")]


def test_a_lower_price_and_a_renamed_shot_are_no_difference() -> None:
    value = saved(plan(shot("a", "dawn")))
    dearer = replace(value, orders=tuple(order._replace(credits=Decimal(300)) for order in value.orders))
    assert differences(dearer, plan(shot("renamed", "dawn"))) == []


def test_another_account_or_edition_is_named() -> None:
    decided = plan(shot("a"))
    texts = differences(saved(decided, host="kinovi.example", edition="2026-10"), decided)
    assert [code for code, _ in texts] == ["account", "edition"]


def test_an_address_that_the_plan_does_not_name_is_a_difference() -> None:
    decided = plan(shot("a"))
    value = saved(decided, destinations=frozenset({("callbacks", "https://a.example")}))
    for where, codes in (("https://a.example", []), ("https://b.example", ["destination"])):
        found = compare(value, decided, History(), body_of, [("callbacks", where)])
        assert [code for code, _ in found.differences] == codes
    assert compare(value, decided, History(), body_of).differences == ()


@pytest.mark.parametrize(
    ("payloads", "reason"),
    [
        (DONE, "made"),
        ((SendStarted(), Created("task_1")), "running"),
        ((SendStarted(), OutcomeUnknown("lost")), "unsettled"),
        ((SendStarted(), Refused(422, "no")), "refused"),
    ],
)
def test_a_listed_take_that_stands_otherwise_meanwhile_is_left_out(payloads: Any, reason: str) -> None:
    board, history = batch(shot("a"), shot("b")), History()
    decided = plan_of(board)
    after(history, decided.steps[0], *payloads)
    now = plan_of(board, history)
    assert differences(saved(decided), now, history) == []
    assert left_out(saved(decided), now, history) == [f"left out, {reason}: a take 1"]


@pytest.mark.parametrize(
    "payloads", [(NotSent("no connection"),), (SendStarted(), Created("t"), Failed("provider", "x"))]
)
def test_a_take_that_was_not_made_is_still_an_order(payloads: Any) -> None:
    board, history = batch(shot("a")), History()
    decided = plan_of(board)
    after(history, decided.steps[0], *payloads)
    assert left_out(saved(decided), plan_of(board, history), history) == []


def test_a_shot_that_left_or_is_skipped_is_left_out() -> None:
    value = saved(plan(shot("a"), shot("b"), shot("c")))
    assert left_out(value, plan(shot("a"), shot("b", skip=True))) == [
        "left out, skipped now: b take 1",
        "left out, no longer in the storyboard: c take 1",
    ]


def test_many_takes_with_one_reason_are_one_line() -> None:
    value = saved(plan(*(shot(f"s{number}") for number in range(9))))
    (line,) = left_out(value, plan(shot("other"), selected=frozenset()))
    assert line.endswith("s5 take 1 and 3 more")


def test_a_request_that_is_not_decided_is_listed_by_its_take_in_a_free_plan_only() -> None:
    board = batch(shot("a", takes=2), shot("b", materials=[last_frame("a")]))
    free = plan_of(board, account=FREE)
    assert [order.fingerprint for order in orders_of(free)][-1] is None
    assert differences(saved(free), free) == []


# -- selection and orders -----------------------------------------------------------------------------------


def test_a_selection_of_a_shot_that_is_gone_means_what_is_left_of_it() -> None:
    value = saved(plan(shot("a"), shot("b")), select=("a b",))
    assert value.selected(batch(shot("a"), shot("c"))) == frozenset({(BOARD_FILM, "a")})
    assert value.selected(batch(shot("a"), shot("b"), shot("c"))) == frozenset({(BOARD_FILM, "a"), (BOARD_FILM, "b")})
    assert saved(plan(shot("a"))).selected(batch(shot("b"))) is None


def test_a_selection_by_state_means_the_shots_that_were_in_that_state() -> None:
    value = saved(plan(shot("a")), select=("state:make",))
    assert value.selected(batch(shot("a"), shot("b"))) == frozenset({(BOARD_FILM, "a")})
    assert value.named(batch(shot("a"), shot("b")), ("state:refused",)) == frozenset({(BOARD_FILM, "a")})


def test_a_listed_retake_with_a_result_is_not_ordered_again() -> None:
    board, history = batch(shot("a")), History()
    after(history, plan_of(board).steps[0], *DONE)
    chosen = frozenset({(BOARD_FILM, "a")})
    retake = plan_of(board, history, overrides=PlanOverrides(retakes=chosen))
    value = saved(retake, retake=("a",))
    assert value.open_retakes(history, chosen) == chosen
    attempt = after(history, retake.steps[0], SendStarted(), Created("task_2"))
    assert value.open_retakes(history, chosen) == chosen
    assert attempt.intent.take == 2
    after(history, retake.steps[0], SendStarted(), Created("task_3"), *DONE[2:])
    assert value.open_retakes(history, chosen) == frozenset()


def test_a_plan_of_several_films_lists_each_request_once_and_names_the_film() -> None:
    tall, wide = (
        [shot("a", prompt, profile=profile), shot("b", profile=profile)]
        for profile, prompt in (("tall", "a tall tower"), ("wide", "a wide plain"))
    )
    decided = plan(*tall, *wide)
    value = read_saved_plan(document(decided, saved(decided)))
    assert value.films == (FilmName(BOARD, "tall"), FilmName(BOARD, "wide"))
    assert [(order.film.profile, order.shot) for order in value.orders] == [("tall", "a"), ("tall", "b"), ("wide", "a")]
    assert differences(value, decided) == []
    changed = plan(*tall, shot("a", "a plain at noon", profile="wide"), wide[1])
    assert differences(value, changed) == [
        ("request", "a take 1 (wide) asks for something else than it lists: prompt changed")
    ]
