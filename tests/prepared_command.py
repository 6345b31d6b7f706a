"""`storyboard` for a PATH, in lines of a shell: each start is a fork of the prepared program, no interpreter's start.

The script connects to a thread of the tests and passes its streams, folder, environment and words; a signal that it
gets goes on to the command, whose exit code is its own.
"""

import atexit
import functools
import json
import os
import shlex
import shutil
import socket
import sys
import tempfile
import threading
from pathlib import Path

from tests.prepared import program

_CLIENT = """\
import json, os, signal, socket, sys
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # one that comes early waits for somebody to get it
order = {"words": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
socket.send_fds(connection, [b"o"], [0, 1, 2])
connection.sendall(json.dumps(order).encode() + b"\\n")
answers = connection.makefile("r")
pid = int(answers.readline())
for number in SIGNALS:
    signal.signal(number, lambda number, frame: os.kill(pid, number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
code = int(answers.readline())
sys.exit(code if code >= 0 else 128 - code)
"""
_STREAMS = 3


def write_command(path: Path) -> None:
    """Write the script that starts the prepared program."""
    folder = _serve()
    # Nothing but the standard library: -I and -S leave out what an environment and `site` would bring.
    command = shlex.join([sys.executable, "-I", "-S", str(folder / "client.py"), str(folder / "orders")])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n', "utf-8")
    path.chmod(0o755)


@functools.cache
def _serve() -> Path:
    """Start to listen, once in a process of the suite; the folder of the client and of the address."""
    folder = Path(tempfile.mkdtemp(prefix="prepared-command-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "client.py").write_text(_CLIENT, "utf-8")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "orders"))
    listener.listen()
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    return folder


def _accept(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_carry_out, args=(connection,), daemon=True).start()


def _carry_out(connection: socket.socket) -> None:
    """Start what a client orders, and answer with its process id and, at its end, with its exit code."""
    with connection:
        _, streams, _, _ = socket.recv_fds(connection, 1, _STREAMS)
        with connection.makefile("r") as lines:
            order = json.loads(lines.readline())
        process = program().start(order["words"], Path(order["folder"]), order["environment"], streams)
        for stream in streams:
            os.close(stream)
        connection.sendall(b"%d\n" % process.pid)
        connection.sendall(b"%d\n" % process.wait())
