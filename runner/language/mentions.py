"""Finds @mentions in text, their targets, and substitutes the text that is sent for them."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from runner.diagnostics.folded_name import fold_name
from runner.diagnostics.problem import closest_match
from runner.language.asset import Asset
from runner.language.foreign_positions import foreign_position
from runner.language.ids import split_mention
from runner.language.materials import extension
from runner.lazy_pattern import lazy_pattern
from runner.media.files import known_endings
from runner.requests.request import Kind, TakePart

# The pattern begins with @ and looks behind from there, so that the search jumps from one @ to the next.
_AT = lazy_pattern(r"@(?:@|(?<![A-Za-z0-9._\-+@]@)(?=\S))")
_RUN = lazy_pattern(r"[\w.\-]+")
# Takes go to 20: a third digit reaches the wrong ones, which are to be reported; `#2nd` behind a name is text.
_PIN = lazy_pattern(r"#([0-9]{1,3})(?!\w)")
_FRAME = lazy_pattern(r"\.(first_frame|last_frame)(?![\w])", re.IGNORECASE)
_POSITION = lazy_pattern(r"(image|video|audio)([0-9]{1,4})\Z", re.IGNORECASE | re.ASCII)
# The first characters of a pin or a frame after a name.
_SUFFIX_STARTS = frozenset(".#")
_FRAME_NAMES = ("first_frame", "last_frame")


class MentionTarget(NamedTuple):
    """The target of a mention: an asset, a shot's clip or one of its frames, or a position among the references."""

    name: str
    kind: Literal["asset", "shot", "position"]
    part: TakePart = "clip"
    take: int | None = None
    position: tuple[Kind, int] | None = None


class Mention(NamedTuple):
    """One mention in a text, from its `@` to its end, with its target; None when the name is unknown."""

    start: int
    end: int
    written: str
    """The mention as written, without `@`."""
    target: MentionTarget | None
    problem: tuple[str, str, str] | None = None
    """Code, message and hint of a mention that cannot be used."""

    @property
    def is_unknown(self) -> bool:
        """Whether nothing has this name."""
        return self.target is None and self.problem is None


Names = Mapping[str, Asset | str]
"""Assets and ids of shots by folded name."""


def is_name(text: str) -> bool:
    """Whether a text consists of letters and digits of any script, `_`, `-` and `.` alone."""
    return bool(text) and all(c.isalnum() or c in "_-." or _is_combining(c) for c in text)


def _is_combining(char: str) -> bool:
    """Whether a character is a combining mark, which belongs to the letter before it."""
    if char <= "\x7f":
        return False
    import unicodedata

    return unicodedata.category(char)[0] == "M"


def reference_position(name: str) -> tuple[Kind, int] | None:
    """Kind and number of a position such as `image1` or `Video2`; None for any other name."""
    match = _POSITION.match(name)
    kinds: dict[str, Kind] = {"image": "image", "video": "video", "audio": "audio"}
    return (kinds[match[1].lower()], int(match[2])) if match else None


def find(text: str, names: Names) -> list[Mention]:
    """Every mention of a text, in order. `@@` is a literal @; before a position such as `image1` it is a problem."""
    mentions: list[Mention] = []
    position = 0
    for match in _AT.finditer(text):
        if match.start() < position:
            continue
        if match.group() == "@@":
            position = match.end()
            # Behind any number of signs: of `@@@image1` the API still gets an @ before a position.
            run = _name_run(text, len(text) - len(text[position:].lstrip("@")))
            if run and reference_position(re.split(r"[.\-]", run)[0]):
                hint = "write a space after @, or the name without @"
                message = f"the provider would read @{run} as a mention"
                mentions.append(
                    Mention(match.start(), position + len(run), run, None, ("literal-position", message, hint))
                )
            elif position_here := foreign_position(text, position):
                written, name = position_here
                hint = f"write @{name} for that material of the references, or a space after @"
                message = f"@@{written} is sent as the text @{written}, which mentions nothing"
                mentions.append(
                    Mention(match.start(), position + len(written), written, None, ("literal-position", message, hint))
                )
            continue
        mention = _mention(text, match.start(), names)
        if mention is not None:
            mentions.append(mention)
            position = mention.end
    return mentions


def _name_run(text: str, start: int) -> str:
    """The longest run of name characters from an offset on."""
    match = _RUN.match(text, start)
    end = match.end() if match else start
    # The usual case: a combining mark, which `\w` does not take, cannot follow.
    if match and (end == len(text) or text[end] <= "\x7f"):
        return match.group()
    end = start
    while match := _RUN.match(text, end):
        end = match.end()
        while end < len(text) and _is_combining(text[end]):
            end += 1
    return text[start:end]


def _mention(text: str, start: int, names: Names) -> Mention | None:
    run = _name_run(text, start + 1)
    if not run:
        return None
    for length in _possible_lengths(run):
        prefix = run[:length]
        target = names.get(fold_name(prefix))
        if target is None:
            if (place := reference_position(prefix)) is None:
                continue
            return Mention(start, start + 1 + length, prefix, MentionTarget(prefix, "position", position=place))
        end = start + 1 + length
        if isinstance(target, Asset):
            return _asset_mention(text, start, end, target)
        assert isinstance(target, str)
        return _shot_mention(text, start, end, target)
    # The point at the end of a sentence is no part of the name.
    word = run.rstrip(".-_") or run
    return Mention(start, start + 1 + len(word), word, None)


def _possible_lengths(run: str) -> Iterator[int]:
    """Lengths at which a name may end, the longest first: before `.`, `-`, `_`, or where ASCII meets another script."""
    yield len(run)
    for i in range(len(run) - 1, 0, -1):
        # `café` is one word; `maria走进` is a name and the word behind it.
        if run[i] in ".-_" or (run[i].isascii() != run[i - 1].isascii() and not _is_latin(max(run[i - 1], run[i]))):
            yield i


def _is_latin(letter: str) -> bool:
    """Whether a letter beyond ASCII belongs to a word of ASCII letters: `é`, or a combining accent."""
    import unicodedata

    return unicodedata.category(letter)[0] == "M" or unicodedata.name(letter, "").startswith("LATIN ")


def _asset_mention(text: str, start: int, end: int, asset: Asset) -> Mention:
    written = text[start + 1 : end]
    target = MentionTarget(asset.name, "asset")
    if text[end : end + 1] not in _SUFFIX_STARTS:
        return Mention(start, end, written, target)
    frame, pin = _FRAME.match(text, end), _PIN.match(text, end)
    if frame:
        part: TakePart = "first_frame" if frame[1].lower() == "first_frame" else "last_frame"
        whole = f"{written}.{part}"
        return Mention(start, frame.end(), whole, MentionTarget(asset.name, "asset", part), _frame_problem(asset, part))
    if pin:
        problem = (
            "pin-of-asset",
            f"`{asset.name}` is an asset; only shots have takes",
            f"write @{written} without {pin.group()}",
        )
        return Mention(start, pin.end(), written, target, problem)
    return Mention(start, end, written, target)


def _frame_problem(asset: Asset, part: str) -> tuple[str, str, str] | None:
    """Code, message and hint of a frame of an asset that is no video of this repository; None for one that is."""
    kind, written = asset.sources[0][:2] if asset.sources else (None, "")
    if (kind or known_endings.get(extension(written))) != "video":
        message = f"`{asset.name}` is no video: only videos and the clips of shots have a {part}"
        return "frame-of-asset", message, f"write @{asset.name}, or name a video or a shot"
    if "://" in written:
        message = f"`{asset.name}` lies at an address, which nobody downloads to cut its {part}"
        return "frame-of-asset", message, "name a copy of the video in the repository, or save the picture as an image"
    return None


def _shot_mention(text: str, start: int, end: int, shot: str) -> Mention:
    if text[end : end + 1] not in _SUFFIX_STARTS:
        return Mention(start, end, text[start + 1 : end], MentionTarget(shot, "shot"))
    take: int | None = None
    if pin := _PIN.match(text, end):
        take, end = int(pin[1]), pin.end()
    part: TakePart = "clip"
    if frame := _FRAME.match(text, end):
        part = "first_frame" if frame[1].lower() == "first_frame" else "last_frame"
        end = frame.end()
    elif closest := _misspelt_frame(text, end):
        word, frame_name = closest
        problem = ("unknown-name", f"shots have no .{word}", f"did you mean @{shot}.{frame_name}?")
        return Mention(start, end + 1 + len(word), text[start + 1 : end], MentionTarget(shot, "shot"), problem)
    return Mention(start, end, text[start + 1 : end], MentionTarget(shot, "shot", part, take))


def _misspelt_frame(text: str, end: int) -> tuple[str, str] | None:
    # From `frame` to a `firstt_frame`: after any other word a point ends a sentence.
    match = re.compile(r"\.([A-Za-z_]{5,12})(?!\w)").match(text, end)
    if match is None:
        return None
    closest = closest_match(match[1], (*_FRAME_NAMES, "firstframe", "lastframe", "frame"))
    return (match[1], _FRAME_NAMES["first" not in closest]) if closest and "frame" in match[1].lower() else None


def parse_single(written: str, names: Names) -> Mention:
    """The mention that is the whole value of a field: `maria`, `@quay.last_frame`, `quay#2`."""
    text = written if written.startswith("@") else f"@{written}"
    mention = _mention(text, 0, names)
    # A field holds one name and nothing behind it.
    if mention is None or (mention.end != len(text) and mention.problem is None):
        return Mention(0, len(text), text[1:], None)
    return mention


def substitute(text: str, mentions: list[Mention], replacement: Callable[[Mention], str]) -> str:
    """The text as sent: mentions replaced, `@@` as a literal `@`."""
    if not mentions:
        return text.replace("@@", "@")
    parts: list[str] = []
    end = 0
    for mention in mentions:
        parts += (text[end : mention.start].replace("@@", "@"), replacement(mention))
        end = mention.end
    parts.append(text[end:].replace("@@", "@"))
    return "".join(parts)


# Each search compares with all names, and a matrix repeats one mistake in every shot.
@lru_cache(maxsize=1024)
def suggestion(name: str, names: frozenset[str]) -> str:
    """The hint for an unknown name: the nearest name with the same frame or pin, or an empty text."""
    bare_name, ending = split_mention(name)
    closest = closest_match(bare_name, names)
    return f"did you mean @{closest}{ending}?" if closest else ""
