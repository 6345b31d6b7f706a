"""Definitions that are left out because of a problem; names that refer to them are reported as consequences."""

import re
from bisect import bisect_right
from collections.abc import Iterable

from runner.diagnostics.folded_name import fold_name
from runner.diagnostics.problem import Place, Problem
from runner.language.ids import split_mention
from runner.language.yaml.document import Document, Key, Path, Value
from runner.lazy_dataclass import dataclass, field, replace
from runner.lazy_pattern import lazy_pattern

# The message of `errors.undefined`: a problem carries no variable's name, and no other message has such a cause.
_UNDEFINED = lazy_pattern(r"the variable `([^`]+)` is not defined\Z")
# In place of a name: any name, since it is unknown what a broken part would define.
_ANY = ""


@dataclass(slots=True)
class LeftOut:
    """Names and variables that are not defined because of another problem, each with the place of that problem."""

    names: list[tuple[str, Place]] = field(default_factory=list)
    """Folded beginnings of the names of assets and shots."""
    variables: dict[str, Place] = field(default_factory=dict)
    of_shots: dict[Key, dict[str, Place]] = field(default_factory=dict)
    """Variables of one shot, by its index."""
    _by_name: dict[str, Place] = field(default_factory=dict)
    _sorted_names: list[str] = field(default_factory=list)
    _indexed: int = 0
    """How many of the names the two hold."""

    def note(self, document: Document, path: Path, problem: Problem) -> None:
        """Remember what the value at a path would have defined; called while the value is still in the document."""
        place, holder = problem.place, document.get(path[:2])
        section = path[0] if path else ""
        if section == "assets":
            self.names.append((fold_name(str(path[1])) if len(path) > 1 else _ANY, place))
        if section == "shots" and len(path) > 1:
            self.names += [(fold_name(name), place) for name in _names_of_shot(holder, path) if name]
        variables = self.of_shots.setdefault(path[1], {}) if section == "shots" and len(path) > 1 else self.variables
        if "vars" in path:
            rest = path[path.index("vars") + 1 :]
            variables.setdefault(str(rest[0]) if rest else _ANY, place)
        elif path in (("defaults",), ("profiles",), ("scenes",)):
            # A section of the wrong shape may have held any `vars`.
            variables.setdefault(_ANY, place)
        elif problem.code == "unknown-field" and section != "assets":
            # Often a variable that was written beside `vars`: the templates that use it fail because of it.
            variables.setdefault(str(path[-1]), place)

    def note_name(self, start: str, place: Place) -> None:
        """Remember the folded beginning of a name that an asset or shot does not get."""
        self.names.append((start, place))

    def note_variable(self, name: str, place: Place) -> None:
        """Remember a variable that is not defined; the first place of a name stays."""
        self.variables.setdefault(name, place)

    def note_any(self, place: Place) -> None:
        """Remember a file that cannot be read, or not to its end: it may define anything."""
        self.names.append((_ANY, place))
        self.variables.setdefault(_ANY, place)

    def add(self, other: "LeftOut", *, is_storyboard: bool) -> None:
        """Add what another file leaves out; only the storyboard's own shots count."""
        self.names += other.names
        self.variables = {**other.variables, **self.variables}
        if is_storyboard:
            self.of_shots |= other.of_shots

    def cause_of_name(self, name: str) -> Place | None:
        """The place of the problem for which a mentioned name is unknown; a definition of that name comes first."""
        # Without pin and frame: `quay#2.last_frame` is unknown because `quay` is left out.
        folded, _ = split_mention(fold_name(name))
        # Kept between calls: each of thousands of unknown names would otherwise walk all that is left out.
        if self._indexed != len(self.names):
            # Reversed, so that of several problems of one name the first in the file is the cause.
            self._by_name, self._indexed = dict(reversed(self.names)), len(self.names)
            self._sorted_names = sorted(self._by_name)
        # The longest beginning first; the empty one, of a file that may define anything, comes last.
        for end in range(len(folded), -1, -1):
            if (place := self._by_name.get(folded[:end])) is not None:
                return place if end or not (cut := self._longer_name(folded)) else self._by_name[cut]
        cut = self._longer_name(folded)
        return self._by_name[cut] if cut else None

    def _longer_name(self, mention: str) -> str:
        """The invalid name that a mention begins, up to the first wrong character: `@a` of `a b`."""
        index = bisect_right(self._sorted_names, mention)
        name = self._sorted_names[index] if index < len(self._sorted_names) else ""
        return name if name.startswith(mention) and not re.match(r"[\w.-]", name[len(mention) :]) else ""

    def explain(self, problem: Problem, entry: Path) -> Problem:
        """A problem of a shot's template, as a consequence if its variable is left out."""
        match = _UNDEFINED.match(problem.message)
        if match is None:
            return problem
        of_shot = self.of_shots.get(entry[1], {}) if len(entry) > 1 else {}
        # A problem that names the variable comes before a broken part that may have defined it.
        places = (of_shot.get(match[1]), self.variables.get(match[1]), of_shot.get(_ANY), self.variables.get(_ANY))
        cause = next(filter(None, places), None)
        return problem if cause is None else as_consequence(problem, cause)


def _names_of_shot(entry: Value, path: Path) -> Iterable[str]:
    """The beginning of the id of a broken shot, or what stands in its place: as far as its text is literal."""
    if not isinstance(entry, dict):
        return [entry] if isinstance(entry, str) and len(path) == 2 else []
    from runner.language.list_hints import wrapping_name

    if (name := wrapping_name(entry)) is not None:
        return [name]
    written, value = entry.get("id"), entry.get(str(path[2])) if len(path) > 2 else None
    if written is None:
        return [str(value)] if isinstance(value, str | int | float) else []
    # With any other field left out the shot keeps its id, and mentions of it are right.
    is_left_out = path[2:3] in (("id",), ("matrix",), ())
    return [written.split("{")[0]] if isinstance(written, str) and is_left_out else []


def as_consequence(problem: Problem, cause: Place) -> Problem:
    """A problem that goes away when another one is mended: it says so, and at which place that one is."""
    where = f"line {cause.line}" if cause.file == problem.place.file else f"{cause.file}:{cause.line}"
    message = f"{problem.message}, a consequence of the problem at {where}"
    # The other problem may have nothing to do with a typing mistake: the nearest name stays beside the cause.
    nearest = f"; {problem.hint}" if problem.hint.startswith("did you mean") else ""
    return replace(problem, message=message, hint=f"mend that first{nearest}", cause=cause)
