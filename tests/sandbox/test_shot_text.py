"""The words of a shot that come in two headers decide how its clip is drawn, and nothing else."""

import json
from pathlib import Path
from typing import Any

from runner.requests.shot_text import PROMPT_HEADER, SCENE_HEADER
from tests.sandbox.sandbox_client import SandboxClient, body, running_sandbox

SENT = "Wide. She waits at the quay (wet stone). Style: forest greens."


def _create(sandbox: SandboxClient, **headers: str) -> None:
    named = {PROMPT_HEADER: headers.get("prompt", ""), SCENE_HEADER: headers.get("scene", "")}
    answer = sandbox.http.post("/api/v1/jobs/createTask", json=body({"prompt": SENT}), headers=named)
    assert answer.status_code == 200, answer.text


def _specs(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "journal-1.jsonl").read_text().splitlines()]
    return [line["order"] for line in lines if line["event"] == "task"]


def test_the_drawing_knows_the_shots_own_words_and_its_scene(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        _create(sandbox, prompt="She waits at the %40quay.", scene="arrival%0AA boat comes in.")
        _create(sandbox)
    with_words, without = _specs(tmp_path)
    assert with_words["caption"] == "She waits at the @quay."
    assert with_words["shot"] == "She waits at the quay (wet stone)."
    assert with_words["scene"] == "arrival\nA boat comes in."
    assert with_words["prompt"] == without["prompt"] == SENT
    assert (without["caption"], without["shot"], without["scene"]) == ("", "", "")


def test_other_words_beside_an_equal_request_are_another_take_of_it(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        _create(sandbox, prompt="She waits.")
        _create(sandbox, prompt="He waits.")
    assert [spec["variation"] for spec in _specs(tmp_path)] == [0, 1]


def test_a_header_of_nonsense_is_drawn_as_it_is(tmp_path: Path) -> None:
    with running_sandbox(tmp_path) as sandbox:
        _create(sandbox, prompt="%FF%zz%", scene="%0A%00")
    (spec,) = _specs(tmp_path)
    assert spec["caption"].endswith("%zz%")
