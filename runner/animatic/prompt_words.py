"""Parts of a prompt: its timeline, its labelled sections, and the characters that can be drawn."""

import re
import unicodedata

from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

# A stretch as people write it: `0-2s:`, `[2–4 s]`, `(4-5sec)`.
_BEAT = lazy_pattern(
    r"(?:^|(?<=[\s(\[;.]))[\[(]?(\d{1,3}(?:\.\d)?)\s?s?\s?[-–—]\s?(\d{1,3}(?:\.\d)?)\s?s(?:ec(?:onds?)?)?[\])]?\s?[:：,]?\s"
)


@dataclass(frozen=True, slots=True)
class Beat:
    """A stretch of the clip that the prompt describes by itself."""

    start: float
    """Seconds."""
    end: float
    text: str


def beats(prompt: str, seconds: float) -> tuple[str, tuple[Beat, ...]]:
    """The text about the whole clip, and the timeline (`0-2s: …`), empty when the prompt has none."""
    matches = [match for match in _BEAT.finditer(prompt) if float(match[1]) < float(match[2])]
    if not matches:
        return prompt, ()
    timeline = []
    for match, following in zip(matches, [*matches[1:], None], strict=True):
        text = prompt[match.start() : following.start() if following else len(prompt)]
        timeline.append(Beat(min(float(match[1]), seconds), min(float(match[2]), seconds), text.strip()))
    return prompt[: matches[0].start()].strip(), tuple(timeline)


_LABEL = lazy_pattern(
    r"\b(sound|audio|music|avoid|negative(?: prompt)?|style|look|light(?:ing)?|framing|camera|grade)\s*[:：]",
    re.IGNORECASE,
)


def story(prompt: str, *included: str) -> str:
    """The action and the place, in lower case: the prompt without its labelled sections (`Sound: …`, `Avoid: …`).

    `included` names labels whose sections stay. A prompt of nothing but sections is returned whole.
    """
    sections = []
    start, label = 0, ""
    for match in [*_LABEL.finditer(prompt), None]:
        end = match.start() if match else len(prompt)
        if not label or label in included:
            sections.append(prompt[start:end])
        if match:
            start, label = match.end(), match[1].lower()
    text = " ".join(sections).strip().lower()
    return text or prompt.lower()


def readable(text: str) -> str:
    """The text without controls and direction overrides, which cannot be drawn or would reverse the rest."""
    # Without the joiners Persian, Indic scripts and emoji fall apart.
    joiners = "\u200c\u200d"
    characters = (
        " " if char.isspace() and char != "\n" else char
        for char in unicodedata.normalize("NFC", text)
        if char in joiners or char.isspace() or unicodedata.category(char)[0] != "C"
    )
    return "".join(characters).replace("\ufe0f", "")
