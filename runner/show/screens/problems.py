"""Problems of a storyboard in every output format: source line with a caret, JSON, GitHub annotations, SARIF."""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from runner.diagnostics.problem import MOST_FOR_PROGRAMS, Place, Problem, Problems
from runner.language.catalogue import CatalogueEntry, catalogue
from runner.requests.request import JsonValue
from runner.show.text.cells import width
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count
from runner.show.text.style import Style

# Problems on a terminal: what a person can look through; formats for programs have up to `MOST_FOR_PROGRAMS`.
_MOST = 200
# So many problems of one code are shown when there are more than _MOST in all.
_MOST_OF_A_CODE = 10
# Other places of one problem, such as all entries that have one id.
_MOST_RELATED = 5
# Characters of a source line that is shown: a prompt of one line may have thousands.
_WIDEST = 120


def render_problems(problems: Problems, root: Path, cwd: Path, color: bool, all_warnings: bool = False) -> str:
    """Errors, then warnings, each with its source line, a caret and a hint; files are relative to `cwd`.

    Beside an error the warnings are only counted, unless `all_warnings`. At most 200 problems are shown, and the rest
    is counted. Ends with a newline, or is empty.
    """
    style, sources = Style(color), _Lines(problems.sources)
    errors, warnings = problems.errors, problems.warnings
    counts_only = bool(errors) and not all_warnings
    visible = errors if counts_only else [*errors, *warnings]
    selection = _first_of_each_code(visible)
    blocks = [_render(problem, sources, root, cwd, style) for problem in selection]
    if (more := len(visible) - len(selection)) > 0:
        blocks.append(f"… and {more:,} more (validate --format json has them all)\n")
    if counts_only and warnings:
        blocks.append(f"and {count(len(warnings), 'warning')}: storyboard validate --warnings\n")
    return "\n".join(blocks)


def _first_of_each_code(problems: list[Problem]) -> list[Problem]:
    """The problems that are shown: in a flood of one kind its first ones, so that no other kind is hidden by it."""
    if len(problems) <= _MOST:
        return problems
    counts: Counter[str] = Counter()
    selection: list[Problem] = []
    for problem in problems:
        counts[problem.code] += 1
        if counts[problem.code] <= _MOST_OF_A_CODE and len(selection) < _MOST:
            selection.append(problem)
    return selection


class _Lines:
    """The lines of the source files; splits each file once."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources
        self.split: dict[str, list[str]] = {}

    def line(self, file: str, number: int) -> str:
        if file not in self.split:
            text = self.sources.get(file, "")
            # The line ends that editors know, as the parser counts them.
            self.split[file] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = self.split[file]
        # A problem may stand behind the last line, where the file ends too early.
        return lines[number - 1] if number <= len(lines) else ""


def _render(problem: Problem, sources: _Lines, root: Path, cwd: Path, style: Style) -> str:
    severity, place = "bad" if problem.severity == "error" else "warn", problem.place
    head = style(f"{file_name(place.file, root, cwd)}:{place.line}:{place.column}", "strong")
    kind = style(problem.severity, f"strong {severity}")
    lines = [f"{head}: {kind}[{problem.code}] {style(escape_terminal(problem.message), 'strong')}"]
    lines += _excerpt(place, sources, style, severity)
    sign = style("=", "margin")
    if problem.hint:
        first, *rest = escape_terminal(problem.hint, "\n").split("\n")
        lines.append(f"   {sign} {first}")
        lines += [f"     {line}" for line in rest]
    if problem.shots:
        lines.append(f"   {sign} {_shots(problem.shots)}")
    for related, message in problem.related[:_MOST_RELATED]:
        where = f"{file_name(related.file, root, cwd)}:{related.line}:{related.column}"
        lines.append(f"   {sign} {escape_terminal(message)}: {where}")
        lines += _excerpt(related, sources, style, "margin")
    if (more := len(problem.related) - _MOST_RELATED) > 0:
        lines.append(f"   {sign} and {more:,} more such places")
    return "\n".join(lines) + "\n"


def _shots(shots: tuple[str, ...]) -> str:
    if len(shots) == 1:
        return f"in the shot {shots[0]}"
    return f"in the shot {shots[0]} and {len(shots) - 1:,} more"


def _excerpt(place: Place, sources: _Lines, style: Style, mark: str) -> list[str]:
    """The source line, and carets below the place; long lines are cut around it."""
    line = sources.line(place.file, place.line)
    # An empty line, or a file that cannot be read, has nothing to mark.
    if not line.strip():
        return []
    start = place.column - 1
    # As much before the mark as behind it.
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    visible = line[cut : cut + _WIDEST]
    before, marked = visible[: start - cut], visible[start - cut : start - cut + place.width]
    number, gutter = str(place.line), " " * len(str(place.line))
    left, right = "…" if cut else "", "…" if cut + _WIDEST < len(line) else ""
    # A missing value is a place without width.
    carets = "^" * max(1, width(_visible(marked)))
    indent = " " * (len(left) + width(_visible(before)))
    return [
        f" {style(f'{number} |', 'margin')} {left}{_visible(visible)}{right}",
        f" {style(f'{gutter} |', 'margin')} {indent}{style(carets, mark)}",
    ]


def _visible(text: str) -> str:
    """Text as it is displayed: a tab becomes four blanks, a control character its code."""
    return escape_terminal(text.replace("\t", "    "))


def file_name(file: str, root: Path, cwd: Path) -> str:
    """The path of a file relative to `cwd`, so that terminals can open it."""
    return escape_terminal(os.path.relpath(root / file, cwd))


def github(problems: Problems) -> str:
    """GitHub workflow commands that annotate the lines of a pull request; paths start at the repository's top."""
    return "".join(_command(problem) for problem in problems)


def _command(problem: Problem) -> str:
    place = problem.place
    # Line ends pass here, since `_data` encodes them: a raw one would begin a workflow command of its own.
    text = escape_terminal(problem.message + (f"\n{problem.hint}" if problem.hint else ""), "\r\n")
    properties = {
        "file": escape_terminal(place.file),
        "line": str(place.line),
        "col": str(place.column),
        "endColumn": str(place.column + place.width),
        "title": problem.code,
    }
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{problem.severity} {listed}::{_data(text)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    # A colon or a comma would end a property.
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(problems: Problems, version: str) -> str:
    """SARIF 2.1.0 for code scanning services, without a line end."""
    codes = sorted({problem.code for problem in problems})
    rules: list[JsonValue] = [_rule(code) for code in codes]
    driver: dict[str, JsonValue] = {"name": "storyboard", "version": version, "rules": rules}
    results: list[JsonValue] = [_result(problem) for problem in problems.items[:MOST_FOR_PROGRAMS]]
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    # `columnKind` is stated, since the standard also knows UTF-16 units: behind an emoji the mark would be off.
    run: JsonValue = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> JsonValue:
    entry = catalogue().get(code)
    if entry is None:
        return {"id": code}
    # Without these four texts code scanning shows only the code of a rule.
    return {
        "id": code,
        "shortDescription": {"text": re.split(r"(?<=[.?!]) ", entry.says, maxsplit=1)[0]},
        "fullDescription": {"text": entry.says},
        "help": {"text": "\n".join(_examples(entry))},
        "defaultConfiguration": {"level": entry.kind},
    }


def _result(problem: Problem) -> JsonValue:
    text = problem.message + (f"\n{problem.hint}" if problem.hint else "")
    return {
        "ruleId": problem.code,
        "level": problem.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": _location(problem.place)}],
        "relatedLocations": [
            {"physicalLocation": _location(place), "message": {"text": message}} for place, message in problem.related
        ],
    }


def _location(place: Place) -> JsonValue:
    region: JsonValue = {"startLine": place.line, "startColumn": place.column, "endColumn": place.column + place.width}
    return {"artifactLocation": {"uri": quote(place.file)}, "region": region}


def code_lines(entries: Mapping[str, CatalogueEntry]) -> Iterator[str]:
    """A line for each problem code, with the first sentence of its text."""
    widest = max(map(len, entries))
    for code, entry in entries.items():
        yield f"{code:<{widest}}  {entry.kind:<7}  {entry.says.partition('. ')[0].rstrip('.')}"


def explain_code(code: str) -> str | None:
    """The text of `storyboard explain CODE`: the problem, a wrong and a right example; None for an unknown code."""
    entry = catalogue().get(code)
    return (
        None if entry is None else "\n".join([f"{code} ({entry.kind})", "", entry.says, "", *_examples(entry)]) + "\n"
    )


def _examples(entry: CatalogueEntry) -> list[str]:
    wrong = [f"    {line}" for line in entry.wrong.splitlines()]
    right = [f"    {line}" for line in entry.right.splitlines()]
    return ["wrong:", *wrong, "", "right:", *right]


def catalogue_page() -> str:
    """The page docs/problems.md, generated from the catalogue: every code with its meaning and an example."""
    parts = [_PAGE_HEAD]
    for code, entry in catalogue().items():
        examples = f"```yaml\n# wrong\n{entry.wrong}\n\n# right\n{entry.right}\n```"
        parts.append(f"## `{code}`\n\n*{entry.kind}.* {entry.says}\n\n{examples}\n")
    return "\n".join(parts)


_PAGE_HEAD = """# Problems

Everything that can be wrong with a storyboard, by its code. `storyboard explain CODE` shows the same on a terminal.
An *error* ends a command with exit code 3 before anything is spent; a *warning* does not.
"""
