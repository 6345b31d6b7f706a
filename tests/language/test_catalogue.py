"""The catalogue of problems is the one source: of `storyboard explain`, and of docs/problems.md."""

import re
from pathlib import Path

import pytest

from runner.language.catalogue import catalogue
from runner.show.screens.problems import catalogue_page, explain_code

REPOSITORY = Path(__file__).parents[2]


def test_the_page_of_the_docs_is_made_from_it() -> None:
    assert (REPOSITORY / "docs" / "problems.md").read_text("utf-8") == catalogue_page()


def test_every_code_in_the_source_is_explained_and_the_other_way_round() -> None:
    rooms = ("language", "files")
    paths = (path for room in rooms for path in (REPOSITORY / "runner" / room).rglob("*.py"))
    text = "\n".join(path.read_text("utf-8") for path in paths)
    strings = set(re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)*)"', text))
    assert set(catalogue()) <= strings
    problem_code = re.compile(
        r'(?:Problem|FileRejected|Violation|note|warn|note_about|warn_about|_note|note_in_prompt)\(\s*"([a-z][a-z0-9-]+)"'
    )
    assert set(problem_code.findall(text)) <= set(catalogue())


@pytest.mark.parametrize("code", catalogue())
def test_explain_says_what_is_wrong_and_what_would_be_right(code: str) -> None:
    explanation = explain_code(code)
    assert explanation is not None
    assert explanation.startswith(f"{code} (")
    assert "\nwrong:\n    " in explanation
    assert "\nright:\n    " in explanation
    assert catalogue()[code].wrong != catalogue()[code].right


def test_an_unknown_code_has_no_explanation() -> None:
    assert explain_code("no-such-code") is None
