"""What programs read holds to its schema, field by field."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from runner.attempts.film import FilmName
from runner.attempts.sums import sum_credits
from runner.diagnostics.problem import Place, Problem, Problems
from runner.editions.edition import load
from runner.planning.plan import Plan, Step
from runner.providers.kinovi.request_body import encode
from runner.requests.placeholder import placeholder
from runner.requests.request import JsonValue
from runner.show.json.plan import PlanFacts, plan_json
from runner.show.json.problems import problems_json
from runner.show.json.run import event_json
from runner.show.json.status import status_json
from runner.show.screens.status import StatusReport
from runner.show.text.escape import json_document
from runner.store.manifest.composing import compose
from tests.builders.screen_films import KINOVI, NOON, SANDBOX, edited_series, ferry, history, matrix, plan
from tests.show.driver import story
from tests.show.test_plan import FILMS, HALF_MADE

SCHEMAS = Path(__file__).parents[2] / "schemas"


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return found


def holds(name: str, value: Mapping[str, object]) -> None:
    """The value, as it comes back from JSON, is what the schema says."""
    Draft7Validator(schema(name)).validate(json.loads(json.dumps(value, allow_nan=False)))


def read(shape: Mapping[str, object]) -> Any:
    """What a program reads of what is printed."""
    return json.loads(json_document(shape, deep=2))


def body_of(step: Step) -> Mapping[str, JsonValue]:
    return encode(step.shot.request, load("classic"), placeholder)


WARNING = Problem("x", Place("storyboards/ferry.yaml", 14, 3, "shots[0]"), "square", "crop it", "warning")


def output_of(film: FilmName) -> str:
    return "renders/ferry/kinovi"


FACTS = PlanFacts(output_of, [WARNING])


@pytest.mark.parametrize("name", FILMS)
def test_every_plan_holds_to_its_schema(name: str) -> None:
    holds("plan", read(plan_json(FILMS[name](), body_of, FACTS)))


def test_a_plan_says_what_each_take_costs_and_the_totals_what_is_newly_ordered() -> None:
    film = FILMS["ferry-half"]()
    shown = read(plan_json(film, body_of, FACTS))
    takes = {(shot["id"], take["take"]): take for shot in shown["storyboards"][0]["shots"] for take in shot["takes"]}
    assert takes["SH010", 1]["action"] == "keep"
    assert takes["SH010", 1]["credits"] == 160
    assert takes["SH080", 1]["waits_for"] == "pick"
    assert takes["SH080", 1]["fingerprint"] is None
    assert shown["totals"]["credits"] == 2560
    assert shown["totals"]["usd"] == "12.80"
    assert shown["totals"]["later"] == {"credits": 480, "usd": "2.40"}
    assert (
        sum(
            shown["totals"][action]
            for action in ("make", "wait", "resume", "keep", "unsettled", "refused", "blocked", "gone")
        )
        == shown["totals"]["takes"]
    )


def test_whole_credits_are_integers_and_parts_are_not() -> None:
    shown = read(plan_json(plan(matrix()), body_of, FACTS))
    price = shown["storyboards"][0]["shots"][0]["takes"][0]["credits"]
    assert isinstance(price, int)
    assert shown["storyboards"][0]["shots"][0]["takes"][0]["usd"] == "0.20"


def test_a_request_is_the_body_as_it_will_be_sent_with_placeholders() -> None:
    shown = read(plan_json(plan(ferry()), body_of, FACTS))
    request = shown["storyboards"][0]["shots"][1]["takes"][0]["request"]
    assert request["inputs"]["urls"] == ["@SH010.last_frame"]
    first = shown["storyboards"][0]["shots"][0]["takes"][0]["request"]["inputs"]["urls"][0]
    assert first.startswith("file:storyboards/assets/maria.png#sha256=")


@pytest.mark.parametrize("account", [KINOVI, SANDBOX], ids=["paid", "free"])
def test_every_event_of_a_run_holds_to_its_schema(account: Any) -> None:
    for news in story(plan(ferry(), account=account)):
        holds("run-event", event_json(news))


def test_the_last_event_says_how_every_take_ended() -> None:
    *_, done = [event_json(news) for news in story(plan(ferry()))]
    shown: Any = done
    assert shown["event"] == "done"
    assert shown["exit_code"] == 6
    assert [fate["shot"] for fate in shown["unsettled"]] == ["SH160"]
    assert len(shown["made"]) == 25
    assert [fate["shot"] for fate in shown["waiting"]] == ["SH020", "SH080", "SH140", "SH200"]


def test_problems_hold_to_their_schema() -> None:
    error = replace(WARNING, severity="error", code="unknown-name", hint="")
    holds("validate", json.loads(problems_json(Problems([WARNING, error]))))
    holds("validate", json.loads(problems_json(Problems())))


def standing(film: Plan) -> StatusReport:
    past = history(film, HALF_MADE, {"SH010": 2})
    standing_plan = plan(*film.batch.storyboards, account=film.account, history=past)
    sums = {film.batch.storyboards[0].path: sum_credits(past.own())}
    return StatusReport(standing_plan, past, NOON, zone=UTC, sums=sums)


def test_status_holds_to_its_schema_and_its_sums_to_its_takes() -> None:
    shown = read(status_json(standing(plan(ferry())), output_of))
    holds("status", shown)
    assert shown["totals"]["credits"] == {
        "billed": 1440,
        "in_flight": 160,
        "unsettled": 160,
        "maybe_charged": 0,
    }
    assert shown["totals"]["usd"]["billed"] == "7.20"
    (take,) = next(shot for shot in shown["storyboards"][0]["shots"] if shot["id"] == "SH030")["takes"]
    assert take["clip"]["path"].endswith("SH030/take-1.mp4")
    assert take["expires_at"] == "2026-12-05T12:00:00.000Z"


def test_status_has_the_films_time_by_its_cut_and_of_a_selection_that_of_its_shots() -> None:
    film = edited_series()
    reports = [
        StatusReport(decided, history(decided, {}), NOON) for decided in (plan(film), plan(film, selected={"S0001"}))
    ]
    assert [read(status_json(report, output_of))["totals"]["film_seconds"] for report in reports] == [12, 3]


def test_a_manifest_holds_to_its_schema() -> None:
    film = plan(ferry())
    past = history(film, HALF_MADE, {"SH010": 2})
    holds("manifest", compose(plan(ferry(), history=past), past, FilmName("storyboards/ferry.yaml")))
