"""Named text styles of the screens, with or without colour."""

from runner.lazy_dataclass import dataclass

# The terminal's own eight colours, which its owner can read, on light as on dark.
STYLES = {
    "plain": "",
    "strong": "1",
    "quiet": "2",
    "good": "32",
    "warn": "33",
    "bad": "31",
    "strong good": "1;32",
    "strong bad": "1;31",
    "strong warn": "1;33",
    "command": "36",
    "money": "1",
    # As compilers have it: blue for all that is not the file's own text.
    "margin": "34",
}


@dataclass(frozen=True, slots=True)
class Style:
    """The style of escaped text; without colour the text stays unchanged."""

    color: bool

    def __call__(self, text: str, name: str) -> str:
        """The text in a named style."""
        codes = STYLES[name]
        # Codes around blanks would only be bytes, and underline nothing.
        if not self.color or not codes or not text.strip():
            return text
        return f"\x1b[{codes}m{text}\x1b[0m"
