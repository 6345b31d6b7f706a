"""A settings file, storyboard.toml or the user's own config.toml: its values by dotted key, each checked."""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.diagnostics.problem import CommandError, ExitCode, closest_match
from runner.editions.edition import NAMES as EDITIONS
from runner.lazy_dataclass import dataclass

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
        if isinstance(value, str) and value.strip() and not os.path.isabs(value)
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
    def read(cls, path: Path, *, is_user_file: bool) -> "SettingsFile":
        try:
            text = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return cls(path, {})
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(ExitCode.INVALID, f"{path} cannot be read: {error}") from error
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CommandError(ExitCode.INVALID, f"{path}: {error}") from error
        return cls(path, _checked(path, text, _flatten(table), _USER_KEYS if is_user_file else _KEYS))

    def prices(self) -> dict[str, Decimal]:
        """The prices in credits a second, by row: `seedance-20 720p`."""
        start = f"{_PRICES}."
        return {
            key.removeprefix(start): Decimal(str(value)) for key, value in self.values.items() if key.startswith(start)
        }


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
    errors = [error for key, value in values.items() if (error := _error(key, value, keys)) is not None]
    if errors:
        lines = [f"{path}:{_line(text, key)}: {error}" for key, error in errors]
        raise CommandError(ExitCode.INVALID, "\n".join(lines))
    return {key: value for key, value in values.items() if key not in _TABLES}


def _error(key: str, value: Any, keys: Keys) -> tuple[str, str] | None:
    section = key.split(".")[0]
    if section in _NOT_BUILT:
        return key, f"[{section}] is not supported yet; leave it out"
    if key.startswith(f"{_PRICES}."):
        message = _amount(value)
        return None if message is None else (key, f"{key.removeprefix(_PRICES + '.')!r}: {message}")
    if key in _TABLES:
        return None if value == {} else (key, f"{key} is a table: write [{key}]")
    if (check := keys.get(key)) is not None:
        message = check(value)
        return None if message is None else (key, f"{key} = {value!r}: {message}")
    suggestion = closest_match(key, [*_KEYS, _PRICES])
    hint = f"did you mean {suggestion}?" if suggestion else f"the settings are {', '.join(_KEYS)}"
    return key, f"there is no setting {key}; {hint}"


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
