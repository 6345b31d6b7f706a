"""`--var` and `--var-file`: values of variables from the command line, read as YAML."""

from collections.abc import Sequence
from pathlib import Path

from runner.diagnostics.problem import ExitCode, Problem, Problems, Stop
from runner.language.yaml.decode import decode
from runner.language.yaml.document import Value
from runner.language.yaml.parser import parse
from runner.requests.request import Plain


def given(pairs: Sequence[str], files: Sequence[Path]) -> dict[str, Plain]:
    """Variables by name: the files in their order, then `NAME=VALUE` pairs; the later wins."""
    values: dict[str, Plain] = {}
    for path in files:
        values |= _from_file(path)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise Stop(ExitCode.USAGE, f"--var {pair!r}: write NAME=VALUE")
        values[name.strip()] = _value(text)
    return values


def _from_file(path: Path) -> dict[str, Plain]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Stop(ExitCode.USAGE, f"--var-file {path}: {error.strerror}") from error
    problems = Problems()
    source = decode(str(path), data, problems)
    document = parse(source, problems) if source is not None else None
    for problem in problems.errors:
        if problem.code != "empty-file":
            raise Stop(ExitCode.USAGE, f"--var-file {_said(problem)}")
    return {} if document is None else {name: plain(value) for name, value in document.root.items()}


def _said(problem: Problem) -> str:
    place = problem.place
    return f"{place.file}:{place.line}:{place.column}: {problem.message}"


def _value(text: str) -> Plain:
    """The YAML value of a text; what YAML cannot read as one value is the text itself."""
    problems = Problems()
    source = decode("--var", f"value: {text}\n".encode("utf-8", "replace"), problems)
    document = parse(source, problems) if source is not None else None
    if document is None or problems.errors or list(document.root) != ["value"]:
        return text
    return plain(document.root["value"])


def plain(value: Value) -> Plain:
    """A value without its places."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value
