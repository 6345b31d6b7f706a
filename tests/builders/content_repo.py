"""A content repo in a folder of its own, and the installed command in it."""

import atexit
import contextlib
import functools
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import in_process, prepared
from tests.builders.running_commands import RunningCommand

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - id: quay
    prompt: Sunrise over the quay
  - id: enter
    first_frame: "@quay.last_frame"
    prompt: She pushes the door open
"""


READ_AT_START = {"PYTHONPATH", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONWARNINGS"}
"""Variables that the interpreter reads: with one of them a command starts an interpreter of its own."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What one command ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class ContentRepo:
    """A repository of storyboards, with a state folder and a configuration of its own."""

    root: Path

    @property
    def state(self) -> Path:
        return self.root.parent / "state"

    def env(self, **more: str) -> dict[str, str]:
        plain = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        own = {
            "STORYBOARD_STATE": str(self.state),
            "XDG_CONFIG_HOME": str(self.root.parent / "config"),
            "COLUMNS": "100",
            "PYTHONUTF8": "1",
        }
        return plain | own | more

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def storyboard(self, *words: str, **env: str) -> CommandResult:
        """Runs `storyboard …` in the repository, to its end."""
        environment = self.env(**env)
        if READ_AT_START & env.keys():
            command = [sys.executable, "-m", "runner", *words]
            done = subprocess.run(
                command, cwd=self.root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=120,
            )  # fmt: skip
        else:
            done = prepared.run(words, self.root, environment)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def in_process(self, *words: str, **env: str) -> CommandResult:
        """Runs a command within this process: one that only reads, or is refused before it does anything."""
        done = in_process.run(words, self.root, self.env(**env))
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, **env: str) -> RunningCommand:
        """Starts `storyboard …` and leaves it running."""
        return RunningCommand(words, self.root, self.env(**env))

    def start_interpreter(self, *words: str, **env: str) -> "subprocess.Popen[str]":
        """As `start`, with an interpreter of its own: where its start, its end or what it loads is tested."""
        return subprocess.Popen(
            [sys.executable, "-m", "runner", *words],
            cwd=self.root,
            env=self.env(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def at_terminal(self, *words: str, typed: str, **env: str) -> CommandResult:
        """Runs `storyboard …` at a terminal where somebody types; `out` is all that stood on its screen."""
        return self._at_terminal(words, typed, None, env)

    def at_question(
        self, words: Sequence[str], typed: str, before: Callable[[], object], env: Mapping[str, str]
    ) -> CommandResult:
        """As `at_terminal`; `before` is done once the question stands there, and only then is it answered."""
        return self._at_terminal(words, typed, before, env)

    def _at_terminal(
        self, words: Sequence[str], typed: str, before: Callable[[], object] | None, env: Mapping[str, str]
    ) -> CommandResult:
        master, slave = pty.openpty()
        process = prepared.program().start(words, self.root, self.env(**env), [slave] * 3)
        os.close(slave)
        screen = b""
        if before is not None:
            while b"[y/N]" not in screen:
                screen += os.read(master, 65536)
            before()
        os.write(master, typed.encode())
        with contextlib.suppress(OSError):  # its end, as Linux says it
            while piece := os.read(master, 65536):
                screen += piece
        os.close(master)
        return CommandResult(process.wait(), screen.decode().replace("\r\n", "\n"), "")

    def interrupted_at_question(self, words: Sequence[str], answered: int, env: Mapping[str, str]) -> CommandResult:
        """As `at_terminal`, but with standard output in a file: says yes so many times, then presses Ctrl-C."""
        master, slave = pty.openpty()
        with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
            process = prepared.program().start(words, self.root, self.env(**env), [slave, out.fileno(), slave])
            os.close(slave)
            screen = b""
            for number in range(1, answered + 2):
                while screen.count(b"[y/N]") < number:
                    screen += os.read(master, 65536)
                if number <= answered:
                    os.write(master, b"y\n")
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(OSError):  # its end, as Linux says it
                while piece := os.read(master, 65536):
                    screen += piece
            os.close(master)
            code = process.wait()
            out.seek(0)
            return CommandResult(code, out.read(), screen.decode().replace("\r\n", "\n"))

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.root, env=self.env(), capture_output=True, text=True, check=True
        )
        return done.stdout

    def manifest(self, name: str = "film", variant: str = "sandbox") -> dict[str, Any]:
        path = self.root / "renders" / name / variant / "manifest.json"
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return told

    def clips(self) -> list[str]:
        """The clips of all takes; the cut of a film is none."""
        paths = self.root.glob("renders/**/*.mp4")
        return sorted(str(path.relative_to(self.root)) for path in paths if not path.name.startswith("cut."))


def content(tmp_path: Path, film: str = FILM) -> ContentRepo:
    """A fresh git repository with one storyboard."""
    root = tmp_path / "film"
    shutil.copytree(_committed(film), root)
    return ContentRepo(root)


@functools.cache
def _committed(film: str) -> Path:
    """A repository with one commit, for copies: git is started once for each text."""
    folder = Path(tempfile.mkdtemp(prefix="content-repo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    repo = ContentRepo(folder / "film")
    repo.write("storyboards/film.yaml", film)
    repo.git("init", "-q")
    repo.git("add", ".")
    repo.git("commit", "-qm", "A film")
    return repo.root


def clone(source: ContentRepo, name: str) -> ContentRepo:
    """A second working tree of the same repository, on the same machine."""
    target = source.root.parent / name
    subprocess.run(["git", "clone", "-q", str(source.root), str(target)], check=True, capture_output=True)
    shutil.rmtree(target / "renders", ignore_errors=True)
    return ContentRepo(target)
