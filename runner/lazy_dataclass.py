"""Lazy dataclasses: as `dataclasses` to a type checker, but `__init__` is generated for a class of many instances only.

`dataclasses` generates six functions for every class at import, and imports `inspect` for that: a third of the time of
a small command. Compiling one `__init__` takes as long as filling a hundred values without it, and most classes of a
command have one or two. The other methods are common to all classes, and each class takes those that it compares by
for quicker ones at their first use: a class of four fields and two methods takes 181,000 instructions at import, where
methods written for each class took 300,000, and a class with slots alone 92,000 (Python 3.11, callgrind).

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
# The attribute that holds what a class itself says of its fields: a default, the arguments of `field(…)`, or nothing.
_OWN_FIELDS = "_own_fields"


class _Field:
    """One field, with the arguments of `dataclasses.field`."""

    __slots__ = ("annotation", "compare", "default", "default_factory", "init", "repr")

    def __init__(self, annotation: object, spec: "Any") -> None:
        arguments = spec if isinstance(spec, _FieldSpec) else {"default": spec}
        self.annotation = annotation
        self.default = arguments.get("default", _MISSING)
        self.default_factory: Any = arguments.get("default_factory", _MISSING)
        self.init: Any = arguments.get("init", True)
        self.repr: Any = arguments.get("repr", True)
        self.compare: Any = arguments.get("compare", True)


class _FieldSpec(dict[str, object]):
    """The arguments of `field(…)` before the class exists."""


def _dataclass(*, frozen: bool = False, slots: bool = False, order: bool = False) -> "Callable[[type], type]":
    methods = _FROZEN if frozen else _CHANGEABLE
    if order:
        methods = methods | _ORDERED

    def decorate(cls: type) -> type:
        own_fields = _own_fields(cls)
        if slots:
            return _slotted(cls, own_fields, methods)
        for name, value in {**methods, _OWN_FIELDS: own_fields}.items():
            if cls.__dict__.get(name) is None:
                setattr(cls, name, value)
        return cls

    return decorate


# Defaults that all values would share.
_SHARED_DEFAULTS = (list, dict, set)


def _own_fields(cls: type) -> dict[str, object]:
    """Read a class's own fields from its annotations and defaults; a default stays an attribute of the class."""
    own = cls.__dict__
    has_annotations = "__annotations__" in own or hasattr(cls, "__annotate__")
    fields: dict[str, object] = {}
    for name in cls.__annotations__ if has_annotations else ():
        spec = fields[name] = own.get(name, _MISSING)
        if isinstance(spec, _FieldSpec):
            if "default" in spec:
                setattr(cls, name, spec["default"])
            else:
                delattr(cls, name)
            spec = spec.get("default")
        if isinstance(spec, _SHARED_DEFAULTS):
            raise ValueError(f"{cls.__name__}.{name}: all values would share this default; use default_factory")
    return fields


def _slotted(cls: type, own_fields: Mapping[str, object], methods: Mapping[str, object]) -> type:
    """A copy of the class with a slot for each of its own fields, and with the common methods that it lacks."""
    namespace = {**methods, **cls.__dict__}
    for name in ("__dict__", "__weakref__", *own_fields):
        namespace.pop(name, None)
    if namespace["__hash__"] is None:  # so Python marks a class that has an `__eq__` of its own
        namespace["__hash__"] = methods["__hash__"]
    namespace["__slots__"] = tuple(own_fields)
    namespace[_OWN_FIELDS] = own_fields
    return type(cls)(cls.__name__, cls.__bases__, namespace)


_fields_by_class: dict[type, dict[str, _Field]] = {}


def _fields(cls: type) -> dict[str, _Field]:
    """A class's fields by name, in order, those of its bases first; collected at the first call."""
    fields = _fields_by_class.get(cls)
    if fields is None:
        fields = {}
        for base in reversed(cls.__mro__):
            for name, spec in base.__dict__.get(_OWN_FIELDS, {}).items():
                fields[name] = _Field(base.__annotations__[name], spec)
        _fields_by_class[cls] = fields
    return fields


def _owner(value: object, name: str, method: object) -> "Any":
    """The class that has a common method for a value: its own, or the first above it."""
    return next(cls for cls in type(value).__mro__ if cls.__dict__.get(name) is method)


def _repr(self: object) -> str:
    fields = _fields(_owner(self, "__repr__", _repr)).items()
    values = ", ".join([f"{name}={getattr(self, name)!r}" for name, field in fields if field.repr])
    return f"{type(self).__qualname__}({values})"


def _eq(self: object, other: object) -> object:
    return _replace_comparison(self, "__eq__", _eq, operator.eq)(self, other)


def _lt(self: object, other: object) -> object:
    return _replace_comparison(self, "__lt__", _lt, operator.lt)(self, other)


def _le(self: object, other: object) -> object:
    return _replace_comparison(self, "__le__", _le, operator.le)(self, other)


def _gt(self: object, other: object) -> object:
    return _replace_comparison(self, "__gt__", _gt, operator.gt)(self, other)


def _ge(self: object, other: object) -> object:
    return _replace_comparison(self, "__ge__", _ge, operator.ge)(self, other)


def _hash(self: object) -> int:
    owner = _owner(self, "__hash__", _hash)
    values_of = _compared_values(owner)
    owner.__hash__ = lambda self: hash(values_of(self))
    return hash(values_of(self))


def _replace_comparison(
    value: object, name: str, method: object, compare_values: "Callable[[Any, Any], object]"
) -> "Callable[[object, object], object]":
    """Replace a common method, at its first use, by the comparison of its class's fields."""
    owner = _owner(value, name, method)
    values_of = _compared_values(owner)

    def compare(self: object, other: object) -> object:
        return (
            compare_values(values_of(self), values_of(other)) if other.__class__ is self.__class__ else NotImplemented
        )

    setattr(owner, name, compare)
    return compare


def _compared_values(cls: type) -> "Callable[[object], object]":
    names = [name for name, field in _fields(cls).items() if field.compare]
    return operator.attrgetter(*names) if names else _no_values


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
_filled: dict[type, int] = {}


def _init(self: object, *args: object, **kwargs: object) -> None:
    """Fill one of a class's first instances; then a compiled `__init__` takes this one's place."""
    owner = _owner(self, "__init__", _init)
    count = _filled[owner] = _filled.get(owner, 0) + 1
    if count <= _FILLED_ONE_BY_ONE and _fill(owner, self, args, kwargs):
        return
    # Wrong arguments come here too: the compiled function raises as every function does.
    owner.__init__ = _compile_init(owner)
    owner.__init__(self, *args, **kwargs)


def _fill(cls: type, instance: "Any", args: tuple[object, ...], kwargs: Mapping[str, object]) -> bool:
    """Set every field of a new instance; False if the arguments do not fit."""
    position, named = 0, 0
    for name, field in _fields(cls).items():
        if field.init and position < len(args):
            if name in kwargs:
                return False
            value = args[position]
            position += 1
        elif field.init and name in kwargs:
            value = kwargs[name]
            named += 1
        elif field.default_factory is not _MISSING:
            value = field.default_factory()
        elif not field.init:
            continue
        elif (value := field.default) is _MISSING:
            return False
        object.__setattr__(instance, name, value)
    if position < len(args) or named < len(kwargs):
        return False
    if hasattr(cls, "__post_init__"):
        instance.__post_init__()
    return True


def _compile_init(cls: type) -> "Callable[..., None]":
    """Compile the `__init__` of a class from one assignment for each field."""
    frozen, slots = cls.__setattr__ is _raise_frozen, "__slots__" in cls.__dict__
    parameters, body = ["self"], ["pass"]
    namespace: dict[str, object] = {"_MISSING": _MISSING, "_set": object.__setattr__}
    for name, field in _fields(cls).items():
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
    for name, field in _fields(type(value)).items():
        if field.init and name not in changes:
            changes[name] = getattr(value, name)
    return type(value)(**changes)


class _StandardFields:
    """The descriptor `__dataclass_fields__`: calls the standard library at the first access."""

    def __get__(self, value: object, cls: "Any") -> "dict[str, dataclasses.Field[Any]]":
        import dataclasses

        specs = []
        for name, field in _fields(cls).items():
            arguments = {key: getattr(field, key) for key in _Field.__slots__ if getattr(field, key) is not _MISSING}
            specs.append((name, arguments.pop("annotation"), dataclasses.field(**arguments)))
        standard: Any = dataclasses.make_dataclass(cls.__name__, specs)
        cls.__dataclass_fields__ = fields = standard.__dataclass_fields__
        return dict(fields)


class _MatchArguments:
    """The descriptor `__match_args__`: the names of a class's arguments, for patterns with values in their order."""

    def __get__(self, value: object, cls: type) -> tuple[str, ...]:
        return tuple([name for name, field in _fields(cls).items() if field.init])


# The methods that classes share; some are replaced by a quicker one of the class at their first use.
_CHANGEABLE: dict[str, object] = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": None,
    "__match_args__": _MatchArguments(),
    "__dataclass_fields__": _StandardFields(),
}
_FROZEN = _CHANGEABLE | {
    "__hash__": _hash,
    "__setattr__": _raise_frozen,
    "__delattr__": _raise_frozen,
    "__getstate__": _get_state,
    "__setstate__": _set_state,
}
_ORDERED: dict[str, object] = {"__lt__": _lt, "__le__": _le, "__gt__": _gt, "__ge__": _ge}


def field_names(cls: type) -> tuple[str, ...]:
    """The names of a class's fields, in order."""
    return tuple(_fields(cls))


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    dataclass, field, replace = _dataclass, _FieldSpec, _replace
