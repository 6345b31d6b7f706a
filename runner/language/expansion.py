"""From the entries of a storyboard to its shots: merged, one for each combination of a matrix, with ids."""

import re
from collections.abc import Mapping, Sequence

from runner.diagnostics.problem import Problem, Problems
from runner.language.ids import bad_id
from runner.language.matrix import Axis, Choice, appended, axes, combinations
from runner.language.shot_draft import Draft, Ground, Layer, merge, merged_mapping, render_field
from runner.language.templates.scope import MARK, Fault, Scope, Variable, plain_values, variable
from runner.language.templates.template import Templates
from runner.language.yaml.document import Fields, Origin, Value

MAX_SHOTS = 100_000
# Most ids are letters, digits and dashes: nothing more need be asked of them.
_GOOD_ID = re.compile(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d|image\d+|video\d+|audio\d+)\Z)[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z",
    re.IGNORECASE | re.ASCII,
)


def expand(ground: Ground) -> list[Draft]:
    """Every shot of a storyboard, in the file's order; one whose id cannot be used is there under another name."""
    shots = ground.document.root.get("shots")
    found: list[Draft] = []
    start = merge(ground.defaults)
    start_variables = _variables(start, ground.defaults)
    shared = plain_values(ground.variables, start_variables)
    if _too_many(ground, shots if isinstance(shots, list) else []):
        return []
    broken: dict[object, set[str]] = {}
    for path in ground.broken:
        if path[:1] == ("shots",) and len(path) > 2:
            broken.setdefault(path[1], set()).add(str(path[2]))
    for index, entry in enumerate(shots if isinstance(shots, list) else ()):
        if not isinstance(entry, Fields) or not entry:
            continue
        origin = Origin(ground.document, ("shots", index))
        before = len(found)
        if "matrix" in entry:
            found += _from_matrix(ground, origin, entry)
        elif "matrix" not in broken.get(index, ()):
            found.append(_draft(ground, origin, entry, start, start_variables, shared))
        if index in broken or ground.lost:
            for draft in found[before:]:
                draft.broken |= broken.get(index, set()) | (ground.lost - set(entry))
    return found


def _too_many(ground: Ground, shots: list[Value]) -> bool:
    """Counts the combinations before one of them is made; more shots than a batch may have are noted."""
    total, unheard = 0, Problems()
    for index, entry in enumerate(shots):
        matrix = Origin(ground.document, ("shots", index, "matrix"))
        said = entry.get("matrix") if isinstance(entry, dict) else None
        total += len(combinations(matrix, axes(matrix, unheard), unheard)) if isinstance(said, dict) else 1
        if total > MAX_SHOTS:
            message = f"with this shot the storyboard has {total:,} shots; at most {MAX_SHOTS:,} are made at once"
            hint = "make a storyboard of its own of some"
            ground.problems.add(Problem("batch-size", matrix.key_place(), message, hint))
            return True
    return False


def _draft(
    ground: Ground,
    origin: Origin,
    entry: Fields,
    start: dict[str, Value],
    variables: Mapping[str, Variable],
    shared: Mapping[str, Value],
) -> Draft:
    """A shot without a matrix: most of all shots, so it is made with as little work as can be."""
    layers = (*ground.defaults, Layer(origin, entry, "shot"), *ground.profile)
    raw = start.copy()
    for name, value in entry.items():
        if value is None:
            raw.pop(name, None)
        elif isinstance(value, dict):
            before = raw.get(name)
            raw[name] = merged_mapping(before if isinstance(before, dict) else {}, value, name)
        elif name[:2] != "x-":
            raw[name] = value
    if ground.profile:
        raw = merge(layers)
    if raw.get("vars") is not start.get("vars"):
        variables = _variables(raw, layers)
        shared = plain_values(ground.variables, variables)
    draft = Draft(origin, layers, raw, (), Scope((ground.variables, variables), shared))
    _identify(draft, ground)
    return draft


def _from_matrix(ground: Ground, origin: Origin, entry: Fields) -> list[Draft]:
    problems = ground.problems
    before = len(problems.found)
    matrix = origin / "matrix"
    found = axes(matrix, problems)
    made = combinations(matrix, found, problems) if found else []
    if not found and len(problems.found) == before:
        problems.add(Problem("empty", matrix.key_place(), "`matrix` has no axis", "name: [value, …]"))
    _check_variables(origin, entry, ground, found)
    used = set(ground.spoken)
    drafts: list[Draft] = []
    for combination in made:
        pieces = tuple(_piece(choice) for choice in combination if choice.fields)
        layers = (*ground.defaults, Layer(origin, entry, "shot"), *pieces, *ground.profile)
        raw = merge(layers)
        raw.pop("matrix", None)
        chosen = {choice.axis: Variable(choice.value, None, literal=True) for choice in combination}
        variables = _variables(raw, layers)
        scope = Scope((ground.variables, variables, chosen), plain_values(ground.variables, variables, chosen))
        draft = Draft(origin, layers, raw, combination, scope)
        _identify(draft, ground)
        drafts.append(draft)
        used |= _named(raw, scope, ground.templates)
    for axis in found if made else ():
        if not axis.sets and axis.name not in used:
            message = f"the axis `{axis.name}` changes nothing but the id: its clips would all be the same"
            hint = f"use {{{{ {axis.name} }}}} in the prompt, or give its values fields"
            problems.add(Problem("matrix-idle-axis", axis.origin.key_place(), message, hint))
    return drafts


def _piece(choice: Choice) -> Layer:
    return Layer(choice.origin, choice.fields, f"matrix {choice.axis}: {choice.text}", choice.direct)


def _check_variables(origin: Origin, entry: Fields, ground: Ground, found: Sequence[Axis]) -> None:
    names = {axis.name for axis in found}
    pieces = [(choice.origin, choice.fields) for axis in found for choice in axis.choices if not choice.direct]
    for holder, fields in ((origin, entry), *pieces):
        said = fields.get("vars")
        for name in said if isinstance(said, dict) else ():
            if name in names:
                message = f"`{name}` is an axis of this shot's matrix and one of its variables"
                hint = "name one of the two otherwise"
                place = (holder / "vars" / name).key_place()
                ground.problems.add(Problem("matrix-variable", place, message, hint))


def _variables(raw: Mapping[str, Value], layers: Sequence[Layer]) -> Mapping[str, Variable]:
    said = raw.get("vars")
    if not isinstance(said, dict):
        return {}
    return {name: variable(value, _said_in(layers, name)) for name, value in said.items()}


class _said_in:  # noqa: N801 - a function that remembers what it was asked
    """Where a variable of a shot was said last; looked up only when it is asked for."""

    __slots__ = ("layers", "name")

    def __init__(self, layers: Sequence[Layer], name: str) -> None:
        self.layers = layers
        self.name = name

    def __call__(self) -> Origin:
        for layer in reversed(self.layers):
            said = layer.fields.get("vars")
            if isinstance(said, dict) and self.name in said:
                return layer.of("vars") / self.name
        return self.layers[-1].origin


def _named(raw: Mapping[str, Value], scope: Scope, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, through variables too; its id does not count."""
    found: set[str] = set()
    waiting = [value for name, value in raw.items() if name not in ("id", "vars", "inputs")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "{" in value and MARK.search(value):
                for name in templates.read(value).names - found:
                    found.add(name)
                    known = scope.find(name)
                    if known is not None and not known.literal:
                        waiting.append(known.value)
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
    return found


def used_names(draft: Draft, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, its id among them."""
    said = draft.raw.get("id")
    own = templates.read(said).names if isinstance(said, str) and MARK.search(said) else frozenset()
    return _named(draft.raw, draft.scope, templates) | own


def _identify(draft: Draft, ground: Ground) -> None:
    """Gives the draft its id, and its scope `shot`; without an id that can be used it gets one that nobody can name."""
    said = draft.raw.get("id")
    draft.id, scene = _id(draft, said, ground), draft.raw.get("scene")
    if not draft.id:
        draft.id, draft.known = f"shots[{draft.entry.path[1]}]", False
        draft.broken.add("id")
    if isinstance(scene, str) and "{" in scene and MARK.search(scene):
        draft.scope.rendered["shot"] = {"id": draft.id}
        scene = render_field(draft, "scene", scene, ground)
        scene = scene.strip() if scene and scene.strip() else None
        draft.values["scene"] = scene
    draft.scope.rendered["shot"] = {"id": draft.id, "scene": scene}


def _id(draft: Draft, said: Value, ground: Ground) -> str:
    """The id as rendered; empty when it cannot be used, which is noted."""
    if not isinstance(said, str):
        return ""
    text = said
    if "{" in said and MARK.search(said):
        try:
            text = ground.templates.render(said, draft.scope, lambda: draft.origin("id"))
        except Fault as fault:
            for problem in fault.problems:
                ground.problems.add(problem)
            return ""
    elif draft.combination:
        text += appended(draft.combination)
    if _GOOD_ID.match(text) or (wrong := bad_id(text)) is None:
        return text
    message, hint = wrong
    if text != said:
        hint = "; ".join(filter(None, (f"here it comes to `{text}`", hint)))
    shots = (text,) if draft.combination else ()
    ground.problems.add(Problem("id-form", draft.origin("id").place(), message, hint, shots=shots))
    return ""
