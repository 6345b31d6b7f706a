"""One entry with a matrix becomes one shot for each combination of its axes."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from runner.diagnostics.problem import Problem, Problems, closest_match
from runner.language.schema import load
from runner.language.templates.environment import slug, text_of
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass

MAX_COMBINATIONS = 10_000
_MANY = 200  # after so many problems nobody reads which value is the nearest
_RESERVED = ("include", "exclude", "shot")


@dataclass(frozen=True, slots=True)
class AxisValue:
    """One value of an axis: what templates see, and the fields that it sets."""

    axis: str
    value: Value
    fields: Mapping[str, Value]
    origin: NodeRef
    """Where the value stands: the item of the list, or the piece."""
    is_list_item: bool
    """True for an item of a list: the value itself is what the axis sets."""

    @property
    def text(self) -> str:
        return text_of(self.value)


Combination = tuple[AxisValue, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    name: str
    values: tuple[AxisValue, ...]
    is_list: bool
    origin: NodeRef

    @property
    def distinct(self) -> tuple[AxisValue, ...]:
        """Its choices, each text once."""
        return tuple({choice.text: choice for choice in reversed(self.values)}.values())[::-1]

    @property
    def fields_set(self) -> frozenset[str]:
        """Fields that it sets; variables of pieces one by one."""
        found: set[str] = set()
        for choice in self.values:
            for field, value in choice.fields.items():
                found |= {f"vars.{name}" for name in value} if field == "vars" and isinstance(value, dict) else {field}
        return frozenset(found)


def axes(matrix: NodeRef, problems: Problems) -> list[Axis]:
    """The axes of a matrix, in the file's order."""
    said = matrix.value
    found: list[Axis] = []
    for name, value in said.items() if isinstance(said, dict) else ():
        if name in ("include", "exclude") or name.startswith("x-"):
            continue
        if name == "shot":
            hint = "`shot` is the shot itself in templates; name the axis otherwise"
            problems.add(Problem("matrix-axis-name", (matrix / name).key_place(), "no axis can be named `shot`", hint))
            continue
        found.append(_axis(name, value, matrix / name))
    _check_shared_fields(found, problems)
    return found


def _fields() -> Mapping[str, object]:
    properties: Mapping[str, object] = load()["definitions"]["piece"]["properties"]
    return properties


def _axis(name: str, value: Value, origin: NodeRef) -> Axis:
    if isinstance(value, dict):
        pieces = [(key, piece) for key, piece in value.items() if not key.startswith("x-")]
        made = [
            AxisValue(name, key, piece if isinstance(piece, dict) else {}, origin / key, False) for key, piece in pieces
        ]
        return Axis(name, tuple(made), False, origin)
    items = value if isinstance(value, list) else []
    sets = name in _fields()
    made = [AxisValue(name, item, {name: item} if sets else {}, origin / i, True) for i, item in enumerate(items)]
    return Axis(name, tuple(made), True, origin)


def _check_shared_fields(found: list[Axis], problems: Problems) -> None:
    for first, second in itertools.combinations(found, 2):
        for field in sorted(first.fields_set & second.fields_set):
            message = f"the axes `{first.name}` and `{second.name}` both set `{field}`"
            related = ((first.origin.key_place(), "the other axis"),)
            hint = "let one axis set it"
            problems.add(Problem("matrix-conflict", second.origin.key_place(), message, hint, related=related))


def combinations(matrix: NodeRef, found: list[Axis], problems: Problems) -> list[Combination]:
    """The product in the file's order, without what `exclude` names, with what `include` adds."""
    size = 1
    for axis in found:
        size *= len(axis.values)
    if size > MAX_COMBINATIONS:
        message = f"this matrix has {size:,} combinations; at most {MAX_COMBINATIONS:,} are made"
        problems.add(Problem("matrix-size", matrix.key_place(), message, "take an axis away, or split the shot"))
        return []
    _check_repeats(found, problems)
    made = list(itertools.product(*(axis.distinct for axis in found)))
    said = matrix.value if isinstance(matrix.value, dict) else {}
    made = _excluded(made, found, _entries(matrix / "exclude", said.get("exclude")), problems)
    return _included(made, found, _entries(matrix / "include", said.get("include")), problems)


def _check_repeats(found: list[Axis], problems: Problems) -> None:
    for axis in found:
        seen: dict[str, AxisValue] = {}
        for choice in axis.values:
            if choice.text in seen:
                related = ((seen[choice.text].origin.place(), "the first"),)
                message = f"`{choice.text}` stands twice in the axis `{axis.name}`"
                problems.add(Problem("matrix-repeat", choice.origin.place(), message, "keep one", related=related))
            seen.setdefault(choice.text, choice)


def _entries(origin: NodeRef, said: Value) -> Iterator[tuple[NodeRef, dict[str, Value]]]:
    for index, entry in enumerate(said if isinstance(said, list) else ()):
        if isinstance(entry, dict):
            yield origin / index, {key: value for key, value in entry.items() if not key.startswith("x-")}


def _unknown_axis(origin: NodeRef, entry: Mapping[str, Value], found: list[Axis], problems: Problems) -> bool:
    known = {axis.name for axis in found}
    wrong = False
    for name in entry:
        if name not in known:
            close = closest_match(name, known)
            hint = f"did you mean `{close}`?" if close else f"the axes are {', '.join(axis.name for axis in found)}"
            problems.add(
                Problem("matrix-unknown-axis", (origin / name).key_place(), f"no axis is named `{name}`", hint)
            )
            wrong = True
    return wrong


def _excluded(
    made: list[Combination],
    found: list[Axis],
    entries: Iterator[tuple[NodeRef, dict[str, Value]]],
    problems: Problems,
) -> list[Combination]:
    where: dict[tuple[str, str], int] | None = None
    everything = (1 << len(made)) - 1
    dropped = 0
    for origin, entry in entries:
        if _unknown_axis(origin, entry, found, problems):
            continue
        where = _where(made) if where is None else where
        wanted = {name: text_of(value) for name, value in entry.items()}
        matching = everything
        for choice in wanted.items():
            matching &= where.get(choice, 0)
        if not matching:
            problems.add(_matches_nothing(origin, wanted, found if len(problems.items) < _MANY else []))
        dropped |= matching
    return (
        [one for one, bit in zip(made, f"{dropped:0{len(made)}b}"[::-1], strict=True) if bit == "0"] if made else made
    )


def _where(made: Sequence[Combination]) -> dict[tuple[str, str], int]:
    """For each axis and text the combinations that have it, as the bits of a number: ten thousand are one `&`."""
    found: dict[tuple[str, str], bytearray] = {}
    for index, one in enumerate(made):
        for choice in one:
            key = (choice.axis, choice.text)
            bits = found.get(key) or found.setdefault(key, bytearray(len(made) // 8 + 1))
            bits[index >> 3] |= 1 << (index & 7)
    return {key: int.from_bytes(bits, "little") for key, bits in found.items()}


def _matches_nothing(origin: NodeRef, wanted: Mapping[str, str], found: list[Axis]) -> Problem:
    hint = "remove it, or correct its values"
    for axis in found:
        value = wanted.get(axis.name)
        texts = [choice.text for choice in axis.values]
        if value is not None and value not in texts:
            close = closest_match(value, texts)
            hint = (
                f"did you mean {axis.name}: {close}?" if close else f"`{axis.name}` is one of {', '.join(texts[:10])}"
            )
    return Problem("matrix-no-match", origin.place(), "this excludes nothing: no combination matches it", hint)


def _included(
    made: list[Combination],
    found: list[Axis],
    entries: Iterator[tuple[NodeRef, dict[str, Value]]],
    problems: Problems,
) -> list[Combination]:
    seen = {tuple(choice.text for choice in one) for one in made}
    for origin, entry in entries:
        if _unknown_axis(origin, entry, found, problems):
            continue
        if missing := [axis.name for axis in found if axis.name not in entry]:
            message = f"an added combination names every axis, and this one has no {' and no '.join(missing)}"
            problems.add(Problem("matrix-partial", origin.place(), message))
            continue
        chosen = [_chosen(axis, entry[axis.name], origin / axis.name, problems) for axis in found]
        combination = tuple(choice for choice in chosen if choice is not None)
        if len(combination) < len(found):
            continue
        key = tuple(choice.text for choice in combination)
        if key in seen:
            problems.add(Problem("matrix-exists", origin.place(), "this combination exists already", "remove it"))
            continue
        seen.add(key)
        made.append(combination)
    return made


def _chosen(axis: Axis, value: Value, origin: NodeRef, problems: Problems) -> AxisValue | None:
    text = text_of(value)
    for choice in axis.values:
        if choice.text == text:
            return choice
    if axis.is_list:
        return AxisValue(axis.name, value, {axis.name: value} if axis.name in _fields() else {}, origin, True)
    texts = [choice.text for choice in axis.values]
    close = closest_match(text, texts)
    hint = f"did you mean {close}?" if close else f"known are {', '.join(texts)}"
    problems.add(Problem("matrix-unknown-value", origin.place(), f"`{axis.name}` has no piece named `{text}`", hint))
    return None


def id_suffix(combination: Combination) -> str:
    """What an id without a template gets: `-lisbon-tall`."""
    return "".join(f"-{slug(choice.value)}" for choice in combination)
