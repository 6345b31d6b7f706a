"""The entry point of `storyboard`: the version and a remembered no-op run are answered before the rest is imported."""

import os
import sys
from io import TextIOWrapper

from runner import __version__

_INTERRUPTED = 130


def main() -> int:
    """Run the command line; a Ctrl-C ends it with 130, even during imports."""
    if sys.argv[1:] == ["--version"]:
        print(f"storyboard {__version__}")
        return 0
    try:
        code = 0 if sys.argv[1:2] == ["run"] and _print_remembered() else _run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    ignored = False
    while not ignored:
        try:
            ignored = _ignore_signals()
        except KeyboardInterrupt:  # a signal arrived before the handlers were replaced: try again
            continue
    if code and _has_live_threads():
        os._exit(code)  # a cancelled download keeps its part file; Python would wait for its thread
    return code


def _run() -> int:
    from runner.cli import main as run

    return run()


def _print_remembered() -> bool:
    """Print the remembered output of a run with nothing to do; False if there is none for this command line."""
    from runner.settings.environment import default_state_folder, environment_snapshot
    from runner.store.noop_cache import lookup

    state = default_state_folder()
    output = None if state is None else lookup(state, __version__, sys.argv[1:], environment_snapshot())
    if output is None:
        return False
    try:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        print(output, end="", flush=True)
    except OSError:  # the reader has closed the stream: the result stays the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _ignore_signals() -> bool:
    """Ignore signals from here on: a signal would replace the exit code of the finished command."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return True


def _has_live_threads() -> bool:
    """Whether a thread is running that Python would wait for."""
    if "threading" not in sys.modules:
        return False
    import threading

    return any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())


if __name__ == "__main__":
    raise SystemExit(main())
