"""The markup of a template: each expression, statement and comment, and the one in which an error lies.

Jinja reports the line of an error alone. In a copy of the template that begins a line in each markup, which changes
nothing that is rendered, that line is the place of the markup.
"""

import re
from bisect import bisect_right
from typing import NamedTuple

from runner.lazy_pattern import lazy_pattern

_MARKUP = lazy_pattern(r"\{\{.*?(?:\}\}|\Z)|\{%.*?(?:%\}|\Z)|\{#.*?(?:#\}|\Z)", re.DOTALL)
# Between `raw` and `endraw` braces are text.
_RAW = lazy_pattern(r"\{%[-+]?\s*raw\b.*?(?:\{%[-+]?\s*endraw\b|\Z)", re.DOTALL)
_OPENING = lazy_pattern(r"\{[{%#][-+]?")
_TAG = lazy_pattern(r"\{%[-+]?\s*(\w+)\s*(.*)", re.DOTALL)
# Statements that need an `end…`.
_BLOCKS = frozenset(("if", "for", "macro", "call", "filter", "set", "with", "block", "autoescape"))


class Span(NamedTuple):
    """A part of a template: the offset of its first character, and its width."""

    at: int
    width: int


def markup_spans(text: str) -> list[Span]:
    """Every markup of a template that Jinja reads, in order; an unclosed one goes on to the end of the text."""
    spans = []
    position = 0
    while match := _MARKUP.search(text, position):
        raw = _RAW.match(text, match.start())
        spans.append(Span(match.start(), match.end() - match.start()))
        position = raw.end() if raw else match.end()
    return spans


def locating_copy(text: str) -> str:
    """The same template with a line end behind each opening delimiter."""
    parts: list[str] = []
    end = 0
    for span in markup_spans(text):
        opening = _OPENING.match(text, span.at)
        start = opening.end() if opening else span.at
        parts += (text[end:start], "\n")
        end = start
    parts.append(text[end:])
    return "".join(parts)


def markup_at(text: str, line: int) -> Span:
    """The markup in which a line of the copy lies; the whole first line of a template without markup before it."""
    spans = markup_spans(text)
    # The n-th line end that was inserted begins line (line ends before the markup) + n + 1 of the copy.
    lines = [text.count("\n", 0, span.at) + number + 2 for number, span in enumerate(spans)]
    index = bisect_right(lines, line) - 1
    if index < 0:
        return spans[0] if spans else Span(0, len(text.split("\n")[0]))
    return spans[index]


def unclosed_block(text: str) -> Span | None:
    """The innermost statement that opens a block and is not closed, such as `{% if … %}`."""
    opened: list[tuple[str, Span]] = []
    for span in markup_spans(text):
        tag = _TAG.match(text, span.at, span.at + span.width)
        if tag is None:
            continue
        name, rest = tag[1], tag[2]
        # `set x = 1` needs no end, `set x` does; so does `set x | upper`.
        if name in _BLOCKS and not (name == "set" and re.match(r"[^|]*=", rest)):
            opened.append((name, span))
        elif name.startswith("end") and opened:
            opened.pop()
    return opened[-1][1] if opened else None


def first_line(text: str, span: Span) -> Span:
    """The part of a span on its first line, which a message marks."""
    return Span(span.at, max(1, len(text[span.at : span.at + span.width].split("\n")[0].rstrip())))


def name_span(text: str, name: str, inside: Span) -> Span | None:
    """The place of a name in a markup, where it is no key, no attribute and no text in quotes."""
    word = re.compile(rf"(?<![\w.'\"]){re.escape(name)}(?![\w'\"])")
    match = word.search(text, inside.at, inside.at + inside.width)
    return Span(match.start(), len(name)) if match else None


def filter_span(text: str, name: str, inside: Span) -> Span | None:
    """The place of the name of a filter or of a test in a markup."""
    use = re.compile(rf"(?:\||\bfilter|\bis(?:\s+not)?)\s*({re.escape(name)})(?!\w)")
    match = use.search(text, inside.at, inside.at + inside.width)
    return Span(match.start(1), len(name)) if match else None
