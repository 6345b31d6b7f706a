"""The catalogue of problems is the one source: of `storyboard explain`, and of docs/problems.md."""

import re
import shutil
from pathlib import Path

import pytest

from runner.language.catalogue import catalogue
from runner.language.compiler import CompileOptions
from runner.language.compiler import compile as compile_files
from runner.language.schema_files import load
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


DESCRIBED = {"batch-size", "empty-file", "file-size", "matrix-size", "not-utf8", "prompt-length", "prompt-units"} | {
    "too-deep",
    "too-large",
    "too-long",
    "too-many-errors",
    "too-many",
}
"""Codes whose wrong example describes the mistake, since it would fill pages or is not text."""
PARTS = {"matrix-no-match", "matrix-unknown-axis", "pin", "position", "unknown-alias", "yaml-indent", "yaml-tab"}
"""Codes whose right example is right only beside the rest of the wrong one."""
CONTEXT = "vars: {city: Lisbon, night: true, cities: [Lisbon]}\n" + (
    "assets: {maria: {words: a woman}, fado: {words: a song}}\n"
)


def whole(example: str, context: str = "") -> str | None:
    """An example with what it needs to be a storyboard; None for another part of one."""
    top = [line.split(":")[0] for line in example.split("\n") if line and line[0] not in " #-"]
    fields = load()["definitions"]["shot"]["properties"]
    if "shots" in top:
        return ("" if "storyboard" in top else "storyboard: 1\n") + example + "\n"
    if all(name in load()["properties"] or name.startswith("x-") for name in top):
        return f"storyboard: 1\n{example}\nshots:\n  - {{id: other, prompt: Another quay}}\n"
    if not all(name in fields for name in top):
        return None
    lines = ["id: quay"] * ("id" not in top) + example.split("\n")
    lines += ["prompt: A quay"] * (not {"prompt", "first_frame"} & set(top))
    return f"storyboard: 1\n{context}shots:\n  - " + "\n    ".join(lines) + "\n"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that examples name."""
    return Path(shutil.copytree(REPOSITORY / "tests" / "storyboards" / "bad", tmp_path_factory.mktemp("bad") / "repo"))


def codes_of(text: str, folder: Path) -> list[str]:
    """The codes of an example as a file of its own in that folder; without other warnings."""
    (folder / "example.yaml").write_text(text, "utf-8")
    _, problems = compile_files([folder / "example.yaml"], folder, CompileOptions())
    return [problem.code for problem in problems if problem.severity == "error"]


@pytest.mark.parametrize("code", sorted(set(catalogue()) - DESCRIBED))
def test_the_wrong_example_makes_this_one_mistake(code: str, repo: Path) -> None:
    entry = catalogue()[code]
    text = whole(entry.wrong) if code != "include-content" else entry.wrong
    assert text is not None
    assert codes_of(text, repo) == ([] if entry.warning else [code])


@pytest.mark.parametrize("code", sorted(set(catalogue()) - DESCRIBED - PARTS))
def test_the_right_example_does_not_make_it(code: str, repo: Path) -> None:
    text = whole(catalogue()[code].right, CONTEXT)
    assert text is None or code not in codes_of(text, repo)
