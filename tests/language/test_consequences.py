"""A problem that goes away with another one says so, once, and at which line that one is."""

from pathlib import Path

import pytest

from tests.builders.storyboards import compiled

TWICE = "shots:\n  - {id: a, prompt: '@maria'}\n  - {id: b, prompt: '@maria'}\n"
CASES = {
    "a missing include": ("include: [none.yaml]\nshots:\n  - {id: a, prompt: '{{ city }} @maria'}\n", 2, 2),
    "assets as a list": (
        "assets: [maria]\n" + TWICE,
        2,
        1,
    ),
    "a broken asset": (
        "assets: {maria: 5}\n" + TWICE,
        2,
        1,
    ),
    "a bad asset name": ("assets: {m n: {words: x}}\nshots:\n  - {id: a, prompt: '@m n'}\n", 2, 1),
    "vars as a list": ("vars: [city: x]\nshots:\n  - {id: a, prompt: '{{ city }}'}\n", 2, 1),
    "a variable in the wrong place": ("shots:\n  - {id: a, prompt: '{{ camera }}', camera: pan}\n", 3, 1),
    "a bad variable name": ("vars: {b-c: x}\nshots:\n  - {id: a, prompt: '{{ b_c }}'}\n", 2, 1),
    "a bad id": ("shots:\n  - {id: q uay, prompt: x}\n  - {id: b, first_frame: '@q.last_frame'}\n", 3, 1),
    "a shot that is a text": ("shots:\n  - quay\n  - {id: b, first_frame: '@quay.last_frame'}\n", 3, 1),
    "a shot below its name": ("shots:\n  - quay: {prompt: x}\n  - {id: b, first_frame: '@quay.last_frame'}\n", 3, 1),
    "an id under another name": ("shots:\n  - {name: quay, prompt: x}\n  - {id: b, prompt: '@quay'}\n", 3, 1),
    "a broken matrix": (
        "shots:\n  - {id: 'q{{ k }}', prompt: x, matrix: {k: 1}}\n  - {id: b, prompt: '@q1'}\n",
        3,
        1,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_unknown_because_of_another_problem_names_its_line(tmp_path: Path, case: str) -> None:
    text, line, count = CASES[case]
    _, problems = compiled(tmp_path, f"storyboard: 1\n{text}")
    consequences = problems.consequences
    assert len(consequences) == count
    assert all(f"a consequence of the problem at line {line}" in problem.message for problem in consequences)
    assert {problem.place.line for problem in problems.errors if problem not in consequences} == {line}


def test_a_typing_mistake_beside_an_unreadable_include_keeps_its_hint(tmp_path: Path) -> None:
    board = "storyboard: 1\ninclude: [none.yaml]\nassets: {maria: {words: x}}\nshots:\n  - {id: a, prompt: '@marai'}\n"
    _, problems = compiled(tmp_path, board)
    assert problems.consequences[0].hint.startswith("mend that first; did you mean @maria?")


def test_takes_that_are_wrong_make_no_pin_wrong(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: a, prompt: x, takes: 99}\n  - {id: b, prompt: '@a#5'}\n"
    _, problems = compiled(tmp_path, board)
    assert [problem.code for problem in problems] == ["wrong-value"]
