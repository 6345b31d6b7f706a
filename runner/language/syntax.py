"""libyaml's errors in plain words, with the line rewritten ready to paste, so that the rest of the file is read too."""

import re
from dataclasses import dataclass, replace

from yaml import YAMLError
from yaml.error import MarkedYAMLError

from runner.language.document import Source
from runner.problems import Place, Problem

_PAIR = re.compile(
    r"(?P<head>[ \t]*(?:- +)*(?P<key>[^\s'\"#{}\[\],&*!|>%@`-][^#:\n]*?|\"[^\"\n]*\"|'[^'\n]*'):[ \t]+)(?P<value>\S.*)"
)
_ITEM = re.compile(r"(?P<head>[ \t]*(?:- +)+)(?P<value>\S.*)")
_COMMENT = re.compile(r"\s+#(?:\s.*)?$")
_BREAK = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Mend:
    """A text with some lines rewritten: what is read on, and the way back to the lines of the file."""

    file: Source
    source: Source = None  # type: ignore[assignment]
    lines: frozenset[int] = frozenset()
    """Numbers of the lines that were rewritten."""

    def __post_init__(self) -> None:
        if self.source is None:
            object.__setattr__(self, "source", self.file)

    @property
    def changed(self) -> bool:
        return bool(self.lines)

    def rewrite(self, number: int, line: str) -> "Mend | None":
        """The text with a line replaced; None when that line was mended already."""
        if number in self.lines:
            return None
        start = self.source.starts[number - 1]
        old = self.source.line(number)
        text = self.source.text[:start] + line + self.source.text[start + len(old) :]
        return Mend(self.file, Source(self.file.name, text), self.lines | {number})

    def back(self, problem: Problem) -> Problem:
        """The problem at its place in the file: lines are as many, columns in a rewritten line are the value's."""
        related = tuple((self._back(place), words) for place, words in problem.related)
        return replace(problem, place=self._back(problem.place), related=related)

    def _back(self, place: Place) -> Place:
        if place.line not in self.lines:
            return place
        rest = len(self.file.line(place.line))
        return replace(place, column=min(place.column, rest or 1))


def quoted(text: str) -> str:
    """Text as a YAML scalar that can be pasted: in double quotes, or in single ones when it holds double ones."""
    if '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def translate(mend: Mend, error: YAMLError) -> tuple[Problem, Mend | None]:
    """A problem in our words, and the text mended so that reading can go on, where that is possible."""
    source = mend.source
    if not isinstance(error, MarkedYAMLError) or error.problem_mark is None:
        place = source.place(0)
        return Problem("yaml-syntax", place, "this is not YAML text that can be read"), None
    at = min(error.problem_mark.index, len(source.text))
    number, _ = source.line_column(at)
    line = source.line(number)
    for case in (_tab, _quote_goes_on, _indicator, _colon, _unclosed):
        found = case(source, number, at, error)
        if found is not None:
            problem, rewritten = found
            return mend.back(problem), None if rewritten is None else mend.rewrite(rewritten[0], rewritten[1])
    return mend.back(_other(source, at, error, line)), None


Case = tuple[Problem, tuple[int, str] | None]


def _split(line: str) -> tuple[str, str] | None:
    found = _PAIR.fullmatch(line) or _ITEM.fullmatch(line)
    return (found["head"], found["value"]) if found else None


def _hint(line: str) -> str:
    return f"write it so:\n{line}"


def _tab(source: Source, number: int, at: int, error: MarkedYAMLError) -> Case | None:
    line = source.line(number)
    blanks = line[: len(line) - len(line.lstrip())]
    if "\t" not in blanks:
        return None
    start = source.starts[number - 1] + blanks.index("\t")
    mended = blanks.replace("\t", "  ") + line.lstrip()
    message = "a tab stands in the indentation; YAML takes blanks only"
    return Problem("yaml-tab", source.place(start), message, _hint(mended)), (number, mended)


def _quote_goes_on(source: Source, number: int, at: int, error: MarkedYAMLError) -> Case | None:
    line = source.line(number)
    parts = _split(line)
    if parts is None or parts[1][0] not in "\"'":
        return None
    head, value = parts
    close = re.match(r"'(?:[^']|'')*'|\"(?:[^\"\\]|\\.)*\"", value)
    if close is None or close.end() == len(value) or _COMMENT.fullmatch(value[close.end() :]):
        return None
    rest = _COMMENT.sub("", value)
    mended = head + quoted(rest)
    start = source.starts[number - 1] + len(head) + close.end()
    start += len(value[close.end() :]) - len(value[close.end() :].lstrip())
    message = "the text goes on after its closing quote"
    return Problem("yaml-quote", source.place(start), message, _hint(mended)), (number, mended)


def _indicator(source: Source, number: int, at: int, error: MarkedYAMLError) -> Case | None:
    for candidate in (number, number - 1):
        if candidate < 1:
            continue
        line = source.line(candidate)
        parts = _split(line)
        if parts is None or parts[1][0] not in "@{[*&!%-|>`,?":
            continue
        head, value = parts
        start = source.starts[candidate - 1] + len(head)
        if value[0] in "{[" and not _broken_flow(value):
            continue
        if candidate != number and value[0] not in "*&!|>":
            continue
        rest = _COMMENT.sub("", value)
        mended = head + quoted(rest)
        what = _INDICATORS.get(value[0], "has a meaning of its own in YAML")
        message = f"text cannot begin with {value[0]} without quotes: {what}"
        return Problem("yaml-indicator", source.place(start), message, _hint(mended)), (candidate, mended)
    return None


_INDICATORS = {
    "@": "YAML keeps this character for itself",
    "`": "YAML keeps this character for itself",
    "{": "it opens a mapping",
    "[": "it opens a list",
    "*": "it stands for an alias",
    "&": "it names an anchor",
    "!": "it begins a tag",
    "%": "it begins a directive",
    "-": "it begins an item of a list",
    "|": "it opens a block of text, which begins in the next line",
    ">": "it opens a block of text, which begins in the next line",
    "?": "it begins a key",
}


def _broken_flow(value: str) -> bool:
    """`{{ name }} walks` and `[Aside] text`: text follows what YAML takes for the end of a mapping or list."""
    if value.startswith(("{{", "{%")):
        return True
    close = "}" if value[0] == "{" else "]"
    end = value.rfind(close)
    return end >= 0 and bool(_COMMENT.sub("", value[end + 1 :]).strip(" ,}]"))


def _colon(source: Source, number: int, at: int, error: MarkedYAMLError) -> Case | None:
    if "mapping values are not allowed" not in (error.problem or ""):
        return None
    line = source.line(number)
    parts = _split(line)
    column = at - source.starts[number - 1]
    if parts is None or column < len(parts[0]):
        message = "this line is indented as if it belonged to the value above it"
        return Problem("yaml-indent", source.place(at), message, "align it with the fields beside it"), None
    head, value = parts
    mended = head + quoted(_COMMENT.sub("", value))
    message = "text that holds a colon and a blank needs quotes: YAML takes what is before it for a key"
    return Problem("yaml-colon", source.place(at), message, _hint(mended)), (number, mended)


def _unclosed(source: Source, number: int, at: int, error: MarkedYAMLError) -> Case | None:
    context, mark = error.context or "", error.context_mark
    if mark is None:
        return None
    what = {
        "while parsing a flow mapping": ("{", "}"),
        "while parsing a flow sequence": ("[", "]"),
        "while scanning a quoted scalar": ("quote", "quote"),
    }.get(context)
    if what is None:
        return None
    start = min(mark.index, len(source.text) - 1)
    opener = source.text[start]
    if what[0] == "quote":
        message, hint = f"this {opener} is never closed", f"close the text with {opener}"
    else:
        message, hint = f"this {what[0]} is not closed before the next field", f"close it with {what[1]}"
    return Problem("yaml-unclosed", source.place(start), message, hint), None


def _other(source: Source, at: int, error: MarkedYAMLError, line: str) -> Problem:
    words = error.problem or "this cannot be read"
    message = _WORDS.get(words, f"YAML cannot be read on from here: {words}")
    hint = "check the indentation and the colons of this line and of the one above"
    return Problem("yaml-syntax", source.place(at), message, hint)


_WORDS = {
    "did not find expected key": "a field was expected here, written as `name: value` and aligned with those above it",
    "could not find expected ':'": "a field was expected here, written as `name: value`",
    "did not find expected '-' indicator": "an item of the list was expected here, beginning with `- `",
    "found undefined tag handle": "tags are not used in storyboards",
}
