"""The tutorial, word for word: its commands run, its edits apply, and what it shows is what is printed."""

import contextlib
import fcntl
import os
import pty
import re
import shlex
import socket
import subprocess
import termios
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks
from tests.prepared_command import write_command

PAGE = ROOT / "docs/tutorial.md"


def test_the_tutorial_runs_as_it_is_written(tmp_path: Path) -> None:
    reader = Reader(tmp_path, _environ(tmp_path))
    shown = ""
    try:
        for block in blocks(PAGE):
            if block.kind == "sh":
                shown = "".join(reader.type(line) for line in block.text.splitlines())
            elif block.kind == "diff":
                _edit(reader.folder, block)
            elif block.kind == "text":
                assert _missing(block.text, shown) == [], (
                    f"{PAGE.name}:{block.line} shows what is not printed:\n{shown}"
                )
    finally:
        reader.close()


class Reader:
    """Somebody who types the tutorial's lines at a terminal: a folder, an environment, and a second terminal.

    A comment says what is done beside typing: `# y` answers the question, which is declined without that, `# Ctrl-C` is
    pressed once a clip is running, `# exit code 3` is how the line ends.
    """

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self.environ = environ
        self._port = str(_free_port())
        self._second_terminal: list[subprocess.Popen[str]] = []

    def type(self, line: str) -> str:
        """Types one line; returns what it shows."""
        command, _, comment = line.replace("8787", self._port).partition("  # ")
        if "in a second terminal" in comment:
            return self._start(command)
        if re.match(r"(export|unset) ", command):
            self._set(command)
            return ""
        expected = re.search(r"exit code (\d+)", comment)
        answer = b"y\n" if re.match(r"y\b", comment) else b"n\n"
        output, code = self._at_a_terminal(command, answer, press_ctrl_c="Ctrl-C" in comment)
        assert code == int(expected[1] if expected else 0), f"{line!r} ended with {code}:\n{output}"
        return output

    def close(self) -> None:
        """Ends what runs in the second terminal."""
        for process in self._second_terminal:
            process.terminate()
            process.communicate(timeout=30)

    def _start(self, command: str) -> str:
        process = subprocess.Popen(
            shlex.split(command), cwd=self.folder, env=self.environ, stdout=subprocess.PIPE, text=True
        )
        self._second_terminal.append(process)
        assert process.stdout is not None
        return process.stdout.readline()

    def _set(self, command: str) -> None:
        verb, *names = shlex.split(command)
        for name, _, value in (text.partition("=") for text in names):
            self.environ.pop(name, None)
            self.environ |= {name: value} if verb == "export" else {}

    def _at_a_terminal(self, line: str, answer: bytes, press_ctrl_c: bool) -> tuple[str, int]:
        """Runs a line of the shell at a terminal of its own: what is shown, and the exit code.

        Gives the answer when a question is asked, and presses Ctrl-C once a clip is running; the shell outlives that.
        """
        where = Path(self.environ["HOME"]) / "where"
        master, slave = pty.openpty()
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"trap : INT\n{line}\nstatus=$?; pwd > {shlex.quote(str(where))}; exit $status"],
            cwd=self.folder, env=self.environ | {"COLUMNS": "100", "TERM": "xterm"}, stdin=slave, stdout=slave,
            stderr=slave, preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(slave)
        screen = b""
        with contextlib.suppress(OSError):  # the end, as Linux reports it
            while piece := os.read(master, 65536):
                screen += piece
                if b"[y/N]" in screen and answer:
                    os.write(master, answer)
                    answer = b""
                if press_ctrl_c and re.search(rb"\d running", screen):
                    os.write(master, b"\x03")
                    press_ctrl_c = False
        os.close(master)
        # A line that is cleared is not read any more: what follows stands on a line of its own.
        lasting = screen.decode().replace("\r\x1b[K", "\n")
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", lasting).replace("\r", "").replace("^C", "")
        code = process.wait(timeout=60)
        self.folder = Path(where.read_text("utf-8").strip())
        return text, code


def _own_terminal() -> None:
    """Makes standard input the terminal of a new session, so that Ctrl-C reaches what runs there."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _environ(home: Path) -> dict[str, str]:
    """A new user's: no key, no settings, no terminal."""
    kept = {name: value for name, value in os.environ.items() if name in ("LANG", "SYSTEMROOT", "TMPDIR")}
    return kept | {
        "PATH": f"{_scripts(home)}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "STORYBOARD_STATE": str(home / "state"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Ana",
        "GIT_AUTHOR_EMAIL": "ana@example.com",
        "GIT_COMMITTER_NAME": "Ana",
        "GIT_COMMITTER_EMAIL": "ana@example.com",
    }


def _scripts(home: Path) -> Path:
    """A folder with the command `storyboard`, as an installation has it."""
    folder = home / "bin"
    write_command(folder / "storyboard")
    return folder


def _edit(folder: Path, block: Block) -> None:
    """Applies a diff without line numbers to the file that the sentence before it names; it may be a new one."""
    named = re.findall(r"`([\w/.-]+\.(?:yaml|toml))`", block.before)
    path = folder / named[-1]
    old = [line[1:] for line in block.text.splitlines() if line[:1] in ("-", " ")]
    new = [line[1:] for line in block.text.splitlines() if line[:1] in ("+", " ")]
    if not old:
        path.write_text("\n".join(new) + "\n", "utf-8")
        return
    text = path.read_text("utf-8")
    before, after = "\n".join(old) + "\n", "\n".join(new) + "\n"
    assert text.count(before) == 1, f"{PAGE.name}:{block.line}: {path.name} holds this {text.count(before)} times"
    path.write_text(text.replace(before, after), "utf-8")


def _missing(expected: str, shown: str) -> list[str]:
    """Lines that are not printed, in their order; `…` stands for anything, blanks for any blanks."""
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    missing, at = [], 0
    for line in filter(str.strip, expected.splitlines()):
        pattern = ".*".join(re.escape(part) for part in " ".join(line.split()).split("…"))
        found = next((index for index in range(at, len(lines)) if re.fullmatch(pattern, lines[index])), None)
        if found is None:
            missing.append(line)
        else:
            at = found + 1
    return missing
