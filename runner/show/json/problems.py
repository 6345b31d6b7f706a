"""The document of `validate --json`; other commands print it instead of their own where a storyboard has errors."""

import json

from runner.diagnostics.problem import MOST_FOR_PROGRAMS, Problem, Problems
from runner.requests.request import JsonValue

VERSION = 1


def problems_json(problems: Problems) -> str:
    """The document `{"validation": 1, "valid", "problems": […]}`, in ASCII and without a line end.

    At most 10,000 problems are in it.
    """
    entries: list[JsonValue] = [problem_json(problem) for problem in problems.items[:MOST_FOR_PROGRAMS]]
    return json.dumps({"validation": VERSION, "valid": not problems.errors, "problems": entries}, indent=2)


def problem_json(problem: Problem) -> dict[str, JsonValue]:
    """One problem as a JSON value."""
    place = problem.place
    related: list[JsonValue] = [
        {"file": other.file, "line": other.line, "column": other.column, "message": label}
        for other, label in problem.related
    ]
    fields: dict[str, JsonValue] = {
        "severity": problem.severity,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": place.path,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
    optional: dict[str, JsonValue] = {
        # A problem of a flag or of a folder has no line that could be marked.
        "end_column": place.column + place.width if place.file else 0,
        "shots": list(problem.shots),
        "related": related,
    }
    return fields | {name: value for name, value in optional.items() if value}
