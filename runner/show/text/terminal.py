"""The terminal: how wide a screen may be, and whether colours are shown."""


def use_color(stream: object, no_color: bool) -> bool:
    """Whether to colour the text that goes to a stream; `no_color` is the flag of that name."""
    from runner.settings import settings

    is_terminal = getattr(stream, "isatty", bool)()
    return bool(is_terminal) and not no_color and not settings.no_color()


def terminal_width() -> int:
    """The terminal's width in columns; 100 where there is no terminal."""
    # Imported only where a screen is drawn: it costs a small command several milliseconds.
    import shutil

    return shutil.get_terminal_size((100, 40)).columns
