"""Expansion of a storyboard's entries to shots: layers merged, one shot per combination of a matrix, with ids."""

from collections.abc import Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import TYPE_CHECKING

from runner.diagnostics.problem import Problem, Problems, closest_match
from runner.language.ids import id_error
from runner.language.shot_draft import FieldLayer, ShotDraft, StoryboardScope, lay_over, merge, render_field
from runner.language.templates.scope import (
    TEMPLATE_START,
    TemplateFailure,
    Variable,
    VariableScope,
    literal_values,
    variable,
)
from runner.language.templates.template import Templates
from runner.language.yaml.document import Document, NodeRef, Value, YamlMapping

if TYPE_CHECKING:
    from runner.language.matrix import Axis, AxisValue

MAX_SHOTS = 100_000
"""Shots of a storyboard: a matrix of a few lines could ask for millions, and fill the memory."""


def expand(scope: StoryboardScope) -> list[ShotDraft]:
    """Return every shot of a storyboard in file order; a shot whose id is unusable gets a placeholder id."""
    shots = scope.document.root.get("shots")
    drafts: list[ShotDraft] = []
    default_fields = merge(scope.defaults)
    default_variables = _variables(default_fields, scope.defaults)
    literals = literal_values(scope.variables, default_variables)
    if _exceeds_max_shots(scope):
        return []
    broken_fields: dict[object, set[str]] = {}
    for path in scope.broken:
        if path[:1] == ("shots",) and len(path) > 2:
            broken_fields.setdefault(path[1], set()).add(str(path[2]))
    for index, entry in enumerate(shots if isinstance(shots, list) else ()):
        if not isinstance(entry, YamlMapping) or not entry:
            continue
        origin = NodeRef(scope.document, ("shots", index))
        draft_count = len(drafts)
        if "matrix" in entry:
            drafts += _drafts_from_matrix(scope, origin, entry)
        elif "matrix" not in broken_fields.get(index, ()):
            drafts.append(_draft_without_matrix(scope, origin, entry, default_fields, default_variables, literals))
        if index in broken_fields or scope.broken_shared:
            for draft in drafts[draft_count:]:
                # A value of the shot's own stands over the broken default.
                draft.break_fields(broken_fields.get(index, set()) | (scope.broken_shared - set(entry)))
    return drafts


def _exceeds_max_shots(scope: StoryboardScope) -> bool:
    """Report a storyboard with more shots than a batch may have, before any is built."""
    total = 0
    for index, count in enumerate(_shot_counts(scope.document)):
        total += count
        if total > MAX_SHOTS:
            matrix = NodeRef(scope.document, ("shots", index, "matrix"))
            message = f"with this shot the storyboard has {total:,} shots; at most {MAX_SHOTS:,} are compiled at once"
            hint = "split the storyboard, or use smaller matrices"
            scope.problems.add(Problem("batch-size", matrix.key_place(), message, hint))
            return True
    return False


def shot_count(document: Document) -> int:
    """The number of shots that a storyboard's entries and their matrices ask for, before any is built."""
    return sum(_shot_counts(document))


def _shot_counts(document: Document) -> Iterator[int]:
    """The number of shots of each entry."""
    # Here a matrix is only counted; what is wrong with it is reported when it is expanded.
    shots, discarded = document.root.get("shots"), Problems()
    for index, entry in enumerate(shots if isinstance(shots, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("matrix"), dict):
            from runner.language.matrix import axes, combinations

            matrix = NodeRef(document, ("shots", index, "matrix"))
            yield len(combinations(matrix, axes(matrix, discarded), discarded))
        else:
            yield 1


def _draft_without_matrix(
    scope: StoryboardScope,
    origin: NodeRef,
    entry: YamlMapping,
    default_fields: dict[str, Value],
    variables: Mapping[str, Variable],
    literals: Mapping[str, Value],
) -> ShotDraft:
    """Build a shot without a matrix: the most common kind, so the merged defaults are copied, not merged again."""
    layers = _layers(scope, FieldLayer(origin, entry, "shot"))
    raw = default_fields.copy()
    lay_over(raw, entry)
    # Their layers lie above and below the entry, so a copy of the defaults is no shortcut.
    if scope.profile or scope.scenes:
        raw = merge(layers)
    # By identity: a shot without `vars` has the very mapping of the defaults.
    if raw.get("vars") is not default_fields.get("vars"):
        if scope.profile or scope.scenes or not isinstance(own := entry["vars"], dict):
            variables = _variables(raw, layers)
            literals = literal_values(scope.variables, variables)
        else:
            variables, literals = _with_own(own, layers, variables, literals)
    draft = ShotDraft(origin, layers, raw, (), VariableScope((scope.variables, variables), literals))
    _identify(draft, scope)
    return draft


def _layers(
    scope: StoryboardScope,
    entry: FieldLayer,
    pieces: tuple[FieldLayer, ...] = (),
    axis_variables: Mapping[str, Variable] = MappingProxyType({}),
) -> tuple[FieldLayer, ...]:
    """The layers of a shot: defaults, its scene, the entry, its matrix pieces, the profiles; later ones win."""
    above = (entry, *pieces, *scope.profile)
    if not scope.scenes:
        return (*scope.defaults, *above)
    name = _scene_name((*scope.defaults, *above), scope, axis_variables)
    return (*scope.defaults, *scope.scenes.get(name or "", ()), *above)


def _scene_name(
    layers: Sequence[FieldLayer], scope: StoryboardScope, axis_variables: Mapping[str, Variable]
) -> str | None:
    """The scene of a shot by its other layers; rendered without the scene's variables, and without a problem."""
    fields = merge(layers)
    name = fields.get("scene")
    if not isinstance(name, str):
        return None
    if not TEMPLATE_START.search(name):
        return name
    variables = _variables(fields, layers)
    literals = literal_values(scope.variables, variables, axis_variables)
    try:
        variable_scope = VariableScope((scope.variables, variables, axis_variables), literals)
        return scope.templates.render(name, variable_scope, lambda: layers[-1].origin).strip()
    except TemplateFailure:
        # Reported when the field itself is rendered, in `_identify`.
        return None


def _drafts_from_matrix(scope: StoryboardScope, origin: NodeRef, entry: YamlMapping) -> list[ShotDraft]:
    from runner.language.matrix import axes, combinations

    problems = scope.problems
    problem_count = len(problems.items)
    matrix = origin / "matrix"
    matrix_axes = axes(matrix, problems)
    matrix_combinations = combinations(matrix, matrix_axes, problems) if matrix_axes else []
    if not matrix_axes and len(problems.items) == problem_count:
        problems.add(Problem("empty", matrix.key_place(), "`matrix` has no axis", "write name: [value, …]"))
    _check_axis_variables(origin, entry, scope, matrix_axes)
    names_in_use = set(scope.asset_variables)
    drafts: list[ShotDraft] = []
    for combination in matrix_combinations:
        matrix_layers = tuple(_matrix_layer(axis_value) for axis_value in combination if axis_value.fields)
        # Literal: an axis's own values are no templates.
        axis_variables = {axis_value.axis: Variable(axis_value.value, None, literal=True) for axis_value in combination}
        layers = _layers(scope, FieldLayer(origin, entry, "shot"), matrix_layers, axis_variables)
        raw = merge(layers)
        raw.pop("matrix", None)
        variables = _variables(raw, layers)
        variable_scope = VariableScope(
            (scope.variables, variables, axis_variables), literal_values(scope.variables, variables, axis_variables)
        )
        draft = ShotDraft(origin, layers, raw, combination, variable_scope)
        _identify(draft, scope)
        drafts.append(draft)
        names_in_use |= _names_in_templates(raw, variable_scope, scope.templates)
    for axis in matrix_axes if matrix_combinations else ():
        if not axis.fields_set and axis.name not in names_in_use:
            message = f"the axis `{axis.name}` changes nothing but the id: its clips would all be the same"
            hint = f"use {{{{ {axis.name} }}}} in the prompt, or give its values fields"
            problems.add(Problem("matrix-idle-axis", axis.origin.key_place(), message, hint))
    return drafts


def _matrix_layer(axis_value: "AxisValue") -> FieldLayer:
    return FieldLayer(
        axis_value.origin, axis_value.fields, f"matrix {axis_value.axis}: {axis_value.text}", axis_value.is_list_item
    )


def _check_axis_variables(
    origin: NodeRef, entry: YamlMapping, scope: StoryboardScope, matrix_axes: "Sequence[Axis]"
) -> None:
    names = {axis.name for axis in matrix_axes}
    axis_value_fields = [
        (axis_value.origin, axis_value.fields)
        for axis in matrix_axes
        for axis_value in axis.values
        if not axis_value.is_list_item
    ]
    for node, fields in ((origin, entry), *axis_value_fields):
        variables = fields.get("vars")
        for name in variables if isinstance(variables, dict) else ():
            if name in names:
                message = f"`{name}` is both an axis of this shot's matrix and one of its variables"
                hint = "rename one of the two"
                place = (node / "vars" / name).key_place()
                scope.problems.add(Problem("matrix-variable", place, message, hint))


def _variables(raw: Mapping[str, Value], layers: Sequence[FieldLayer]) -> Mapping[str, Variable]:
    variables = raw.get("vars")
    if not isinstance(variables, dict):
        return {}
    return {name: variable(value, _VariableOrigin(layers, name)) for name, value in variables.items()}


def _with_own(
    own: Mapping[str, Value],
    layers: Sequence[FieldLayer],
    defaults: Mapping[str, Variable],
    default_literals: Mapping[str, Value],
) -> tuple[Mapping[str, Variable], Mapping[str, Value]]:
    """The variables of a shot, and its literals: those of the defaults with the shot's own over them."""
    variables, literals = dict(defaults), dict(default_literals)
    for name, value in own.items():
        if name.startswith("x-"):
            continue
        entry = variables[name] = variable(value, _VariableOrigin(layers, name))
        if entry.literal:
            literals[name] = value
        else:
            literals.pop(name, None)
    return variables, literals


class _VariableOrigin:
    """Callable that finds where a shot's variable is defined last; lazy, since most variables have no problem."""

    __slots__ = ("layers", "name")

    def __init__(self, layers: Sequence[FieldLayer], name: str) -> None:
        self.layers = layers
        self.name = name

    def __call__(self) -> NodeRef:
        for layer in reversed(self.layers):
            variables = layer.fields.get("vars")
            if isinstance(variables, dict) and self.name in variables:
                return layer.of("vars") / self.name
        return self.layers[-1].origin


def _names_in_templates(raw: Mapping[str, Value], scope: VariableScope, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, directly or through variables; without the template of its id."""
    names: set[str] = set()
    pending = [value for name, value in raw.items() if name not in ("id", "vars", "inputs")]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if "{" in value and TEMPLATE_START.search(value):
                for name in templates.read(value).names - names:
                    names.add(name)
                    definition = scope.find(name)
                    if definition is not None and not definition.literal:
                        pending.append(definition.value)
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, dict):
            pending += value.values()
    return names


def direct_names(draft: ShotDraft, templates: Templates) -> Set[str]:
    """Names that a shot's prompt and its wrap use themselves: a part of `used_names` that needs no search."""
    names: Set[str] = frozenset()
    for field in ("prompt", "wrap"):
        text = draft.raw.get(field)
        if isinstance(text, str) and "{" in text and TEMPLATE_START.search(text):
            names |= templates.read(text).names
    return names


def used_names(draft: ShotDraft, templates: Templates) -> set[str]:
    """Names that the templates of a shot use, its id included."""
    id_value = draft.raw.get("id")
    names_in_id = (
        templates.read(id_value).names if isinstance(id_value, str) and TEMPLATE_START.search(id_value) else frozenset()
    )
    return _names_in_templates(draft.raw, draft.scope, templates) | names_in_id


def _identify(draft: ShotDraft, scope: StoryboardScope) -> None:
    """Set the draft's id and template variable `shot`; an unusable id becomes `shots[3]`, which no mention matches."""
    id_value = draft.raw.get("id")
    draft.id, scene = _rendered_id(draft, id_value, scope), draft.raw.get("scene")
    if not draft.id:
        draft.id = f"shots[{draft.entry.path[1]}]"
        draft.lose_id()
    if isinstance(scene, str) and "{" in scene and TEMPLATE_START.search(scene):
        # Before the scene is rendered, whose template may use `shot.id`.
        draft.scope.name_shot(draft.id)
        scene = render_field(draft, "scene", scene, scope)
        scene = scene.strip() if scene and scene.strip() else None
        draft.values["scene"] = scene
    draft.scope.name_shot(draft.id)
    draft.scope.name_scene(scene)
    if scope.scenes and isinstance(scene, str):
        _check_scene(draft, scene, scope)


def _check_scene(draft: ShotDraft, name: str, scope: StoryboardScope) -> None:
    """Report a scene that `scenes` does not have; mark the fields that its scene should have set."""
    draft.break_fields(scope.broken_scenes.get(name, frozenset()) - set(draft.layers[-1].fields))
    if name in scope.scenes or name in scope.broken_scenes or "scene" in draft.broken:
        return
    nearest = closest_match(name, scope.scenes)
    hint = f"did you mean `{nearest}`?" if nearest else f"the scenes are {', '.join(list(scope.scenes)[:8])}"
    origin = draft.origin("scene")
    problem = Problem("unknown-scene", origin.place(), f"`scenes` has no scene named `{name}`", hint, shots=(draft.id,))
    scope.problems.add(problem)
    draft.break_fields(("scene",))


def _rendered_id(draft: ShotDraft, value: Value, scope: StoryboardScope) -> str:
    """Return the rendered id, or an empty text after reporting why the id is unusable."""
    if not isinstance(value, str):
        return ""
    text = value
    if "{" in value and TEMPLATE_START.search(value):
        try:
            text = scope.templates.render(value, draft.scope, lambda: draft.origin("id"))
        except TemplateFailure as failure:
            for problem in failure.problems:
                scope.problems.add(scope.left_out.explain(problem, draft.entry.path))
            return ""
    elif draft.combination:
        from runner.language.matrix import id_suffix

        text += id_suffix(draft.combination)
    if (error := id_error(text)) is None:
        return text
    message, hint = error
    if text != value:
        hint = "; ".join(filter(None, (f"it renders as `{text}`", hint)))
    # One template makes many ids: its place alone does not tell which of them is wrong.
    shots = (text,) if draft.combination else ()
    scope.problems.add(Problem("id-form", draft.origin("id").place(), message, hint, shots=shots))
    return ""
