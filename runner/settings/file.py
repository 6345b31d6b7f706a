"""A settings file, storyboard.toml or the user's own config.toml: its values by dotted key, each checked."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.diagnostics.failures import SettingsError
from runner.diagnostics.problem import closest_match
from runner.editions.edition import NAMES as EDITIONS
from runner.files.reading import SETTINGS_LIMIT, FileRejected, read_named
from runner.lazy_dataclass import dataclass
from runner.settings.toml_limits import UnfitToml, parse_toml, shortened

PROVIDERS = ("sandbox", "kinovi")
_MIN_AMOUNT, _MAX_AMOUNT = Decimal("1e-9"), Decimal("1e9")
Keys = Mapping[str, Callable[[Any], str | None]]


def _choice(*choices: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in choices else f"use one of {', '.join(choices)}"


def _integer(minimum: int, maximum: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        is_valid = isinstance(value, int) and not isinstance(value, bool) and minimum <= value <= maximum
        return None if is_valid else f"use a whole number from {minimum} to {maximum}"

    return check


def _amount(value: Any) -> str | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    is_valid = not isinstance(value, bool) and isinstance(value, int | float | str) and number.is_finite()
    is_valid = is_valid and _MIN_AMOUNT <= number <= _MAX_AMOUNT
    return None if is_valid else 'use a number above 0, best in quotes: "0.005"'


def _rate(value: Any) -> str | None:
    is_valid = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1000
    return None if is_valid else "use a number above 0, at most 1000"


def _folder(value: Any) -> str | None:
    return (
        None
        if isinstance(value, str)
        and value.strip()
        and value.isprintable()
        and len(os.fsencode(value)) <= _MAX_FOLDER_LENGTH
        and not os.path.isabs(value)
        else "use the path of a folder in this repository"
    )


def _callbacks(value: Any) -> str | None:
    """Check the base address of callbacks: the provider must reach it, and the connection must be encrypted."""
    message = "use a public https address, like https://hooks.example.com/storyboard (http only on this machine)"
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host, has_extras = parts.hostname or "", parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment
    except ValueError:
        return message
    if not host or has_extras or re.search(r"[^!-~]", value) or len(value) > _MAX_URL_LENGTH:
        return message
    if _is_loopback(host):
        return None if parts.scheme in ("http", "https") else message
    return None if parts.scheme == "https" and "." in host and _is_public(host) else message


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_number(host) and ip_address(host).is_loopback)


def _is_public(host: str) -> bool:
    return not _is_number(host) or ip_address(host).is_global


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def listening_at(value: Any) -> tuple[str, int] | None:
    """Host and port of `127.0.0.1:8788`, `[::1]:8788` or `localhost:8788`; None for anything else."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+|localhost)):([0-9]{1,5})", str(value))
    if match is None or not 0 < int(match[3]) < 65536:
        return None
    host = match[1] or match[2]
    return (host, int(match[3])) if host == "localhost" or _is_number(host) else None


def _listen(value: Any) -> str | None:
    address = listening_at(value)
    if address is None:
        return 'use an address and port of this machine, like "127.0.0.1:8788"'
    if not _is_loopback(address[0]):
        return "only your own config.toml may listen on other addresses than 127.0.0.1; use a tunnel or proxy"
    return None


def _listen_anywhere(value: Any) -> str | None:
    return _listen(value) if listening_at(value) is None else None


_MAX_URL_LENGTH = 1000
_MAX_FOLDER_LENGTH = 200
"""Bytes of the output's path: the path of a clip, which is longer, must fit into every file system."""
_MAX_ERRORS = 10
"""Errors of one file that are shown; the others are counted."""
_KEYS: dict[str, Callable[[Any], str | None]] = {
    "provider": _choice(*PROVIDERS),
    "output": _folder,
    "providers.kinovi.edition": _choice(*EDITIONS),
    "providers.kinovi.concurrency": _integer(1, 1000),
    "providers.kinovi.usd_per_credit": _amount,
    "providers.kinovi.server_error": _choice("retry", "settle"),
    "providers.kinovi.requests_per_second": _rate,
    "retries.provider": _integer(0, 10),
    "retries.review": _integer(0, 10),
    "budget.credits_per_day": _amount,
    "webhook.url": _callbacks,
    "webhook.listen": _listen,
}
_USER_KEYS = {**_KEYS, "webhook.listen": _listen_anywhere}
"""The keys of the user's own file: only it may open a port to other machines, no repository's file may."""
_PRICES = "providers.kinovi.prices"
_TABLES = ("providers", "providers.kinovi", _PRICES, "retries", "budget", "webhook")
_NOT_BUILT = ("publish", "ledger")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The checked values of one file by dotted key; a missing file has none."""

    path: Path
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, root: Path, *, is_user_file: bool) -> "SettingsFile":
        """Read a settings file; `root` is the repository's top, out of which no link of its own file may lead."""
        try:
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
        return cls(path, _checked(path, text, _flatten(table), _USER_KEYS if is_user_file else _KEYS))

    def prices(self) -> dict[str, Decimal]:
        """The prices in credits a second, by row: `seedance-20 720p`."""
        start = f"{_PRICES}."
        return {
            key.removeprefix(start): Decimal(str(value)) for key, value in self.values.items() if key.startswith(start)
        }


def nearest(paths: Iterable[Path], root: Path, name: str) -> Path:
    """The settings file that is nearest upward from files or folders, no further than `root`; else that of `root`.

    Raise `SettingsError` if two of them have different ones: a command has one budget, one provider, one account.
    """
    by_file: dict[Path, Path] = {}
    for path in paths:
        folder = Path(os.path.realpath(path if path.is_dir() else path.parent))
        inside = [place for place in (folder, *folder.parents) if place.is_relative_to(root)]
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
        if isinstance(value, dict) and key != _PRICES:
            values |= _flatten(value, f"{key}.") if value else {key: value}
        elif isinstance(value, dict):
            values |= {f"{key}.{row}": rate for row, rate in value.items()}
        else:
            values[key] = value
    return values


def _checked(path: Path, text: str, values: dict[str, Any], keys: Keys) -> dict[str, Any]:
    unfit = (key for key, value in values.items() if _error(key, value, keys, with_hint=False) is not None)
    first = list(islice(unfit, _MAX_ERRORS))
    if first:
        errors = [_error(key, values[key], keys) or "" for key in first]
        lines = [f"{path}:{_line(text, key)}: {error}" for key, error in zip(first, errors, strict=True)]
        if (more := sum(1 for _ in unfit)) > 0:
            lines.append(f"{path}: and {more:,} more")
        raise SettingsError("\n".join(lines))
    return {key: value for key, value in values.items() if key not in _TABLES}


def _error(key: str, value: Any, keys: Keys, *, with_hint: bool = True) -> str | None:
    """What is wrong with a value; without the hint, for which the nearest name would be sought, it costs little."""
    section = key.split(".")[0]
    if section in _NOT_BUILT:
        return f"[{section}] is not supported yet; leave it out"
    if key.startswith(f"{_PRICES}."):
        message = _amount(value)
        return None if message is None else f"{shortened(key.removeprefix(_PRICES + '.'))!r}: {message}"
    if key in _TABLES:
        return None if value == {} else f"{key} is a table: write [{key}]"
    if (check := keys.get(key)) is not None:
        message = check(value)
        return None if message is None else f"{key} = {shortened(repr(value))}: {message}"
    suggestion = closest_match(key, [*_KEYS, _PRICES]) if with_hint else None
    hint = f"did you mean {suggestion}?" if suggestion else f"the settings are {', '.join(_KEYS)}"
    return f"there is no setting {shortened(key)}; {hint}"


def _line(text: str, key: str) -> int:
    """The line of a key: below its table's header, else the first line with the last part of its name."""
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
