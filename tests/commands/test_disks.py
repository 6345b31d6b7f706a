"""A ledger whose locks other machines do not see pays for nothing; a table of mounts of our own says where it lies."""

import subprocess
import sys
from collections.abc import Callable

from tests import requirements
from tests.builders.content_repo import CommandResult, ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]
INSIDE = 'mount -t tmpfs none /proc && printf "%s\\n" "$1" > /proc/mounts && shift && exec "$@"'
"""In a world of its own, where `/proc/mounts` is what the test says."""


def alone(*words: str) -> list[str]:
    return [*requirements.mount_namespace(), "sh", "-c", INSIDE, "sh", *words]


def run_on(mount: str, film: ContentRepo, *words: str, **env: str) -> CommandResult:
    line = f"nas:/home {film.state} {mount} 0 0"
    done = subprocess.run(
        alone(line, sys.executable, "-m", "runner", *words), cwd=film.root, env=film.env(**env), capture_output=True,
        stdin=subprocess.DEVNULL, text=True, timeout=60, check=False,
    )  # fmt: skip
    return CommandResult(done.returncode, done.stdout, done.stderr)


def test_on_a_network_drive_without_working_locks_nothing_is_paid(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.state.mkdir()
    said = run_on("nfs rw,vers=3,nolock", paid_film, "run", FILM, "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (3, 0), said.err
    assert "is on a network drive (nfs) whose locks other machines do not see" in said.err
    assert "export STORYBOARD_STATE=" in said.err
    free = run_on("nfs rw,vers=3,nolock", paid_film, "run", FILM, "--select", "quay")
    assert free.code == 0, free.err


def test_on_a_network_drive_with_locks_a_paid_run_goes_on(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.state.mkdir()
    said = run_on("nfs4 rw,vers=4.2,local_lock=none", paid_film, "run", FILM, "--yes", "--select", "quay", **there.env)
    assert (said.code, there.state["creates"]) == (0, 1), said.err
