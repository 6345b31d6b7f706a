"""A user without a home: what needs no ledger works, and the rest names HOME and STORYBOARD_STATE."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.commands import COMMANDS
from runner.settings.user_folders import state_folder, user_config_folder
from runner.store import crash_report
from tests import requirements
from tests.builders.content_repo import ContentRepo
from tests.builders.forking_interpreter import Ended, ForkingInterpreter, forking_interpreter

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


@pytest.fixture(scope="module")
def nameless() -> Iterator[ForkingInterpreter]:
    """An interpreter of a user without a name."""
    with forking_interpreter(requirements.unnamed_user()) as interpreter:
        yield interpreter


def homeless(nameless: ForkingInterpreter, film: ContentRepo, *words: str, **env: str) -> Ended:
    """The command as a user without a name, in an environment that has PATH and these variables."""
    return nameless.run(words, film.root, {"PATH": os.environ["PATH"], "COLUMNS": "200"} | env)


@pytest.fixture
def anybodys(film: ContentRepo) -> ContentRepo:
    """A film that every user of the machine may change."""
    film.write("shots.csv", "Shot,Description\n1,A quay\n")
    for path in (film.root.parent, film.root, *film.root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o777 if path.is_dir() else 0o666)
    return film


@pytest.mark.parametrize("home", HOMES)
def test_what_needs_no_ledger_works_without_a_home(
    nameless: ForkingInterpreter, anybodys: ContentRepo, home: str
) -> None:
    for words in WORKING:
        said = homeless(nameless, anybodys, *words, **HOMES[home])
        assert said.code == 0, (words, said.err)


@pytest.mark.parametrize("home", HOMES)
def test_what_needs_a_ledger_names_the_variables(
    nameless: ForkingInterpreter, anybodys: ContentRepo, home: str
) -> None:
    for words in STOPPING:
        said = homeless(nameless, anybodys, *words, **HOMES[home])
        assert said.code == 3, (words, said.err)
        message = " ".join((said.out + said.err).split())
        assert "HOME" in message
        assert "STORYBOARD_STATE=" in message
        assert "Traceback" not in message
    assert not list(anybodys.root.rglob("ledger.db"))


@pytest.mark.parametrize("home", HOMES)
def test_a_named_state_folder_needs_no_home(nameless: ForkingInterpreter, anybodys: ContentRepo, home: str) -> None:
    state = {"STORYBOARD_STATE": str(anybodys.state)} | HOMES[home]
    run = ("run", BOARD, "--select", "quay")
    for words in (run, run, ("status",), ("settle",), ("doctor",)):
        said = homeless(nameless, anybodys, *words, **state)
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
