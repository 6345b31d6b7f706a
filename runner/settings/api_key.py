"""The account's key: goes into one header of one host, and into nothing that is written or shown."""

import re

from runner.lazy_dataclass import dataclass, field

_SHAPE = re.compile(r"[\x21-\x7e]{8,512}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the right shape; its `repr` hides it."""

    secret: str = field(repr=False)

    @property
    def id(self) -> str:
        """The first 8 of its SHA-256: says which key it was without saying the key."""
        import hashlib

        return hashlib.sha256(self.secret.encode()).hexdigest()[:8]


def key_format_error(text: str) -> str | None:
    """What is wrong with the shape of a key, in words that do not hold it; None when nothing is."""
    if text != text.strip() or any(character in text for character in "\r\n\t "):
        return "it holds white space: copy it again without blanks and line ends"
    if text[:1] in "\"'" or text[-1:] in "\"'":
        return "it stands in quotes: leave them out"
    if text.lower().startswith("bearer"):
        return "it begins with 'Bearer': leave that word out"
    if not text.isascii():
        return "it holds a character that is not ASCII"
    if _SHAPE.fullmatch(text) is None:
        return f"it has {len(text)} characters; keys have 8 to 512"
    return None
