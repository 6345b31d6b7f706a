"""A pool of drawing processes: one for each core, started on demand, outside the server's event loop."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import runner
from runner.animatic.cores import usable_cores
from runner.settings.environment import child_environment

Job = Mapping[str, Any]
JobResult = Mapping[str, Any]
# A job or an answer is one line of JSON; asyncio takes 64 kB without this.
_MAX_LINE_BYTES = 1 << 22
_WORKER = "import sys; sys.path.insert(0, sys.argv[1]); from runner.sandbox.drawing.worker import main; main()"


class DrawingError(Exception):
    """The drawing process reported an error, or died."""


class WorkerPool:
    """The idle and the running drawing processes."""

    def __init__(self, max_processes: int | None = None, python: str | None = None) -> None:
        self._slots = asyncio.Semaphore(max_processes or usable_cores())
        self._python = python
        self._idle: list[Process] = []
        self._all: set[Process] = set()

    async def run(self, job: Job, on_start: Callable[[], None] = lambda: None) -> JobResult:
        """The result of one job; DrawingError with the reason of a failure. `on_start` is called at its turn."""
        async with self._slots:
            on_start()
            process = self._idle.pop() if self._idle else await self._start()
            try:
                result = await self._exchange(process, job)
            except BaseException:
                _kill(process)  # half an answer may still be in its pipe
                raise
            if not result.get("done"):
                raise DrawingError(str(result.get("words", "no answer")))  # the process has exited after this answer
            self._idle.append(process)
        return result

    async def _start(self) -> Process:
        # -P: a package of the user's with the name of one of ours must not be imported; our folder is passed.
        package_folder = str(Path(runner.__file__).resolve().parent.parent)
        command = [self._python or sys.executable, "-P", "-c", _WORKER, package_folder]
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=PIPE,
                stdout=PIPE,
                # What libraries print about pictures would stand in the middle of the live screen.
                stderr=asyncio.subprocess.DEVNULL,
                limit=_MAX_LINE_BYTES,
                # Without the provider's key, which a child has no use for.
                env=child_environment(),
            )
        except OSError as error:
            # Python was removed or exchanged below a running server, or the machine has no process left.
            raise DrawingError(f"no drawing process can be started ({error.strerror})") from error
        self._all.add(process)
        return process

    async def _exchange(self, process: Process, job: Job) -> JobResult:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(dict(job)).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
            result = json.loads(line)
        except (OSError, ValueError) as error:
            raise DrawingError("the drawing process died") from error
        assert isinstance(result, dict)
        return result

    async def close(self) -> None:
        """Kill every process and wait for its end."""
        for process in self._all:
            _kill(process)
        for process in self._all:
            await process.wait()


def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
