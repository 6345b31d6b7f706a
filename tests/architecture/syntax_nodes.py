"""The syntax of the project's files, parsed once for all rules that read it."""

import ast
import functools
from pathlib import Path


@functools.cache
def syntax_nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a file, the module first."""
    return tuple(ast.walk(ast.parse(path.read_text("utf-8"))))
