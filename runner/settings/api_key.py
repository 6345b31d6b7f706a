"""The API key: sent in one header to one host, never written, never shown."""

import re

from runner.lazy_dataclass import dataclass, field

_SHAPE = re.compile(r"[\x21-\x7e]{6,512}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of valid shape; its `repr` hides the secret."""

    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """The first 8 hex digits of the key's SHA-256, which identify the key without revealing it."""
        import hashlib

        return hashlib.sha256(self.secret.encode()).hexdigest()[:8]


def key_format_error(text: str) -> str | None:
    """The error in a key's shape, None if there is none; the message never contains the key."""
    if text != text.strip() or any(character in text for character in "\r\n\t "):
        return "it contains white space: copy it again without spaces and line ends"
    if text[:1] in "\"'" or text[-1:] in "\"'":
        return "it is in quotes: leave them out"
    if text.lower().startswith("bearer"):
        return "it begins with 'Bearer': leave that word out"
    if not text.isascii():
        return "it contains a character that is not ASCII"
    if _SHAPE.fullmatch(text) is None:
        return f"it has {len(text)} characters; keys have 6 to 512"
    return None
