"""From the entries of a storyboard to its shots: merged, one for each combination of a matrix, with ids."""

import re
from collections.abc import Mapping, Sequence

from runner.diagnostics.problem import Problem, Problems
from runner.language.ids import id_error
from runner.language.matrix import Axis, AxisValue, axes, combinations, id_suffix
from runner.language.shot_draft import FieldLayer, ShotDraft, StoryboardScope, merge, merged_mapping, render_field
from runner.language.templates.scope import (
    TEMPLATE_START,
    TemplateFailure,
    Variable,
    VariableScope,
    literal_values,
    variable,
)
from runner.language.templates.template import Templates
from runner.language.yaml.document import NodeRef, Value, YamlMapping

MAX_SHOTS = 100_000
# Most ids are letters, digits and dashes: nothing more need be asked of them.
_GOOD_ID = re.compile(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d|image\d+|video\d+|audio\d+)\Z)[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z",
    re.IGNORECASE | re.ASCII,
)


def expand(ground: StoryboardScope) -> list[ShotDraft]:
    """Every shot of a storyboard, in the file's order; one whose id cannot be used is there under another name."""
    shots = ground.document.root.get("shots")
    found: list[ShotDraft] = []
    start = merge(ground.defaults)
    start_variables = _variables(start, ground.defaults)
    shared = literal_values(ground.variables, start_variables)
    if _too_many(ground, shots if isinstance(shots, list) else []):
        return []
    broken: dict[object, set[str]] = {}
    for path in ground.broken:
        if path[:1] == ("shots",) and len(path) > 2:
            broken.setdefault(path[1], set()).add(str(path[2]))
    for index, entry in enumerate(shots if isinstance(shots, list) else ()):
        if not isinstance(entry, YamlMapping) or not entry:
            continue
        origin = NodeRef(ground.document, ("shots", index))
        before = len(found)
        if "matrix" in entry:
            found += _from_matrix(ground, origin, entry)
        elif "matrix" not in broken.get(index, ()):
            found.append(_draft(ground, origin, entry, start, start_variables, shared))
        if index in broken or ground.broken_shared:
            for draft in found[before:]:
                draft.broken |= broken.get(index, set()) | (ground.broken_shared - set(entry))
    return found


def _too_many(ground: StoryboardScope, shots: list[Value]) -> bool:
    """Counts the combinations before one of them is made; more shots than a batch may have are noted."""
    total, unheard = 0, Problems()
    for index, entry in enumerate(shots):
        matrix = NodeRef(ground.document, ("shots", index, "matrix"))
        said = entry.get("matrix") if isinstance(entry, dict) else None
        total += len(combinations(matrix, axes(matrix, unheard), unheard)) if isinstance(said, dict) else 1
        if total > MAX_SHOTS:
            message = f"with this shot the storyboard has {total:,} shots; at most {MAX_SHOTS:,} are made at once"
            hint = "make a storyboard of its own of some"
            ground.problems.add(Problem("batch-size", matrix.key_place(), message, hint))
            return True
    return False


def _draft(
    ground: StoryboardScope,
    origin: NodeRef,
    entry: YamlMapping,
    start: dict[str, Value],
    variables: Mapping[str, Variable],
    shared: Mapping[str, Value],
) -> ShotDraft:
    """A shot without a matrix: most of all shots, so it is made with as little work as can be."""
    layers = (*ground.defaults, FieldLayer(origin, entry, "shot"), *ground.profile)
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
        shared = literal_values(ground.variables, variables)
    draft = ShotDraft(origin, layers, raw, (), VariableScope((ground.variables, variables), shared))
    _identify(draft, ground)
    return draft


def _from_matrix(ground: StoryboardScope, origin: NodeRef, entry: YamlMapping) -> list[ShotDraft]:
    problems = ground.problems
    before = len(problems.items)
    matrix = origin / "matrix"
    found = axes(matrix, problems)
    made = combinations(matrix, found, problems) if found else []
    if not found and len(problems.items) == before:
        problems.add(Problem("empty", matrix.key_place(), "`matrix` has no axis", "name: [value, …]"))
    _check_variables(origin, entry, ground, found)
    used = set(ground.asset_variables)
    drafts: list[ShotDraft] = []
    for combination in made:
        pieces = tuple(_piece(choice) for choice in combination if choice.fields)
        layers = (*ground.defaults, FieldLayer(origin, entry, "shot"), *pieces, *ground.profile)
        raw = merge(layers)
        raw.pop("matrix", None)
        chosen = {choice.axis: Variable(choice.value, None, literal=True) for choice in combination}
        variables = _variables(raw, layers)
        scope = VariableScope(
            (ground.variables, variables, chosen), literal_values(ground.variables, variables, chosen)
        )
        draft = ShotDraft(origin, layers, raw, combination, scope)
        _identify(draft, ground)
        drafts.append(draft)
        used |= _named(raw, scope, ground.templates)
    for axis in found if made else ():
        if not axis.fields_set and axis.name not in used:
            message = f"the axis `{axis.name}` changes nothing but the id: its clips would all be the same"
            hint = f"use {{{{ {axis.name} }}}} in the prompt, or give its values fields"
            problems.add(Problem("matrix-idle-axis", axis.origin.key_place(), message, hint))
    return drafts


def _piece(choice: AxisValue) -> FieldLayer:
    return FieldLayer(choice.origin, choice.fields, f"matrix {choice.axis}: {choice.text}", choice.is_list_item)


def _check_variables(origin: NodeRef, entry: YamlMapping, ground: StoryboardScope, found: Sequence[Axis]) -> None:
    names = {axis.name for axis in found}
    pieces = [(choice.origin, choice.fields) for axis in found for choice in axis.values if not choice.is_list_item]
    for holder, fields in ((origin, entry), *pieces):
        said = fields.get("vars")
        for name in said if isinstance(said, dict) else ():
            if name in names:
                message = f"`{name}` is an axis of this shot's matrix and one of its variables"
                hint = "name one of the two otherwise"
                place = (holder / "vars" / name).key_place()
                ground.problems.add(Problem("matrix-variable", place, message, hint))


def _variables(raw: Mapping[str, Value], layers: Sequence[FieldLayer]) -> Mapping[str, Variable]:
    said = raw.get("vars")
    if not isinstance(said, dict):
        return {}
    return {name: variable(value, _said_in(layers, name)) for name, value in said.items()}


class _said_in:  # noqa: N801 - a function that remembers what it was asked
    """Where a variable of a shot was said last; looked up only when it is asked for."""

    __slots__ = ("layers", "name")

    def __init__(self, layers: Sequence[FieldLayer], name: str) -> None:
        self.layers = layers
        self.name = name

    def __call__(self) -> NodeRef:
        for layer in reversed(self.layers):
            said = layer.fields.get("vars")
            if isinstance(said, dict) and self.name in said:
                return layer.of("vars") / self.name
        return self.layers[-1].origin


def _named(raw: Mapping[str, Value], scope: VariableScope, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, through variables too; its id does not count."""
    found: set[str] = set()
    waiting = [value for name, value in raw.items() if name not in ("id", "vars", "inputs")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "{" in value and TEMPLATE_START.search(value):
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


def used_names(draft: ShotDraft, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, its id among them."""
    said = draft.raw.get("id")
    own = templates.read(said).names if isinstance(said, str) and TEMPLATE_START.search(said) else frozenset()
    return _named(draft.raw, draft.scope, templates) | own


def _identify(draft: ShotDraft, ground: StoryboardScope) -> None:
    """Gives the draft its id, and its scope `shot`; without an id that can be used it gets one that nobody can name."""
    said = draft.raw.get("id")
    draft.id, scene = _id(draft, said, ground), draft.raw.get("scene")
    if not draft.id:
        draft.id, draft.has_usable_id = f"shots[{draft.entry.path[1]}]", False
        draft.broken.add("id")
    if isinstance(scene, str) and "{" in scene and TEMPLATE_START.search(scene):
        draft.scope.rendered["shot"] = {"id": draft.id}
        scene = render_field(draft, "scene", scene, ground)
        scene = scene.strip() if scene and scene.strip() else None
        draft.values["scene"] = scene
    draft.scope.rendered["shot"] = {"id": draft.id, "scene": scene}


def _id(draft: ShotDraft, said: Value, ground: StoryboardScope) -> str:
    """The id as rendered; empty when it cannot be used, which is noted."""
    if not isinstance(said, str):
        return ""
    text = said
    if "{" in said and TEMPLATE_START.search(said):
        try:
            text = ground.templates.render(said, draft.scope, lambda: draft.origin("id"))
        except TemplateFailure as fault:
            for problem in fault.problems:
                ground.problems.add(problem)
            return ""
    elif draft.combination:
        text += id_suffix(draft.combination)
    if _GOOD_ID.match(text) or (wrong := id_error(text)) is None:
        return text
    message, hint = wrong
    if text != said:
        hint = "; ".join(filter(None, (f"here it comes to `{text}`", hint)))
    shots = (text,) if draft.combination else ()
    ground.problems.add(Problem("id-form", draft.origin("id").place(), message, hint, shots=shots))
    return ""
