"""`python -m runner` is the command `storyboard`; what it takes to say the version is all that is imported for it."""

import sys

from runner import __version__

_INTERRUPTED = 130


def main() -> int:
    """The entry of the command `storyboard`; a Ctrl-C ends it with 130, also one that comes while parts are loaded."""
    if sys.argv[1:] == ["--version"]:
        print(f"storyboard {__version__}")
        return 0
    try:
        from runner.cli import main as run

        code = run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    _hear_no_more()
    return code


def _hear_no_more() -> None:
    """All is done and said: a signal from here on would end the process as a signal does, and hide what it came to."""
    import signal

    while True:
        try:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
        except KeyboardInterrupt:  # it came before it was turned a deaf ear to
            continue
        return


if __name__ == "__main__":
    raise SystemExit(main())
