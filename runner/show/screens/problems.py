"""Problems as people and programs read them: with the line and a caret, as JSON, as GitHub's annotations, as SARIF."""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from runner.diagnostics.problem import Place, Problem, Problems
from runner.language.catalogue import CatalogueEntry, catalogue
from runner.requests.request import JsonValue
from runner.show.text.cells import width
from runner.show.text.escape import escape_terminal

_RED, _YELLOW, _BLUE, _BOLD, _DIM, _END = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[2m", "\x1b[0m"
_MOST = 200
_MOST_JSON = 10_000
_MOST_RELATED = 5
_WIDEST = 120


Draw = Callable[[str, str], str]


def text(problems: Problems, root: Path, cwd: Path, color: bool) -> str:
    """Every problem with its line, a caret and a hint; files are shown relative to `cwd`.

    At most 200 are shown, and the rest is counted. Ends with a newline, or is empty.
    """
    draw: Draw = _paint if color else _bare
    sources = _Lines(problems.sources)
    shown = [_one(problem, sources, root, cwd, draw) for problem in problems.items[:_MOST]]
    if (more := len(problems.items) - _MOST) > 0:
        shown.append(f"… and {more:,} more (validate --format json has them all)\n")
    return "\n".join(shown)


def _paint(words: str, style: str) -> str:
    return f"{style}{words}{_END}"


def _bare(words: str, style: str) -> str:
    return words


class _Lines:
    """The lines of the files, each file split once."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        self.split: dict[str, list[str]] = {}

    def line(self, file: str, number: int) -> str:
        if file not in self.split:
            text = self.sources.get(file, "")
            self.split[file] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = self.split[file]
        return lines[number - 1] if number <= len(lines) else ""


def _one(problem: Problem, sources: _Lines, root: Path, cwd: Path, draw: Draw) -> str:
    style = _RED if problem.severity == "error" else _YELLOW
    place = problem.place
    head = draw(f"{file_name(place.file, root, cwd)}:{place.line}:{place.column}", _BOLD)
    kind = draw(problem.severity, _BOLD + style)
    lines = [f"{head}: {kind}[{problem.code}] {draw(escape_terminal(problem.message), _BOLD)}"]
    lines += _excerpt(place, sources, draw, style)
    sign = draw("=", _BLUE)
    if problem.hint:
        first, *rest = escape_terminal(problem.hint, "\n").split("\n")
        lines.append(f"   {sign} {first}")
        lines += [f"     {line}" for line in rest]
    if problem.shots:
        lines.append(f"   {sign} {_shots(problem.shots)}")
    for other, words in problem.related[:_MOST_RELATED]:
        lines.append(
            f"   {sign} {escape_terminal(words)}: {file_name(other.file, root, cwd)}:{other.line}:{other.column}"
        )
        lines += _excerpt(other, sources, draw, _BLUE)
    if (more := len(problem.related) - _MOST_RELATED) > 0:
        lines.append(f"   {sign} and {more:,} more such places")
    return "\n".join(lines) + "\n"


def _shots(shots: tuple[str, ...]) -> str:
    if len(shots) == 1:
        return f"in the shot {shots[0]}"
    return f"in the shot {shots[0]} and {len(shots) - 1:,} more"


def _excerpt(place: Place, sources: _Lines, draw: Draw, style: str) -> list[str]:
    """The line itself and a caret under the mark; long lines are cut around it."""
    line = sources.line(place.file, place.line)
    if not line.strip():
        return []
    start = place.column - 1
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[cut : cut + _WIDEST]
    before, marked = shown[: start - cut], shown[start - cut : start - cut + place.width]
    number, gutter = str(place.line), " " * len(str(place.line))
    left, right = "…" if cut else "", "…" if cut + _WIDEST < len(line) else ""
    carets = "^" * max(1, width(_visible(marked)))
    indent = " " * (len(left) + width(_visible(before)))
    return [
        f" {draw(f'{number} |', _BLUE)} {left}{_visible(shown)}{right}",
        f" {draw(f'{gutter} |', _BLUE)} {indent}{draw(carets, style)}",
    ]


def _visible(words: str) -> str:
    """Text as it takes its cells: a tab is four blanks, what steers a terminal is shown by its code."""
    return escape_terminal(words.replace("\t", "    "))


def file_name(file: str, root: Path, cwd: Path) -> str:
    """A place's file as the user can click it: relative to where they stand."""
    return escape_terminal(os.path.relpath(root / file, cwd))


def as_json(problems: Problems) -> str:
    """The document of `validate --json`: at most 10,000 problems, in ASCII. Without a line end."""
    entries: list[JsonValue] = [entry(one) for one in problems.items[:_MOST_JSON]]
    return json.dumps({"validation": 1, "valid": not problems.errors, "problems": entries}, indent=2)


def entry(problem: Problem) -> dict[str, JsonValue]:
    """One problem for programs."""
    place = problem.place
    return {
        "severity": problem.severity,
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "path": place.path,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }


def github(problems: Problems) -> str:
    """Workflow commands that annotate the lines of a pull request; paths are from the repository's top."""
    return "".join(_command(problem) for problem in problems)


def _command(problem: Problem) -> str:
    place = problem.place
    words = escape_terminal(problem.message + (f"\n{problem.hint}" if problem.hint else ""), "\r\n")
    properties = {
        "file": escape_terminal(place.file),
        "line": str(place.line),
        "col": str(place.column),
        "endColumn": str(place.column + place.width),
        "title": problem.code,
    }
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{problem.severity} {listed}::{_data(words)}\n"


def _data(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")


def sarif(problems: Problems, version: str) -> str:
    """SARIF 2.1.0, as code scanning services read it. Without a line end."""
    codes = sorted({problem.code for problem in problems})
    rules: list[JsonValue] = [_rule(code) for code in codes]
    driver: dict[str, JsonValue] = {"name": "storyboard", "version": version, "rules": rules}
    results: list[JsonValue] = [_result(problem) for problem in problems.items[:_MOST_JSON]]
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    run: JsonValue = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> JsonValue:
    known = catalogue().get(code)
    if known is None:
        return {"id": code}
    # The four texts without which code scanning shows a rule by its code only.
    return {
        "id": code,
        "shortDescription": {"text": re.split(r"(?<=[.?!]) ", known.says, maxsplit=1)[0]},
        "fullDescription": {"text": known.says},
        "help": {"text": "\n".join(_examples(known))},
        "defaultConfiguration": {"level": known.kind},
    }


def _result(problem: Problem) -> JsonValue:
    words = problem.message + (f"\n{problem.hint}" if problem.hint else "")
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": words},
        "locations": [{"physicalLocation": _location(problem.place)}],
        "relatedLocations": [
            {"physicalLocation": _location(place), "message": {"text": said}} for place, said in problem.related
        ],
    }


def _location(place: Place) -> JsonValue:
    region: JsonValue = {"startLine": place.line, "startColumn": place.column, "endColumn": place.column + place.width}
    return {"artifactLocation": {"uri": quote(place.file)}, "region": region}


def explain_code(code: str) -> str | None:
    """What `storyboard explain CODE` says: the problem, an example of wrong and right; None for an unknown code."""
    known = catalogue().get(code)
    return (
        None if known is None else "\n".join([f"{code} ({known.kind})", "", known.says, "", *_examples(known)]) + "\n"
    )


def _examples(known: CatalogueEntry) -> list[str]:
    wrong = [f"    {line}" for line in known.wrong.splitlines()]
    right = [f"    {line}" for line in known.right.splitlines()]
    return ["wrong:", *wrong, "", "right:", *right]


def page() -> str:
    """docs/problems.md: every code with what it means and an example, made from the catalogue."""
    parts = [_PAGE]
    for code, known in catalogue().items():
        examples = f"```yaml\n# wrong\n{known.wrong}\n\n# right\n{known.right}\n```"
        parts.append(f"## `{code}`\n\n*{known.kind}.* {known.says}\n\n{examples}\n")
    return "\n".join(parts)


_PAGE = """# Problems

Everything that can be wrong with a storyboard, by its code. `storyboard explain CODE` shows the same on a terminal.
An *error* ends a command with exit code 3 before anything is spent; a *warning* does not.
"""
