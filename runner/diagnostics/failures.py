"""Typed errors of the rooms below `app`: a command cannot go on. `app/exit_codes.py` has their exit codes."""

from collections.abc import Sequence


class Failure(Exception):  # noqa: N818 - the kinds say what cannot be used, not that it is an error
    """A condition outside the program that a person can mend; `message` names it, and the way out.

    Code that can go on without the part that failed catches it; `cli` ends the command with what is left.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self._message = message

    @property
    def message(self) -> str:
        return self._message


class SelectionError(Failure):
    """An expression of `--select` or a SHOT that names no shot."""


class ProfileError(Failure):
    """A `--profile` that no storyboard has."""


class VariableError(Failure):
    """A `--var` or `--var-file` that cannot be read, or that no storyboard has."""


class UnsafeVariableFileError(VariableError):
    """A `--var-file` that is refused for what kind of file it is."""


class OptionError(Failure):
    """A setting given by a flag or the environment that is not among its possible values."""


class SettingsError(Failure):
    """A settings file, environment variable or folder that cannot be used."""


class KeyUnusable(Failure):
    """The provider's key is missing, or does not look like one."""


class SettlementError(Failure):
    """A statement about an attempt that does not fit the attempt."""


class ConnectionUnusable(Failure):
    """An address, proxy or certificate with which no request can be sent."""


class InstallationError(Failure):
    """A part of the installation is missing."""


class LedgerUnusable(Failure):
    """Ledger, receipts or state folder cannot be opened, read or written."""


class StoreUnusable(Failure):
    """A store of `[publish]` that cannot be opened, or whose credentials are missing or end too soon."""


class ManifestUnreadable(Failure):
    """A manifest that cannot be read, or is none."""


class ShotListUnusable(Failure):
    """A file that cannot be read as a shot list; the message continues the file's name."""


class SandboxUnusable(Failure):
    """A port, folder, edition or faults file with which the sandbox cannot start."""


class PortUnusable(Failure):
    """A port on which the dailies cannot be served."""


class OutputLocked(Failure):
    """Another run holds an output folder."""

    def __init__(self, output: str) -> None:
        super().__init__(f"another run is working on {output}: wait for it, or stop it")
        self.output = output


class SeveralFailures(Failure):
    """Several parts of a run that failed at once; each message once, a line each."""

    def __init__(self, failures: Sequence[Failure]) -> None:
        # Two tasks that meet the same full disk are one message.
        super().__init__("\n".join(dict.fromkeys(failure.message for failure in failures)))
        self.failures = tuple(failures)
