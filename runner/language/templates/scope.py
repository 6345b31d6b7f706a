"""The variables that templates can use, from the storyboard, the shot and its matrix; rendered at first use."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from runner.diagnostics.problem import Problem
from runner.language.templates.fault import TemplateFault
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

# Callers look for a brace before: `in` takes a third of the time, and most texts have none.
TEMPLATE_START = lazy_pattern(r"\{[{%#]")
_KEYWORDS = "true false none True False None not in is and or if else recursive for endfor set import include"
RESERVED = frozenset(_KEYWORDS.split())
"""Keywords of the template language, which no variable can have as its name."""


class TemplateFailure(Exception):  # noqa: N818 - carries problems to the field that is rendered, always caught there
    """A template cannot be rendered; holds all its problems."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


class Expression(NamedTuple):
    """An expression `{{ name.key | filter }}` with its offset and width in the template."""

    names: tuple[str, ...]
    filters: tuple[Callable[[str], str], ...]
    at: int
    width: int
    single_name: str
    """The name of an expression without keys; else an empty text."""


class Choice(NamedTuple):
    """A condition `{% if … %}`: the pieces of the first branch whose test holds count; `else` has no test."""

    branches: "tuple[tuple[Callable[[Mapping[str, Value]], Value] | None, tuple[Piece, ...]], ...]"


Piece = str | Expression | Choice


@dataclass(slots=True)
class Template:
    """A parsed template; Jinja renders it when both `parts` and `pieces` are None."""

    text: str
    parts: tuple[str | Expression, ...] | None
    """The text and the variables of a template that has nothing else."""
    names: frozenset[str]
    """Every variable that the template may use."""
    assigned_names: frozenset[str] = frozenset()
    """Names that the template also assigns, by a loop or `set`: the scope may lack them."""
    runs_inline: bool = True
    uses_all_names: bool = False
    """True when it includes files whose names are computed while rendering."""
    compiled: Any = None
    faults: tuple[TemplateFault, ...] = ()
    """The errors that keep the template from being compiled."""
    pieces: tuple[Piece, ...] | None = None
    """The pieces of a template with conditions on variables."""


class Variable(NamedTuple):
    """A value of a scope with its origin."""

    value: Value
    origin: Callable[[], NodeRef] | None
    literal: bool = False
    """True when the value has no template in it: text without markup, matrix values, `--var`, rendered text."""


def variable(value: Value, origin: Callable[[], NodeRef]) -> Variable:
    """A variable defined in the files."""
    return Variable(value, origin, not has_template(value))


class VariableScope:
    """The variables of one shot; each is rendered at its first use."""

    __slots__ = ("failed", "has_scene", "layers", "literals", "rendered", "rendering", "scene", "shot_id")

    def __init__(self, layers: tuple[Mapping[str, Variable], ...], literals: Mapping[str, Value]) -> None:
        self.layers = layers
        """Variables by name; a later layer wins."""
        self.literals = literals
        """Values of the variables without a template, ready to use; shots share this mapping."""
        self.rendered: dict[str, Value] = {}
        self.failed: dict[str, TemplateFailure] | None = None
        """Failures by variable: each is rendered once only, or the time would grow exponentially with their depth."""
        self.rendering: tuple[str, ...] = ()
        self.shot_id: str | None = None
        """None until the id is rendered: only then there is a variable `shot`."""
        self.scene: Value = None
        self.has_scene = False

    def name_shot(self, shot_id: str) -> None:
        """Define the variable `shot` with its `id`."""
        self.shot_id = shot_id

    def name_scene(self, scene: Value) -> None:
        """Add `scene` to the variable `shot`."""
        self.scene, self.has_scene = scene, True

    def forget_rendered(self) -> None:
        """Free the rendered values, once no template of the shot is rendered any more."""
        self.rendered = {}

    def at_hand(self, name: str) -> Value:
        """The value of a variable that is rendered already, or of `shot`; None without one."""
        # Made when it is asked for: a mapping in each of ten thousand scopes takes more memory than all their layers.
        if name == "shot" and self.shot_id is not None:
            return {"id": self.shot_id, "scene": self.scene} if self.has_scene else {"id": self.shot_id}
        return self.rendered.get(name)

    def ready(self, name: str) -> Value:
        """The value of a variable that is rendered already, or has no template; None where more is to be asked."""
        if name == "shot":
            return None
        value = self.rendered.get(name)
        return self.literals.get(name) if value is None else value

    def fail(self, name: str, failure: TemplateFailure) -> None:
        """Remember that a variable cannot be rendered."""
        self.failed = {**(self.failed or {}), name: failure}

    def find(self, name: str) -> Variable | None:
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return None

    def names(self) -> set[str]:
        return {name for layer in self.layers for name in layer}


def literal_values(*layers: Mapping[str, Variable]) -> Mapping[str, Value]:
    """The merged values of the layers, without the variables that have templates."""
    merged = {name: entry for layer in layers for name, entry in layer.items()}
    return {name: entry.value for name, entry in merged.items() if entry.literal}


def has_template(value: Value) -> bool:
    """Whether a value has a template in it."""
    if isinstance(value, str):
        return "{" in value and TEMPLATE_START.search(value) is not None
    if isinstance(value, list):
        return any(map(has_template, value))
    return any(map(has_template, value.values())) if isinstance(value, dict) else False
