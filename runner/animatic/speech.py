"""Spoken lines of a prompt: their words, when they are said, and how long that takes."""

import re
import unicodedata

from runner.animatic.prompt_words import beats
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

_QUOTE = lazy_pattern(r"“([^“”]{1,600})”|\"([^\"]{1,600})\"|«([^«»]{1,600})»|„([^„“”]{1,600})[“”]|「([^「」]{1,600})」")
_SAYS = lazy_pattern(
    r"\b(?:says?|said|asks?|whispers?|shouts?|calls?|answers?|replies|reply|murmurs?|mutters?|speaks?|tells?|sings?"
    r"|voice|line|dialogue|voice-?over|vo|narrat\w+|yells?|cries|announces?|laughs?|adds?|goes)\b|[:：]\s*$|说|道",
    re.IGNORECASE,
)
# Words on a sign stand in quotation marks as well, and nobody says them.
_PRINTED = lazy_pattern(
    r"\b(?:sign|reads|text|title|label\w*|words|lettering|logo|written|called|named)\b[^.!?]{0,25}$"
)
SYLLABLE = 0.19
"""Seconds of one syllable at an unhurried pace."""
# Seconds of a comma or a full stop inside a line.
_PAUSE = 0.28
# Seconds of silence before the first word: a line that begins with the cut sounds cut off.
_LEAD = 0.3


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One line that is spoken in a clip."""

    words: str
    start: float
    """Seconds."""
    end: float
    is_high: bool
    """Whether a woman or a child speaks, by the word before the line."""


def spoken_lines(prompt: str, seconds: float) -> tuple[SpokenLine, ...]:
    """The spoken lines of a prompt, each at the time of its beat, or where it stands in the text."""
    whole, timeline = beats(prompt, seconds)
    sections = [(whole, 0.0, seconds), *((beat.text, beat.start, beat.end) for beat in timeline)]
    lines: list[SpokenLine] = []
    free_from = _LEAD
    for text, start, end in sections:
        for match in _QUOTE.finditer(text):
            before = text[max(0, match.start() - 90) : match.start()]
            words = next(filter(None, match.groups())).strip()
            if not _is_spoken(before, words):
                continue
            length = spoken_seconds(words)
            # Where in the beat its text has the line: what is described before it happens before it.
            moment = start + _LEAD + (end - start) * 0.8 * match.start() / max(1, len(text))
            moment = max(free_from, min(moment, end - length - 0.2))
            moment = min(moment, max(0.0, seconds - length))
            lines.append(SpokenLine(words, moment, min(seconds, moment + length), _is_high(text[: match.start()])))
            free_from = moment + length + 0.25
    return tuple(lines)


def without_lines(prompt: str) -> str:
    """The prompt without its spoken lines, which are shown as subtitles."""

    def left_out(match: re.Match[str]) -> str:
        words = next(filter(None, match.groups())).strip()
        return "…" if _is_spoken(prompt[max(0, match.start() - 90) : match.start()], words) else match[0]

    return _QUOTE.sub(left_out, prompt)


def spoken_seconds(words: str) -> float:
    """Seconds that a line takes to say."""
    return 0.15 + SYLLABLE * syllables(words) + _PAUSE * len(re.findall(r"[,;:.!?…—。，、！？](?=.)", words))


def syllables(words: str) -> int:
    """The number of syllables: groups of vowels, or characters where each is one."""
    plain = "".join(char for char in unicodedata.normalize("NFD", words.lower()) if not unicodedata.combining(char))
    # The `e` at the end of `house` is not heard.
    latin = len(re.findall(r"[aeiouyаеёиоуыэюяαεηιουω]+", re.sub(r"(?<=[a-z]{2}[^aeiouyl])e\b", "", plain)))
    whole = len(re.findall("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]", words))
    other = sum(char.isalpha() for char in plain if not ("a" <= char <= "z" or "\u0370" <= char <= "\u04ff")) - whole
    # Scripts that write no vowels have about two letters to a syllable.
    return max(1, latin + whole + max(0, other) // 2)


def _is_spoken(before: str, words: str) -> bool:
    return not _PRINTED.search(before) and (bool(_SAYS.search(before)) or words[-1] in ".!?…。！？")


def _is_high(before: str) -> bool:
    nouns = re.findall(r"\b(she|her|woman|girl|mother|child|boy|he|his|man|father|old man)\b", before.lower())
    return bool(nouns) and nouns[-1] in ("she", "her", "woman", "girl", "mother", "child", "boy")
