"""The words of a shot that travel beside its request, for a provider that draws it: its own prompt, and its scene."""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import quote, unquote

PROMPT_HEADER = "X-Storyboard-Prompt"
SCENE_HEADER = "X-Storyboard-Scene"
MAX_BYTES = 4096
"""The longest value of a header, as it is sent."""


class ShotText(NamedTuple):
    """The words of a shot that its request does not hold; nothing of them is in a fingerprint."""

    prompt: str = ""
    """The shot's own prompt, before its `wrap`, with mentions as written."""
    scene: str = ""
    """The name of its scene, and on further lines the own prompts of the scene's other shots."""


NO_TEXT = ShotText()


def headers_of(text: ShotText) -> dict[str, str]:
    """The headers that carry the words: percent-encoded UTF-8, each cut to `MAX_BYTES`; an empty text has none."""
    named = {PROMPT_HEADER: text.prompt, SCENE_HEADER: text.scene}
    return {name: _encoded(value) for name, value in named.items() if value.strip()}


def text_of(prompt: str | None, scene: str | None) -> ShotText:
    """The words from the values of the two headers; what no client of ours sends becomes replacement characters."""
    return ShotText(_decoded(prompt), _decoded(scene))


def _encoded(text: str) -> str:
    """The text percent-encoded, cut before the first character that is beyond the limit."""
    pieces, length = [], 0
    for character in text:
        piece = quote(character, safe=" ", errors="replace")
        length += len(piece)
        if length > MAX_BYTES:
            break
        pieces.append(piece)
    return "".join(pieces).strip()


def _decoded(value: str | None) -> str:
    return unquote((value or "")[:MAX_BYTES], errors="replace").strip()


_MENTION = re.compile(r"@(\w(?:[\w.\-#]*\w)?)")
_POSITIONS = re.compile(r"@(?:image|video|audio)\d+(?: @(?:image|video|audio)\d+)*", re.IGNORECASE)


def own_part(own: str, sent: str) -> str:
    """The part of a prompt as it was sent that is the shot's own, on one line; `own` where it does not stand there.

    `own` has its mentions as written; in `sent` each stands as positions (`@image1 @image2`) or as its name, the
    first time with the words of its asset in brackets.
    """
    pieces = _MENTION.split(" ".join(own.split()))
    target = " ".join(sent.split())
    start = target.find(pieces[0])
    while 0 <= start <= len(target):
        end = _end_of_own(pieces, target, start + len(pieces[0]))
        if end is not None:
            return target[start:end]
        start = target.find(pieces[0], start + 1) if start < len(target) else -1
    return own


def _end_of_own(pieces: list[str], target: str, at: int) -> int | None:
    """The end of a text that goes on at `at` with mentions and the pieces between them; None where it does not."""
    for name, following in zip(pieces[1::2], pieces[2::2], strict=True):
        end = next((end for end in _ends_of_mention(target, at, name) if target.startswith(following, end)), None)
        if end is None:
            return None
        at = end + len(following)
    return at


def _ends_of_mention(target: str, at: int, name: str) -> Iterator[int]:
    """The possible ends of what was sent for a mention, the farthest first."""
    if (positions := _POSITIONS.match(target, at)) is not None:
        ends = [positions.start() + len(part) for part in accumulate(re.findall(r"@\w+ ?", positions[0]))]
        for end in reversed([end - (target[end - 1] == " ") for end in ends]):
            yield from _after_words(target, end)
    elif target.startswith(name, at):
        yield from _after_words(target, at + len(name))


def _after_words(target: str, at: int) -> Iterator[int]:
    """The end behind the words in brackets that follow, then `at` itself."""
    if target.startswith(" (", at):
        depth = 0
        for end in range(at + 1, len(target)):
            depth += {"(": 1, ")": -1}.get(target[end], 0)
            if not depth:
                yield end + 1
                break
    yield at
