"""Jinja2 as storyboards may use it: sandboxed, strict, plain values, allow-listed filters, no globals."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_OUTPUT = 100_000
MAX_SOURCE = 65_536
# linear in what they are given, so that a template of them alone cannot run away
IN_PLACE = frozenset(
    ["abs", "capitalize", "count", "d", "default", "first", "float", "int", "items", "last", "length", "lower", "reverse", "round", "slug", "string", "title", "trim", "upper"]
)
IN_WORKER = IN_PLACE | frozenset(
    ["dictsort", "join", "list", "map", "max", "min", "reject", "rejectattr", "replace", "select", "selectattr", "sort", "sum", "truncate", "unique", "wordcount"]
)
NODES_IN_PLACE = frozenset(
    ["And", "Compare", "CondExpr", "Const", "Dict", "Filter", "Getattr", "Getitem", "If", "Keyword", "List", "Name", "Neg", "Not", "Operand", "Or", "Output", "Pair", "Template", "TemplateData", "Test", "Tuple"]
)


def text_of(value: object) -> str:
    """A scalar as YAML writes it: `true`, `6`, `0.5`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def slug(value: object) -> str:
    """The filter `slug`: `16:9` becomes `16-9`, `佩鲁贾` becomes `pei-lu-jia`."""
    text = text_of(value)
    if text.isascii() and text.isalnum():
        return text.lower()
    return _slugify()(text)


@cache
def _slugify() -> Callable[[str], str]:
    from functools import partial

    import slugify as package
    from slugify import slugify

    # "auto" in the package means whichever transliteration is installed; ours must give the same id everywhere.
    assert package is not None
    return partial(slugify, allow_unicode=False)


class NotText(Exception):  # noqa: N818 - becomes a problem in `template`
    """A template put something in the text that is none: null, a list, a mapping."""

    def __init__(self, value: object) -> None:
        super().__init__(type(value).__name__)
        self.value = value


def finalize(value: Any) -> Any:
    """What an expression puts in the text."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, list | tuple | dict):
        raise NotText(value)
    return text_of(value) if isinstance(value, bool | int | float) else value


def environment(load: Callable[[str], str | None]) -> "ImmutableSandboxedEnvironment":
    """An environment that finds `{% include %}`d text by `load`."""
    from jinja2 import FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    made = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=finalize,
        loader=FunctionLoader(load),
        autoescape=False,
        cache_size=400,
        auto_reload=False,
    )
    made.globals.clear()
    made.filters = {name: made.filters[name] for name in IN_WORKER - {"slug"}}
    made.filters["slug"] = slug
    return made
