"""The check whether this machine is ready: packages, fonts, disk, ledger, settings, key."""

import platform
import sys
from collections.abc import Iterator, Sequence

import anyio

from runner import __version__
from runner.clock import SystemClock
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import CommandError, ExitCode, HealthCheck
from runner.editions.edition import load
from runner.media import file_memory_store
from runner.media.health import libraries
from runner.providers import health
from runner.providers.api import provider_api
from runner.settings.api_key import key_format_error, key_variables_text
from runner.settings.environment import child_environment, commands_on_path
from runner.settings.settings import Settings
from runner.store.health import folder
from runner.store.ledger.file_name import NAME
from runner.store.ledger.ledger import Ledger

# Arabic, Chinese and Japanese characters, which need more fonts than the package has.
_SAMPLE = "ش 佩 あ"


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
    # Behind a broken proxy every request fails, and says less than the check of the proxy did.
    reachable = all(check.verdict != "error" for check in checks if check.name in ("proxy", "certificates"))
    if reachable and (demo or _has_usable_key(settings)):
        checks += anyio.run(_provider_checks, settings, demo)
    return checks


def _has_usable_key(settings: Settings) -> bool:
    key = settings.api_key
    # A key that is malformed or given twice is never sent anywhere, not even to be checked.
    return bool(key.text) and key.contradicted_by is None and key_format_error(key.text or "") is None


def _local_checks(settings: Settings) -> Iterator[HealthCheck]:
    """The checks that open no connection."""
    yield HealthCheck("version", "ok", f"storyboard {__version__}, Python {platform.python_version()}")
    yield command_check(commands_on_path("storyboard"))
    yield from libraries()
    yield _fonts()
    yield from folder("clips", settings.output)
    yield from _state(settings)
    yield from _store(settings)
    yield health.key_shape(settings.api_key)
    yield health.proxy(settings.base_url)
    yield health.certificates(settings.base_url)


def command_check(programs: Sequence[str]) -> HealthCheck:
    """The check of the programs called `storyboard` on the PATH, in its order: the first is the one that runs."""
    if not programs:
        return HealthCheck("command", "ok", f"no storyboard is on the PATH; this one is in {sys.prefix}")
    first, *others = programs
    if not others:
        return HealthCheck("command", "ok", f"storyboard is {first}")
    message = f"{len(programs)} are on the PATH, and {first} is the one that runs; also {', '.join(others)}"
    return HealthCheck("command", "warning", message, "uninstall the others, or put the folder of the right one first")


def _fonts() -> HealthCheck:
    from runner.animatic.fonts import missing_font

    missing = missing_font(_SAMPLE, child_environment())
    if missing is None:
        return HealthCheck("fonts", "ok", "animatics can show the usual scripts of prompts")
    return HealthCheck("fonts", "warning", "animatics cannot show every script", missing)


# How each kind of store was tried, by its scheme.
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


def _store(settings: Settings) -> Iterator[HealthCheck]:
    if settings.publish.store is not None:
        yield _STORES[settings.publish.store.partition(":")[0]]


def _state(settings: Settings) -> Iterator[HealthCheck]:
    try:
        state = settings.state
    except Failure as stop:
        # A check reports and goes on: the user wants all that is wrong at once.
        reason, _, hint = stop.message.partition("\n")
        yield HealthCheck("state", "error", reason, hint.strip())
        return
    yield from folder("state", state, pays=True)
    yield _ledger(settings)
    yield from _file_memory(settings)


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


def _file_memory(settings: Settings) -> Iterator[HealthCheck]:
    """The condition of the memory of inspected files, where there is one."""
    path = file_memory_store.memory_path(settings.state, settings.root)
    match file_memory_store.state_of(path):
        case "damaged":
            yield HealthCheck("files", "warning", f"{path} cannot be read: files are inspected again", "delete it")
        case "read-only":
            hint = "make the folder writable"
            yield HealthCheck("files", "warning", f"{path.parent} cannot be written: files are inspected again", hint)
        case "ok":
            yield HealthCheck("files", "ok", "what local files hold is remembered")
        case "none":
            return


async def _provider_checks(settings: Settings, demo: bool) -> list[HealthCheck]:
    """The checks that ask the provider, free of charge."""
    async with provider_api(settings.provider).client(
        settings.base_url, settings.key(), load(settings.edition)
    ) as client:
        return await (health.reach_with_samples(client, settings.provider) if demo else health.reach(client))
