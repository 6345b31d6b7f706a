"""A user without a home: what needs no ledger works, and the rest names HOME and STORYBOARD_STATE."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner.commands import COMMANDS
from runner.settings.user_folders import state_folder, user_config_folder
from runner.store import crash_report
from tests import requirements
from tests.builders.content_repo import CommandResult, ContentRepo

BOARD = "storyboards/film.yaml"
HOMES: dict[str, dict[str, str]] = {"none": {}, "empty": {"HOME": ""}, "relative": {"HOME": "home/me"}}
WORKING = (
    *(
        ("validate",),
        ("plan",),
        ("plan", "--provider", "kinovi", "--json"),
        ("status",),
        ("spend",),
        ("settle",),
        ("mend",),
        ("diff", "--quiet"),
        ("prices",),
    ),
    *(("prices",), ("schema",), ("explain", "unknown-name"), ("init", "other"), ("--help",), ("--version",)),
    *(("docs", "language"), ("example", "harbour"), ("import", "shots.csv"), ("completion", "bash")),
)
STOPPING = (("run", BOARD), ("doctor",), ("fetch", BOARD))


def homeless(film: ContentRepo, *words: str, **env: str) -> CommandResult:
    """The command as a user without a name, in an environment that has PATH and these variables."""
    done = subprocess.run(
        [*requirements.unnamed_user(), sys.executable, "-m", "runner", *words],
        cwd=film.root,
        env={"PATH": os.environ["PATH"], "COLUMNS": "200"} | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def anybodys(film: ContentRepo) -> ContentRepo:
    """A film that every user of the machine may change."""
    film.write("shots.csv", "Shot,Description\n1,A quay\n")
    for path in (film.root.parent, film.root, *film.root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o777 if path.is_dir() else 0o666)
    return film


@pytest.mark.parametrize("home", HOMES)
def test_what_needs_no_ledger_works_without_a_home(anybodys: ContentRepo, home: str) -> None:
    for words in WORKING:
        said = homeless(anybodys, *words, **HOMES[home])
        assert said.code == 0, (words, said.err)


@pytest.mark.parametrize("home", HOMES)
def test_what_needs_a_ledger_names_the_variables(anybodys: ContentRepo, home: str) -> None:
    for words in STOPPING:
        said = homeless(anybodys, *words, **HOMES[home])
        assert said.code == 3, (words, said.err)
        message = " ".join((said.out + said.err).split())
        assert "HOME" in message
        assert "STORYBOARD_STATE=" in message
        assert "Traceback" not in message
    assert not list(anybodys.root.rglob("ledger.db"))


@pytest.mark.parametrize("home", HOMES)
def test_a_named_state_folder_needs_no_home(anybodys: ContentRepo, home: str) -> None:
    state = {"STORYBOARD_STATE": str(anybodys.state)} | HOMES[home]
    for words in (("run", BOARD), ("run", BOARD), ("status",), ("settle",), ("doctor",)):
        said = homeless(anybodys, *words, **state)
        assert said.code == 0, (words, said.out, said.err)


def test_every_command_with_a_ledger_or_without_is_called() -> None:
    called = {words[0] for words in (*WORKING, *STOPPING)}
    assert COMMANDS.keys() - called == {"pick", "keep", "verify", "cut", "sheet", "dailies", "timeline", "sandbox"}


def test_an_empty_home_is_that_of_the_password_file(tmp_path: Path) -> None:
    assert state_folder({"HOME": ""}) == state_folder({})
    assert state_folder({"HOME": "home/me"}) is None
    assert user_config_folder({"HOME": "home/me"}) is None
    assert state_folder({"HOME": "home/me", "XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "storyboard"


def test_settings_of_the_user_are_read_from_an_absolute_folder_only(film: ContentRepo) -> None:
    film.write("config/storyboard/config.toml", "[retries]\nreview = 0\n")
    said = film.storyboard("plan", XDG_CONFIG_HOME="config")
    assert said.code == 3
    assert 'export XDG_CONFIG_HOME="$PWD/config"' in said.err


class UnprintableError(Exception):
    """A defect whose own message fails."""

    def __str__(self) -> str:
        raise ValueError("no message")


def test_a_defect_without_message_and_folder_is_reported(tmp_path: Path) -> None:
    assert "there is no state folder" in crash_report.write(UnprintableError(), ["plan"], None)
    file = tmp_path / "file"
    file.touch()
    assert "could not be written" in crash_report.write(UnprintableError(), ["plan"], file)
    assert "the report is in" in crash_report.write(UnprintableError(), ["plan", "\udcff"], tmp_path)
