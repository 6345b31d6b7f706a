"""The problems of templates, with their messages and places."""

import re
from collections.abc import Mapping

from runner.diagnostics.problem import Place, Problem, closest_match
from runner.language.templates.environment import ALLOWED_FILTERS
from runner.language.templates.fault import TemplateFault
from runner.language.templates.markup import (
    Span,
    filter_span,
    first_line,
    markup_at,
    markup_spans,
    name_span,
    unclosed_block,
)
from runner.language.templates.scope import Expression, VariableScope
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_pattern import lazy_pattern


def name_place(origin: NodeRef, name: str) -> Place:
    """The place of a variable in a template: its first use; that of the first markup when it is not literally there."""
    text = origin.value if isinstance(origin.value, str) else ""
    spans = markup_spans(text)
    first_use = next((span for inside in spans if (span := name_span(text, name, inside))), None)
    return origin.place(*(first_use or first_line(text, spans[0]))) if spans else origin.place()


def narrowest_span(code: str, message: str, text: str, inside: Span) -> Span:
    """The place of the name that a problem's message quotes; the first line of the markup when there is none."""
    match = _QUOTED.search(message) if code in _CODES_WITH_NAME else None
    # The name of a key is that of its holder: `m` of `m.b`.
    named = name_span(text, match[1], inside) if match else None
    return named or first_line(text, inside)


# Jinja's text, which speaks of Python's types; what the template wrote is the attribute alone.
UNSAFE = lazy_pattern(r"access to attribute '([^']*)'.* is unsafe")
_QUOTED = lazy_pattern(r"`([^`]+)`")
_CODES_WITH_NAME = frozenset(("undefined-variable", "null-variable", "not-text"))


def bad_syntax(reason: str, text: str, line: int) -> TemplateFault:
    """The fault of a template that cannot be parsed, from Jinja's reason and the line of the copy."""
    inside = markup_at(text, line)
    if match := _NO_FILTER.match(reason):
        explain = no_filter if match[1] == "filter" else no_test
        code, message, hint = explain(match[2])
        return TemplateFault(code, message, hint, filter_span(text, match[2], inside) or first_line(text, inside))
    if reason.startswith("Unexpected end of template"):
        inside = unclosed_block(text) or inside
    elif reason.startswith("Missing end of comment"):
        # An unclosed comment goes on to the end of the text, so it is the last markup.
        inside = markup_spans(text)[-1]
    hint = "a variable is {{ name }}, a statement {% if … %}; a literal {{ is written {{ '{{' }}"
    message = f"this template has a syntax error: {reason.rstrip('.')}"
    return TemplateFault("template-syntax", message, hint, first_line(text, inside))


# Jinja's text: its exceptions carry no names.
_NO_FILTER = lazy_pattern(r"No (filter|test) named '([^']*)'")


def unknown_use(text: str, explained: tuple[str, str, str], name: str, line: int) -> TemplateFault:
    """The fault of a filter or test that does not exist, from the line of the copy."""
    inside = markup_at(text, line)
    return TemplateFault(*explained, filter_span(text, name, inside) or first_line(text, inside))


def no_filter(name: str) -> tuple[str, str, str]:
    closest = closest_match(name, ALLOWED_FILTERS)
    hint = f"did you mean {closest}?" if closest else f"the filters are {', '.join(sorted(ALLOWED_FILTERS))}"
    return "template-filter", f"there is no filter `{name}`", hint


def no_test(name: str) -> tuple[str, str, str]:
    from jinja2.tests import TESTS

    closest = closest_match(name, TESTS)
    hint = f"did you mean `is {closest}`?" if closest else "write a condition: {% if name == 'value' %}"
    return "template-filter", f"there is no test `{name}`", hint


Explained = tuple[str, str, str]
"""Code, message and hint of a problem."""


def undefined(name: str, scope: VariableScope | None) -> Explained:
    """The problem of a name that is not defined; with a scope, with the nearest one of it."""
    closest = closest_match(name, scope.names()) if scope else None
    hint = (
        f"did you mean `{closest}`?" if closest else "define it in `vars` of the storyboard, the defaults or the shot"
    )
    return "undefined-variable", f"the variable `{name}` is not defined", hint


def circle(name: str, scope: VariableScope, place: Place) -> Problem:
    loop = [*scope.rendering[scope.rendering.index(name) :], name]
    return Problem("variable-circle", place, f"these variables use each other in a circle: {' → '.join(loop)}")


def not_text(name: str, value: Value) -> Explained:
    if value is None:
        return "null-variable", f"`{name}` is null", f"give it a value, or write {{% if {name} %}} around it"
    label, hint = (
        ("a list", "write {{ NAME | join(', ') }}")
        if isinstance(value, list)
        else ("a mapping", "name one of its keys: {{ NAME.key }}")
    )
    return "not-text", f"`{name}` is {label}, not text", hint.replace("NAME", name)


def no_key(expression: Expression, position: int, value: Value, origin: NodeRef) -> Problem:
    name, holder = expression.names[position], ".".join(expression.names[:position])
    closest = closest_match(name, value) if isinstance(value, dict) else None
    hint = f"did you mean `{closest}`?" if closest else ""
    if not isinstance(value, dict):
        hint = f"`{holder}` is not a mapping, and has no keys"
    place = origin.place(expression.at, expression.width)
    return Problem("undefined-variable", place, f"`{holder}` has no key `{name}`", hint)


# Jinja's texts for a name and for a key, as above.
_UNDEFINED_NAME = lazy_pattern(r"'([^']*)' is undefined")
_UNDEFINED_KEY = lazy_pattern(r"has no (?:attribute|element) '?([^']*)'?")


def undefined_in(reason: str, markup: str, scope: VariableScope) -> Explained:
    if match := _UNDEFINED_NAME.search(reason):
        return undefined(match[1], scope)
    key = _UNDEFINED_KEY.search(reason)
    if key is None:
        return "undefined-variable", "a name in this template is not defined", ""
    holder = re.search(rf"([\w.]+)(?:\.|\[['\"]?){re.escape(key[1])}\b", markup)
    owner = f"`{holder[1]}`" if holder else "the value before it"
    return "undefined-variable", f"{owner} has no key `{key[1]}`", ""


def not_text_in(markup: str, values: Mapping[str, Value], label: str) -> Explained:
    kinds: dict[str, type] = {"null": type(None), "a list": list, "a mapping": dict}
    kind = kinds.get(label)
    names = [name for name, value in values.items() if kind is not None and isinstance(value, kind)]
    names_used = [name for name in names if re.search(rf"\{{\{{[^}}]*\b{re.escape(name)}\b", markup)]
    if names_used:
        return not_text(names_used[0], values[names_used[0]])
    return "null-variable" if label == "null" else "not-text", f"this expression is {label}, not text", ""


def explain(
    error: str,
    reason: str,
    text: str,
    inside: Span,
    line: int,
    scope: VariableScope,
    values: Mapping[str, Value],
) -> TemplateFault:
    """The fault behind an error of rendering, in the markup `inside` of a text."""
    markup = text[inside.at : inside.at + inside.width]
    match error:
        case "undefined":
            code, message, hint = undefined_in(reason, markup, scope)
        case "not-text":
            code, message, hint = not_text_in(markup, values, reason)
        case "syntax":
            return bad_syntax(reason, text, line)
        case "not-found":
            hint = "prompt files are read from prompts/ beside the storyboard and prompts/ at the repository's top"
            code, message = "template-include", f"there is no prompt file `{reason}`"
        case "runaway":
            code, message, hint = "template-runaway", f"this template cannot be rendered: {reason}", "simplify it"
        case _:
            if unsafe := UNSAFE.search(reason):
                reason = f"templates cannot use `{unsafe[1]}`"
            code, hint = "template-error", ""
            message = f"this template cannot be rendered: {reason.rstrip('.')}"
    return TemplateFault(code, message, hint, narrowest_span(code, message, text, inside))
