"""The exit code of each error that ends a command: the one place where errors become exit codes."""

import errno

from runner.diagnostics.failures import (
    ConnectionUnusable,
    Failure,
    InstallationError,
    KeyUnusable,
    LedgerUnusable,
    ManifestUnreadable,
    OptionError,
    OutputLocked,
    PortUnusable,
    ProfileError,
    SandboxUnusable,
    SelectionError,
    SettingsError,
    SettlementError,
    SeveralFailures,
    ShotListUnusable,
    StoreUnusable,
    UnsafeVariableFileError,
    VariableError,
)
from runner.diagnostics.problem import CommandError, ExitCode, most_severe

EXIT_CODES: dict[type[Failure], ExitCode] = {
    SelectionError: ExitCode.USAGE,
    ProfileError: ExitCode.USAGE,
    VariableError: ExitCode.USAGE,
    UnsafeVariableFileError: ExitCode.INVALID,
    OptionError: ExitCode.USAGE,
    SettlementError: ExitCode.USAGE,
    SettingsError: ExitCode.INVALID,
    ConnectionUnusable: ExitCode.INVALID,
    InstallationError: ExitCode.INVALID,
    LedgerUnusable: ExitCode.INVALID,
    StoreUnusable: ExitCode.INVALID,
    ManifestUnreadable: ExitCode.INVALID,
    SandboxUnusable: ExitCode.INVALID,
    PortUnusable: ExitCode.INVALID,
    ShotListUnusable: ExitCode.INVALID,
    KeyUnusable: ExitCode.KEY,
    OutputLocked: ExitCode.LOCKED,
}
# What the disk refuses, wherever that shows: it is full, beyond its quota, damaged or read-only.
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS})


def exit_code_of(error: BaseException) -> ExitCode:
    """The exit code of a command that ends with this error; an error that nobody foresaw is a defect."""
    match error:
        case CommandError():
            return error.code
        case SeveralFailures():
            return most_severe(map(exit_code_of, error.failures))
        case Failure():
            return EXIT_CODES[type(error)]
        case KeyboardInterrupt():
            return ExitCode.INTERRUPTED
        case OSError() if error.errno in _DISK_ERRORS:
            return ExitCode.INVALID
        case _:
            return ExitCode.DEFECT
