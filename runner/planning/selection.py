"""Selection of shots by `--select` and `--exclude`. Pure."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from glob import escape

from runner.diagnostics.failures import SelectionError
from runner.diagnostics.problem import closest_match
from runner.language.model import Batch, Shot

ShotKey = tuple[str, str]
"""A shot: path of its storyboard, and id."""

_METHODS = ("tag", "scene")
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "‘": "’", "«": "»"}
"""Opening and closing quotes, those of word processors too."""
_QUOTED = "|".join(f"{opening}[^{closing}]*{closing}" for opening, closing in _QUOTES.items())
_PIECE = re.compile(rf"[\s,]|{_QUOTED}|\\.|.", re.DOTALL)
"""One step through an expression: a separator, quoted text, an escaped character, or any other character."""


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
        raise SelectionError(message)
    return frozenset(keys)


def _terms(expressions: Iterable[str]) -> list[list[str]]:
    """The terms of all expressions, which a space parts; each is a list of selectors, which a comma parts.

    Blanks and commas in quotes, or behind a backslash, are part of a name, and so are the signs of a glob.
    """
    terms: list[list[str]] = []
    for expression in expressions:
        term, selector, is_open = list[str](), "", False
        for piece in _PIECE.findall(f"{expression} "):
            if piece == "," or piece.isspace():
                if selector or is_open:
                    term.append(selector)
                selector, is_open = "", False
                if piece != ",":
                    terms += [term] if term else []
                    term = []
            else:
                is_open = True
                selector += _pattern(piece)
        if not expression.replace(",", " ").strip():
            raise SelectionError(f"{expression!r} selects nothing: write an id, a glob, tag:NAME or scene:NAME")
    return terms


def _pattern(piece: str) -> str:
    """The glob that one piece of a selector stands for: text in quotes and behind a backslash stands for itself."""
    if len(piece) > 1 and piece[0] in _QUOTES:
        text = piece[1:-1]
        method, colon, name = text.partition(":")
        return f"{method}:{escape(name)}" if colon and method in _METHODS else escape(text)
    return escape(piece[1]) if len(piece) > 1 else piece


def _union(shots: list[Shot], terms: list[list[str]]) -> set[ShotKey]:
    return {key for term in terms for key in _intersection(shots, term)}


def _intersection(shots: list[Shot], term: list[str]) -> set[ShotKey]:
    return set.intersection(*(_matching(shots, part) for part in term))


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
        raise SelectionError(_unknown(method, value, values))
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


def _unknown(method: str, pattern: str, values: set[str]) -> str:
    value = re.sub(r"\[([*?[])\]", r"\1", pattern)  # as it was typed, before `escape`
    if value.count('"') == 1:
        typed = value.strip('"')
        return f"the quote before {typed!r} has no end"
    cut_off = sorted(text for text in values if text.casefold().startswith(value.casefold()))
    closest = closest_match(value, values) or (cut_off[0] if cut_off else None)
    if closest is not None and re.search(r"[\s,]", closest):
        name = f'"{closest}"' if method == "shot" else f'{method}:"{closest}"'
        return f"no {method} is called {value!r}; a name with blanks or commas stands in quotes: --select '{name}'"
    if closest is not None:
        return f"no {method} is called {value!r}; did you mean {closest!r}?"
    examples = ", ".join(sorted(values)[:8])
    return f"no {method} is called {value!r}" + (f"; there are {examples}" if examples else f"; no shot has a {method}")
