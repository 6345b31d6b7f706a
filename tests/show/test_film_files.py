"""The screens of `cut`, `sheet`, `dailies` and `timeline` stand in the columns of a run's closing."""

from decimal import Decimal

import pytest

from runner.attempts.film import FilmName
from runner.show.screens.edited_cut import edit_notes, written_section
from runner.show.screens.film_files import FilmFile, film_files
from runner.show.screens.film_lines import FilmLine, film_lines
from runner.show.text.layout import LABEL
from runner.show.text.style import Style

CUT = "renders/ferry/kinovi/cut.mp4"
PLAIN = Style(color=False)


@pytest.mark.parametrize("label", ["watch", "sheet", "dailies", "timeline"])
def test_a_file_is_named_in_the_column_in_which_a_run_names_it(label: str) -> None:
    (at_the_end_of_a_run,) = film_lines([FilmLine(label, CUT)], 80, PLAIN, LABEL)
    file = FilmFile(label, FilmName("storyboards/ferry.yaml", None), CUT, Decimal(96))
    assert film_files([file], 80, color=False).splitlines()[0] == at_the_end_of_a_run


def test_all_lines_of_a_file_begin_in_one_column() -> None:
    film = FilmName("storyboards/ferry.yaml", None)
    file = FilmFile("watch", film, CUT, Decimal(96), ("640 × 360",), ("music.mp3 is silent",), (("SH020", "new"),))
    assert film_files([file], 80, color=False, next_command="storyboard verify") == (
        f"  watch      {CUT}\n"
        "             1:36 · 640 × 360\n"
        "  note       music.mp3 is silent\n"
        "  missing    1 clip: SH020 (new)\n"
        "\n"
        "  next       storyboard verify\n"
    )


def test_a_section_that_was_written_stands_there_too() -> None:
    written = written_section("storyboards/ferry.yaml", 1, 80, color=False, lost_comments=True)
    assert written + edit_notes(["a gap of 1.000 s"], 80, color=False) == (
        "  written    storyboards/ferry.yaml\n"
        "             cut: 1 entry; no other byte of the file changed\n"
        "  note       the comments in the old section are gone; git has them\n"
        "  note       a gap of 1.000 s\n"
    )
