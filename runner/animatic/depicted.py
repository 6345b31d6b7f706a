"""Roles of the pictures of a request: places, people, things; by the words around their mentions."""

import re
from collections.abc import Sequence
from typing import Literal

from runner.animatic.place_words import names_place
from runner.animatic.shot_size import PERSON
from runner.animatic.spec import AnimaticSpec, Reference
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

Role = Literal["place", "person", "thing"]
_GROUP = lazy_pattern(r"@image\d+(?: @image\d+)*", re.IGNORECASE)
_HEAD_ENDS = lazy_pattern(
    r"\b(?:with|in|of|at|on|from|that|who|which|printed|made|cut|and|wearing|under|by|over)\b|[,;:(]"
)
# People go into a place or across it; a thing they hold.
_INTO = lazy_pattern(
    r"\b(?:across|over|on|in|inside|at|along|through|into|onto|outside|around|above|behind|past|from)(?: the| an?)? $"
)
_ACTS = lazy_pattern(
    r"^(?:'s)? (?:slowly |quietly |gently )?(?:walks?|stands?|sits?|looks?|turns?|runs?|performs?|dances?|smiles?|says?"
    r"|unfolds?|kneels?|waits?|watch(?:es)?|enters?|leans?|reaches|holds?|puts?|takes?|fills?|drinks?|sinks?|and @)"
)
# Names that people give to pictures of a character.
_FILE_PERSON = lazy_pattern(r"(?<![a-z])(?:person|people|portrait|face|front|side|profile)(?![a-z])")


@dataclass(frozen=True, slots=True)
class Depicted:
    """The pictures of one asset that a shot mentions."""

    role: Role
    pictures: tuple[Reference, ...]
    words: str
    """The words that describe it, in lower case; empty without any."""


def depicted_of(spec: AnimaticSpec) -> tuple[Depicted, ...]:
    """The assets with pictures on this machine that the shot mentions, in order, each once."""
    by_label = {reference.label: reference for reference in spec.references if reference.kind == "image"}
    text = spec.story.lower()
    depicted: list[Depicted] = []
    seen = set[str]()
    for match in _GROUP.finditer(text):
        labels = [label for label in match[0].replace("@", "").split() if label not in seen]
        seen.update(labels)
        pictures = tuple(by_label[label] for label in labels if label in by_label and by_label[label].path is not None)
        if pictures:
            words = _words_after(text, match.end())
            role = _role(words, text[max(0, match.start() - 24) : match.start()], text[match.end() :][:40], pictures)
            depicted.append(Depicted(role, pictures, words))
    return tuple(depicted)


def _words_after(text: str, at: int) -> str:
    """The words in brackets that follow a mention."""
    if not text.startswith(" (", at):
        return ""
    depth = 0
    for end in range(at + 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if not depth:
            return text[at + 2 : end]
    return text[at + 2 :]


def _role(words: str, before: str, after: str, pictures: Sequence[Reference]) -> Role:
    head = _head(words)
    # The description says more than the sentence around it, and both say more than a file's name.
    if head and (PERSON.search(head) or re.search(r"\w+m[ae]n$", head)):
        return "person"
    # The last word of a noun phrase is its noun: `an office chair` is no office.
    if head and names_place(head.rsplit(" ", 1)[-1]):
        return "place"
    if words:
        return "place" if not PERSON.search(words) and _INTO.search(before) else "thing"
    names = " ".join(picture.name.lower() for picture in pictures).replace("_", " ").replace("-", " ")
    if re.search(r"(?:first|last) frame", names):
        return "place"  # a picture of another shot is a whole composition
    if _ACTS.match(after) or PERSON.search(names) or _FILE_PERSON.search(names):
        return "person"
    return "place" if _INTO.search(before) or names_place(names) else "thing"


def describes_place(words: str) -> bool:
    """Whether words in brackets (in lower case) describe a place, or nothing that has a name of its own."""
    head = _head(words)
    return not head or (names_place(head.rsplit(" ", 1)[-1]) and not PERSON.search(head))


def _head(words: str) -> str:
    """The noun phrase that says what something is: `a flat rooftop terrace` of `a flat rooftop terrace at night`."""
    end = _HEAD_ENDS.search(words)
    return (words[: end.start()] if end else words).strip()
