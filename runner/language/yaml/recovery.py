"""Translates libyaml's errors to problems with a repaired line, and repairs the text so that parsing can go on."""

import re

from runner.diagnostics.problem import Problem
from runner.language.yaml.document import Source
from runner.language.yaml.libyaml import MarkedYAMLError, YAMLError
from runner.lazy_pattern import lazy_pattern

# A key with a value, or an item, on one line: only such a line can be written anew by itself.
_PAIR = lazy_pattern(
    r"(?P<head>[ \t]*(?:- +)*(?P<key>[^\s'\"#{}\[\],&*!|>%@`-][^#:\n]*?|\"[^\"\n]*\"|'[^'\n]*'):[ \t]+)(?P<value>\S.*)"
)
_ITEM = lazy_pattern(r"(?P<head>[ \t]*(?:- +)+)(?P<value>\S.*)")
_COMMENT = lazy_pattern(r"(?<=\s)#(?:\s.*)?$")
# Characters of a mended line: a longer one nobody compares with his own.
_MAX_HINT = 2_000
_BREAK = lazy_pattern(r"\r\n|\n|\r")


def rewrite(source: Source, number: int, line: str) -> Source | None:
    """The text with a line replaced; None when that line was rewritten before, so that repairing ends."""
    if number in source.rewritten:
        return None
    start, old = source.starts[number - 1], source.line(number)
    if not line and source.text[start - 1 : start] == "\r":
        line = " "  # or the two line ends around it would be one
    text = source.text[:start] + line + source.text[start + len(old) :]
    return Source(source.name, text, source.original or source, source.rewritten | {number})


def is_skipped_line(source: Source, number: int) -> bool:
    """Whether a line was blanked because it could not be parsed."""
    return number in source.rewritten and not source.line(number).strip()


def quoted(text: str) -> str:
    """Text as a quoted YAML scalar: in double quotes, or in single ones when the text has double quotes in it."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def translate(source: Source, error: YAMLError) -> tuple[Problem, Source | None]:
    """The problem behind an error of libyaml, and the repaired text to parse next; None when no repair is possible."""
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        return Problem("yaml-syntax", source.place(0), "this is not valid YAML"), None
    at = min(error.problem_mark.index, len(source.text))
    number, _ = source.line_column(at)
    # The surest cause first: a tab or text behind a quote also upsets what the later ones look at.
    for diagnose in (_tab_in_indentation, _text_after_quote, _unquoted_indicator, _unquoted_colon, _unclosed_bracket):
        diagnosis = diagnose(source, number, at, error)
        if diagnosis is None:
            continue
        problem, rewritten = diagnosis
        if rewritten is not None and (repaired := rewrite(source, *rewritten)) is not None:
            return problem, repaired
    problem, rewritten = _other_error(source, at, error)
    return problem, rewrite(source, *rewritten) if rewritten and source.line(rewritten[0]).strip() else None


Diagnosis = tuple[Problem, tuple[int, str] | None]


def _split_line(line: str) -> tuple[str, str] | None:
    match = _PAIR.fullmatch(line) or _ITEM.fullmatch(line)
    return (match["head"], match["value"]) if match else None


def _repair_hint(line: str) -> str:
    return f"write:\n{line}" if len(line) <= _MAX_HINT else ""


def _without_comment(value: str) -> str:
    match = _COMMENT.search(value)
    return value[: match.start()].rstrip() if match else value


def _indent_above(source: Source, number: int) -> int:
    """The indentation of the fields in the nearest line above that is neither blank nor a comment."""
    for line_number in range(number - 1, 0, -1):
        line = source.line(line_number)
        if line.strip() and not line.lstrip().startswith("#"):
            return len(line) - len(line.lstrip(" -"))
    return 0


def _tab_in_indentation(source: Source, number: int, at: int, error: MarkedYAMLError) -> Diagnosis | None:
    line = source.line(number)
    blanks = line[: len(line) - len(line.lstrip())]
    if "\t" not in blanks:
        return None
    start = source.starts[number - 1] + blanks.index("\t")
    repaired = " " * _indent_above(source, number) + line.lstrip()
    message = "the indentation has a tab; YAML allows only spaces"
    return Problem("yaml-tab", source.place(start), message, _repair_hint(repaired)), (number, repaired)


def _text_after_quote(source: Source, number: int, at: int, error: MarkedYAMLError) -> Diagnosis | None:
    line = source.line(number)
    parts = _split_line(line)
    if parts is None or parts[1][0] not in "\"'":
        return None
    head, value = parts
    quoted_text = re.match(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"", value)
    if quoted_text is None or quoted_text.end() == len(value) or not _without_comment(value[quoted_text.end() :]):
        return None
    rest = _without_comment(value)
    repaired = head + quoted(rest)
    start = source.starts[number - 1] + len(head) + quoted_text.end()
    start += len(value[quoted_text.end() :]) - len(value[quoted_text.end() :].lstrip())
    message = "there is text after the closing quote"
    return Problem("yaml-quote", source.place(start), message, _repair_hint(repaired)), (number, repaired)


def _unquoted_indicator(source: Source, number: int, at: int, error: MarkedYAMLError) -> Diagnosis | None:
    # libyaml notices an alias, an anchor, a tag or a block of text one line late.
    for candidate in (number, number - 1):
        if candidate < 1:
            continue
        line = source.line(candidate)
        parts = _split_line(line)
        if parts is None or parts[1][0] not in "@{[*&!%-|>`,?":
            continue
        head, value = parts
        start = source.starts[candidate - 1] + len(head)
        if value[0] in "{[" and not _broken_flow(value):
            continue
        if candidate != number and value[0] not in "*&!|>":
            continue
        rest = _without_comment(value)
        repaired = head + quoted(rest)
        meaning = _INDICATORS.get(value[0], "has a meaning of its own in YAML")
        message = f"text cannot begin with {value[0]} without quotes: {meaning}"
        return Problem("yaml-indicator", source.place(start), message, _repair_hint(repaired)), (candidate, repaired)
    return None


_INDICATORS = {
    "@": "YAML reserves this character",
    "`": "YAML reserves this character",
    "{": "it opens a mapping",
    "[": "it opens a list",
    "*": "it begins an alias",
    "&": "it begins an anchor",
    "!": "it begins a tag",
    "%": "it begins a directive",
    "-": "it begins an item of a list",
    "|": "it opens a block of text, which begins in the next line",
    ">": "it opens a block of text, which begins in the next line",
    "?": "it begins a key",
}


def _broken_flow(value: str) -> bool:
    """Whether text follows the end of a flow mapping or list, as in `{{ name }} walks` and `[Aside] text`."""
    # A template without quotes, which YAML reads as a mapping in a mapping.
    if value.startswith(("{{", "{%")):
        return True
    closing = "}" if value[0] == "{" else "]"
    end = value.rfind(closing)
    return end >= 0 and bool(_without_comment(value[end + 1 :]).strip(" ,}]"))


def _unquoted_colon(source: Source, number: int, at: int, error: MarkedYAMLError) -> Diagnosis | None:
    if "mapping values are not allowed" not in (error.problem or ""):
        return None
    line = source.line(number)
    parts = _split_line(line)
    column = at - source.starts[number - 1]
    if parts is None or column < len(parts[0]):
        message = "this line is indented as if it belonged to the value above it"
        repaired = " " * _indent_above(source, number) + line.lstrip()
        start = source.starts[number - 1] + len(line) - len(line.lstrip())
        width = len(parts[0].strip()) if parts else 1
        return Problem("yaml-indent", source.place(start, width), message, _repair_hint(repaired)), (number, repaired)
    head, value = parts
    repaired = head + quoted(_without_comment(value))
    message = "text with a colon and a space needs quotes: YAML reads the part before the colon as a key"
    return Problem("yaml-colon", source.place(at), message, _repair_hint(repaired)), (number, repaired)


def _unclosed_bracket(source: Source, number: int, at: int, error: MarkedYAMLError) -> Diagnosis | None:
    context, start_mark = error.context or "", error.context_mark
    if start_mark is None:
        return None
    brackets = {
        "while parsing a flow mapping": ("{", "}"),
        "while parsing a flow sequence": ("[", "]"),
        "while scanning a quoted scalar": ("quote", "quote"),
    }.get(context)
    if brackets is None:
        return None
    start = min(start_mark.index, len(source.text) - 1)
    opener, (opened, _) = source.text[start], source.line_column(start)
    closing = opener if brackets[0] == "quote" else brackets[1]
    repaired = source.line(opened).rstrip() + closing
    message = f"this {opener} is never closed"
    if brackets[0] != "quote":
        message = f"this {opener} is not closed before the next field"
    return Problem("yaml-unclosed", source.place(start), message, _repair_hint(repaired)), (opened, repaired)


def _other_error(source: Source, at: int, error: MarkedYAMLError) -> Diagnosis:
    """Any other error: the line is blanked, so that the rest of the file is parsed."""
    reason = error.problem or "unknown error"
    message = _MESSAGES.get(reason, f"YAML cannot be parsed from here on: {reason}")
    number, _ = source.line_column(at)
    hint = "check the indentation and the colons of this line and of the one above"
    return Problem("yaml-syntax", source.place(at), message, hint), (number, "")


_MESSAGES = {
    "did not find expected key": "a field was expected here, written as `name: value` and aligned with those above it",
    "could not find expected ':'": "a field was expected here, written as `name: value`",
    "did not find expected '-' indicator": "an item of the list was expected here, beginning with `- `",
    "found undefined tag handle": "YAML tags are not allowed in storyboards",
}
