"""What a template may name: variables of the storyboard, the shot and its matrix, rendered when they are used."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from runner.diagnostics.problem import Problem
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass

TEMPLATE_START = re.compile(r"\{[{%#]")
_KEYWORDS = "true false none True False None not in is and or if else recursive for endfor set import include"
RESERVED = frozenset(_KEYWORDS.split())
"""Words of the template language, which can name no variable."""


class TemplateFailure(Exception):  # noqa: N818 - carries problems to the field that asked, always caught there
    """A template that cannot be rendered: everything that is wrong with it."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(problems[0].message)
        self.problems = problems


class Expression(NamedTuple):
    """`{{ name.key | filter }}` and where it stands in the template."""

    names: tuple[str, ...]
    filters: tuple[Callable[[str], str], ...]
    at: int
    width: int
    single_name: str
    """The name, when it is only one."""


@dataclass(slots=True)
class Template:
    """A text with its markup read once; `parts` when it is simple, else Jinja's own."""

    text: str
    parts: tuple[str | Expression, ...] | None
    names: frozenset[str]
    """Every variable that it may use."""
    assigned_names: frozenset[str] = frozenset()
    """Those of them that it also sets itself, by a loop or `set`: only perhaps a variable of the scope."""
    runs_inline: bool = True
    uses_all_names: bool = False
    """True when it includes files whose names are made while rendering."""
    compiled: Any = None
    error: tuple[str, str, int, str] | None = None
    """Code, message, line in the text, hint: why it cannot be used."""


class Variable(NamedTuple):
    """A value of a scope, and where it stands."""

    value: Value
    origin: Callable[[], NodeRef] | None
    literal: bool = False
    """True for what is no template: text without markup, matrix values, `--var`, rendered text."""


def variable(value: Value, origin: Callable[[], NodeRef]) -> Variable:
    """A variable that the files say."""
    return Variable(value, origin, not has_template(value))


class VariableScope:
    """The variables of one shot; they are rendered when they are first used."""

    __slots__ = ("failed", "layers", "literals", "rendered", "rendering")

    def __init__(self, layers: tuple[Mapping[str, Variable], ...], literals: Mapping[str, Value]) -> None:
        self.layers = layers
        """Later wins."""
        self.literals = literals
        """Text of those that are no templates, ready to use; shots share it."""
        self.rendered: dict[str, Value] = {}
        self.failed: dict[str, TemplateFailure] | None = None
        """Variables that cannot be rendered: tried once, or they would multiply."""
        self.rendering: list[str] = []

    def find(self, name: str) -> Variable | None:
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return None

    def names(self) -> set[str]:
        return {name for layer in self.layers for name in layer}


def literal_values(*layers: Mapping[str, Variable]) -> Mapping[str, Value]:
    """What the layers come to, of those variables that are no templates."""
    merged = {name: entry for layer in layers for name, entry in layer.items()}
    return {name: entry.value for name, entry in merged.items() if entry.literal}


def has_template(value: Value) -> bool:
    """Is there a template in a value."""
    if isinstance(value, str):
        return "{" in value and TEMPLATE_START.search(value) is not None
    if isinstance(value, list):
        return any(map(has_template, value))
    return any(map(has_template, value.values())) if isinstance(value, dict) else False
