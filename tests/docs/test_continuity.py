"""The page on continuity: each storyboard is right, is made at a provider, and does what the page says of it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.language import compiler as language
from runner.language.model import Batch
from tests.builders.content_repo import content
from tests.commands.conftest import Host, hosts
from tests.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs/continuity.md"
BOARDS = [block for block in blocks(PAGE) if block.kind == "yaml"]
OCTOBER = '[providers.kinovi]\nedition = "2026-10"\n'


def with_assets(folder: Path) -> None:
    shutil.copytree(ROOT / "storyboards/assets", folder / "assets", ignore=shutil.ignore_patterns("*.py", "drawing"))


def compiled(text: str, root: Path) -> Batch:
    with_assets(root / "storyboards")
    film = root / "storyboards/film.yaml"
    film.write_text(text, "utf-8")
    batch, problems = language.compile([film], root, language.CompileOptions())
    assert [problem.message for problem in problems] == []
    return batch


def board(shot: str) -> str:
    """The page's storyboard with that shot."""
    return next(block.text for block in BOARDS if f"id: {shot}\n" in block.text)


@pytest.mark.parametrize("block", BOARDS, ids=lambda block: f"line {block.line}")
def test_a_storyboard_has_neither_problem_nor_warning(block: Block, tmp_path: Path) -> None:
    assert list(compiled(block.text, tmp_path).shots)


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Host]]:
    with hosts() as start:
        yield start


@pytest.mark.parametrize(
    "block",
    [pytest.param(block, marks=[pytest.mark.long] if number != 1 else []) for number, block in enumerate(BOARDS)],
    ids=lambda block: f"line {block.line}",
)
def test_a_storyboard_is_made_at_a_provider(block: Block, start: Callable[..., Host], tmp_path: Path) -> None:
    film = content(tmp_path, block.text)
    with_assets(film.root / "storyboards")
    film.write("storyboard.toml", OCTOBER)
    paid = start("--edition", "2026-10")
    done = film.storyboard("run", "storyboards/film.yaml", "--max-credits", "600", "--concurrency", "10", **paid.env)
    assert done.code == 0, done.out + done.err


def test_shots_that_share_a_key_frame_wait_for_nothing_and_those_of_a_chain_do(tmp_path: Path) -> None:
    shared = compiled(board("arrive"), tmp_path / "shared")
    chained = compiled(board("stairs"), tmp_path / "chained")
    assert [shot.needs for shot in shared.shots] == [(), ()]
    assert [shot.needs for shot in chained.shots] == [(), ("quay",), ("enter",)]


def test_a_reference_sheet_sends_its_pictures_in_order_and_its_words_once(tmp_path: Path) -> None:
    counter, answer = compiled(board("counter"), tmp_path).shots
    assert counter.request.prompt == (
        "In the office (a cramped harbour office, tide tables on the wall, a brass lamp), @image1 @image2 (a woman in "
        "her thirties with short black hair and a long yellow oilskin coat) puts her suitcase on the counter"
    )
    assert "@image1 (an old ferryman, white beard, flat cap) looks from the suitcase to @image2 @image3" in (
        answer.request.prompt or ""
    )


def test_words_change_with_the_shots_and_a_new_state_leaves_earlier_requests_alone(tmp_path: Path) -> None:
    text = board("shelter")
    prompts = [shot.request.prompt or "" for shot in compiled(text, tmp_path / "all").shots]
    assert [("short black hair" in prompt, "wet black" in prompt, "torn" in prompt) for prompt in prompts] == [
        (True, False, False),
        (False, True, False),
        (False, True, True),
    ]
    first, _ = text.split("  - id: shelter")
    assert [shot.request.prompt for shot in compiled(first, tmp_path / "one").shots] == prompts[:1]
