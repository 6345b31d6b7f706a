"""A settings file, storyboard.toml or the user's own config.toml: its values by dotted key, each checked."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.diagnostics.failures import SettingsError
from runner.diagnostics.problem import closest_match
from runner.files.reading import SETTINGS_LIMIT, FileRejected, read_named
from runner.hosts import ip_of, is_loopback, is_public
from runner.lazy_dataclass import dataclass
from runner.paid_providers import paid_providers, settings_section
from runner.settings.publish import check_store, check_user_store, git_url_check
from runner.settings.schema import expectation, is_valid, keys
from runner.settings.toml_limits import UnfitToml, parse_toml, shortened

Rules = Mapping[str, Callable[[Any], str | None]]


def providers() -> tuple[str, ...]:
    """The names that `provider` takes: the free sandbox, and the paid ones."""
    return ("sandbox", *(provider.name for provider in paid_providers()))


def _expected(key: str) -> str:
    return expectation(keys().values[key])


def _folder(value: Any) -> str | None:
    """Check the output's folder: no character that a terminal hides, and short enough for every file system."""
    is_usable = isinstance(value, str) and value.isprintable() and len(os.fsencode(value)) <= _MAX_FOLDER_LENGTH
    return None if is_usable else _expected("output")


def _callbacks(value: Any) -> str | None:
    """Check the base address of callbacks: the provider must reach it, and the connection must be encrypted."""
    message = _expected("webhook.url")
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        # A user name, a query or a fragment would go to the provider as a part of every callback's address.
        host, has_extras = parts.hostname or "", parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment
    except ValueError:
        return message
    if not host or has_extras:
        return message
    # A sandbox on this machine calls back, and has no certificate.
    if is_loopback(host):
        return None if parts.scheme in ("http", "https") else message
    return None if parts.scheme == "https" and is_public(host) else message


def listening_at(value: Any) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8788`, `[::1]:8788` or `localhost:8788`; None for anything else."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+|localhost)):([0-9]{1,5})", str(value))
    if match is None or not 0 < int(match[3]) < 65536:
        return None
    host = match[1] or match[2]
    return (host, int(match[3])) if host == "localhost" or ip_of(host) is not None else None


def _listen(value: Any) -> str | None:
    address = listening_at(value)
    if address is None:
        return _expected("webhook.listen")
    if not is_loopback(address[0]):
        return "only your own config.toml may listen on other addresses than 127.0.0.1; use a tunnel or proxy"
    return None


def _listen_anywhere(value: Any) -> str | None:
    return _listen(value) if listening_at(value) is None else None


# Bytes of the output's path: the path of a clip, which is longer, must fit into every file system.
_MAX_FOLDER_LENGTH = 200
# Errors of one file that are shown; the others are counted.
_MAX_ERRORS = 10
# The rules of trust beyond the schema's types, ranges and choices; each sees any value.
_RULES: Rules = {
    "output": _folder,
    "webhook.url": _callbacks,
    "webhook.listen": _listen,
    "publish.git_url": git_url_check(_callbacks),
    "publish.store": check_store,
    "publish.base_url": _callbacks,
}
# The rules of the user's own file: only it may open a port to other machines, or write outside the repository.
_USER_RULES: Rules = {**_RULES, "webhook.listen": _listen_anywhere, "publish.store": check_user_store}
# A section of the documented format that nothing reads yet: ignored, it would let two machines pay for one clip.
_NOT_BUILT = ("ledger",)


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The checked values of one file by dotted key; a missing file has none."""

    path: Path
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, root: Path, *, is_user_file: bool) -> "SettingsFile":
        """Read a settings file; `root` is the repository's top, out of which no link of its own file may lead."""
        try:
            # The user's own file may be a link to anywhere, as those who keep dotfiles in a repository have it.
            text = read_named(path, None if is_user_file else root, SETTINGS_LIMIT).decode("utf-8")
            table = parse_toml(text)
        except FileRejected as rejected:
            if rejected.code == "file-missing":
                return cls(path, {})
            raise SettingsError(f"{path} {rejected.message}") from rejected
        except UnicodeDecodeError as error:
            raise SettingsError(f"{path} cannot be read: {error}") from error
        except UnfitToml as unfit:
            place = path if unfit.line is None else f"{path}:{unfit.line}"
            raise SettingsError(f"{place}: {unfit.message}") from unfit
        return cls(path, _checked(path, text, _flatten(table), _USER_RULES if is_user_file else _RULES))

    def prices(self) -> dict[str, Decimal]:
        """The prices in credits a second, by row: `seedance-20 720p`."""
        start = f"{settings_section()}.prices."
        return {
            key.removeprefix(start): Decimal(str(value)) for key, value in self.values.items() if key.startswith(start)
        }


def nearest(paths: Iterable[Path], root: Path, name: str) -> Path:
    """The settings file that is nearest upward from files or folders, no further than `root`; else that of `root`.

    Raise `SettingsError` if two of them have different ones: a command has one budget, one provider, one account.
    """
    by_file: dict[Path, Path] = {}
    for path in paths:
        folder = Path(os.path.realpath(path if os.path.isdir(path) else path.parent))
        inside = [place for place in (folder, *folder.parents) if place.is_relative_to(root)]
        # A link that leads nowhere counts: the reader refuses it, and no file further up takes its place unseen.
        place = next((place for place in inside if os.path.lexists(place / name)), root)
        by_file.setdefault(place / name, path)
    if len(by_file) > 1:
        lines = "".join(f"\n  {path}: {file}" for file, path in list(by_file.items())[:2])
        raise SettingsError(f"these storyboards have different settings; name them in commands of their own:{lines}")
    return next(iter(by_file), root / name)


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and key not in keys().rows:
            # An empty table is kept, so that one of an unknown name is refused.
            values |= _flatten(value, f"{key}.") if value else {key: value}
        elif isinstance(value, dict):
            values |= {f"{key}.{row}": rate for row, rate in value.items()}
        else:
            values[key] = value
    return values


def _checked(path: Path, text: str, values: dict[str, Any], rules: Rules) -> dict[str, Any]:
    # Without hints first: a file of 20,000 unknown keys would seek as many nearest names.
    unfit = (key for key, value in values.items() if _error(key, value, rules, with_hint=False) is not None)
    first = list(islice(unfit, _MAX_ERRORS))
    if first:
        errors = [_error(key, values[key], rules, with_names=key == first[0]) or "" for key in first]
        lines = [f"{path}:{_line(text, key)}: {error}" for key, error in zip(first, errors, strict=True)]
        if (more := sum(1 for _ in unfit)) > 0:
            lines.append(f"{path}: and {more:,} more")
        raise SettingsError("\n".join(lines))
    return {key: value for key, value in values.items() if key not in keys().tables}


def _error(key: str, value: Any, rules: Rules, *, with_hint: bool = True, with_names: bool = False) -> str | None:
    """The error of a value, or None; without the hint, for which the nearest name is sought, the check costs little.

    `with_names`: the hint for an unknown key without a near name lists all settings.
    """
    published = keys()
    if (section := key.partition(".")[0]) in _NOT_BUILT:
        return f"[{section}] is not supported yet; leave it out"
    if key in published.tables:
        return None if value == {} else f"{key} is a table: write [{key}]"
    if (schema := published.values.get(key)) is not None:
        message = rules[key](value) if key in rules else None
        if message is None and not is_valid(schema, value):
            message = expectation(schema)
        return None if message is None else f"{key} = {shortened(repr(value))}: {message}"
    if table := next((table for table in published.rows if key.startswith(f"{table}.")), ""):
        row, schema = key.removeprefix(f"{table}."), published.rows[table]
        return None if is_valid(schema, value) else f"{shortened(row)!r}: {expectation(schema)}"
    names = [*published.values, *published.rows]
    suggestion = closest_match(key, names) if with_hint else None
    if suggestion is None and not with_names:
        return f"there is no setting {shortened(key)}"
    hint = f"did you mean {suggestion}?" if suggestion else f"the settings are {', '.join(published.values)}"
    return f"there is no setting {shortened(key)}; {hint}"


def _line(text: str, key: str) -> int:
    """The line of a key: below its table's header, else the first line with the last part of its name."""
    # tomllib gives values without lines, so the text is searched for the key.
    table, _, name = key.rpartition(".")
    current = ""
    fallback = 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]#]+?)\s*\]", line):
            current = header[1].replace('"', "")
            if current == key or current.startswith(f"{key}.") or (not fallback and current == table):
                fallback = number
        assignment = re.match(r"\s*(\"[^\"]*\"|'[^']*'|[\w.-]+)\s*=", line)
        if assignment and f"{current}.{assignment[1].strip(chr(34) + chr(39))}".strip(".") == key:
            return number
        if assignment and assignment[1].strip("\"'") == name and not fallback:
            fallback = number
    return fallback or 1
