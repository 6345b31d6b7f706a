"""Decodes the bytes of a file to text: strict UTF-8, no BOM, control characters reported and replaced."""

import re
from itertools import islice

from runner.diagnostics.problem import Place, Problem, Problems
from runner.language.yaml.document import Source
from runner.lazy_pattern import lazy_pattern

MAX_REPORTED_CHARACTERS = 20
"""Control characters reported for one file or value; a file full of them is not text, and more reports do not help."""
MAX_LINES = 2_000_000
"""Lines are indexed for the places of problems; no storyboard comes near."""

# What no editor shows: C0 without tab and line ends, DEL, C1, line separators, a BOM inside, non-characters.
_ASCII_CONTROL = bytes((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F))
_RAW_CONTROL = lazy_pattern(f"[{_ASCII_CONTROL.decode('ascii')}\x80-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Characters that turn the direction of text: a line can then look different from its content.
_BIDI = lazy_pattern("[\u202a-\u202e\u2066-\u2069]|\\\\u(?:202[a-eA-E]|206[6-9])")

# The lines that git leaves around what two branches wrote at one place.
_CONFLICT_BEGIN = lazy_pattern(r"^<{7} .*$", re.MULTILINE)
_CONFLICT_REST = lazy_pattern(r"^={7}\r?$", re.MULTILINE), lazy_pattern(r"^>{7} ", re.MULTILINE)
_CONFLICT = (
    "git could not merge this file: from here on stands what both branches wrote",
    "keep what is right, and remove the lines <<<<<<<, ======= and >>>>>>>; then `git add` the file",
)


def decode(name: str, data: bytes, problems: Problems) -> Source | None:
    """The text of a file, without its BOM; None when the bytes are no UTF-8, or git left marks in it.

    Control characters are replaced.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        text_before = data[: error.start].decode("utf-8", "replace").removeprefix("\ufeff")
        source = Source(name, data.decode("utf-8", "replace").removeprefix("\ufeff"))
        place = source.place(min(len(text_before), len(source.text)))
        problems.sources[name] = source.text
        problems.add(Problem("not-utf8", place, *_not_utf8(data)))
        return None
    text = text.removeprefix("\ufeff")
    problems.sources[name] = text
    if data.count(b"\n") + data.count(b"\r") > MAX_LINES:
        message, hint = f"this file has more than {MAX_LINES:,} lines", "split it"
        # Its lines are shown beside the problem, and would have to be indexed for that.
        problems.sources[name] = text[:200]
        problems.add(Problem("file-size", Place(name, 1, 1), message, hint))
        return None
    if (conflict := _conflict(text)) is not None:
        place = Source(name, text).place(conflict.start(), len(conflict.group().rstrip()))
        problems.add(Problem("conflict-marks", place, *_CONFLICT))
        return None
    # In a file of ASCII alone such a character can only be an escape.
    bidi_matches = _BIDI.finditer(text) if not text.isascii() or "\\u20" in text else iter(())
    for match in islice(bidi_matches, MAX_REPORTED_CHARACTERS):
        problems.add(_bidi_character(Source(name, text).place(match.start(), len(match.group())), match.group()))
    # Deleting control bytes and comparing lengths is much quicker than a search by regular expression.
    clean = text.isascii() and len(data.translate(None, _ASCII_CONTROL)) == len(data)
    if not clean and _RAW_CONTROL.search(text):
        source = Source(name, text)
        for match in islice(_RAW_CONTROL.finditer(text), MAX_REPORTED_CHARACTERS):
            problems.add(control_character(source.place(match.start()), match.group()))
        # One character for each, so that offsets stay and libyaml, which refuses them, reads on.
        text = _RAW_CONTROL.sub("\ufffd", text)
    return Source(name, text)


def _conflict(text: str) -> "re.Match[str] | None":
    """The line with which a conflict begins, whose middle and end follow; each is sought once, in one pass."""
    begin = _CONFLICT_BEGIN.search(text) if "<<<<<<< " in text else None
    after = begin
    for pattern in _CONFLICT_REST:
        after = None if after is None else pattern.search(text, after.end())
    return None if after is None else begin


def _bidi_character(place: Place, written: str) -> Problem:
    code = f"{ord(written):04X}" if len(written) == 1 else written[2:].upper()
    message = (
        f"U+{code} changes the direction of the text after it, so that this line can look different from its content"
    )
    return Problem("bidi-character", place, message, "remove it, unless it is intended", "warning")


def _not_utf8(data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "this file is UTF-16, not UTF-8", "save it as UTF-8"
    # As git tells: by a NUL near the beginning.
    if b"\0" in data[:4096]:
        return "this is not a text file", "a storyboard is YAML text in UTF-8"
    return "this byte is not UTF-8", "save the file as UTF-8"


def control_character(place: Place, character: str) -> Problem:
    """The problem of a control character."""
    hint = (
        "remove it"
        if ord(character) != 0xFEFF
        else "remove it: a byte order mark is allowed only at the beginning of a file"
    )
    return Problem("control-character", place, f"U+{ord(character):04X} is an invisible character", hint)


def has_after_blank(text: str, character: str, preceding: str) -> bool:
    """Whether a character occurs where YAML reads it as an indicator: after a blank. Quick if the character is rare."""
    index = text.find(character)
    while index >= 0:
        if (index == 0 or text[index - 1] in preceding) and text[index + 1 : index + 2].strip(" \t\r\n#"):
            return True
        index = text.find(character, index + 1)
    return False
