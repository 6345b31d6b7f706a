"""The program with everything imported, waiting: each command is a process of its own, forked from the waiting one.

A fork costs about a tenth of a start of the interpreter. From `main` on it is the program as it is installed: with its
own folder, environment, descriptors, signals and locks. Tests of the start itself start the interpreter.
"""

import atexit
import contextlib
import ctypes
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NoReturn

from tests.drawn_once import write_interpreter

ROOT = Path(__file__).parents[1]
_STREAMS = 3


class PreparedProcess:
    """A command that runs in a process of its own."""

    def __init__(self, pid: int, answers: socket.socket) -> None:
        self.pid = pid
        self._answers = answers
        self._code: int | None = None

    def wait(self, timeout: float = 300) -> int:
        """The exit code, negative if a signal ended the process; TimeoutError after so many seconds."""
        if self._code is None:
            self._answers.settimeout(timeout)
            with self._answers, self._answers.makefile("r") as lines:
                self._code = int(lines.readline())
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the end is known."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class PreparedProgram:
    """The waiting process, seen from the tests. `environment` is that in which it is started itself."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._orders, other = socket.socketpair()
        self._folder = tempfile.TemporaryDirectory(prefix="prepared-")
        interpreter = write_interpreter(Path(self._folder.name))
        command = [sys.executable, "-m", "tests.prepared", str(other.fileno()), str(interpreter)]
        env = {**environment, "PYTHONUTF8": "1"}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        other.close()

    def start(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[int],
        prepare: str = "",
    ) -> PreparedProcess:
        """Start `storyboard WORDS` with these descriptors for its standard streams.

        prepare: a C function without arguments, in a library that was loaded with the waiting program, to call first.
        """
        order = {"words": list(words), "folder": str(folder), "environment": dict(environment), "prepare": prepare}
        answers, other = socket.socketpair()
        with other:
            socket.send_fds(self._orders, [b"o"], [other.fileno(), *streams])
        answers.sendall(json.dumps(order).encode() + b"\n")
        pid = b""
        while not pid.endswith(b"\n"):
            pid += answers.recv(1)  # byte by byte: what follows is the end
        return PreparedProcess(int(pid), answers)

    def close(self) -> None:
        """End the waiting program, and all that still runs."""
        self._orders.close()
        self._process.wait(60)
        self._folder.cleanup()


@functools.cache
def program() -> PreparedProgram:
    """The prepared program of this process of the suite."""
    started = PreparedProgram(os.environ)
    atexit.register(started.close)
    return started


def run(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """`storyboard WORDS` in a folder, without input, to its end: exit code, output and errors."""
    with open(os.devnull) as nothing, _text_file() as output, _text_file() as errors:
        streams = (nothing.fileno(), output.fileno(), errors.fileno())
        code = program().start(words, folder, environment, streams).wait()
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(["storyboard", *words], code, output.read(), errors.read())


def _text_file() -> "IO[str]":
    return tempfile.TemporaryFile("w+", encoding="utf-8")


# -- in the process that waits ------------------------------------------------------------------------------


class _Server:
    """Forks a process for each order, and answers with its process id and, at its end, its exit code."""

    def __init__(self, orders: socket.socket, interpreter: str) -> None:
        self._orders = orders
        self._interpreter = interpreter
        self._ends, self._wakeup = socket.socketpair()
        self._answers: dict[int, socket.socket] = {}
        self._modules: dict[int, int] = {}
        """For each running process, the pipe that brings the names of the modules it has imported."""

    def serve(self) -> None:
        """Carry out orders until the other side closes; what still runs then is terminated."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the tests, which close
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        while True:
            ready, _, _ = select.select([self._orders, self._ends], [], [])
            if self._ends in ready:
                self._ends.recv(4096)
                self._report_ends()
            if self._orders in ready:
                _, descriptors, _, _ = socket.recv_fds(self._orders, 1, 1 + _STREAMS)
                if not descriptors:
                    break
                self._fork(socket.socket(fileno=descriptors[0]), descriptors[1:])
        for pid in self._answers:
            os.kill(pid, signal.SIGTERM)

    def _fork(self, answers: socket.socket, streams: list[int]) -> None:
        with answers.makefile("r") as lines:
            order = json.loads(lines.readline())
        reader, writer = os.pipe()
        gc.freeze()
        pid = os.fork()
        if pid == 0:
            for connection in (self._orders, self._ends, answers, *self._answers.values()):
                connection.close()
            for descriptor in (reader, *self._modules.values()):
                os.close(descriptor)
            signal.set_wakeup_fd(-1)
            self._wakeup.close()
            sys.executable = self._interpreter
            _run(order, streams, writer)
        for descriptor in (writer, *streams):
            os.close(descriptor)
        self._answers[pid], self._modules[pid] = answers, reader
        answers.sendall(b"%d\n" % pid)

    def _report_ends(self) -> None:
        """Answer for each process that has ended; import what it has imported, so that the next need not."""
        while self._answers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._answers.pop(pid) as answers, contextlib.suppress(BrokenPipeError):
                answers.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
            with os.fdopen(self._modules.pop(pid)) as names:
                modules = names.read().split()
            for module in modules:
                with contextlib.suppress(ImportError):
                    importlib.import_module(module)


def _run(order: dict[str, Any], streams: list[int], writer: int) -> NoReturn:
    """Be the command: its folder, environment, descriptors and arguments, then its `main`, to the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for place, descriptor in enumerate(streams):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["storyboard", *order["words"]]
    before = set(sys.modules)
    if order["prepare"]:
        ctypes.CDLL(None)[order["prepare"]]()

    from runner.__main__ import main

    try:
        code = main()
    finally:
        # in the order of their import: `_asyncio` before `asyncio` is loaded twice, and knows no current task
        os.write(writer, "\n".join(name for name in sys.modules if name not in before).encode())
        os.close(writer)
    threading._shutdown()  # type: ignore[attr-defined] # as at the end of the interpreter, without its clearing of memory
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _Server(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]).serve()
