"""One settings file, storyboard.toml or the user's own config.toml: its values by dotted key, each checked."""

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
_LEAST, _MOST = Decimal("1e-9"), Decimal("1e9")
Keys = Mapping[str, Callable[[Any], str | None]]


def _choice(*known: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in known else f"it is one of {', '.join(known)}"


def _whole(low: int, high: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"it is a whole number from {low} to {high}"

    return check


def _amount(value: Any) -> str | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    fits = not isinstance(value, bool) and isinstance(value, int | float | str) and number.is_finite()
    fits = fits and _LEAST <= number <= _MOST
    return None if fits else 'it is a number above 0, best in quotes: "0.005"'


def _rate(value: Any) -> str | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 1000
    return None if fits else "it is a number above 0, at most 1000"


def _folder(value: Any) -> str | None:
    return (
        None if isinstance(value, str) and value.strip() and not os.path.isabs(value) else "it is a folder below here"
    )


def _callbacks(value: Any) -> str | None:
    """A base below which each attempt has its path: where the provider can reach it, and nobody can read along."""
    words = "it is a public https address, like https://hooks.example.com/storyboard (http only on this machine)"
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        host, odd = parts.hostname or "", parts.port == 0 or "@" in parts.netloc or parts.query or parts.fragment
    except ValueError:
        return words
    if not host or odd or re.search(r"[^!-~]", value) or len(value) > _LONGEST_URL:
        return words
    if _is_loopback(host):
        return None if parts.scheme in ("http", "https") else words
    return None if parts.scheme == "https" and "." in host and _is_public(host) else words


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
    shape = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+|localhost)):([0-9]{1,5})", str(value))
    if shape is None or not 0 < int(shape[3]) < 65536:
        return None
    host = shape[1] or shape[2]
    return (host, int(shape[3])) if host == "localhost" or _is_number(host) else None


def _listen(value: Any) -> str | None:
    found = listening_at(value)
    if found is None:
        return 'it is an address and port of this machine, like "127.0.0.1:8788"'
    if not _is_loopback(found[0]):
        return "only your own config.toml may listen beyond 127.0.0.1; a tunnel or proxy leads there"
    return None


def _listen_anywhere(value: Any) -> str | None:
    return _listen(value) if listening_at(value) is None else None


_LONGEST_URL = 1000
_KEYS: dict[str, Callable[[Any], str | None]] = {
    "provider": _choice(*PROVIDERS),
    "output": _folder,
    "providers.kinovi.edition": _choice(*EDITIONS),
    "providers.kinovi.concurrency": _whole(1, 1000),
    "providers.kinovi.usd_per_credit": _amount,
    "providers.kinovi.server_error": _choice("retry", "settle"),
    "providers.kinovi.requests_per_second": _rate,
    "retries.provider": _whole(0, 10),
    "retries.review": _whole(0, 10),
    "budget.credits_per_day": _amount,
    "webhook.url": _callbacks,
    "webhook.listen": _listen,
}
_OWN_KEYS = {**_KEYS, "webhook.listen": _listen_anywhere}
"""What the user's own file may say: no stranger's change can open this machine to others."""
_PRICES = "providers.kinovi.prices"
_TABLES = ("providers", "providers.kinovi", _PRICES, "retries", "budget", "webhook")
_NOT_BUILT = ("publish", "ledger")


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """The values of one file by dotted key, checked; a missing file says nothing."""

    path: Path
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, *, own: bool) -> "SettingsFile":
        try:
            text = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return cls(path, {})
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(ExitCode.INVALID, f"{path}: cannot be read: {error}") from error
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise CommandError(ExitCode.INVALID, f"{path}: {error}") from error
        return cls(path, _checked(path, text, _flat(table), _OWN_KEYS if own else _KEYS))

    def prices(self) -> dict[str, Decimal]:
        """The rows of own prices: `seedance-20 720p` to credits a second."""
        start = f"{_PRICES}."
        return {
            key.removeprefix(start): Decimal(str(value)) for key, value in self.values.items() if key.startswith(start)
        }


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        key = f"{before}{name}"
        if isinstance(value, dict) and key != _PRICES:
            found |= _flat(value, f"{key}.") if value else {key: value}
        elif isinstance(value, dict):
            found |= {f"{key}.{row}": rate for row, rate in value.items()}
        else:
            found[key] = value
    return found


def _checked(path: Path, text: str, values: dict[str, Any], keys: Keys) -> dict[str, Any]:
    wrong = [words for key, value in values.items() if (words := _wrong(key, value, keys)) is not None]
    if wrong:
        lines = [f"{path}:{_line(text, key)}: {words}" for key, words in wrong]
        raise CommandError(ExitCode.INVALID, "\n".join(lines))
    return {key: value for key, value in values.items() if key not in _TABLES}


def _wrong(key: str, value: Any, keys: Keys) -> tuple[str, str] | None:
    part = key.split(".")[0]
    if part in _NOT_BUILT:
        return key, f"[{part}] is not built yet; leave it out"
    if key.startswith(f"{_PRICES}."):
        words = _amount(value)
        return None if words is None else (key, f"{key.removeprefix(_PRICES + '.')!r}: {words}")
    if key in _TABLES:
        return None if value == {} else (key, f"{key} is a table, written as [{key}]")
    if (check := keys.get(key)) is not None:
        words = check(value)
        return None if words is None else (key, f"{key} = {value!r}: {words}")
    near = closest_match(key, [*_KEYS, _PRICES])
    return key, f"{key} is no setting" + (f"; did you mean {near}?" if near else f"; there are {', '.join(_KEYS)}")


def _line(text: str, key: str) -> int:
    """The line where a key stands: below its table's header, else where its last part first stands."""
    table, _, name = key.rpartition(".")
    current = ""
    fallback = 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]#]+?)\s*\]", line):
            current = header[1].replace('"', "")
            if current == key or current.startswith(f"{key}.") or (not fallback and current == table):
                fallback = number
        said = re.match(r"\s*(\"[^\"]*\"|'[^']*'|[\w.-]+)\s*=", line)
        if said and f"{current}.{said[1].strip(chr(34) + chr(39))}".strip(".") == key:
            return number
        if said and said[1].strip("\"'") == name and not fallback:
            fallback = number
    return fallback or 1
