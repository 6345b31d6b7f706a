"""The interface of a paid provider's API, which each provider's folder implements in `api.API`."""

import importlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from runner.attempts.events import CreateResult, FailureClass, PollResult
from runner.attempts.task_facts import Callback, TaskFacts
from runner.diagnostics.problem import HealthCheck
from runner.editions.edition import Edition
from runner.lazy_dataclass import dataclass
from runner.paid_providers import paid_provider
from runner.requests.request import JsonValue, Material, Request
from runner.requests.shot_text import NO_TEXT, ShotText
from runner.settings.api_key import ApiKey

if TYPE_CHECKING:
    import httpx

    from runner.clock import Clock
    from runner.engine.ports import TransferFailed


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The answer of the host to one free request."""

    problem: CreateResult | None
    """The result of `preflight`."""
    duration: float
    """Seconds."""
    clock_skew: float | None
    """Seconds by which this machine's clock is ahead of the host's; None without a `Date` header."""


class ApiClient(Protocol):
    """One account at one host: a context manager that never raises for a failure of network or provider."""

    base_url: str
    clock: "Clock"
    callbacks: str | None
    """Public base URL of the webhook paths, one for each attempt; None asks for no callback."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    @property
    def key_id(self) -> str: ...

    async def preflight(self) -> CreateResult | None:
        """Ask whether the API itself answers, free of charge: None if so, else what creating would get."""

    async def probe(self) -> ProbeResult:
        """The preflight with its duration and the clock skew; for health checks, not for a run."""

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        """Order one task, without a retry; `before_send` is awaited before the first byte of the request."""

    async def poll(self, task_id: str, model: str | None) -> PollResult:
        """Ask for the state of a task; an unusable answer is `Running(answered=False)`."""

    async def fetch_record(self, task_id: str) -> tuple[PollResult, TaskFacts | None]:
        """Poll a task; also return the facts of its record, for binding the task to an attempt."""


class Uploader(Protocol):
    """The provider's uploads, a context manager: each file gets a public address."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    async def send(self, name: str, content: bytes | Path) -> "str | TransferFailed":
        """Upload bytes, or a file piece by piece; return the public address.

        `name` is a plain file name with extension.
        """


class ProviderApi(Protocol):
    """The functions of one provider's API; each method imports its own modules when it is called."""

    def client(self, base_url: str, key: ApiKey, edition: Edition, *, reads_shot_text: bool = False) -> ApiClient:
        """A client; `reads_shot_text` is what the host declares: whether orders carry the words of their shot."""

    def uploader(self, base_url: str, key: ApiKey, proxy: "httpx.Proxy | None") -> Uploader: ...

    def encode(self, request: Request, edition: Edition, address: Callable[[Material], str]) -> dict[str, JsonValue]:
        """The JSON that orders a clip; ValueError for a field that the edition cannot encode."""

    def encoder(
        self, edition: Edition, address: Callable[[Material], str]
    ) -> Callable[[Request], dict[str, JsonValue]]:
        """`encode` for many requests."""

    def field_at(self, path: str, edition: Edition) -> str | None:
        """The field of a shot behind a path in an error of the provider; None for an unknown path."""

    def material_at(self, path: str, request: Request, edition: Edition) -> int | None:
        """The index of the request's material behind a path in an error of the provider."""

    def failure_class(self, message: str) -> FailureClass:
        """The class of a failure by its message."""

    def read_callback(self, body: bytes) -> Callback | None:
        """The task that the body of a webhook request names; None for any other body."""

    async def sample_tasks(self, client: ApiClient) -> list[HealthCheck]:
        """Compare the documented sample tasks with the documentation."""


def provider_api(name: str) -> ProviderApi:
    """The API of a provider; of the sandbox that of the default paid one, which it serves."""
    api: ProviderApi = importlib.import_module(f"runner.providers.{paid_provider(name).name}.api").API
    return api
