"""The other writers of records, cut off as runs are: the change of an old ledger, and commands that write manifests.

The change of a ledger leaves the old one or the new one, with every attempt; a manifest is the one before or the one
after, whole.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runner.store.ledger import schema
from tests.golden.first_form import IN_FIRST_FORM

from .prepared import PreparedProgram
from .programs import Programs
from .scenario import ALL_CUTS, Provider, Scenario, sandbox_server

PICK = ("pick", "a", "1", "--provider", "kinovi")
MANIFEST = "renders/film/kinovi/manifest.json"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with sandbox_server("--seconds", "0.2") as server:
        yield server


@pytest.fixture(scope="module")
def program(programs: Programs) -> Iterator[PreparedProgram]:
    with programs.borrow() as prepared:
        yield prepared


@pytest.fixture(scope="module")
def made(program: PreparedProgram, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """A film of which everything is made."""
    scenario = Scenario(tmp_path_factory.mktemp("made") / "film", "made", provider, program)
    assert scenario.run().code == 0, scenario.runs[-1].output
    return scenario


def again(made: Scenario, folder: Path) -> Scenario:
    """The same film in a folder of its own: its tasks are the provider's, and known to the account."""
    scenario = Scenario(folder, made.name, made.provider, made.ready)
    shutil.rmtree(folder)
    shutil.copytree(made.folder, folder)
    return scenario


def with_old_ledger(made: Scenario, folder: Path) -> Scenario:
    """Only a ledger of the first form tells of the tasks."""
    scenario = again(made, folder)
    shutil.rmtree(folder / "renders")
    shutil.rmtree(folder / "state" / "receipts")
    with closing(sqlite3.connect(folder / "state" / "ledger.db")) as database:
        database.executescript(IN_FIRST_FORM)
    return scenario


def attempts(ledger: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(ledger)) as database:
        return database.execute("SELECT id, task FROM attempt ORDER BY id").fetchall()


def form(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def change_violations(made: Scenario, folder: Path, at: int, how: str) -> list[str]:
    """What is wrong after the run that changes an old ledger was cut off, and after the next one."""
    scenario = with_old_ledger(made, folder)
    ledger = folder / "state" / "ledger.db"
    before = attempts(ledger)
    scenario.cut(at, how)
    violations = [] if attempts(ledger) == before else ["attempts are lost"]
    if form(ledger) == schema.VERSION and attempts(folder / "state" / schema.BACKUP) != before:
        violations.append("no copy of the old ledger")
    end = scenario.run()
    violations += [] if end.code == 0 else [f"exit {end.code}: {end.output[-800:]}"]
    violations += [] if form(ledger) == schema.VERSION else ["the ledger was not changed"]
    violations += [f"{count} tasks" for count in made.provider.tasks(made.name).values() if count > 1]
    return violations


@pytest.fixture(scope="module")
def change_calls(made: Scenario, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The calls of a run that changes an old ledger, up to the first clip that it brings."""
    calls = with_old_ledger(made, tmp_path_factory.mktemp("whole") / "film").cut(0, "")
    last = max(number for number, call in enumerate(calls) if schema.BACKUP in call)
    commit = next(number for number in range(last, len(calls)) if "ledger.db-journal" in calls[number])
    return calls[: commit + 30]


@pytest.mark.parametrize("how", ["before", "power", "full"])
def test_the_change_of_an_old_ledger_can_be_cut_off_without_harm(
    made: Scenario, change_calls: list[str], tmp_path: Path, how: str
) -> None:
    syncs = [at for at, call in enumerate(change_calls, 1) if call.startswith(("fsync", "fdatasync", "rename"))]
    points = [syncs[0], syncs[len(syncs) // 2], *syncs[-4:]]
    ends = {at: change_violations(made, tmp_path / f"{at}" / "film", at, how) for at in dict.fromkeys(points)}
    assert not {at: (change_calls[at - 1], found) for at, found in ends.items() if found}


@pytest.mark.long
@pytest.mark.parametrize("how", ALL_CUTS)
def test_no_call_of_the_change_can_be_cut_off_with_harm(
    made: Scenario, change_calls: list[str], tmp_path: Path, how: str
) -> None:
    points = range(1, len(change_calls) + 1)
    ends = {at: change_violations(made, tmp_path / f"{at}" / "film", at, how) for at in dict.fromkeys(points)}
    print(how, len(ends), "points")
    assert not {at: (change_calls[at - 1], found) for at, found in ends.items() if found}


def manifest_text(folder: Path) -> str:
    """The manifest without the moment of a pick, which is another in every run."""
    return re.sub(r'"at": "[^"]*"', '"at": ""', (folder / MANIFEST).read_text("utf-8"))


def pick_violations(made: Scenario, folder: Path, at: int, how: str, after: str) -> list[str]:
    """What is wrong after a command that writes the manifest was cut off, and after the next run."""
    scenario = again(made, folder)
    before = manifest_text(folder)
    scenario.cut(at, how, PICK)
    violations = [] if manifest_text(folder) in (before, after) else ["the manifest is neither"]
    end = scenario.run()
    violations += [] if end.code == 0 else [f"exit {end.code}: {end.output[-800:]}"]
    violations += [f"{count} tasks" for count in made.provider.tasks(made.name).values() if count > 1]
    return violations


@pytest.mark.parametrize("how", ["after", "power", "enospc"])
def test_a_manifest_is_the_one_before_or_the_one_after(made: Scenario, tmp_path: Path, how: str) -> None:
    whole = again(made, tmp_path / "whole" / "film")
    calls = whole.cut(0, "", PICK)
    assert whole.runs[-1].code == 0, whole.runs[-1].output
    after = manifest_text(whole.folder)
    points = [at for at, call in enumerate(calls, 1) if "manifest" in call]
    assert points
    ends = {at: pick_violations(made, tmp_path / f"{at}" / "film", at, how, after) for at in dict.fromkeys(points)}
    assert not {at: (calls[at - 1], found) for at, found in ends.items() if found}
