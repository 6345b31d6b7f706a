"""From an entry to a finished shot: what it starts from, what overrides what, and where each value came from."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from runner.diagnostics.problem import Problem, Problems
from runner.language import schema
from runner.language.matrix import Combination
from runner.language.templates.scope import TEMPLATE_START, TemplateFailure, Variable, VariableScope
from runner.language.templates.template import Templates
from runner.language.yaml.document import Document, NodeRef, Path, Value
from runner.language.yaml.parser import scalar_value
from runner.lazy_dataclass import dataclass, field, replace

_NUMBERS = frozenset(("duration", "takes", "seed"))
_TRUTHS = frozenset(("skip", "audio"))
_UNRENDERED = frozenset(("id", "inputs", "vars", "prompt", "wrap", "matrix"))


class FieldLayer(NamedTuple):
    """Fields that are merged into a shot, and where they stand."""

    origin: NodeRef
    fields: Mapping[str, Value]
    what: str
    """`defaults`, `shot`, `matrix format: tall`, `profile draft`."""
    direct: bool = False
    """True when the origin is the value itself: an item of an axis."""

    def of(self, field: str) -> NodeRef:
        return self.origin if self.direct else self.origin / field


@dataclass(slots=True)
class ShotDraft:
    """A shot on its way: merged, not yet rendered."""

    entry: NodeRef
    layers: tuple[FieldLayer, ...]
    raw: dict[str, Value]
    combination: Combination
    scope: VariableScope
    id: str = ""
    has_usable_id: bool = True
    """False when its id cannot be used: it is checked, but nobody can mention it."""
    values: dict[str, Value] = field(default_factory=dict)
    """Rendered and checked fields."""
    finished: bool = False
    broken: set[str] = field(default_factory=set)
    """Fields that something was said about; nothing more is said of them."""

    def layer(self, name: str) -> FieldLayer | None:
        """The layer that a field's value came from; for a mapping, the last that says it."""
        return next((layer for layer in reversed(self.layers) if name in layer.fields), None)

    def origin(self, name: str, *keys: str | int) -> NodeRef:
        """Where a field's value stands; for a key of a mapping, where that key was said last; else the entry."""
        for layer in reversed(self.layers):
            value = layer.fields.get(name)
            if name not in layer.fields or (keys and isinstance(value, dict) and keys[0] not in value):
                continue
            made = layer.of(name)
            for key in keys:
                made = made / key
            return made
        return self.entry


@dataclass(frozen=True, slots=True)
class StoryboardScope:
    """What all shots of a storyboard start from."""

    document: Document
    defaults: tuple[FieldLayer, ...]
    profile: tuple[FieldLayer, ...]
    variables: Mapping[str, Variable]
    templates: Templates
    problems: Problems
    broken: frozenset[Path]
    """Paths of the storyboard whose values have the wrong shape; it was said."""
    broken_shared: frozenset[str] = frozenset()
    """Fields of defaults and of the profile of which the same holds."""
    asset_variables: frozenset[str] = frozenset()
    """Variables that the words of assets use."""


def merge(layers: Sequence[FieldLayer]) -> dict[str, Value]:
    """The fields of several layers: a scalar or a list replaces, a mapping merges one level deep, null removes."""
    made: dict[str, Value] = {}
    for layer in layers:
        for name, value in layer.fields.items():
            if value is None:
                made.pop(name, None)
            elif isinstance(value, dict):
                before = made.get(name)
                made[name] = merged_mapping(before if isinstance(before, dict) else {}, value, name)
            elif name[:2] != "x-":
                made[name] = value
    return made


def merged_mapping(before: Mapping[str, Value], value: Mapping[str, Value], name: str) -> dict[str, Value]:
    made = dict(before)
    for key, item in value.items():
        # A variable that is null hides the storyboard's too; it is a problem only where it is used.
        if item is None and name != "vars":
            made.pop(key, None)
        elif not (name == "vars" and key.startswith("x-")):
            made[key] = item
    return made


def render_field(draft: ShotDraft, name: str, text: str, ground: StoryboardScope, *keys: int) -> str | None:
    """A field's text, rendered; what is wrong is noted, and None returned."""
    try:
        return ground.templates.render(text, draft.scope, lambda: draft.origin(name, *keys))
    except TemplateFailure as fault:
        for problem in fault.problems:
            ground.problems.add(replace(problem, shots=(*problem.shots, draft.id)))
        draft.broken.add(name)
        return None


def render_fields(draft: ShotDraft, ground: StoryboardScope) -> None:
    """Renders every field but the prompt and checks the finished shot against the schema; once."""
    if draft.finished:
        return
    draft.finished, values = True, draft.values
    value: Any
    for name, value in draft.raw.items():
        kind = type(value)
        if kind is str:
            if name in _UNRENDERED or name in values:
                continue
            if "{" in value and TEMPLATE_START.search(value):
                value = _typed_value(name, render_field(draft, name, value, ground))
                if value is None:
                    continue
        elif kind is float:
            value = _whole(value) if name != "title" else draft.origin(name).source_text()
        elif isinstance(value, list):
            if not all(type(item) is str and "{" not in item for item in value):
                value = _items(draft, name, value, ground)
        elif name == "title":
            value = str(value)
        elif name in _UNRENDERED:
            continue
        values[name] = value
    if not schema.is_valid(values, "finished"):
        for finding in schema.violations(values, "finished"):
            _note_finding(draft, finding, ground)


def _whole(value: float) -> Value:
    return int(value) if value.is_integer() else value


def _typed_value(name: str, text: str | None) -> Value:
    """A rendered text as the field's kind of value; nothing is null."""
    if text is None or not (bare := text.strip()):
        return None
    if name in _NUMBERS or name in _TRUTHS:
        value = scalar_value(bare)
        return _whole(value) if isinstance(value, float) else value
    return bare


def _items(draft: ShotDraft, name: str, items: list[Value], ground: StoryboardScope) -> list[Value]:
    made: list[Value] = []
    for index, item in enumerate(items):
        if isinstance(item, str):
            if TEMPLATE_START.search(item):
                item = _typed_value(name, render_field(draft, name, item, ground, index))
                if item is None:
                    continue
        elif isinstance(item, float) and name == "tags":
            item = draft.origin(name, index).source_text()
        elif isinstance(item, int) and name == "tags":
            item = str(item)
        made.append(item)
    return made


def _note_finding(draft: ShotDraft, finding: "schema.Violation", ground: StoryboardScope) -> None:
    name = str(finding.path[0]) if finding.path else ""
    if name in draft.broken:
        return
    keys = tuple(key for key in finding.path[1:] if isinstance(key, int))
    draft.broken.add(name)
    draft.values.pop(name, None)
    said = draft.origin(name, *keys)
    place = said.place() if isinstance(said.value, str | int | float | list) else said.key_place()
    ground.problems.add(
        Problem(finding.code, place, finding.message, finding.hint, shots=(draft.id,), related=said.alias_chain())
    )


def prompt_text(draft: ShotDraft, ground: StoryboardScope) -> tuple[str | None, str | None]:
    """The prompt before and after `wrap`, rendered, mentions still as written; None for what cannot be rendered."""
    said, wrap = draft.raw.get("prompt"), draft.raw.get("wrap")
    if not isinstance(said, str):
        return None, None
    bare: str | None = said
    if "{" in said and TEMPLATE_START.search(said):
        bare = render_field(draft, "prompt", said, ground)
    if bare is not None and not bare.strip():
        return None, None
    if not isinstance(wrap, str):
        return bare, bare
    template = ground.templates.read(wrap)
    if "prompt" not in template.names and template.wrong is None:
        message, hint = "this wrap leaves the prompt out", "write {{ prompt }} where the shot's own prompt belongs"
        place = draft.origin("wrap").place()
        ground.problems.add(Problem("wrap-without-prompt", place, message, hint, shots=(draft.id,)))
        draft.broken.add("prompt")
        return bare, bare
    # A prompt that could not be rendered does not hide what is wrong with its wrap.
    draft.scope.rendered["prompt"] = "" if bare is None else bare
    wrapped = render_field(draft, "wrap", wrap, ground)
    if wrapped is None or bare is None:
        draft.broken.add("prompt")
        return bare, None
    return bare, wrapped
