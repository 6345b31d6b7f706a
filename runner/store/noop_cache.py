"""The cached output of a run that had nothing to do, valid while none of the run's inputs has changed.

A cached run can only print "nothing to do", so the cache can cause no request. Any doubt leads to a full run: another
folder, terminal or variable, a file with other times, size or inode, a new file, a ledger that was written to, an
output that is locked or not writable. A file changed within two seconds of the caching run counts as changed, since
the clock of its file system may be too coarse to show a later change.
"""

import binascii
import fcntl
import os

from runner.store.writable import probe_writable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FORMAT = "storyboard unchanged 1"
_FOLDER = "unchanged"
_MAX_ENTRIES = 64
"""Command lines in the cache; beyond this number the oldest are evicted."""
_MTIME_GRACE = 2_000_000_000
"""Nanoseconds before the start of a run; with a file changed after that moment the run is not cached."""


def stat_key(path: str) -> str | None:
    """A text that changes whenever the file changes; "-" for a missing file, None when the file cannot be examined."""
    try:
        return stat_text(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return "-"
    except OSError:
        return None


def stat_text(status: os.stat_result) -> str:
    """Device, inode, mode, size, and times in ns, as one line."""
    return (
        f"{status.st_dev} {status.st_ino} {status.st_mode} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
    )


def folder_key(path: str) -> str | None:
    """A text that changes when the folder is replaced or becomes a link, whatever its content; None if missing."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return f"{status.st_dev} {status.st_ino} {status.st_mode}"


def ledger_key(path: str) -> str | None:
    """As `stat_key` for the ledger, with the change counter of the SQLite header; None during a transaction.

    Never call this while the process has the ledger open: closing any descriptor of the file drops SQLite's locks.
    """
    try:
        with open(path, "rb") as file:
            status, head = os.fstat(file.fileno()), file.read(28)
    except OSError:
        return None
    rolled_back = head[18:20] == b"\x01\x01" and not os.path.exists(f"{path}-journal")
    return f"{status.st_dev} {status.st_ino} {status.st_size} {head[24:28].hex()}" if rolled_back else None


def lookup(state: str, version: str, arguments: "Sequence[str]", context: "Sequence[str]") -> str | None:
    """The cached output of the same command if all inputs are unchanged, else None."""
    try:
        with open(_path(state, arguments, context), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            head, _, output = file.read().partition("\n\n")
        format_name, length, *lines = head.split("\n")
        if format_name != _FORMAT or int(length) != len(output):
            return None
        header = _header(version, arguments, context)
        if lines[: len(header)] != header or not all(_is_unchanged(line) for line in lines[len(header) :]):
            return None
    except (OSError, ValueError):
        return None
    return output


def _is_unchanged(line: str) -> bool:
    """Whether the input of one line is unchanged."""
    kind, path, recorded = line.split("\t")
    match kind:
        case "file":
            return stat_key(path) == recorded
        case "folder":
            return folder_key(path) == recorded
        case "mark":
            return str(os.path.exists(path)) == recorded
        case "ledger":
            return ledger_key(path) == recorded
        case "lock":
            return _is_free(path)
        case "output":
            probe_writable(path)
            return True
    return False


def _is_free(path: str) -> bool:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def remember(
    state: str,
    version: str,
    arguments: "Sequence[str]",
    context: "Sequence[str]",
    output: str,
    started_ns: int,
    lines: "Iterable[tuple[str, str, str | None]]",
) -> None:
    """Cache the output and inputs of a run that had nothing to do; skipped when an input could not be recorded.

    `lines` are (kind, path, key), the kind one of file, folder, mark, ledger, lock, output; `started_ns` is the wall
    clock at the start of the run.
    """
    entries = []
    for kind, path, recorded in lines:
        if recorded is None or (kind == "file" and _changed_recently(recorded, started_ns)):
            return
        entries.append(f"{kind}\t{path}\t{recorded}")
    header = _header(version, arguments, context)
    if any("\n" in line for line in header) or any(line.count("\t") != 2 or "\n" in line for line in entries):
        return
    path = _path(state, arguments, context)
    text = "\n".join((_FORMAT, str(len(output)), *header, *entries)) + "\n\n" + output
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        _evict_oldest(os.path.dirname(path))
        temporary = f"{path}.{os.getpid()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:  # a missing cache entry costs time only
        return


def _changed_recently(recorded: str, started_ns: int) -> bool:
    return recorded != "-" and max(int(time) for time in recorded.split()[4:]) > started_ns - _MTIME_GRACE


def _header(version: str, arguments: "Sequence[str]", context: "Sequence[str]") -> list[str]:
    """The lines that identify the command line, its context, and the installed copy of the program."""
    return [version, os.path.dirname(__file__), str(len(arguments)), *arguments, str(len(context)), *context]


def _path(state: str, arguments: "Sequence[str]", context: "Sequence[str]") -> str:
    name = binascii.crc32("\0".join((*arguments, "", *context)).encode("utf-8", "surrogateescape"))
    return os.path.join(state, _FOLDER, f"{name:08x}")


def _evict_oldest(folder: str) -> None:
    paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    for path in sorted(paths, key=os.path.getmtime, reverse=True)[_MAX_ENTRIES - 1 :]:
        os.unlink(path)
