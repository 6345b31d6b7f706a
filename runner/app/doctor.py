"""Checks whether this machine is ready: packages, fonts, disk, ledger, settings, key."""

import platform
from collections.abc import Iterator

import anyio

from runner import __version__
from runner.clock import SystemClock
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import CommandError, ExitCode, HealthCheck
from runner.editions.edition import load
from runner.media.health import libraries
from runner.providers import health
from runner.providers.api import provider_api
from runner.settings.api_key import key_format_error, key_variables_text
from runner.settings.environment import child_environment
from runner.settings.settings import Settings
from runner.store.health import folder
from runner.store.ledger.database import NAME
from runner.store.ledger.ledger import Ledger

_SAMPLE = "ش 佩 あ"
"""Arabic, Chinese and Japanese characters, which need more fonts than the package has."""


def check_machine(settings: Settings, demo: bool) -> list[HealthCheck]:
    """The checks of this machine, and of the provider where a key is set; `demo` reads the documented sample tasks.

    Raise `CommandError` (exit 5) for `demo` without a key.
    """
    checks = [*_local_checks(settings)]
    if demo and not settings.api_key.text:
        message = (
            f"doctor --demo needs {key_variables_text()}: your key, or the demo key of the provider's quick-start page"
        )
        raise CommandError(ExitCode.KEY, message)
    reachable = all(check.verdict != "error" for check in checks if check.name in ("proxy", "certificates"))
    if reachable and (demo or _has_usable_key(settings)):
        checks += anyio.run(_provider_checks, settings, demo)
    return checks


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
    yield from _store(settings)
    yield health.key_shape(settings.api_key)
    yield health.proxy(settings.base_url)
    yield health.certificates(settings.base_url)


def _fonts() -> HealthCheck:
    from runner.animatic.fonts import missing_font

    missing = missing_font(_SAMPLE, child_environment())
    if missing is None:
        return HealthCheck("fonts", "ok", "animatics can show the usual scripts of prompts")
    return HealthCheck("fonts", "warning", "animatics cannot show every script", missing)


_STORES = {
    "s3": HealthCheck("store", "ok", "S3: tried with rclone's server of its interface"),
    "az": HealthCheck("store", "ok", "Azure: tried with Azurite, Microsoft's server of its interface"),
    "gs": HealthCheck(
        "store",
        "warning",
        "Google Cloud Storage was never tried: no emulator that we know serves all that is asked of it",
        "make a film of one shot first, or choose another store",
    ),
    "file": HealthCheck("store", "ok", "a folder behind a web server: tried"),
}
"""How each kind of store was tried, by its scheme."""


def _store(settings: Settings) -> Iterator[HealthCheck]:
    if settings.publish.store is not None:
        yield _STORES[settings.publish.store.partition(":")[0]]


def _state(settings: Settings) -> Iterator[HealthCheck]:
    try:
        state = settings.state
    except Failure as stop:
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
    except Failure as stop:
        return HealthCheck(
            "ledger", "error", stop.message.splitlines()[0], "paid runs stop until the ledger can be read"
        )
    return HealthCheck("ledger", "ok", f"{settings.state / NAME} can be read")


async def _provider_checks(settings: Settings, demo: bool) -> list[HealthCheck]:
    """The checks that ask the provider, free of charge."""
    async with provider_api().client(settings.base_url, settings.key(), load(settings.edition)) as client:
        return await (health.reach_with_samples(client) if demo else health.reach(client))
