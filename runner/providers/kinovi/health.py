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
    if (wrong := key_format_error(text)) is not None:
        return HealthCheck("key", "error", "SEEDANCE_API_KEY does not look like a key", wrong)
    return HealthCheck("key", "ok", f"SEEDANCE_API_KEY has {len(text)} characters, as keys do")


def proxies(base_url: str, found: Mapping[str, str]) -> HealthCheck:
    """What stands between this machine and the provider; `found` maps schemes to proxies' addresses."""
    scheme = urlsplit(base_url).scheme
    proxy = found.get(scheme) or found.get("all")
    if proxy is None or is_loopback(urlsplit(base_url).hostname or ""):
        return HealthCheck("proxy", "ok", "none: requests go straight to the provider")
    host = urlsplit(proxy).hostname or "an address that cannot be read"
    return HealthCheck("proxy", "ok", f"requests to the provider go through {host}, in a tunnel that it cannot read")


async def reach(client: Client) -> list[HealthCheck]:
    """One free question: does the API answer, does it take the key, does its clock agree with ours."""
    greeting = await client.probe()
    host = urlsplit(client.base_url).netloc
    match greeting.problem:
        case None:
            checks = [
                HealthCheck("reach", "ok", f"{host} answered in {greeting.took * 1000:.0f} ms"),
                HealthCheck("key at the provider", "ok", f"{host} took the key {_mark(client)}"),
            ]
        case KeyRefused(words):
            hint = "copy it again from your account's page there; is it the key of this host?"
            checks = [
                HealthCheck("reach", "ok", f"{host} answered in {greeting.took * 1000:.0f} ms"),
                HealthCheck("key at the provider", "error", f"{host} refused the key {_mark(client)}: {words}", hint),
            ]
        case NotSent(words):
            checks = [
                HealthCheck("reach", "error", f"{host}: {words}", "is there a network, a firewall, a proxy to name?")
            ]
        case other:
            hint = "SEEDANCE_BASE_URL names the host; without it, it is the documented one"
            checks = [HealthCheck("reach", "error", getattr(other, "message", str(other)), hint)]
    return [*checks, *_clock(greeting.clock_skew, host)]


def _mark(client: Client) -> str:
    """Which key it was: the first eight of its SHA-256, which the ledger keeps as well."""
    return f"with the fingerprint {client.key_id}"


def _clock(ahead: float | None, host: str) -> list[HealthCheck]:
    if ahead is None:
        return []
    if abs(ahead) <= SKEW:
        return [HealthCheck("clock", "ok", f"within {max(1, round(abs(ahead)))} s of {host}")]
    way = "ahead of" if ahead > 0 else "behind"
    words = f"this machine is {abs(ahead):.0f} s {way} {host}"
    return [HealthCheck("clock", "warning", words, "set the clock; a receipt is judged by the time it names")]


async def demo(client: Client) -> list[HealthCheck]:
    """The five documented sample tasks, read and compared with what the pages say of them, if the host is reached."""
    reached = await reach(client)
    if any(check.verdict == "error" for check in reached):
        return reached
    return [*reached, *[await _demo(client, task, known) for task, known in DEMO.items()]]


async def _demo(client: Client, task: str, known: str) -> HealthCheck:
    answer = await client.poll(task)
    match answer:
        case Succeeded(outputs) if known == "success" and outputs:
            return HealthCheck(task, "ok", "succeeded, with a clip to fetch")
        case Failed(kind, words) if kind == known:
            return HealthCheck(task, "ok", f"failed as documented: {words}")
        case Running(answered=False, message=words):
            hint = "the samples want the demo key that the documentation publishes" if answer.not_found else "try again"
            return HealthCheck(task, "error", f"could not be read: {words}", hint)
        case _:
            return HealthCheck(task, "warning", f"is {type(answer).__name__.lower()}, and the pages say {known}")
