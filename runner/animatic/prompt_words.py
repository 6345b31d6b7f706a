"""How a prompt is read: its timeline, its sections, and what of it is drawn."""

import re
import unicodedata

from runner.lazy_dataclass import dataclass

_BEAT = re.compile(
    r"(?:^|(?<=[\s(\[;.]))[\[(]?(\d{1,3}(?:\.\d)?)\s?s?\s?[-–—]\s?(\d{1,3}(?:\.\d)?)\s?s(?:ec(?:onds?)?)?[\])]?\s?[:：,]?\s"
)


@dataclass(frozen=True, slots=True)
class Beat:
    """A stretch of the clip that the prompt describes by itself; a prompt without a timeline is one beat."""

    start: float
    """Seconds."""
    end: float
    text: str


def beats(prompt: str, seconds: float) -> tuple[str, tuple[Beat, ...]]:
    """What the prompt says of the whole, and its timeline (`0-2s: …`), empty when it has none."""
    marks = [mark for mark in _BEAT.finditer(prompt) if float(mark[1]) < float(mark[2])]
    if not marks:
        return prompt, ()
    found = []
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        text = prompt[mark.start() : following.start() if following else len(prompt)]
        found.append(Beat(min(float(mark[1]), seconds), min(float(mark[2]), seconds), text.strip()))
    return prompt[: marks[0].start()].strip(), tuple(found)


_LABEL = re.compile(
    r"\b(sound|audio|music|avoid|negative(?: prompt)?|style|look|light(?:ing)?|framing|camera|grade)\s*[:：]",
    re.IGNORECASE,
)


def story(prompt: str, *also: str) -> str:
    """What happens and where, in lower case: the prompt without its labelled sections (`Sound: …`, `Avoid: …`).

    `also` names the labels whose sections belong to it nevertheless. A prompt of nothing but sections is all story.
    """
    kept = []
    start, label = 0, ""
    for mark in [*_LABEL.finditer(prompt), None]:
        end = mark.start() if mark else len(prompt)
        if not label or label in also:
            kept.append(prompt[start:end])
        if mark:
            start, label = mark.end(), mark[1].lower()
    found = " ".join(kept).strip().lower()
    return found or prompt.lower()


def readable(text: str) -> str:
    """The text without what would not be drawn or would turn the rest around: controls, direction overrides."""
    joiners = "\u200c\u200d"
    kept = (
        " " if char.isspace() and char != "\n" else char
        for char in unicodedata.normalize("NFC", text)
        if char in joiners or char.isspace() or unicodedata.category(char)[0] != "C"
    )
    return "".join(kept).replace("\ufe0f", "")
