"""Templates that are read without Jinja: text, variables with filters of text, and conditions on variables.

Jinja's import and its compiler cost more than the rest of a film of 300 shots. What is not plainly one of these, and
whatever goes wrong while one is rendered, is left to Jinja.
"""

import re
from collections.abc import Callable, Mapping

from runner.language.templates.environment import MAX_SOURCE, slug, text_of
from runner.language.templates.scope import RESERVED, TEMPLATE_START, Choice, Expression, Piece, Template
from runner.language.yaml.document import Value
from runner.lazy_pattern import lazy_pattern

# No brackets, calls and arguments: their errors and their limits are Jinja's matter.
_EXPRESSION = lazy_pattern(r"\{\{[ \t]*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*((?:\|[ \t]*[a-z]+[ \t]*)*)\}\}")
# Without `-` and `+` at its end, by which Jinja takes away or keeps the blanks around.
_STATEMENT = lazy_pattern(r"\{%[ \t]*(?:(if|elif)[ \t]([^{}%\n]*[^{}%\n+-])|(else|endif)[ \t]*)%\}(\n?)")
_WORD = lazy_pattern(
    r"[ \t]*(?:(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<equal>[=!]=)|(?P<text>\"[^\"\\]*\"|'[^'\\]*'))[ \t]*"
)
# Filters of text without arguments, which Jinja carries out by the same functions.
_FILTERS: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "lower": str.lower,
    "upper": str.upper,
    "capitalize": str.capitalize,
    "slug": slug,
}
# Names that mean something to Jinja though no variable has them.
_NAMES_OF_JINJA = RESERVED | {"caller", "kwargs", "loop", "range", "self", "varargs"}
# Blocks in one another, and words of a condition: more of them could exhaust the stack.
_MAX_DEPTH = 20
_MAX_WORDS = 30

Test = Callable[[Mapping[str, Value]], Value]


class _NotSimple(Exception):  # noqa: N818 - caught in this module
    """A template or a value that only Jinja can judge."""


def parse_simple(text: str) -> Template | None:
    """A template of text and variables; None for any other one."""
    parts: list[str | Expression] = []
    names: set[str] = set()
    end = 0
    for match in _EXPRESSION.finditer(text):
        expression = _expression(match, RESERVED)
        if expression is None:
            return None
        parts += (text[end : match.start()], expression)
        names.add(expression.names[0])
        end = match.end()
    parts.append(text[end:])
    if any(isinstance(part, str) and TEMPLATE_START.search(part) for part in parts):
        return None
    return Template(text, tuple(part for part in parts if part), frozenset(names))


def parse_conditional(text: str) -> Template | None:
    """A template of text, variables and `{% if … %}` on variables; None for any other one."""
    # Jinja makes one line feed of each line end.
    if len(text) > MAX_SOURCE or "\r" in text:
        return None
    try:
        reader = _TemplateReader(text)
        pieces = reader.pieces(0, ())
    except _NotSimple:
        return None
    return Template(text, None, frozenset(reader.names), pieces=pieces)


def render_conditional(pieces: tuple[Piece, ...], values: Mapping[str, Value]) -> str | None:
    """The text of a template with conditions; None if a value is missing, or is no text."""
    rendered: list[str] = []
    try:
        _render(pieces, values, rendered)
    except _NotSimple:
        return None
    return "".join(rendered)


def _expression(match: re.Match[str], reserved: frozenset[str]) -> Expression | None:
    path = tuple(match[1].split("."))
    filters = [name.strip() for name in match[2].split("|")[1:]]
    if path[0] in reserved or any(name not in _FILTERS for name in filters):
        return None
    functions = tuple(_FILTERS[name] for name in filters)
    single_name = path[0] if len(path) == 1 else ""
    return Expression(path, functions, match.start(), match.end() - match.start(), single_name)


class _TemplateReader:
    """The reader of a template from left to right, as Jinja with `trim_blocks` and `lstrip_blocks`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self.at = 0
        self.begins_line = True
        self.statement: tuple[str, str] = ("", "")
        """The statement that ended the last pieces, and its condition."""

    def pieces(self, depth: int, ends: tuple[str, ...]) -> tuple[Piece, ...]:
        """The pieces up to a statement of `ends`; without them up to the end of the text. Raises _NotSimple."""
        read: list[Piece] = []
        while markup := TEMPLATE_START.search(self.text, self.at):
            between = self.text[self.at : markup.start()]
            if (match := _EXPRESSION.match(self.text, markup.start())) is not None:
                read += (between, self._variable(match))
                self.at, self.begins_line = match.end(), False
                continue
            read.append(self._without_indentation(between))
            word = self._next_statement(markup.start())
            if word in ends:
                return tuple(piece for piece in read if piece)
            if word != "if" or depth == _MAX_DEPTH:
                raise _NotSimple
            read.append(self._choice(depth + 1))
        if ends:
            raise _NotSimple
        return tuple(piece for piece in (*read, self.text[self.at :]) if piece)

    def _variable(self, match: re.Match[str]) -> Expression:
        expression = _expression(match, _NAMES_OF_JINJA)
        if expression is None:
            raise _NotSimple
        self.names.add(expression.names[0])
        return expression

    def _next_statement(self, at: int) -> str:
        """The word of the statement at a place, which is read; its text begins behind the previous one."""
        match = _STATEMENT.match(self.text, at)
        if match is None:
            raise _NotSimple
        self.statement = (match[1] or match[3], match[2] or "")
        self.at, self.begins_line = match.end(), bool(match[4])
        return self.statement[0]

    def _without_indentation(self, between: str) -> str:
        """The text before a statement, without the blanks of a line that begins with it."""
        before, line_end, blanks = between.rpartition("\n")
        return before + line_end if blanks.isspace() and (line_end or self.begins_line) else between

    def _choice(self, depth: int) -> Choice:
        branches: list[tuple[Test | None, tuple[Piece, ...]]] = []
        word, condition = self.statement
        while word != "endif":
            test = None if word == "else" else _Condition(condition, self.names).whole()
            branches.append((test, self.pieces(depth, ("endif",) if test is None else ("elif", "else", "endif"))))
            word, condition = self.statement
        return Choice(tuple(branches))


class _Condition:
    """The reader of a condition: names, texts, `==`, `!=`, `is defined`, `not`, `and`, `or`."""

    def __init__(self, text: str, names: set[str]) -> None:
        self.words: list[tuple[str, str]] = []
        self.names = names
        at = 0
        while at < len(text):
            match = _WORD.match(text, at)
            if match is None:
                raise _NotSimple
            self.words.append((str(match.lastgroup), match[0].strip()))
            at = match.end()
        if len(self.words) > _MAX_WORDS:
            raise _NotSimple
        self.at = 0

    def whole(self) -> Test:
        """The test of the whole condition. Raises _NotSimple."""
        test = self._alternatives()
        if self.at < len(self.words):
            raise _NotSimple
        return test

    def _alternatives(self) -> Test:
        test = self._conjunction()
        while self._takes("or"):
            test = _either(test, self._conjunction())
        return test

    def _conjunction(self) -> Test:
        test = self._negation()
        while self._takes("and"):
            test = _both(test, self._negation())
        return test

    def _negation(self) -> Test:
        if self._takes("not"):
            test = self._negation()
            return lambda values: not test(values)
        return self._comparison()

    def _comparison(self) -> Test:
        kind, word = self._next()
        left = self._operand(kind, word)
        if self._takes("is"):
            negated = self._takes("not")
            # Whether a key is defined depends on what holds it: Jinja's to answer.
            if kind != "name" or "." in word or not self._takes("defined"):
                raise _NotSimple
            return lambda values: (word in values) is not negated
        if self.at == len(self.words) or self.words[self.at][0] != "equal":
            return left
        equal = self._next()[1] == "=="
        right = self._operand(*self._next())
        # `a == b == c` compares in a chain.
        if self.at < len(self.words) and self.words[self.at][0] == "equal":
            raise _NotSimple
        return lambda values: (left(values) == right(values)) is equal

    def _operand(self, kind: str, word: str) -> Test:
        if kind == "text":
            text = word[1:-1]
            return lambda values: text
        path = tuple(word.split("."))
        if kind != "name" or path[0] in _NAMES_OF_JINJA or path[0] == "defined":
            raise _NotSimple
        self.names.add(path[0])
        return lambda values: _value_at(path, values)

    def _next(self) -> tuple[str, str]:
        if self.at == len(self.words):
            raise _NotSimple
        self.at += 1
        return self.words[self.at - 1]

    def _takes(self, word: str) -> bool:
        """Read the next word if it is this one; whether it was."""
        is_next = self.at < len(self.words) and self.words[self.at] == ("name", word)
        self.at += is_next
        return is_next


def _either(left: Test, right: Test) -> Test:
    return lambda values: left(values) or right(values)


def _both(left: Test, right: Test) -> Test:
    return lambda values: left(values) and right(values)


def _value_at(path: tuple[str, ...], values: Mapping[str, Value]) -> Value:
    """The value that a name with keys stands for. Raises _NotSimple for none, and for a method of a mapping."""
    if path[0] not in values:
        raise _NotSimple
    value = values[path[0]]
    for key in path[1:]:
        # `m.items` is the method of a mapping to Jinja, although a key may have that name.
        if not isinstance(value, dict) or key not in value or hasattr(dict, key):
            raise _NotSimple
        value = value[key]
    return value


def _text_at(path: tuple[str, ...], values: Mapping[str, Value]) -> str:
    """The text of a value. Raises _NotSimple for none, and for one that is no text."""
    value = _value_at(path, values)
    if not isinstance(value, str | bool | int | float):
        raise _NotSimple
    return text_of(value)


def _render(pieces: tuple[Piece, ...], values: Mapping[str, Value], rendered: list[str]) -> None:
    for piece in pieces:
        if type(piece) is str:
            rendered.append(piece)
        elif type(piece) is Expression:
            value = values.get(piece.single_name)
            text = value if type(value) is str else _text_at(piece.names, values)
            for apply_filter in piece.filters:
                text = apply_filter(text)
            rendered.append(text)
        elif type(piece) is Choice:
            for test, inner in piece.branches:
                if test is None or test(values):
                    _render(inner, values, rendered)
                    break
