"""Lazy named tuples: as `typing.NamedTuple` to their users, but `__new__` is generated for a class of many values only.

`typing.NamedTuple` compiles a function for every class at import, and checks each annotation: 670,000 instructions for
a class of four fields, where one of these takes 120,000 (Python 3.11, callgrind). A command has twenty to thirty.
"""

import sys

# What `collections.namedtuple` makes its fields of: twice as fast to read as a property.
from collections import _tuplegetter  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

# Values of a class that are built without a function of its own.
_BUILT_ONE_BY_ONE = 8
_built: "dict[type, int]" = {}


def _new(cls: "Any", /, *args: object, **kwargs: object) -> "Any":
    """A value of a class that has few yet; the next ones come from a compiled `__new__`."""
    count = _built[cls] = _built.get(cls, 0) + 1
    if count <= _BUILT_ONE_BY_ONE:
        values = args if len(args) == len(cls._fields) and not kwargs else _in_order(cls, args, kwargs)
        if values is not None:
            return tuple.__new__(cls, values)
    # Wrong arguments come here too: the compiled function raises as every function does.
    cls.__new__ = _compile_new(cls)
    return cls.__new__(cls, *args, **kwargs)


def _in_order(cls: "Any", args: tuple[object, ...], kwargs: "Mapping[str, object]") -> "list[object] | None":
    """The values of all fields in order; None if the arguments do not fit."""
    fields = cls._fields
    arguments = {**dict(zip(fields, args, strict=False)), **kwargs}
    if len(arguments) < len(args) + len(kwargs):
        return None
    values = cls._field_defaults | arguments
    return [values[name] for name in fields] if values.keys() == set(fields) else None


def _compile_new(cls: "Any") -> "Callable[..., Any]":
    names, defaults = ", ".join(cls._fields), cls._field_defaults
    # The text contains nothing but field names, which are Python identifiers.
    new: Any = eval(  # noqa: S307
        f"lambda _cls, {names}: _new(_cls, ({names},))", {"_new": tuple.__new__, "__name__": cls.__module__}
    )
    new.__name__, new.__qualname__ = "__new__", f"{cls.__qualname__}.__new__"
    new.__defaults__ = tuple(defaults.values())
    return new  # type: ignore[no-any-return]


def _repr(self: "Any") -> str:
    values = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
    return f"{type(self).__name__}({values})"


def _replace(self: "Any", /, **changes: object) -> "Any":
    value = self._make(map(changes.pop, self._fields, self))
    if changes:
        raise ValueError(f"{type(self).__name__} has no field {', '.join(map(repr, changes))}")
    return value


def _make(cls: "Any", values: "Iterable[object]") -> "Any":
    value = tuple.__new__(cls, values)
    if len(value) != len(cls._fields):
        raise TypeError(f"{cls.__name__} has {len(cls._fields)} fields, not {len(value)}")
    return value


def _as_dict(self: "Any") -> "dict[str, Any]":
    return dict(zip(self._fields, self, strict=True))


_METHODS = {
    "__slots__": (),
    "__new__": _new,
    "__repr__": _repr,
    "__getnewargs__": lambda self: tuple(self),
    "_replace": _replace,
    "_make": classmethod(_make),
    "_asdict": _as_dict,
}


class _NamedTupleType(type):
    """Makes a named tuple of a class statement."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: "dict[str, Any]") -> type:
        fields = tuple(namespace["__annotations__"])
        methods = _METHODS | namespace
        methods["_fields"] = methods["__match_args__"] = fields
        methods["_field_defaults"] = {field: namespace[field] for field in fields if field in namespace}
        for index, field in enumerate(fields):
            methods[field] = _field_at(index)
        return type(name, (tuple,), methods)


_fields_by_index: "list[Any]" = []


def _field_at(index: int) -> "Any":
    """The descriptor of a field; classes share them, since it knows nothing but the field's number."""
    while index >= len(_fields_by_index):
        _fields_by_index.append(_tuplegetter(len(_fields_by_index), "A field of a named tuple."))
    return _fields_by_index[index]


if TYPE_CHECKING or sys.version_info >= (3, 14):
    # Python 3.14 has a function in place of a class's annotations: there typing's own is used.
    from typing import NamedTuple as NamedTuple
else:

    class NamedTuple:
        """The base that is written in a class statement."""

        @staticmethod
        def __mro_entries__(bases: tuple[object, ...]) -> tuple[type, ...]:
            return (_BASE,)

    NamedTuple = NamedTuple()
    _BASE = type.__new__(_NamedTupleType, "NamedTuple", (), {})
