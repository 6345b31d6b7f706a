"""Seeded defects that would cost money: each must turn the suite red. The suite is run on a copy of the project."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE, RECORDS = "tests/engine", "tests/store/test_ledger.py"
POWER = "tests/crash/test_kills.py -k power_loss"
MUTANTS: dict[str, tuple[str, str, str, str]] = {
    "an answer that nobody understands counts as not created": (
        "runner/attempts/attempt.py",
        "return replace(attempt, state=AttemptState.UNSETTLED, message=message)",
        "return replace(attempt, state=AttemptState.NOT_CREATED, message=message)",
        ENGINE,
    ),
    "a request leaves without the sending mark": (
        "runner/engine/create.py",
        "        await run.append(attempt_id, SendStarted())\n",
        "",
        ENGINE,
    ),
    "what was cut short on its way counts as never sent": (
        "runner/attempts/recovery.py",
        "    if attempt.sent_at is None:\n        return NotSent",
        "    if True:\n        return NotSent",
        f"{ENGINE} tests/attempts",
    ),
    "an unsettled attempt does not keep a second one away": (
        "runner/attempts/attempt.py",
        "(state.INTENDED, state.UNSETTLED, state.RUNNING, state.SUCCEEDED)",
        "(state.INTENDED, state.RUNNING, state.SUCCEEDED)",
        f"{ENGINE} tests/attempts",
    ),
    "two open attempts of one take are possible": (
        "runner/store/ledger/schema.py",
        "CREATE UNIQUE INDEX one_open_attempt",
        "CREATE INDEX one_open_attempt",
        RECORDS,
    ),
    "an attempt of another run since is not noticed": (
        "runner/store/ledger/guards.py",
        'if row["tried"] == attempts_seen and not row["open"]:',
        "if True:",
        f"{RECORDS} {ENGINE}",
    ),
    "a run that lives is taken for dead": (
        "runner/store/locks.py",
        "    return bool(run) and not _is_free(state / RUNS / run)",
        "    return False",
        RECORDS,
    ),
    "a power loss may take a commit back": (
        "runner/store/ledger/database.py",
        '"synchronous = EXTRA"',
        '"synchronous = NORMAL"',
        RECORDS,
    ),
    "a power loss may take a commit back, says the power loss": (
        "runner/store/ledger/database.py",
        '"synchronous = EXTRA"',
        '"synchronous = NORMAL"',
        POWER,
    ),
    "a receipt may still be on its way to the disk": (
        "runner/store/receipts.py",
        "    os.fdatasync(file)\n",
        "",
        POWER,
    ),
    "a power loss may take the receipts' name": (
        "runner/store/receipts.py",
        "            sync_above(path, top=self._state)\n",
        "",
        POWER,
    ),
    "a power loss may take the folder of the ledger": (
        "runner/store/ledger/database.py",
        "    sync_above(state)",
        "    pass",
        POWER,
    ),
    "a power loss may take a clip's name": (
        "runner/files/writing.py",
        "        os.fsync(target_folder)\n",
        "",
        POWER,
    ),
    "a clip may still be on its way to the disk": (
        "runner/providers/transport/download.py",
        "                os.fsync(file.fileno())\n",
        "",
        POWER,
    ),
    "no receipt is written": (
        "runner/store/ledger/ledger.py",
        "                self._receipts.write(event.attempt, task_id, event.at, intent)\n            except",
        "                pass\n            except",
        f"{RECORDS} {ENGINE}",
    ),
    "a request on its way can be cancelled": (
        "runner/engine/create.py",
        "CancelScope(shield=True)",
        "CancelScope(shield=False)",
        ENGINE,
    ),
    "a 500 costs nothing until it is settled": (
        "runner/attempts/attempt.py",
        "self.is_in_progress or self.is_settleable",
        "self.is_in_progress or self is AttemptState.UNSETTLED",
        f"{RECORDS} {ENGINE}",
    ),
    "a 500 is repeated for ever": (
        "runner/engine/eligibility.py",
        "server_errors < SERVER_ERROR_REPEATS",
        "server_errors < 99 * SERVER_ERROR_REPEATS",
        ENGINE,
    ),
    "the cap is each run's own": (
        "runner/store/ledger/guards.py",
        "if total < limits.concurrency and",
        "if mine < limits.concurrency and",
        RECORDS,
    ),
    "a bill that differs is not checked": (
        "runner/attempts/attempt.py",
        "    if billed is None or abs(billed - quoted)",
        "    if billed is not None or abs(billed - quoted)",
        ENGINE,
    ),
    "an empty file is taken for a ledger": (
        "runner/store/ledger/database.py",
        "if application != schema.APPLICATION_ID:",
        "if application not in (0, _APPLICATION_ID):",
        RECORDS,
    ),
    "a poll that failed fails the take": (
        "runner/engine/poll.py",
        "        case Running():\n            await _still_running(run, target, attempt, poll_state, answer)",
        "        case Running(answered=False):\n"
        '            await _failed(run, target, attempt, Failed("other", answer.message))\n'
        "        case Running():\n            await _still_running(run, target, attempt, poll_state, answer)",
        ENGINE,
    ),
    "media that are gone are bought again": (
        "runner/attempts/attempt.py",
        "return replace(attempt, state=AttemptState.GONE, message=message, ended_at=event.at)",
        "return replace(attempt, state=AttemptState.FAILED, message=message, ended_at=event.at)",
        f"{ENGINE} tests/attempts",
    ),
    "what was not consented to is ordered": (
        "runner/engine/eligibility.py",
        "if step is None or step.key not in state.creates.approved or group.fingerprint in state.creates:",
        "if step is None or group.fingerprint in state.creates:",
        ENGINE,
    ),
    "redirects are followed": (
        "runner/providers/kinovi/client.py",
        "follow_redirects=False",
        "follow_redirects=True",
        "tests/providers/test_create.py",
    ),
    "the mark is made after the first byte": (
        "runner/providers/transport/send_tracker.py",
        '_FIRST_BYTE = "http11.send_request_headers.started"',
        '_FIRST_BYTE = "http11.send_request_body.complete"',
        "tests/providers/test_create.py",
    ),
    "a saved plan's ceiling forgets its earlier runs": (
        "runner/store/ledger/guards.py",
        'spent = table.sum("plan = ?", limits.saved_plan.id)',
        'spent = table.sum("run = ?", limits.run)',
        "tests/store/test_saved_plans.py",
    ),
    "a saved plan lets takes through that it does not list": (
        "runner/app/saved_plans.py",
        "    if comparison.differences:",
        "    if False:",
        "tests/commands/test_saved_plans.py",
    ),
    "a saved plan repeats what it has ordered again": (
        "runner/planning/saved_plan.py",
        "return shots - done",
        "return shots",
        "tests/planning/test_saved_plan.py",
    ),
}


def is_red(copy: Path, tests: str) -> bool:
    """Whether the suite fails on a copy of the project (and not because nothing could be run)."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not long", "-p", "no:cacheprovider", *tests.split()]
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    try:
        finished = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
    except subprocess.TimeoutExpired:
        return True  # a suite that does not end is not green
    assert finished.returncode in (0, 1), finished.stdout[-2000:] + finished.stderr[-2000:]
    return finished.returncode == 1


def copied(folder: Path) -> Path:
    for name in ("runner", "tests", "schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_every_mutant_still_finds_the_line_that_it_breaks() -> None:
    for name, (file, line, _, _) in MUTANTS.items():
        assert (ROOT / file).read_text().count(line) == 1, name


@pytest.mark.long
def test_the_unbroken_copy_is_green(tmp_path: Path) -> None:
    copy = copied(tmp_path)
    assert not is_red(copy, f"{ENGINE} {RECORDS} tests/attempts tests/providers/test_create.py")
    assert not is_red(copy, POWER)


@pytest.mark.long
@pytest.mark.parametrize("name", MUTANTS)
def test_the_suite_is_red_with(tmp_path: Path, name: str) -> None:
    file, line, instead, tests = MUTANTS[name]
    copy = copied(tmp_path)
    text = (copy / file).read_text()
    (copy / file).write_text(text.replace(line, instead))
    assert is_red(copy, tests), name
