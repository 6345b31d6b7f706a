"""The `cut:` section as YAML text, one entry a line. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from runner.lazy_pattern import lazy_pattern
from runner.timeline.edited import EditedEntry

# No digit at the beginning, and no dot: YAML reads numbers, dates and times without being asked.
_PLAIN = lazy_pattern(r"[A-Za-z][A-Za-z0-9_-]*\Z")
# Words that YAML reads as no text.
_WORDS = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))


def cut_section(entries: Sequence[EditedEntry], newline: str = "\n") -> str:
    """The section, ending with a newline."""
    return "".join(f"{line}{newline}" for line in ("cut:", *(f"  - {_entry(entry)}" for entry in entries)))


def _entry(entry: EditedEntry) -> str:
    fields = list(_fields(entry))
    # As a person writes it: an edit that changes nothing gives the same lines back.
    if entry.kind == "shot" and len(fields) == 1:
        return quoted(entry.text)
    return "{" + ", ".join(f"{name}: {value}" for name, value in fields) + "}"


def _fields(entry: EditedEntry) -> Iterator[tuple[str, str]]:
    yield entry.kind, quoted(entry.text)
    if entry.take is not None:
        yield "take", str(entry.take)
    for name, value in (("in", entry.in_seconds), ("seconds", entry.seconds), ("level", entry.level)):
        if value is not None:
            yield name, _number(value)


def _number(value: Decimal) -> str:
    # A normalized 10 is 1E+1 as Decimal prints it.
    return f"{value:f}"


def quoted(text: str) -> str:
    """A text as a YAML scalar: plain where it can only be read as text, else in double quotes."""
    if _PLAIN.match(text) and text.casefold() not in _WORDS:
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    # An invisible character would be a problem of the storyboard that it is pasted into.
    return character if character.isprintable() else f"\\U{ord(character):08x}"
