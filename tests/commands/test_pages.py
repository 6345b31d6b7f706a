"""`docs`, `example` and `explain` print what the installation carries; `import` prints a storyboard or nothing."""

from pathlib import Path

import pytest

from runner.app.doctor import command_check
from runner.cli import main
from runner.planning.plan import Action
from runner.planning.reason import ReasonCode
from runner.settings.environment import commands_on_path
from tests.builders.content_repo import ContentRepo
from tests.docs.pages import ROOT
from tests.shot_lists.test_reading import clip, timeline

PAGES = {"language", "commands", "json", "exit-codes", "problems", "tutorial", "materials", "continuity", "sandbox"}


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command prints that ends with 0."""
    assert main(words) == 0
    return capsys.readouterr().out


def test_docs_lists_the_pages_that_users_need(capsys: pytest.CaptureFixture[str]) -> None:
    names = {line.split()[0] for line in printed(capsys, "docs").splitlines()}
    assert names >= PAGES
    assert names & {"architecture", "performance"} == set()


def test_the_list_of_pages_keeps_to_the_width_of_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = printed(capsys, "docs").splitlines()
    assert max(map(len, lines)) <= 80
    assert (
        "continuity              Continuity: the same people, places and light from shot\n" + " " * 24 + "to shot"
        in ("\n".join(lines))
    )


@pytest.mark.parametrize("name", ["language", "docs/language.md"])
def test_docs_prints_a_page_as_it_is(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert printed(capsys, "docs", name) == (ROOT / "docs/language.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("docs", "langage"), "there is no page 'langage'; did you mean 'language'?"),
        (("example", "harbor"), "there is no example 'harbor'; did you mean 'harbour'?"),
        (("explain", "prompt-change"), "did you mean 'prompt-changed'?"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert main(words) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_an_example_is_printed_and_the_folder_of_its_files_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["example", "harbour"]) == 0
    printed = capsys.readouterr()
    assert printed.out == (ROOT / "storyboards/harbour.yaml").read_text("utf-8")
    assert str(ROOT / "storyboards") in printed.err


def test_the_example_that_stands_alone_validates_where_it_is_put(film: ContentRepo) -> None:
    film.write("storyboards/film.yaml", film.storyboard("example", "first-light").out)
    assert film.storyboard("validate").code == 0


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("unknown-name", "A mention does not name an asset or a shot"),
        ("9", "Nothing failed, but something waits"),
        ("blocked", "It is made from a shot that is unsettled"),
        ("prompt-changed", "The take has another prompt."),
        ("takes", "How many clips of this shot to make."),
        ("budget", "a key of a storyboard"),
        ("max-credits", "of run"),
    ],
)
def test_explain_knows_problems_codes_words_fields_and_flags(
    capsys: pytest.CaptureFixture[str], word: str, text: str
) -> None:
    assert text in printed(capsys, "explain", word)


def test_explain_names_the_command_for_a_flag_with_its_dashes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--max-credits"]) == 2
    assert "did you mean `storyboard explain max-credits`?" in capsys.readouterr().err


def test_explain_breaks_lines_between_words_at_a_terminal(film: ContentRepo) -> None:
    screen = film.at_terminal("explain", "wait", typed="", COLUMNS="60").out
    assert max(map(len, screen.splitlines())) <= 60
    assert "and its clip serves both." in " ".join(screen.split())


@pytest.mark.parametrize("word", [*map(str, Action), *map(str, ReasonCode), *map(str, (0, 1, 2, 3, 4, 70, 130))])
def test_every_word_of_a_plan_and_every_exit_code_has_an_explanation(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    assert printed(capsys, "explain", word).startswith((word, f"exit code {word}"))


def test_an_imported_list_is_a_storyboard_that_validates(film: ContentRepo) -> None:
    film.write("shots.csv", "Nr;Was;Dauer\nx1;Ein Kai @ Nacht;4,5\nx1;Boote;6\n")
    imported = film.storyboard("import", "shots.csv", "--map", "id=Nr", "--map", "prompt=Was")
    assert (imported.code, imported.err) == (0, "")
    film.write("storyboards/film.yaml", imported.out)
    validated = film.storyboard("validate")
    assert (validated.code, validated.out) == (0, "1 file, 2 shots: nothing is wrong\n")


TABLE = "Shot,Description\n1,A café on the quay\n2,Boats\n"
LISTS = {
    "utf-8.csv": TABLE.encode(),
    "utf-16.csv": TABLE.encode("utf-16"),
    "windows.csv": TABLE.encode("cp1252"),
    "play.fountain": b"INT. CAFE - DAY\n\nA cup steams.\n\nEXT. QUAY - NIGHT\n\nBoats leave.\n",
    "cut.edl": b"TITLE: Quay\nFCM: NON-DROP FRAME\n\n"
    b"001  A  V  C  00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00\n* FROM CLIP NAME: CAFE\n"
    b"002  B  V  C  00:00:00:00 00:00:05:00 01:00:04:00 01:00:09:00\n* FROM CLIP NAME: BOATS\n",
    "cut.otio": timeline(clip("Cafe", 0, 96), clip("Boats", 0, 120)).encode(),
    "shots.json": b'[{"id": "cafe", "prompt": "A cafe"}, {"id": "boats", "prompt": "Boats"}]',
}
"""Shot lists of every kind, each with two shots."""


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_every_kind_becomes_a_storyboard_that_validates(film: ContentRepo, name: str) -> None:
    (film.root / name).write_bytes(LISTS[name])
    imported = film.storyboard("import", name)
    assert (imported.code, imported.err) == (0, "")
    film.write("storyboards/film.yaml", imported.out)
    assert film.storyboard("validate").out == "1 file, 2 shots: nothing is wrong\n", imported.out
    assert name.startswith(("play", "cut", "shots")) or "A café on the quay" in imported.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("broken.csv",), 3, "line 2 is neither UTF-8, UTF-16 nor"),
        (("no.csv",), 3, "no.csv: cannot be read (No such file or directory)"),
        (("storyboards",), 3, "storyboards: "),
        (("empty.csv",), 3, "empty.csv: is empty"),
        (("huge.csv",), 3, "huge.csv: has more than 16 MB"),
        (("play.fountain",), 3, "play.fountain: has no scene heading"),
        (("shots.csv", "--map", "id=Number"), 2, "there is no column 'Number'; columns: Shot, Description"),
        (("shots.csv", "--map", "id"), 2, "'id' is not FIELD=COLUMN"),
        (("play.fountain", "--map", "id=Nr"), 2, "--map is for tables and JSON"),
    ],
)
def test_a_list_that_cannot_be_used_prints_no_storyboard(
    film: ContentRepo, words: tuple[str, ...], code: int, message: str
) -> None:
    film.write("empty.csv", "")
    (film.root / "broken.csv").write_bytes(b"Shot,Description\n1,caf\x81\xe9\n")
    film.write("shots.csv", "Shot,Description\n1,A quay\n")
    film.write("play.fountain", "She walks.\n")
    with (film.root / "huge.csv").open("wb") as file:
        file.truncate((16 << 20) + 1)
    refused = film.storyboard("import", *words)
    assert (refused.code, refused.out) == (code, "")
    assert message in refused.err


def program(folder: Path, name: str = "storyboard") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_doctor_names_every_storyboard_on_the_path_and_the_one_that_runs(tmp_path: Path) -> None:
    first, second = program(tmp_path / "a"), program(tmp_path / "b")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "storyboard").symlink_to(first)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "storyboard").write_text("no program")
    path = ":".join(str(tmp_path / name) for name in "dabc")
    programs = commands_on_path("storyboard", {"PATH": f"{path}:relative"})
    assert programs == [str(first), str(second)]
    check = command_check(programs)
    assert check.verdict == "warning"
    assert check.message == f"2 are on the PATH, and {first} is the one that runs; also {second}"
    assert command_check(programs[:1]).verdict == "ok"
    assert command_check([]).verdict == "ok"
