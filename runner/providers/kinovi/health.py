"""The free health checks of the provider for `doctor`: reachable, key accepted, clocks in agreement."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.attempts.events import Failed, KeyRefused, NotSent, Running, Succeeded
from runner.diagnostics.problem import HealthCheck
from runner.providers.kinovi.client import Client
from runner.providers.transport.tls import is_loopback
from runner.settings.api_key import key_format_error

SKEW = 120.0
"""Seconds by which clocks may differ; beyond this, signed links and receipts become unreliable."""
DEMO: Mapping[str, str] = {
    "demo_task_t2v_success": "success",
    "demo_task_i2v_success": "success",
    "demo_task_fail_text_moderation": "moderation",
    "demo_task_fail_face_detected": "face",
    "demo_task_fail_server_error": "provider",
}
"""The documented sample tasks with their documented outcome."""


def key_shape(text: str | None) -> HealthCheck:
    """Check the form of `SEEDANCE_API_KEY`, without showing the key."""
    if not text:
        return HealthCheck("key", "warning", "SEEDANCE_API_KEY is not set", "only a paid provider needs one")
    if (error := key_format_error(text)) is not None:
        return HealthCheck("key", "error", "SEEDANCE_API_KEY does not look like a key", error)
    return HealthCheck("key", "ok", f"SEEDANCE_API_KEY is set and looks like a key ({len(text)} characters)")


def proxies(base_url: str, addresses: Mapping[str, str]) -> HealthCheck:
    """The proxy between this machine and the provider; `addresses` maps URL schemes to proxies."""
    scheme = urlsplit(base_url).scheme
    proxy = addresses.get(scheme) or addresses.get("all")
    if proxy is None or is_loopback(urlsplit(base_url).hostname or ""):
        return HealthCheck("proxy", "ok", "none: requests go directly to the provider")
    host = urlsplit(proxy).hostname or "an unreadable address"
    return HealthCheck("proxy", "ok", f"requests go through {host}, encrypted between this machine and the provider")


async def reach(client: Client) -> list[HealthCheck]:
    """Check with one free request that the API answers and accepts the key, and compare the clocks."""
    result = await client.probe()
    host = urlsplit(client.base_url).netloc
    match result.problem:
        case None:
            checks = [
                HealthCheck("reach", "ok", f"{host} answered in {result.duration * 1000:.0f} ms"),
                HealthCheck("key at the provider", "ok", f"{host} accepted the key {_key_fingerprint(client)}"),
            ]
        case KeyRefused(message):
            hint = "copy the key again from your account page; a key is valid at its own host only"
            checks = [
                HealthCheck("reach", "ok", f"{host} answered in {result.duration * 1000:.0f} ms"),
                HealthCheck(
                    "key at the provider",
                    "error",
                    f"{host} refused the key {_key_fingerprint(client)}: {message}",
                    hint,
                ),
            ]
        case NotSent(message):
            checks = [
                HealthCheck(
                    "reach", "error", f"{host}: {message}", "check the network, the firewall and the proxy settings"
                )
            ]
        case problem:
            hint = "SEEDANCE_BASE_URL sets the host; without it, the documented host is used"
            checks = [HealthCheck("reach", "error", getattr(problem, "message", str(problem)), hint)]
    return [*checks, *_clock_check(result.clock_skew, host)]


def _key_fingerprint(client: Client) -> str:
    """The key's fingerprint (the start of its SHA-256), as in the ledger."""
    return f"with the fingerprint {client.key_id}"


def _clock_check(skew: float | None, host: str) -> list[HealthCheck]:
    if skew is None:
        return []
    if abs(skew) <= SKEW:
        return [HealthCheck("clock", "ok", f"within {max(1, round(abs(skew)))} s of the clock of {host}")]
    direction = "ahead of" if skew > 0 else "behind"
    message = f"this machine's clock is {abs(skew):.0f} s {direction} the clock of {host}"
    return [
        HealthCheck(
            "clock", "warning", message, "set this machine's clock: receipts and signed links depend on the time"
        )
    ]


async def demo(client: Client) -> list[HealthCheck]:
    """Compare the five documented sample tasks with the documentation, if the host is reachable."""
    checks = await reach(client)
    if any(check.verdict == "error" for check in checks):
        return checks
    return [*checks, *[await _demo_check(client, task, expected) for task, expected in DEMO.items()]]


async def _demo_check(client: Client, task: str, expected: str) -> HealthCheck:
    answer = await client.poll(task)
    match answer:
        case Succeeded(outputs) if expected == "success" and outputs:
            return HealthCheck(task, "ok", "succeeded, with a clip")
        case Failed(kind, message) if kind == expected:
            return HealthCheck(task, "ok", f"failed as documented: {message}")
        case Running(answered=False, message=message):
            hint = "the sample tasks need the demo key of the documentation" if answer.not_found else "try again"
            return HealthCheck(task, "error", f"could not be read: {message}", hint)
        case _:
            return HealthCheck(task, "warning", f"is {type(answer).__name__.lower()}; documented: {expected}")
