"""Values are dataclasses in all that a caller can see, but what writes them is not imported before one is made."""

import copy
import dataclasses
import pickle
import subprocess
import sys

import pytest

from runner.lazy_dataclass import dataclass, field, field_names, replace


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A value that can be ordered."""

    x: int
    y: int = 0
    seen: list[str] = field(default_factory=list, repr=False, compare=False)

    def right(self) -> "Spot":
        return replace(self, x=self.x + 1)


@dataclass(slots=True)
class Pile:
    """A thing that changes."""

    weight: int = field(init=False)
    name: str = "pile"

    def __post_init__(self) -> None:
        self.weight = len(self.name)


@dataclass(slots=True)
class Heap(Pile):
    """A thing with the fields of another, and its own."""

    of: str = "stones"


@dataclass(frozen=True)
class Loose:
    """A value with a `__dict__`, for what is worked out once."""

    number: int


def test_a_value_is_made_compared_and_shown_as_a_dataclass_is() -> None:
    assert Spot(1) == Spot(1, 0, ["elsewhere"])
    assert Spot(1) != Spot(2)
    assert Spot(1).__eq__((1, 0)) is NotImplemented
    assert Spot(1, 5) < Spot(2) <= Spot(2)
    assert hash(Spot(1)) == hash(Spot(1, seen=["elsewhere"]))
    assert repr(Spot(x=1, y=2)) == "Spot(x=1, y=2)"
    assert Spot(1).seen is not Spot(1).seen
    assert Spot(1).right() == Spot(2)
    match Spot(3, 4):
        case Spot(x, y):
            assert (x, y) == (3, 4)


def test_what_cannot_be_made_is_said_with_the_name_that_lacks() -> None:
    with pytest.raises(TypeError, match=r"Spot.__init__\(\) missing 1 required positional argument: 'x'"):
        Spot()  # type: ignore[call-arg]
    with pytest.raises(ValueError, match=r"Shared\.names: all values would share"):

        @dataclass(frozen=True)
        class Shared:
            names: list[str] = []  # noqa: RUF012


def test_a_frozen_value_refuses_every_change() -> None:
    for spot in (Spot(1), Loose(1)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            spot.x = 2  # type: ignore[misc, union-attr]
        with pytest.raises(dataclasses.FrozenInstanceError):
            del spot.x  # type: ignore[union-attr]
    with pytest.raises(AttributeError):
        Pile().colour = "red"  # type: ignore[attr-defined]


def test_a_thing_that_changes_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Pile())


def test_fields_come_from_the_classes_above_first() -> None:
    assert field_names(Heap) == ("weight", "name", "of")
    assert Heap("h", "sand") == Heap(name="h", of="sand")
    assert Heap("heap").weight == 4
    assert not hasattr(Heap(), "__dict__")


def test_a_copy_of_a_value_is_equal() -> None:
    for value in (Spot(1, 2), Heap("h"), Loose(3)):
        assert pickle.loads(pickle.dumps(value)) == value
        assert copy.copy(value) == copy.deepcopy(value) == value


def test_what_reads_dataclasses_reads_values() -> None:
    assert dataclasses.is_dataclass(Spot)
    assert [item.name for item in dataclasses.fields(Heap)] == list(field_names(Heap))
    assert dataclasses.asdict(Spot(1)) == {"x": 1, "y": 0, "seen": []}
    assert dataclasses.replace(Spot(1), y=7) == Spot(1, 7)


def test_a_class_alone_imports_nothing_that_writes_classes() -> None:
    script = (
        "import sys\nfrom runner.lazy_dataclass import dataclass\n"
        "@dataclass(frozen=True, slots=True)\nclass A:\n  x: int\n"
        "assert A(1).x == 1\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {"dataclasses", "inspect", "typing"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize("arguments", [((), {}), ((1, 2, 3, 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1})])
def test_wrong_arguments_are_refused_from_the_first_instance_on(
    arguments: tuple[tuple[int, ...], dict[str, int]],
) -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        x: int
        y: int = 0

    for _ in range(2):
        with pytest.raises(TypeError, match=r"Fresh\.__init__\(\)"):
            Fresh(*arguments[0], **arguments[1])
    assert Fresh(1) == Fresh(x=1, y=0)


def test_the_first_instances_are_filled_as_later_ones_are() -> None:
    @dataclass(slots=True)
    class Fresh:
        x: int
        items: list[int] = field(default_factory=list)
        size: int = field(init=False)

        def __post_init__(self) -> None:
            self.size = self.x + len(self.items)

    values = [Fresh(number, items=[number]) for number in range(100)] + [Fresh(7)]
    assert [(value.x, value.items, value.size) for value in values[:100]] == [(n, [n], n + 1) for n in range(100)]
    assert (values[100].items, values[100].size) == ([], 7)
    assert Fresh(1).items is not Fresh(1).items
