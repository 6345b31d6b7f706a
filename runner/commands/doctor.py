"""`storyboard doctor`: is this machine ready."""

import argparse
import importlib
import json
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import anyio

from runner import __version__
from runner.clock import SystemClock
from runner.commands import flags
from runner.commands.opening import color, columns
from runner.edition.edition import load
from runner.key import misshapen
from runner.problems import Check, ExitCode, Stop
from runner.provider import checkup
from runner.provider.client import Client
from runner.records.ledger import Ledger
from runner.records.ledger_file import NAME
from runner.settings import Flags, Settings, find_root, proxies, read
from runner.show.amounts import volume
from runner.show.doctor import doctor, doctor_json

_SAMPLE = "ش 佩 あ"
"""Arabic, Chinese and Japanese: what animatics need further fonts for."""
_LEAST_FREE = 1 << 30
"""Bytes below which a film may not fit."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Looks whether this machine is ready: Python's parts, media libraries, fonts, disk, ledger, settings, the\n"
        "shape of the key; says what to do about each that is not. With a key set it asks the provider one free\n"
        "question, else it opens no connection."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard doctor\n"
        "  storyboard doctor --demo       reads the provider's five documented sample tasks; SEEDANCE_API_KEY may be\n"
        "                                 the demo key that its quick-start page publishes\n"
        "exit codes: 0 ready (warnings may be), 3 something is not"
    )
    parser.add_argument("--demo", action="store_true", help="read the provider's five sample tasks")
    parser.add_argument("--config", metavar="FILE", type=Path, help="use this instead of storyboard.toml")
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    settings = read(find_root(Path.cwd()), Flags(config=args.config))
    checks = [*_here(settings)]
    if args.demo or (settings.key_text and misshapen(settings.key_text) is None):
        checks += anyio.run(_asked, settings, args.demo)
    if args.json:
        print(json.dumps(doctor_json(checks), indent=2))
    else:
        print(doctor(checks, columns(), color(args, sys.stdout)), end="")
    return ExitCode.UNFIT if any(check.verdict == "error" for check in checks) else ExitCode.DONE


def _here(settings: Settings) -> Iterator[Check]:
    """What can be seen without a connection."""
    yield Check("version", "ok", f"storyboard {__version__}, Python {platform.python_version()}")
    yield _libyaml()
    yield from (_library(module, what) for module, what in (("av", "clips"), ("PIL", "pictures")))
    yield _fonts()
    yield _disk(settings.root)
    yield _ledger(settings)
    yield checkup.key_shape(settings.key_text)
    yield checkup.proxies(settings.base_url, proxies())


def _libyaml() -> Check:
    try:
        importlib.import_module("yaml.cyaml")
    except ImportError:
        return Check("libyaml", "error", "PyYAML has no libyaml", "pip install --force-reinstall pyyaml, from a wheel")
    return Check("libyaml", "ok", "reads storyboards")


def _library(module: str, what: str) -> Check:
    try:
        version = getattr(importlib.import_module(module), "__version__", "")
    except ImportError as error:
        return Check(module, "error", f"{what} cannot be made or read: {error}", "pip install storyboard-runner again")
    return Check(module, "ok", f"{version}, makes and reads {what}")


def _fonts() -> Check:
    from runner.sandbox.animatic.fonts import missing_font

    missing = missing_font(_SAMPLE)
    if missing is None:
        return Check("fonts", "ok", "animatics can show every script that prompts are usually written in")
    return Check("fonts", "warning", "animatics cannot show every script", missing)


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    verdict: Literal["ok", "warning"] = "ok" if free >= _LEAST_FREE else "warning"
    return Check("disk", verdict, f"{volume(free)} free at {folder}", "" if verdict == "ok" else "a film may not fit")


def _ledger(settings: Settings) -> Check:
    if not (settings.state / NAME).exists():
        return Check("ledger", "ok", f"none yet; the first run makes one in {settings.state}")
    try:
        Ledger(settings.state, SystemClock()).close()
    except Stop as stop:
        return Check("ledger", "error", stop.words.splitlines()[0], "nothing is paid until it can be read")
    return Check("ledger", "ok", f"{settings.state / NAME} can be read")


async def _asked(settings: Settings, demo: bool) -> list[Check]:
    """What the provider says, for nothing."""
    async with Client(settings.base_url, settings.key(), load(settings.edition)) as client:
        return await (checkup.demo(client) if demo else checkup.reach(client))
