"""The exit code of each failure: the one place where errors of the floors below become exit codes."""

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
from runner.diagnostics.problem import CommandError, ExitCode

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


def exit_code_of(failure: Failure) -> ExitCode:
    """The exit code of a command that ends with this failure; of several, the lowest."""
    if isinstance(failure, CommandError):
        return failure.code
    if isinstance(failure, SeveralFailures):
        return min(map(exit_code_of, failure.failures))
    return EXIT_CODES[type(failure)]
