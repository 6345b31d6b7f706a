"""The drawing process of a prepared program: what was drawn or measured before is copied, the rest a real one draws.

Equal jobs have equal results (`AnimaticSpec`), so a suite that makes the same film in fifty tests draws it once,
for all of its workers.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

# A process starts for each run of the suite, nearly always to copy: what a real drawing needs is imported then.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = "DRAWN_ONCE"
"""The environment variable with the folder of the results of one run of the suite (`tests/conftest.py`)."""


def write_interpreter(folder: Path) -> Path:
    """A script in place of `sys.executable`: it starts this module for a drawing process, Python for all others."""
    import shlex

    script, python, results = folder / "python", shlex.quote(sys.executable), os.environ.get(RESULTS, str(folder))
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.drawn_once import main; main(sys.argv[1:])"
    # -S: this module needs the standard library alone, and the search for other packages takes half of a start.
    script.write_text(
        f'#!/bin/sh\ncase "$3" in\n*runner.sandbox.drawing.worker*)\n'
        f'  exec {python} -S -E -P -c {shlex.quote(start)} {shlex.quote(results)} {python} "$@" ;;\n'
        f'esac\nexec {python} "$@"\n'
    )
    script.chmod(0o755)
    return script


def main(arguments: Sequence[str]) -> None:
    """Answer each job of standard input; arguments: the folder of results, and the command of the real process."""
    folder, command = Path(arguments[0]), arguments[1:]
    real: subprocess.Popen[str] | None = None
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        result = folder / _fingerprint({key: value for key, value in job.items() if key != "target"})
        if not result.exists():
            real = real or _start(command)
            if not _keep(real, line, job, result):
                return
        if "target" in job:
            _copy(result.with_suffix(".file"), Path(job["target"]))
        print(result.read_text(), end="", flush=True)


def _start(command: Sequence[str]) -> "subprocess.Popen[str]":
    import subprocess

    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _keep(real: "subprocess.Popen[str]", line: str, job: "dict[str, Any]", result: Path) -> bool:
    """Let the real process do a job, and keep what came of it; a failure is passed on, and ends this process."""
    assert real.stdin is not None
    assert real.stdout is not None
    real.stdin.write(line)
    real.stdin.flush()
    answer = real.stdout.readline()
    if not answer or not json.loads(answer)["done"]:
        print(answer, end="", flush=True)
        return False
    if "target" in job:
        _copy(Path(job["target"]), result.with_suffix(".file"))
    part = result.with_suffix(f".{os.getpid()}")
    part.write_text(answer)
    part.replace(result)
    return True


def _copy(source: Path, target: Path) -> None:
    """Copy a file in one step: another process that draws the same reads the whole file or none."""
    part = target.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(source.read_bytes())
    part.replace(target)


def _fingerprint(job: "dict[str, Any]") -> str:
    """The hash of a job, with the content of each file in place of its path."""
    return hashlib.sha256(json.dumps(_with_contents(job), sort_keys=True).encode()).hexdigest()


def _with_contents(value: "Any") -> "Any":
    if isinstance(value, dict):
        return {key: _with_contents(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_contents(item) for item in value]
    if isinstance(value, str) and value.startswith("/") and Path(value).is_file():
        return hashlib.sha256(Path(value).read_bytes()).hexdigest()
    return value
