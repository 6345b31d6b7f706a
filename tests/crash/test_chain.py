"""A chain of five shots whose frames are uploaded, killed at each boundary from the upload to the stored clip.

A boundary is a state in which a kill can leave the disk or the provider: after each send, sync, rename and unlink.
Started again, and settled by the provider's journal where nobody can know, it is always five creates and five clips.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .prepared import PreparedProgram
from .programs import AT_ONCE, Programs
from .scenario import Film, Provider, Scenario, sandbox_server

CHAIN = Film(
    """\
storyboard: 1
title: {name}
assets:
  maria: maria.png
defaults: {{resolution: 480p, duration: 4}}
shots:
  - {{id: s1, prompt: "{name}, @maria comes down the stairs"}}
  - {{id: s2, prompt: "{name}, the quay", first_frame: "@s1.last_frame"}}
  - {{id: s3, prompt: "{name}, the door", first_frame: "@s2.last_frame"}}
  - {{id: s4, prompt: "{name}, the office", first_frame: "@s3.last_frame"}}
  - {{id: s5, prompt: "{name}, the mug", first_frame: "@s4.last_frame"}}
""",
    {"comes down the stairs": "s1", "the quay": "s2", "the door": "s3", "the office": "s4", "the mug": "s5"},
    300,
    '[providers.kinovi]\nedition = "2026-10"\n[publish]\nways = ["upload"]\n',
    ("maria.png",),
)
_SHARDS = 8
_CHANGES = ("send", "fsync", "fdatasync", "rename", "unlink")
"""Calls after which the disk or the provider is in another state."""


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with sandbox_server("--seconds", "0.1", "--edition", "2026-10") as server:
        yield server


@pytest.fixture(scope="module")
def boundaries(programs: Programs, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """The calls (from 1) of a whole run that follow a change, from the first request to the end."""
    with programs.borrow() as program:
        whole = Scenario(tmp_path_factory.mktemp("whole") / "film", "whole", provider, program, film=CHAIN)
        calls = whole.cut(0, "")
    assert whole.runs[-1].code == 0, whole.runs[-1].output
    first = next(at for at, call in enumerate(calls) if call.startswith("send"))
    return [at + 2 for at in range(first, len(calls)) if calls[at].startswith(_CHANGES)]


def settle_by_the_journal(scenario: Scenario) -> None:
    """Settle each unsettled attempt as the provider's journal has it."""
    told = json.loads(scenario.program("settle", "--provider", "kinovi", "--json").output)
    tasks = {task["prompt"]: task["taskId"] for task in scenario.provider.state()["tasks"]}
    for attempt in told["unsettled"]:
        shot = attempt["shot"]
        phrase = next(phrase for phrase, name in CHAIN.phrases.items() if name == shot)
        task = next(
            (task for prompt, task in tasks.items() if prompt.startswith(scenario.name) and phrase in prompt), ""
        )
        ended = scenario.program(
            "settle", shot, "--provider", "kinovi", *(("--task", task) if task else ("--not-charged",))
        )
        assert ended.code == 0, ended.output


def harm(at: int, program: PreparedProgram, provider: Provider, folder: Path) -> list[str]:
    """What is wrong after a kill at a call, a run, a settlement where it is needed, and another run."""
    scenario = Scenario(folder / f"at{at}", f"chain{at}", provider, program, film=CHAIN)
    scenario.cut(at, "before")
    if scenario.run().code == 6:
        settle_by_the_journal(scenario)
        scenario.run()
    violations = [*scenario.violations(), *scenario.losses()]
    if (code := scenario.runs[-1].code) != 0:
        violations.append(f"exit {code}: {scenario.runs[-1].output[-1500:]}")
    if (created := sum(provider.tasks(scenario.name).values())) != len(CHAIN.phrases):
        violations.append(f"{created} creates")
    shutil.rmtree(scenario.folder)
    return violations


def try_boundaries(points: Sequence[int], programs: Programs, provider: Provider, folder: Path) -> dict[int, list[str]]:
    """The violations by point, where there are any; several at a time, since a run mostly waits."""

    def point(at: int) -> tuple[int, list[str]]:
        with programs.borrow() as program:
            return at, harm(at, program, provider, folder)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return {at: violations for at, violations in pool.map(point, points) if violations}


@pytest.mark.parametrize("at", [260, 620, 1080])
def test_a_chain_that_was_killed_is_five_creates_and_five_clips(
    at: int, program: PreparedProgram, provider: Provider, tmp_path: Path
) -> None:
    assert harm(at, program, provider, tmp_path) == []


@pytest.mark.long
@pytest.mark.parametrize("shard", range(_SHARDS))
def test_no_boundary_of_the_chain_costs_a_create_or_a_clip(
    boundaries: list[int], programs: Programs, provider: Provider, tmp_path: Path, shard: int
) -> None:
    part, parts = (int(number) for number in os.environ.get("CRASH_SHARD", "1/1").split("/"))
    points = boundaries[part - 1 :: parts][shard::_SHARDS]
    print(f"{shard + 1}/{_SHARDS}:", len(points), "of", len(boundaries), "boundaries")
    assert try_boundaries(points, programs, provider, tmp_path) == {}
