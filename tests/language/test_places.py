"""Places hold to the character, whatever style a scalar has and by whatever way its value came."""

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.diagnostics.problem import Problems
from runner.language.yaml.document import NodeRef, Source
from runner.language.yaml.parser import parse
from runner.language.yaml.scalar_offsets import offsets
from runner.show.screens.problems import render_problems
from tests.builders.storyboards import compiled

SCALARS = [
    "x: plain text here",
    "x: plain text\n  that goes on\n\n  after a gap",
    "x: 'single ''quoted'' text'",
    "x: 'single\n  over lines\n\n  and a gap'",
    'x: "double \\"quoted\\" \\u00e9 \\x41 \\t tab"',
    'x: "double\n  over \\\n  lines\n\n  with \\\n    a join"',
    "x: |\n  literal\n    more\n\n  end\n",
    "x: |2-\n    indented\n  end\n",
    "x: |+\n  keep\n\n\n",
    "x: >\n  folded text\n  goes on\n\n  new paragraph\n    kept as it is\n  back\n",
    "x: >-\n\n  starts with a gap\n  and goes on\n",
    "x: >2\n    deeper\n  back\n",
    "x: &anchor some text",
    "x: &anchor >-\n  some\n  text",
    "x: |  # a comment\n  literal\n",
    "- |\n a\n b\n",
]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("scalar", SCALARS)
def test_every_character_is_found(scalar: str, ending: str) -> None:
    written = scalar.replace("\n", ending)
    node = yaml.compose(written, Loader=yaml.SafeLoader)
    assert node is not None
    (value,) = _values(node)
    at = written.index(" ") + 1 if not written.startswith("-") else 2
    spots = offsets(written, at, value)
    assert len(spots) == len(value) + 1
    assert spots == sorted(spots)
    for character, spot in zip(value, spots, strict=False):
        assert written[spot] == character or character in " \n" or written[spot] == "\\", (character, spot)
    assert len(set(spots)) > len(value) // 2, "the walk came out"


def _values(node: yaml.Node) -> list[str]:
    if isinstance(node, yaml.ScalarNode):
        return [node.value]
    inner = [pair[1] for pair in node.value] if isinstance(node, yaml.MappingNode) else node.value
    return [value for child in inner for value in _values(child)]


WORDS = st.lists(
    st.text(alphabet=st.sampled_from("abc 'é看\"\\#:-\t\n,{}"), min_size=1, max_size=12), min_size=1, max_size=6
).map(" ".join)


@settings(max_examples=300, derandomize=True)
@given(value=WORDS, style=st.sampled_from(["'", '"', "|", ">", None]), width=st.integers(10, 60))
def test_any_text_in_any_style(value: str, style: str | None, width: int) -> None:
    value = value.strip() or "x"
    written: str = yaml.dump({"key": value}, default_style=style, width=width, allow_unicode=True)
    document = parse(Source("a.yaml", written), Problems())
    key = next(iter(document.root))
    assert document.root[key] == value
    at = document.root.value_at(key)
    spots = offsets(written, at, value)
    assert len(spots) == len(value) + 1
    for character, spot in zip(value, spots, strict=False):
        assert written[spot] in (character, "\\", " ", "\n") or character in " \n", (written, value, character)


def mark(root: Path, board: str, code: str) -> str:
    """The text under the first mark of a problem."""
    _, problems = compiled(root, board)
    problem = next(problem for problem in problems if problem.code == code)
    lines = problems.sources[problem.place.file].replace("\r\n", "\n").split("\n")
    line = lines[problem.place.line - 1]
    return line[problem.place.column - 1 : problem.place.column - 1 + problem.place.width]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize(
    "prompt",
    [
        "@nobody walks",
        '"看看 @nobody walks"',
        "'it''s @nobody'",
        ">-\n      folded text\n      goes on with @nobody here",
        "|\n      看看看\n\n      \t@nobody stands",
        '"a \\u0041 \\\n      joined @nobody"',
        "plain text\n      that @nobody\n      goes on",
    ],
)
def test_a_mention_is_marked_where_it_stands(prompt: str, bom: str, ending: str, tmp_path: Path) -> None:
    prompt = prompt if prompt[0] in "\"'>|p" else f'"{prompt}"'
    board = f"{bom}storyboard: 1\nshots:\n  - id: quay\n    prompt: {prompt}\n".replace("\n", ending)
    assert mark(tmp_path, board, "unknown-name") == "@nobody"


@pytest.mark.parametrize(
    ("prompt", "line"),
    [
        ("|\n      One\n      {{\n      nobody\n      }} two", 7),
        (">-\n      one\n        {{ one |\n      default(nobody) }} two", 7),
        ("|\n      {% if true\n        and nobody %}a{% endif %}", 6),
    ],
)
def test_a_name_in_markup_of_several_lines_is_marked_where_it_stands(prompt: str, line: int, tmp_path: Path) -> None:
    board = f"storyboard: 1\nshots:\n  - id: quay\n    prompt: {prompt}\n"
    assert mark(tmp_path, board, "undefined-variable") == "nobody"
    (problem,) = compiled(tmp_path, board)[1].errors
    assert problem.place.line == line


def test_a_mention_in_a_variable_is_marked_there_with_the_shots_that_use_it(tmp_path: Path) -> None:
    board = 'storyboard: 1\nvars: {who: "old @nobody"}\nshots:\n'
    board += "".join(f'  - {{id: s{i}, prompt: "{i} {{{{ who }}}} walks"}}\n' for i in range(3))
    _, problems = compiled(tmp_path, board)
    (problem,) = problems.errors
    assert (problem.place.line, problem.place.column) == (2, 18)
    assert problem.shots == ("s0", "s1", "s2")
    assert "in the shot s0 and 2 more" in render_problems(problems, tmp_path, tmp_path, color=False)


def test_a_mention_that_a_template_made_is_marked_at_the_expression(tmp_path: Path) -> None:
    board = 'storyboard: 1\nvars: {who: nobody}\nshots:\n  - {id: quay, prompt: "see @{{ who }} walk"}\n'
    _, problems = compiled(tmp_path, board)
    (problem,) = problems.errors
    assert mark(tmp_path, board, "unknown-name") == "@{{ who }}"
    assert "see @nobody walk" in problem.hint


def test_an_aliased_and_a_merged_value_show_both_places(tmp_path: Path) -> None:
    board = (
        "storyboard: 1\nx-quick: &quick\n  duration: 99\nshots:\n"
        "  - id: quay\n    <<: *quick\n    prompt: A quay\n"
        "  - id: sea\n    prompt: The sea\n    takes: &many 50\n"
        "  - id: roofs\n    prompt: Roofs\n    takes: *many\n"
    )
    _, problems = compiled(tmp_path, board)
    merged, anchored = (problem for problem in problems.errors)
    assert (merged.place.line, merged.place.column) == (3, 13)
    assert [(place.line, words) for place, words in merged.related] == [(6, "merged here")]
    assert (anchored.place.line, anchored.place.column) == (10, 18)
    aliased = [place.line for place, words in anchored.related if words == "used here"]
    assert aliased == [13]


def test_a_problem_of_an_included_file_stands_in_that_file(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("defaults:\n  resolution: 4000p\n")
    _, problems = compiled(tmp_path, "storyboard: 1\ninclude: [cast.yaml]\nshots:\n  - {id: quay, prompt: A quay}\n")
    (problem,) = problems.errors
    assert (problem.place.file, problem.place.line, problem.place.column) == ("cast.yaml", 2, 15)


def test_the_caret_stands_by_cells(tmp_path: Path) -> None:
    board = 'storyboard: 1\nshots:\n  - id: quay\n    prompt: "看看 e\u0301 @nobody"\n'
    _, problems = compiled(tmp_path, board)
    lines = render_problems(problems, tmp_path, tmp_path, color=False).split("\n")
    assert lines[2].index("^") == lines[1].index("@") + 2 - 1
    assert unicodedata.normalize("NFC", board) != board


def test_a_rewritten_line_keeps_its_places(tmp_path: Path) -> None:
    board = 'storyboard: 1\nshots:\n  - id: quay\n    prompt: @maria and @nobody: "no"\n    duration: 99\n'
    problems = compiled(tmp_path, board)[1].items
    assert [(problem.code, problem.place.line, problem.place.column) for problem in problems] == [
        ("yaml-indicator", 4, 13),
        ("unknown-name", 4, 13),
        ("unknown-name", 4, 24),
        ("wrong-value", 5, 15),
    ]


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ('        prompt: "to the beat of @nobody"', "@nobody"),
        ("\tprompt: the {{ nobody }} at sea", "{{ nobody }}"),
        ('    prompt: "the moves of @nobody', "@nobody"),
        ("    prompt: 'it''s' for @nobody", "@nobody"),
        ('        first_frame: "@nobody"', '"@nobody"'),
    ],
)
def test_a_line_that_was_indented_anew_keeps_its_places_to_its_end(line: str, marked: str, tmp_path: Path) -> None:
    """The second shot's line is read as if it were written right; what is marked is what the user wrote."""
    board = f"storyboard: 1\nshots:\n  - id: quay\n    prompt: A quay\n  - id: sea\n{line}\n    takes: 1\n"
    _, problems = compiled(tmp_path, board)
    places = [problem.place for problem in problems if problem.code in ("unknown-name", "undefined-variable")]
    start, width = line.index(marked), len(marked)
    assert [(place.line, place.column, place.width) for place in places] == [(6, start + 1, width)]


def test_a_lone_carriage_return_is_a_line_end_also_around_a_line_that_is_left_out(tmp_path: Path) -> None:
    board = "storyboard: 1\nx-a:\n  - b\r  c: d\n  - e\nshots:\n  - {id: quay, prompt: '@nobody'}\n"
    problems = compiled(tmp_path, board)[1].items
    assert [(problem.code, problem.place.line) for problem in problems] == [("yaml-syntax", 4), ("unknown-name", 7)]


def test_the_path_is_as_a_person_would_write_it(tmp_path: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: quay, prompt: A quay}\n  - {id: sea, prompt: The sea, duration: 99}\n"
    (problem,) = compiled(tmp_path, board)[1].errors
    assert problem.place.path == "shots[1].duration"


def test_origin_of_a_number_keeps_its_text() -> None:
    document = parse(Source("a.yaml", "a: 1.50\nb: [2.0, &x 3.10]\nc: *x\n"), Problems())
    assert NodeRef(document, ("a",)).source_text() == "1.50"
    assert NodeRef(document, ("b", 1)).source_text() == "3.10"
    assert NodeRef(document, ("c",)).source_text() == "3.10"
