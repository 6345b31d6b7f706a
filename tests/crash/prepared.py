"""The program with everything imported, waiting: each run is a fork of this process, which saves the start.

From `main` on a fork is the program as it is installed, in a folder and an environment of its own. `power.c` and
`cut.c` are loaded here and idle until a fork begins.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tests import requirements

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class PreparedProgram:
    """A waiting program for one run at a time."""

    process: subprocess.Popen[str]

    def run(
        self, arguments: list[str], folder: Path, environment: Mapping[str, str], seconds: float = 120
    ) -> tuple[int, str]:
        """Carry out a run; returns its exit code (negative: killed by that signal) and its output."""
        output = folder.with_name(f".said-{folder.name}")
        order = {"words": arguments, "folder": str(folder), "environment": dict(environment), "said": str(output)}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({**order, "seconds": seconds}) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        return code, output.read_text(errors="replace")


def build_library(folder: Path) -> Path:
    """Compile the library that cuts a process off; without a C compiler the test is skipped."""
    compiler = requirements.c_compiler()
    library = folder / "cut.so"
    sources = [Path(__file__).with_name(name) for name in ("cut.c", "power.c")]
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, *sources, "-ldl"], check=True, timeout=60)
    return library


@contextmanager
def prepared_program(library: Path) -> Iterator[PreparedProgram]:
    """A program that waits, and ends with the block."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LD_PRELOAD": str(library)}
    command = [sys.executable, "-m", "tests.crash.prepared"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield PreparedProgram(process)
        assert process.stdin is not None
        process.stdin.close()


# -- in the process that waits ------------------------------------------------------------------------------


def _wait() -> None:
    """Carry out orders in turn; after each run, import the modules that the run needed."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        order = json.loads(line)
        reader, writer = os.pipe()
        gc.freeze()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _enter_environment(order)
            _run(writer)
        os.close(writer)
        if not select.select([reader], [], [], order["seconds"])[0]:
            os.kill(child, signal.SIGKILL)
        with os.fdopen(reader) as names:
            modules = names.read().split()
        _, status = os.waitpid(child, 0)
        for module in modules:
            with suppress(ImportError):
                importlib.import_module(module)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _enter_environment(order: dict[str, Any]) -> None:
    """Enter the folder, environment and arguments of a run, with its output in a file."""
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    output = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, place in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, place)
    sys.argv = ["storyboard", *order["words"]]
    ctypes.CDLL(None).cut_begin()


def _run(writer: int) -> NoReturn:
    from runner.__main__ import main

    before = set(sys.modules)
    try:
        code = main()
    finally:
        os.write(writer, "\n".join(name for name in sys.modules if name not in before).encode())
    threading._shutdown()  # type: ignore[attr-defined] # as at the end of the interpreter, without its clearing of memory
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _wait()
