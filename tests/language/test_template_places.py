"""A fault in a template is marked at its own expression, however its text stands in the file."""

from pathlib import Path

import pytest

from tests.builders.storyboards import compiled

VARIABLES = "{k: x, l: [1, 2], m: {a: 1}, nothing: null}"
SHOT = f"storyboard: 1\nvars: {VARIABLES}\nshots:\n  - id: a\n    prompt: "
TEXTS = {
    "folded": ">\n      one {{ k }}\n      {{ k | upper }} two WRONG tail\n      three {{ k }}\n",
    "literal": "|\n      one {{ k }}\n      {{ k | upper }} two WRONG tail\n      three {{ k }}\n",
    "quoted": '"one {{ k }} \\u00e9\n      {{ k | upper }} two WRONG tail\n      three {{ k }}"\n',
    "plain": "one {{ k }}\n      {{ k | upper }} two WRONG tail\n      three {{ k }}\n",
}
FAULTS = {
    "{{ k | «uppper» }}": "template-filter",
    "{{ k is «odddd» }}": "template-filter",
    "{% if k is «odddd» %}x{% endif %}": "template-filter",
    "{% filter «uppper» %}x{% endfilter %}": "template-filter",
    "«{{ k k }}»": "template-syntax",
    "«{{ }}»": "template-syntax",
    "«{{ k | join( }}»": "template-syntax",
    "«{% foo %}»": "template-syntax",
    "«{% endif %}»": "template-syntax",
    "«{% if k %}» x": "template-syntax",
    "«{% for i in l %}» {{ i }}": "template-syntax",
    "{% if k %}x«{% endfor %}»": "template-syntax",
    "{% set z = k %}«{% set z %}»": "template-syntax",
    "«{{ undef }}»": "undefined-variable",
    "{{ «undef» | upper | default(k) }}": "undefined-variable",
    "{{ k ~ «undef» }}": "undefined-variable",
    "{% for i in l %}{{ i }}{{ «undef» }}{% endfor %}": "undefined-variable",
    "{% for i in «undef» %}{{ i }}{% endfor %}": "undefined-variable",
    "{{ m.a ~ '' }} {{ «m».b ~ '' }}": "undefined-variable",
    "{{ «undef»('x') }}": "undefined-variable",
    "{{ l | length }} {{ «l» ~ '' }}{{ «l» | list }}": "not-text",
    "{{ nothing | default('', true) }} {{ «nothing» | upper }}": "null-variable",
    "«{{ 1 / 0 }}»": "template-error",
    "«{{ k + 1 }}»": "template-error",
    "«{{ k | replace('a') }}»": "template-error",
    "«{% include 'none.txt' %}»": "template-include",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_mark_stands_at_the_fault_and_nowhere_else(tmp_path: Path, fault: str) -> None:
    marked = f"storyboard: 1\nvars: {VARIABLES}\nshots:\n"
    for name, text in TEXTS.items():
        marked += f"  - id: {name}\n    prompt: {text.replace('WRONG', fault)}"
    _, problems = compiled(tmp_path, marked.replace("«", "").replace("»", ""))
    lines = marked.split("\n")
    assert {problem.place.line for problem in problems.errors} == {
        number for number, line in enumerate(lines, 1) if "«" in line
    }
    for problem in problems.errors:
        columns = [
            index for index, letter in enumerate(lines[problem.place.line - 1].replace("»", "")) if letter == "«"
        ]
        assert problem.code == FAULTS[fault]
        assert problem.place.column in [index - number + 1 for number, index in enumerate(columns)]


def test_every_unknown_filter_of_a_template_is_told(tmp_path: Path) -> None:
    board = SHOT + "|\n      {{ k | uppper }} {{ k | lowwer }}\n      {{ k | uppper }} {{ k is odddd }}\n"
    _, problems = compiled(tmp_path, board)
    places = [(problem.place.line, problem.place.column) for problem in problems.errors]
    assert places == [(6, 14), (6, 31), (7, 14), (7, 32)]


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        ("{{ k }} and {{ «undef» }}", "undefined-variable"),
        ("{{ k }} and {{ k | «uppper» }}", "template-filter"),
        ("{{ k }} and «{% if k %}»", "template-syntax"),
        ("{{ k }} and «{{ 1 / 0 }}»", "template-error"),
    ],
)
def test_a_fault_in_a_prompt_file_is_marked_there_and_names_where_it_is_included(
    tmp_path: Path, inside: str, code: str
) -> None:
    (tmp_path / "prompts").mkdir()
    plain = inside.replace("«", "").replace("»", "")
    (tmp_path / "prompts" / "light.txt").write_text(f"first {{{{ k }}}}\n{plain}\n")
    _, problems = compiled(tmp_path, SHOT + "\"{{ k }} {% include 'light.txt' %}\"\n")
    [problem] = problems.errors
    assert (problem.code, problem.place.file) == (code, "prompts/light.txt")
    assert (problem.place.line, problem.place.column) == (2, inside.index("«") + 1)
    [(place, label)] = problem.related
    assert (place.line, place.column, label) == (5, 22, "included from here")


HOLDERS = {
    "wrap": "defaults:\n  wrap: '{{ k }} {{ prompt }} MARK'\nshots:\n  - {id: a, prompt: x}\n",
    "a variable": "defaults:\n  vars: {look: '{{ k }} MARK'}\nshots:\n  - {id: a, prompt: '{{ look }}'}\n",
    "words": "assets:\n  door: {words: '{{ k }} MARK'}\nshots:\n  - {id: a, prompt: '@door'}\n",
    "an anchor": "x-look: &look '{{ k }} MARK'\nshots:\n  - {id: a, prompt: *look}\n",
    "a merge key": "x-shot: &shot {prompt: '{{ k }} MARK'}\nshots:\n  - {id: a, <<: *shot}\n",
    "an id": "shots:\n  - {id: 'a{{ k }}-MARK', prompt: x}\n",
    "a title": "shots:\n  - {id: a, prompt: x, title: '{{ k }} MARK'}\n",
    "a list": "shots:\n  - {id: a, prompt: x, tags: [one, '{{ k }} MARK']}\n",
    "a matrix piece": "shots:\n  - id: a\n    matrix:\n      f:\n        wide: {prompt: '{{ k }} MARK'}\n",
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("fault", ["{{ k | «uppper» }}", "«{{ k k }}»", "«{{ undef }}»", "«{% if k %}»"])
def test_a_fault_is_marked_wherever_its_template_stands(tmp_path: Path, holder: str, fault: str) -> None:
    marked = f"storyboard: 1\nvars: {VARIABLES}\n" + HOLDERS[holder].replace("MARK", fault)
    _, problems = compiled(tmp_path, marked.replace("«", "").replace("»", ""))
    lines = marked.split("\n")
    line = next(number for number, text_line in enumerate(lines, 1) if "«" in text_line)
    problem = problems.errors[0]
    assert (problem.place.line, problem.place.column) == (line, lines[line - 1].index("«") + 1)
