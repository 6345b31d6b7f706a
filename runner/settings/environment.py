"""The environment that the output of a command depends on: folder, streams, variables; never the key."""

import os
import sys
from collections.abc import Mapping

from runner.settings.pull_request import PULL_REQUEST_VARIABLES

OBSERVED_VARIABLES = (
    *("STORYBOARD_PROVIDER", "STORYBOARD_MAX_CREDITS", "STORYBOARD_STATE", "SEEDANCE_BASE_URL"),
    *("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "PATH"),
    *("NO_COLOR", "TERM", "COLUMNS", "LINES", "LANG", "LC_ALL", "LC_CTYPE", "PYTHONIOENCODING", "PYTHONUTF8"),
    "CI",
    *(name for variables in PULL_REQUEST_VARIABLES.values() for name in variables),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_CEILING_DIRECTORIES"),
    *("GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_NAMESPACE", "GIT_SHALLOW_FILE"),
)
"""All variables that settings, terminal and git read, without the key: a run with nothing to send needs none."""


_SECRET_PREFIXES = ("SEEDANCE_", "KINOVI_")
_KEY = "SEEDANCE_API_KEY"
_MIN_KEY_LENGTH = 8
"""A shorter text is no key, and may stand in PATH by chance."""


def child_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every child process: without the provider's variables, and without the key in others."""
    env = os.environ if environ is None else environ
    key = env.get(_KEY, "").strip()
    has_key = len(key) >= _MIN_KEY_LENGTH
    return {
        name: text
        for name, text in env.items()
        if not name.upper().startswith(_SECRET_PREFIXES) and not (has_key and key in text)
    }


def hide_userinfo(text: str) -> str:
    """The text of a variable as messages show it: without the name and password of an address."""
    userinfo, at, host = text.rpartition("@")
    scheme, slashes, _ = userinfo.partition("//")
    return f"{scheme + slashes if slashes else ''}…@{host}" if at else text


def environment_snapshot() -> list[str]:
    """One line for each fact; two commands with the same lines have the same environment."""
    open_streams = [stream for stream in (sys.stdin, sys.stdout, sys.stderr) if stream is not None]
    streams = [f"{stream.isatty()} {stream.encoding}" for stream in open_streams]
    variables = [f"{name}={os.environ[name]}" for name in OBSERVED_VARIABLES if name in os.environ]
    return [os.getcwd(), sys.version, str(_terminal()), str(os.geteuid()), *streams, *variables]


def _terminal() -> tuple[int, int] | None:
    try:
        return os.get_terminal_size()
    except OSError:
        return None


def default_state_folder() -> str | None:
    """The state folder from variables alone; None where `platformdirs` is needed.

    None, too, in a deleted working folder: the full command reports that.
    """
    try:
        os.getcwd()
    except OSError:
        return None
    if folder := os.environ.get("STORYBOARD_STATE"):
        return os.path.join(os.getcwd(), folder)
    return xdg_folder(os.environ.get("XDG_STATE_HOME", ""), os.environ.get("HOME", ""), ".local/state")


def xdg_folder(base: str, home: str, default: str) -> str | None:
    """A storyboard folder by the XDG rules, as `platformdirs` has it on Linux; None where they do not apply."""
    if not sys.platform.startswith("linux") or not (base or home).startswith("/"):
        return None
    return os.path.join(base, "storyboard") if base else os.path.join(home, default, "storyboard")
