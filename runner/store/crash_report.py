"""The report of a defect in storyboard: versions, command line and traceback, without the API key."""

import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

from runner import __version__
from runner.lazy_pattern import lazy_pattern

_SECRETS = (
    lazy_pattern(r"(?i)bearer\s+\S+"),
    # Values in an address: signed links hold keys of their own.
    lazy_pattern(r"(?<=[?&])[^=&\s]+=[^&\s'\"]+"),
)


def write(defect: BaseException, arguments: Sequence[str], folder: Path | None, secrets: Sequence[str] = ()) -> str:
    """Write the report below `folder`; returns a message with its path, or the traceback's end if writing fails."""
    text = redact(_text(defect, arguments), secrets)
    try:
        if folder is None:
            raise FileNotFoundError("there is no state folder")
        reports = folder / "reports"
        reports.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix="defect-", suffix=".txt", dir=reports)
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        last = text.strip().splitlines()[-3:]
        return "the report could not be written (" + str(error) + "): " + " | ".join(line.strip() for line in last)
    return f"the report is in {name}"


def _text(defect: BaseException, arguments: Sequence[str]) -> str:
    lines = traceback.format_exception(defect)
    return (
        f"storyboard {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"storyboard {' '.join(arguments)}\n"
        f"{Path(sys.executable).name}\n\n{''.join(lines)}"
    )


def redact(text: str, secrets: Sequence[str]) -> str:
    """The text without the API keys, bearer tokens and the values in URL queries."""
    for secret in secrets:
        text = text.replace(secret, "[key]")
    for pattern in _SECRETS:
        text = pattern.sub("[left out]", text)
    return text
