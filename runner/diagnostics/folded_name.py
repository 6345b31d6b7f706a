"""The form in which names compare."""


def fold_name(name: str) -> str:
    """The form in which names are compared: case and Unicode normalization make no difference."""
    if name.isascii():
        return name.casefold()
    from unicodedata import normalize

    # Normalized again, since folding takes letters such as ǰ apart.
    return normalize("NFC", normalize("NFC", name).casefold())
