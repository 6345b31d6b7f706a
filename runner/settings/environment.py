"""The environment: what child processes get of it, never the key; the user's folders."""

import os
import sys
from collections.abc import Mapping
from errno import ENAMETOOLONG

from runner.settings.api_key import key_texts, key_variables


def child_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every child process: without the provider's variables, and without a key in others."""
    env = os.environ if environ is None else environ
    keys = key_texts(env)
    # The whole prefix: the host that a key is sent to is no business of a child either.
    prefixes = tuple(name.removesuffix("API_KEY") for name in key_variables())
    return {
        name: text
        for name, text in env.items()
        if not name.upper().startswith(prefixes) and not any(key in text for key in keys)
    }


def hide_userinfo(text: str) -> str:
    """The text of a variable as messages show it: without the name and password of an address."""
    # The last @: a password may hold others.
    userinfo, at, host = text.rpartition("@")
    scheme, slashes, _ = userinfo.partition("//")
    return f"{scheme + slashes if slashes else ''}…@{host}" if at else text


def is_too_long(path: str | os.PathLike[str]) -> bool:
    """Whether a path is longer than this machine's files can be called."""
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno == ENAMETOOLONG
    return False


def commands_on_path(name: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """The programs of a name on the PATH, each once under any of its links: the first is the one that runs."""
    env = os.environ if environ is None else environ
    programs: dict[str, str] = {}
    # A relative entry of PATH would mean another program in each working folder.
    for folder in filter(os.path.isabs, env.get("PATH", os.defpath).split(os.pathsep)):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            programs.setdefault(os.path.realpath(path), path)
    return list(programs.values())


def home_folder(environ: Mapping[str, str]) -> str | None:
    """The user's home: an absolute HOME, else that of the password file; None on a machine that names neither."""
    # A relative HOME would make a ledger in each working folder, and none would know what another has paid.
    if home := environ.get("HOME", ""):
        return home if os.path.isabs(home) else None
    import pwd

    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None
    return home if os.path.isabs(home) else None


def xdg_folder(base: str, home: str, default: str) -> str | None:
    """A storyboard folder by the XDG rules, as `platformdirs` has it on Linux; None where they do not apply."""
    if not sys.platform.startswith("linux") or not (base or home).startswith("/"):
        return None
    # Written out, so that no start on Linux imports platformdirs.
    return os.path.join(base, "storyboard") if base else os.path.join(home, default, "storyboard")


def proxies() -> dict[str, str]:
    """Proxies by scheme, from the environment and the system."""
    from urllib.request import getproxies

    return getproxies()


def variable_of_proxy(scheme: str) -> str:
    """The variable that names the proxy of a URL scheme."""
    # Small letters first, as urllib and httpx read them.
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
    return next((name for name in names if os.environ.get(name)), "the system's proxy for " + scheme)


def certificate_variables(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that certificates and their log are read from, where they are set."""
    env = os.environ if environ is None else environ
    return {name: env[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE") if env.get(name)}


def columns() -> int:
    """The width of the screen that `COLUMNS` asks for; 0 if it asks for none."""
    try:
        return int(os.environ.get("COLUMNS", "0"))
    except ValueError:
        return 0
