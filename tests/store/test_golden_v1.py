"""The state written by commit ddd2066 gives the same history, plan and bill today (see `tests/golden/v1/make.py`)."""

import json
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Account, Clip, Event
from runner.clock import format_utc
from runner.diagnostics.failures import LedgerUnusable, SandboxUnusable
from runner.diagnostics.problem import ExitCode
from runner.sandbox.embedded import run_in_thread
from runner.sandbox.options import Options
from runner.sandbox.state.sandbox_state import SandboxState, task_line
from runner.settings.environment import child_environment
from runner.store import receipts
from runner.store.git import Repository
from runner.store.ledger.codec import (
    decode_attempt,
    decode_intent,
    decode_payload,
    encode_attempt,
    encode_event,
    encode_intent,
)
from runner.store.ledger.ledger import Ledger
from runner.store.ledger.stored_names import EVENT_KINDS, INTENT
from tests import in_process, prepared
from tests.builders.histories import history_of
from tests.golden.v1.restore import FILM, GOLDEN, KEY, READINGS, REPOSITORIES, STATES, environment, restore

EXPECTED = GOLDEN / "expected"


class FixedClock:
    """The moment at which ddd2066 printed its history."""

    def now(self) -> datetime:
        return datetime(2027, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def jitter(self) -> float:
        return 0.5

    def token(self) -> str:
        return "token"


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden state, for tests that only read it."""
    folder = tmp_path_factory.mktemp("golden")
    restore(folder)
    return folder


def host() -> str:
    return (EXPECTED / "host.txt").read_text(encoding="utf-8").strip()


def command(folder: Path, repository: str, state: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`storyboard …` in a golden repository, with a state folder."""
    return prepared.run(arguments, folder / repository, variables(folder, state))


def variables(folder: Path, state: str) -> dict[str, str]:
    """The environment of a command with a state folder."""
    return environment(folder, host()) | {"STORYBOARD_STATE": str(folder / state)}


def rows(folder: Path, query: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(folder / "state" / "ledger.db")) as db:
        db.row_factory = sqlite3.Row
        return db.execute(query).fetchall()


# -- what the golden state holds ----------------------------------------------------------------------------


def test_every_state_and_every_kind_of_event_is_in_the_golden_ledger(golden: Path) -> None:
    assert {row["state"] for row in rows(golden, "SELECT state FROM attempt")} == {
        state.value for state in AttemptState if state is not AttemptState.DOUBTFUL
    }
    assert {row["kind"] for row in rows(golden, "SELECT kind FROM event")} == set(EVENT_KINDS) - {"Doubtful"}


def test_two_repositories_of_one_ledger_share_fingerprints_open_paid_and_one_of_each(golden: Path) -> None:
    by_fingerprint: dict[str, dict[str, str]] = {}
    for row in rows(golden, "SELECT repository, fingerprint, state FROM attempt ORDER BY serial"):
        by_fingerprint.setdefault(row["fingerprint"], {})[row["repository"]] = row["state"]
    shared = sorted(sorted(states.values()) for states in by_fingerprint.values() if len(states) == 2)
    assert shared == [["stored", "stored"], ["stored", "unsettled"], ["unsettled", "unsettled"]]


def test_a_receipts_file_holds_a_task_that_no_row_has(golden: Path) -> None:
    written = {
        receipt.task for path in (golden / "state" / "runs").iterdir() for receipt in receipts.read_first_version(path)
    }
    assert written - {row["task"] for row in rows(golden, "SELECT task FROM attempt")} == {"task_anchor"}


# -- the ledger ---------------------------------------------------------------------------------------------


def test_every_event_row_is_read_and_written_again_to_the_letter(golden: Path) -> None:
    query = "SELECT a.id, e.at AS moment, kind, data FROM event e JOIN attempt a ON a.serial = e.attempt"
    for row in rows(golden, query):
        if row["kind"] != INTENT:
            payload = decode_payload(row["kind"], row["data"])
            event = Event(datetime.fromisoformat(row["moment"]), row["id"], payload)
            assert encode_event(event) == (row["moment"], row["kind"], row["data"])


def test_every_attempt_row_is_read_and_written_again_to_the_letter(golden: Path) -> None:
    for row in rows(golden, "SELECT *, NULL AS plan FROM attempt"):
        intent = decode_intent(row, row["intended"])
        assert encode_intent(intent) == row["intended"]
        assert encode_attempt(decode_attempt(row["id"], intent, row["folded"])) == row["folded"]


def open_ledger(golden: Path) -> Ledger:
    return Ledger(golden / "state", FixedClock())


def test_the_events_of_an_attempt_fold_to_its_row(golden: Path) -> None:
    with closing(open_ledger(golden)) as ledger:
        for row in rows(golden, "SELECT *, NULL AS plan FROM attempt"):
            attempt = decode_attempt(row["id"], decode_intent(row, row["intended"]), row["folded"])
            history = history_of(ledger.events(row["id"]))
            assert history.attempts == {row["id"]: attempt}


@pytest.mark.parametrize("repository", REPOSITORIES)
def test_the_ledger_gives_the_history_that_it_gave(golden: Path, repository: str) -> None:
    account = Account("kinovi", urlsplit(host()).netloc)
    identity = Repository(golden / repository, child_environment())
    with closing(open_ledger(golden)) as ledger:
        history = ledger.history(account, str(golden / repository), *identity.root_commits)
    expected = (EXPECTED / f"{repository}-history.jsonl").read_text(encoding="utf-8").splitlines()
    assert [history_line(attempt) for attempt in history.attempts.values()] == [json.loads(line) for line in expected]


def history_line(attempt: Attempt) -> dict[str, Any]:
    """An attempt with the keys of the expected history, which are independent of the names in the code."""
    intent = attempt.intent
    return {
        "attempt": attempt.id,
        "storyboard": intent.storyboard,
        "shot": intent.shot,
        "take": intent.take,
        "fingerprint": intent.fingerprint,
        "request": dict(intent.request),
        "quoted": str(intent.quoted),
        "edition": intent.edition,
        "key": intent.key_id,
        "webhook token": intent.webhook_token,
        "run": intent.run,
        "profile": intent.profile,
        "scene": intent.scene,
        "tags": list(intent.tags),
        "state": attempt.state.value,
        "intended at": moment(attempt.intended_at),
        "sent at": moment(attempt.sent_at),
        "accepted at": moment(attempt.accepted_at),
        "ended at": moment(attempt.ended_at),
        "task": attempt.task_id,
        "status": attempt.status,
        "failure": attempt.failure,
        "message": attempt.message,
        "errors": [list(pair) for pair in attempt.errors],
        "outputs": [[output.url, output.width, output.height] for output in attempt.outputs],
        "used": None if attempt.credits_used is None else str(attempt.credits_used),
        "seconds": attempt.duration,
        "clip": None if attempt.clip is None else clip(attempt.clip),
        "copies": [clip(copy) for copy in attempt.other_copies],
        "notes": list(attempt.notes),
        "charged": attempt.charged,
        "state before settlement": None
        if attempt.state_before_settlement is None
        else attempt.state_before_settlement.value,
        "from a manifest": attempt.from_manifest,
        "may have cost": str(attempt.credits),
        "billed": str(attempt.billed),
    }


def moment(at: datetime | None) -> str | None:
    return None if at is None else format_utc(at)


def clip(value: Clip) -> list[Any]:
    return [value.path, value.sha256, value.bytes, value.width, value.height, value.seconds]


# -- what the commands say ----------------------------------------------------------------------------------


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("repository", REPOSITORIES)
def test_a_command_prints_what_it_printed(
    request: pytest.FixtureRequest, golden: Path, repository: str, state: str, reading: str
) -> None:
    """The documents of ddd2066 in the present shapes; `pytest --rewrite` writes them anew after a change of shape."""
    result = in_process.run(READINGS[reading], golden / repository, variables(golden, state))
    path = EXPECTED / f"{repository}-{state}-{reading}.json"
    if request.config.getoption("--rewrite"):
        path.write_text(result.stdout, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    assert lasting(result.stdout) == lasting(expected), result.stderr


def lasting(document: str) -> Any:
    """A document without the end time of the attempt that was never sent: reading ends that attempt now.

    The id of an attempt that only a manifest names comes from the repository's folder, no longer from its first commit.
    """
    document = re.sub(r'"m-[0-9a-f]{24}"', '"m-"', document)
    return json.loads(re.sub(r'("attempt": "golden-oar-1".*?"completed_at": )"[^"]*"', r"\1null", document))


def test_reading_changes_nothing_in_the_state_folder(golden: Path, tmp_path: Path) -> None:
    restore(tmp_path)
    for repository in REPOSITORIES:
        assert command(tmp_path, repository, "state", "status", FILM, "--json").returncode == 0
    assert (tmp_path / "state/ledger.db").read_bytes() == (GOLDEN / "state/ledger.db").read_bytes()


# -- from the future ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ("""UPDATE attempt SET folded = json_set(folded, '$.lens', 35)""", "a field 'lens'"),
        ("""UPDATE attempt SET folded = json_set(folded, '$.state', 'archived')""", "a state 'archived'"),
        ("""UPDATE attempt SET folded = json_set(folded, '$.failure', 'weather')""", "a kind of failure 'weather'"),
        ("""UPDATE attempt SET intended = '{"lens":35,' || substr(intended, 2)""", "a field 'lens'"),
    ],
)
@pytest.mark.parametrize("arguments", [("status", FILM), ("run", FILM, "--yes"), ("spend",), ("settle",)])
def test_a_row_of_a_later_version_is_refused_with_words(
    tmp_path: Path, change: str, detail: str, arguments: tuple[str, ...]
) -> None:
    restore(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state" / "ledger.db")) as db, db:
        db.execute(change)
    result = command(tmp_path, "harbour", "state", *arguments)
    assert result.returncode == ExitCode.INVALID, result.stderr
    assert f"was written by a newer version of storyboard ({detail} in it): install that version" in result.stderr


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ("kind = 'Recut'", "an event 'Recut'"),
        ("data = json_set(data, '$.lens', 35)", "a field 'lens'"),
        ("kind = 'Settled', data = '{\"verdict\":\"half\"}'", "a verdict 'half'"),
    ],
)
def test_an_event_of_a_later_version_is_refused_with_words(tmp_path: Path, change: str, detail: str) -> None:
    restore(tmp_path)
    with closing(sqlite3.connect(tmp_path / "state" / "ledger.db")) as db, db:
        db.execute(f"UPDATE event SET {change} WHERE kind <> 'Intended'")
    attempt = rows(tmp_path, "SELECT id FROM attempt WHERE state = 'stored'")[0]["id"]
    message = re.escape(f"newer version of storyboard ({detail}")
    with closing(open_ledger(tmp_path)) as ledger, pytest.raises(LedgerUnusable, match=message):
        ledger.events(attempt)


# -- the sandbox --------------------------------------------------------------------------------------------


def test_the_sandbox_knows_the_tasks_uploads_and_accounts_that_it_knew(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden / "sandbox", tmp_path / "sandbox")
    with run_in_thread(tmp_path / "sandbox", Options(keys=(KEY,), plain_clips=True, seconds=0.2)) as address:
        state = httpx.get(f"{address}/__sandbox/state", headers={"Authorization": f"Bearer {KEY}"}).json()
    expected = json.loads((EXPECTED / "sandbox-state.json").read_text(encoding="utf-8"))
    assert {name: state[name] for name in expected} == expected


def test_a_task_of_the_journal_is_read_and_written_again_to_the_letter(golden: Path, tmp_path: Path) -> None:
    shutil.copytree(golden / "sandbox", tmp_path / "sandbox")
    journal = tmp_path / "sandbox" / "journal-1.jsonl"
    for line in [line for line in journal.read_text().splitlines() if '"event":"task"' in line]:
        journal.write_text(line + "\n")
        world = SandboxState(tmp_path / "sandbox", None, None)
        world.refresh()
        world.journal.close()
        [task] = world.tasks.values()
        assert json.dumps(task_line(task, json.loads(line)["body"]), separators=(",", ":")) == line


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ({"event": "recut", "id": "task_1"}, "an event 'recut'"),
        ({"event": "task", "id": "task_1", "body": "", "lens": 35}, "a field 'lens'"),
    ],
)
def test_a_sandbox_journal_of_a_later_version_is_refused_with_words(
    golden: Path, tmp_path: Path, line: dict[str, Any], detail: str
) -> None:
    shutil.copytree(golden / "sandbox", tmp_path / "sandbox")
    with (tmp_path / "sandbox" / "journal-1.jsonl").open("a") as journal:
        journal.write(json.dumps(line) + "\n")
    message = re.escape(f"newer version of storyboard ({detail} in it)")
    with pytest.raises(SandboxUnusable, match=message), run_in_thread(tmp_path / "sandbox", Options(plain_clips=True)):
        pass
