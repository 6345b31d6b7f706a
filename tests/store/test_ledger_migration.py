"""A ledger of the first form: read as it is by who only looks, brought to the present form by the first run."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runner.app.exit_codes import exit_code_of
from runner.attempts.attempt import AttemptState
from runner.attempts.events import Account, Created, Event, SendStarted
from runner.diagnostics.failures import LedgerUnusable
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import RunLimits
from runner.engine.ports import AlreadyAttempted
from runner.settings.environment import child_environment
from runner.store.git import Repository
from runner.store.ledger import schema
from runner.store.ledger.file_name import NAME
from runner.store.ledger.ledger import Ledger
from tests.golden.v1.restore import GOLDEN, READINGS, REPOSITORIES, restore
from tests.store.test_golden_v1 import EXPECTED, FixedClock, command, host, lasting
from tests.store.test_ledger import intended


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    restore(tmp_path)
    return tmp_path


def version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def started(folder: Path, repository: str, run: str = "run1") -> Ledger:
    """The golden ledger, opened for a run of a repository."""
    ledger = Ledger(folder / "state", FixedClock())
    account = Account("kinovi", urlsplit(host()).netloc)
    root = folder / repository
    limits = RunLimits(run, concurrency=100)
    ledger.start_run(
        account,
        str(root),
        limits,
        Repository(root, child_environment()).root_commits,
        lambda words: print(words, file=sys.stderr),
    )
    return ledger


def test_the_first_run_brings_the_ledger_to_the_present_form_and_keeps_a_copy(golden: Path) -> None:
    with closing(started(golden, "harbour")):
        assert version(golden / "state" / NAME) == schema.VERSION
    assert version(golden / "state" / schema.BACKUP) == 1
    assert dump(golden / "state" / schema.BACKUP) == dump(GOLDEN / "state" / NAME)


@pytest.mark.parametrize("reading", READINGS)
def test_every_command_says_after_the_change_what_it_said_before(golden: Path, reading: str) -> None:
    for repository in REPOSITORIES:
        started(golden, repository).close()
    for repository in REPOSITORIES:
        result = command(golden, repository, "state", *READINGS[reading])
        expected = (EXPECTED / f"{repository}-state-{reading}.json").read_text(encoding="utf-8")
        assert lasting(result.stdout) == lasting(expected), result.stderr


def test_a_second_run_changes_nothing_and_makes_no_second_copy(golden: Path) -> None:
    started(golden, "harbour").close()
    backup = golden / "state" / schema.BACKUP
    before = backup.stat().st_mtime_ns
    started(golden, "harbour", "run2").close()
    assert backup.stat().st_mtime_ns == before


def test_each_request_that_two_repositories_hold_is_ordered_in_neither(golden: Path) -> None:
    with closing(sqlite3.connect(golden / "state" / NAME)) as database:
        shared = database.execute(
            "SELECT fingerprint FROM attempt GROUP BY fingerprint HAVING COUNT(DISTINCT repository) = 2"
        ).fetchall()
    assert len(shared) == 3
    for repository in REPOSITORIES:
        with closing(started(golden, repository, f"run-{repository}")) as ledger:
            for (fingerprint,) in shared:
                order = Event(FixedClock().now(), "new", intended(fingerprint, run=f"run-{repository}"))
                assert isinstance(ledger.intend(order, 0), AlreadyAttempted)


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_a_film_keeps_its_own_attempt_of_a_request_that_both_ordered(golden: Path, repository: str) -> None:
    with closing(started(golden, repository)) as ledger:
        account = Account("kinovi", urlsplit(host()).netloc)
        history = ledger.history(account, str(golden / repository))
        for attempt in list(history.own()):
            history.attempts_of(attempt.intent.fingerprint)
        history.load_pending()
        for attempt in history.own():
            current = history.current_attempt(attempt.intent.fingerprint)
            assert current is not None
            assert current.repository is None


def test_attempts_opened_after_the_change_are_one_for_each_request(golden: Path) -> None:
    with closing(started(golden, "harbour")) as ledger:
        order = Event(FixedClock().now(), "new-1", intended("f" * 64))
        assert ledger.intend(order, 0) is None
        columns = "account, repository, storyboard, shot, take, fingerprint, run, at, sent, intended, state, open"
        with closing(sqlite3.connect(golden / "state" / NAME)) as database, pytest.raises(sqlite3.IntegrityError):
            database.execute(
                f"INSERT INTO attempt(id, {columns}, costs, folded, migrated)"
                f" SELECT 'new-2', {columns}, costs, folded, migrated"
                " FROM attempt WHERE id = 'new-1'"
            )


KILL = """
import os, signal, sqlite3, sys
from pathlib import Path
from runner.store.ledger import schema
from tests.store.test_ledger_migration import started
point = sys.argv[2]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "copying":
    schema._PAGES_A_STEP = 1
    schema._report_copied = die
elif point == "copied":
    schema._change = die
else:
    schema._TO_SECOND_FORM = ";".join(schema._TO_SECOND_FORM.split(";")[:int(point)]) + "; SELECT die()"
    connect = schema.contextlib.closing
    class Dying(sqlite3.Connection):
        def __init__(self, *words, **more):
            super().__init__(*words, **more)
            self.create_function("die", 0, die)
    import runner.store.ledger.database as database
    plain = sqlite3.connect
    sqlite3.connect = lambda *words, **more: plain(*words, **more, factory=Dying)
started(Path(sys.argv[1]), "harbour")
"""


@pytest.mark.parametrize("point", ["copying", "copied", "1", "7", "9", "10", "14"])
def test_a_change_that_is_killed_leaves_the_old_ledger_and_the_next_run_does_it(golden: Path, point: str) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", KILL, str(golden), point], cwd=root, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert dump(golden / "state" / NAME) == dump(GOLDEN / "state" / NAME)
    started(golden, "harbour").close()
    assert version(golden / "state" / NAME) == schema.VERSION
    assert dump(golden / "state" / schema.BACKUP) == dump(GOLDEN / "state" / NAME)


def test_a_change_that_fails_leaves_the_old_ledger_and_says_what_to_do(golden: Path) -> None:
    (golden / "state" / f"new-{schema.BACKUP}").mkdir()  # in the way of the copy
    with pytest.raises(LedgerUnusable, match="as it was") as stopped:
        started(golden, "harbour")
    assert exit_code_of(stopped.value) == ExitCode.INVALID
    assert (golden / "state" / NAME).read_bytes() == (GOLDEN / "state" / NAME).read_bytes()


def test_a_ledger_that_was_changed_by_half_is_refused_with_the_copy_named(golden: Path) -> None:
    with closing(sqlite3.connect(golden / "state" / NAME)) as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION}")
    result = command(golden, "harbour", "state", "status", "storyboards/film.yaml")
    assert result.returncode == ExitCode.INVALID
    assert schema.BACKUP in result.stderr


def test_a_reader_leaves_a_read_only_ledger_of_the_first_form_as_it_is(golden: Path) -> None:
    (golden / "state" / NAME).chmod(0o400)
    result = command(golden, "harbour", "state", "status", "storyboards/film.yaml", "--json")
    assert result.returncode == ExitCode.OK, result.stderr
    assert (golden / "state" / NAME).read_bytes() == (GOLDEN / "state" / NAME).read_bytes()


def test_of_two_runs_at_once_one_changes_the_ledger(golden: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.store.test_ledger_migration import started\n"
        "started(Path(sys.argv[1]), sys.argv[2], sys.argv[2]).close()"
    )
    root = Path(__file__).parents[2]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(golden), name], cwd=root, stderr=subprocess.PIPE, text=True
        )
        for name in REPOSITORIES
    ]
    errors = [run.communicate(timeout=60)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    assert sum("brought to its new form" in error for error in errors) == 1


def test_a_process_that_writes_the_old_form_meanwhile_is_waited_for(golden: Path) -> None:
    shutil.copy(golden / "state" / NAME, golden / "copy.db")
    holder = sqlite3.connect(golden / "state" / NAME, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    program = (
        "import sys; from pathlib import Path; from tests.store.test_ledger_migration import started\n"
        "started(Path(sys.argv[1]), 'harbour').close()"
    )
    root = Path(__file__).parents[2]
    run = subprocess.Popen([sys.executable, "-c", program, str(golden)], cwd=root, stderr=subprocess.DEVNULL)
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(timeout=2)
    holder.execute("ROLLBACK")
    holder.close()
    assert run.wait(timeout=30) == 0
    assert version(golden / "state" / NAME) == schema.VERSION


def test_what_ran_before_the_change_goes_on_after_it(golden: Path) -> None:
    with closing(started(golden, "harbour")) as ledger:
        order = Event(FixedClock().now(), "new", intended("e" * 64))
        assert ledger.intend(order, 0) is None
        assert ledger.append(Event(order.at, "new", SendStarted())) is None
        assert ledger.append(Event(order.at, "new", Created("task_new"))) is None
    with closing(started(golden, "harbour", "run2")) as ledger:
        account = Account("kinovi", urlsplit(host()).netloc)
        assert ledger.history(account, str(golden / "harbour")).attempts["new"].state is AttemptState.RUNNING
    assert os.access(golden / "state" / schema.BACKUP, os.R_OK)
