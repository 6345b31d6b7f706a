"""An interpreter of a test's own that runs many commands: for tests of who starts it, or of what a command starts.

Each command is a fork of it, so that only the first pays for the imports.
"""

import atexit
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

_ROOT = Path(__file__).parents[2]
_START = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from {__name__} import carry_out; carry_out()"


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a command, and the programs that it started, each with its environment."""

    code: int
    out: str
    err: str
    started: Sequence[tuple[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class ForkingInterpreter:
    """The waiting interpreter, seen from the tests."""

    process: "subprocess.Popen[str]"

    def run(self, words: Sequence[str], folder: Path, environment: Mapping[str, str], until: str = "") -> Ended:
        """`storyboard WORDS`, without input, to its end; Ctrl-C is pressed at a line that begins with `until`."""
        order = {"words": list(words), "folder": str(folder), "environment": dict(environment), "until": until}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return Ended(**json.loads(self.process.stdout.readline()))


@contextmanager
def forking_interpreter(before: Sequence[str] = ()) -> Iterator[ForkingInterpreter]:
    """An interpreter that ends with the block; `before`: words before it, which may change its user or its rights."""
    environment = {"PATH": os.environ["PATH"], "PYTHONUTF8": "1"}
    command = [*before, sys.executable, "-P", "-c", _START]
    with subprocess.Popen(
        command, cwd="/", env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield ForkingInterpreter(process)
        assert process.stdin is not None
        process.stdin.close()


# -- in the interpreter -------------------------------------------------------------------------------------


def carry_out() -> None:
    """Carry out the orders of standard input, in turn."""
    for line in sys.stdin:
        print(json.dumps(_end_of(json.loads(line))), flush=True)


def _end_of(order: dict[str, Any]) -> dict[str, Any]:
    reader, output = os.pipe()
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as notes:
        gc.freeze()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _run(order, output, errors.fileno(), notes.fileno())
        os.close(output)
        out = ""
        with os.fdopen(reader) as lines:
            for line in lines:
                out += line
                if order["until"] and line.startswith(order["until"]):
                    os.kill(child, signal.SIGINT)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        errors.seek(0)
        notes.seek(0)
        noted = [json.loads(line) for line in notes]
        for module in [name for kind, name in noted if kind == "imported"]:
            with suppress(ImportError):
                importlib.import_module(module)
        started = [program for kind, program in noted if kind == "started"]
        return {"code": code, "out": out, "err": errors.read().decode(), "started": started}


def _run(order: dict[str, Any], output: int, errors: int, notes: int) -> NoReturn:
    """Be the command to its end, and note the programs that it starts and the modules that it imports."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (output, 1), (errors, 2)):
        os.dup2(descriptor, place)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["storyboard", *order["words"]]
    before = set(sys.modules)

    def note(kind: str, value: object) -> None:
        os.write(notes, json.dumps([kind, value]).encode() + b"\n")

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            given = arguments[3]
        elif event in ("os.posix_spawn", "os.exec"):
            given = arguments[2]
        elif event in ("os.system", "os.spawn"):
            given = None
        else:
            return
        note("started", [str(arguments[1]), dict(os.environ if given is None else given)])

    sys.addaudithook(on_event)
    from runner.__main__ import main

    try:
        code = main()
    finally:
        for name in [name for name in sys.modules if name not in before]:
            note("imported", name)
    threading._shutdown()  # type: ignore[attr-defined] # as at the end of the interpreter, without its clearing of memory
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
