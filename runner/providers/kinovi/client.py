"""The client of the provider's API: createTask and recordInfo, with every outcome as a value."""

import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx

from runner import __version__
from runner.attempts.events import CreateResult, KeyRefused, NotSent, OutcomeUnknown, PollResult, Refused, Running
from runner.attempts.task_facts import TaskFacts
from runner.clock import Clock, SystemClock
from runner.diagnostics.failures import ConnectionUnusable
from runner.editions.edition import Edition
from runner.hosts import is_https_or_local
from runner.lazy_dataclass import dataclass, field, replace
from runner.providers.api import ProbeResult
from runner.providers.kinovi.create_response import (
    error_message,
    outcome_unknown,
    parse_create,
    parse_truncated,
    responder,
)
from runner.providers.kinovi.request_body import CALLBACK
from runner.providers.kinovi.task_record import parse_facts, parse_record
from runner.providers.transport import strict_json, tls
from runner.providers.transport.headers import header
from runner.providers.transport.http_result import HttpResult, exchange, no_mark
from runner.providers.transport.proxy import proxy_for, route_to
from runner.providers.transport.redaction import key_encodings, redact_result
from runner.requests.request import JsonValue
from runner.requests.shot_text import NO_TEXT, ShotText, headers_of
from runner.settings.api_key import ApiKey

CREATE = "/api/v1/jobs/createTask"
RECORD = "/api/v1/jobs/recordInfo"
PROBE_TASK_ID = "task_storyboard_asks_whether_this_is_the_api"
"""The task id of the preflight, which no task has."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines in seconds; `create` and `poll` are totals over connecting, sending and reading."""

    connect: float = 10.0
    create: float = 120.0
    """Long, since a late answer still has its task id, and giving up early leaves the attempt unsettled."""
    poll: float = 30.0


@dataclass(slots=True)
class Client:
    """One account at one host. Never raises for a failure of network or provider.

    Use as `async with Client(…)`. Mutable state: two httpx clients, opened at the first request.
    """

    base_url: str
    key: ApiKey
    edition: Edition
    clock: Clock = field(default_factory=SystemClock)
    callbacks: str | None = None
    """Public base URL of the webhook paths, one for each attempt; None sends no `callBackUrl`."""
    reads_shot_text: bool = False
    """Whether the host declares to read the words of a shot beside its request; no paid one does."""
    deadlines: Deadlines = field(default_factory=Deadlines)
    tls_context: Callable[[], ssl.SSLContext] = tls.context
    _open_lock: anyio.Lock = field(default_factory=anyio.Lock)
    _create_client: httpx.AsyncClient | None = None
    _poll_client: httpx.AsyncClient | None = None

    def __post_init__(self) -> None:
        try:
            _ = httpx.URL(self.base_url).host, urlsplit(self.base_url).port
        except (httpx.InvalidURL, ValueError) as error:
            raise ConnectionUnusable(f"{self.base_url!r} is not a valid base URL: {error}") from error
        if not is_https_or_local(self.base_url):
            message = f"{self.base_url} is not https: the API key would be sent unencrypted; nothing was sent"
            raise ConnectionUnusable(message)
        self.base_url = self.base_url.rstrip("/")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for client in (self._create_client, self._poll_client):
            if client is not None:
                await client.aclose()

    @property
    def key_id(self) -> str:
        return self.key.id

    # -- the three requests -----------------------------------------------------------------------------

    async def preflight(self) -> CreateResult | None:
        """Poll a task that does not exist: None when the API itself answers, else what creating would get."""
        answer = await self._get(PROBE_TASK_ID)
        if answer.status is None:
            return NotSent(answer.error, answer.permanent)
        return _problem_of(answer, self.base_url)

    async def probe(self) -> ProbeResult:
        """The preflight with its duration and the clock skew; for health checks, not for a run."""
        started = self.clock.monotonic()
        answer = await self._get(PROBE_TASK_ID)
        duration = self.clock.monotonic() - started
        problem = (
            NotSent(answer.error, answer.permanent) if answer.status is None else _problem_of(answer, self.base_url)
        )
        clock_skew = seconds_ahead(header(answer.headers, "date"), self.clock.now())
        return ProbeResult(problem, duration, clock_skew)

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        """Send one createTask on a fresh connection under a total deadline; no redirect, no retry.

        `before_send` is awaited after connect and TLS, before the first byte; if `before_send` raises, nothing is
        sent and the exception propagates. A caller that is cancelled without a shield leaves the attempt unsettled.
        """
        payload = (
            dict(body)
            if self.callbacks is None
            else {**body, CALLBACK: f"{self.callbacks.rstrip('/')}/{webhook_token}"}
        )
        content = json.dumps(payload, allow_nan=False).encode()
        # A key in a prompt or in `inputs` would be given away with every copy of the request.
        if any(encoding in content for encoding in key_encodings(self.key)):
            return NotSent("the request contains the API key itself: remove it from the prompt or inputs", final=True)
        more_headers = headers_of(shot_text) if self.reads_shot_text else {}
        return _create_result(await self._post(content, more_headers, before_send))

    async def poll(self, task_id: str, model: str | None) -> PollResult:
        """Send one recordInfo; a failure or an unusable answer is `Running(answered=False)`. `model` must match."""
        answer = await self._get(task_id)
        return self._read(answer, task_id, model)

    async def fetch_record(self, task_id: str) -> tuple[PollResult, TaskFacts | None]:
        """Poll a task; also return the facts of its record, for binding the task to an attempt."""
        answer = await self._get(task_id)
        facts = None if answer.status is None or answer.error else parse_facts(answer.status, answer.body)
        if facts is not None and facts.model is not None:  # an undocumented model name must not exclude a task
            facts = replace(facts, model=self.edition.models.get(facts.model))
        return self._read(answer, task_id, None), facts

    def _read(self, answer: HttpResult, task_id: str, model: str | None) -> PollResult:
        if answer.status is None or answer.error:
            return Running("", answer.error, answered=False)
        return parse_record(answer.status, answer.headers, answer.body, task_id, model, self.edition.models)

    # -- transport ---------------------------------------------------------------------------------------

    async def _post(
        self, content: bytes, more_headers: Mapping[str, str], before_send: Callable[[], Awaitable[None]]
    ) -> HttpResult:
        client = await self._client_for_create()
        # A connection of its own: on a kept one the server may have hung up, and a broken send leaves it open whether
        # it read the request.
        headers = {"Content-Type": "application/json", "Connection": "close", **more_headers}
        request = client.build_request("POST", self.base_url + CREATE, content=content, headers=headers)
        return self._readable(await exchange(client, request, before_send, self.deadlines.create))

    async def _get(self, task_id: str) -> HttpResult:
        client = await self._client_for_poll()
        request = client.build_request("GET", self.base_url + RECORD, params={"taskId": task_id})
        return self._readable(await exchange(client, request, no_mark, self.deadlines.poll))

    def _readable(self, answer: HttpResult) -> HttpResult:
        """The answer without the key; what was not sent because of a proxy names the proxy."""
        if answer.error and not answer.sent and (route := route_to(self.base_url)):
            answer = replace(answer, error=f"{answer.error} ({route})")
        return redact_result(answer, self.key)

    # -- the clients ------------------------------------------------------------------------------------

    async def _client_for_create(self) -> httpx.AsyncClient:
        async with self._open_lock:
            if self._create_client is None:
                # No bound here: the throttle decides how many requests are in flight, and a queue in httpx would use up
                # deadlines.
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
                self._create_client = await self._open_client(limits, self.deadlines.create)
            return self._create_client

    async def _client_for_poll(self) -> httpx.AsyncClient:
        async with self._open_lock:
            if self._poll_client is None:
                # below the 5 s after which common servers close a connection: a poll on a closed one fails
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=4, keepalive_expiry=4)
                self._poll_client = await self._open_client(limits, self.deadlines.poll)
            return self._poll_client

    async def _open_client(self, limits: httpx.Limits, timeout: float) -> httpx.AsyncClient:
        plain = self.base_url.startswith("http:")
        verify = tls.no_trust_context() if plain else await anyio.to_thread.run_sync(self.tls_context)
        return httpx.AsyncClient(
            headers={
                "Authorization": f"Bearer {self.key.secret}",
                "Accept": "application/json",
                # A cut answer can still be searched for a task id, which a compressed one hides.
                "Accept-Encoding": "identity",
                "User-Agent": f"storyboard/{__version__}",
            },
            # No cookie: nothing but the key is to say who asks.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            verify=verify,
            # Proxies and certificates come from `proxy_for` and `tls`, which name the variable that cannot be used.
            trust_env=False,
            proxy=proxy_for(self.base_url),
            # The send mark hangs on events of HTTP/1.1; with streams of one connection no byte is one request's alone.
            http2=False,
            # A redirect would send the key to another host, and repeat a paid request.
            follow_redirects=False,
            limits=limits,
            timeout=httpx.Timeout(timeout, connect=self.deadlines.connect),
        )


def _create_result(answer: HttpResult) -> CreateResult:
    if not answer.sent:
        return NotSent(answer.error, answer.permanent)
    if answer.status is None:
        return OutcomeUnknown(answer.error)
    if answer.error:
        result = parse_truncated(answer.status, answer.headers, answer.body)
        message = f"HTTP {answer.status}, then {answer.error}"
        return (
            outcome_unknown(answer.status, answer.headers, answer.body, message)
            if isinstance(result, OutcomeUnknown)
            else result
        )
    return parse_create(answer.status, answer.headers, answer.body)


def _problem_of(answer: HttpResult, base_url: str) -> CreateResult | None:
    """The problem that the answer to the preflight shows; None for any answer of the API itself."""
    status = answer.status or 0
    try:
        payload: Any = strict_json.parse(answer.body)
    except strict_json.NotJsonError:
        payload = None
    message = error_message(payload)
    if 300 <= status < 400:
        location = header(answer.headers, "location") or "nowhere"
        return Refused(status, f"{base_url} redirects to {location[:200]}: not the API's address", stop=True)
    if status == 401 or (status == 200 and isinstance(payload, Mapping) and payload.get("code") == 401):
        return KeyRefused(message or responder(status, answer.headers))
    # Not the run's end: a host that is down for a moment may be up at the first order.
    if answer.error or status >= 500:
        return NotSent(answer.error or message or responder(status, answer.headers))
    if not isinstance(payload, Mapping):
        server = responder(status, answer.headers)
        return Refused(status, f"{base_url} is not the API: {server}", stop=True)
    return None


def seconds_ahead(date: str | None, now: datetime) -> float | None:
    """Seconds by which this machine's clock is ahead of an HTTP date, which has whole seconds; None if unreadable."""
    try:
        return (now - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError):
        return None
