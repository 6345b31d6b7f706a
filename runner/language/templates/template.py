"""The templates of a storyboard, parsed, and rendered in the scope of a shot."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runner.diagnostics.problem import Place, Problem
from runner.language.templates.environment import (
    ALLOWED_FILTERS,
    MAX_OUTPUT,
    MAX_SOURCE,
    NotRenderable,
    environment,
    error_location,
    runs_inline,
    text_of,
)
from runner.language.templates.errors import (
    bad_syntax,
    circle,
    explain,
    name_place,
    no_filter,
    no_key,
    no_test,
    not_text,
    undefined,
    unknown_use,
)
from runner.language.templates.fault import TemplateFault
from runner.language.templates.markup import Span, first_line, locating_copy, markup_at, markup_spans
from runner.language.templates.scope import (
    TEMPLATE_START,
    Expression,
    Piece,
    Template,
    TemplateFailure,
    VariableScope,
)
from runner.language.templates.simple import parse_conditional, parse_simple, render_conditional
from runner.language.templates.worker_client import TemplateWorker
from runner.language.yaml.document import NodeRef, Source, Value
from runner.lazy_dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from jinja2 import TemplateSyntaxError, nodes

# Undefined variables for which the nearest name is sought: nobody reads the thousandth.
_MAX_SUGGESTIONS = 200


@dataclass(slots=True)
class Templates:
    """The renderer of one storyboard's templates, which remembers the parsed ones."""

    load: Callable[[str], tuple[str, str] | None]
    """Text and file name of a template in a prompt folder."""
    worker: TemplateWorker
    """The process that renders templates of unbounded cost."""
    sources: dict[str, str]
    """Text of the prompt files that have a problem, for showing the line."""
    by_text: dict[str, Template] = field(default_factory=dict)
    undefined_count: int = 0
    """How many undefined variables were met: of the first ones the nearest name is sought."""
    _environment: Any = None

    def read(self, text: str) -> Template:
        """The parsed template of a text; each text is parsed once."""
        template = self.by_text.get(text)
        if template is None:
            template = self.by_text[text] = parse_simple(text) or parse_conditional(text) or self._parse_full(text)
        return template

    @property
    def environment(self) -> Any:
        if self._environment is None:
            self._environment = environment(lambda name: (self.load(name) or (None,))[0])
        return self._environment

    def _parse_full(self, text: str) -> Template:
        from jinja2 import TemplateSyntaxError, nodes

        if len(text) > MAX_SOURCE:
            message = f"this template has {len(text):,} characters; at most {MAX_SOURCE:,} are allowed"
            return Template(text, None, frozenset(), faults=(TemplateFault("template-syntax", message, "", _START),))
        try:
            tree: nodes.Template = self.environment.parse(text)
            if faults := self._unknown_filters(tree, text):
                return Template(text, None, frozenset(), faults=faults)
            names, uses_all_names = self._used_names(tree, set())
            assigned_names = _assigned_names(tree)
        except TemplateSyntaxError as error:
            return Template(text, None, frozenset(), faults=(self._syntax_fault(text, error),))
        except RecursionError:
            fault = TemplateFault("template-syntax", "this template is nested too deep", "", _START)
            return Template(text, None, frozenset(), faults=(fault,))
        return Template(text, None, names, assigned_names, runs_inline(tree), uses_all_names)

    def _unknown_filters(self, tree: "nodes.Template", text: str) -> tuple[TemplateFault, ...]:
        """A fault for each filter and test that does not exist."""
        from jinja2 import nodes

        tests = self.environment.tests

        def is_unknown(node: Any) -> bool:
            return node.name not in (ALLOWED_FILTERS if isinstance(node, nodes.Filter) else tests)

        if not any(map(is_unknown, tree.find_all((nodes.Filter, nodes.Test)))):
            return ()
        faults = [
            unknown_use(
                text, (no_filter if isinstance(node, nodes.Filter) else no_test)(node.name), node.name, node.lineno
            )
            # Parsed once more, since Jinja gives the line alone: in the copy each markup has one of its own.
            for node in self.environment.parse(locating_copy(text)).find_all((nodes.Filter, nodes.Test))
            if is_unknown(node)
        ]
        return tuple(dict.fromkeys(faults))

    def _syntax_fault(self, text: str, error: "TemplateSyntaxError") -> TemplateFault:
        """The fault of a template that cannot be parsed, at the markup that Jinja meets it in."""
        from jinja2 import TemplateSyntaxError

        reason, line = error.message or "", 1
        try:
            self.environment.parse(locating_copy(text))
        except TemplateSyntaxError as located:
            line = located.lineno
        return bad_syntax(reason, text, line)

    def _used_names(self, tree: "nodes.Template", visited: set[str]) -> tuple[frozenset[str], bool]:
        """Variables that a template and its includes may use; True when it can include any file.

        Not by `meta.find_undeclared_variables`, which generates code and thereby computes constants (`'a' * 10**9`).
        """
        from jinja2 import TemplateSyntaxError, meta, nodes

        variables = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
        uses_all_names = False
        for name in meta.find_referenced_templates(tree):
            if name is None:
                uses_all_names = True
            elif name not in visited:
                visited.add(name)
                included = self.load(name)
                try:
                    inner = self.environment.parse(included[0]) if included else None
                except TemplateSyntaxError:
                    continue  # the worker meets the error again, and reports its place
                if inner is not None:
                    names, inner_uses_all = self._used_names(inner, visited)
                    variables |= names
                    uses_all_names |= inner_uses_all
        return frozenset(variables), uses_all_names

    def render(self, text: str, scope: VariableScope, origin: Callable[[], NodeRef]) -> str:
        """The rendered text in a scope. Raises TemplateFailure."""
        template = self.read(text)
        if template.faults:
            raise TemplateFailure(*(fault.problem(origin()) for fault in template.faults))
        if template.parts is not None:
            rendered = self._render_simple(template.parts, scope, origin)
        elif template.pieces is not None:
            rendered = self._render_pieces(template, template.pieces, scope, origin)
        else:
            rendered = self._render_jinja(template, scope, origin)
        if len(rendered) > MAX_OUTPUT:
            raise TemplateFailure(self._too_long(origin()))
        return rendered

    def _render_simple(
        self, parts: tuple[str | Expression, ...], scope: VariableScope, origin: Callable[[], NodeRef]
    ) -> str:
        """A rendered simple template; the problems of all its expressions are collected before it fails."""
        literals, rendered = scope.literals, scope.rendered
        pieces: list[str] = []
        problems: dict[Problem, None] = {}
        size = 0
        for part in parts:
            if type(part) is str:
                text = part
            else:
                assert isinstance(part, Expression)
                # A name whose text is at hand is nearly every expression, and takes no call.
                value = rendered.get(part.single_name) or literals.get(part.single_name)
                if type(value) is str:
                    text = value
                    for apply_filter in part.filters:
                        text = apply_filter(text)
                else:
                    try:
                        text = self._expression_text(part, scope, origin)
                    except TemplateFailure as failure:
                        problems |= dict.fromkeys(failure.problems)
                        continue
            pieces.append(text)
            # Counted while it grows: variables that use others twice double at each level.
            size += len(text)
            if size > MAX_OUTPUT:
                raise TemplateFailure(*problems, self._too_long(origin()))
        if problems:
            raise TemplateFailure(*problems)
        return "".join(pieces)

    def _too_long(self, origin: NodeRef) -> Problem:
        message = f"the rendered text has more than {MAX_OUTPUT:,} characters"
        return Problem("template-runaway", origin.place(), message, "shorten its variables")

    def _expression_text(self, expression: Expression, scope: VariableScope, origin: Callable[[], NodeRef]) -> str:
        value = self.value(expression.names[0], scope, lambda: origin().place(expression.at, expression.width))
        for position, name in enumerate(expression.names[1:], start=1):
            if not isinstance(value, dict) or name not in value:
                raise TemplateFailure(no_key(expression, position, value, origin()))
            value = value[name]
        if value is None or isinstance(value, list | dict):
            explained = not_text(".".join(expression.names), value)
            raise TemplateFailure(Problem(*_with_place(explained, origin().place(expression.at, expression.width))))
        text = value if isinstance(value, str) else text_of(value)
        for apply_filter in expression.filters:
            text = apply_filter(text)
        return text

    def value(self, name: str, scope: VariableScope, place: Callable[[], Place]) -> Value:
        """The value of a variable, rendered in the scope of the shot that uses it. Raises TemplateFailure."""
        if (value := scope.at_hand(name)) is not None:
            return value
        variable = scope.find(name)
        if variable is None:
            self.undefined_count += 1
            explained = undefined(name, scope if self.undefined_count <= _MAX_SUGGESTIONS else None)
            raise TemplateFailure(Problem(*_with_place(explained, place())))
        if variable.literal:
            return variable.value
        if name in scope.rendering:
            raise TemplateFailure(circle(name, scope, place()))
        if scope.failed and name in scope.failed:
            raise scope.failed[name]
        scope.rendering = (*scope.rendering, name)
        try:
            rendered = self._render_deep(variable.value, scope, variable.origin or _nowhere)
        except RecursionError:
            message, hint = f"`{name}` nests too many variables in one another", "nest fewer variables"
            raise TemplateFailure(Problem("template-runaway", place(), message, hint)) from None
        except TemplateFailure as failure:
            scope.fail(name, failure)
            raise
        finally:
            scope.rendering = scope.rendering[:-1]
        scope.rendered[name] = rendered
        return rendered

    def _render_deep(self, value: Value, scope: VariableScope, origin: Callable[[], NodeRef]) -> Value:
        if isinstance(value, str):
            return self.render(value, scope, origin) if TEMPLATE_START.search(value) else value
        if isinstance(value, list):
            return [self._render_deep(item, scope, lambda at=i: origin() / at) for i, item in enumerate(value)]  # type: ignore[misc]
        if isinstance(value, dict):
            return {key: self._render_deep(item, scope, lambda at=key: origin() / at) for key, item in value.items()}  # type: ignore[misc]
        return value

    def _render_pieces(
        self, template: Template, pieces: tuple[Piece, ...], scope: VariableScope, origin: Callable[[], NodeRef]
    ) -> str:
        """A rendered template with conditions; what is wrong with one is Jinja's to find."""
        rendered = render_conditional(pieces, self._rendered_values(template, scope, origin))
        if rendered is not None:
            return rendered
        # Jinja's from now on: the next shot would most likely fail at the same place.
        self.by_text[template.text] = self._parse_full(template.text)
        return self.render(template.text, scope, origin)

    def _render_jinja(self, template: Template, scope: VariableScope, origin: Callable[[], NodeRef]) -> str:
        values = self._rendered_values(template, scope, origin)
        answer = self._answer(template, values)
        if "text" in answer:
            text: str = answer["text"]
            return text
        if answer["error"] != "runaway":
            # Rendered again in a copy whose lines tell the expressions of one line apart.
            located = self._answer(replace(template, text=locating_copy(template.text), compiled=None), values)
            answer = located if "text" not in located else {**answer, "line": 1}
        raise TemplateFailure(self._problem_from(answer, template, scope, values, origin()))

    def _answer(self, template: Template, values: Mapping[str, Value]) -> Mapping[str, Any]:
        if template.runs_inline:
            return self._render_inline(template, values)
        return self.worker.render(template.text, values, self._prompt_file)

    def _prompt_file(self, name: str) -> str | None:
        """The text of a prompt file as the worker gets it: the copy, whose lines tell its expressions apart."""
        file = self.load(name)
        return None if file is None else locating_copy(file[0])

    def _rendered_values(
        self, template: Template, scope: VariableScope, origin: Callable[[], NodeRef]
    ) -> dict[str, Value]:
        """The rendered variables that a template may use, without undefined ones: it may test `is defined`."""
        values: dict[str, Value] = {}
        # Sorted: of several variables that fail the same one is reported in each process.
        for name in sorted(template.names | scope.names() if template.uses_all_names else template.names):
            if (value := scope.ready(name)) is not None:
                values[name] = value
            elif scope.at_hand(name) is not None or scope.find(name) is not None:
                try:
                    values[name] = self.value(name, scope, lambda word=name: name_place(origin(), word))  # type: ignore[misc]
                except TemplateFailure:
                    # A loop's own name hides the variable that fails, which is then not used.
                    if name in template.names - template.assigned_names:
                        raise
        return values

    def _render_inline(self, template: Template, values: Mapping[str, Value]) -> Mapping[str, Any]:
        from jinja2 import TemplateError, UndefinedError

        try:
            if template.compiled is None:
                template.compiled = self.environment.from_string(template.text)
            return {"text": template.compiled.render(values)}
        except UndefinedError as error:
            return {"error": "undefined", "message": str(error), "line": error_location(error)[1]}
        except NotRenderable as error:
            return {"error": "not-text", "message": str(error), "line": error_location(error)[1]}
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            return {"error": "other", "message": str(error) or type(error).__name__, "line": error_location(error)[1]}
        # Jinja's code goes through Python's compiler, which refuses deep nesting in one of these ways.
        except (RecursionError, SyntaxError, MemoryError):
            return {"error": "other", "message": "it is nested too deep", "line": 1}

    def _problem_from(
        self,
        answer: Mapping[str, Any],
        template: Template,
        scope: VariableScope,
        values: Mapping[str, Value],
        origin: NodeRef,
    ) -> Problem:
        """The problem of an error answer, in a prompt file or in the template itself."""
        line, reason = int(answer.get("line") or 1), str(answer.get("message", ""))
        text, source = template.text, None
        if (file := answer.get("file")) and (included := self.load(str(file))):
            text, name = included
            self.sources[name] = text
            source = Source(name, text)
        inside = markup_at(text, line)
        code, message, hint, span = explain(answer["error"], reason, text, inside, line, scope, values)
        if source is None:
            return Problem(code, origin.place(*span), message, hint)
        spans = markup_spans(template.text)
        include = next((span for span in spans if str(file) in template.text[span.at : sum(span)]), _START)
        related = ((origin.place(*first_line(template.text, include)), "included from here"),)
        return Problem(code, source.place(*span), message, hint, related=related)


# The place of an error that tells none: the template's first character.
_START = Span(0, 1)


def _with_place(explained: tuple[str, str, str], place: Place) -> tuple[str, Place, str, str]:
    code, message, hint = explained
    return code, place, message, hint


def _assigned_names(tree: "nodes.Template") -> frozenset[str]:
    from jinja2 import nodes

    names = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    return frozenset(names | {"caller", "kwargs", "loop", "self", "varargs"})


def _nowhere() -> NodeRef:
    raise AssertionError("a value without an origin is never a template")
