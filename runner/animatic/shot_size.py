"""Distance of the camera, by the words for shot size, and the number of people that words name."""

import re
from collections.abc import Mapping
from enum import Enum

from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern


class ShotSize(Enum):
    """The sizes of a shot from near to far; `two-shot` frames two people from the waist up."""

    MACRO = "macro"
    CLOSE = "close"
    MEDIUM_CLOSE = "medium close"
    TWO_SHOT = "two-shot"
    MEDIUM = "medium"
    FULL = "full"
    WIDE = "wide"
    EXTREME_WIDE = "extreme wide"


@dataclass(frozen=True, slots=True)
class Framing:
    """The picture of one shot size."""

    body: float
    """Height of a whole drawn body, as a share of the frame's height."""
    picture: float
    """Height of a person's picture, which may end at the waist, as a share of the frame's height."""
    place_zoom: float
    """Enlargement of the place's picture, since a long look at a face sees less of it."""
    blur: float
    """Softness of the place, in tenths of the frame's height."""


# By eye: where the frame cuts a body off is what names a shot size.
FRAMINGS: Mapping[ShotSize, Framing] = {
    ShotSize.MACRO: Framing(3.6, 1.9, 1.9, 0.16),
    ShotSize.CLOSE: Framing(2.5, 1.6, 1.5, 0.09),
    ShotSize.MEDIUM_CLOSE: Framing(1.8, 1.25, 1.3, 0.05),
    ShotSize.TWO_SHOT: Framing(1.15, 0.92, 1.18, 0.03),
    ShotSize.MEDIUM: Framing(1.25, 1.0, 1.18, 0.03),
    ShotSize.FULL: Framing(0.6, 0.7, 1.0, 0.0),
    ShotSize.WIDE: Framing(0.3, 0.42, 1.0, 0.0),
    ShotSize.EXTREME_WIDE: Framing(0.13, 0.2, 1.0, 0.0),
}
_SIZES: Mapping[ShotSize, str] = {
    ShotSize.EXTREME_WIDE: r"extreme(?:ly)? (?:wide|long)|\baerial\b|\bdrone\b|bird'?s[ -]eye|tiny figure|far away"
    r"|in the distance|\bELS\b|leaves @?\w+ small|\bsmall and \w+ at the end\b|航拍",
    ShotSize.MACRO: r"\bmacro\b|\binsert\b|extreme(?:ly)? close|\becu\b|close on (?:one|a) detail|detail shot|tabletop",
    ShotSize.MEDIUM_CLOSE: r"medium[ -]close|\bmcu\b|head and shoulders|chest up|bust shot",
    ShotSize.CLOSE: r"close[ -]?(?:up|on)\b|\bportrait\b|face fills|head ?shot|\bcu\b|特写|from (?:his|her) face",
    ShotSize.TWO_SHOT: r"\btwo[ -]?shot\b|\b2-?shot\b|over[ -]the[ -]shoulder|\bots\b|over (?:a|his|her) shoulder",
    ShotSize.MEDIUM: r"\bmedium\b|waist|cowboy|mid[ -]?shot|knees up|\bms\b|中景",
    ShotSize.WIDE: r"\bwide\b|establishing|long shot|\bmaster\b|\bvista\b|\bls\b|远景",
    ShotSize.FULL: r"full[ -](?:shot|figure|body|length)|head to toe",
}


def shot_size_of(text: str) -> ShotSize:
    """The size that a text (in lower case) names first; a whole figure without any."""
    matches = [
        (match.start(), order, size)
        for order, (size, pattern) in enumerate(_SIZES.items())
        if (match := re.search(pattern, text)) is not None
    ]
    return min(matches)[2] if matches else ShotSize.FULL


PERSON_NOUNS = (
    r"wom[ae]n|m[ae]n|girls?|boys?|persons?|people|dancers?|child(?:ren)?|kids?|friends?|actors?|actress(?:es)?"
    r"|hero(?:ine)?|figures?|singers?|chefs?|fisher\w+|sailors?|walkers?|runners?|riders?|astronauts?|musicians?"
    r"|players?|mothers?|fathers?|sons?|daughters?|detectives?|baristas?|bakers?|waiters?|waitress|old man|ferrym[ae]n"
    r"|workers?|nurses?|doctors?|soldiers?|guards?|teachers?|students?|brothers?|sisters?|lad(?:y|ies)|guys?|bride"
    r"|groom|grandmother|grandfather|customers?|strangers?|drivers?|farmers?|captain|officers?|kings?|queen|couple"
)
PERSON = lazy_pattern(rf"\b(?:{PERSON_NOUNS})\b|[人她他]|امرأة|رجل|אישה|איש")
_PRONOUN = lazy_pattern(r"\b(?:she|he|her|his|him|they|their|who)\b")
_ACTS = lazy_pattern(r"\b(?:performs?|dances?|walks?|smiles?|says|whispers|sits|stands up|turns (?:his|her) head)\b")
# From seven on as many as are drawn at most.
_NUMBERS = {"two": 2, "both": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 6, "eight": 6, "ten": 6}
_COUNTED = lazy_pattern(rf"\b({'|'.join(_NUMBERS)}|[2-9])(?: (?!and\b)[\w-]+){{0,2}}? (?:{PERSON_NOUNS})\b")
_EACH = lazy_pattern(
    rf"(?:\b({'|'.join(_NUMBERS)}|[2-9])(?: (?!and\b)[\w-]+){{0,2}}? )?\b({PERSON_NOUNS})\b"
    r"|([人她他]|امرأة|رجل|אישה|איש)"
)
_PAIR = lazy_pattern(r"\bcouple\b|\btwo[ -]?shot\b|\bthe two\b|\bboth of them\b|\beach other\b|\btogether\b")
_SINGLE = lazy_pattern(
    rf"\b(?:an?|the|another|his|her|one|our)(?: (?!and\b|of\b|with\b)[\w-]+){{0,3}}? ({PERSON_NOUNS})\b(?! of\b)"
)
_PLURAL = lazy_pattern(r"\b(?:men|women|people|friends|dancers|children|kids|girls|boys|musicians|workers|they)\b")
_CROWD = lazy_pattern(r"\bcrowd|\bmany people|\bumbrellas\b|passers-?by|commuters|\baudience\b|\bhundreds\b|\bdozens\b")
_NOBODY = lazy_pattern(r"\bnobody\b|\bno one\b|\bno people\b|\bempty (?:of people|stage|street|room)\b|\bdeserted\b")
_GROUP = lazy_pattern(r"\bpeople\b|\bchildren\b|\bfriends\b|\bdancers\b|\bfamily\b|\bteam\b|\bmusicians\b|\bworkers\b")
MOST_PEOPLE = 6


def is_crowd(text: str) -> bool:
    """Whether a text (in lower case) names a crowd."""
    return bool(_CROWD.search(text))


def people_in(text: str) -> int:
    """The number of people that a text (in lower case) names, up to `MOST_PEOPLE`; mentions with pictures aside."""
    if counted := _COUNTED.search(text):
        number = _NUMBERS.get(counted[1]) or int(counted[1])
        beside = re.match(rf" and an? (?:[\w-]+ ){{0,2}}(?:{PERSON_NOUNS})\b", text[counted.end() :])
        return min(MOST_PEOPLE, number + (beside is not None))
    singles = {_singular(match[1]) for match in _SINGLE.finditer(text)} - {"couple"}
    if _PAIR.search(text) and (singles or PERSON.search(text) or _PRONOUN.search(text)):
        return max(2, len(singles))
    if singles:
        return min(MOST_PEOPLE, len(singles))
    # A group without a number is three, and any other plural two: few enough to be told apart.
    if _GROUP.search(text):
        return 3
    if _PLURAL.search(text):
        return 2
    if _NOBODY.search(text):
        return 0
    return 1 if PERSON.search(text) or _PRONOUN.search(text) or _ACTS.search(text) else 0


def named_people(text: str) -> list[str]:
    """The words for the people of a text (in lower case) in their order, one for each person."""
    nouns = [
        match[2] or match[3]
        for match in _EACH.finditer(text)
        for _ in range(_NUMBERS.get(match[1]) or int(match[1] or 1))
    ]
    # "Three people: the woman, the man and an old man" are three.
    return [noun for noun in nouns if noun not in ("people", "persons", "figures")] or nouns


def _singular(noun: str) -> str:
    return "woman" if noun in ("lady", "women") else "man" if noun in ("men", "old man", "guy") else noun.rstrip("s")
