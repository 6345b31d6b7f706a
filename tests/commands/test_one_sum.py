"""Status, plan, spend and a run's end show the same credits for the same storyboard at the same moment."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import Host, hosts
from tests.show.test_json import holds

FILM = "storyboards/film.yaml"
SHOTS = {
    "quay": "Sunrise over the quay",
    "lamp": "Look at the lamp",
    "net": "Look at the net",
    "wave": "Look at the wave",
    "sail": "Look at the sail",
    "boat": "Look at the boat",
}
"""Made, retaken and changed; unsettled; refused; charged in doubt, then made; running; doubtful."""
RULES = """\
faults: 1
rules:
  - {on: create, prompt: the lamp, do: {made: true, answer: none}}
  - on: create
    prompt: the net
    do: {status: 400, body: '{"message": "Invalid request", "errors": [{"path": "inputs.prompt", "message": "no"}]}'}
  - {on: create, prompt: the wave, times: 1, do: {made: false, status: 500, message: internal error}}
  - {on: task, prompt: the sail, do: {never_ends: true}}
  - {on: media, prompt: the boat, do: {changed: true}}
"""
PRICE = 60
SUMS = {"billed": 5 * PRICE, "in_flight": PRICE, "unsettled": PRICE, "maybe_charged": PRICE}
"""Billed: quay three times (as it was, retaken, changed), wave and boat."""
TEXT = "300 billed · 60 in flight · 60 unsettled · 60 maybe charged"


def film(**prompts: str) -> str:
    lines = [f"  - {{id: {id}, prompt: {prompt}}}\n" for id, prompt in (SHOTS | prompts).items()]
    head = "storyboard: 1\ntitle: The quay\nbudget: {credits: 4000}\n"
    return f"{head}defaults: {{resolution: 480p, duration: 4, aspect_ratio: 16:9}}\nshots:\n{''.join(lines)}"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ContentRepo, dict[str, str]]]:
    """A film with an attempt of every kind, and the environment of its account."""
    with hosts() as start:
        yield _make(content(tmp_path_factory.mktemp("world"), film()), start)


def _make(repo: ContentRepo, host: Callable[..., Host]) -> tuple[ContentRepo, dict[str, str]]:
    env = host("--faults", str(repo.write("faults.yaml", RULES))).env
    run = ("run", FILM, "--yes")
    first = repo.storyboard(*run, "--exclude", "sail", **env)
    assert first.code == 6, first.err
    retaken = repo.storyboard(*run, "--retake", "quay", **env)
    assert retaken.code == 0, retaken.out + retaken.err
    repo.write(FILM, film(quay="Noon over the quay"))
    changed = repo.storyboard(*run, "--select", "quay", **env)
    assert changed.code == 0, changed.out + changed.err
    running = repo.storyboard(*run, "--select", "sail", "--no-wait", **env)
    assert running.code == 9, running.out + running.err
    return repo, env


def sums(value: dict[str, Any]) -> dict[str, Any]:
    return {name: value[name] for name in SUMS}


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_every_command_shows_the_same_sums(world: tuple[ContentRepo, dict[str, str]]) -> None:
    repo, env = world
    status = repo.in_process("status", FILM, "--json", **env).json
    plan = repo.in_process("plan", FILM, "--json", **env).json
    bill = repo.in_process("spend", FILM, "--json", **env).json
    by_shot = repo.in_process("spend", FILM, "--by", "shot", "--json", **env).json
    unsettled = repo.storyboard("settle", "--json", **env).json
    validation = repo.in_process("validate", FILM, "--json", **env).json
    ended = repo.storyboard("run", FILM, "--yes", "--max-credits", "0", "--no-wait", "--json", **env).events

    documents = {
        "status": status, "plan": plan, "spend": bill, "settle": unsettled, "validate": validation,
    }  # fmt: skip
    for name, document in documents.items():
        holds(name, document)
    for event in ended:
        holds("run-event", event)

    assert status["totals"]["credits"] == SUMS
    assert sums(bill["total"]) == sums(by_shot["total"]) == SUMS
    assert {name: sum(line[name] for line in by_shot["lines"]) for name in SUMS} == SUMS
    assert ended[-1]["all_credits"] == SUMS
    states = [attempt["state"] for attempt in unsettled["unsettled"]]
    assert sorted(states) == ["maybe-charged", "unsettled"]
    counts = ("shots", "takes", "make", "wait", "resume", "keep", "unsettled", "refused", "blocked", "doubtful", "gone")
    assert [status["totals"][name] for name in counts] == [plan["totals"][name] for name in counts]

    assert TEXT in one_line(repo.in_process("plan", FILM, **env).out)
    assert TEXT in one_line(repo.storyboard("run", FILM, "--yes", "--max-credits", "0", "--no-wait", **env).out)
    screen = one_line(repo.in_process("status", FILM, **env).out)
    for label, amount in (("billed", 300), ("in flight", 60), ("unsettled", 60), ("maybe charged", 60)):
        assert f"{label} {amount} credits" in screen
    assert "120 of it for earlier versions, retakes and other profiles" in screen


def test_a_selection_does_not_change_what_was_spent_and_says_so(world: tuple[ContentRepo, dict[str, str]]) -> None:
    repo, env = world
    selected = ("status", FILM, "--select", "boat")
    assert repo.storyboard(*selected, "--json", **env).json["totals"]["credits"] == SUMS
    text = one_line(repo.storyboard(*selected, **env).out)
    assert "240 of it for shots that are not selected, earlier versions, retakes and other profiles" in text


def test_a_moved_storyboard_takes_its_bill_along(world: tuple[ContentRepo, dict[str, str]]) -> None:
    repo, env = world
    moved = "storyboards/harbour.yaml"
    (repo.root / FILM).rename(repo.root / moved)
    status = repo.in_process("status", moved, "--json", **env).json["totals"]["credits"]
    bill = json.loads(repo.in_process("spend", moved, "--json", **env).out)["total"]
    assert sums(bill) == status
    assert status["billed"] > 0
