"""The free health checks of the provider for `doctor`: reachable, key accepted, clocks in agreement."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.attempts.events import KeyRefused, NotSent
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import HealthCheck
from runner.paid_providers import paid_provider
from runner.providers.api import ApiClient, provider_api
from runner.providers.transport import tls
from runner.providers.transport.proxy import proxy_for
from runner.settings.api_key import KeyVariable, contradiction, key_format_error, key_variables

SKEW = 120.0
"""Seconds by which clocks may differ; beyond this, signed links and receipts become unreliable."""


def key_shape(key: KeyVariable) -> HealthCheck:
    """Check the variable of the key and the key's form, without showing the key."""
    if not key.text:
        return HealthCheck(
            "key", "warning", f"{' and '.join(key_variables())} are not set", "only a paid provider needs one"
        )
    if key.contradicted_by is not None:
        reason, _, hint = contradiction(key).partition("; nothing was sent. ")
        return HealthCheck("key", "error", reason, " ".join(hint.split()))
    if (error := key_format_error(key.text)) is not None:
        return HealthCheck("key", "error", f"{key.name} does not look like a key", error)
    return HealthCheck("key", "ok", f"{key.name} is used and looks like a key ({len(key.text)} characters)")


def proxy(base_url: str, addresses: Mapping[str, str] | None = None) -> HealthCheck:
    """The proxy between this machine and the provider; `addresses` maps URL schemes to proxies."""
    try:
        address = proxy_for(base_url, addresses)
    except Failure as stop:
        return _environment_error("proxy", stop)
    if address is None:
        return HealthCheck("proxy", "ok", "none: requests go directly to the provider")
    host = address.url.host
    return HealthCheck("proxy", "ok", f"requests go through {host}, encrypted between this machine and the provider")


def certificates(base_url: str) -> HealthCheck:
    """The certificates by which this machine knows the provider's host."""
    if base_url.startswith("http:"):
        return HealthCheck("certificates", "ok", "none are needed for a provider on this machine")
    try:
        tls.context()
    except Failure as stop:
        return _environment_error("certificates", stop)
    return HealthCheck("certificates", "ok", "the certificates that the provider is known by can be read")


def _environment_error(name: str, stop: Failure) -> HealthCheck:
    """A check from the message of an error: its reason, and after it the way out."""
    # The message is one of a run; a check has its way out in a field of its own.
    reason, _, hint = stop.message.partition(": nothing was sent. ")
    return HealthCheck(name, "error", reason, " ".join(hint.split()))


async def reach(client: ApiClient) -> list[HealthCheck]:
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
            hint = f"{paid_provider().base_url_variable} sets the host; without it, the documented host is used"
            checks = [HealthCheck("reach", "error", getattr(problem, "message", str(problem)), hint)]
    return [*checks, *_clock_check(result.clock_skew, host)]


def _key_fingerprint(client: ApiClient) -> str:
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


async def reach_with_samples(client: ApiClient, provider: str) -> list[HealthCheck]:
    """The checks of `reach` and, if the host is reachable, those of the provider's sample tasks."""
    checks = await reach(client)
    # Requests to a host that does not answer, or with a refused key, would only repeat the error.
    if any(check.verdict == "error" for check in checks):
        return checks
    return [*checks, *await provider_api(provider).sample_tasks(client)]
