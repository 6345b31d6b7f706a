"""The matrix of an entry, expanded into the combinations of its axes, one for each shot."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from runner.diagnostics.problem import Problem, Problems, closest_match
from runner.language.schema_files import load
from runner.language.templates.environment import slug, text_of
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass

MAX_COMBINATIONS = 10_000
"""Combinations of one matrix, counted before the first is built."""
# After so many problems nobody reads the nearest value, and each costs a search.
_MAX_SUGGESTIONS = 200


@dataclass(frozen=True, slots=True)
class AxisValue:
    """One value of an axis: what templates see, and the fields that it sets."""

    axis: str
    value: Value
    fields: Mapping[str, Value]
    origin: NodeRef
    """Position of the value: an item of the list, or a named piece."""
    is_list_item: bool
    """True for an item of a list: the axis sets its field to the value itself."""

    @property
    def text(self) -> str:
        return text_of(self.value)


Combination = tuple[AxisValue, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a matrix: a list of values, or pieces by name."""

    name: str
    values: tuple[AxisValue, ...]
    is_list: bool
    origin: NodeRef

    @property
    def distinct(self) -> tuple[AxisValue, ...]:
        """The values without those whose text an earlier value has."""
        return tuple({choice.text: choice for choice in reversed(self.values)}.values())[::-1]

    @property
    def fields_set(self) -> frozenset[str]:
        """Names of the fields that the axis sets; a variable in a piece is named `vars.NAME`."""
        fields: set[str] = set()
        for choice in self.values:
            for field, value in choice.fields.items():
                fields |= {f"vars.{name}" for name in value} if field == "vars" and isinstance(value, dict) else {field}
        return frozenset(fields)


def axes(matrix: NodeRef, problems: Problems) -> list[Axis]:
    """The axes of a matrix, in the file's order."""
    mapping = matrix.value
    axis_list: list[Axis] = []
    for name, value in mapping.items() if isinstance(mapping, dict) else ():
        if name in ("include", "exclude") or name.startswith("x-"):
            continue
        if name == "shot":
            hint = "in templates `shot` means the shot itself; give the axis another name"
            problems.add(
                Problem("matrix-axis-name", (matrix / name).key_place(), "an axis cannot be named `shot`", hint)
            )
            continue
        axis_list.append(_read_axis(name, value, matrix / name))
    _check_shared_fields(axis_list, problems)
    return axis_list


def _piece_fields() -> Mapping[str, object]:
    properties: Mapping[str, object] = load()["definitions"]["piece"]["properties"]
    return properties


def _read_axis(name: str, value: Value, origin: NodeRef) -> Axis:
    if isinstance(value, dict):
        pieces = [(key, piece) for key, piece in value.items() if not key.startswith("x-")]
        values = [
            AxisValue(name, key, piece if isinstance(piece, dict) else {}, origin / key, False) for key, piece in pieces
        ]
        return Axis(name, tuple(values), False, origin)
    items = value if isinstance(value, list) else []
    sets_field = name in _piece_fields()
    values = [
        AxisValue(name, item, {name: item} if sets_field else {}, origin / i, True) for i, item in enumerate(items)
    ]
    return Axis(name, tuple(values), True, origin)


def _check_shared_fields(axes: list[Axis], problems: Problems) -> None:
    for first, second in itertools.combinations(axes, 2):
        # Neither may win silently: a reader of the file could not tell which does.
        for field in sorted(first.fields_set & second.fields_set):
            message = f"the axes `{first.name}` and `{second.name}` both set `{field}`"
            related = ((first.origin.key_place(), "the other axis"),)
            hint = "set it in one axis only"
            problems.add(Problem("matrix-conflict", second.origin.key_place(), message, hint, related=related))


def combinations(matrix: NodeRef, axes: list[Axis], problems: Problems) -> list[Combination]:
    """The product of the axes in the file's order, without the entries of `exclude`, with the entries of `include`."""
    size = 1
    for axis in axes:
        size *= len(axis.values)
    if size > MAX_COMBINATIONS:
        message = f"this matrix has {size:,} combinations; at most {MAX_COMBINATIONS:,} are allowed"
        problems.add(Problem("matrix-size", matrix.key_place(), message, "remove an axis, or split the shot"))
        return []
    _check_repeats(axes, problems)
    # Without the repeats, which are reported: each would make its ids a second time.
    product = list(itertools.product(*(axis.distinct for axis in axes)))
    mapping = matrix.value if isinstance(matrix.value, dict) else {}
    product = _exclude(product, axes, _entries(matrix / "exclude", mapping.get("exclude")), problems)
    return _include(product, axes, _entries(matrix / "include", mapping.get("include")), problems)


def _check_repeats(axes: list[Axis], problems: Problems) -> None:
    for axis in axes:
        first_by_text: dict[str, AxisValue] = {}
        for choice in axis.values:
            if choice.text in first_by_text:
                related = ((first_by_text[choice.text].origin.place(), "the first"),)
                message = f"the axis `{axis.name}` has the value `{choice.text}` twice"
                problems.add(
                    Problem("matrix-repeat", choice.origin.place(), message, "remove one of the two", related=related)
                )
            first_by_text.setdefault(choice.text, choice)


def _entries(origin: NodeRef, items: Value) -> Iterator[tuple[NodeRef, dict[str, Value]]]:
    for index, entry in enumerate(items if isinstance(items, list) else ()):
        if isinstance(entry, dict):
            yield origin / index, {key: value for key, value in entry.items() if not key.startswith("x-")}


def _has_unknown_axis(origin: NodeRef, entry: Mapping[str, Value], axes: list[Axis], problems: Problems) -> bool:
    names = {axis.name for axis in axes}
    has_unknown = False
    for name in entry:
        if name not in names:
            closest = closest_match(name, names)
            hint = f"did you mean `{closest}`?" if closest else f"the axes are {', '.join(axis.name for axis in axes)}"
            problems.add(
                Problem("matrix-unknown-axis", (origin / name).key_place(), f"this matrix has no axis `{name}`", hint)
            )
            has_unknown = True
    return has_unknown


def _exclude(
    product: list[Combination],
    axes: list[Axis],
    entries: Iterator[tuple[NodeRef, dict[str, Value]]],
    problems: Problems,
) -> list[Combination]:
    index: dict[tuple[str, str], int] | None = None
    # Ten thousand entries may meet ten thousand combinations, so each entry is one operation on a set of bits.
    all_bits = (1 << len(product)) - 1
    excluded_bits = 0
    for origin, entry in entries:
        if _has_unknown_axis(origin, entry, axes, problems):
            continue
        index = _index_by_choice(product) if index is None else index
        texts = {name: text_of(value) for name, value in entry.items()}
        matching_bits = all_bits
        for choice in texts.items():
            matching_bits &= index.get(choice, 0)
        if not matching_bits:
            problems.add(_no_match_problem(origin, texts, axes if len(problems.items) < _MAX_SUGGESTIONS else []))
        excluded_bits |= matching_bits
    return (
        [
            combination
            for combination, bit in zip(product, f"{excluded_bits:0{len(product)}b}"[::-1], strict=True)
            if bit == "0"
        ]
        if product
        else product
    )


def _index_by_choice(product: Sequence[Combination]) -> dict[tuple[str, str], int]:
    """Bit set of the combinations with a value, by axis and text: intersecting ten thousand of them is one `&`."""
    bits_by_choice: dict[tuple[str, str], bytearray] = {}
    for index, combination in enumerate(product):
        for choice in combination:
            key = (choice.axis, choice.text)
            bits = bits_by_choice.get(key) or bits_by_choice.setdefault(key, bytearray(len(product) // 8 + 1))
            bits[index >> 3] |= 1 << (index & 7)
    return {key: int.from_bytes(bits, "little") for key, bits in bits_by_choice.items()}


def _no_match_problem(origin: NodeRef, entry_texts: Mapping[str, str], axes: list[Axis]) -> Problem:
    hint = "remove the entry, or correct its values"
    for axis in axes:
        value = entry_texts.get(axis.name)
        texts = [choice.text for choice in axis.values]
        if value is not None and value not in texts:
            closest = closest_match(value, texts)
            hint = (
                f"did you mean {axis.name}: {closest}?"
                if closest
                else f"the values of `{axis.name}` are {', '.join(texts[:10])}"
            )
    return Problem("matrix-no-match", origin.place(), "no combination matches this entry of `exclude`", hint)


def _include(
    product: list[Combination],
    axes: list[Axis],
    entries: Iterator[tuple[NodeRef, dict[str, Value]]],
    problems: Problems,
) -> list[Combination]:
    # By text, as ids are: 5 and "5" would be one shot.
    existing = {tuple(choice.text for choice in item) for item in product}
    for origin, entry in entries:
        if _has_unknown_axis(origin, entry, axes, problems):
            continue
        if missing := [axis.name for axis in axes if axis.name not in entry]:
            message = f"an added combination needs a value for every axis; this one lacks {', '.join(missing)}"
            problems.add(Problem("matrix-partial", origin.place(), message))
            continue
        choices = [_axis_value(axis, entry[axis.name], origin / axis.name, problems) for axis in axes]
        combination = tuple(choice for choice in choices if choice is not None)
        if len(combination) < len(axes):
            continue
        key = tuple(choice.text for choice in combination)
        if key in existing:
            problems.add(
                Problem("matrix-exists", origin.place(), "the matrix has this combination already", "remove the entry")
            )
            continue
        existing.add(key)
        product.append(combination)
    return product


def _axis_value(axis: Axis, value: Value, origin: NodeRef, problems: Problems) -> AxisValue | None:
    text = text_of(value)
    for choice in axis.values:
        if choice.text == text:
            return choice
    # A list can take a value more; a piece has fields, which `include` cannot write.
    if axis.is_list:
        return AxisValue(axis.name, value, {axis.name: value} if axis.name in _piece_fields() else {}, origin, True)
    texts = [choice.text for choice in axis.values]
    closest = closest_match(text, texts)
    hint = f"did you mean {closest}?" if closest else f"its pieces are {', '.join(texts)}"
    problems.add(Problem("matrix-unknown-value", origin.place(), f"`{axis.name}` has no piece named `{text}`", hint))
    return None


def id_suffix(combination: Combination) -> str:
    """The text appended to an id that has no template: `-lisbon-tall`."""
    return "".join(f"-{slug(choice.value)}" for choice in combination)
