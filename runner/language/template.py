"""Templates in the text of a storyboard: what they name, and what they come to in the scope of a shot."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runner.language.document import Origin, Value
from runner.language.environment import (
    IN_PLACE,
    IN_WORKER,
    MAX_OUTPUT,
    MAX_SOURCE,
    NODES_IN_PLACE,
    NotText,
    environment,
    slug,
    text_of,
)
from runner.problems import Place, Problem, nearest

if TYPE_CHECKING:
    from jinja2 import nodes

MARK = re.compile(r"\{[{%#]")
_SIMPLE = re.compile(r"\{\{[ \t]*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*((?:\|[ \t]*[a-z]+[ \t]*)*)\}\}")
_FILTERS: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "lower": str.lower,
    "upper": str.upper,
    "capitalize": str.capitalize,
    "slug": slug,
}
_RESERVED = frozenset(("true", "false", "none", "True", "False", "None", "not", "in", "is", "and", "or", "if", "else"))


class Fault(Exception):  # noqa: N818 - carries problems to the field that asked, always caught there
    """A template that cannot be rendered: its problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Expression:
    """`{{ name.key | filter }}` and where it stands in the template."""

    names: tuple[str, ...]
    filters: tuple[Callable[[str], str], ...]
    at: int
    width: int


@dataclass(slots=True)
class Template:
    """A text with its markup read once; `parts` when it is simple, else Jinja's own."""

    text: str
    parts: tuple[str | Expression, ...] | None
    names: frozenset[str]
    """Every variable that it may use."""
    in_place: bool = True
    compiled: Any = None
    wrong: tuple[str, str, int, str] | None = None
    """Code, message, line in the text, hint: why it cannot be used."""


@dataclass(slots=True)
class Variable:
    """A value of a scope, and where it stands."""

    value: Value
    origin: Callable[[], Origin] | None
    literal: bool = False
    """True for what is never a template: matrix values, `--var`, rendered text."""


class Scope:
    """The variables of one shot; they are rendered when they are first used."""

    __slots__ = ("layers", "rendered", "rendering")

    def __init__(self, layers: tuple[Mapping[str, Variable], ...]) -> None:
        self.layers = layers
        """Later wins."""
        self.rendered: dict[str, Value] = {}
        self.rendering: list[str] = []

    def find(self, name: str) -> Variable | None:
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return None

    def names(self) -> set[str]:
        return {name for layer in self.layers for name in layer}


@dataclass(slots=True)
class Templates:
    """Everything that is remembered of templates while one storyboard is compiled."""

    load: Callable[[str], tuple[str, str] | None]
    """Text and file name of a template in a prompt folder."""
    known: dict[str, Template] = field(default_factory=dict)
    run: Callable[["Templates", str, Mapping[str, Value]], str] | None = None
    _environment: Any = None

    def read(self, text: str) -> Template:
        """A template by its text, read once."""
        found = self.known.get(text)
        if found is None:
            found = self.known[text] = self._simple(text) or self._full(text)
        return found

    def _simple(self, text: str) -> Template | None:
        parts: list[str | Expression] = []
        names: set[str] = set()
        end = 0
        for found in _SIMPLE.finditer(text):
            path = tuple(found[1].split("."))
            filters = [name.strip() for name in found[2].split("|")[1:]]
            if path[0] in _RESERVED or any(name not in _FILTERS for name in filters):
                return None
            parts.append(text[end : found.start()])
            made = tuple(_FILTERS[name] for name in filters)
            parts.append(Expression(path, made, found.start(), found.end() - found.start()))
            names.add(path[0])
            end = found.end()
        parts.append(text[end:])
        if any(isinstance(part, str) and MARK.search(part) for part in parts):
            return None
        return Template(text, tuple(part for part in parts if part), frozenset(names))

    @property
    def environment(self) -> Any:
        if self._environment is None:
            self._environment = environment(lambda name: (self.load(name) or (None,))[0])
        return self._environment

    def _full(self, text: str) -> Template:
        from jinja2 import TemplateSyntaxError, meta, nodes

        if len(text) > MAX_SOURCE:
            message = f"this template has {len(text):,} characters; at most {MAX_SOURCE:,} are read"
            return Template(text, None, frozenset(), wrong=("template-syntax", message, 1, ""))
        try:
            tree = self.environment.parse(text)
            names = frozenset(meta.find_undeclared_variables(tree))
        except TemplateSyntaxError as error:
            return Template(text, None, frozenset(), wrong=_syntax(error.message or "", error.lineno))
        except RecursionError:
            return Template(
                text, None, frozenset(), wrong=("template-syntax", "this template is nested too deep", 1, "")
            )
        filters = [node for node in tree.find_all(nodes.Filter) if node.name not in IN_WORKER]
        if filters:
            return Template(text, None, names, wrong=_no_filter(filters[0].name, filters[0].lineno))
        in_place = all(type(node).__name__ in NODES_IN_PLACE for node in _walk(tree))
        in_place &= all(node.name in IN_PLACE for node in tree.find_all(nodes.Filter))
        return Template(text, None, names, in_place)

    def render(self, text: str, scope: Scope, origin: Callable[[], Origin]) -> str:
        """What a text comes to in a scope. Raises Fault."""
        template = self.read(text)
        if template.wrong is not None:
            code, message, line, hint = template.wrong
            raise Fault(Problem(code, _line_place(origin(), line), message, hint))
        if template.parts is not None:
            rendered = "".join(
                [part if type(part) is str else self._text(part, scope, origin) for part in template.parts]  # type: ignore[arg-type]
            )
        else:
            rendered = self._jinja(template, scope, origin)
        if len(rendered) > MAX_OUTPUT:
            message = f"this comes to {len(rendered):,} characters; at most {MAX_OUTPUT:,} are made"
            raise Fault(Problem("template-runaway", origin().place(), message, "make its variables shorter"))
        return rendered

    def _text(self, expression: Expression, scope: Scope, origin: Callable[[], Origin]) -> str:
        value = self.value(expression.names[0], scope, lambda: origin().place(expression.at, expression.width))
        for position, name in enumerate(expression.names[1:], start=1):
            if not isinstance(value, dict) or name not in value:
                raise Fault(_no_key(expression, position, value, origin()))
            value = value[name]
        if value is None or isinstance(value, list | dict):
            raise Fault(_not_text(".".join(expression.names), value, origin().place(expression.at, expression.width)))
        text = value if isinstance(value, str) else text_of(value)
        for apply in expression.filters:
            text = apply(text)
        return text

    def value(self, name: str, scope: Scope, place: Callable[[], Place]) -> Value:
        """The value of a variable, rendered in the scope of the shot that uses it. Raises Fault."""
        if name in scope.rendered:
            return scope.rendered[name]
        variable = scope.find(name)
        if variable is None:
            raise Fault(_undefined(name, scope, place()))
        if variable.literal or not _has_mark(variable.value):
            scope.rendered[name] = variable.value
            return variable.value
        if name in scope.rendering:
            raise Fault(_circle(name, scope, place()))
        scope.rendering.append(name)
        try:
            made = self._deep(variable.value, scope, variable.origin or _nowhere)
        finally:
            scope.rendering.pop()
        scope.rendered[name] = made
        return made

    def _deep(self, value: Value, scope: Scope, origin: Callable[[], Origin]) -> Value:
        if isinstance(value, str):
            return self.render(value, scope, origin) if MARK.search(value) else value
        if isinstance(value, list):
            return [self._deep(item, scope, lambda at=i: origin() / at) for i, item in enumerate(value)]  # type: ignore[misc]
        if isinstance(value, dict):
            return {key: self._deep(item, scope, lambda at=key: origin() / at) for key, item in value.items()}  # type: ignore[misc]
        return value

    def _jinja(self, template: Template, scope: Scope, origin: Callable[[], Origin]) -> str:
        from jinja2 import TemplateError, UndefinedError

        values: dict[str, Value] = {}
        for name in sorted(template.names):
            if scope.find(name) is not None or name in scope.rendered:
                values[name] = self.value(name, scope, lambda: _line_place(origin(), 1))
        try:
            if template.in_place:
                if template.compiled is None:
                    template.compiled = self.environment.from_string(template.text)
                made: str = template.compiled.render(values)
                return made
            if self.run is None:
                from runner.language.worker import render_apart

                self.run = render_apart
            return self.run(self, template.text, values)
        except UndefinedError as error:
            raise Fault(_jinja_undefined(str(error), template, scope, origin())) from None
        except NotText as error:
            raise Fault(_not_text_in(template, values, error.value, origin())) from None
        except (
            TemplateError,
            TypeError,
            ValueError,
            ArithmeticError,
            RecursionError,
            KeyError,
            AttributeError,
        ) as error:
            message = f"this template cannot be rendered: {str(error) or type(error).__name__}"
            raise Fault(Problem("template-error", origin().place(), message)) from None


def _nowhere() -> Origin:
    raise AssertionError("a value without a place is never a template")


def _has_mark(value: Value) -> bool:
    if isinstance(value, str):
        return MARK.search(value) is not None
    if isinstance(value, list):
        return any(map(_has_mark, value))
    return any(map(_has_mark, value.values())) if isinstance(value, dict) else False


def _walk(tree: "nodes.Node") -> Iterator["nodes.Node"]:
    yield tree
    for child in tree.iter_child_nodes():
        yield from _walk(child)


def _line_place(origin: Origin, line: int, word: str = "") -> Place:
    """The place of a line of a template, or of a word in it."""
    text = origin.value if isinstance(origin.value, str) else ""
    lines = text.split("\n")
    index = sum(len(before) + 1 for before in lines[: line - 1])
    here = lines[line - 1] if line <= len(lines) else ""
    found = re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", here) if word else None
    if found:
        return origin.place(index + found.start(), len(word))
    mark = MARK.search(here)
    return origin.place(index + mark.start(), 2) if mark else origin.place()


def _syntax(message: str, line: int) -> tuple[str, str, int, str]:
    hint = "a variable is {{ name }}, a statement {% if … %}; a literal {{ is written {{ '{{' }}"
    return "template-syntax", f"this template cannot be read: {message.rstrip('.')}", line, hint


def _no_filter(name: str, line: int) -> tuple[str, str, int, str]:
    close = nearest(name, IN_WORKER)
    hint = f"did you mean {close}?" if close else f"known are {', '.join(sorted(IN_WORKER))}"
    return "template-filter", f"there is no filter `{name}`", line, hint


def _undefined(name: str, scope: Scope, place: Place) -> Problem:
    close = nearest(name, scope.names())
    hint = f"did you mean `{close}`?" if close else "say it in `vars` of the storyboard, the defaults or the shot"
    return Problem("undefined-variable", place, f"nothing is named `{name}` here", hint)


def _circle(name: str, scope: Scope, place: Place) -> Problem:
    loop = [*scope.rendering[scope.rendering.index(name) :], name]
    return Problem("variable-circle", place, f"variables are made of each other: {' → '.join(loop)}")


def _not_text(name: str, value: Value, place: Place) -> Problem:
    if value is None:
        hint = f"give it a value, or write {{% if {name} %}} around it"
        return Problem("null-variable", place, f"`{name}` is null", hint)
    what, hint = (
        ("a list", "write {{ NAME | join(', ') }}")
        if isinstance(value, list)
        else ("a mapping", "name one of its keys: {{ NAME.key }}")
    )
    return Problem("not-text", place, f"`{name}` is {what}, which is no text", hint.replace("NAME", name))


def _no_key(expression: Expression, position: int, value: Value, origin: Origin) -> Problem:
    name, holder = expression.names[position], ".".join(expression.names[:position])
    close = nearest(name, value) if isinstance(value, dict) else None
    hint = f"did you mean `{close}`?" if close else ""
    if not isinstance(value, dict):
        hint = f"`{holder}` is no mapping, it has no keys"
    place = origin.place(expression.at, expression.width)
    return Problem("undefined-variable", place, f"`{holder}` has no `{name}`", hint)


_UNDEFINED_NAME = re.compile(r"'([^']*)' is undefined")
_UNDEFINED_KEY = re.compile(r"has no (?:attribute|element) '?([^']*)'?")


def _jinja_undefined(words: str, template: Template, scope: Scope, origin: Origin) -> Problem:
    found = _UNDEFINED_NAME.search(words)
    name = found[1] if found else ""
    for number, line in enumerate(template.text.split("\n"), start=1):
        if name and re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", line):
            return _undefined(name, scope, _line_place(origin, number, name))
    key = _UNDEFINED_KEY.search(words)
    message = f"nothing is named `{key[1]}` here" if key else "a name of this template is not known"
    return Problem("undefined-variable", _line_place(origin, 1), message)


def _not_text_in(template: Template, values: Mapping[str, Value], value: object, origin: Origin) -> Problem:
    names = [name for name in sorted(template.names) if values.get(name, "") is value or values.get(name, "") == value]
    name = names[0] if names else "this"
    plain: Value = None if value is None else list(value) if isinstance(value, list | tuple) else {}
    return _not_text(name, plain, _line_place(origin, 1, name))
