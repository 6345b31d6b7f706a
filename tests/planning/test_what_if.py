"""`plan --what-if`: each number is what a plan with those settings says, and what keeps shots out is named."""

import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempts.events import Created, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.diagnostics.problem import Problem
from runner.editions.edition import Edition, load
from runner.language import compiler as language
from runner.language.compiler import CompileOptions
from runner.language.model import Batch
from runner.planning.plan import Plan
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.planning.what_if import WhatIfRow, compare
from runner.show.json.what_if import what_if_json
from runner.show.screens.what_if import what_if_screen
from tests.builders.plans import PAID, after, clip
from tests.show.test_json import holds

OCTOBER = load("2026-10")
FILM = "film.yaml"
VIDEO = "https://cdn.example.com/waltz.mp4"


def compiled(root: Path, options: CompileOptions) -> tuple[Batch, list[Problem]]:
    batch, problems = language.compile([root / FILM], root, options)
    return batch, problems.errors


def planned(batch: Batch, history: History, edition: Edition = OCTOBER) -> Plan:
    return build_plan(
        batch, history, ProviderTerms(PAID, edition, Decimal("0.005")), RepositoryFiles(lambda clip: True)
    )


def rows(root: Path, history: History, edition: Edition = OCTOBER) -> tuple[WhatIfRow, ...]:
    def compile_with(model: str, resolution: str) -> tuple[Batch, list[Problem]]:
        return compiled(root, CompileOptions(edition=edition, forced_output=(model, resolution)))

    return compare(edition, compile_with, lambda batch: planned(batch, history, edition))


def board(shots: list[dict[str, Any]]) -> str:
    assets = {"waltz": {"video": VIDEO, "seconds": 10}}
    return json.dumps({"storyboard": 1, "assets": assets, "shots": shots})


@st.composite
def films(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Shots with models, resolutions and lengths of their own; some refer to a video or to the take before them."""
    shots: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        shot: dict[str, Any] = {"id": f"s{number}", "prompt": f"Wave {number}"}
        if draw(st.booleans()):
            shot["model"] = draw(st.sampled_from(sorted(OCTOBER.models)))
        if draw(st.booleans()):
            shot["resolution"] = draw(st.sampled_from(["480p", "720p"]))
        shot["duration"] = draw(st.sampled_from([4, 5, 15, 5, 8, 20]))
        shot["takes"] = draw(st.integers(1, 3))
        made_from = draw(st.sampled_from(["words", "video", "frame"]))
        if made_from == "video":
            shot["prompt"] += " like @waltz"
        if made_from == "frame" and number:
            shot["first_frame"] = f"@s{number - 1}.last_frame"
        shots.append(shot)
    return shots


@settings(max_examples=25)
@given(film=films(), made=st.integers(0, 3))
def test_each_number_is_the_one_of_a_plan_with_those_settings(film: list[dict[str, Any]], made: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / FILM).write_text(board(film))
        history = History()
        batch, errors = compiled(root, CompileOptions(edition=OCTOBER))
        for step in planned(batch, history).steps[:made] if not errors else ():
            if step.fingerprint is not None and not step.upstream:
                stored = Stored(clip(step.shot.id, step.take))
                after(history, step, SendStarted(), Created(f"task_{step.shot.id}{step.take}"), Succeeded(()), stored)
        for row in rows(root, history):
            written = [{**shot, "model": row.model, "resolution": row.resolution} for shot in film]
            (root / FILM).write_text(board(written))
            as_written, errors_as_written = compiled(root, CompileOptions(edition=OCTOBER))
            if errors_as_written:
                assert row.credits is None
                assert {obstacle.why for obstacle in row.cannot} == {error.message for error in errors_as_written}
                continue
            totals = planned(as_written, history).totals
            assert totals.credits is not None
            assert totals.later_credits is not None
            assert (row.credits, row.cannot) == (totals.credits + totals.later_credits, ())


@pytest.fixture
def long_film(tmp_path: Path) -> Path:
    quay = {"id": "quay", "prompt": "A quay", "duration": 20, "model": "seedance2-5"}
    (tmp_path / FILM).write_text(board([quay, {"id": "ferry", "prompt": "A ferry like @waltz", "takes": 2}]))
    return tmp_path


def test_what_can_make_all_of_it_comes_first_and_the_cheapest_of_it_first(long_film: Path) -> None:
    found = rows(long_film, History())
    # quay: 20 s; ferry: twice (10 s of the video + 5 s)
    prices = {"480p": 20 * 26 + 30 * 16, "720p": 20 * 59 + 30 * 35, "1080p": Decimal("5438.4")}
    assert [(row.model, row.resolution, row.credits) for row in found[:3]] == [
        ("seedance2-5", resolution, credits) for resolution, credits in prices.items()
    ]
    assert all(row.credits is None for row in found[3:])


def test_what_keeps_a_shot_out_is_said_once_for_the_resolutions_that_share_it(long_film: Path) -> None:
    found = rows(long_film, History())
    holds("what-if", what_if_json(found, Decimal("0.005")))
    screen = what_if_screen(found, Decimal("0.005"), 100, color=False)
    reasons = [line.strip() for line in screen.splitlines() if "quay:" in line]
    why = "quay: `duration` is 20, but clips have 4 to 15 seconds"
    assert reasons == [
        f"seedance-20 480p, 720p, 1080p, 4k: {why}",
        f"seedance2-fast 480p, 720p: {why}",
        f"seedance2.0-mini 480p, 720p: {why}",
    ]


def test_a_request_without_a_price_keeps_its_shot_out(tmp_path: Path) -> None:
    (tmp_path / FILM).write_text(board([{"id": "quay", "prompt": "A quay", "inputs": {"cameraFixed": True}}]))
    first = rows(tmp_path, History())[0]
    assert first.credits is None
    assert [(obstacle.shot, obstacle.why) for obstacle in first.cannot] == [
        ("quay", "the price book has no price of seedance-20 480p")
    ]
