"""The replacement of one section at the top of a YAML file by the parser's offsets; no other character changes."""

import re

from runner.diagnostics.problem import Problems
from runner.language.yaml.document import Document, Source, Value
from runner.language.yaml.parser import parse
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

_LINE = lazy_pattern(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_COMMENT = lazy_pattern(r"(?:^|[ \t])#", re.MULTILINE)
# A line that belongs to the next section: blank, or a comment at the margin.
_BETWEEN = lazy_pattern(r"(?:#.*)?\Z")
# A mark of the document's end: the section has to stand before it.
_END = lazy_pattern(r"^(?:\.\.\.|---)(?:[ \t].*)?$", re.MULTILINE)


class SectionNotReplaced(Exception):  # noqa: N818 - always caught, and shown to the user
    """The section of this file cannot be replaced; the text says why."""


@dataclass(frozen=True, slots=True)
class ReplacedSection:
    """The text of a file with its new section."""

    text: str
    lost_comments: bool
    """Whether comments stood in the old section."""


def replace_section(text: str, key: str, section: str) -> ReplacedSection:
    """Put `section` (`key: …`, ending with a newline) in place of the file's own, or at its end where it has none.

    Comments and blank lines before the next section stay. Raises SectionNotReplaced unless the new text is read as the
    old one with this section alone changed.
    """
    document = _parsed(text)
    start, end = _bounds(document, key)
    old = text[start:end]
    lead = "" if start == 0 or text[start - 1] in "\r\n" else _newline(text)
    new = f"{text[:start]}{lead}{section}{text[end:]}"
    # Read back as a whole: an alias elsewhere may mean a value of the old section.
    before, after, wanted = document.root, _parsed(new).root, _parsed(section).root
    if {name: _plain(value) for name, value in before.items() if name != key} | _plain_fields(wanted) != _plain_fields(
        after
    ):
        raise SectionNotReplaced(f"{key}: is tied to other parts of the file (an anchor, a merge)")
    return ReplacedSection(new, _COMMENT.search(old) is not None)


def _parsed(text: str) -> Document:
    problems = Problems()
    document = parse(Source("", text), problems)
    if problems.errors or not document.whole:
        raise SectionNotReplaced("the file cannot be parsed with it")
    return document


def _bounds(document: Document, key: str) -> tuple[int, int]:
    """The first character of a section's line, and the one after its last line."""
    text, root = document.source.text, document.root
    if text[root.at : root.at + 1] == "{":
        raise SectionNotReplaced("the file is one mapping in braces")
    end_mark = _END.search(text, root.at)
    end = end_mark.start() if end_mark is not None else len(text)
    if key not in root:
        return end, end
    start = root.key_at(key)
    if start > 0 and text[start - 1] not in "\r\n\ufeff":
        raise SectionNotReplaced(f"{key}: does not begin its line")
    offsets = [root.merge, *(root.key_at(name) for name in root)]
    following = min((at for at in offsets if at > start), default=end)
    lines = _LINE.findall(text[start:following])
    while len(lines) > 1 and _BETWEEN.match(lines[-1].rstrip("\r\n")):
        lines.pop()
    return start, start + sum(map(len, lines))


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _plain(value: Value) -> object:
    """A value without its offsets, for comparison; a number and a flag of equal value stay different."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return (type(value).__name__, value)


def _plain_fields(root: dict[str, Value]) -> dict[str, object]:
    return {name: _plain(value) for name, value in root.items()}
