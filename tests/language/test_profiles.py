"""Profiles that no `--profile` chooses: their names are checked as well, and what only a shot can tell is not."""

from pathlib import Path

import pytest

from runner.language.compile_options import CompileOptions
from tests.builders.storyboards import compiled

FILM = """\
storyboard: 1
assets: {maria: {words: a woman}}
shots:
  - {id: quay, prompt: "@maria waits", resolution: 480p}
profiles:
  tall: {aspect_ratio: "9:16"}
"""


def problems(root: Path, text: str, profile: str | None = None) -> list[tuple[str, int, int, tuple[str, ...]]]:
    """Code, line and column of each problem, and the shots that it names."""
    _, problems = compiled(root, text, CompileOptions(profile=profile))
    return [(item.code, item.place.line, item.place.column, item.shots) for item in problems]


@pytest.mark.parametrize(
    ("fields", "code", "column"),
    [
        ("resolutoin: 480p", "unknown-field", 11),
        ("resolution: 481p", "wrong-value", 23),
        ("references: ['@marai']", "unknown-name", 24),
        ("first_frame: '@kay.last_frame'", "unknown-name", 24),
        ("last_frame: quay#2", "pin", 23),
        ("references: ['@image1']", "position-here", 24),
        ("wrap: '{{ prompt }}, with @marai'", "unknown-name", 37),
        ("prompt: 'Behind @{{ name }}: @marai'", "unknown-name", 40),
    ],
)
def test_a_name_in_a_profile_is_checked_although_no_profile_is_chosen(
    tmp_path: Path, fields: str, code: str, column: int
) -> None:
    assert problems(tmp_path, f"{FILM}  final: {{{fields}}}\n") == [(code, 7, column, ())]


@pytest.mark.parametrize(
    "fields",
    [
        "references: ['@maria', quay]",
        "first_frame: '@quay.last_frame'",
        "references: ['{{ hero }}']",
        "first_frame: renders/film/last.png",
        "wrap: '{% if tall %}@marai{% endif %} {{ prompt }}, ana@example.com, @@ and @maria'",
        "duration: 30",
    ],
)
def test_what_names_something_or_only_shows_in_a_shot_is_no_problem_of_a_profile(tmp_path: Path, fields: str) -> None:
    assert problems(tmp_path, f"{FILM}  final: {{{fields}}}\n") == []


def test_a_chosen_profile_is_checked_in_its_shots(tmp_path: Path) -> None:
    text = f"{FILM}  final: {{first_frame: '@kay.last_frame'}}\n"
    assert problems(tmp_path, text, "final") == [("unknown-name", 7, 24, ("quay",))]
    assert problems(tmp_path, text, "tall") == [("unknown-name", 7, 24, ())]


def test_a_name_that_another_problem_leaves_out_is_its_consequence(tmp_path: Path) -> None:
    text = FILM.replace("maria: {words: a woman}", "maria: {words: a woman}, tomas: {wrods: x}")
    _, left_out = compiled(tmp_path, f"{text}  final: {{wrap: '{{{{ prompt }}}}, with @tomas'}}\n", CompileOptions())
    assert [(item.code, item.cause is not None) for item in left_out] == [
        ("unknown-field", False),
        ("unknown-name", True),
    ]


def test_a_profile_of_an_include_is_checked_where_it_is_chosen(tmp_path: Path) -> None:
    (tmp_path / "cast.yaml").write_text("profiles: {final: {references: ['@tomas']}}\n")
    text = FILM.replace("storyboard: 1\n", "storyboard: 1\ninclude: [cast.yaml]\n")
    assert problems(tmp_path, text) == []
    assert problems(tmp_path, text, "final") == [("unknown-name", 1, 33, ("quay",))]
