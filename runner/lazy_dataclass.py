"""Values: the standard library's dataclasses to a type checker, but their `__init__` is written when one is first made.

`dataclasses` writes six functions for a class while it is imported, and imports `inspect` for that: a third of the time
that a small command took. What reads dataclasses (`dataclasses.fields`, `replace`, `asdict`) reads these as well.
"""

import operator
from collections.abc import Callable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    import dataclasses
    from typing import Any

_MISSING: "Any" = object()
_FIELDS = "_value_fields"
"""Where a class keeps its fields: by name, in order, those of its bases first."""


class _Field:
    """What is said of one field, in the words of `dataclasses.field`."""

    __slots__ = ("annotation", "compare", "default", "default_factory", "init", "repr")

    def __init__(self, annotation: object, said: "Mapping[str, Any]") -> None:
        self.annotation = annotation
        self.default = said.get("default", _MISSING)
        self.default_factory = said.get("default_factory", _MISSING)
        self.init: bool = said.get("init", True)
        self.repr: bool = said.get("repr", True)
        self.compare: bool = said.get("compare", True)


class _FieldSpec(dict[str, object]):
    """The words of `field(…)`, until its class is known."""


def _dataclass(*, frozen: bool = False, slots: bool = False, order: bool = False) -> "Callable[[type], type]":
    def valued(cls: type) -> type:
        own = _own_fields(cls)
        fields: dict[str, _Field] = {}
        for base in reversed(cls.__mro__[1:]):
            fields.update(getattr(base, _FIELDS, {}))
        fields.update(own)
        owner: list[type] = []
        given = _generated_methods(fields, frozen=frozen, order=order)
        given["__init__"] = _lazy_init(owner, frozen=frozen, slots=slots)
        inside = {name: value for name, value in given.items() if cls.__dict__.get(name) is None}
        if slots:
            cls = _slotted(cls, own, inside)
        else:
            for name, value in inside.items():
                setattr(cls, name, value)
        owner.append(cls)
        return cls

    return valued


def _own_fields(cls: type) -> dict[str, _Field]:
    """The fields that a class's own annotations name; a plain default stays the class's attribute."""
    found = {}
    own = "__annotations__" in cls.__dict__ or hasattr(cls, "__annotate__")
    for name, annotation in (cls.__annotations__ if own else {}).items():
        said = cls.__dict__.get(name, _MISSING)
        if not isinstance(said, _FieldSpec):
            said = {} if said is _MISSING else {"default": said}
        field = found[name] = _Field(annotation, said)
        if isinstance(field.default, list | dict | set):
            raise ValueError(f"{cls.__name__}.{name}: all values would share this default; use default_factory")
        if field.default is not _MISSING:
            setattr(cls, name, field.default)
        elif said:
            delattr(cls, name)
    return found


def _slotted(cls: type, own: Mapping[str, _Field], given: Mapping[str, object]) -> type:
    """The class again, with a slot for each field of its own, and what it is given put in before it is made."""
    inside = {name: value for name, value in cls.__dict__.items() if name not in own}
    inside.pop("__dict__", None)
    inside.pop("__weakref__", None)
    again = type(cls)(cls.__name__, cls.__bases__, {**inside, **given, "__slots__": tuple(own)})
    again.__qualname__ = cls.__qualname__
    return again


def _generated_methods(fields: Mapping[str, _Field], *, frozen: bool, order: bool) -> dict[str, object]:
    """Everything but `__init__`: what a value says, what it equals, whether it can be changed."""
    shown = [name for name, field in fields.items() if field.repr]
    compared = [name for name, field in fields.items() if field.compare]
    read: Callable[[object], object] = operator.attrgetter(*compared) if compared else _nothing

    def say(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    given: dict[str, object] = {
        _FIELDS: fields,
        "__repr__": say,
        "__eq__": _comparing(operator.eq, read),
        "__hash__": (lambda self: hash(read(self))) if frozen else None,
        "__match_args__": tuple([name for name, field in fields.items() if field.init]),
        "__dataclass_fields__": _STANDARD,
    }
    if frozen:
        given |= {
            "__setattr__": _raise_frozen,
            "__delattr__": _raise_frozen,
            "__getstate__": _state,
            "__setstate__": _restore,
        }
    if order:
        given |= {f"__{sign.__name__}__": _comparing(sign, read) for sign in _ORDER}
    return given


_ORDER = (operator.lt, operator.le, operator.gt, operator.ge)


def _comparing(sign: "Callable[[Any, Any], object]", read: Callable[[object], object]) -> Callable[..., object]:
    def compare(self: object, other: object) -> object:
        return sign(read(self), read(other)) if other.__class__ is self.__class__ else NotImplemented

    return compare


def _nothing(value: object) -> tuple[()]:
    return ()


def _raise_frozen(self: object, name: str, value: object = None) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


def _state(self: object) -> list[object]:
    return [getattr(self, name) for name in field_names(type(self))]


def _restore(self: object, state: list[object]) -> None:
    for name, value in zip(field_names(type(self)), state, strict=True):
        object.__setattr__(self, name, value)


def _lazy_init(owner: "list[Any]", *, frozen: bool, slots: bool) -> Callable[..., None]:
    """An `__init__` that puts the real one into its place when the first value is made; `owner` holds its class."""

    def write_first(self: object, *args: object, **kwargs: object) -> None:
        cls = owner[0]
        if cls.__dict__["__init__"] is write_first:
            cls.__init__ = _compile_init(cls, frozen=frozen, slots=slots)
        cls.__init__(self, *args, **kwargs)

    return write_first


def _compile_init(cls: type, *, frozen: bool, slots: bool) -> "Callable[..., None]":
    """The `__init__` of a class, in the steps that a person would write."""
    takes, body = ["self"], ["pass"]
    given: dict[str, object] = {"_MISSING": _MISSING, "_set": object.__setattr__}
    fields: Mapping[str, _Field] = getattr(cls, _FIELDS)
    for name, field in fields.items():
        value, default = name, field.default
        if field.default_factory is not _MISSING:
            given[f"_new_{name}"] = field.default_factory
            value = f"_new_{name}() if {name} is _MISSING else {name}" if field.init else f"_new_{name}()"
        elif not field.init:
            continue
        if field.init:
            given[f"_default_{name}"] = default
            optional = default is not _MISSING or field.default_factory is not _MISSING
            takes.append(f"{name}=_default_{name}" if optional else name)
        if not frozen:
            body.append(f"self.{name} = {value}")
        elif slots:
            given[f"_set_{name}"] = getattr(cls, name).__set__
            body.append(f"_set_{name}(self, {value})")
        else:
            body.append(f"_set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    steps = "\n  ".join(body)
    made: dict[str, Callable[..., Callable[..., None]]] = {}
    # Only names of fields, which are Python's names, stand in the text.
    exec(  # noqa: S102
        f"def write({', '.join(given)}):\n def __init__({', '.join(takes)}):\n  {steps}\n return __init__", made
    )
    init = made["write"](**given)
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return init


def _replace(value: "Any", /, **changes: object) -> "Any":
    fields: Mapping[str, _Field] = getattr(type(value), _FIELDS)
    for name, field in fields.items():
        if field.init and name not in changes:
            changes[name] = getattr(value, name)
    return type(value)(**changes)


class _StandardFields:
    """`__dataclass_fields__`, made by the standard library when somebody asks for it."""

    def __get__(self, value: object, cls: "Any") -> "dict[str, dataclasses.Field[Any]]":
        import dataclasses

        told = []
        for name, field in getattr(cls, _FIELDS).items():
            said = {key: getattr(field, key) for key in _Field.__slots__ if getattr(field, key) is not _MISSING}
            told.append((name, said.pop("annotation"), dataclasses.field(**said)))
        standard: Any = dataclasses.make_dataclass(cls.__name__, told)
        cls.__dataclass_fields__ = found = standard.__dataclass_fields__
        return dict(found)


_STANDARD = _StandardFields()


def field_names(cls: type) -> tuple[str, ...]:
    """The names of a class's fields, in order."""
    return tuple(getattr(cls, _FIELDS))


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    dataclass, field, replace = _dataclass, _FieldSpec, _replace
