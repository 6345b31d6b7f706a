"""The problems of templates, in words, each at its line or name."""

import re
from collections.abc import Mapping

from runner.diagnostics.problem import Place, Problem, closest_match
from runner.language.templates.environment import KNOWN
from runner.language.templates.scope import TEMPLATE_START, Expression, VariableScope
from runner.language.yaml.document import NodeRef, Value


def line_place(origin: NodeRef, line: int) -> Place:
    """The place of a line of a template: of the first markup in it, else of the one that goes on there."""
    lines = origin.value.split("\n") if isinstance(origin.value, str) else []
    index = sum(len(before) + 1 for before in lines[: line - 1])
    here = lines[line - 1] if line <= len(lines) else ""
    mark = TEMPLATE_START.search(here)
    end = _CLOSE.search(here, mark.end()) if mark else None
    if mark is None:
        text = "\n".join(lines)
        over = next((one for one in _MARKUP.finditer(text) if one.start() < index < one.end()), None)
        return origin.place(over.start(), len(over.group().split("\n")[0])) if over else origin.place()
    return origin.place(index + mark.start(), (end.end() if end else len(here)) - mark.start())


def name_place(origin: NodeRef, name: str, line: int = 1) -> Place:
    """The place of a name in a template, from a line on; of the line's markup, where it does not stand literally."""
    text = origin.value if isinstance(origin.value, str) else ""
    start = sum(len(before) + 1 for before in text.split("\n")[: line - 1])
    word = re.compile(rf"(?<![\w.'\"]){re.escape(name)}(?![\w'\"])")
    for markup in _MARKUP.finditer(text):
        if found := word.search(text, max(start, markup.start()), markup.end()):
            return origin.place(found.start(), len(name))
    return line_place(origin, line)


def narrowed(problem: Problem, origin: NodeRef, line: int) -> Place:
    named = _QUOTED.search(problem.message)
    return name_place(origin, named[1], line) if problem.code in _NAMING and named else problem.place


UNSAFE = re.compile(r"access to attribute '([^']*)'.* is unsafe")
_CLOSE = re.compile(r"[%}#]\}")
_MARKUP = re.compile(r"\{[{%].*?(?:[%}]\}|\Z)", re.DOTALL)
_QUOTED = re.compile(r"`([^`]+)`")
_NAMING = frozenset(("undefined-variable", "null-variable", "not-text"))


def bad_syntax(message: str, line: int) -> tuple[str, str, int, str]:
    hint = "a variable is {{ name }}, a statement {% if … %}; a literal {{ is written {{ '{{' }}"
    return "template-syntax", f"this template cannot be read: {message.rstrip('.')}", line, hint


def no_filter(name: str, line: int) -> tuple[str, str, int, str]:
    close = closest_match(name, KNOWN)
    hint = f"did you mean {close}?" if close else f"known are {', '.join(sorted(KNOWN))}"
    return "template-filter", f"there is no filter `{name}`", line, hint


def undefined(name: str, scope: VariableScope, place: Place) -> Problem:
    close = closest_match(name, scope.names())
    hint = f"did you mean `{close}`?" if close else "say it in `vars` of the storyboard, the defaults or the shot"
    return Problem("undefined-variable", place, f"nothing is named `{name}` here", hint)


def circle(name: str, scope: VariableScope, place: Place) -> Problem:
    loop = [*scope.rendering[scope.rendering.index(name) :], name]
    return Problem("variable-circle", place, f"variables are made of each other: {' → '.join(loop)}")


def not_text(name: str, value: Value, place: Place) -> Problem:
    if value is None:
        hint = f"give it a value, or write {{% if {name} %}} around it"
        return Problem("null-variable", place, f"`{name}` is null", hint)
    what, hint = (
        ("a list", "write {{ NAME | join(', ') }}")
        if isinstance(value, list)
        else ("a mapping", "name one of its keys: {{ NAME.key }}")
    )
    return Problem("not-text", place, f"`{name}` is {what}, which is no text", hint.replace("NAME", name))


def no_key(expression: Expression, position: int, value: Value, origin: NodeRef) -> Problem:
    name, holder = expression.names[position], ".".join(expression.names[:position])
    close = closest_match(name, value) if isinstance(value, dict) else None
    hint = f"did you mean `{close}`?" if close else ""
    if not isinstance(value, dict):
        hint = f"`{holder}` is no mapping, it has no keys"
    place = origin.place(expression.at, expression.width)
    return Problem("undefined-variable", place, f"`{holder}` has no `{name}`", hint)


_UNDEFINED_NAME = re.compile(r"'([^']*)' is undefined")
_UNDEFINED_KEY = re.compile(r"has no (?:attribute|element) '?([^']*)'?")


def undefined_in(words: str, line: str, scope: VariableScope, place: Place) -> Problem:
    if found := _UNDEFINED_NAME.search(words):
        return undefined(found[1], scope, place)
    key = _UNDEFINED_KEY.search(words)
    if key is None:
        return Problem("undefined-variable", place, "a name of this template is not known")
    holder = re.search(rf"([\w.]+)(?:\.|\[['\"]?){re.escape(key[1])}\b", line)
    whose = f"`{holder[1]}`" if holder else "what stands before it"
    return Problem("undefined-variable", place, f"{whose} has no `{key[1]}`")


def not_text_in(text: str, values: Mapping[str, Value], words: str, place: Place) -> Problem:
    kinds: dict[str, type] = {"null": type(None), "a list": list, "a mapping": dict}
    kind = kinds.get(words)
    names = [name for name, value in values.items() if kind is not None and isinstance(value, kind)]
    named = [name for name in names if re.search(rf"\{{\{{[^}}]*\b{re.escape(name)}\b", text)]
    if named:
        return not_text(named[0], values[named[0]], place)
    return Problem(
        "null-variable" if words == "null" else "not-text", place, f"this comes to {words}, which is no text"
    )
