"""Colour on a screen: a few named inks, or none."""

from runner.lazy_dataclass import dataclass

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
}


@dataclass(frozen=True, slots=True)
class Style:
    """Paints cleaned text; without colour it gives the text back as it is."""

    color: bool

    def __call__(self, text: str, name: str) -> str:
        """The text in a named ink."""
        codes = STYLES[name]
        if not self.color or not codes or not text.strip():
            return text
        return f"\x1b[{codes}m{text}\x1b[0m"
