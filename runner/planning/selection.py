"""Selection of shots by `--select` and `--exclude`. Pure."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from runner.diagnostics.problem import CommandError, ExitCode, closest_match
from runner.language.model import Batch, Shot

ShotKey = tuple[str, str]
"""A shot: path of its storyboard, and id."""

_METHODS = ("tag", "scene")


def select(batch: Batch, chosen: Iterable[str], excluded: Iterable[str]) -> frozenset[ShotKey] | None:
    """The shots that the expressions leave; None without any expression. A space means OR, a comma AND."""
    included_terms, excluded_terms = _terms(chosen), _terms(excluded)
    if not included_terms and not excluded_terms:
        return None
    shots = list(batch.shots)
    chosen_keys = _union(shots, included_terms) if included_terms else {_key(shot) for shot in shots}
    keys = chosen_keys - _union(shots, excluded_terms)
    if not keys:
        message = "no shot is left: --exclude removes every shot that --select selects"
        if not chosen_keys:
            message = "no shot matches all of these. A comma means AND; for OR use a space: --select 'quay boat'"
        raise CommandError(ExitCode.USAGE, message)
    return frozenset(keys)


def _terms(expressions: Iterable[str]) -> list[str]:
    return [term for expression in expressions for term in expression.split()]


def _union(shots: list[Shot], terms: list[str]) -> set[ShotKey]:
    return {key for term in terms for key in _intersection(shots, term)}


def _intersection(shots: list[Shot], term: str) -> set[ShotKey]:
    parts = [part for part in term.split(",") if part]
    if not parts:
        raise CommandError(ExitCode.USAGE, f"{term!r} selects nothing: write an id, a glob, tag:NAME or scene:NAME")
    matches = [_matching(shots, part) for part in parts]
    return set.intersection(*matches)


def _matching(shots: list[Shot], selector: str) -> set[ShotKey]:
    method, colon, value = selector.partition(":")
    if colon and method in _METHODS:
        keys = {_key(shot) for shot in shots if any(_like(text, value) for text in _values(shot, method))}
        values = {text for shot in shots for text in _values(shot, method)}
    else:
        keys = {_key(shot) for shot in shots if _is_named(shot, selector)}
        method, value = "shot", selector
        values = {shot.id for shot in shots}
    if not keys:
        raise CommandError(ExitCode.USAGE, _unknown(method, value, values))
    return keys


def _values(shot: Shot, method: str) -> tuple[str, ...]:
    return shot.tags if method == "tag" else (shot.scene,) if shot.scene else ()


def _is_named(shot: Shot, selector: str) -> bool:
    storyboard, colon, shot_id = selector.rpartition(":")
    return _like(shot.id, shot_id) and (not colon or _like(storyboard_slug(shot.storyboard), storyboard))


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())


def _key(shot: Shot) -> ShotKey:
    return shot.storyboard, shot.id


def storyboard_slug(path: str) -> str:
    """The short name of a storyboard and its output folder: the path without `storyboards/` and file extension."""
    inner = path.removeprefix("storyboards/")
    stem, dot, ending = inner.rpartition(".")
    return stem if dot and ending in ("yaml", "yml") else inner


def _unknown(method: str, value: str, values: set[str]) -> str:
    closest = closest_match(value, values)
    if closest is not None:
        return f"no {method} is called {value!r}; did you mean {closest!r}?"
    examples = ", ".join(sorted(values)[:8])
    return f"no {method} is called {value!r}" + (f"; there are {examples}" if examples else f"; no shot has a {method}")
