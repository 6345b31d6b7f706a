"""Fetches the first bytes of a material's address as the provider would: no key, no cookie, few redirects."""

import re
import ssl
from collections.abc import Callable
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import anyio
import anyio.to_thread
import httpx

from runner import __version__
from runner.hosts import is_loopback
from runner.lazy_dataclass import dataclass
from runner.providers.transport import tls
from runner.providers.transport.headers import retry_after
from runner.providers.transport.http_result import translate_error
from runner.providers.transport.proxy import socks_failures
from runner.providers.transport.public_hosts import (
    ForbiddenAddress,
    PinnedUrl,
    Resolve,
    connectable,
    resolve_host,
    send_to_reachable,
)
from runner.requests.fetched import HEAD_BYTES, Fetched, NotFetched

# Five, as RFC 2068 recommended.
_MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class AddressFetcher:
    """Fetches the beginnings of public addresses; also of this machine's where the API is on it."""

    local: bool = False
    proxy: httpx.Proxy | None = None
    deadline: float = 30.0
    """Seconds for one address in total."""
    resolve: Resolve = resolve_host
    tls_context: Callable[[], ssl.SSLContext] = tls.context

    async def fetch(self, address: str, most: int = HEAD_BYTES) -> Fetched | NotFetched:
        """GET of the first bytes, at most `most`; never raises for a failure of network or server."""
        try:
            with anyio.fail_after(self.deadline), socks_failures():
                return await self._follow(address, most)
        except TimeoutError:
            return NotFetched(f"no answer within {self.deadline:g} s")
        except ForbiddenAddress as error:
            return NotFetched(str(error), forbidden=True)
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError) as error:
            return NotFetched(translate_error(error)[0])

    async def _follow(self, address: str, most: int) -> Fetched:
        for _ in range(_MAX_REDIRECTS + 1):
            # Behind a redirect, too: what is sent to the provider must be https from end to end.
            if urlsplit(address).scheme != "https" and not (self.local and _is_loopback(address)):
                raise ForbiddenAddress("it leads to an address that is not https")
            answer = await self._get(address, most)
            if isinstance(answer, Fetched):
                return answer
            address = urljoin(address, answer)
        raise ForbiddenAddress(f"more than {_MAX_REDIRECTS} redirects")

    async def _get(self, address: str, most: int) -> Fetched | str:
        """The answer of the first reachable IP; a text is the target of a redirect."""
        is_own = self.local and _is_loopback(address)
        proxy = None if is_own else self.proxy
        look_up = partial(connectable, address, local=self.local, proxied=proxy is not None, resolve=self.resolve)
        ips = await anyio.to_thread.run_sync(look_up)
        async with await self._client(address, proxy) as client:

            def request_to(target: PinnedUrl) -> httpx.Request:
                headers = {"Host": target.host, "Range": f"bytes=0-{most - 1}"}
                return client.build_request("GET", target.url, headers=headers, extensions=target.extensions)

            response = await send_to_reachable(client, address, ips, request_to)
            try:
                if response.is_redirect:
                    return str(response.headers.get("location", ""))
                return await _first_bytes(response, most)
            finally:
                await response.aclose()

    async def _client(self, address: str, proxy: httpx.Proxy | None) -> httpx.AsyncClient:
        plain = address.lower().startswith("http:")
        return httpx.AsyncClient(
            headers={"User-Agent": f"storyboard/{__version__}", "Accept-Encoding": "identity"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            verify=tls.no_trust_context() if plain else await anyio.to_thread.run_sync(self.tls_context),
            trust_env=False,
            proxy=proxy,
            follow_redirects=False,
            timeout=httpx.Timeout(15.0, connect=10.0),
        )


async def _first_bytes(response: httpx.Response, most: int) -> Fetched:
    head, wait = bytearray(), retry_after(response.headers.multi_items()) or 0.0
    if response.status_code in (200, 206):
        async for chunk in response.aiter_raw():
            head += chunk
            if len(head) >= most:
                break
    return Fetched(response.status_code, bytes(head[:most]), _length(response), wait)


def _length(response: httpx.Response) -> int | None:
    # Some servers answer a range with 200: the length of the answer is then not the file's.
    if (content_range := response.headers.get("content-range")) is not None or response.status_code == 206:
        total = re.fullmatch(r"bytes \d+-\d+/(\d{1,18})", content_range or "")
        return int(total[1]) if total else None
    length = response.headers.get("content-length", "")
    return int(length) if response.status_code == 200 and re.fullmatch(r"\d{1,18}", length) else None


def _is_loopback(address: str) -> bool:
    return is_loopback(urlsplit(address).hostname or "")
