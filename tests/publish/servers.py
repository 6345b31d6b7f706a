"""Servers on loopback that materials are published to and read from: S3, a folder, scripted answers."""

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.requirements import rclone
from tests.waiting import wait_until

KEY_ID, SECRET = "MADEUPKEYOFTESTS0000", "made-up-secret-of-the-tests-0000"
BUCKET = "film"


@dataclass
class Answer:
    """What a server says to a GET; `body` None: the file of that path."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class WebServer:
    """A static web server, or one with scripted answers by path."""

    base_url: str
    answers: dict[str, Answer]
    requests: list[tuple[str, dict[str, str]]]
    any_file: Answer | None = None
    """The answer for every path without an answer of its own, in place of the folder's file."""


@contextmanager
def web_server(answers: Mapping[str, Answer] | None = None, folder: Path | None = None) -> Iterator[WebServer]:
    """Serves a folder with ranges; `answers` are by path without the slash."""
    told = WebServer("", {f"/{name}": answer for name, answer in (answers or {}).items()}, [])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.requests.append((self.path, dict(self.headers)))
            path = self.path.partition("?")[0]
            answer = told.answers.get(path) or told.any_file or self._file(path)
            body, status, headers = answer.body, answer.status, dict(answer.headers)
            asked = re.fullmatch(r"bytes=0-(\d+)", self.headers.get("Range", ""))
            if status == 200 and asked and "ignore-range" not in headers:
                headers["Content-Range"] = f"bytes 0-{min(int(asked[1]), len(body) - 1)}/{len(body)}"
                body, status = body[: int(asked[1]) + 1], 206
            self.send_response(status)
            for name, text in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(body)

        def _file(self, path: str) -> Answer:
            file = None if folder is None else folder / path.lstrip("/")
            return Answer(404) if file is None or not file.is_file() else Answer(200, file.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    told.base_url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class S3:
    """`rclone serve s3` on a folder: it checks the signature of every request."""

    endpoint: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": self.endpoint}

    def objects(self) -> list[str]:
        return sorted(str(path.relative_to(self.folder / BUCKET)) for path in self.folder.rglob("*") if path.is_file())


@contextmanager
def s3_server(folder: Path) -> Iterator[S3]:
    """A server with one empty bucket."""
    (folder / BUCKET).mkdir(parents=True)
    port = free_port()
    words = [rclone(), "serve", "s3", str(folder), "--addr", f"127.0.0.1:{port}", "--auth-key", f"{KEY_ID},{SECRET}"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "RCLONE_CONFIG": os.devnull}
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), "the S3 server listens")
        yield S3(f"http://127.0.0.1:{port}", folder)
    finally:
        process.terminate()
        process.wait(timeout=10)


def listens(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as client:
        client.settimeout(0.2)
        return client.connect_ex(("127.0.0.1", port)) == 0
