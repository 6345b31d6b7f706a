"""The fault of a template that cannot be compiled."""

from typing import NamedTuple

from runner.diagnostics.problem import Problem
from runner.language.templates.markup import Span
from runner.language.yaml.document import NodeRef


class TemplateFault(NamedTuple):
    """The error that keeps a template from being compiled, at a place in its text."""

    code: str
    message: str
    hint: str
    span: Span

    def problem(self, origin: NodeRef) -> Problem:
        """The fault as a problem of the value that holds the template."""
        return Problem(self.code, origin.place(*self.span), self.message, self.hint)
