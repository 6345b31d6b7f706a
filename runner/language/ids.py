"""What the id of a shot may be: it names the shot, and its files on every disk."""

import re

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|\Z)", re.IGNORECASE)


def id_error(text: str) -> tuple[str, str] | None:
    """Why a text cannot name a shot and its files, and what to do; None when it can."""
    if not text:
        return "an id has at least one character", ""
    if len(text) > 64:
        return f"an id has at most 64 characters, and this has {len(text)}", "shorten it"
    if not _ID.match(text):
        hint = "letters and digits of ASCII, . _ - and first a letter or digit; {{ name | slug }} makes such text"
        return "this cannot name a shot and its files", hint
    if _RESERVED.match(text):
        return (
            f"Windows keeps the name {text.split('.')[0]} for itself",
            "choose another, so that the files fit on every disk",
        )
    if ".." in text or text.endswith("."):
        return "an id holds no two points in a row and ends in none", "remove the point"
    if text.lower().endswith((".first_frame", ".last_frame")):
        return "this looks like a frame of a shot", "choose an id that does not end so"
    if re.match(r"(?:image|video|audio)\d+\Z", text, re.IGNORECASE):
        return "this looks like a position among the references", "choose another id"
    return None
