"""Single edits of a saved plan, half of them with a digest that belongs to them: none orders more."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo
from tests.builders.edited_plans import FILM, edited_text
from tests.commands.conftest import Host, hosts

TEXT = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
profiles:
  draft: {duration: 5}
shots:
  - {id: quay, prompt: "NAME, sunrise over the quay", scene: harbour}
  - {id: boats, prompt: "NAME, boats leave the harbour", takes: 2}
  - {id: sea, prompt: "NAME, the open sea", scene: harbour}
"""
CEILING = 180
"""Credits of the first command's ceiling: of the four takes, three are in the plan."""
PHRASES = {"sunrise over the quay": 1, "boats leave the harbour": 2, "the open sea": 1}
"""The takes that the storyboard asks for, by prompt."""
_SHARDS = 4


@pytest.fixture(scope="module")
def there() -> Iterator[Host]:
    with hosts() as start:
        yield start(seconds="0.1")


def violations(seed: int, there: Host, folder: Path) -> list[str]:
    """What an edited plan ordered beyond its storyboard, or beyond the lower of both ceilings."""
    dice, name = random.Random(seed), f"edit{seed}"
    repo = ContentRepo(folder / "film")
    repo.write(FILM, TEXT.replace("NAME", name))
    (repo.root / "storyboard.toml").write_text("")
    saved = repo.in_process("plan", FILM, "-o", "plan.json", "--exclude", "sea", **there.env)
    assert saved.code == 0, saved.err
    text = (repo.root / "plan.json").read_text()
    is_signed = dice.random() < 0.6
    new = edited_text(text, dice, is_signed=is_signed)
    (repo.root / "plan.json").write_text(new)
    elsewhere = there.env | {"STORYBOARD_STATE": str(folder / "other")} if is_signed else there.env
    limit = dice.choice([60, 120, CEILING, 1000])
    end = repo.storyboard("run", "--plan", "plan.json", "--yes", "--max-credits", str(limit), **elsewhere)
    tasks = [task for task in there.state["tasks"] if name in task["prompt"].split(",")]
    prompts = [task["prompt"].partition(", ")[2] for task in tasks]
    written = json.loads(new).get("ceiling") if end.code in (0, 1, 6) else None
    ceiling = min(limit, written if isinstance(written, int) else CEILING)
    wrong = [f"{prompt!r} is in no storyboard" for prompt in prompts if prompt not in PHRASES]
    wrong += [f"{prompts.count(p)} tasks for {p!r}" for p in set(prompts) if prompts.count(p) > PHRASES.get(p, 0)]
    wrong += [f"{60 * len(tasks)} credits over {ceiling}"] if 60 * len(tasks) > ceiling else []
    wrong += [f"exit {end.code}: {end.err[-800:]}"] if end.code not in (0, 1, 2, 3, 4) else []
    shutil.rmtree(folder)
    return [f"seed {seed}: {entry}" for entry in wrong]


@pytest.mark.parametrize("seed", range(10))
def test_an_edited_plan_orders_no_more_than_the_storyboards_and_both_ceilings(
    there: Host, tmp_path: Path, seed: int
) -> None:
    assert violations(seed, there, tmp_path / "edit") == []


@pytest.mark.long
@pytest.mark.parametrize("shard", range(_SHARDS))
def test_no_edit_of_a_plan_orders_more(there: Host, tmp_path: Path, shard: int) -> None:
    seeds = range(1000)[shard::_SHARDS]
    assert [wrong for seed in seeds for wrong in violations(seed, there, tmp_path / str(seed))] == []
