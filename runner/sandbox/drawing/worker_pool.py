"""The drawing processes: as many as there are cores, started when the first is needed, never in the server's way."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import runner

Job = Mapping[str, Any]
Done = Mapping[str, Any]
_LINE = 1 << 22
_WORKER = "import sys; sys.path.insert(0, sys.argv[1]); from runner.sandbox.drawing.worker import main; main()"


class DrawingError(Exception):
    """The process said what went wrong, or died over it."""


class WorkerPool:
    """Processes that wait for work, and how many there are: the only state."""

    def __init__(self, most: int | None = None) -> None:
        self._places = asyncio.Semaphore(most or os.cpu_count() or 1)
        self._idle: list[Process] = []
        self._all: set[Process] = set()

    async def do(self, job: Job, begun: Callable[[], None] = lambda: None) -> Done:
        """The answer to one job; DrawingError with the words when there is none. `begun` is called at its turn."""
        async with self._places:
            begun()
            process = self._idle.pop() if self._idle else await self._start()
            try:
                done = await self._ask(process, job)
            except BaseException:
                _end(process)  # half an answer may still be in its pipe
                raise
            if not done.get("done"):
                raise DrawingError(str(done.get("words", "no answer")))  # those were its last words
            self._idle.append(process)
        return done

    async def _start(self) -> Process:
        # -P: a folder of the user's that is called like one of our packages is not looked into; ours is named.
        home = str(Path(runner.__file__).resolve().parent.parent)
        command = [sys.executable, "-P", "-c", _WORKER, home]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, limit=_LINE
        )
        self._all.add(process)
        return process

    async def _ask(self, process: Process, job: Job) -> Done:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(dict(job)).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
            done = json.loads(line)
        except (OSError, ValueError) as error:
            raise DrawingError("the drawing process died") from error
        assert isinstance(done, dict)
        return done

    async def close(self) -> None:
        """End every process and wait for it."""
        for process in self._all:
            _end(process)
        for process in self._all:
            await process.wait()


def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
