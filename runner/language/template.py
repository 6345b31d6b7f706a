"""Templates in the text of a storyboard: what they name, and what they come to in the scope of a shot."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from runner.language.apart import Apart
from runner.language.document import Origin, Source, Value
from runner.language.environment import (
    KNOWN,
    MAX_OUTPUT,
    MAX_SOURCE,
    NotText,
    environment,
    in_place,
    slug,
    text_of,
    where,
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


class Expression(NamedTuple):
    """`{{ name.key | filter }}` and where it stands in the template."""

    names: tuple[str, ...]
    filters: tuple[Callable[[str], str], ...]
    at: int
    width: int
    alone: str
    """The name, when it is only one."""


@dataclass(slots=True)
class Template:
    """A text with its markup read once; `parts` when it is simple, else Jinja's own."""

    text: str
    parts: tuple[str | Expression, ...] | None
    names: frozenset[str]
    """Every variable that it may use."""
    own: frozenset[str] = frozenset()
    """Those of them that it also sets itself, by a loop or `set`: only perhaps a variable of the scope."""
    in_place: bool = True
    everything: bool = False
    """True when it includes files whose names are made while rendering."""
    compiled: Any = None
    wrong: tuple[str, str, int, str] | None = None
    """Code, message, line in the text, hint: why it cannot be used."""


class Variable(NamedTuple):
    """A value of a scope, and where it stands."""

    value: Value
    origin: Callable[[], Origin] | None
    literal: bool = False
    """True for what is no template: text without markup, matrix values, `--var`, rendered text."""


def variable(value: Value, origin: Callable[[], Origin]) -> Variable:
    """A variable that the files say."""
    return Variable(value, origin, not has_mark(value))


class Scope:
    """The variables of one shot; they are rendered when they are first used."""

    __slots__ = ("layers", "plain", "rendered", "rendering")

    def __init__(self, layers: tuple[Mapping[str, Variable], ...], plain: Mapping[str, Value]) -> None:
        self.layers = layers
        """Later wins."""
        self.plain = plain
        """Text of those that are no templates, ready to use; shots share it."""
        self.rendered: dict[str, Value] = {}
        self.rendering: list[str] = []

    def find(self, name: str) -> Variable | None:
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return None

    def names(self) -> set[str]:
        return {name for layer in self.layers for name in layer}


def plain_values(*layers: Mapping[str, Variable]) -> Mapping[str, Value]:
    """What the layers come to, of those variables that are no templates."""
    merged = {name: known for layer in layers for name, known in layer.items()}
    return {name: known.value for name, known in merged.items() if known.literal}


@dataclass(slots=True)
class Templates:
    """Everything that is remembered of templates while one storyboard is compiled."""

    load: Callable[[str], tuple[str, str] | None]
    """Text and file name of a template in a prompt folder."""
    apart: Apart
    """The process for templates that could run away."""
    sources: dict[str, str]
    """Text of the prompt files in which something is wrong, for showing the line."""
    known: dict[str, Template] = field(default_factory=dict)
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
            alone = path[0] if len(path) == 1 else ""
            parts.append(Expression(path, made, found.start(), found.end() - found.start(), alone))
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
        from jinja2 import TemplateSyntaxError, nodes

        if len(text) > MAX_SOURCE:
            message = f"this template has {len(text):,} characters; at most {MAX_SOURCE:,} are read"
            return Template(text, None, frozenset(), wrong=("template-syntax", message, 1, ""))
        try:
            tree: nodes.Template = self.environment.parse(text)
            unknown = [node for node in tree.find_all(nodes.Filter) if node.name not in KNOWN]
            if unknown:
                return Template(text, None, frozenset(), wrong=_no_filter(unknown[0].name, unknown[0].lineno))
            names, everything = self._names(tree, set())
            own = _own_names(tree)
        except TemplateSyntaxError as error:
            return Template(text, None, frozenset(), wrong=_syntax(error.message or "", error.lineno))
        except RecursionError:
            return Template(
                text, None, frozenset(), wrong=("template-syntax", "this template is nested too deep", 1, "")
            )
        return Template(text, None, names, own, in_place(tree), everything)

    def _names(self, tree: "nodes.Template", seen: set[str]) -> tuple[frozenset[str], bool]:
        """Variables that a template and what it includes may use; True when it can include anything.

        Jinja's own `meta` would generate code, and computes constants (`'a' * 10**9`) on the way.
        """
        from jinja2 import TemplateSyntaxError, meta, nodes

        found = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
        everything = False
        for name in meta.find_referenced_templates(tree):
            if name is None:
                everything = True
            elif name not in seen:
                seen.add(name)
                included = self.load(name)
                try:
                    inner = self.environment.parse(included[0]) if included else None
                except TemplateSyntaxError:
                    continue  # the worker meets it again, and says where
                if inner is not None:
                    names, more = self._names(inner, seen)
                    found |= names
                    everything |= more
        return frozenset(found), everything

    def render(self, text: str, scope: Scope, origin: Callable[[], Origin]) -> str:
        """What a text comes to in a scope. Raises Fault."""
        template = self.read(text)
        if template.wrong is not None:
            code, message, line, hint = template.wrong
            raise Fault(Problem(code, line_place(origin(), line), message, hint))
        if template.parts is not None:
            plain, known = scope.plain, scope.rendered
            made: list[str] = []
            for part in template.parts:
                if type(part) is str:
                    made.append(part)
                    continue
                assert isinstance(part, Expression)
                name = part.alone
                value = known.get(name) or plain.get(name)
                if type(value) is str:
                    for apply in part.filters:
                        value = apply(value)
                    made.append(value)
                else:
                    made.append(self._text(part, scope, origin))
            rendered = "".join(made)
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
        found = scope.find(name)
        if found is None:
            raise Fault(_undefined(name, scope, place()))
        if found.literal:
            return found.value
        if name in scope.rendering:
            raise Fault(_circle(name, scope, place()))
        scope.rendering.append(name)
        try:
            made = self._deep(found.value, scope, found.origin or _nowhere)
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
        values = self._values(template, scope, origin)
        if template.in_place:
            answer = self._here(template, values)
        else:
            answer = self.apart.render(template.text, values, lambda name: (self.load(name) or (None,))[0])
        if "text" in answer:
            made: str = answer["text"]
            return made
        raise Fault(self._told(answer, template, scope, values, origin()))

    def _values(self, template: Template, scope: Scope, origin: Callable[[], Origin]) -> dict[str, Value]:
        """What the template may use, rendered; what is not known is left out, since it may ask whether it is."""
        values: dict[str, Value] = {}
        for name in sorted(template.names | (scope.names() if template.everything else frozenset())):
            if name in scope.rendered or scope.find(name) is not None:
                try:
                    values[name] = self.value(name, scope, lambda word=name: name_place(origin(), word))  # type: ignore[misc]
                except Fault:
                    if name in template.names - template.own:
                        raise
        return values

    def _here(self, template: Template, values: Mapping[str, Value]) -> Mapping[str, Any]:
        from jinja2 import TemplateError, UndefinedError

        try:
            if template.compiled is None:
                template.compiled = self.environment.from_string(template.text)
            return {"text": template.compiled.render(values)}
        except UndefinedError as error:
            return {"error": "undefined", "words": str(error), "line": where(error)[1]}
        except NotText as error:
            return {"error": "not-text", "words": str(error), "line": where(error)[1]}
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            return {"error": "other", "words": str(error) or type(error).__name__, "line": where(error)[1]}
        except (RecursionError, SyntaxError, MemoryError):
            return {"error": "other", "words": "it is nested too deep", "line": 1}

    def _told(
        self, answer: Mapping[str, Any], template: Template, scope: Scope, values: Mapping[str, Value], origin: Origin
    ) -> Problem:
        """The problem that an answer means, in a prompt file or in the template itself."""
        line, words = int(answer.get("line") or 1), str(answer.get("words", ""))
        text, place = template.text, line_place(origin, line)
        related: tuple[tuple[Place, str], ...] = ()
        if (file := answer.get("file")) and (included := self.load(str(file))):
            text, name = included
            self.sources[name] = text
            source = Source(name, text)
            place, related = (
                source.place(source.starts[min(line, len(source.starts)) - 1]),
                ((place, "included from here"),),
            )
        lines = text.split("\n")
        here = lines[line - 1] if line <= len(lines) else ""
        match answer["error"]:
            case "undefined":
                made = _undefined_in(words, here, scope, place)
            case "not-text":
                made = _not_text_in(here if related else text, values, words, place)
            case "syntax":
                code, message, _, hint = _syntax(words, line)
                made = Problem(code, place, message, hint)
            case "not-found":
                hint = "such files lie in prompts/ beside the storyboard, or in prompts/ at the repository's top"
                made = Problem("template-include", place, f"there is no prompt file `{words}`", hint)
            case "runaway":
                made = Problem(
                    "template-runaway", place, f"this template cannot be rendered: {words}", "make it simpler"
                )
            case _:
                if unsafe := _UNSAFE.search(words):
                    words = f"`{unsafe[1]}` is not open to templates"
                made = Problem("template-error", place, f"this template cannot be rendered: {words.rstrip('.')}")
        if not related:
            made = replace(made, place=_narrowed(made, origin, line))
        return replace(made, related=(*related, *made.related))


def _own_names(tree: "nodes.Template") -> frozenset[str]:
    from jinja2 import nodes

    found = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    return frozenset(found | {"caller", "kwargs", "loop", "self", "varargs"})


def _nowhere() -> Origin:
    raise AssertionError("a value without a place is never a template")


def has_mark(value: Value) -> bool:
    """Is there a template in a value."""
    if isinstance(value, str):
        return "{" in value and MARK.search(value) is not None
    if isinstance(value, list):
        return any(map(has_mark, value))
    return any(map(has_mark, value.values())) if isinstance(value, dict) else False


def line_place(origin: Origin, line: int) -> Place:
    """The place of a line of a template: of the first markup in it."""
    lines = origin.value.split("\n") if isinstance(origin.value, str) else []
    index = sum(len(before) + 1 for before in lines[: line - 1])
    here = lines[line - 1] if line <= len(lines) else ""
    mark = MARK.search(here)
    end = _CLOSE.search(here, mark.end()) if mark else None
    if mark is None:
        return origin.place()
    return origin.place(index + mark.start(), (end.end() if end else len(here)) - mark.start())


def name_place(origin: Origin, name: str, line: int = 1) -> Place:
    """The place of a name in a template, from a line on; of the line's markup, where it does not stand literally."""
    text = origin.value if isinstance(origin.value, str) else ""
    start = sum(len(before) + 1 for before in text.split("\n")[: line - 1])
    for markup in _MARKUP.finditer(text, start):
        found = re.compile(rf"(?<![\w.'\"]){re.escape(name)}(?![\w'\"])").search(text, markup.start(), markup.end())
        if found:
            return origin.place(found.start(), len(name))
    return line_place(origin, line)


def _narrowed(problem: Problem, origin: Origin, line: int) -> Place:
    named = _QUOTED.search(problem.message)
    return name_place(origin, named[1], line) if problem.code in _NAMING and named else problem.place


_UNSAFE = re.compile(r"access to attribute '([^']*)'.* is unsafe")
_CLOSE = re.compile(r"[%}#]\}")
_MARKUP = re.compile(r"\{[{%].*?(?:[%}]\}|\Z)", re.DOTALL)
_QUOTED = re.compile(r"`([^`]+)`")
_NAMING = frozenset(("undefined-variable", "null-variable", "not-text"))


def _syntax(message: str, line: int) -> tuple[str, str, int, str]:
    hint = "a variable is {{ name }}, a statement {% if … %}; a literal {{ is written {{ '{{' }}"
    return "template-syntax", f"this template cannot be read: {message.rstrip('.')}", line, hint


def _no_filter(name: str, line: int) -> tuple[str, str, int, str]:
    close = nearest(name, KNOWN)
    hint = f"did you mean {close}?" if close else f"known are {', '.join(sorted(KNOWN))}"
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


def _undefined_in(words: str, line: str, scope: Scope, place: Place) -> Problem:
    if found := _UNDEFINED_NAME.search(words):
        return _undefined(found[1], scope, place)
    key = _UNDEFINED_KEY.search(words)
    if key is None:
        return Problem("undefined-variable", place, "a name of this template is not known")
    holder = re.search(rf"([\w.]+)(?:\.|\[['\"]?){re.escape(key[1])}\b", line)
    whose = f"`{holder[1]}`" if holder else "what stands before it"
    return Problem("undefined-variable", place, f"{whose} has no `{key[1]}`")


def _not_text_in(text: str, values: Mapping[str, Value], words: str, place: Place) -> Problem:
    kinds: dict[str, type] = {"null": type(None), "a list": list, "a mapping": dict}
    kind = kinds.get(words, type(None))
    names = [name for name, value in values.items() if type(value) is kind or isinstance(value, kind)]
    named = [name for name in names if re.search(rf"\{{\{{[^}}]*\b{re.escape(name)}\b", text)]
    if named:
        return _not_text(named[0], values[named[0]], place)
    return Problem(
        "null-variable" if words == "null" else "not-text", place, f"this comes to {words}, which is no text"
    )
