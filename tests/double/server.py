"""A scripted double of the API down to the bytes on the wire; its journal is the oracle of the tests."""

import contextlib
import json
import re
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.double.steps import CREATE, POLL, Step, created, record, reply

STALL = 30.0
"""The longest stall of a connection in seconds; closing the double ends a stall at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One received request."""

    connection: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    task_id: str | None
    """The task that the request created."""
    at: float

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def header(self, name: str) -> str | None:
        """The first header of that name (lower case)."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(slots=True)
class Double:
    """The double; without a script a working API whose tasks succeed at once with the clip `media`."""

    script: list[Step] = field(default_factory=list)
    media: bytes = b""
    etag: str = '"1"'
    tls: ssl.SSLContext | None = None
    journal: list[Entry] = field(default_factory=list)
    accepted: int = 0
    """Connections that were accepted, with or without a request."""
    url: str = ""
    _listener: socket.socket = field(init=False)
    _open: set[socket.socket] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closing: threading.Event = field(default_factory=threading.Event)
    _task_count: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        host, port = self._listener.getsockname()[:2]
        self.url = f"{'https' if self.tls else 'http'}://{host}:{port}"
        self._spawn(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # closing alone does not wake a thread that accepts
        self._listener.close()
        with self._lock:
            opened = list(self._open)
        for connection in opened:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def play(self, *steps: Step) -> None:
        """Append steps to the script."""
        with self._lock:
            self.script.extend(steps)

    def requests(self, on: str = CREATE) -> list[Entry]:
        """The received requests whose `METHOD path` begins with a text."""
        with self._lock:
            return [entry for entry in self.journal if f"{entry.method} {entry.target}".startswith(on)]

    @property
    def created_tasks(self) -> list[str]:
        """Every created, hence paid, task."""
        return [entry.task_id for entry in self.requests() if entry.task_id is not None]

    # -- connections ------------------------------------------------------------------------------------

    def _spawn(self, work: Any, *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._spawn(self._serve, connection, self.accepted)

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
            return
        with self._lock:
            self._open.add(connection)
        try:
            while self._exchange(connection, number):
                pass
        except OSError:
            pass  # the client has gone: its side of the story is what the test asks for
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _exchange(self, connection: socket.socket, number: int) -> bool:
        """Serve one request; returns whether the connection stays open."""
        step = self._next("", "accept")
        head = b"" if step else _head(connection)
        if not step and not head:
            return False
        method, target, headers = _parse_head(head)
        step = step or self._next(f"{method} {target}", "head")
        length = int(next((value for key, value in headers if key == "content-length"), "0"))
        rest = head.partition(b"\r\n\r\n")[2]
        body = rest if step else _body(connection, rest, length)
        step = step or self._next(f"{method} {target}", "request") or self._usual(method, target, headers)
        task = self._task(step, f"{method} {target}")
        with self._lock:
            self.journal.append(Entry(number, method, target, headers, body, task, time.monotonic()))
        whole = self._answer(connection, step, task or "")
        return whole and step.end is None and ("connection", "close") not in headers

    def _next(self, request: str, when: str) -> Step | None:
        with self._lock:
            for position, step in enumerate(self.script):
                if step.when == when and (when == "accept" or request.startswith(step.on)):
                    if step.times == 1:
                        del self.script[position]
                    elif step.times > 1:
                        self.script[position] = _once_less(step)
                    return step
        return None

    def _task(self, step: Step, request: str) -> str | None:
        creates = step.status == 200 if step.creates is None else step.creates
        if not creates or not request.startswith(CREATE):
            return None
        with self._lock:
            self._task_count += 1
            return f"task_{self._task_count}"

    # -- answers ----------------------------------------------------------------------------------------

    def _usual(self, method: str, target: str, headers: tuple[tuple[str, str], ...]) -> Step:
        if f"{method} {target}".startswith(CREATE):
            return created()
        if f"{method} {target}".startswith(POLL):
            return self._record_answer(parse_qs(urlsplit(target).query).get("taskId", [""])[0])
        if target.startswith("/media"):
            return self._media_answer(next((value for key, value in headers if key == "range"), ""))
        return reply(404, {"message": f"no {target} here"})

    def _record_answer(self, task: str) -> Step:
        if task not in self.created_tasks:
            return reply(404, {"message": "Task not found"})
        link = {"url": f"{self.url}/media/{task}.mp4", "width": 1280, "height": 720}
        body = record(task, "success", creditsUsed=200, output=[link], completeTime=1735599754000)
        return reply(200, body)

    def _media_answer(self, range_header: str) -> Step:
        start = int(match[1]) if (match := re.fullmatch(r"bytes=(\d+)-", range_header)) else 0
        headers = [("Content-Type", "video/mp4"), ("ETag", self.etag), ("Accept-Ranges", "bytes")]
        if not start:
            return Step(body=self.media, headers=tuple(headers))
        if start >= len(self.media):
            return Step(status=416, headers=(*headers, ("Content-Range", f"bytes */{len(self.media)}")))
        content_range = f"bytes {start}-{len(self.media) - 1}/{len(self.media)}"
        return Step(status=206, body=self.media[start:], headers=(*headers, ("Content-Range", content_range)))

    def _answer(self, connection: socket.socket, step: Step, task: str) -> bool:
        """Play a step; returns whether the whole answer was sent."""
        self._closing.wait(step.delay)
        content = _bytes(step, task, self.url)
        sent = content if step.cut is None else content[: step.cut]
        self._send(connection, sent, step.pace)
        remaining = step.repeat_bytes if step.repeat else 0
        while remaining > 0 and not self._closing.is_set():
            chunk = step.repeat * max(1, (65536 if not step.pace else 1) // len(step.repeat))
            self._send(connection, chunk, step.pace)
            remaining -= len(chunk)
        if step.end == "stall":
            self._stall(connection)
        elif step.end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return step.cut is None and step.length

    def _send(self, connection: socket.socket, data: bytes, pace: float) -> None:
        if not pace:
            connection.sendall(data)
            return
        for place in range(len(data)):
            if self._closing.wait(1 / pace):
                return
            connection.sendall(data[place : place + 1])

    def _stall(self, connection: socket.socket) -> None:
        """Stay silent until the client gives up."""
        until = time.monotonic() + STALL
        while time.monotonic() < until and not self._closing.is_set():
            ready, _, _ = select.select([connection], [], [], 0.05)
            if ready and not connection.recv(65536):
                return


def _head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        data = connection.recv(65536)
        if not data:
            return b""
        head += data
    return head


def _body(connection: socket.socket, body: bytes, length: int) -> bytes:
    while len(body) < length:
        data = connection.recv(65536)
        if not data:
            break
        body += data
    return body


def _parse_head(head: bytes) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    headers = tuple((key.lower(), value.strip()) for key, _, value in (line.partition(":") for line in lines))
    return method, rest.rpartition(" ")[0], headers


def _bytes(step: Step, task: str, host: str) -> bytes:
    if step.raw is not None:
        return step.raw
    body = step.body.replace(b"{task}", task.encode()).replace(b"{host}", host.encode())
    headers = [*step.headers]
    if step.length and step.status not in (204, 304):
        headers.append(("Content-Length", str(len(body))))
    lines = [f"HTTP/1.1 {step.status} -", *(f"{key}: {value}" for key, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _once_less(step: Step) -> Step:
    return replace(step, times=step.times - 1)


def journal_json(entries: Iterable[Entry]) -> str:
    """The journal for another process: one JSON object a line."""
    return "".join(
        json.dumps(
            {
                "method": entry.method,
                "target": entry.target,
                "made": entry.task_id,
                "body": entry.body.decode("latin-1"),
            }
        )
        + "\n"
        for entry in entries
    )
