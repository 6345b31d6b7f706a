"""Which exit code a command ends with, by the error that ends it, and of several the one that a script must hear."""

import errno

import pytest

from runner.app.exit_codes import exit_code_of
from runner.diagnostics.failures import (
    Failure,
    KeyUnusable,
    LedgerUnusable,
    OutputLocked,
    SelectionError,
    SeveralFailures,
)
from runner.diagnostics.problem import CommandError, ExitCode, most_severe

LOCKED, KEY, LEDGER = OutputLocked("renders/film"), KeyUnusable("no key"), LedgerUnusable("no ledger")


@pytest.mark.parametrize("code", ExitCode)
def test_a_single_code_is_the_code_of_the_command(code: ExitCode) -> None:
    assert most_severe([code]) is code
    assert most_severe([ExitCode.OK, code]) is code


def test_no_code_is_ok() -> None:
    assert most_severe([]) is ExitCode.OK


def test_pending_changes_are_the_mildest() -> None:
    assert most_severe([ExitCode.CHANGES_PENDING, ExitCode.WAITING, ExitCode.FAILED]) is ExitCode.FAILED
    assert most_severe([ExitCode.CHANGES_PENDING, ExitCode.WAITING]) is ExitCode.WAITING


@pytest.mark.parametrize(
    ("failures", "code"),
    [
        ([KEY, LOCKED], ExitCode.LOCKED),
        ([LOCKED, LEDGER], ExitCode.INVALID),
        ([LEDGER, SelectionError("no shot")], ExitCode.USAGE),
        ([SeveralFailures([KEY, LOCKED]), KEY], ExitCode.LOCKED),
        ([CommandError(ExitCode.FAILED, "no answer"), KEY], ExitCode.KEY),
    ],
)
def test_several_failures_end_with_the_most_severe(failures: list[Failure], code: ExitCode) -> None:
    assert exit_code_of(SeveralFailures(failures)) is code
    assert exit_code_of(SeveralFailures(failures[::-1])) is code


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_what_the_disk_refuses_is_invalid_input(number: int) -> None:
    assert exit_code_of(OSError(number, "the disk")) is ExitCode.INVALID


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "no file"), ValueError("x"), AssertionError()])
def test_what_nobody_foresaw_is_a_defect(error: Exception) -> None:
    assert exit_code_of(error) is ExitCode.DEFECT


def test_ctrl_c_is_an_interruption() -> None:
    assert exit_code_of(KeyboardInterrupt()) is ExitCode.INTERRUPTED
