"""Problems and their places, exit codes, and the closest match of a misspelled name."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import lru_cache
from itertools import islice
from typing import Literal, NamedTuple

from runner.diagnostics.failures import Failure
from runner.lazy_dataclass import dataclass, field

Severity = Literal["error", "warning"]


class ExitCode(IntEnum):
    """The exit codes of the process; other programs rely on the numbers."""

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
    # EX_SOFTWARE of sysexits.h.
    DEFECT = 70
    # As a shell reports it: 128 and the number of SIGINT.
    INTERRUPTED = 130


# What a script must hear first: a defect, what kept the run from going on, then the takes from bad to waiting.
_PRECEDENCE = (
    ExitCode.DEFECT,
    ExitCode.INTERRUPTED,
    ExitCode.USAGE,
    ExitCode.INVALID,
    ExitCode.LOCKED,
    ExitCode.KEY,
    ExitCode.DECLINED,
    ExitCode.UNSETTLED,
    ExitCode.FAILED,
    ExitCode.WAITING,
    ExitCode.CHANGES_PENDING,
)


def most_severe(codes: Iterable[ExitCode]) -> ExitCode:
    """The exit code of a command to which several codes apply."""
    active = set(codes)
    return next((code for code in _PRECEDENCE if code in active), ExitCode.OK)


class CommandError(Failure):
    """The error of a command or use case: an exit code and a message for the user.

    The rooms below `app` raise the typed failures of `failures.py`, which know no exit code.
    """

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Place(NamedTuple):
    """A character in a file: path from the repository's top, line and column from 1 (code points)."""

    file: str
    line: int
    column: int
    path: str = ""
    """The place in the document, as a person would write it: `shots[3].duration`."""
    width: int = 1
    """Number of code points to underline."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One error or warning about the user's files."""

    code: str
    place: Place
    message: str
    hint: str = ""
    severity: Severity = "error"
    related: tuple[tuple[Place, str], ...] = ()
    """Related places, each with a label: "merged here", "included from here"."""
    shots: tuple[str, ...] = ()
    """The shots concerned, for a problem at a place that several shots share."""
    cause: Place | None = None
    """Place of the problem that this one is a consequence of."""


MAX_ERRORS = 500
"""Errors at different places of a file after which its remaining shots and templates are not checked."""
# With many files: beyond it nobody reads, and only time is lost.
_MAX_ERRORS_OF_ALL_FILES = 10 * MAX_ERRORS
MOST_FOR_PROGRAMS = 10_000
"""Problems that a document for programs lists: more would only make the document too large to read."""


@dataclass(slots=True)
class Problems:
    """Every problem that the stages of one compilation found, with the text of the files that they read. Mutable."""

    items: list[Problem] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    """Text of each file read, by the name that places use; for showing the line."""
    _error_places: dict[str, set[tuple[str, int, int]]] = field(default_factory=dict)
    """By file, the codes and places of its first errors."""
    _error_count: int = 0

    def add(self, problem: Problem) -> None:
        """Append a problem; equal problems of several shots are merged after the last stage."""
        self.items.append(problem)
        if problem.severity == "error":
            place = problem.place
            places = self._error_places.setdefault(place.file, set())
            at = (problem.code, place.line, place.column)
            # Up to the limit alone: a file of a million faults must not be remembered fault by fault.
            if len(places) < MAX_ERRORS and at not in places:
                places.add(at)
                self._error_count += 1

    def limit_reached(self, file: str) -> int | None:
        """The limit of errors that a file, or all files together, have reached; then a flood would only cost time."""
        if len(self._error_places.get(file, ())) >= MAX_ERRORS:
            return MAX_ERRORS
        return _MAX_ERRORS_OF_ALL_FILES if self._error_count >= _MAX_ERRORS_OF_ALL_FILES else None

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.items)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.items if problem.severity == "error"]

    @property
    def consequences(self) -> list[Problem]:
        return [problem for problem in self.items if problem.cause is not None]

    @property
    def warnings(self) -> list[Problem]:
        return [problem for problem in self.items if problem.severity == "warning"]


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """The result of one check of this machine or account, with a hint if the check failed."""

    name: str
    verdict: Literal["ok", "warning", "error"]
    message: str
    hint: str = ""


def closest_match(name: str, choices: Iterable[str]) -> str | None:
    """The choice that a misspelled name probably means; None if no choice is similar."""
    # Here, since most commands meet no misspelling.
    import difflib

    # Case is the commonest slip, and no letter's difference.
    folded = name.casefold()
    if len(folded) > _MAX_NAME_LENGTH:
        return None
    names = choices if isinstance(choices, frozenset) else frozenset(choices)
    # Sorted, since the order of a set changes from run to run: of `Quay` and `quay` the same one is proposed.
    by_folded = (
        _names_by_folded(names) if len(names) > _FEW_NAMES else {choice.casefold(): choice for choice in sorted(names)}
    )
    candidates = by_folded if len(names) <= _FEW_NAMES else _similar_names(folded, _names_by_trait(names))
    # difflib's own default: below it a suggestion is a guess.
    close = difflib.get_close_matches(folded, candidates, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


# Longer names are no misspellings, and difflib's time is quadratic in their length.
_MAX_NAME_LENGTH = 200
# More names than this are compared by their index only.
_FEW_NAMES = 64


@lru_cache(maxsize=8)
def _names_by_folded(names: frozenset[str]) -> dict[str, str]:
    return {name.casefold(): name for name in sorted(names)}


def _similar_names(folded: str, index: dict[str, list[str]]) -> list[str]:
    """A few names that differ by one letter or begin alike: comparing with thousands would take minutes."""
    similar = (name for key in _traits(folded) for name in index.get(key, ()))
    return list(islice(dict.fromkeys(similar), _FEW_NAMES))


@lru_cache(maxsize=8)
def _names_by_trait(names: frozenset[str]) -> dict[str, list[str]]:
    """Folded names by trait, a limited number for each trait."""
    names_by_trait: dict[str, list[str]] = {}
    for name in _names_by_folded(names):
        for key in _traits(name):
            similar = names_by_trait.setdefault(key, [])
            if len(similar) < _FEW_NAMES:
                similar.append(name)
    return names_by_trait


def _traits(name: str) -> list[str]:
    """Traits that similar names share: the name, the name without each one of its letters, and its first letters."""
    short = range(min(len(name), _FEW_NAMES))
    return [name, *(name[:position] + name[position + 1 :] for position in short), f"{name[:3]}…"]
