"""The entry point of `storyboard`: the version is answered before the rest is imported."""

import os
import sys

from runner import __version__, streams

# The exit codes, written again: `ExitCode` would be loaded for nothing where the command ends before it starts.
_INTERRUPTED = 130
_OUTPUT_LOST = 3
# The exit codes of a command whose result is its output.
_DONE = (0, 8)


def main() -> int:
    """Run the command line; a Ctrl-C ends it with 130, even during imports."""
    try:
        streams.open_missing()
        output = streams.protect()
        if sys.argv[1:] == ["--version"]:
            print(f"storyboard {__version__}")
            return _check_output(0, output)
        code = _check_output(_run(), output)
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


def _check_output(code: int, output: streams.NotedOutput) -> int:
    """The exit code; 3 in place of 0 and 8 where the output could not be written."""
    reason = streams.lost_output(output)
    if reason is None or code not in _DONE:
        return code
    print(
        f"storyboard: standard output cannot be written ({reason}): the command was carried out, and its output is "
        "lost; send it elsewhere, or make room, and run the command again",
        file=sys.stderr,
    )
    return _OUTPUT_LOST


def _run() -> int:
    from runner.cli import main as run

    return run()


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
