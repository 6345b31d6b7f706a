"""A stranger's storyboard.toml: refused with exit 3 and a place, in a screenful, never a hang, never a defect."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo

FILM = "storyboards/film.yaml"
SCREENFUL = 5000
"""Characters of the longest message: 11 long lines."""
UNFIT = {
    "5000 brackets": "a=" + "[" * 5000 + "]" * 5000,
    "brackets without an end": "a=" + "[" * 50_000,
    "brackets on many lines": "a=[\n" + "[\n" * 5000,
    "deep inline tables": "a=" + "{a=" * 3000 + "1" + "}" * 3000,
    "3000 dots": "a" + ".a" * 3000 + "=1",
    "3000 dots with blanks": "a" + " . a" * 3000 + "=1",
    "3000 quoted parts": '"a"' + '."a"' * 3000 + "=1",
    "a header of 3000 parts": "[a" + ".a" * 3000 + "]\nb=1\n",
    "5000 digits": "[retries]\nprovider=" + "9" * 5000,
    "5000 hexadecimal digits": "[retries]\nprovider=0x" + "f" * 5000,
    "5000 digits of a budget": "[budget]\ncredits_per_day=" + "9" * 5000,
    "an exponent": "[providers.kinovi]\nconcurrency=1e999999999\n",
    "a text with an exponent": '[budget]\ncredits_per_day="1e-99999999"\n',
    "a date that is none": "output=9999-99-99\n",
    "a name of a million letters": "k" * 1_000_000 + "=1\n",
    "a quoted name of a million letters": '"' + "k" * 1_000_000 + '"=1\n',
    "a text of a million letters": "output='" + "x" * 1_000_000 + "'\n",
    "a text of a million letters for a number": "[retries]\nprovider='" + "x" * 1_000_000 + "'\n",
    "a path of 5000 folders": "output='" + "a/" * 5000 + "'\n",
    "NUL": 'output="a\\u0000b"\n',
    "an escape sequence": 'output="\\u001b]0;x\\u0007"\n',
    "20,000 unknown keys": "".join(f"k{number}=1\n" for number in range(20_000)),
    "20,000 unknown keys in tables": "".join(f"[t{number}]\nk=1\n" for number in range(20_000)),
    "20,000 prices": "[providers.kinovi.prices]\n" + "".join(f"k{number}=-1\n" for number in range(20_000)),
    "100,000 tables": "[[a]]\n" * 100_000,
    "more than 1 MiB": "# comment\n" * 110_000,
}


@pytest.mark.parametrize("case", UNFIT)
def test_an_unfit_settings_file_is_exit_3_in_a_screenful(film: ContentRepo, case: str) -> None:
    film.write("storyboard.toml", UNFIT[case])
    result = film.in_process("plan", FILM)
    assert result.code == 3, result.err[:500]
    assert "storyboard.toml" in result.err
    assert len(result.err) < SCREENFUL


def test_the_keys_that_are_not_shown_are_counted(film: ContentRepo) -> None:
    film.write("storyboard.toml", UNFIT["20,000 unknown keys"])
    lines = film.in_process("plan", FILM).err.splitlines()
    assert len(lines) == 11
    assert "storyboard.toml:10: there is no setting k9" in lines[9]
    assert lines[10].endswith("storyboard.toml: and 19,990 more")


@pytest.mark.parametrize(
    ("case", "line"), [("5000 digits", 2), ("5000 brackets", 1), ("brackets on many lines", 17), ("3000 dots", 1)]
)
def test_what_is_too_deep_or_too_long_has_a_line(film: ContentRepo, case: str, line: int) -> None:
    film.write("storyboard.toml", UNFIT[case])
    assert f"storyboard.toml:{line}: " in film.in_process("plan", FILM).err


NO_FILE: dict[str, Callable[[Path], None]] = {
    "endless": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a link out of the repository": lambda path: path.symlink_to("/etc/hostname"),
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("kind", NO_FILE)
def test_settings_that_are_no_ordinary_file_of_the_repository_are_exit_3(film: ContentRepo, kind: str) -> None:
    NO_FILE[kind](film.root / "storyboard.toml")
    for words in (("plan", FILM), ("doctor",)):
        result = film.storyboard(*words)
        assert result.code == 3, (words, result.err)
        assert "storyboard.toml" in result.err + result.out


@pytest.mark.parametrize("kind", NO_FILE)
def test_a_file_of_variables_that_is_no_ordinary_file_of_the_repository_is_exit_3(film: ContentRepo, kind: str) -> None:
    NO_FILE[kind](film.root / "vars.yaml")
    result = film.storyboard("plan", FILM, "--var-file", "vars.yaml")
    assert result.code == 3
    assert "--var-file vars.yaml" in result.err


HIDDEN = [
    ".git",
    ".git/hooks",
    "./.git/x",
    "x/../.git",
    ".GIT",
    ".github",
    "x/.git/hooks",
    ".git/info/../objects",
    "plain",
]


@pytest.mark.parametrize("output", [".", "./", "renders/.."])
@pytest.mark.parametrize("by", ["storyboard.toml", "--output"])
def test_no_output_is_the_top_of_the_repository(film: ContentRepo, output: str, by: str) -> None:
    words = ("--output", output) if by == "--output" else ()
    if not words:
        film.write("storyboard.toml", f'output = "{output}"\n')
    result = film.in_process("run", FILM, *words)
    assert (result.code, "choose a folder below it" in result.err) == (3, True)
    assert not (film.root / "film").exists()


@pytest.mark.parametrize("output", HIDDEN)
@pytest.mark.parametrize("by", ["storyboard.toml", "--output"])
def test_no_output_is_in_a_hidden_folder(film: ContentRepo, output: str, by: str) -> None:
    (film.root / "plain").symlink_to(".git/hooks")
    before = sorted(path.name for path in (film.root / ".git").rglob("*"))
    words = ("--output", output) if by == "--output" else ()
    if not words:
        film.write("storyboard.toml", f'output = "{output}"\n')
    result = film.in_process("run", FILM, *words)
    assert result.code == 3
    assert "hidden folder" in result.err
    assert sorted(path.name for path in (film.root / ".git").rglob("*")) == before
