"""Jinja2 as storyboards may use it: sandboxed, strict, plain values, allow-listed filters, no globals but `range`."""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_OUTPUT = 100_000
MAX_SOURCE = 16_384
MAX_RANGE = 1_000
# Linear in what they are given, so that a template of them alone cannot run away.
_LINEAR = """
    abs capitalize count d default first float int items last length lower reverse round slug string title trim upper
"""
_OTHERS = """
    dictsort join list map max min reject rejectattr replace select selectattr sort sum truncate unique wordcount
"""
_NODES = """
    And Compare CondExpr Const Dict Filter Getattr Getitem If Keyword List Name Neg Not Operand Or Output Pair
    Template TemplateData Test Tuple
"""
IN_PLACE = frozenset(_LINEAR.split())
KNOWN = IN_PLACE | frozenset(_OTHERS.split())
NODES_IN_PLACE = frozenset(_NODES.split())


def text_of(value: object) -> str:
    """A scalar as YAML writes it: `true`, `6`, `0.5`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def slug(value: object) -> str:
    """The filter `slug`: `16:9` becomes `16-9`, `佩鲁贾` becomes `pei-lu-jia`."""
    text = text_of(value)
    return text.lower() if text.isascii() and text.isalnum() else _slugify()(text)


@cache
def _slugify() -> Callable[[str], str]:
    """python-slugify with its own table: where Unidecode is installed too, the package would give other ids."""
    import unicodedata

    import text_unidecode
    from slugify import slugify

    def made(text: str) -> str:
        return slugify(text_unidecode.unidecode(unicodedata.normalize("NFC", text)))

    return made


class NotText(Exception):  # noqa: N818 - becomes a problem in `template`
    """A template put something in the text that is none: null, a list, a mapping."""

    def __init__(self, value: object) -> None:
        super().__init__("null" if value is None else "a mapping" if isinstance(value, dict) else "a list")
        self.value = value


def finalize(value: Any) -> Any:
    """What an expression puts in the text."""
    if value is None or isinstance(value, list | tuple | dict):
        raise NotText(value)
    return text_of(value) if isinstance(value, bool | int | float) else value


def _range(*limits: int) -> range:
    made = range(*limits)
    if len(made) > MAX_RANGE:
        raise ValueError(f"range() gives at most {MAX_RANGE:,} numbers, and here it would give {len(made):,}")
    return made


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
        loader=FunctionLoader(lambda name: _named(name, load(name))),
        autoescape=False,
        auto_reload=False,
    )
    made.globals = {"range": _range}
    made.filters = {name: made.filters[name] for name in KNOWN - {"slug"}}
    made.filters |= {"slug": slug, "string": finalize, "join": _join}
    made.filters["truncate"] = partial(_truncate, made)
    return made


def _named(name: str, text: str | None) -> tuple[str, str, None] | None:
    """What Jinja wants of a loader, with the name as the file's, so that errors tell it."""
    return None if text is None else (text, name, None)


def _join(values: Any, between: str = "") -> str:
    """The filter `join`, with scalars as YAML writes them."""
    return str(between).join(str(finalize(value)) for value in values)


def _truncate(made: Any, text: str, length: int = 255, killwords: bool = False, end: str = "…") -> str:
    from jinja2.filters import do_truncate

    return do_truncate(made, text, length, killwords, end, leeway=0)


def in_place(tree: "nodes.Template") -> bool:
    """Is a template only text, names, attributes, items, conditions, tests and linear filters."""
    from jinja2 import nodes

    waiting: list[nodes.Node] = [tree]
    while waiting:
        node = waiting.pop()
        if type(node).__name__ not in NODES_IN_PLACE:
            return False
        if isinstance(node, nodes.Filter) and node.name not in IN_PLACE:
            return False
        waiting.extend(node.iter_child_nodes())
    return True


def where(error: BaseException) -> tuple[str | None, int]:
    """The template (None: the text itself) and the line in which an exception was raised."""
    name: str | None = None
    line = 1
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            name, line = (None if file == "<template>" else file), trace.tb_lineno
        trace = trace.tb_next
    return name, line
