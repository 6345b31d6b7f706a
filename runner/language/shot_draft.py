"""Merges the layers of a shot, renders its fields, and remembers the origin of each value."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.diagnostics.problem import Problem, Problems
from runner.language.causes import LeftOut
from runner.language.schema_validity import is_valid
from runner.language.templates.scope import TEMPLATE_START, TemplateFailure, Variable, VariableScope
from runner.language.templates.template import Templates
from runner.language.yaml.document import Document, NodeRef, Path, Value
from runner.language.yaml.scalar_value import scalar_value
from runner.lazy_dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from runner.language.matrix import Combination
    from runner.language.schema import Violation

# Fields whose rendered text is read as YAML reads a scalar: a template can make text alone.
_NUMBERS = frozenset(("duration", "seconds", "in", "takes", "seed"))
_BOOLEANS = frozenset(("skip", "audio"))
# Rendered where they are used (`id`, `vars`, `prompt`, `wrap`), or never.
_UNRENDERED = frozenset(("id", "inputs", "vars", "prompt", "wrap", "matrix"))


class FieldLayer(NamedTuple):
    """Fields that are merged into a shot, and their position in the files."""

    origin: NodeRef
    fields: Mapping[str, Value]
    what: str
    """Label of the layer: `defaults`, `scene bakery`, `shot`, `matrix format: tall`, `profile draft`."""
    direct: bool = False
    """True when the origin is the value itself: an item of an axis."""

    def of(self, field: str) -> NodeRef:
        return self.origin if self.direct else self.origin / field


@dataclass(slots=True)
class ShotDraft:
    """A shot while it is compiled: first merged, then rendered."""

    entry: NodeRef
    layers: tuple[FieldLayer, ...]
    raw: dict[str, Value]
    combination: "Combination"
    scope: VariableScope
    id: str = ""
    has_usable_id: bool = True
    """False when the id is invalid: the shot is checked, but cannot be mentioned."""
    values: dict[str, Value] = field(default_factory=dict)
    """Rendered and checked fields."""
    finished: bool = False
    broken: frozenset[str] = frozenset()
    """Fields that have a reported problem; no further problem of these fields is reported."""

    def break_fields(self, names: Iterable[str]) -> None:
        """Mark fields as those with a reported problem."""
        self.broken |= frozenset(names)

    def lose_id(self) -> None:
        """Mark the id as unusable: no mention matches the shot."""
        self.has_usable_id = False
        self.break_fields(("id",))

    def layer(self, name: str) -> FieldLayer | None:
        """The layer that a field's value comes from; for a mapping, the last layer with this field."""
        return next((layer for layer in reversed(self.layers) if name in layer.fields), None)

    def origin(self, name: str, *keys: str | int) -> NodeRef:
        """Position of a field's value; for a key of a mapping, of the last layer with that key; else the entry."""
        for layer in reversed(self.layers):
            value = layer.fields.get(name)
            if name not in layer.fields or (keys and isinstance(value, dict) and keys[0] not in value):
                continue
            origin = layer.of(name)
            for key in keys:
                origin = origin / key
            return origin
        return self.entry


@dataclass(frozen=True, slots=True)
class StoryboardScope:
    """The values that the shots of one storyboard share while they are compiled."""

    document: Document
    defaults: tuple[FieldLayer, ...]
    profile: tuple[FieldLayer, ...]
    variables: Mapping[str, Variable]
    templates: Templates
    problems: Problems
    left_out: LeftOut
    broken: frozenset[Path]
    """Paths of the storyboard whose values have the wrong shape; these problems are reported already."""
    broken_shared: frozenset[str] = frozenset()
    """Fields of the defaults and of the profile with the wrong shape."""
    asset_variables: frozenset[str] = frozenset()
    """Variables in the words of assets."""
    scenes: Mapping[str, tuple[FieldLayer, ...]] = field(default_factory=dict)
    """The fields that the shots of a scene begin with, by its name; empty: a shot's scene is any text."""
    broken_scenes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By the name of a scene, its fields with the wrong shape."""


def merge(layers: Sequence[FieldLayer]) -> dict[str, Value]:
    """The fields of several layers: a scalar or a list replaces, a mapping merges one level deep, null removes."""
    fields: dict[str, Value] = {}
    for layer in layers:
        lay_over(fields, layer.fields)
    return fields


def lay_over(fields: dict[str, Value], layer: Mapping[str, Value]) -> None:
    """Lay the fields of one layer over those of the layers below it, in place."""
    for name, value in layer.items():
        if value is None:
            fields.pop(name, None)
        elif isinstance(value, dict):
            base = fields.get(name)
            fields[name] = _merged_mapping(base if isinstance(base, dict) else {}, value, name)
        elif name[:2] != "x-":
            fields[name] = value


def _merged_mapping(base: Mapping[str, Value], value: Mapping[str, Value], name: str) -> dict[str, Value]:
    mapping = dict(base)
    for key, item in value.items():
        # A variable that is null hides the storyboard's variable too, and is a problem only in a template that uses it.
        if item is None and name != "vars":
            mapping.pop(key, None)
        elif not (name == "vars" and key.startswith("x-")):
            mapping[key] = item
    return mapping


def render_field(draft: ShotDraft, name: str, text: str, scope: StoryboardScope, *keys: int) -> str | None:
    """The rendered text of a field; None after a problem, which is reported."""
    try:
        return scope.templates.render(text, draft.scope, lambda: draft.origin(name, *keys))
    except TemplateFailure as failure:
        for problem in failure.problems:
            explained = scope.left_out.explain(problem, draft.entry.path)
            scope.problems.add(replace(explained, shots=(*problem.shots, draft.id)))
        draft.break_fields((name,))
        return None


def render_fields(draft: ShotDraft, scope: StoryboardScope) -> None:
    """Render every field but the prompt, and check the finished shot against the schema; a second call does nothing."""
    if draft.finished:
        return
    draft.finished, values = True, draft.values
    value: Any
    for name, value in draft.raw.items():
        kind = type(value)
        if kind is str:
            # A scene is rendered together with the id, since its fields are merged into the shot.
            if name in _UNRENDERED or name in values:
                continue
            if "{" in value and TEMPLATE_START.search(value):
                value = _typed_value(name, render_field(draft, name, value, scope))
                if value is None:
                    continue
        elif kind is float:
            # `6.0` is 6, but the title `2024.10` is its text.
            value = _without_fraction(value) if name != "title" else draft.origin(name).source_text()
        elif isinstance(value, list):
            if not all(type(item) is str and "{" not in item for item in value):
                value = _render_items(draft, name, value, scope)
        elif name == "title":
            value = str(value)
        elif name in _UNRENDERED:
            continue
        values[name] = value
    if not is_valid(values, "finished"):
        from runner.language.schema import violations

        for violation in violations(values, "finished"):
            _note_violation(draft, violation, scope)


def _without_fraction(value: float) -> Value:
    return int(value) if value.is_integer() else value


def _typed_value(name: str, text: str | None) -> Value:
    """A rendered text as a value of the field's type; blank text is null."""
    if text is None or not (stripped := text.strip()):
        return None
    if name in _NUMBERS or name in _BOOLEANS:
        value = scalar_value(stripped)
        return _without_fraction(value) if isinstance(value, float) else value
    return stripped


def _render_items(draft: ShotDraft, name: str, items: list[Value], scope: StoryboardScope) -> list[Value]:
    values: list[Value] = []
    for index, item in enumerate(items):
        if isinstance(item, str):
            if TEMPLATE_START.search(item):
                item = _typed_value(name, render_field(draft, name, item, scope, index))
                if item is None:
                    continue
        elif isinstance(item, float) and name == "tags":
            item = draft.origin(name, index).source_text()
        elif isinstance(item, int) and name == "tags":
            item = str(item)
        values.append(item)
    return values


def _note_violation(draft: ShotDraft, violation: "Violation", scope: StoryboardScope) -> None:
    name = str(violation.path[0]) if violation.path else ""
    if name in draft.broken:
        return
    keys = tuple(key for key in violation.path[1:] if isinstance(key, int))
    draft.break_fields((name,))
    # The checks that follow take the default, not a value of the wrong type.
    draft.values.pop(name, None)
    origin = draft.origin(name, *keys)
    place = origin.place() if isinstance(origin.value, str | int | float | list) else origin.key_place()
    scope.problems.add(
        Problem(
            violation.code, place, violation.message, violation.hint, shots=(draft.id,), related=origin.alias_chain()
        )
    )


def prompt_text(draft: ShotDraft, scope: StoryboardScope) -> tuple[str | None, str | None]:
    """The rendered prompt without and with `wrap`, mentions as written; None for a text that cannot be rendered."""
    prompt, wrap = draft.raw.get("prompt"), draft.raw.get("wrap")
    if not isinstance(prompt, str):
        return None, None
    rendered: str | None = prompt
    if "{" in prompt and TEMPLATE_START.search(prompt):
        rendered = render_field(draft, "prompt", prompt, scope)
    if rendered is not None and not rendered.strip():
        return None, None
    if not isinstance(wrap, str):
        return rendered, rendered
    template = scope.templates.read(wrap)
    if "prompt" not in template.names and not template.faults:
        message, hint = (
            "this `wrap` does not use {{ prompt }}",
            "write {{ prompt }} where the shot's own prompt belongs",
        )
        place = draft.origin("wrap").place()
        scope.problems.add(Problem("wrap-without-prompt", place, message, hint, shots=(draft.id,)))
        draft.break_fields(("prompt",))
        return rendered, rendered
    # The wrap is rendered even when the prompt failed: one error must not hide another.
    # As a rendered value: text that came out of a template is never read as one.
    draft.scope.rendered["prompt"] = "" if rendered is None else rendered
    wrapped = render_field(draft, "wrap", wrap, scope)
    if wrapped is None or rendered is None:
        draft.break_fields(("prompt",))
        return rendered, None
    return rendered, wrapped
