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

_FORM = "storyboard unchanged 1"
_FOLDER = "unchanged"
_MOST = 64
"""Command lines that are remembered; beyond them the oldest are forgotten."""
_MTIME_GRACE = 2_000_000_000
"""Nanoseconds before a run's start: what was touched since then is not remembered."""


def stat_key(path: str) -> str | None:
    """What tells a file from its next self; "-" where there is none, None where nobody knows."""
    try:
        return facts_of(os.stat(path))
    except (FileNotFoundError, NotADirectoryError):
        return "-"
    except OSError:
        return None


def facts_of(found: os.stat_result) -> str:
    """Place, kind and rights, size, times in ns."""
    return f"{found.st_dev} {found.st_ino} {found.st_mode} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns}"


def folder_facts(path: str) -> str | None:
    """What tells a folder from a link to another one, whatever lies in it; None where there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return f"{found.st_dev} {found.st_ino} {found.st_mode}"


def ledger_facts(path: str) -> str | None:
    """As `facts` for the ledger, by the counter of changes in its header; None when that does not stand still.

    Never while this process has the ledger open: SQLite's locks end when any descriptor of its file is closed.
    """
    try:
        with open(path, "rb") as file:
            found, head = os.fstat(file.fileno()), file.read(28)
    except OSError:
        return None
    rolled_back = head[18:20] == b"\x01\x01" and not os.path.exists(f"{path}-journal")
    return f"{found.st_dev} {found.st_ino} {found.st_size} {head[24:28].hex()}" if rolled_back else None


def lookup(state: str, version: str, words: "Sequence[str]", around: "Sequence[str]") -> str | None:
    """What the same command said, if it would say so again; None for every other case."""
    try:
        with open(_path(state, words, around), encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            head, _, said = file.read().partition("\n\n")
        form, length, *lines = head.split("\n")
        if form != _FORM or int(length) != len(said):
            return None
        told = _header(version, words, around)
        if lines[: len(told)] != told or not all(_holds(line) for line in lines[len(told) :]):
            return None
    except (OSError, ValueError):
        return None
    return said


def _holds(line: str) -> bool:
    """Whether one line is as true as it was."""
    kind, path, was = line.split("\t")
    match kind:
        case "file":
            return stat_key(path) == was
        case "folder":
            return folder_facts(path) == was
        case "mark":
            return str(os.path.exists(path)) == was
        case "ledger":
            return ledger_facts(path) == was
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
    words: "Sequence[str]",
    around: "Sequence[str]",
    said: str,
    began_ns: int,
    lines: "Iterable[tuple[str, str, str | None]]",
) -> None:
    """Keeps what a run with nothing to do looked at, and said; nothing is kept where anything is in doubt.

    `lines` are kind (file, folder, mark, ledger, lock, output), path, facts; `began_ns` is the wall clock at its begin.
    """
    kept = []
    for kind, path, was in lines:
        if was is None or (kind == "file" and _is_young(was, began_ns)):
            return
        kept.append(f"{kind}\t{path}\t{was}")
    told = _header(version, words, around)
    if any("\n" in line for line in told) or any(line.count("\t") != 2 or "\n" in line for line in kept):
        return
    path = _path(state, words, around)
    text = "\n".join((_FORM, str(len(said)), *told, *kept)) + "\n\n" + said
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        _forget(os.path.dirname(path))
        beside = f"{path}.{os.getpid()}"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            file.write(text)
        os.replace(beside, path)
    except OSError:  # it is only a memory: the next run goes the whole way
        return


def _is_young(was: str, began_ns: int) -> bool:
    return was != "-" and max(int(time) for time in was.split()[4:]) > began_ns - _MTIME_GRACE


def _header(version: str, words: "Sequence[str]", around: "Sequence[str]") -> list[str]:
    """The lines about the command itself, and which copy of the program was asked."""
    return [version, os.path.dirname(__file__), str(len(words)), *words, str(len(around)), *around]


def _path(state: str, words: "Sequence[str]", around: "Sequence[str]") -> str:
    name = binascii.crc32("\0".join((*words, "", *around)).encode("utf-8", "surrogateescape"))
    return os.path.join(state, _FOLDER, f"{name:08x}")


def _forget(folder: str) -> None:
    paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    for path in sorted(paths, key=os.path.getmtime, reverse=True)[_MOST - 1 :]:
        os.unlink(path)
