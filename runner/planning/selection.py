"""Selection of shots by id, tag, scene, state and what they are made from: `--select` and its like. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from runner.attempts.clip_name import ClipName
from runner.attempts.film import FilmName, ShotKey, storyboard_slug
from runner.diagnostics.failures import SelectionError
from runner.diagnostics.problem import closest_match
from runner.language.model import Batch, Shot
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

StatesOf = Callable[[], Mapping[ShotKey, frozenset[str]]]
"""Gives the states of each shot's takes, as a plan has them; called for a `state:` only, since it plans the film."""
STATES = ("make", "failed", "wait", "resume", "keep", "unsettled", "refused", "blocked", "doubtful", "gone")
"""The words after `state:`: those of the plan, and `failed` for what is made again after a failure."""

# How many parts of a clip's path are below the output.
_DEPTH = ClipName("", 1).path.count("/") + 1
# What may stand before a colon: any other text there is the name of a storyboard.
_METHODS = ("tag", "scene", "state")
# Opening and closing quotes, those of word processors too.
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "‘": "’", "«": "»"}
_QUOTED = "|".join(f"{opening}[^{closing}]*{closing}" for opening, closing in _QUOTES.items())
# One step through an expression: a separator, quoted text, an escaped character, or any other character.
_PIECE = lazy_pattern(rf"[\s,]|{_QUOTED}|\\.|.", re.DOTALL)


def _without_plan() -> Mapping[ShotKey, frozenset[str]]:
    raise SelectionError("state: asks the plan, and here a shot is named: write its id, or tag:NAME or scene:NAME")


def select(
    batch: Batch, chosen: Iterable[str], excluded: Iterable[str], states_of: StatesOf = _without_plan
) -> frozenset[ShotKey] | None:
    """The shots that the expressions leave; None without any expression. A space means OR, a comma AND.

    Raises `SelectionError` for an expression that selects nothing.
    """
    included_terms, excluded_terms = _terms(chosen), _terms(excluded)
    if not included_terms and not excluded_terms:
        return None
    candidates = _Candidates(list(batch.shots), states_of)
    chosen_keys = candidates.union(included_terms) if included_terms else {shot.key for shot in candidates.shots}
    keys = chosen_keys - candidates.union(excluded_terms)
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
            raise SelectionError(
                f"{expression!r} selects nothing: write an id, a glob, tag:NAME, scene:NAME or state:NAME"
            )
    return terms


def _pattern(piece: str) -> str:
    """The glob that one piece of a selector stands for: text in quotes and behind a backslash stands for itself."""
    if len(piece) > 1 and piece[0] in _QUOTES:
        text = piece[1:-1]
        method, colon, name = text.partition(":")
        return f"{method}:{_literal(name)}" if colon and method in _METHODS else _literal(text)
    return _literal(piece[1]) if len(piece) > 1 else piece


def _literal(text: str) -> str:
    """The glob that matches a text alone; a plus sign in it asks for no other shots."""
    from glob import escape  # only few commands select by quoted names

    return escape(text).replace("+", "[+]")


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The shots that expressions select from."""

    shots: list[Shot]
    states_of: StatesOf

    def union(self, terms: list[list[str]]) -> set[ShotKey]:
        return {key for term in terms for key in set.intersection(*map(self._selected_by, term))}

    def _selected_by(self, selector: str) -> set[ShotKey]:
        """The shots of a selector; with `+` before it what they are made from, with `+` after it what needs them."""
        name = selector.removeprefix("+").removesuffix("+") or selector
        keys = self._matching(name)
        upstream = {shot.key: {(shot.film, need) for need in shot.needs} for shot in self.shots}
        reached = set(keys)
        if selector.startswith("+"):
            reached |= _reachable(keys, upstream)
        if selector.endswith("+"):
            downstream: dict[ShotKey, set[ShotKey]] = {}
            for key, needs in upstream.items():
                for need in needs:
                    downstream.setdefault(need, set()).add(key)
            reached |= _reachable(keys, downstream)
        # A shot may need one that a problem has kept out of the batch.
        return reached & upstream.keys()

    def _matching(self, selector: str) -> set[ShotKey]:
        method, colon, value = selector.partition(":")
        if not colon or method not in _METHODS:
            method, value = "shot", selector
            keys = {shot.key for shot in self.shots if _is_named(shot, selector)}
            values = {shot.id for shot in self.shots}
        elif method == "state":
            keys, values = self._in_state(value)
        else:
            keys = {shot.key for shot in self.shots if any(_like(text, value) for text in _values(shot, method))}
            values = {text for shot in self.shots for text in _values(shot, method)}
        if not keys:
            raise SelectionError(_unknown(method, value, values))
        return keys

    def _in_state(self, pattern: str) -> tuple[set[ShotKey], set[str]]:
        """The shots with a take in a state, and the words that name one. Raises `SelectionError` if no take has it."""
        words = {word for word in STATES if _like(word, pattern)}
        states = self.states_of() if words else {}
        keys = {key for key, of_shot in states.items() if words & of_shot}
        if words and not keys:
            present = [word for word in STATES if any(word in of_shot for of_shot in states.values())]
            raise SelectionError(f"no take is in state {pattern!r} now; there are {', '.join(present) or 'none'}")
        return keys, set(STATES)


def _reachable(starts: set[ShotKey], neighbours: Mapping[ShotKey, set[ShotKey]]) -> set[ShotKey]:
    """The shots that lie on the way from these, however far."""
    reached: set[ShotKey] = set()
    open_keys = list(starts)
    while open_keys:
        # Without what is reached: a circle of shots, which the compiler reports, must not run for ever here.
        new = neighbours.get(open_keys.pop(), set()) - reached
        reached |= new
        open_keys += new
    return reached


def _values(shot: Shot, method: str) -> tuple[str, ...]:
    return shot.tags if method == "tag" else (shot.scene,) if shot.scene else ()


def _is_named(shot: Shot, selector: str) -> bool:
    storyboard, colon, shot_id = selector.rpartition(":")
    return _like(shot.id, shot_id) and (not colon or _like(storyboard_slug(shot.storyboard), storyboard))


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold())


def shot_selector(shot: ShotKey, *, with_storyboard: bool) -> str:
    """The expression that selects a shot: `quay`, `harbour:quay`, `"my film:quay"`."""
    film, id = shot
    name = f"{storyboard_slug(film.storyboard)}:{id}" if with_storyboard else id
    return f'"{name}"' if re.search(r"[\s,]", name) else name


def name_from(shot: Shot, other: Shot) -> str:
    """A shot as the takes of another shot call it: with its film where that is another one."""
    if shot.film == other.film:
        return shot.id
    name = shot.id if shot.storyboard == other.storyboard else f"{shot.storyboard}: {shot.id}"
    return name if shot.profile == other.profile else f"{name} of --profile {shot.profile or 'none'}"


def is_in_output(path: str, film: FilmName) -> bool:
    """Whether the path of a take's clip leads into the output of a film, at whatever provider."""
    *above, variant = path.split("/")[:-_DEPTH] or [""]
    is_of_profile = variant.partition("-")[2] == (film.profile or "")  # a provider's name has no hyphen
    return is_of_profile and f"/{'/'.join(above)}".endswith(f"/{storyboard_slug(film.storyboard)}")


def _unknown(method: str, pattern: str, values: set[str]) -> str:
    value = re.sub(r"\[([*?[+])\]", r"\1", pattern)  # as it was typed, before `escape`
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
    examples = ", ".join(STATES if method == "state" else sorted(values)[:8])
    return f"no {method} is called {value!r}" + (f"; there are {examples}" if examples else f"; no shot has a {method}")
