"""Rules for the id of a shot, which names its files on every operating system, and for what may stand behind a name."""

import re

from runner.attempts.clip_name import names_files
from runner.lazy_pattern import lazy_pattern

# Most ids: letters, digits, - and _, and no reserved name. The other rules need not be asked for them.
_PLAIN = lazy_pattern(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d|image\d+|video\d+|audio\d+)\Z)[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z",
    re.IGNORECASE | re.ASCII,
)
# Devices of Windows under any ending: a repository is cloned there too.
_RESERVED = lazy_pattern(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)
_ENDING = lazy_pattern(r"(?:#\d+)?(?:\.(?:first|last)_frame)?\Z", re.IGNORECASE)


def id_error(text: str) -> tuple[str, str] | None:
    """Return why a text cannot be the id of a shot, and a hint; None for a usable id."""
    if _PLAIN.match(text):
        return None
    if not text:
        return "an id has at least one character", ""
    if len(text) > 64:
        return f"an id has at most 64 characters, and this id has {len(text)}", "shorten it"
    if not names_files(text):
        hint = "use ASCII letters, digits, . _ - and a letter or digit first; {{ name | slug }} makes such text"
        return "this id cannot name a shot and its files", hint
    if _RESERVED.match(text):
        return f"the name {text.split('.')[0]} is reserved on Windows", "choose another id: it names files too"
    if ".." in text or text.endswith("."):
        return "an id has no two points in a row and none at its end", "remove the point"
    if is_frame_name(text):
        return "this id looks like a frame of a shot", "choose an id without this ending"
    if re.match(r"(?:image|video|audio)\d+\Z", text, re.IGNORECASE):
        return "this id looks like a position among the references", "choose another id"
    return None


def is_frame_name(text: str) -> bool:
    """Whether a text ends like the frame of a shot: `quay.last_frame`."""
    return text.lower().endswith((".first_frame", ".last_frame"))


def split_mention(text: str) -> tuple[str, str]:
    """A mention as its name, and the pin and the frame behind it: `quay` and `#2.last_frame`."""
    match = _ENDING.search(text)
    start = match.start() if match else len(text)
    return text[:start], text[start:]
