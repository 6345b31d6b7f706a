"""What is wrong and where, the nearest known name, and how a command ends."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

from runner.lazy_dataclass import dataclass, field

Severity = Literal["error", "warning"]


class ExitCode(IntEnum):
    """What the process says at its end; other programs rely on the numbers."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INVALID = 3
    DECLINED = 4
    KEY = 5
    UNSETTLED = 6
    LOCKED = 7
    CHANGES_PENDING = 8
    WAITING = 9
    DEFECT = 70
    INTERRUPTED = 130


_PRECEDENCE = (
    ExitCode.DEFECT,
    ExitCode.INTERRUPTED,
    ExitCode.INVALID,
    ExitCode.LOCKED,
    ExitCode.KEY,
    ExitCode.DECLINED,
    ExitCode.UNSETTLED,
    ExitCode.FAILED,
    ExitCode.WAITING,
)


def most_severe(codes: Iterable[ExitCode]) -> ExitCode:
    """Which of several exit codes that hold at once is the one to end with."""
    active = set(codes)
    return next((code for code in _PRECEDENCE if code in active), ExitCode.OK)


class CommandError(Exception):
    """A command cannot go on: an exit code and words for the user.

    `cli` ends the process with it. Code that can go on without the part that failed catches it before.
    """

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Place(NamedTuple):
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
    """Every problem that the stages of one compilation found, with the text of the files that they read. Mutable."""

    items: list[Problem] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    """Text of each file read, by the name that places use; for showing the line."""

    def add(self, problem: Problem) -> None:
        """Append a problem. What several shots share is joined after the last stage."""
        self.items.append(problem)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.items)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.items if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.items if problem.severity == "warning"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing about this machine or account that was looked at, and what to do when it is not as it should be."""

    name: str
    verdict: Literal["ok", "warning", "error"]
    message: str
    hint: str = ""


def closest_match(name: str, choices: Iterable[str]) -> str | None:
    """The known name that was probably meant, or None when nothing is near."""
    import difflib

    folded = name.casefold()
    if len(folded) > _MAX_NAME_LENGTH:
        return None
    names = choices if isinstance(choices, frozenset) else frozenset(choices)
    by_folded = (
        _names_by_folded(names) if len(names) > _FEW_NAMES else {choice.casefold(): choice for choice in sorted(names)}
    )
    candidates = by_folded if len(names) <= _FEW_NAMES else _similar_names(folded, _names_by_trait(names))
    close = difflib.get_close_matches(folded, candidates, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


_MAX_NAME_LENGTH = 200
_FEW_NAMES = 64


@lru_cache(maxsize=8)
def _names_by_folded(names: frozenset[str]) -> dict[str, str]:
    return {name.casefold(): name for name in sorted(names)}


def _similar_names(folded: str, index: dict[str, list[str]]) -> list[str]:
    """Of many names some that differ by one letter or begin alike: to compare with all of them would take minutes."""
    similar = (name for key in _traits(folded) for name in index.get(key, ()))
    return list(islice(dict.fromkeys(similar), _FEW_NAMES))


@lru_cache(maxsize=8)
def _names_by_trait(names: frozenset[str]) -> dict[str, list[str]]:
    """Folded names by what they may have in common with another, so many for each."""
    names_by_trait: dict[str, list[str]] = {}
    for name in _names_by_folded(names):
        for key in _traits(name):
            similar = names_by_trait.setdefault(key, [])
            if len(similar) < _FEW_NAMES:
                similar.append(name)
    return names_by_trait


def _traits(name: str) -> list[str]:
    """The name, the name without each one of its letters, and how it begins."""
    short = range(min(len(name), _FEW_NAMES))
    return [name, *(name[:position] + name[position + 1 :] for position in short), f"{name[:3]}…"]
