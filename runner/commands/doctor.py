"""`storyboard doctor`: checks whether this machine is ready."""

import argparse
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio

from runner import __version__
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode, HealthCheck
from runner.editions.edition import load
from runner.media.health import libraries
from runner.providers.kinovi import health
from runner.providers.kinovi.client import Client
from runner.settings.api_key import key_format_error
from runner.settings.settings import Flags, Settings, find_root, read
from runner.show.json.doctor import doctor_json
from runner.show.screens.doctor import doctor
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color
from runner.store.health import folder
from runner.store.ledger.database import NAME
from runner.store.ledger.ledger import Ledger

_SAMPLE = "ش 佩 あ"
"""Arabic, Chinese and Japanese characters, which need more fonts than the package has."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Checks whether this machine is ready: Python packages, media libraries, fonts, disk, ledger, settings and "
        "the shape of the key; each failed check says how to mend it. If a key is set, one free request checks that "
        "the provider accepts it; without a key no connection is opened."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard doctor\n"
        "  storyboard doctor --demo\n"
        "      reads the five sample tasks of the provider's documentation; SEEDANCE_API_KEY may be the demo key "
        "from its quick-start page\n"
        "\n"
        "exit codes:\n"
        "  0  ready (there may be warnings)\n"
        "  3  a check failed"
    )
    parser.add_argument(
        "--demo", action="store_true", help="read the five sample tasks of the provider's documentation"
    )
    parser.add_argument("--config", metavar="FILE", type=Path, help="read this file instead of storyboard.toml")
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    settings = read(find_root(Path.cwd()), Flags(config=args.config), files=(Path.cwd(),))
    checks = [*_local_checks(settings)]
    if args.demo and not settings.api_key.text:
        message = (
            "doctor --demo needs SEEDANCE_API_KEY or KINOVI_API_KEY: your key, or the demo key of the provider's "
            "quick-start page"
        )
        raise CommandError(ExitCode.KEY, message)
    reachable = all(check.verdict != "error" for check in checks if check.name in ("proxy", "certificates"))
    if reachable and (args.demo or _has_usable_key(settings)):
        checks += anyio.run(_provider_checks, settings, args.demo)
    if args.json:
        print(json_document(doctor_json(checks)), end="")
    else:
        print(doctor(checks, terminal_width(), use_color(sys.stdout, args.no_color)), end="")
    return ExitCode.INVALID if any(check.verdict == "error" for check in checks) else ExitCode.OK


def _has_usable_key(settings: Settings) -> bool:
    key = settings.api_key
    return bool(key.text) and key.contradicted_by is None and key_format_error(key.text or "") is None


def _local_checks(settings: Settings) -> Iterator[HealthCheck]:
    """The checks that open no connection."""
    yield HealthCheck("version", "ok", f"storyboard {__version__}, Python {platform.python_version()}")
    yield from libraries()
    yield _fonts()
    yield from folder("clips", settings.output)
    yield from _state(settings)
    yield health.key_shape(settings.api_key)
    yield health.proxy(settings.base_url)
    yield health.certificates(settings.base_url)


def _fonts() -> HealthCheck:
    from runner.animatic.fonts import missing_font

    missing = missing_font(_SAMPLE)
    if missing is None:
        return HealthCheck("fonts", "ok", "animatics can show the usual scripts of prompts")
    return HealthCheck("fonts", "warning", "animatics cannot show every script", missing)


def _state(settings: Settings) -> Iterator[HealthCheck]:
    try:
        state = settings.state
    except CommandError as stop:
        reason, _, hint = stop.message.partition("\n")
        yield HealthCheck("state", "error", reason, hint.strip())
        return
    yield from folder("state", state, pays=True)
    yield _ledger(settings)


def _ledger(settings: Settings) -> HealthCheck:
    if not (settings.state / NAME).exists():
        return HealthCheck("ledger", "ok", f"none yet; the first run creates it in {settings.state}")
    try:
        Ledger(settings.state, SystemClock()).close()
    except CommandError as stop:
        return HealthCheck(
            "ledger", "error", stop.message.splitlines()[0], "paid runs stop until the ledger can be read"
        )
    return HealthCheck("ledger", "ok", f"{settings.state / NAME} can be read")


async def _provider_checks(settings: Settings, demo: bool) -> list[HealthCheck]:
    """The checks that ask the provider, free of charge."""
    async with Client(settings.base_url, settings.key(), load(settings.edition)) as client:
        return await (health.demo(client) if demo else health.reach(client))
