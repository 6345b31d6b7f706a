"""The fonts for a text, found by fontconfig with an environment that holds no key."""

from runner.animatic.fonts import Faces, faces_of, missing_font
from runner.settings.environment import child_environment


def faces_for(text: str) -> Faces:
    """The faces that draw a text."""
    return faces_of(text, tuple(sorted(child_environment().items())))


def undrawable(text: str) -> str | None:
    """The characters that no font draws, with the package to install; None when all can be drawn."""
    return missing_font(text, child_environment())
