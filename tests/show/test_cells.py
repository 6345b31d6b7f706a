"""Text is measured as terminals draw it, so that tables align in every script."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from runner.show.text.cells import cut, left, right, width, wrap
from runner.show.text.escape import escape_terminal

TITLES = {
    "latin": ("Harbour at dawn", 15),
    "accents": ("cafe\u0301", 4),
    "japanese": ("港の夜明け", 10),
    "korean": ("항구의 새벽", 11),
    "full width": ("ＡＢ", 4),
    "arabic": ("فجر", 3),
    "hindi": ("नमस्ते", 4),
    "astronaut": ("👩‍🚀", 2),
    "flags": ("🇵🇹🇪🇸", 4),
    "skin": ("👍🏽", 2),
    "heart": ("❤️", 2),
    "dash": ("a – b", 5),
}
TEXT = st.text(max_size=40).map(escape_terminal)


@pytest.mark.parametrize(("text", "cells"), TITLES.values(), ids=TITLES.keys())
def test_a_text_takes_as_many_cells_as_a_terminal_gives_it(text: str, cells: int) -> None:
    assert width(text) == cells
    assert cell_len(text) == cells


@given(TEXT, st.integers(0, 30))
def test_a_cut_text_never_takes_more_than_its_room(text: str, most: int) -> None:
    assert width(cut(text, most)) <= most


@given(TEXT, st.integers(1, 40))
@example("\U0001f3fb", 3)
@example("\ufe0f", 3)
def test_a_filled_text_takes_exactly_its_room(text: str, room: int) -> None:
    assert width(left(text, room)) == room
    assert width(right(text, room)) == room


@given(TEXT, st.integers(4, 40))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, room: int) -> None:
    lines = wrap(text, room)
    assert all(width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_what_is_cut_ends_with_an_ellipsis_and_no_half_sign() -> None:
    assert cut("港の夜明け", 6) == "港の…"
    assert cut("港の夜明け", 10) == "港の夜明け"
    assert cut("maria, tomas", 8) == "maria,…"
