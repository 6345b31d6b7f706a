"""The Jinja2 environment of storyboards: sandboxed, strict, plain values, listed filters, no globals but `range`."""

from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_OUTPUT = 100_000
MAX_SOURCE = 16_384
MAX_RANGE = 1_000
"""Characters of a result and of a template, items of a range: a shared file must not fill the memory."""
# Filters whose cost is linear in their input, so that a template of them alone cannot run away.
_LINEAR_FILTERS = """
    abs capitalize count d default first float int items last length lower reverse round slug string title trim upper
"""
# Filters that can make much of little, such as `replace` and `join`: a template with one goes to the worker.
_OTHER_FILTERS = """
    dictsort join list map max min reject rejectattr replace select selectattr sort sum truncate unique wordcount
"""
# Jinja's nodes without loops, assignments, calls and arithmetic: their cost is that of their text.
_NODES = """
    And Compare CondExpr Const Dict Filter Getattr Getitem If Keyword List Name Neg Not Operand Or Output Pair
    Template TemplateData Test Tuple
"""
# Filters that take null as the word None, with which no prompt may be sent.
_TEXT_FILTERS = "capitalize lower replace slug title trim truncate upper wordcount"
# Filters that return a generator in Jinja, whose text would be an address in memory: another one in each run.
_LIST_FILTERS = "items map reject rejectattr reverse select selectattr unique"
INLINE_FILTERS = frozenset(_LINEAR_FILTERS.split())
ALLOWED_FILTERS = INLINE_FILTERS | frozenset(_OTHER_FILTERS.split())
INLINE_NODES = frozenset(_NODES.split())


def text_of(value: object) -> str:
    """A scalar as YAML writes it: `true`, `6`, `0.5`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def slug(value: object) -> str:
    """The filter `slug`: `16:9` becomes `16-9`, `佩鲁贾` becomes `pei-lu-jia`."""
    text = text_of(value)
    # What python-slugify answers for such a text, without its import.
    return text.lower() if text.isascii() and text.isalnum() else _slugify()(text)


@cache
def _slugify() -> Callable[[str], str]:
    """python-slugify with the table of text-unidecode, so that ids do not depend on Unidecode being installed."""
    import unicodedata

    import text_unidecode
    from slugify import slugify

    def transliterated_slug(text: str) -> str:
        # Composed first: an ã in two characters must give the same id, and so the same files.
        return slugify(text_unidecode.unidecode(unicodedata.normalize("NFC", text)))

    return transliterated_slug


class NotRenderable(Exception):  # noqa: N818 - becomes a problem in `template`
    """A template puts a value in the text that is not text: null, a list, a mapping."""

    def __init__(self, value: object) -> None:
        is_list = isinstance(value, list | tuple | range | KeysView | ValuesView | ItemsView)
        label = "a list" if is_list else "a mapping" if isinstance(value, dict) else "a part of the template language"
        super().__init__("null" if value is None else label)
        self.value = value


def finalize(value: Any) -> Any:
    """The text of an expression's value. An undefined value passes, and raises when Jinja writes it."""
    # Jinja's undefined value is known by its method, since most templates are rendered without Jinja's import.
    if isinstance(value, str) or hasattr(value, "_fail_with_undefined_error"):
        return value
    if isinstance(value, bool | int | float):
        return text_of(value)
    raise NotRenderable(value)


class _OpaqueMethod:
    """A method in a template: it can be called, but not written, since its text would be a memory address."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        raise NotRenderable(self)


def _refuses_null(text_filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of text that refuses null instead of using the word None."""
    text_index = 1 if hasattr(text_filter, "jinja_pass_arg") else 0

    @wraps(text_filter)
    def checked_filter(*args: Any, **kwargs: Any) -> Any:
        return text_filter(*args[:text_index], finalize(args[text_index]), *args[text_index + 1 :], **kwargs)

    return checked_filter


def _as_list(lazy_filter: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that returns a list where Jinja's returns a generator."""

    @wraps(lazy_filter)
    def list_filter(*args: Any, **kwargs: Any) -> Any:
        result = lazy_filter(*args, **kwargs)
        return list(result) if isinstance(result, Iterator) else result

    return list_filter


def _range(*limits: int) -> range:
    numbers = range(*limits)
    if len(numbers) > MAX_RANGE:
        raise ValueError(f"range() is limited to {MAX_RANGE:,} numbers, and this one has {len(numbers):,}")
    return numbers


def environment(load: Callable[[str], str | None]) -> "ImmutableSandboxedEnvironment":
    """An environment that loads the files of `{% include %}` by `load`."""
    from jinja2 import FunctionLoader, StrictUndefined

    jinja = _sandbox()(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        finalize=finalize,
        loader=FunctionLoader(lambda name: _loader_result(name, load(name))),
        # A prompt is no HTML: an & would be sent as &amp;.
        autoescape=False,
        auto_reload=False,
    )
    jinja.globals = {"range": _range}
    jinja.filters = {name: jinja.filters[name] for name in ALLOWED_FILTERS - {"slug"}}
    jinja.filters |= {"slug": slug, "string": finalize, "join": _join, "truncate": partial(_truncate, jinja)}
    jinja.filters |= {name: _refuses_null(jinja.filters[name]) for name in _TEXT_FILTERS.split()}
    jinja.filters |= {name: _as_list(jinja.filters[name]) for name in _LIST_FILTERS.split()}
    return jinja


@cache
def _sandbox() -> "type[ImmutableSandboxedEnvironment]":
    """Jinja's sandbox, restricted so that a template can write text and numbers only."""
    from jinja2 import nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.visitor import NodeTransformer

    class Joined(NodeTransformer):
        """The rewriter of `a ~ b` as `[a, b] | join`, so that `~` is checked like every other expression."""

        def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - named by Jinja
            parts = nodes.List([self.visit(part) for part in node.nodes], lineno=node.lineno)
            return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)

    class Sandbox(ImmutableSandboxedEnvironment):
        def getattr(self, obj: Any, attribute: str) -> Any:
            value = super().getattr(obj, attribute)
            return _OpaqueMethod(value) if callable(value) and not isinstance(value, self.undefined) else value

        def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
            return super()._generate(Joined().visit(source), *args, **kwargs)

    return Sandbox


def _loader_result(name: str, text: str | None) -> tuple[str, str, None] | None:
    """The tuple that Jinja expects of a loader, with the name as file name, so that errors show it."""
    return None if text is None else (text, name, None)


def _join(values: Any, separator: str = "") -> str:
    """The filter `join`, which writes scalars as YAML does."""
    return str(separator).join(str(finalize(value)) for value in values)


def _truncate(jinja: Any, text: str, length: int = 255, killwords: bool = False, end: str = "…") -> str:
    from jinja2.filters import do_truncate

    # Without Jinja's leeway of 5: a text of `truncate(20)` has 20 characters at most.
    return do_truncate(jinja, text, length, killwords, end, leeway=0)


def runs_inline(tree: "nodes.Template") -> bool:
    """Whether a template consists of text, names, attributes, items, conditions, tests and linear filters alone."""
    from jinja2 import nodes

    pending: list[nodes.Node] = [tree]
    while pending:
        node = pending.pop()
        if type(node).__name__ not in INLINE_NODES:
            return False
        if isinstance(node, nodes.Filter) and node.name not in INLINE_FILTERS:
            return False
        pending.extend(node.iter_child_nodes())
    return True


def error_location(error: BaseException) -> tuple[str | None, int]:
    """The template (None: the text itself) and the line that raised an exception."""
    name: str | None = None
    line = 1
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        # Jinja puts this name into the frames whose lines are those of the template.
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            name, line = (None if file == "<template>" else file), trace.tb_lineno
        trace = trace.tb_next
    return name, line
