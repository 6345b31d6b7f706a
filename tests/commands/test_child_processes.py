"""No process that a command starts has the key in its environment, nor runs a program of the repository's settings."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.commands import COMMANDS
from runner.settings.environment import child_environment
from runner.store.git import git_environment
from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import KEY, Host

FILM = """\
storyboard: 1
title: The quay ش
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
cut: [quay, {slate: "The end نهاية", seconds: 0.2}]
shots:
  - id: quay
    prompt: "{% for i in range(2) %}Sunrise over the quay ش {% endfor %}"
"""
BOARD = "storyboards/film.yaml"
PAID = ("--provider", "kinovi")
CALLS: dict[str, tuple[str, ...]] = {
    "init": ("init", "other"),
    "validate": ("validate",),
    "plan": ("plan", *PAID),
    "diff": ("diff", "HEAD", *PAID),
    "run": ("run", BOARD, *PAID, "--yes"),
    "status": ("status", *PAID),
    "spend": ("spend", *PAID),
    "settle": ("settle", *PAID),
    "pick": ("pick", "quay", "1", *PAID),
    "keep": ("keep", "quay", *PAID),
    "mend": ("mend",),
    "fetch": ("fetch", BOARD, *PAID),
    "verify": ("verify", BOARD, *PAID),
    "cut": ("cut", BOARD, *PAID),
    "sheet": ("sheet", BOARD, *PAID),
    "dailies": ("dailies", BOARD, *PAID),
    "timeline": ("timeline", BOARD, *PAID),
    "sandbox": ("sandbox", "--port", "0"),
    "prices": ("prices",),
    "schema": ("schema",),
    "doctor": ("doctor",),
    "explain": ("explain", "unknown-name"),
    "docs": ("docs", "language"),
    "example": ("example", "harbour"),
    "import": ("import", "shots.csv"),
    "completion": ("completion", "bash"),
}
RECORDER = """\
import json, sys
log = open(sys.argv.pop(1), "a")
def record(event, arguments):
    if event == "subprocess.Popen":
        environment = arguments[3]
    elif event in ("os.posix_spawn", "os.exec"):
        environment = arguments[2]
    elif event in ("os.system", "os.spawn"):
        environment = None
    else:
        return
    import os
    log.write(json.dumps([str(arguments[1]), dict(os.environ if environment is None else environment)]) + "\\n")
    log.flush()
sys.addaudithook(record)
sys.argv[0] = "storyboard"
from runner.__main__ import main
raise SystemExit(main())
"""
"""Runs `storyboard` and notes each program that it starts, with the environment of that program."""


@pytest.fixture
def watched(tmp_path: Path) -> ContentRepo:
    film = content(tmp_path, FILM)
    film.write("shots.csv", "Shot,Description\n1,A quay\n")
    (tmp_path / "recorder.py").write_text(RECORDER)
    return film


def started_by(film: ContentRepo, *words: str, **env: str) -> list[tuple[str, dict[str, str]]]:
    """The programs that a command starts, each with its environment."""
    log = film.root.parent / "started.jsonl"
    log.write_text("")
    command = [sys.executable, "-P", str(film.root.parent / "recorder.py"), str(log), *words]
    package = str(Path(__file__).parents[2])
    with subprocess.Popen(
        command,
        cwd=film.root,
        env=film.env(**env) | {"PYTHONPATH": package},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        if words[0] == "sandbox":
            assert process.stdout.readline().startswith("sandbox listening")
            process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[0]
    assert process.returncode in (0, 8, 130), output
    return [(program, environment) for program, environment in map(json.loads, log.read_text().splitlines())]


def environments_with(key: str, started: list[tuple[str, dict[str, str]]]) -> list[str]:
    """The programs in whose environment the key stands, or any variable of the provider."""
    return [
        program
        for program, environment in started
        if any(key in text or name.startswith(("SEEDANCE_", "KINOVI_")) for name, text in environment.items())
    ]


def test_every_command_is_called() -> None:
    assert CALLS.keys() == COMMANDS.keys()


def test_no_command_gives_the_key_to_a_process_that_it_starts(watched: ContentRepo, host: Callable[..., Host]) -> None:
    env = host().env | {"OTHER_NAME_OF_THE_KEY": f"Bearer {KEY}", "KINOVI_TOKEN": "another-secret"}
    del env["STORYBOARD_PROVIDER"]
    programs: list[str] = []
    for words in ([*CALLS["run"]], *CALLS.values(), ["run", BOARD]):
        started = started_by(watched, *words, **env)
        programs += [program for program, _ in started]
        assert environments_with(KEY, started) == [], words
    del env["SEEDANCE_API_KEY"]
    by_vendors_name = started_by(watched, *CALLS["run"], **env | {"KINOVI_API_KEY": KEY})
    assert environments_with(KEY, by_vendors_name) == []
    for child in ("status", "templates.worker", "drawing.worker", "fc-match"):
        assert any(child in program for program in programs), child


@pytest.mark.parametrize("setting", ["core.fsmonitor", "core.hooksPath", "core.pager", "pager.status", "diff.external"])
def test_no_program_of_the_repositorys_settings_is_run(
    paid_film: ContentRepo, host: Callable[..., Host], setting: str
) -> None:
    seen = paid_film.root.parent / "seen"
    hooks = paid_film.root.parent / "hooks"
    hooks.mkdir()
    for name in ("program", "post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\nenv >> {seen}\n")
        (hooks / name).chmod(0o755)
    paid_film.git("config", setting, str(hooks if setting == "core.hooksPath" else hooks / "program"))
    seen.unlink(missing_ok=True)
    env = host().env
    assert paid_film.storyboard("run", BOARD, "--yes", **env).code == 0
    assert paid_film.storyboard("status", **env).code == 0
    assert not seen.exists()


def test_git_reads_the_folders_own_repository_whatever_variables_say() -> None:
    environment = {
        "PATH": "/bin",
        "HOME": "/home/a",
        "GIT_DIR": "/x",
        "GIT_EXTERNAL_DIFF": "/x",
        "GIT_TRACE": "/x",
        "GIT_SSH_COMMAND": "/x",
        "GIT_CONFIG_GLOBAL": "/home/a/config",
    }
    assert set(git_environment(environment)) - {"LC_ALL", "GIT_TERMINAL_PROMPT", "GIT_NO_LAZY_FETCH"} == {
        *("PATH", "HOME", "GIT_CONFIG_GLOBAL")
    }


def test_the_keys_of_both_variables_are_taken_from_the_others() -> None:
    environment = {
        "SEEDANCE_API_KEY": "key-of-one",
        "KINOVI_API_KEY": "key-of-two",
        "A": "key-of-one",
        "B": "x key-of-two",
    }
    assert child_environment(environment | {"PATH": "/bin"}) == {"PATH": "/bin"}


def test_a_short_text_in_place_of_the_key_takes_no_variable_away() -> None:
    assert child_environment({"SEEDANCE_API_KEY": "/bin", "PATH": "/usr/bin:/bin"}) == {"PATH": "/usr/bin:/bin"}
