"""Where things go (callbacks), as the last paid yes on this machine knew it: a small file in the state folder."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from runner.attempts.events import Account

NAME = "destinations.json"
_MOST = 4 << 20


def load(state: Path, account: Account, repository: str) -> Mapping[str, str]:
    """What went where at the last yes, by what it is; empty when nothing is known."""
    told = _read(state / NAME).get(_name(account, repository))
    return {str(what): str(where) for what, where in told.items()} if isinstance(told, dict) else {}


def save(state: Path, account: Account, repository: str, goes: Mapping[str, str]) -> None:
    """Somebody said yes to this. It only marks what changes later: a file that cannot be written stops nothing."""
    if load(state, account, repository) == goes:
        return
    path = state / NAME
    made = path.with_name(f"new-{NAME}.{os.getpid()}")
    whole = {**_read(path), _name(account, repository): dict(goes)}
    with contextlib.suppress(OSError):
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(whole, file, indent=1, sort_keys=True)
        made.rename(path)


def _name(account: Account, repository: str) -> str:
    return f"{account.provider} {account.host} {repository}"


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(_MOST))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
