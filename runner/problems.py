"""What is wrong and where, the nearest known name, and how a command ends."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Literal

from runner.values import dataclass, field

Severity = Literal["error", "warning"]


class ExitCode(IntEnum):
    """What the process says at its end; other programs rely on the numbers."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNFIT = 3
    DECLINED = 4
    KEY = 5
    UNSETTLED = 6
    LOCKED = 7
    TO_MAKE = 8
    WAITING = 9
    DEFECT = 70
    INTERRUPTED = 130


_PRECEDENCE = (
    ExitCode.DEFECT,
    ExitCode.INTERRUPTED,
    ExitCode.UNFIT,
    ExitCode.LOCKED,
    ExitCode.KEY,
    ExitCode.DECLINED,
    ExitCode.UNSETTLED,
    ExitCode.FAILED,
    ExitCode.WAITING,
)


def foremost(codes: Iterable[ExitCode]) -> ExitCode:
    """Which of several exit codes that hold at once is the one to end with."""
    held = set(codes)
    return next((code for code in _PRECEDENCE if code in held), ExitCode.DONE)


class Stop(Exception):  # noqa: N818 - it ends a command, it is not always an error
    """The command cannot go on: an exit code and words for the user; caught in `cli` only."""

    def __init__(self, code: ExitCode, words: str) -> None:
        super().__init__(words)
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A character in a file: path from the repository's top, line and column from 1 (code points)."""

    file: str
    line: int
    column: int
    path: str = ""
    """Where in the document, as a person would write it: `shots[3].duration`."""
    width: int = 1
    """How many code points the mark covers."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with what the user wrote."""

    code: str
    place: Place
    message: str
    hint: str = ""
    severity: Severity = "error"
    related: tuple[tuple[Place, str], ...] = ()
    """Other places that belong to it, each with what it is: "merged here", "included from here"."""
    shots: tuple[str, ...] = ()
    """The shots that it touches, when it stands where several shots take a value from."""


@dataclass(slots=True)
class Problems:
    """The one mutable thing of the front: what every stage found, with the text of the files it read."""

    found: list[Problem] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    """Text of each file read, by the name that places use; for showing the line."""

    def add(self, problem: Problem) -> None:
        """Note a problem; the same one for another shot is joined to the first."""
        self.found.append(problem)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.found if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.found if problem.severity == "warning"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing about this machine or account that was looked at, and what to do when it is not as it should be."""

    name: str
    verdict: Literal["ok", "warning", "error"]
    words: str
    hint: str = ""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None when nothing is near."""
    import difflib

    by_folded = {candidate.casefold(): candidate for candidate in known}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None
