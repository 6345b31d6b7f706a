"""Every YAML example of the documentation compiles, and comes to what its page says."""

import shutil
from pathlib import Path

import pytest

from runner.language import compiler as language
from tests.docs.pages import ROOT, Block, blocks

_PLAIN = "shots:\n  - id: one\n    prompt: A lighthouse\n"


def _examples() -> list[tuple[str, Block]]:
    pages = ("docs/language.md", "docs/tutorial.md")
    all_blocks = [(page, block) for page in pages for block in blocks(ROOT / page) if block.kind == "yaml"]
    # An indented block is an excerpt of an example file, which is compiled as a whole elsewhere.
    return [(page, block) for page, block in all_blocks if not block.text.startswith(" ")]


def _whole(text: str) -> str:
    """A fragment with what a whole storyboard has besides."""
    if "storyboard:" not in text:
        text = f"storyboard: 1\n{text}"
    return text if "shots:" in text else text + _PLAIN


@pytest.mark.parametrize(("page", "block"), _examples(), ids=lambda value: getattr(value, "line", value))
def test_an_example_of_the_docs_has_no_problem(page: str, block: Block, tmp_path: Path) -> None:
    folder = tmp_path / "storyboards"
    shutil.copytree(ROOT / "storyboards/assets", folder / "assets", ignore=shutil.ignore_patterns("*.py", "drawing"))
    shutil.copytree(ROOT / "storyboards/shared", folder / "shared")
    film = folder / "example.yaml"
    film.write_text(_whole(block.text), "utf-8")
    batch, problems = language.compile([film], tmp_path, language.CompileOptions())
    assert [f"{page}:{block.line}: {problem.message}" for problem in problems.errors] == []
    assert list(batch.shots)


def _page_example(start: str) -> str:
    return next(block.text for _, block in _examples() if block.text.startswith(start) or start in block.text)


def test_the_matrix_example_comes_to_the_shots_that_its_page_names(tmp_path: Path) -> None:
    film = tmp_path / "spot.yaml"
    film.write_text(_whole(_page_example("spot-{{ city | slug }}")), "utf-8")
    batch, _ = language.compile([film], tmp_path, language.CompileOptions())
    assert [shot.id for shot in batch.shots] == [
        "spot-lisbon-wide-en",
        "spot-lisbon-wide-pt",
        "spot-lisbon-tall-en",
        "spot-lisbon-tall-pt",
        "spot-london-wide-en",
        "spot-london-tall-en",
        "spot-london-wide-pt",
    ]
