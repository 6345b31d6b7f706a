"""The destinations (callbacks) that the last approval on this machine covered: a small file in the state folder."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from runner.attempts.events import Account

NAME = "destinations.json"
# A larger file is cut off and then counts as unreadable.
_MAX_BYTES = 4 << 20


def load(state: Path, account: Account, repository: str) -> Mapping[str, str]:
    """The approved destinations by purpose; empty when no approval is recorded."""
    destinations = _read(state / NAME).get(_key(account, repository))
    return (
        {str(purpose): str(destination) for purpose, destination in destinations.items()}
        if isinstance(destinations, dict)
        else {}
    )


def save(state: Path, account: Account, repository: str, destinations: Mapping[str, str]) -> None:
    """Record the approved destinations; a file that cannot be written only means that the next run asks again."""
    if load(state, account, repository) == destinations:
        return
    path = state / NAME
    temporary = path.with_name(f"new-{NAME}.{os.getpid()}")
    content = {**_read(path), _key(account, repository): dict(destinations)}
    with contextlib.suppress(OSError):
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1, sort_keys=True)
        # Another run may read it at this moment: it sees the old file or the new one.
        temporary.rename(path)


def _key(account: Account, repository: str) -> str:
    return f"{account.provider} {account.host} {repository}"


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
