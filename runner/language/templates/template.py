"""Templates in the text of a storyboard: what they name, and what they come to in the scope of a shot."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runner.diagnostics.problem import Place, Problem
from runner.language.templates.environment import (
    KNOWN,
    MAX_OUTPUT,
    MAX_SOURCE,
    NotRenderable,
    environment,
    runs_inline,
    slug,
    text_of,
    where,
)
from runner.language.templates.errors import (
    UNSAFE,
    bad_syntax,
    circle,
    line_place,
    name_place,
    narrowed,
    no_filter,
    no_key,
    not_text,
    not_text_in,
    undefined,
    undefined_in,
)
from runner.language.templates.scope import (
    RESERVED,
    TEMPLATE_START,
    Expression,
    Template,
    TemplateFailure,
    VariableScope,
)
from runner.language.templates.worker_client import TemplateWorker
from runner.language.yaml.document import NodeRef, Source, Value
from runner.lazy_dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from jinja2 import nodes

_SIMPLE = re.compile(r"\{\{[ \t]*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*((?:\|[ \t]*[a-z]+[ \t]*)*)\}\}")
_FILTERS: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "lower": str.lower,
    "upper": str.upper,
    "capitalize": str.capitalize,
    "slug": slug,
}


@dataclass(slots=True)
class Templates:
    """Everything that is remembered of templates while one storyboard is compiled."""

    load: Callable[[str], tuple[str, str] | None]
    """Text and file name of a template in a prompt folder."""
    worker: TemplateWorker
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
            if path[0] in RESERVED or any(name not in _FILTERS for name in filters):
                return None
            parts.append(text[end : found.start()])
            made = tuple(_FILTERS[name] for name in filters)
            alone = path[0] if len(path) == 1 else ""
            parts.append(Expression(path, made, found.start(), found.end() - found.start(), alone))
            names.add(path[0])
            end = found.end()
        parts.append(text[end:])
        if any(isinstance(part, str) and TEMPLATE_START.search(part) for part in parts):
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
                return Template(text, None, frozenset(), wrong=no_filter(unknown[0].name, unknown[0].lineno))
            names, everything = self._names(tree, set())
            own = _own_names(tree)
        except TemplateSyntaxError as error:
            return Template(text, None, frozenset(), wrong=bad_syntax(error.message or "", error.lineno))
        except RecursionError:
            return Template(
                text, None, frozenset(), wrong=("template-syntax", "this template is nested too deep", 1, "")
            )
        return Template(text, None, names, own, runs_inline(tree), everything)

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

    def render(self, text: str, scope: VariableScope, origin: Callable[[], NodeRef]) -> str:
        """What a text comes to in a scope. Raises Fault."""
        template = self.read(text)
        if template.wrong is not None:
            code, message, line, hint = template.wrong
            raise TemplateFailure(Problem(code, line_place(origin(), line), message, hint))
        if template.parts is None:
            rendered = self._jinja(template, scope, origin)
        else:
            rendered = self._joined(template.parts, scope, origin)
        if len(rendered) > MAX_OUTPUT:
            raise TemplateFailure(self._too_long(origin()))
        return rendered

    def _joined(self, parts: tuple[str | Expression, ...], scope: VariableScope, origin: Callable[[], NodeRef]) -> str:
        """A simple template, rendered; what is wrong with one expression does not hide the next."""
        plain, known = scope.plain, scope.rendered
        made: list[str] = []
        wrong: dict[Problem, None] = {}
        size = 0
        for part in parts:
            if type(part) is str:
                text = part
            else:
                assert isinstance(part, Expression)
                value = known.get(part.alone) or plain.get(part.alone)
                if type(value) is str:
                    text = value
                    for apply in part.filters:
                        text = apply(text)
                else:
                    try:
                        text = self._text(part, scope, origin)
                    except TemplateFailure as fault:
                        wrong |= dict.fromkeys(fault.problems)
                        continue
            made.append(text)
            size += len(text)
            if size > MAX_OUTPUT:
                raise TemplateFailure(*wrong, self._too_long(origin()))
        if wrong:
            raise TemplateFailure(*wrong)
        return "".join(made)

    def _too_long(self, origin: NodeRef) -> Problem:
        message = f"this comes to more than {MAX_OUTPUT:,} characters"
        return Problem("template-runaway", origin.place(), message, "make its variables shorter")

    def _text(self, expression: Expression, scope: VariableScope, origin: Callable[[], NodeRef]) -> str:
        value = self.value(expression.names[0], scope, lambda: origin().place(expression.at, expression.width))
        for position, name in enumerate(expression.names[1:], start=1):
            if not isinstance(value, dict) or name not in value:
                raise TemplateFailure(no_key(expression, position, value, origin()))
            value = value[name]
        if value is None or isinstance(value, list | dict):
            raise TemplateFailure(
                not_text(".".join(expression.names), value, origin().place(expression.at, expression.width))
            )
        text = value if isinstance(value, str) else text_of(value)
        for apply in expression.filters:
            text = apply(text)
        return text

    def value(self, name: str, scope: VariableScope, place: Callable[[], Place]) -> Value:
        """The value of a variable, rendered in the scope of the shot that uses it. Raises Fault."""
        if name in scope.rendered:
            return scope.rendered[name]
        found = scope.find(name)
        if found is None:
            raise TemplateFailure(undefined(name, scope, place()))
        if found.literal:
            return found.value
        if name in scope.rendering:
            raise TemplateFailure(circle(name, scope, place()))
        if scope.failed and name in scope.failed:
            raise scope.failed[name]
        scope.rendering.append(name)
        try:
            made = self._render_deep(found.value, scope, found.origin or _nowhere)
        except RecursionError:
            message, hint = f"`{name}` is made of too many variables, one of the other", "make them of fewer"
            raise TemplateFailure(Problem("template-runaway", place(), message, hint)) from None
        except TemplateFailure as fault:
            scope.failed = {**(scope.failed or {}), name: fault}
            raise
        finally:
            scope.rendering.pop()
        scope.rendered[name] = made
        return made

    def _render_deep(self, value: Value, scope: VariableScope, origin: Callable[[], NodeRef]) -> Value:
        if isinstance(value, str):
            return self.render(value, scope, origin) if TEMPLATE_START.search(value) else value
        if isinstance(value, list):
            return [self._render_deep(item, scope, lambda at=i: origin() / at) for i, item in enumerate(value)]  # type: ignore[misc]
        if isinstance(value, dict):
            return {key: self._render_deep(item, scope, lambda at=key: origin() / at) for key, item in value.items()}  # type: ignore[misc]
        return value

    def _jinja(self, template: Template, scope: VariableScope, origin: Callable[[], NodeRef]) -> str:
        values = self._values(template, scope, origin)
        if template.runs_inline:
            answer = self._render_inline(template, values)
        else:
            answer = self.worker.render(template.text, values, lambda name: (self.load(name) or (None,))[0])
        if "text" in answer:
            made: str = answer["text"]
            return made
        raise TemplateFailure(self._problem_from(answer, template, scope, values, origin()))

    def _values(self, template: Template, scope: VariableScope, origin: Callable[[], NodeRef]) -> dict[str, Value]:
        """What the template may use, rendered; what is not known is left out, since it may ask whether it is."""
        values: dict[str, Value] = {}
        for name in sorted(template.names | (scope.names() if template.everything else frozenset())):
            if name in scope.rendered or scope.find(name) is not None:
                try:
                    values[name] = self.value(name, scope, lambda word=name: name_place(origin(), word))  # type: ignore[misc]
                except TemplateFailure:
                    if name in template.names - template.own:
                        raise
        return values

    def _render_inline(self, template: Template, values: Mapping[str, Value]) -> Mapping[str, Any]:
        from jinja2 import TemplateError, UndefinedError

        try:
            if template.compiled is None:
                template.compiled = self.environment.from_string(template.text)
            return {"text": template.compiled.render(values)}
        except UndefinedError as error:
            return {"error": "undefined", "words": str(error), "line": where(error)[1]}
        except NotRenderable as error:
            return {"error": "not-text", "words": str(error), "line": where(error)[1]}
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            return {"error": "other", "words": str(error) or type(error).__name__, "line": where(error)[1]}
        except (RecursionError, SyntaxError, MemoryError):
            return {"error": "other", "words": "it is nested too deep", "line": 1}

    def _problem_from(
        self,
        answer: Mapping[str, Any],
        template: Template,
        scope: VariableScope,
        values: Mapping[str, Value],
        origin: NodeRef,
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
                made = undefined_in(words, here, scope, place)
            case "not-text":
                made = not_text_in(here if related else text, values, words, place)
            case "syntax":
                code, message, _, hint = bad_syntax(words, line)
                made = Problem(code, place, message, hint)
            case "not-found":
                hint = "such files lie in prompts/ beside the storyboard, or in prompts/ at the repository's top"
                made = Problem("template-include", place, f"there is no prompt file `{words}`", hint)
            case "runaway":
                made = Problem(
                    "template-runaway", place, f"this template cannot be rendered: {words}", "make it simpler"
                )
            case _:
                if unsafe := UNSAFE.search(words):
                    words = f"`{unsafe[1]}` is not open to templates"
                made = Problem("template-error", place, f"this template cannot be rendered: {words.rstrip('.')}")
        if not related:
            made = replace(made, place=narrowed(made, origin, line))
        return replace(made, related=(*related, *made.related))


def _own_names(tree: "nodes.Template") -> frozenset[str]:
    from jinja2 import nodes

    found = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    return frozenset(found | {"caller", "kwargs", "loop", "self", "varargs"})


def _nowhere() -> NodeRef:
    raise AssertionError("a value without a place is never a template")
