"""`python -m runner` is the command `storyboard`; what it takes to say the version is all that is imported for it."""

import os
import sys
from io import TextIOWrapper

from runner import __version__

_INTERRUPTED = 130


def main() -> int:
    """The entry of the command `storyboard`; a Ctrl-C ends it with 130, also one that comes while parts are loaded."""
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
        except KeyboardInterrupt:  # it came before it was turned a deaf ear to
            continue
    if code and _has_live_threads():
        os._exit(code)  # all is closed and said; a download that was left has its part file, and would be waited for
    return code


def _run() -> int:
    from runner.cli import main as run

    return run()


def _print_remembered() -> bool:
    """A run that would find nothing to do, as it did before: said from memory."""
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
    except OSError:  # nobody reads any more, which changes nothing
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return True


def _ignore_signals() -> bool:
    """All is done and said: a signal from here on would end the process as a signal does, and hide what it came to."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return True


def _has_live_threads() -> bool:
    """Whether a thread still works that Python would wait for."""
    if "threading" not in sys.modules:
        return False
    import threading

    return any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())


if __name__ == "__main__":
    raise SystemExit(main())
