"""Parses YAML text to plain values with offsets, straight from libyaml's events."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from runner.diagnostics.problem import Problem, Problems, closest_match
from runner.language.yaml.decode import MAX_REPORTED_CHARACTERS, control_character, has_after_blank
from runner.language.yaml.document import Document, Source, Value, YamlMapping, YamlSequence
from runner.language.yaml.libyaml import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
    StreamStartEvent,
    YAMLError,
    new_parser,
)
from runner.language.yaml.recovery import is_skipped_line, quoted, translate
from runner.language.yaml.scalar_offsets import offsets
from runner.language.yaml.scalar_value import CONSTANTS, scalar_value
from runner.lazy_dataclass import replace
from runner.lazy_pattern import lazy_pattern

MAX_DEPTH = 64
MAX_NODES = 1_000_000
"""Depth and nodes of a file, aliases included: what a file of a few lines could otherwise expand to."""
# After so many problems nobody reads the nearest name, and each costs a search.
_MAX_SUGGESTIONS = 200
# Errors after which the rest of a file is not parsed: each repair parses a part again.
_MAX_REPAIRS = 50
# Characters parsed again after errors, in all: about a second.
_MAX_REREAD = 2 << 20

# Depth and section of the fields of a mapping in place of the list of shots.
_SHOTS_BY_NAME = (2, "shots")
_DOCUMENT_EVENTS = (StreamStartEvent, DocumentEndEvent)
_WORD = lazy_pattern(r"[^\s,\[\]{}]+")
# First characters of plain scalars that may be a number, or any value but text: all others need no pattern.
_NUMBER_STARTS = frozenset("-0123456789")
_VALUE_STARTS = frozenset("-0123456789tTfFnN~")
# C0 without tab and line feed, DEL, C1, line separators that editors do not show, a BOM in the middle, non-characters
_CONTROL = lazy_pattern("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_COMMENT_WITHOUT_BLANK = lazy_pattern(r"[ \t]+#[^\s#]")
_COMMENT_TEXT = lazy_pattern(r"[ \t]+#[^\r\n]*")


def parse(source: Source, problems: Problems) -> Document:
    """The document of a text. Every problem is reported: after a parser error the repaired text is parsed again."""
    builder, size = _Builder(source), 0
    for _ in range(_MAX_REPAIRS):
        builder = _Builder(source)
        error = builder.run()
        if error is None:
            break
        size += len(source.text)
        problem, repaired = translate(source, error)
        # The line after a skipped line is probably a part of it, so a second problem there would only confuse.
        if not (problem.code == "yaml-syntax" and is_skipped_line(source, problem.place.line - 1)):
            problems.add(problem)
        if repaired is None or size > _MAX_REREAD:
            builder.whole = False
            break
        source = repaired
    for problem in builder.problems:
        problems.add(problem)
    root = builder.root if isinstance(builder.root, YamlMapping) else YamlMapping(0)
    if builder.whole and not isinstance(builder.root, YamlMapping):
        problems.add(_not_a_mapping(source, builder))
        builder.whole = False
    return Document(source, root, tuple(builder.anchors), whole=builder.whole)


def _not_a_mapping(source: Source, builder: "_Builder") -> Problem:
    if builder.root is None:
        return Problem("empty-file", source.place(0), "this file is empty", "a storyboard begins with `storyboard: 1`")
    label = (
        "a list" if isinstance(builder.root, list) else "text" if isinstance(builder.root, str) else "a single value"
    )
    message = f"a storyboard is a mapping of fields, but this is {label}"
    return Problem("wrong-type", source.place(builder.root_at), message, "begin with `storyboard: 1`")


class _LimitReached(Exception):  # noqa: N818 - ends the parsing of one file, always caught in `run`
    """A limit of depth or size is exceeded: the values built so far are used."""


class _Builder:
    """Builds values from events. `problems` holds the problems, `root` the values built before the end or an error."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.problems: list[Problem] = []
        self.root: Value = None
        self.root_at = 0
        self.whole = True
        self.nodes = 0
        self.anchors: list[tuple[int, str, int]] = []
        self._anchored: dict[str, tuple[Value, int]] = {}
        self._open_anchors: set[str] = set()
        self._plain_keys: dict[str | None, str] = {}
        """Keys that occurred as plain scalars and are valid, each held once for all mappings."""
        self._section: str | None = None
        self._next_event: Callable[[], Any] = lambda: None
        self._has_hash, starts = has_after_blank(source.text, "#", " \t"), " \t\r\n[]{},:"
        self._checks_scalars = self._has_hash or any(has_after_blank(source.text, sign, starts) for sign in "&!")
        """True when the text can hold an anchor, a tag or a comment that drops text: every scalar is then checked."""

    def run(self) -> YAMLError | None:
        """Parse the text; the error of libyaml's parser that ended it, or None."""
        parser = new_parser(self.text)
        self._next_event = parser.get_event
        try:
            self._stream()
        except YAMLError as error:
            return error
        except _LimitReached:
            self.whole = False
        finally:
            parser.dispose()
        return None

    def _stream(self) -> None:
        documents = 0
        event: Any
        while True:
            event = self._next_event()
            kind: type = type(event)
            if kind is StreamEndEvent:
                return
            if kind is DocumentStartEvent:
                documents += 1
                if documents > 1:
                    at = event.start_mark.index
                    hint = "one storyboard is one file: move it to a file of its own"
                    self._note("several-documents", at, "a second document begins here", hint, 3)
                    return
                if event.tags:
                    at, message = event.start_mark.index, "YAML tags are not allowed in storyboards"
                    self._note("tag", at, message, "remove the line", 4)
            elif kind not in _DOCUMENT_EVENTS:
                self.root_at = event.start_mark.index
                value = self._node(event, 0, flow=False)
                if self.root is None:
                    self.root = value

    def _node(self, event: Any, depth: int, flow: bool) -> Value:
        """A value with all values below it."""
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is AliasEvent:
            return self._alias(event)
        at = event.start_mark.index
        if event.tag is not None:
            self._note_tag(event)
        if depth >= MAX_DEPTH:
            self._note("too-deep", at, f"values are nested deeper than {MAX_DEPTH} levels", "no storyboard needs that")
            raise _LimitReached
        name, nodes_before = event.anchor, self.nodes
        self._count(at)
        if name is not None:
            self._open_anchors.add(name)
        holder = YamlMapping(at) if kind is MappingStartEvent else YamlSequence(at)
        # Before it is filled: after an error, what was read so far is checked too.
        if depth == 0:
            self.root = holder
        if isinstance(holder, YamlMapping):
            self._fields(holder, depth + 1, event.flow_style)
        else:
            self._items(holder, depth + 1, event.flow_style)
        if name is not None:
            self._open_anchors.discard(name)
            self._anchor(name, at, holder, self.nodes - nodes_before)
        return holder

    def _fields(self, fields: YamlMapping, depth: int, flow: bool) -> None:
        next_event, positions = self._next_event, fields.offsets
        checks_scalars, plain_keys = self._checks_scalars, self._plain_keys
        duplicates: list[tuple[str, int]] = []
        event: Any
        while True:
            event = next_event()
            kind: type = type(event)
            if kind is MappingEndEvent:
                break
            key_at = event.start_mark.index
            # Nearly every key occurred before; only a new key, or one that needs checks, takes the slow way.
            key = plain_keys.get(event.value) if kind is ScalarEvent else None
            if key is None or checks_scalars:
                key = self._key(event, depth)
            if depth == 1:
                self._section = key
            event = next_event()
            at = event.start_mark.index
            # A value without a character, within braces: probably a comma cut its text.
            if flow and at == event.end_mark.index and self._split_by_comma(key, key_at, at):
                continue
            value: Any
            kind = type(event)
            if kind is not ScalarEvent:
                value = self._node(event, depth, flow)
            elif checks_scalars:
                value = self._scalar(event)
            else:
                value, style = event.value, event.style
                if not style:
                    if not value or value[0] in _NUMBER_STARTS or (len(value) < 6 and value in CONSTANTS):
                        value = scalar_value(value)
                elif style == '"' and not value.isprintable() and _CONTROL.search(value):
                    self._note_control_characters(event.value, at)
            if key is None:
                continue
            if key in fields:
                # Reported at the end: the place of the first is counted once then, not for each of a million.
                duplicates.append((key, key_at))
                continue
            fields[key] = value
            positions.append(key_at)
            positions.append(at)
        for key, key_at in duplicates:
            self._note_duplicate(fields, key, key_at)
        # Keys and values together, since the loop above reads scalars without a call.
        self._count(fields.at, 2 * len(fields))
        if "<<" in fields:
            self._merge(fields)

    def _items(self, items: YamlSequence, depth: int, flow: bool) -> None:
        next_event, positions = self._next_event, items.offsets
        event: Any
        while type(event := next_event()) is not SequenceEndEvent:
            positions.append(event.start_mark.index)
            items.append(self._node(event, depth, flow))
            if self.nodes > MAX_NODES:
                self._count(positions[-1], 0)

    def _scalar(self, event: Any) -> Value:
        self.nodes += 1
        text: str = event.value
        value: Value = text
        style = event.style
        if event.tag is not None:
            self._note_tag(event)
        if not style:
            if not text or text[0] in _VALUE_STARTS:
                value = scalar_value(text)
            if self._has_hash and _COMMENT_WITHOUT_BLANK.match(self.text, event.end_mark.index):
                self._note_lost_comment(event)
        elif style == '"' and _CONTROL.search(text):
            self._note_control_characters(text, event.start_mark.index)
        if event.anchor is not None:
            self._anchor(event.anchor, event.start_mark.index, value, 1)
        return value

    def _key(self, event: Any, depth: int) -> str | None:
        """The name of a field; None after reporting a key that is not a name."""
        kind: type = type(event)
        if kind is not ScalarEvent:
            label = "an alias" if kind is AliasEvent else "a list or a mapping"
            self._note(
                "key-not-string", event.start_mark.index, f"a key must be a name, not {label}", "write the name itself"
            )
            self._node(event, depth, flow=True)
            return None
        text: str = event.value
        if event.tag is not None:
            self._note_tag(event)
        if event.anchor is not None:
            self._anchor(event.anchor, event.start_mark.index, text, 1)
        if event.style:
            if event.style == '"' and _CONTROL.search(text):
                self._note_control_characters(text, event.start_mark.index)
            return text
        if not text or (text[0] in _VALUE_STARTS and not isinstance(scalar_value(text), str)):
            if text and (depth, self._section) == _SHOTS_BY_NAME:
                return text  # that the shots are a list is said once; their numbers are what its ids will be
            hint = f'write "{text}" in quotes' if text else "a field is written as name: value"
            message = _KEY_MESSAGES[type(scalar_value(text))]
            self._note("key-not-string", event.start_mark.index, message, hint, len(text))
            return None
        return self._plain_keys.setdefault(text, text)

    def _alias(self, event: Any) -> Value:
        name, at = event.anchor, event.start_mark.index
        if name in self._open_anchors:
            message = f"*{name} is used inside the value that &{name} names"
            self._note("recursive-alias", at, message, "a value cannot contain itself", len(name) + 1)
            return None
        if name not in self._anchored:
            closest = closest_match(name, self._anchored) if len(self.problems) < _MAX_SUGGESTIONS else None
            hint = f"did you mean *{closest}?" if closest else f"write &{name} before the value that *{name} means"
            self._note("unknown-alias", at, f"no value above is named &{name}", hint, len(name) + 1)
            return None
        value, size = self._anchored[name]
        self._count(at, size)
        return value

    def _anchor(self, name: str, at: int, value: Value, size: int) -> None:
        self._anchored[name] = (value, size)
        self.anchors.append((at, name, at))

    def _count(self, at: int, count: int = 1) -> None:
        self.nodes += count
        if self.nodes > MAX_NODES:
            message = f"this file has more than {MAX_NODES:,} values when aliases and merges are expanded"
            self._note("too-large", at, message, "split the storyboard, or use defaults and a matrix")
            raise _LimitReached

    def _merge(self, fields: YamlMapping) -> None:
        """Merge the mappings of `<<`: the mapping's own fields come first, then the merged ones in their order."""
        fields.merge, at, value = fields.key_at("<<"), fields.value_at("<<"), fields["<<"]
        fields.remove(("<<",))
        sources = value if isinstance(value, YamlSequence) else [value]
        for source in sources:
            if not isinstance(source, YamlMapping):
                message = "<< merges the fields of a mapping, and this value is not one"
                self._note("merge", at, message, "write <<: *NAME, where &NAME names a mapping")
                continue
            self._count(at, len(source))
            for position, (key, merged) in enumerate(source.items()):
                if key not in fields:
                    fields[key] = merged
                    fields.offsets += source.offsets[2 * position : 2 * position + 2]

    def _note_duplicate(self, fields: YamlMapping, key: str, at: int) -> None:
        first = self.source.place(fields.key_at(key), len(key))
        message = f"the key `{key}` is used a second time"
        hint = "keep one of the two: YAML would silently drop the first"
        width = max(1, offsets(self.text, at, key)[-1] - at)
        problem = Problem("duplicate-key", self.source.place(at, width), message, hint)
        self.problems.append(replace(problem, related=((first, "the first"),)))

    def _split_by_comma(self, key: str | None, key_at: int, at: int) -> bool:
        """Report a value cut in two by a comma, as in `{framing: centred, head room}`; False when there is none."""
        text = self.text[key_at:at].rstrip()
        if text.endswith(":") or key is None:
            return False
        message = f"`{key}` has no value: inside {{…}} a comma ends the value before it"
        self._note("lost-text", key_at, message, 'put text with a comma in quotes: {name: "one, two"}', len(text))
        return True

    def _note_lost_comment(self, event: Any) -> None:
        match = _COMMENT_TEXT.match(self.text, event.end_mark.index)
        comment = match.group().strip() if match else "#"
        at = (match.end() if match else 0) - len(comment)
        line = self._quoted_line(event, at + len(comment))
        hint = f"put the text in quotes to keep it; a comment has a space after its #:\n{line}"
        self._note("lost-comment", at, f"YAML reads `{comment}` as a comment and drops it", hint, len(comment))

    def _quoted_line(self, event: Any, end: int) -> str:
        start = event.start_mark.index
        number, _ = self.source.line_column(start)
        head = self.text[self.source.starts[number - 1] : start]
        return f"{head}{quoted(self.text[start:end].rstrip())}"

    def _note_control_characters(self, text: str, at: int) -> None:
        matches = list(islice(_CONTROL.finditer(text), MAX_REPORTED_CHARACTERS))
        positions = offsets(self.text, at, text[: matches[-1].end()])
        for match in matches:
            self.problems.append(control_character(self.source.place(positions[match.start()], 2), match.group()))

    def _note_tag(self, event: Any) -> None:
        if event.tag == "!" and type(event) is ScalarEvent:
            return
        written = _WORD.match(self.text, event.start_mark.index)
        tag = written.group() if written else "!"
        hint = "remove it; a number in quotes is text" if tag.startswith("!!") else "remove it"
        self._note("tag", event.start_mark.index, f"the YAML tag {tag} is not allowed in storyboards", hint, len(tag))

    def _note(self, code: str, at: int, message: str, hint: str = "", width: int = 1) -> None:
        self.problems.append(Problem(code, self.source.place(at, width), message, hint))


_KEY_MESSAGES = {
    type(None): "a key must be a name, and this means null",
    bool: "a key must be a name, and this means true or false",
    int: "a key must be a name, and this is a number",
    float: "a key must be a name, and this is a number",
}
