"""The client of a worker process that renders templates of unbounded cost, with time and memory limits."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runner.language.yaml.document import Value

if TYPE_CHECKING:
    import subprocess

WALL_SECONDS = 6.0
"""The worker's CPU limit ends a runaway first, unless the machine is loaded."""
# A loaded machine can take long to start Python.
_START_SECONDS = 60.0
# Ended workers of one command: after these all further templates are refused, instead of a wait for each.
_MAX_RESTARTS = 2
# `-I` leaves the user's folder and PYTHONPATH out, so the path of this process is handed over.
_BOOT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "from runner.language.templates.worker import serve; serve()"
)
Answer = Mapping[str, Any]


class TemplateWorker:
    """The worker process of a command, started by the first template that needs it, and again after a kill."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._restarts = 0

    def render(self, text: str, values: Mapping[str, Value], load: Callable[[str], str | None]) -> Answer:
        """Answer `{"text"}` or `{"error", "message", "file", "line"}`; `load` finds the text of prompt files."""
        if self._restarts >= _MAX_RESTARTS:
            message = "it was not tried, since other templates took too much time or memory"
            return {"error": "runaway", "message": message, "line": 1}
        try:
            process = self._running_process()
            if process is None:
                return {"error": "other", "message": "the process that renders templates did not start", "line": 1}
            self._send(process, {"text": text, "values": values})
            while "need" in (answer := self._receive(process, WALL_SECONDS)):
                self._send(process, {"text": load(str(answer["need"]))})
        except (OSError, EOFError, TimeoutError, ValueError):
            # Its answer would be taken for that of the next template.
            self.close()
            self._restarts += 1
            return {"error": "runaway", "message": "it was stopped: it takes too much time or memory", "line": 1}
        return answer

    def close(self) -> None:
        """Kill the worker, if it runs."""
        process, self._process, self._buffer = self._process, None, b""
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def _running_process(self) -> "subprocess.Popen[bytes] | None":
        import subprocess

        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, json.dumps(sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                # No key, no proxy, no name of the user: a template that gets out of Jinja's sandbox finds nothing.
                env={},
                cwd="/",
                bufsize=0,
            )
            try:
                self._receive(self._process, _START_SECONDS)
            except (OSError, EOFError, TimeoutError, ValueError):
                self.close()
        return self._process

    def _send(self, process: "subprocess.Popen[bytes]", message: Mapping[str, Any]) -> None:
        assert process.stdin is not None
        data = memoryview((json.dumps(message) + "\n").encode())
        # An unbuffered pipe takes a part of a large job at a time.
        while data:
            data = data[process.stdin.write(data) or 0 :]

    def _receive(self, process: "subprocess.Popen[bytes]", seconds: float) -> Answer:
        """The next answer of the worker. Raises TimeoutError, or EOFError when the worker has ended."""
        import selectors

        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(seconds):
                    raise TimeoutError
                chunk = os.read(process.stdout.fileno(), 1 << 16)
                if not chunk:
                    raise EOFError
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: Answer = json.loads(line)
        return answer
