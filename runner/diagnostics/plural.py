"""A number with its noun."""


def count(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: `1 shot`, `24 shots`, `3 storyboards`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
