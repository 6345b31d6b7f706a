"""Is the provider within reach, is the key its own, do the clocks agree: what `doctor` asks, for nothing."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.attempts.events import Failed, KeyRefused, NotSent, Running, Succeeded
from runner.diagnostics.problem import HealthCheck
from runner.providers.kinovi.client import Client
from runner.providers.transport.tls import is_loopback
from runner.settings.api_key import key_format_error

SKEW = 120.0
"""Seconds by which clocks may differ before signed links and receipts suffer."""
DEMO: Mapping[str, str] = {
    "demo_task_t2v_success": "success",
    "demo_task_i2v_success": "success",
    "demo_task_fail_text_moderation": "moderation",
    "demo_task_fail_face_detected": "face",
    "demo_task_fail_server_error": "provider",
}
"""The documented sample tasks, and what each of them must come to."""


def key_shape(text: str | None) -> HealthCheck:
    """Whether `SEEDANCE_API_KEY` looks like a key; it is not shown."""
    if not text:
        return HealthCheck("key", "warning", "SEEDANCE_API_KEY is not set", "only a paid provider needs one")
    if (error := key_format_error(text)) is not None:
        return HealthCheck("key", "error", "SEEDANCE_API_KEY does not look like a key", error)
    return HealthCheck("key", "ok", f"SEEDANCE_API_KEY has {len(text)} characters, as keys do")


def proxies(base_url: str, addresses: Mapping[str, str]) -> HealthCheck:
    """What stands between this machine and the provider; `found` maps schemes to proxies' addresses."""
    scheme = urlsplit(base_url).scheme
    proxy = addresses.get(scheme) or addresses.get("all")
    if proxy is None or is_loopback(urlsplit(base_url).hostname or ""):
        return HealthCheck("proxy", "ok", "none: requests go straight to the provider")
    host = urlsplit(proxy).hostname or "an address that cannot be read"
    return HealthCheck("proxy", "ok", f"requests to the provider go through {host}, in a tunnel that it cannot read")


async def reach(client: Client) -> list[HealthCheck]:
    """One free question: does the API answer, does it take the key, does its clock agree with ours."""
    result = await client.probe()
    host = urlsplit(client.base_url).netloc
    match result.problem:
        case None:
            checks = [
                HealthCheck("reach", "ok", f"{host} answered in {result.duration * 1000:.0f} ms"),
                HealthCheck("key at the provider", "ok", f"{host} took the key {_key_fingerprint(client)}"),
            ]
        case KeyRefused(message):
            hint = "copy it again from your account's page there; is it the key of this host?"
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
                HealthCheck("reach", "error", f"{host}: {message}", "is there a network, a firewall, a proxy to name?")
            ]
        case problem:
            hint = "SEEDANCE_BASE_URL names the host; without it, it is the documented one"
            checks = [HealthCheck("reach", "error", getattr(problem, "message", str(problem)), hint)]
    return [*checks, *_clock_check(result.clock_skew, host)]


def _key_fingerprint(client: Client) -> str:
    """Which key it was: the first eight of its SHA-256, which the ledger keeps as well."""
    return f"with the fingerprint {client.key_id}"


def _clock_check(skew: float | None, host: str) -> list[HealthCheck]:
    if skew is None:
        return []
    if abs(skew) <= SKEW:
        return [HealthCheck("clock", "ok", f"within {max(1, round(abs(skew)))} s of {host}")]
    direction = "ahead of" if skew > 0 else "behind"
    message = f"this machine is {abs(skew):.0f} s {direction} {host}"
    return [HealthCheck("clock", "warning", message, "set the clock; a receipt is judged by the time it names")]


async def demo(client: Client) -> list[HealthCheck]:
    """The five documented sample tasks, read and compared with what the pages say of them, if the host is reached."""
    checks = await reach(client)
    if any(check.verdict == "error" for check in checks):
        return checks
    return [*checks, *[await _demo_check(client, task, expected) for task, expected in DEMO.items()]]


async def _demo_check(client: Client, task: str, expected: str) -> HealthCheck:
    answer = await client.poll(task)
    match answer:
        case Succeeded(outputs) if expected == "success" and outputs:
            return HealthCheck(task, "ok", "succeeded, with a clip to fetch")
        case Failed(kind, message) if kind == expected:
            return HealthCheck(task, "ok", f"failed as documented: {message}")
        case Running(answered=False, message=message):
            hint = "the samples want the demo key that the documentation publishes" if answer.not_found else "try again"
            return HealthCheck(task, "error", f"could not be read: {message}", hint)
        case _:
            return HealthCheck(task, "warning", f"is {type(answer).__name__.lower()}, and the pages say {expected}")
