"""The problems of templates, with their messages and places."""

import re
from collections.abc import Mapping

from runner.diagnostics.problem import Place, Problem, closest_match
from runner.language.templates.environment import ALLOWED_FILTERS
from runner.language.templates.scope import TEMPLATE_START, Expression, VariableScope
from runner.language.yaml.document import NodeRef, Value


def line_place(origin: NodeRef, line: int) -> Place:
    """The place of a template's line: its first markup, else the markup that goes on in it."""
    lines = origin.value.split("\n") if isinstance(origin.value, str) else []
    index = sum(len(line_above) + 1 for line_above in lines[: line - 1])
    line_text = lines[line - 1] if line <= len(lines) else ""
    start = TEMPLATE_START.search(line_text)
    end = _CLOSE.search(line_text, start.end()) if start else None
    if start is None:
        text = "\n".join(lines)
        markup = next((match for match in _MARKUP.finditer(text) if match.start() < index < match.end()), None)
        return origin.place(markup.start(), len(markup.group().split("\n")[0])) if markup else origin.place()
    return origin.place(index + start.start(), (end.end() if end else len(line_text)) - start.start())


def name_place(origin: NodeRef, name: str, line: int = 1) -> Place:
    """The place of a name in a template, from a line on; the line's markup when the name is not literally there."""
    text = origin.value if isinstance(origin.value, str) else ""
    start = sum(len(line_above) + 1 for line_above in text.split("\n")[: line - 1])
    word = re.compile(rf"(?<![\w.'\"]){re.escape(name)}(?![\w'\"])")
    for markup in _MARKUP.finditer(text):
        if match := word.search(text, max(start, markup.start()), markup.end()):
            return origin.place(match.start(), len(name))
    return line_place(origin, line)


def narrowest_place(problem: Problem, origin: NodeRef, line: int) -> Place:
    """The place of the name that a problem's message quotes; the problem's own place when there is none."""
    match = _QUOTED.search(problem.message)
    return name_place(origin, match[1], line) if problem.code in _CODES_WITH_NAME and match else problem.place


UNSAFE = re.compile(r"access to attribute '([^']*)'.* is unsafe")
_CLOSE = re.compile(r"[%}#]\}")
_MARKUP = re.compile(r"\{[{%].*?(?:[%}]\}|\Z)", re.DOTALL)
_QUOTED = re.compile(r"`([^`]+)`")
_CODES_WITH_NAME = frozenset(("undefined-variable", "null-variable", "not-text"))


def bad_syntax(message: str, line: int) -> tuple[str, str, int, str]:
    hint = "a variable is {{ name }}, a statement {% if … %}; a literal {{ is written {{ '{{' }}"
    return "template-syntax", f"this template has a syntax error: {message.rstrip('.')}", line, hint


def no_filter(name: str, line: int) -> tuple[str, str, int, str]:
    closest = closest_match(name, ALLOWED_FILTERS)
    hint = f"did you mean {closest}?" if closest else f"the filters are {', '.join(sorted(ALLOWED_FILTERS))}"
    return "template-filter", f"there is no filter `{name}`", line, hint


def undefined(name: str, scope: VariableScope, place: Place) -> Problem:
    closest = closest_match(name, scope.names())
    hint = (
        f"did you mean `{closest}`?" if closest else "define it in `vars` of the storyboard, the defaults or the shot"
    )
    return Problem("undefined-variable", place, f"the variable `{name}` is not defined", hint)


def circle(name: str, scope: VariableScope, place: Place) -> Problem:
    loop = [*scope.rendering[scope.rendering.index(name) :], name]
    return Problem("variable-circle", place, f"these variables use each other in a circle: {' → '.join(loop)}")


def not_text(name: str, value: Value, place: Place) -> Problem:
    if value is None:
        hint = f"give it a value, or write {{% if {name} %}} around it"
        return Problem("null-variable", place, f"`{name}` is null", hint)
    label, hint = (
        ("a list", "write {{ NAME | join(', ') }}")
        if isinstance(value, list)
        else ("a mapping", "name one of its keys: {{ NAME.key }}")
    )
    return Problem("not-text", place, f"`{name}` is {label}, not text", hint.replace("NAME", name))


def no_key(expression: Expression, position: int, value: Value, origin: NodeRef) -> Problem:
    name, holder = expression.names[position], ".".join(expression.names[:position])
    closest = closest_match(name, value) if isinstance(value, dict) else None
    hint = f"did you mean `{closest}`?" if closest else ""
    if not isinstance(value, dict):
        hint = f"`{holder}` is not a mapping, and has no keys"
    place = origin.place(expression.at, expression.width)
    return Problem("undefined-variable", place, f"`{holder}` has no key `{name}`", hint)


_UNDEFINED_NAME = re.compile(r"'([^']*)' is undefined")
_UNDEFINED_KEY = re.compile(r"has no (?:attribute|element) '?([^']*)'?")


def undefined_in(reason: str, line: str, scope: VariableScope, place: Place) -> Problem:
    if match := _UNDEFINED_NAME.search(reason):
        return undefined(match[1], scope, place)
    key = _UNDEFINED_KEY.search(reason)
    if key is None:
        return Problem("undefined-variable", place, "a name in this template is not defined")
    holder = re.search(rf"([\w.]+)(?:\.|\[['\"]?){re.escape(key[1])}\b", line)
    owner = f"`{holder[1]}`" if holder else "the value before it"
    return Problem("undefined-variable", place, f"{owner} has no key `{key[1]}`")


def not_text_in(text: str, values: Mapping[str, Value], label: str, place: Place) -> Problem:
    kinds: dict[str, type] = {"null": type(None), "a list": list, "a mapping": dict}
    kind = kinds.get(label)
    names = [name for name, value in values.items() if kind is not None and isinstance(value, kind)]
    names_used = [name for name in names if re.search(rf"\{{\{{[^}}]*\b{re.escape(name)}\b", text)]
    if names_used:
        return not_text(names_used[0], values[names_used[0]], place)
    return Problem("null-variable" if label == "null" else "not-text", place, f"this expression is {label}, not text")
