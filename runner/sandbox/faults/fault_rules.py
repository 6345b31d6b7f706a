"""Rules of a faults file: tried in order, with the same outcome for the same seed."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.diagnostics.failures import SandboxUnusable
from runner.diagnostics.problem import Place, Problems, closest_match
from runner.language.cli_variables import strip_places
from runner.language.expected_values import value_text
from runner.language.schema_files import load
from runner.language.yaml.decode import decode
from runner.language.yaml.document import Document, NodeRef, path_text
from runner.language.yaml.parser import parse
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue
from runner.sandbox.faults.seeded_random import chance

if TYPE_CHECKING:
    from jsonschema import ValidationError

Effect = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """An event that a rule may match."""

    operation: str
    prompt: str = ""
    model: str = ""
    task_number: int = 1
    """Count of tasks of the account with the same body, this one included."""
    request_number: int = 1
    """Count of requests for the same task, this one included."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the file; None is no condition."""

    operation: str
    effect: Effect
    name: str = ""
    occurrences: frozenset[int] | None = None
    every: int = 1
    request_numbers: frozenset[int] | None = None
    task_numbers: frozenset[int] | None = None
    chance: float = 1.0
    prompt: str = ""
    model: str = ""
    max_times: int | None = None

    def matches(self, event: FaultEvent) -> bool:
        """Whether an event meets the conditions that need no counter of the rule."""
        return (
            self.operation == event.operation
            and self.prompt.casefold() in event.prompt.casefold()
            and self.model in ("", event.model)
            and (self.request_numbers is None or event.request_number in self.request_numbers)
            and (self.task_numbers is None or event.task_number in self.task_numbers)
        )


@dataclass(slots=True)
class Faults:
    """The rules, with the number of their matches and effects."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    match_counts: list[int] = field(default_factory=list)
    effect_counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.match_counts = [0] * len(self.rules)
        self.effect_counts = [0] * len(self.rules)

    def has_rules_for(self, operation: str) -> bool:
        """Whether any rule concerns an operation."""
        return any(rule.operation == operation for rule in self.rules)

    def pick(self, event: FaultEvent) -> Effect | None:
        """The effect of the first rule that applies to an event; None: no fault."""
        effect: Effect | None = None
        for index, rule in enumerate(self.rules):
            if not rule.matches(event):
                continue
            # Counted also where an earlier rule has taken effect: the count never hangs on the rules before it.
            self.match_counts[index] += 1
            if effect is None and self._happens(index, rule, event):
                self.effect_counts[index] += 1
                effect = rule.effect
        return effect

    def _happens(self, index: int, rule: Rule, event: FaultEvent) -> bool:
        count = self.match_counts[index]
        if rule.occurrences is not None and count not in rule.occurrences:
            return False
        if count % rule.every or (rule.max_times is not None and self.effect_counts[index] >= rule.max_times):
            return False
        # Chance depends on the event, not on its order: concurrent clients get the same faults again.
        number = chance(
            self.seed, index, event.operation, event.model, event.prompt, event.task_number, event.request_number
        )
        return rule.chance == 1 or number < rule.chance

    def report(self) -> list[JsonValue]:
        """Number of matches and effects of each rule, for the state report."""
        return [
            {
                "rule": index,
                "name": rule.name,
                "on": rule.operation,
                "fitted": self.match_counts[index],
                "happened": count,
            }
            for (index, rule), count in zip(enumerate(self.rules), self.effect_counts, strict=True)
        ]


def read_faults(path: Path, seed: int) -> Faults:
    """The rules of a file; `SandboxUnusable` with every invalid place."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SandboxUnusable(f"{path}: cannot read the faults file: {error.strerror}") from error
    problems = Problems()
    source = decode(str(path), data, problems)
    document = None if source is None else parse(source, problems)
    messages = [_message_line(problem.place, problem.message) for problem in problems.errors]
    if document is not None and not messages:
        messages = [
            _message_line(_place(document, path_in_file), message)
            for path_in_file, message in _violations(document.root)
        ]
    if document is None or messages:
        raise SandboxUnusable("\n".join(["the faults file is invalid:", *(f"  {line}" for line in messages[:20])]))
    root = strip_places(document.root)
    return _faults(root if isinstance(root, dict) else {}, seed)


def from_json(value: JsonValue, seed: int) -> Faults | list[tuple[str, str]]:
    """The rules of a JSON value, or its violations: path and message."""
    violations = [(path_text(path), message) for path, message in _violations(value)]
    return violations or _faults(value if isinstance(value, dict) else {}, seed)


def _faults(root: Mapping[str, Any], seed: int) -> Faults:
    return Faults(tuple(_rule(entry) for entry in root["rules"]), seed)


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        operation=entry["on"],
        effect=entry["do"],
        name=entry.get("name", ""),
        occurrences=_numbers(entry.get("occurrence")),
        every=entry.get("every", 1),
        request_numbers=_numbers(entry.get("look")),
        task_numbers=_numbers(entry.get("number")),
        chance=float(entry.get("chance", 1)),
        prompt=entry.get("prompt", ""),
        model=entry.get("model", ""),
        max_times=entry.get("times"),
    )


def _numbers(value: int | list[int] | None) -> frozenset[int] | None:
    if value is None:
        return None
    return frozenset([value] if isinstance(value, int) else value)


def _message_line(place: Place, message: str) -> str:
    return f"{place.file}:{place.line}:{place.column}: {message}"


def _place(document: Document, path: tuple[str | int, ...]) -> Place:
    """Place of a violation: at the key, since the key itself may be the error."""
    return NodeRef(document, path).key_place()


@cache
def _validator() -> Any:
    from jsonschema import Draft7Validator
    from referencing import Registry

    # An empty registry: a schema that names another one is never fetched.
    return Draft7Validator(load("faults"), registry=Registry())


def _violations(value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for error in _validator().iter_errors(value):
        yield from _describe(error)


def _describe(error: "ValidationError") -> Iterator[tuple[tuple[str | int, ...], str]]:
    path = tuple(error.absolute_path)
    schema: Any = error.schema
    value: Any = error.instance
    if error.validator == "if":
        # The error of an `if` is in its branch; the `if` itself says nothing to a reader.
        for inner in error.context or ():
            yield from _describe(inner)
    elif error.validator == "additionalProperties":
        allowed = list(schema["properties"])
        for name in (name for name in value if name not in allowed):
            near = closest_match(str(name), allowed)
            hint = f"did you mean {near}?" if near else f"the keys are {', '.join(allowed)}"
            yield (*path, name), f"{path_text((*path, name))}: unknown key; {hint}"
    elif error.validator == "required":
        missing = [name for name in schema["required"] if name not in value]
        yield path, f"{path_text(path) or 'the file'}: {' and '.join(missing)} required"
    else:
        yield (
            path,
            f"{path_text(path) or 'the file'}: {value_text(value)} is not {_expected(str(error.validator), schema)}",
        )


def _expected(keyword: str, schema: Mapping[str, Any]) -> str:
    """Description of a valid value."""
    match keyword:
        case "enum":
            return f"one of {', '.join(str(name) for name in schema['enum'])}"
        case "const":
            return str(schema["const"])
        case "type":
            return _KINDS[schema["type"]]
        case "anyOf":
            return " or ".join(
                _expected("const" if "const" in branch else "type", branch) for branch in schema["anyOf"]
            )
    return f"within {keyword} {schema[keyword]}"


_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
