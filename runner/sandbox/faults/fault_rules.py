"""What goes wrong, and when: the rules of a faults file, tried in order, the same again for the same seed."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner.diagnostics.problem import CommandError, ExitCode, Place, Problems, closest_match
from runner.language.cli_variables import strip_places
from runner.language.schema import load, value_text
from runner.language.yaml.decode import decode
from runner.language.yaml.document import Document, NodeRef, path_text
from runner.language.yaml.parser import parse
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue
from runner.sandbox.faults.seeded_random import chance

if TYPE_CHECKING:
    from jsonschema import ValidationError

Do = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """Something that a rule may fit."""

    on: str
    prompt: str = ""
    model: str = ""
    number: int = 1
    """The n-th with the same body."""
    look: int = 1
    """The n-th request for the same task."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the file; None is no condition."""

    on: str
    do: Do
    name: str = ""
    occurrence: frozenset[int] | None = None
    every: int = 1
    look: frozenset[int] | None = None
    number: frozenset[int] | None = None
    chance: float = 1.0
    prompt: str = ""
    model: str = ""
    times: int | None = None

    def fits(self, event: FaultEvent) -> bool:
        """Whether everything holds that does not count."""
        return (
            self.on == event.on
            and self.prompt.casefold() in event.prompt.casefold()
            and self.model in ("", event.model)
            and (self.look is None or event.look in self.look)
            and (self.number is None or event.number in self.number)
        )


@dataclass(slots=True)
class Faults:
    """The rules, and how often each fitted and happened: the only state."""

    rules: tuple[Rule, ...] = ()
    seed: int = 0
    fitted: list[int] = field(default_factory=list)
    happened: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fitted = [0] * len(self.rules)
        self.happened = [0] * len(self.rules)

    def wants(self, on: str) -> bool:
        """Whether any rule is about this at all."""
        return any(rule.on == on for rule in self.rules)

    def pick(self, event: FaultEvent) -> Do | None:
        """What goes wrong with this event; None: nothing."""
        picked: Do | None = None
        for place, rule in enumerate(self.rules):
            if not rule.fits(event):
                continue
            self.fitted[place] += 1
            if picked is None and self._happens(place, rule, event):
                self.happened[place] += 1
                picked = rule.do
        return picked

    def _happens(self, place: int, rule: Rule, event: FaultEvent) -> bool:
        count = self.fitted[place]
        if rule.occurrence is not None and count not in rule.occurrence:
            return False
        if count % rule.every or (rule.times is not None and self.happened[place] >= rule.times):
            return False
        # By what the event is, not by when it came: clients that send many things at once get the same faults again.
        thrown = chance(self.seed, place, event.on, event.model, event.prompt, event.number, event.look)
        return rule.chance == 1 or thrown < rule.chance

    def told(self) -> list[JsonValue]:
        """For the state: what happened how often."""
        return [
            {"rule": place, "name": rule.name, "on": rule.on, "fitted": self.fitted[place], "happened": happened}
            for (place, rule), happened in zip(enumerate(self.rules), self.happened, strict=True)
        ]


def read(path: Path, seed: int) -> Faults:
    """The rules of a file; Stop with every place that is wrong in it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CommandError(ExitCode.INVALID, f"{path}: the faults cannot be read: {error.strerror}") from error
    problems = Problems()
    source = decode(str(path), data, problems)
    document = None if source is None else parse(source, problems)
    words = [_line(problem.place, problem.message) for problem in problems.errors]
    if document is not None and not words:
        words = [_line(_place(document, where), message) for where, message in _findings(document.root)]
    if document is None or words:
        raise CommandError(
            ExitCode.INVALID, "\n".join(["the faults file is not fit:", *(f"  {line}" for line in words[:20])])
        )
    root = strip_places(document.root)
    return _faults(root if isinstance(root, dict) else {}, seed)


def from_json(value: JsonValue, seed: int) -> Faults | list[tuple[str, str]]:
    """The rules of a JSON value, or what is wrong with it: path and words."""
    wrong = [(path_text(path), message) for path, message in _findings(value)]
    return wrong or _faults(value if isinstance(value, dict) else {}, seed)


def _faults(root: Mapping[str, Any], seed: int) -> Faults:
    return Faults(tuple(_rule(entry) for entry in root["rules"]), seed)


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        on=entry["on"],
        do=entry["do"],
        name=entry.get("name", ""),
        occurrence=_numbers(entry.get("occurrence")),
        every=entry.get("every", 1),
        look=_numbers(entry.get("look")),
        number=_numbers(entry.get("number")),
        chance=float(entry.get("chance", 1)),
        prompt=entry.get("prompt", ""),
        model=entry.get("model", ""),
        times=entry.get("times"),
    )


def _numbers(value: int | list[int] | None) -> frozenset[int] | None:
    if value is None:
        return None
    return frozenset([value] if isinstance(value, int) else value)


def _line(place: Place, message: str) -> str:
    return f"{place.file}:{place.line}:{place.column}: {message}"


def _place(document: Document, path: tuple[str | int, ...]) -> Place:
    """Where a finding stands: at the key, since what is wrong may be that the key is there at all."""
    return NodeRef(document, path).key_place()


@cache
def _validator() -> Any:
    from jsonschema import Draft7Validator
    from referencing import Registry

    return Draft7Validator(load("faults"), registry=Registry())


def _findings(value: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for error in _validator().iter_errors(value):
        yield from _read(error)


def _read(error: "ValidationError") -> Iterator[tuple[tuple[str | int, ...], str]]:
    path = tuple(error.absolute_path)
    schema: Any = error.schema
    value: Any = error.instance
    if error.validator == "if":
        for inner in error.context or ():
            yield from _read(inner)
    elif error.validator == "additionalProperties":
        known = list(schema["properties"])
        for name in (name for name in value if name not in known):
            near = closest_match(str(name), known)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            yield (*path, name), f"{path_text((*path, name))}: unknown; {hint}"
    elif error.validator == "required":
        missing = [name for name in schema["required"] if name not in value]
        yield path, f"{path_text(path) or 'the file'}: {' and '.join(missing)} must be said"
    else:
        yield (
            path,
            f"{path_text(path) or 'the file'}: {value_text(value)} is not {_takes(str(error.validator), schema)}",
        )


def _takes(keyword: str, schema: Mapping[str, Any]) -> str:
    """What would have been right, in words."""
    match keyword:
        case "enum":
            return f"one of {', '.join(str(name) for name in schema['enum'])}"
        case "const":
            return str(schema["const"])
        case "type":
            return _KINDS[schema["type"]]
        case "anyOf":
            return " or ".join(_takes("const" if "const" in branch else "type", branch) for branch in schema["anyOf"])
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
