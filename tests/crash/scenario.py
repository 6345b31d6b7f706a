"""A film, the real program, and the sandbox in a process of its own as the paid provider."""

import hashlib
import json
import os
import random
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from tests.builders.plain_clips import sandbox_process
from tests.builders.running_commands import RunningCommand

from .disk import Disk
from .prepared import ROOT, PreparedProgram


@dataclass(frozen=True, slots=True)
class Film:
    """A storyboard and its settings; `{name}` in the text is the scenario's, and begins every prompt."""

    text: str
    phrases: Mapping[str, str]
    """The shot by a phrase of its prompt."""
    ceiling: int
    """Credits."""
    settings: str = ""
    pictures: tuple[str, ...] = ()
    """Pictures beside the storyboard."""

    @property
    def run(self) -> tuple[str, ...]:
        ceiling = str(self.ceiling)
        return ("run", BOARD, "--provider", "kinovi", "--max-credits", ceiling, "--concurrency", "2")


BOARD = "storyboards/film.yaml"
THREE_SHOTS = Film(
    """\
storyboard: 1
title: {name}
shots:
  - {{id: a, prompt: "{name}, a quay at dawn", duration: 4}}
  - {{id: b, prompt: "{name}, a boat leaves", duration: 4}}
  - {{id: c, prompt: "{name}, the open sea", duration: 4}}
""",
    {"a quay at dawn": "a", "a boat leaves": "b", "the open sea": "c"},
    480,
)
KILLS, ERRORS, POWER = ("before", "after"), ("enospc", "eio", "full"), ("power", "chance")
ALL_CUTS = (*KILLS, *ERRORS, *POWER)


@dataclass(frozen=True, slots=True)
class Provider:
    """The sandbox, seen over HTTP."""

    base_url: str

    @property
    def port(self) -> int:
        return int(self.base_url.rsplit(":", 1)[1])

    def state(self) -> dict[str, Any]:
        """The provider's whole state."""
        request = urllib.request.Request(
            f"{self.base_url}/__sandbox/state", headers={"Authorization": "Bearer judge-of-the-scenes"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            state: dict[str, Any] = json.load(answer)
        return state

    def tasks(self, name: str) -> Counter[str]:
        """The number of tasks by prompt of a scenario, from the provider's own journal."""
        return Counter(task["prompt"] for task in self.state()["tasks"] if task["prompt"].startswith(f"{name},"))


@contextmanager
def sandbox_server(*flags: str) -> Iterator[Provider]:
    """The sandbox in a process of its own."""
    with sandbox_process(*flags) as base_url:
        yield Provider(base_url)


@dataclass(slots=True)
class RunEnd:
    """The end of one run of the program."""

    code: int
    output: str


@dataclass(slots=True)
class Scenario:
    """A repository, a state folder and a key of its own."""

    folder: Path
    name: str
    provider: Provider
    ready: PreparedProgram | None = None
    """The program for the runs; without it every run is a new process that cannot be cut off."""
    state: Path | None = None
    """The state folder if shared with other scenarios, which then share the key as well."""
    runs: list[RunEnd] = field(default_factory=list)
    film: Film = THREE_SHOTS
    receipts: int = 0
    """The number of receipts on disk when a run was cut off."""
    arrived: frozenset[str] = frozenset()
    """The shots whose tasks the provider had at that moment."""
    lost: list[str] = field(default_factory=list)
    """Durable data that a power loss destroyed."""

    def __post_init__(self) -> None:
        board = self.folder / BOARD
        board.parent.mkdir(parents=True)
        board.write_text(self.film.text.format(name=self.name))
        for picture in self.film.pictures:
            Image.new("RGB", (640, 360), (90, 40, 40)).save(board.with_name(picture))
        (self.folder / "storyboard.toml").write_text(self.film.settings)

    def start(self) -> RunningCommand:
        """Start the program in a process of its own, which cannot be cut off."""
        return RunningCommand(self.film.run, self.folder, self._environment())

    def wait_for(self, running: RunningCommand) -> RunEnd:
        """Wait for the end of a run."""
        output, errors = running.communicate(timeout=120)
        self.runs.append(RunEnd(running.wait(), output + errors))
        return self.runs[-1]

    def run(self) -> RunEnd:
        """Carry out one whole run."""
        if self.ready is None:
            return self.wait_for(self.start())
        self.runs.append(self.program(*self.film.run))
        return self.runs[-1]

    def program(self, *arguments: str, **cut: str) -> RunEnd:
        """Run a command of the program; any exit code is accepted."""
        assert self.ready is not None
        return RunEnd(*self.ready.run(list(arguments), self.folder, {**self._environment(), **cut}))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "STORYBOARD_STATE": str(self.state or self.folder / "state"),
            "SEEDANCE_BASE_URL": self.provider.base_url,
            "SEEDANCE_API_KEY": f"key-of-{'all' if self.state else self.name}-0123456789",
        }

    def cut(self, at: int, how: str, command: Sequence[str] = ()) -> list[str]:
        """A run that is cut off at its `at`-th call (0: not at all); the calls until then, as `write the/file`.

        Cut by `power`, everything that was not synced is gone; by `chance`, some of it, and always the same.
        """
        log = self.folder.with_name(f".log-{self.folder.name}")
        log.unlink(missing_ok=True)
        cut_variables = {"CUT_FOLDER": str(self.folder), "CUT_PORT": str(self.provider.port), "CUT_LOG": str(log)}
        disk = Disk(self.folder) if how in POWER else None
        disk_variables = {} if disk is None else {"CUT_DISK": str(disk.synced)}
        self.runs.append(
            self.program(
                *(command or self.film.run),
                CUT_AT=str(at),
                CUT_HOW="before" if disk is not None else how,
                **cut_variables,
                **disk_variables,
            )
        )
        calls = [line.split(" ", 2)[1:] for line in log.read_text().splitlines()] if log.exists() else []
        calls = calls[:at] if at else calls
        self.receipts = _receipts(calls)
        self.arrived = frozenset(
            shot
            for prompt in self.provider.tasks(self.name)
            for phrase, shot in self.film.phrases.items()
            if phrase in prompt
        )
        if disk is not None:
            disk.lose_power(random.Random(f"{self.name} {at}") if how == "chance" else None)
            check = self.program("verify", BOARD, "--provider", "kinovi")
            self.lost += [f"after the power loss: {check.output[-1500:]}"] if check.code else []
        return [call for _, call in calls]

    def violations(self) -> list[str]:
        """Violations after two clean runs: a double payment, a lost task, an incomplete clip."""
        violations = [
            f"{count} tasks for {prompt!r}" for prompt, count in self.provider.tasks(self.name).items() if count > 1
        ]
        defects = [end for end in self.runs if "Traceback" in end.output or end.code in (70, -11)]
        violations += [f"exit {end.code}: {end.output[-1500:]}" for end in defects]
        last = self.runs[-1]
        clips = sorted(self.folder.glob("renders/film/kinovi/clips/*/take-1.mp4"))
        unsettled = last.output.count("--not-charged") or last.output.count("unsettled  ")
        if last.code == 0 and len(clips) != len(self.film.phrases):
            violations.append(f"exit 0 with {len(clips)} clips")
        elif last.code not in (0, 6):
            violations.append(f"two clean runs later: exit {last.code}: {last.output[-1500:]}")
        elif last.code == 6 and len(clips) < 1:
            violations.append(f"exit 6 with {len(clips)} clips, {unsettled} unsettled: {last.output[-1500:]}")
        violations += [f"{clip.parent.name}: {defect}" for clip in clips if (defect := self._clip_is_wrong(clip))]
        return violations

    def losses(self) -> list[str]:
        """Tasks that were durable when a run was cut off and are lost or unsettled after two clean runs."""
        clips = {clip.parent.name for clip in self.folder.glob("renders/film/kinovi/clips/*/take-1.mp4")}
        durable = self.arrived & clips
        if len(durable) >= self.receipts:
            return self.lost
        return [*self.lost, f"of {sorted(self.arrived)} {self.receipts} had receipts, and {sorted(durable)} have clips"]

    def _clip_is_wrong(self, clip: Path) -> str:
        manifest: dict[str, Any] = json.loads((self.folder / "renders/film/kinovi/manifest.json").read_text())
        takes = {shot["id"]: shot["takes"][0] for shot in manifest["shots"]}
        recorded = takes[clip.parent.name].get("clip")
        if recorded is None:
            return "not in the manifest"
        data = clip.read_bytes()
        whole = hashlib.sha256(data).hexdigest() == recorded["sha256"] and len(data) == recorded["bytes"]
        return "" if whole else "not the bytes that the manifest names"


def _receipts(calls: list[list[str]]) -> int:
    """How many receipts have to be on the disk, since something else was done after they were written.

    By the same thread, or, after the first, by any: the first order goes alone. calls: (thread, call) in order.
    """
    written = [number for number, (_, call) in enumerate(calls) if call.startswith("write") and "/receipts/" in call]
    since = [
        [thread for thread, _ in calls[number + 1 :] if place == 0 or thread == calls[number][0]]
        for place, number in enumerate(written)
    ]
    return sum(1 for later in since if len(later) >= 2)
