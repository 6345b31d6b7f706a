"""Frames over each other, judged by what a small terminal makes of the bytes."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.show.live.canvas import TerminalCanvas
from runner.show.live.output import OutputStream

TOKEN = re.compile("\x1b\\[(\\??[0-9;]*)([A-Za-z])|(.)", re.DOTALL)


class Paper(OutputStream):
    """A terminal that wraps what was written when it becomes narrower, as most do."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self.rows: list[str] = [""]
        self.row = 0
        self.cursor = True
        self.writes = 0
        self.closed = False

    @property
    def size(self) -> tuple[int, int]:
        return self.columns, self.lines

    def write(self, text: str) -> None:
        self.writes += 1
        column = len(self.rows[self.row])
        for codes, letter, char in TOKEN.findall(text):
            column = self._letter(letter, codes, column) if letter else self._char(char, column)

    def _letter(self, letter: str, codes: str, column: int) -> int:
        if letter == "A":
            self.row = max(0, self.row - int(codes or 1))
        elif letter == "K":
            self.rows[self.row] = self.rows[self.row][:column]
        elif letter == "J":
            self.rows[self.row] = self.rows[self.row][:column]
            del self.rows[self.row + 1 :]
        elif codes == "?25":
            self.cursor = letter == "h"
        return column

    def _char(self, char: str, column: int) -> int:
        if char == "\r":
            return 0
        if char == "\n":
            self.row += 1
            if self.row == len(self.rows):
                self.rows.append("")
            return 0
        line = self.rows[self.row]
        self.rows[self.row] = line[:column].ljust(column) + char + line[column + 1 :]
        return column + 1

    def narrow(self, columns: int) -> None:
        """The window gets another width: longer lines take several rows."""
        wrapped: list[str] = []
        for line in self.rows[: self.row]:
            wrapped += [line[at : at + columns] for at in range(0, len(line), columns)] or [""]
        self.columns, self.rows, self.row = columns, [*wrapped, ""], len(wrapped)


LINES = st.lists(st.text("abc ", min_size=0, max_size=19).map(str.rstrip), min_size=1, max_size=6)


@settings(max_examples=200)
@given(frames=st.lists(LINES, min_size=1, max_size=6), narrow=st.integers(3, 20))
def test_only_the_last_frame_stands_below_what_was_there_before(frames: list[list[str]], narrow: int) -> None:
    paper = Paper(20, 24)
    paper.write("a line before\n")
    canvas = TerminalCanvas(paper)
    for frame in frames[:-1]:
        canvas.draw(frame)
    paper.narrow(narrow)
    last = [line[: narrow - 1].rstrip() for line in frames[-1]]
    canvas.draw(last)
    before = [("a line before"[at : at + narrow]) for at in range(0, 13, narrow)]
    assert paper.rows == [*before, *last, ""]
    canvas.clear()
    assert paper.rows == [*before, ""]
    assert paper.cursor


def test_the_cursor_is_hidden_while_there_is_a_frame() -> None:
    paper = Paper(80, 24)
    canvas = TerminalCanvas(paper)
    canvas.draw(["one"])
    assert not paper.cursor
    canvas.clear()
    assert paper.cursor


def test_a_frame_that_is_the_same_is_not_drawn_again() -> None:
    paper = Paper(80, 24)
    canvas = TerminalCanvas(paper)
    for _ in range(5):
        canvas.draw(["one", "two"])
    assert paper.writes == 1


def test_a_canvas_that_was_never_drawn_on_leaves_nothing() -> None:
    paper = Paper(80, 24)
    TerminalCanvas(paper).clear()
    assert paper.writes == 0


def test_a_frame_has_one_column_and_one_line_less_than_the_terminal() -> None:
    assert TerminalCanvas(Paper(80, 24)).size == (79, 23)
    assert TerminalCanvas(Paper(1, 1)).size == (1, 1)
