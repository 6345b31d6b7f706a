"""Client of the API's uploads, which give a file a public address: the name is sent with the key, the bytes without."""

import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx

from runner import __version__
from runner.engine.ports import TransferFailed
from runner.hosts import is_https_or_local, is_loopback
from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern
from runner.providers.kinovi.create_response import error_message, find_field, responder
from runner.providers.transport import strict_json, tls
from runner.providers.transport.content_encoding import decoded
from runner.providers.transport.headers import retry_after
from runner.providers.transport.http_result import translate_error
from runner.providers.transport.proxy import proxy_for, socks_failures
from runner.providers.transport.public_hosts import (
    ForbiddenAddress,
    PinnedUrl,
    Resolve,
    connectable,
    parse_host,
    resolve_host,
    send_to_reachable,
)
from runner.providers.transport.redaction import redact_text
from runner.settings.api_key import ApiKey

PATH = "/api/v1/uploads"
# An answer to a reservation holds two addresses.
_MAX_ANSWER_BYTES = 1 << 16
# Bytes of a file that are read at once.
_CHUNK = 256 << 10
_CONTENT_TYPE = lazy_pattern(r"[a-z]{1,20}/[A-Za-z0-9.+-]{1,60}(; ?charset=[A-Za-z0-9-]{1,20})?")


class _Reservation(NamedTuple):
    """An upload that the provider expects."""

    target: str
    """The address for the bytes."""
    address: str
    """Their public address afterwards."""
    content_type: str


@dataclass(slots=True)
class UploadClient:
    """Uploads to the host of the API. Never raises for a failure of network or provider.

    Use as `async with UploadClient(…)`. Mutable state: one httpx client, opened at the first file.
    """

    base_url: str
    key: ApiKey
    path: str = PATH
    deadline: float = 300.0
    """Seconds for one file in total."""
    proxy: httpx.Proxy | None = None
    """Address of the proxy for the bytes, the same as for links of clips."""
    resolve: Resolve = resolve_host
    tls_context: Callable[[], ssl.SSLContext] = tls.context
    _client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def send(self, name: str, content: bytes | Path) -> str | TransferFailed:
        """Upload bytes, or those of a file, and return their public address; `name` is a plain file name."""
        if not is_https_or_local(self.base_url):
            return TransferFailed(f"{self.base_url} is not https: the API key would be sent unencrypted", final=True)
        try:
            with anyio.fail_after(self.deadline), socks_failures():
                return await self._upload(name, content)
        except TimeoutError:
            return TransferFailed(f"{name}: not uploaded within {self.deadline:g} s")
        except ForbiddenAddress as error:
            return TransferFailed(f"{name}: the provider's upload address is not allowed: {error}")
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
            message, final = translate_error(error)
            return TransferFailed(f"{name}: {message}", final)

    async def _upload(self, name: str, content: bytes | Path) -> str | TransferFailed:
        client = await self._api_client()
        reservation = await self._reserve(client, name)
        if isinstance(reservation, TransferFailed):
            return reservation
        # Checked before the bytes leave: an address that cannot be sent makes the upload useless.
        parse_host(reservation.address)
        if not self._local and not reservation.target.lower().startswith("https:"):
            raise ForbiddenAddress("not https")
        status, wait = await self._put(reservation, content)
        return (
            reservation.address
            if status in (200, 201, 204)
            else TransferFailed(f"{name}: the upload was answered with HTTP {status}", wait=wait)
        )

    async def _put(self, reservation: _Reservation, content: bytes | Path) -> tuple[int, float]:
        """Send the bytes to the first reachable IP of the target, all of which are checked.

        Returns the status, and the seconds that the server asks to wait.
        """
        target = reservation.target
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        proxied = self.proxy is not None
        look_up = partial(connectable, target, local=self._local, proxied=proxied, resolve=self.resolve)
        ips = await anyio.to_thread.run_sync(look_up)
        async with await self._open_client(target, for_upload=True) as client:

            def request_to(pinned_url: PinnedUrl) -> httpx.Request:
                headers = {
                    "Content-Type": reservation.content_type, "Host": pinned_url.host, "Content-Length": str(size)
                }  # fmt: skip
                # Anew for each try: what a broken connection has read of it would be missing.
                body = content if isinstance(content, bytes) else _chunks(content)
                return client.build_request(
                    "PUT", pinned_url.url, content=body, headers=headers, extensions=pinned_url.extensions
                )

            response = await send_to_reachable(client, target, ips, request_to)
            await response.aclose()
            return response.status_code, retry_after(response.headers.multi_items()) or 0.0

    @property
    def _local(self) -> bool:
        return is_loopback(urlsplit(self.base_url).hostname or "")

    async def _api_client(self) -> httpx.AsyncClient:
        """The client that requests upload addresses; the key is not among its default headers."""
        if self._client is None:
            self._client = await self._open_client(self.base_url, for_upload=False)
        return self._client

    async def _open_client(self, url: str, *, for_upload: bool) -> httpx.AsyncClient:
        """A client for API requests, or for bytes, which go to checked IPs and through no other proxy."""
        plain = url.lower().startswith("http:")
        return httpx.AsyncClient(
            headers={"User-Agent": f"storyboard/{__version__}", "Accept-Encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            verify=tls.no_trust_context() if plain else await anyio.to_thread.run_sync(self.tls_context),
            trust_env=False,
            proxy=self.proxy if for_upload else proxy_for(url),
            follow_redirects=False,
            timeout=60.0,
        )

    async def _reserve(self, client: httpx.AsyncClient, name: str) -> _Reservation | TransferFailed:
        """Request an upload: the address for the bytes, and their public address afterwards."""
        headers = {"Authorization": f"Bearer {self.key.secret}", "Content-Type": "application/json"}
        content = json.dumps({"fileName": name}).encode()
        body = bytearray()
        url = self.base_url.rstrip("/") + self.path
        async with client.stream("POST", url, content=content, headers=headers) as answer:
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > _MAX_ANSWER_BYTES:
                    return TransferFailed(f"{name}: the answer to the upload request is too long")
        answer_headers = tuple(answer.headers.multi_items())
        try:
            payload: Any = strict_json.parse(decoded(bytes(body), answer_headers, _MAX_ANSWER_BYTES))
        except strict_json.NotJsonError:
            payload = None
        if answer.status_code != 200 or not isinstance(payload, Mapping):
            message = redact_text(error_message(payload) or responder(answer.status_code, answer_headers), self.key)
            final = 400 <= answer.status_code < 500 and answer.status_code != 429
            return TransferFailed(f"{name}: {message}", final, wait=retry_after(answer_headers) or 0.0)
        target, address = find_field(payload, "uploadUrl"), find_field(payload, "url")
        if not isinstance(target, str) or not isinstance(address, str):
            return TransferFailed(f"{name}: the answer to the upload request has no address")
        return _Reservation(target, address, _content_type(find_field(payload, "contentType")))


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    """The bytes of a file, piece by piece."""
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(_CHUNK):
            yield chunk


def _content_type(value: Any) -> str:
    """The Content-Type that the answer demands, which a signed address may depend on; else one of plain bytes."""
    is_type = isinstance(value, str) and _CONTENT_TYPE.fullmatch(value) is not None
    return str(value) if is_type else "application/octet-stream"
