"""A film of three shots, the real program, and the sandbox in a process of its own as the paid provider."""

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_FILM = """\
storyboard: 1
title: {name}
shots:
  - {{id: a, prompt: "{name}, a quay at dawn", duration: 4}}
  - {{id: b, prompt: "{name}, a boat leaves", duration: 4}}
  - {{id: c, prompt: "{name}, the open sea", duration: 4}}
"""


@dataclass(frozen=True, slots=True)
class Provider:
    """The sandbox as another program sees it."""

    base_url: str

    @property
    def port(self) -> int:
        return int(self.base_url.rsplit(":", 1)[1])

    def told(self) -> dict[str, Any]:
        """Everything that the provider counted."""
        request = urllib.request.Request(
            f"{self.base_url}/__sandbox/state", headers={"Authorization": "Bearer judge-of-the-scenes"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def tasks(self, name: str) -> Counter[str]:
        """How many tasks each prompt of a scene has: the provider's own journal."""
        return Counter(task["prompt"] for task in self.told()["tasks"] if task["prompt"].startswith(f"{name},"))


@contextmanager
def served(*flags: str) -> Iterator[Provider]:
    """The sandbox in a process of its own."""
    words = [sys.executable, "-m", "runner", "sandbox", "--plain-clips", *flags]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            yield Provider(line.split()[-1])
        finally:
            server.terminate()


@dataclass(slots=True)
class Ended:
    """How one run of the program ended."""

    code: int
    said: str


@dataclass(slots=True)
class Scene:
    """A repository, a state folder and a key of its own."""

    folder: Path
    name: str
    provider: Provider
    runs: list[Ended] = field(default_factory=list)
    state: Path | None = None
    """The state folder, when it is shared with other scenes; so is the key then."""

    def __post_init__(self) -> None:
        board = self.folder / "storyboards" / "film.yaml"
        board.parent.mkdir(parents=True)
        board.write_text(_FILM.format(name=self.name))
        (self.folder / "storyboard.toml").write_text("")

    def start(self, **cut: str) -> subprocess.Popen[str]:
        """The installed program at work; `cut` goes to the library that cuts it off."""
        words = ["run", "storyboards/film.yaml", "--provider", "kinovi", "--max-credits", "480", "--concurrency", "2"]
        return self._started(words, cut)

    def program(self, *words: str) -> Ended:
        """Another command of the installed program; its end is not judged."""
        running = self._started([*words, "--provider", "kinovi"], {})
        said, _ = running.communicate(timeout=120)
        return Ended(running.returncode, said)

    def _started(self, words: list[str], cut: dict[str, str]) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "STORYBOARD_STATE": str(self.state or self.folder / "state"),
            "SEEDANCE_BASE_URL": self.provider.base_url,
            "SEEDANCE_API_KEY": f"key-of-{'all' if self.state else self.name}-0123456789",
            **cut,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "runner", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ended(self, running: subprocess.Popen[str]) -> Ended:
        """Waits for the end of a run."""
        said, _ = running.communicate(timeout=120)
        self.runs.append(Ended(running.returncode, said))
        return self.runs[-1]

    def run(self, **cut: str) -> Ended:
        """One whole run."""
        return self.ended(self.start(**cut))

    def cut(self, library: Path, at: int, how: str, log: Path | None = None) -> Ended:
        """A run that is cut off at its `at`-th call."""
        return self.run(
            LD_PRELOAD=str(library),
            CUT_FOLDER=str(self.folder),
            CUT_PORT=str(self.provider.port),
            CUT_AT=str(at),
            CUT_HOW=how,
            **({"CUT_LOG": str(log)} if log is not None else {}),
        )

    def violations(self) -> list[str]:
        """What may never be, after two clean runs: paid twice, a lost task, half a clip."""
        found = [
            f"{count} tasks for {prompt!r}" for prompt, count in self.provider.tasks(self.name).items() if count > 1
        ]
        defects = [ended for ended in self.runs if "Traceback" in ended.said or ended.code in (70, -11)]
        found += [f"exit {ended.code}: {ended.said[-1500:]}" for ended in defects]
        last = self.runs[-1]
        clips = sorted(self.folder.glob("renders/film/kinovi/clips/*/take-1.mp4"))
        unsettled = last.said.count("--not-charged") or last.said.count("unsettled  ")
        if last.code == 0 and len(clips) != 3:
            found.append(f"exit 0 with {len(clips)} clips")
        elif last.code not in (0, 6):
            found.append(f"two clean runs later: exit {last.code}: {last.said[-1500:]}")
        elif last.code == 6 and len(clips) < 1:
            found.append(f"exit 6 with {len(clips)} clips, {unsettled} unsettled: {last.said[-1500:]}")
        found += [f"{clip.parent.name}: {why}" for clip in clips if (why := self._clip_is_wrong(clip))]
        return found

    def _clip_is_wrong(self, clip: Path) -> str:
        manifest: dict[str, Any] = json.loads((self.folder / "renders/film/kinovi/manifest.json").read_text())
        takes = {shot["id"]: shot["takes"][0] for shot in manifest["shots"]}
        told = takes[clip.parent.name].get("clip")
        if told is None:
            return "not in the manifest"
        data = clip.read_bytes()
        whole = hashlib.sha256(data).hexdigest() == told["sha256"] and len(data) == told["bytes"]
        return "" if whole else "not the bytes that the manifest names"
