"""The words of a shot that travel beside its request, for a provider that draws it: its own prompt, and its scene."""

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import quote, unquote

from runner.lazy_pattern import lazy_pattern

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
        # Character by character, so that the limit cuts none in the middle of its escapes.
        piece = quote(character, safe=" ", errors="replace")
        length += len(piece)
        if length > MAX_BYTES:
            break
        pieces.append(piece)
    return "".join(pieces).strip()


def _decoded(value: str | None) -> str:
    return unquote((value or "")[:MAX_BYTES], errors="replace").strip()


_MENTION = lazy_pattern(r"@(\w(?:[\w.\-#]*\w)?)")
# An asset has nine pictures at most, and its mention becomes a position for each.
_POSITIONS = lazy_pattern(r"@(?:image|video|audio)\d+(?: @(?:image|video|audio)\d+){0,8}", re.IGNORECASE)
# Places and readings of mentions that are tried before a prompt counts as not found.
_MAX_TRIES = 1_000


def own_part(own: str, sent: str) -> str:
    """The part of a prompt as it was sent that is the shot's own, on one line; `own` where it does not stand there.

    `own` has its mentions as written; in `sent` each stands as positions (`@image1 @image2`) or as its name, the
    first time with the words of its asset in brackets.
    """
    pieces = _MENTION.split(" ".join(own.split()))
    target = " ".join(sent.split())
    start, tries = target.find(pieces[0]), iter(range(_MAX_TRIES))
    while 0 <= start <= len(target) and next(tries, None) is not None:
        end = _end_of_own(pieces, target, start + len(pieces[0]), tries)
        if end is not None:
            return target[start:end]
        start = target.find(pieces[0], start + 1) if start < len(target) else -1
    return own


def _end_of_own(pieces: list[str], target: str, start: int, tries: Iterator[int]) -> int | None:
    """The end of a text that goes on at `start` with mentions and the pieces between them; None where it does not."""
    mentions = list(zip(pieces[1::2], pieces[2::2], strict=True))
    branches = [iter([start])]
    seen = set[tuple[int, int]]()
    while branches:
        at = next(branches[-1], None)
        depth = len(branches) - 1
        if at is None:
            branches.pop()
        elif depth == len(mentions):
            return at
        elif (depth, at) not in seen and next(tries, None) is not None:
            # Each place once: a prompt of many equal words would otherwise be tried in every combination.
            seen.add((depth, at))
            name, following = mentions[depth]
            ends = _ends_of_mention(target, at, name)
            branches.append(iter([end + len(following) for end in ends if target.startswith(following, end)]))
    return None


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
