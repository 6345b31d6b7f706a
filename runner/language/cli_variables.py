"""Parser of `--var` and `--var-file`: variables from the command line, their values read as YAML."""

from collections.abc import Sequence
from pathlib import Path

from runner.diagnostics.failures import UnsafeVariableFileError, VariableError
from runner.diagnostics.problem import Problem, Problems
from runner.files.reading import TEXT_LIMIT, FileRejected, read_named
from runner.language.yaml.decode import decode
from runner.language.yaml.document import Value
from runner.language.yaml.parser import parse
from runner.requests.request import JsonValue


def parse_assignments(pairs: Sequence[str], files: Sequence[Path], root: Path) -> dict[str, JsonValue]:
    """Return variables by name: the files in their order, then `NAME=VALUE` pairs; the later value wins.

    A file in the repository, whose top is `root`, is read like every other of its files.
    """
    values: dict[str, JsonValue] = {}
    for path in files:
        values |= _read_file(path, root)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.strip():
            raise VariableError(f"--var {pair!r}: write NAME=VALUE")
        values[name.strip()] = _parse_value(text)
    return values


def _read_file(path: Path, root: Path) -> dict[str, JsonValue]:
    try:
        data = read_named(path, root, TEXT_LIMIT)
    except FileRejected as rejected:
        # A wrong name is the command line's mistake (exit 2); a pipe or a link below the top is the repository's (3).
        kind = VariableError if rejected.code == "file-missing" else UnsafeVariableFileError
        raise kind(f"--var-file {path} {rejected.message}") from rejected
    problems = Problems()
    source = decode(str(path), data, problems)
    document = parse(source, problems) if source is not None else None
    for problem in problems.errors:
        # An empty file sets nothing, and is right.
        if problem.code != "empty-file":
            raise VariableError(f"--var-file {_located_message(problem)}")
    return {} if document is None else {name: strip_places(value) for name, value in document.root.items()}


def _located_message(problem: Problem) -> str:
    place = problem.place
    return f"{place.file}:{place.line}:{place.column}: {problem.message}"


def _parse_value(text: str) -> JsonValue:
    """Return the YAML value of a text, or the text itself where YAML cannot read one value."""
    problems = Problems()
    # `replace`: the shell passes bytes that are no UTF-8 as surrogates, which cannot be encoded.
    source = decode("--var", f"value: {text}\n".encode("utf-8", "replace"), problems)
    document = parse(source, problems) if source is not None else None
    # A line end in the text could add fields beside `value`: such a text is the value itself.
    if document is None or problems.errors or list(document.root) != ["value"]:
        return text
    return strip_places(document.root["value"])


def strip_places(value: Value) -> JsonValue:
    """Return a plain JSON value: the same value without its positions in the file."""
    if isinstance(value, dict):
        return {key: strip_places(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [strip_places(inner) for inner in value]
    return value
