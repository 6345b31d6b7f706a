"""A run that had nothing to do, remembered: while nothing that it looked at is another, it is answered from here.

It can say "nothing to do" and nothing else, so it can cause no request. Whatever is in doubt goes the whole way:
another folder, terminal or variable, a file with other times, size or place, one that is there now and was not, a
ledger that was written to, an output that another run holds or that cannot be written. What was touched within two
seconds of the run that remembers is in doubt, too: a clock may not tell the two apart.
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
"""Command lines that are remembered; beyond them the oldest are forgotten."""
_MTIME_GRACE = 2_000_000_000
"""Nanoseconds before a run's start: what was touched since then is not remembered."""


def stat_key(path: str) -> str | None:
    """What tells a file from its next self; "-" where there is none, None where nobody knows."""
    try:
        return stat_text(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return "-"
    except OSError:
        return None


def stat_text(status: os.stat_result) -> str:
    """Place, kind and rights, size, times in ns."""
    return (
        f"{status.st_dev} {status.st_ino} {status.st_mode} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
    )


def folder_key(path: str) -> str | None:
    """What tells a folder from a link to another one, whatever lies in it; None where there is none."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return f"{status.st_dev} {status.st_ino} {status.st_mode}"


def ledger_key(path: str) -> str | None:
    """As `facts` for the ledger, by the counter of changes in its header; None when that does not stand still.

    Never while this process has the ledger open: SQLite's locks end when any descriptor of its file is closed.
    """
    try:
        with open(path, "rb") as file:
            status, head = os.fstat(file.fileno()), file.read(28)
    except OSError:
        return None
    rolled_back = head[18:20] == b"\x01\x01" and not os.path.exists(f"{path}-journal")
    return f"{status.st_dev} {status.st_ino} {status.st_size} {head[24:28].hex()}" if rolled_back else None


def lookup(state: str, version: str, arguments: "Sequence[str]", context: "Sequence[str]") -> str | None:
    """What the same command said, if it would say so again; None for every other case."""
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
    """Whether one line is as true as it was."""
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
    """Keeps what a run with nothing to do looked at, and said; nothing is kept where anything is in doubt.

    `lines` are kind (file, folder, mark, ledger, lock, output), path, facts; `began_ns` is the wall clock at its begin.
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
    except OSError:  # it is only a memory: the next run goes the whole way
        return


def _changed_recently(recorded: str, started_ns: int) -> bool:
    return recorded != "-" and max(int(time) for time in recorded.split()[4:]) > started_ns - _MTIME_GRACE


def _header(version: str, arguments: "Sequence[str]", context: "Sequence[str]") -> list[str]:
    """The lines about the command itself, and which copy of the program was asked."""
    return [version, os.path.dirname(__file__), str(len(arguments)), *arguments, str(len(context)), *context]


def _path(state: str, arguments: "Sequence[str]", context: "Sequence[str]") -> str:
    name = binascii.crc32("\0".join((*arguments, "", *context)).encode("utf-8", "surrogateescape"))
    return os.path.join(state, _FOLDER, f"{name:08x}")


def _evict_oldest(folder: str) -> None:
    paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    for path in sorted(paths, key=os.path.getmtime, reverse=True)[_MAX_ENTRIES - 1 :]:
        os.unlink(path)
