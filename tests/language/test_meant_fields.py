"""What is said of a field that the format does not have, and of a list that stands for a mapping: what was meant."""

from pathlib import Path

import pytest
import yaml

from runner.language.schema_files import load
from runner.language.unknown_fields import _ASSET_FIELDS, _SHOT_FIELDS, _TOP_FIELDS
from tests.builders.storyboards import codes, compiled

HEAD = "storyboard: 1\nshots:\n"


def only_hint(root: Path, text: str) -> str:
    """The hint of the only problem of a storyboard."""
    _, problems = compiled(root, text)
    [problem] = problems.errors
    return problem.hint


def test_a_storyboard_without_its_first_line_is_one_problem_that_says_what_to_add(tmp_path: Path) -> None:
    board = "title: T\nlength: 9\nbudget: {credits: 9}\nshots:\n  - {id: a, prompt: x}\n  - {id: b, prompt: '@a y'}\n"
    _, problems = compiled(tmp_path, board)
    assert [(problem.code, problem.place.line) for problem in problems] == [("missing-field", 1)]
    assert "storyboard: 1" in problems.errors[0].hint


@pytest.mark.parametrize("first", ["storybord: 1", "version: 1", "storyboard: '1'", "storyboard:", "storyboard: Film"])
def test_a_wrong_first_line_is_one_problem_and_hides_none_below_it(tmp_path: Path, first: str) -> None:
    _, problems = compiled(tmp_path, f"{first}\nshots:\n  - {{id: a, prompt: x}}\n  - {{id: b, prompt: '@nobody'}}\n")
    assert [(problem.place.line, "storyboard" in problem.hint) for problem in problems] == [(1, True), (4, False)]


def test_a_file_without_shots_is_an_include_and_all_that_it_cannot_have_is_one_problem(tmp_path: Path) -> None:
    assert codes(tmp_path, "vars: {a: b}\n") == []
    _, problems = compiled(tmp_path, "title: T\nlength: 9\nvars: {a: b}\n")
    assert [problem.message.split(" are")[0] for problem in problems] == ["`title` and `length`"]


LISTS = {
    "shots by id": ("shots:\n  quay: {prompt: Dawn, duration: 6}\n  sea: {prompt: y}\n", "shots"),
    "one shot": ("shots: {id: quay, prompt: Dawn, duration: 6}\n", "shots"),
    "a text": ("shots: A quay at dawn\n", "shots"),
    "nothing": ("shots: {}\n", "shots"),
    "assets": ("assets:\n  - {name: maria, words: a woman}\nshots: [{id: a, prompt: x}]\n", "assets"),
    "assets by name": ("assets:\n  - maria: {words: a woman}\nshots: [{id: a, prompt: x}]\n", "assets"),
    "vars": ("vars:\n  - city: Lisbon\nshots: [{id: a, prompt: x}]\n", "vars"),
    "vars with =": ("vars: [city=Lisbon]\nshots: [{id: a, prompt: x}]\n", "vars"),
    "defaults": ("defaults: [{duration: 6}]\nshots: [{id: a, prompt: x}]\n", "defaults"),
    "profiles": ("profiles: [{draft: {takes: 1}}]\nshots: [{id: a, prompt: x}]\n", "profiles"),
}


@pytest.mark.parametrize("case", LISTS)
def test_a_mapping_in_place_of_a_list_shows_the_users_first_entry_as_it_should_stand(tmp_path: Path, case: str) -> None:
    text, section = LISTS[case]
    hint = only_hint(tmp_path, f"storyboard: 1\n{text}").split("\n", 1)[1]
    rewritten = yaml.safe_load(hint)
    assert list(rewritten) == [section]
    rest = "" if section == "shots" else "\nshots: [{id: a, prompt: '@maria x'}]\n"
    assert "wrong-type" not in codes(tmp_path, f"storyboard: 1\n{hint}{rest}")
    if "quay" in text.split(","):
        assert rewritten == {"shots": [{"id": "quay", "prompt": "Dawn", "duration": 6}]}


@pytest.mark.parametrize(
    ("shot", "hint"),
    [
        ("{id: a, prompt: '{{ k }}', matrix: {k: x}}", "write k: [x]"),
        ("{id: a, prompt: '{{ k }}', matrix: [{k: [x, y]}]}", "matrix:\n  k: [x, y]"),
        ("{id: a, prompt: x, first_frame: [a.png]}", "write first_frame: a.png"),
        ("{id: a, prompt: x, last_frame: {image: a.png}, first_frame: b.png}", "write last_frame: a.png"),
        ("{id: a, prompt: x, references: {image: a.png}}", "write [a.png]"),
        ("{id: a, prompt: x, references: [{image: a.png}]}", "write a.png"),
        ("{id: a, prompt: [a quay, dawn]}", "prompt: |\n  a quay\n  dawn"),
        ("{id: a, prompt: {text: a quay}}", "write prompt: a quay"),
        ("A quay", "- id: opening\n    prompt: A quay"),
        ("{quay: {prompt: x, takes: 2}}", "- id: quay\n    prompt: x\n    takes: 2"),
    ],
)
def test_a_field_that_is_a_list_or_a_mapping_shows_the_right_form(tmp_path: Path, shot: str, hint: str) -> None:
    _, problems = compiled(tmp_path, f"{HEAD}  - {shot}\n")
    assert hint in next(problem for problem in problems if problem.code == "wrong-type").hint


@pytest.mark.parametrize(
    ("head", "field", "name"),
    [
        ("vars: {camera: still}", "camera", "camera"),
        ("defaults: {vars: {camera: still}}", "camera", "camera"),
        ("profiles: {p: {vars: {camera: still}}}", "camera", "camera"),
        ("defaults: {wrap: '{{ camera }}, {{ prompt }}'}", "camera", "camera"),
        ("vars: {cameraMove: still}", "camera_move", "cameraMove"),
        ("vars: {glare: still}", "glarre", "glare"),
    ],
)
@pytest.mark.parametrize("holder", ["a shot", "defaults", "a profile"])
def test_a_field_that_is_a_variable_elsewhere_says_vars(
    tmp_path: Path, head: str, field: str, name: str, holder: str
) -> None:
    (tmp_path / "cast.yaml").write_text(f"{head}\n")
    section, shot = "", f", {field}: pan"
    if holder != "a shot":
        section, shot = f"defaults: {{{field}: pan}}", ""
    if holder == "a profile":
        section = f"profiles: {{q: {{{field}: pan}}}}"
    board = f"storyboard: 1\ninclude: [cast.yaml]\n{section}\nshots:\n  - {{id: a, prompt: x{shot}}}\n"
    _, problems = compiled(tmp_path, board)
    hint = next(problem.hint for problem in problems.errors if problem.code == "unknown-field")
    assert f"write vars: {{{name}: pan}}" in hint


@pytest.mark.parametrize("name", ["negative_prompt", "negativePrompt", "negative prompt", "Negative-Prompt"])
def test_a_negative_prompt_points_at_the_wrap(tmp_path: Path, name: str) -> None:
    hint = only_hint(tmp_path, f"{HEAD}  - {{id: a, prompt: x, {name}: blurry}}\n")
    assert 'wrap: "{{ prompt }} Avoid: blurry."' in hint


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        *(("dur", "duration"), ("length", "duration"), ("ratio", "aspect_ratio"), ("aspectRatio", "aspect_ratio")),
        *(
            ("image", "first_frame"),
            ("images", "references"),
            ("refs", "references"),
            ("reference_images", "references"),
        ),
        *(
            ("model_name", "model"),
            ("prompt_text", "prompt"),
            ("start_frame", "first_frame"),
            ("end_image", "last_frame"),
        ),
        *(("n", "takes"), ("generate_audio", "audio"), ("fps", "inputs"), ("depends_on", "last_frame")),
        *(("style", "vars: {style"), ("size", "resolution"), ("note", "notes"), ("music", "audio")),
    ],
)
def test_a_field_of_another_tool_names_the_one_here(tmp_path: Path, field: str, meant: str) -> None:
    _, problems = compiled(tmp_path, f"{HEAD}  - {{id: a, prompt: x, {field}: v}}\n")
    assert meant in problems.errors[0].hint


def test_the_table_of_other_names_names_only_fields_that_exist() -> None:
    definitions = load()["definitions"]
    asset = definitions["asset"]["anyOf"][1]["properties"]
    for table, fields in ((_SHOT_FIELDS, definitions["shot"]["properties"]), (_TOP_FIELDS, load()["properties"])):
        assert set(table) <= set(fields)
    assert set(_ASSET_FIELDS) <= set(asset)


def test_a_field_that_is_missing_under_another_name_is_no_second_problem(tmp_path: Path) -> None:
    assert codes(tmp_path, f"{HEAD}  - {{name: a, promt: x}}\n") == ["unknown-field"] * 2
    assert codes(tmp_path, "storyboard: 1\nclips:\n  - {id: a, prompt: x}\n") == ["unknown-field"]
