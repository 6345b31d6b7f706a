"""What each command prints with `--json` is what `storyboard schema` says of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
LOCAL = """\
storyboard: 1
title: The door
shots:
  - id: enter
    first_frame: door.png
    prompt: She pushes the door open
"""
DOCUMENTS = {
    "validate": ("validate", FILM),
    "plan": ("plan", FILM),
    "status": ("status", FILM),
    "spend": ("spend",),
    "settle": ("settle",),
    "verify": ("verify", FILM),
    "fetch": ("fetch", FILM),
    "prices": ("prices",),
    "doctor": ("doctor",),
}
"""A command line by the name of its schema."""


def schema(repo: ContentRepo, name: str) -> dict[str, Any]:
    """The schema as the command prints it."""
    printed: dict[str, Any] = json.loads(repo.storyboard("schema", name).out)
    return printed


def test_every_document_of_a_paid_film_holds_to_its_schema(paid_film: ContentRepo, host: Callable[..., Host]) -> None:
    env = host().env
    events = paid_film.storyboard("run", FILM, "--yes", "--json", **env).events
    checker = Draft7Validator(schema(paid_film, "run-event"))
    for event in events:
        checker.validate(event)
    assert [events[0]["event"], events[-1]["event"]] == ["plan", "done"]
    for name, words in DOCUMENTS.items():
        printed = paid_film.storyboard(*words, "--json", **env)
        Draft7Validator(schema(paid_film, name)).validate(printed.json)
        assert 1 in printed.json.values(), name  # the version


def test_a_plan_names_account_output_place_and_reason(paid_film: ContentRepo, host: Callable[..., Host]) -> None:
    there = host()
    plan = paid_film.storyboard("plan", FILM, "--json", **there.env).json
    assert plan["account"]["provider"] == "kinovi"
    [board] = plan["storyboards"]
    assert (board["profile"], board["output"]) == (None, "renders/film/kinovi")
    quay = board["shots"][0]
    assert (quay["scene"], quay["place"], quay["picked"]) == ("harbour", {"file": FILM, "line": 5}, None)
    [take] = quay["takes"]
    assert take["reason"] == {"code": "new", "text": "new", "changed": []}
    assert "callBackUrl" not in take["request"]


def test_a_changed_prompt_is_named_for_programs(paid_film: ContentRepo, host: Callable[..., Host]) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    text = (paid_film.root / FILM).read_text("utf-8")
    paid_film.write(FILM, text.replace("Sunrise", "Noon"))
    status = paid_film.storyboard("status", FILM, "--json", **there.env).json
    [take] = status["storyboards"][0]["shots"][0]["takes"]
    assert (take["action"], take["reason"]["code"], take["reason"]["changed"]) == (
        "make",
        "prompt-changed",
        ["prompt"],
    )
    assert (take["status"], take["retake"], take["clip"], take["expires_at"]) == (None, False, None, None)


def test_a_local_file_without_a_way_blocks_its_shot_and_leaves_the_price_out(film: ContentRepo) -> None:
    (film.root / "storyboards/door.png").write_bytes((Path(__file__).parents[1] / "providers/door.png").read_bytes())
    film.write(FILM, LOCAL)
    plan = film.storyboard("plan", FILM, "--provider", "kinovi", "--json").json
    Draft7Validator(schema(film, "plan")).validate(plan)
    [take] = plan["storyboards"][0]["shots"][0]["takes"]
    assert (take["action"], take["reason"]["code"]) == ("blocked", "material-blocked")
    assert take["request"]["inputs"]["urls"][0].startswith("file:storyboards/door.png#sha256=")
    assert (plan["totals"]["credits"], plan["totals"]["blocked_credits"]) == (0, take["credits"])
    [material] = plan["materials"]
    assert (material["name"], material["way"], material["host"]) == ("storyboards/door.png", None, None)


def test_where_a_storyboard_has_errors_every_command_prints_the_problems(film: ContentRepo) -> None:
    film.write(FILM, "storyboard: 1\ntitle: The quay\nshots:\n  - id: quay\n    prompt: The @mria\n    duration: x\n")
    for command in ("validate", "plan", "status"):
        printed = film.storyboard(command, FILM, "--json")
        assert printed.code == 3
        Draft7Validator(schema(film, "validate")).validate(printed.json)
        assert printed.json["valid"] is False
