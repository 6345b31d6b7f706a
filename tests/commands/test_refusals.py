"""What the provider refuses in words is told with our field, its line, and the material by its name."""

from collections.abc import Callable
from pathlib import Path

from tests.builders.content_repo import content
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]
BOARD = """\
storyboard: 1
title: The door
defaults:
  resolution: 480p
  duration: 4
assets:
  heroine: {image: "https://cdn.example.com/m.png"}
  alley: {image: "https://cdn.example.com/night.png"}
shots:
  - id: enter
    prompt: "@heroine walks down @alley"
"""
ERRORS = (
    '{"message": "Invalid request", "errors": [{"path": "inputs.outputResolution", "message": "not offered"}, '
    '{"path": ["inputs", "urls", 1], "message": "cannot be read"}]}'
)


def test_errors_of_a_refused_request_lead_to_field_line_and_material(tmp_path: Path, host: Start) -> None:
    film = content(tmp_path, BOARD)
    rule = f"{{on: create, do: {{status: 400, body: '{ERRORS}'}}}}"
    there = host("--faults", str(film.write("faults.yaml", f"faults: 1\nrules:\n  - {rule}\n")))
    said = film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (1, 0), said.err
    assert f'resolution ({FILM}:4): "not offered"' in said.out
    assert f'alley ({FILM}:8): "cannot be read"' in said.out
    told = " ".join(film.in_process("status", FILM, **there.env).out.split())
    assert f'resolution ({FILM}:4): "not offered"' in told
    raw = "Invalid request (inputs.outputResolution: not offered; inputs.urls.1: cannot be read)"
    assert film.manifest(variant="kinovi")["shots"][0]["takes"][0]["error"] == raw


def test_a_prompt_that_changed_after_a_refusal_is_told_as_a_change(tmp_path: Path, host: Start) -> None:
    film = content(tmp_path, BOARD)
    there = host("--faults", str(film.write("faults.yaml", "faults: 1\nrules:\n  - {on: create, do: {status: 400}}\n")))
    assert film.storyboard("run", FILM, "--yes", **there.env).code == 1
    film.write(FILM, BOARD.replace("walks down", "runs down"))
    plan = film.in_process("plan", FILM, **there.env).out
    assert 'the prompt: "@image1 −walks−" → "@image1 +runs+"' in plan


def test_json_has_the_providers_words_as_they_are(tmp_path: Path, host: Start) -> None:
    film = content(tmp_path, BOARD)
    rule = f"{{on: create, do: {{status: 400, body: '{ERRORS}'}}}}"
    there = host("--faults", str(film.write("faults.yaml", f"faults: 1\nrules:\n  - {rule}\n")))
    events = film.storyboard("run", FILM, "--yes", "--json", **there.env).events
    (refused,) = [event for event in events if event["event"] == "refused"]
    assert refused["message"].startswith("Invalid request (inputs.outputResolution: not offered;")


def test_a_picture_that_is_refused_later_is_named(tmp_path: Path, host: Start) -> None:
    film = content(tmp_path, BOARD)
    there = host("--faults", str(film.write("faults.yaml", "faults: 1\nrules:\n  - {on: task, do: {error: image}}\n")))
    said = film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (1, 1), said.err
    told = f"change heroine ({FILM}:7) or alley ({FILM}:8); it is not sent again until it changes"
    assert told in " ".join(said.out.split())
    assert told in " ".join(film.in_process("status", FILM, **there.env).out.split())


def test_a_request_that_is_refused_in_words_alone_is_told_with_what_they_can_mean(tmp_path: Path, host: Start) -> None:
    film = content(tmp_path, BOARD)
    rule = "{on: create, do: {status: 400, message: The image is too large}}"
    there = host("--faults", str(film.write("faults.yaml", f"faults: 1\nrules:\n  - {rule}\n")))
    said = film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (1, 0), said.err
    assert f"it may concern heroine ({FILM}:7) or alley ({FILM}:8)" in " ".join(said.out.split())


def test_a_storyboard_that_changed_meanwhile_is_told_by_its_shots_line(tmp_path: Path, host: Start) -> None:
    film = content(tmp_path, BOARD)
    rule = f"{{on: create, do: {{status: 400, stall: 3, body: '{ERRORS}'}}}}"
    there = host("--faults", str(film.write("faults.yaml", f"faults: 1\nrules:\n  - {rule}\n")))
    process = film.start("run", FILM, "--yes", **there.env)
    assert process.stderr is not None
    process.stderr.readline()  # it has read the storyboard and begun
    film.write(FILM, BOARD.replace("  resolution: 480p\n", "  # smaller\n\n\n  resolution: 720p\n"))
    out, _ = process.communicate(timeout=30)
    assert f'resolution ({FILM}:10): "not offered"' in out
