"""`--select` and `--exclude`: which shots of a batch an expression names. Pure."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from runner.diagnostics.problem import CommandError, ExitCode, closest_match
from runner.language.model import Batch, Shot

ShotKey = tuple[str, str]
"""A shot: path of its storyboard, and id."""

_METHODS = ("tag", "scene")


def select(batch: Batch, chosen: Iterable[str], excluded: Iterable[str]) -> frozenset[ShotKey] | None:
    """The shots that the expressions leave; None when nothing was said. A space is or, a comma is and."""
    included, left_out = _terms(chosen), _terms(excluded)
    if not included and not left_out:
        return None
    shots = list(batch.shots)
    keep = _any(shots, included) if included else {_name(shot) for shot in shots}
    names = keep - _any(shots, left_out)
    if not names:
        words = "--exclude takes away all that --select chose"
        if not keep:
            words = "a comma is and, and no shot is all of that; for either write a blank: --select 'quay boat'"
        raise CommandError(ExitCode.USAGE, f"the selection leaves no shot: {words}")
    return frozenset(names)


def _terms(expressions: Iterable[str]) -> list[str]:
    return [term for expression in expressions for term in expression.split()]


def _any(shots: list[Shot], terms: list[str]) -> set[ShotKey]:
    return {name for term in terms for name in _all(shots, term)}


def _all(shots: list[Shot], term: str) -> set[ShotKey]:
    parts = [part for part in term.split(",") if part]
    if not parts:
        raise CommandError(ExitCode.USAGE, f"{term!r} selects nothing: write an id, a glob, tag:NAME or scene:NAME")
    found = [_matching(shots, part) for part in parts]
    return set.intersection(*found)


def _matching(shots: list[Shot], selector: str) -> set[ShotKey]:
    method, colon, value = selector.partition(":")
    if colon and method in _METHODS:
        found = {_name(shot) for shot in shots if any(_like(text, value) for text in _values(shot, method))}
        known = {text for shot in shots for text in _values(shot, method)}
    else:
        found = {_name(shot) for shot in shots if _is_named(shot, selector)}
        method, value = "shot", selector
        known = {shot.id for shot in shots}
    if not found:
        raise CommandError(ExitCode.USAGE, _unknown(method, value, known))
    return found


def _values(shot: Shot, method: str) -> tuple[str, ...]:
    return shot.tags if method == "tag" else (shot.scene,) if shot.scene else ()


def _is_named(shot: Shot, selector: str) -> bool:
    board, colon, id = selector.rpartition(":")
    return _like(shot.id, id) and (not colon or _like(storyboard_slug(shot.storyboard), board))


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())


def _name(shot: Shot) -> ShotKey:
    return shot.storyboard, shot.id


def storyboard_slug(path: str) -> str:
    """A storyboard's short name, which its output has too: its path without `storyboards/` and ending."""
    inner = path.removeprefix("storyboards/")
    stem, dot, ending = inner.rpartition(".")
    return stem if dot and ending in ("yaml", "yml") else inner


def _unknown(method: str, value: str, known: set[str]) -> str:
    near = closest_match(value, known)
    if near is not None:
        return f"no {method} is called {value!r}; did you mean {near!r}?"
    some = ", ".join(sorted(known)[:8])
    return f"no {method} is called {value!r}" + (f"; there are {some}" if some else f"; no shot has a {method}")
