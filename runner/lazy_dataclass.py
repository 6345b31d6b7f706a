"""Lazy dataclasses: as `dataclasses` to a type checker, but `__init__` is generated for a class of many instances only.

`dataclasses` generates six functions for every class at import, and imports `inspect` for that: a third of the time of
a small command. Compiling one `__init__` takes as long as filling a hundred values without it, and most classes of a
command have one or two.

Functions that read dataclasses (`dataclasses.fields`, `replace`, `asdict`) read these classes too.

msgspec's `Struct` was measured against these classes (0.23, Python 3.11, 20 rounds, smallest CPU time): 150 classes
start in 62 ms with `Struct`, in 64 ms with these, in 37 ms without either; the import of msgspec alone makes `validate`
of 10 shots start 32 ms later (141 to 173 ms), more than quicker classes give back.
"""

import operator
from collections.abc import Callable, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    import dataclasses
    from typing import Any

_MISSING: "Any" = object()
# The attribute that holds a class's fields by name, in order, those of its bases first.
_FIELDS = "_value_fields"


class _Field:
    """One field, with the arguments of `dataclasses.field`."""

    __slots__ = ("annotation", "compare", "default", "default_factory", "init", "repr")

    def __init__(self, annotation: object, arguments: "Mapping[str, Any]") -> None:
        self.annotation = annotation
        self.default = arguments.get("default", _MISSING)
        self.default_factory = arguments.get("default_factory", _MISSING)
        self.init: bool = arguments.get("init", True)
        self.repr: bool = arguments.get("repr", True)
        self.compare: bool = arguments.get("compare", True)


class _FieldSpec(dict[str, object]):
    """The arguments of `field(…)` before the class exists."""


def _dataclass(*, frozen: bool = False, slots: bool = False, order: bool = False) -> "Callable[[type], type]":
    def decorate(cls: type) -> type:
        own_fields = _own_fields(cls)
        fields: dict[str, _Field] = {}
        for base in reversed(cls.__mro__[1:]):
            fields.update(getattr(base, _FIELDS, {}))
        fields.update(own_fields)
        owner: list[type] = []
        methods = _generated_methods(fields, frozen=frozen, order=order)
        methods["__init__"] = _lazy_init(owner, frozen=frozen, slots=slots)
        missing = {name: value for name, value in methods.items() if cls.__dict__.get(name) is None}
        if slots:
            cls = _slotted(cls, own_fields, missing)
        else:
            for name, value in missing.items():
                setattr(cls, name, value)
        owner.append(cls)
        return cls

    return decorate


def _own_fields(cls: type) -> dict[str, _Field]:
    """The fields of a class's own annotations; a default value stays an attribute of the class."""
    fields = {}
    has_annotations = "__annotations__" in cls.__dict__ or hasattr(cls, "__annotate__")
    for name, annotation in (cls.__annotations__ if has_annotations else {}).items():
        spec = cls.__dict__.get(name, _MISSING)
        if not isinstance(spec, _FieldSpec):
            spec = {} if spec is _MISSING else {"default": spec}
        field = fields[name] = _Field(annotation, spec)
        if isinstance(field.default, list | dict | set):
            raise ValueError(f"{cls.__name__}.{name}: all values would share this default; use default_factory")
        if field.default is not _MISSING:
            setattr(cls, name, field.default)
        elif spec:
            delattr(cls, name)
    return fields


def _slotted(cls: type, own_fields: Mapping[str, _Field], methods: Mapping[str, object]) -> type:
    """A copy of the class with a slot for each of its own fields, and with the generated methods."""
    namespace = {name: value for name, value in cls.__dict__.items() if name not in own_fields}
    namespace.pop("__dict__", None)
    namespace.pop("__weakref__", None)
    slotted = type(cls)(cls.__name__, cls.__bases__, {**namespace, **methods, "__slots__": tuple(own_fields)})
    slotted.__qualname__ = cls.__qualname__
    return slotted


def _generated_methods(fields: Mapping[str, _Field], *, frozen: bool, order: bool) -> dict[str, object]:
    """The methods beside `__init__`: `repr`, comparison, hash, protection against changes."""
    repr_names = [name for name, field in fields.items() if field.repr]
    compared_names = [name for name, field in fields.items() if field.compare]
    values_of: Callable[[object], object] = operator.attrgetter(*compared_names) if compared_names else _no_values

    def _repr(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in repr_names)})"

    methods: dict[str, object] = {
        _FIELDS: fields,
        "__repr__": _repr,
        "__eq__": _comparison(operator.eq, values_of),
        "__hash__": (lambda self: hash(values_of(self))) if frozen else None,
        "__match_args__": tuple([name for name, field in fields.items() if field.init]),
        "__dataclass_fields__": _STANDARD,
    }
    if frozen:
        methods |= {
            "__setattr__": _raise_frozen,
            "__delattr__": _raise_frozen,
            "__getstate__": _get_state,
            "__setstate__": _set_state,
        }
    if order:
        methods |= {f"__{sign.__name__}__": _comparison(sign, values_of) for sign in _ORDERINGS}
    return methods


_ORDERINGS = (operator.lt, operator.le, operator.gt, operator.ge)


def _comparison(
    compare_values: "Callable[[Any, Any], object]", values_of: Callable[[object], object]
) -> Callable[..., object]:
    def compare(self: object, other: object) -> object:
        return (
            compare_values(values_of(self), values_of(other)) if other.__class__ is self.__class__ else NotImplemented
        )

    return compare


def _no_values(value: object) -> tuple[()]:
    return ()


def _raise_frozen(self: object, name: str, value: object = None) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"{type(self).__name__}.{name} cannot be changed")


def _get_state(self: object) -> list[object]:
    return [getattr(self, name) for name in field_names(type(self))]


def _set_state(self: object, state: list[object]) -> None:
    for name, value in zip(field_names(type(self)), state, strict=True):
        object.__setattr__(self, name, value)


# Instances of a class that are filled field by field before its `__init__` is compiled.
_FILLED_ONE_BY_ONE = 30


def _lazy_init(owner: "list[Any]", *, frozen: bool, slots: bool) -> Callable[..., None]:
    """An `__init__` that fills the first instances itself, and is then replaced by a compiled one.

    `owner` holds the class.
    """
    count = 0

    def fill_first(self: object, *args: object, **kwargs: object) -> None:
        nonlocal count
        cls = owner[0]
        count += 1
        if count <= _FILLED_ONE_BY_ONE and _fill(cls, self, args, kwargs):
            return
        # Wrong arguments come here too: the compiled function raises as every function does.
        if cls.__dict__["__init__"] is fill_first:
            cls.__init__ = _compile_init(cls, frozen=frozen, slots=slots)
        cls.__init__(self, *args, **kwargs)

    return fill_first


def _fill(cls: "Any", instance: object, args: tuple[object, ...], kwargs: Mapping[str, object]) -> bool:
    """Set every field of a new instance; False if the arguments do not fit."""
    fields: Mapping[str, _Field] = getattr(cls, _FIELDS)
    names = [name for name, field in fields.items() if field.init]
    arguments = {**dict(zip(names, args, strict=False)), **kwargs}
    if len(arguments) < len(args) + len(kwargs) or not arguments.keys() <= set(names):
        return False
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in arguments:
            values[name] = arguments[name]
        elif field.default_factory is not _MISSING:
            values[name] = field.default_factory()
        elif field.init and field.default is not _MISSING:
            values[name] = field.default
        elif field.init:
            return False
    for name, value in values.items():
        object.__setattr__(instance, name, value)
    if hasattr(cls, "__post_init__"):
        instance.__post_init__()  # type: ignore[attr-defined]
    return True


def _compile_init(cls: type, *, frozen: bool, slots: bool) -> "Callable[..., None]":
    """Compile the `__init__` of a class from one assignment for each field."""
    parameters, body = ["self"], ["pass"]
    namespace: dict[str, object] = {"_MISSING": _MISSING, "_set": object.__setattr__}
    fields: Mapping[str, _Field] = getattr(cls, _FIELDS)
    for name, field in fields.items():
        value, default = name, field.default
        if field.default_factory is not _MISSING:
            namespace[f"_new_{name}"] = field.default_factory
            value = f"_new_{name}() if {name} is _MISSING else {name}" if field.init else f"_new_{name}()"
        elif not field.init:
            continue
        if field.init:
            namespace[f"_default_{name}"] = default
            optional = default is not _MISSING or field.default_factory is not _MISSING
            parameters.append(f"{name}=_default_{name}" if optional else name)
        if not frozen:
            body.append(f"self.{name} = {value}")
        elif slots:
            namespace[f"_set_{name}"] = getattr(cls, name).__set__
            body.append(f"_set_{name}(self, {value})")
        else:
            body.append(f"_set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    steps = "\n  ".join(body)
    results: dict[str, Callable[..., Callable[..., None]]] = {}
    # The text contains nothing but field names, which are Python identifiers.
    exec(  # noqa: S102
        f"def write({', '.join(namespace)}):\n def __init__({', '.join(parameters)}):\n  {steps}\n return __init__",
        results,
    )
    init = results["write"](**namespace)
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return init


def _replace(value: "Any", /, **changes: object) -> "Any":
    fields: Mapping[str, _Field] = getattr(type(value), _FIELDS)
    for name, field in fields.items():
        if field.init and name not in changes:
            changes[name] = getattr(value, name)
    return type(value)(**changes)


class _StandardFields:
    """The descriptor `__dataclass_fields__`: calls the standard library at the first access."""

    def __get__(self, value: object, cls: "Any") -> "dict[str, dataclasses.Field[Any]]":
        import dataclasses

        specs = []
        for name, field in getattr(cls, _FIELDS).items():
            arguments = {key: getattr(field, key) for key in _Field.__slots__ if getattr(field, key) is not _MISSING}
            specs.append((name, arguments.pop("annotation"), dataclasses.field(**arguments)))
        standard: Any = dataclasses.make_dataclass(cls.__name__, specs)
        cls.__dataclass_fields__ = fields = standard.__dataclass_fields__
        return dict(fields)


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
