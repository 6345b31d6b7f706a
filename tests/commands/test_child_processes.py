"""No process that a command starts has the key in its environment, nor runs a program of the repository's settings."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from runner.commands import COMMANDS
from runner.settings.environment import child_environment
from runner.store.git import git_environment
from tests.builders.content_repo import ContentRepo, content
from tests.builders.forking_interpreter import forking_interpreter
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


@pytest.fixture
def shot_list(tmp_path: Path) -> ContentRepo:
    film = content(tmp_path, FILM)
    film.write("shots.csv", "Shot,Description\n1,A quay\n")
    return film


def environments_with(key: str, started: Sequence[tuple[str, Mapping[str, str]]]) -> list[str]:
    """The programs in whose environment the key stands, or any variable of the provider."""
    return [
        program
        for program, environment in started
        if any(key in text or name.startswith(("SEEDANCE_", "KINOVI_")) for name, text in environment.items())
    ]


def test_every_command_is_called() -> None:
    assert CALLS.keys() == COMMANDS.keys()


def test_no_command_gives_the_key_to_a_process_that_it_starts(
    shot_list: ContentRepo, host: Callable[..., Host]
) -> None:
    env = host().env | {"OTHER_NAME_OF_THE_KEY": f"Bearer {KEY}", "KINOVI_TOKEN": "another-secret"}
    del env["STORYBOARD_PROVIDER"]
    by_vendors_name = {name: value for name, value in env.items() if name != "SEEDANCE_API_KEY"} | {
        "KINOVI_API_KEY": KEY
    }
    calls = [(words, env) for words in (CALLS["run"], *CALLS.values(), ("run", BOARD))]
    programs: list[str] = []
    with forking_interpreter() as interpreter:
        for words, variables in [*calls, (CALLS["run"], by_vendors_name)]:
            ended = interpreter.run(words, shot_list.root, shot_list.env(**variables), until="sandbox listening")
            assert ended.code in (0, 8, 130), (words, ended)
            assert environments_with(KEY, ended.started) == [], words
            programs += [program for program, _ in ended.started]
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
