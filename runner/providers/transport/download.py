"""Fetches one clip into a part file: resumed, hashed while writing, bounded in size and time, without the key."""

import errno
import hashlib
import os
import re
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx

from runner import __version__
from runner.clock import Clock, SystemClock
from runner.engine.ports import TransferFailed
from runner.lazy_dataclass import dataclass, field
from runner.providers.transport import tls
from runner.providers.transport.deadline import SocketDeadline
from runner.providers.transport.http_result import translate_error
from runner.providers.transport.public_hosts import ForbiddenAddress, Resolve, connectable, pinned, resolve_host

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """What a download may take."""

    cap: int = 2 << 30
    """Bytes."""
    grace_seconds: float = 60.0
    """Seconds that it may take beyond what the slowest speed allows."""
    min_bytes_per_second: float = 100_000.0
    """Bytes a second."""
    redirects: int = 3
    connections: int = 4
    """Connections for one clip: the first, and those that go on where one broke."""
    spare: int = 64 << 20
    """Bytes that stay free on the disk."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """All bytes that the server had, synced to the disk; whether they are a clip is another's question."""

    path: Path
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class LinkExpired:
    """The link no longer works: ask for a new one."""

    message: str


class _BrokenError(Exception):
    """This connection brought no more; what it brought may be gone on from."""


class _EndedError(Exception):
    """This link will not bring it now."""

    def __init__(self, outcome: LinkExpired | TransferFailed) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


@dataclass(slots=True)
class _PartFile:
    """The part file while it grows: mutable, one thread's own."""

    file: BinaryIO
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    size: int = 0
    tag: str | None = None
    """The server's strong mark of the file's content: only the same one may be gone on from."""
    total: int | None = None

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.digest, self.size, self.tag, self.total = hashlib.sha256(), 0, None, None

    def add(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)

    @property
    def whole(self) -> bool:
        return self.total is None or self.size == self.total


@dataclass(frozen=True, slots=True)
class Downloader:
    """Fetches from links of the provider. Synchronous: call it in threads, two to four at once."""

    local: bool = False
    """The API is on this machine: its links may be, too."""
    proxy: str | None = None
    """Address of the proxy that links go through; it then looks hosts up, and only bare numbers are checked here."""
    bounds: DownloadLimits = field(default_factory=DownloadLimits)
    clock: Clock = field(default_factory=SystemClock)
    resolve: Resolve = resolve_host
    trusted: Callable[[], ssl.SSLContext] = tls.context

    def fetch(self, link: str, part: Path) -> Downloaded | LinkExpired | TransferFailed:
        """Everything behind a link into `part`, whose folder exists; never raises for network, server or disk."""
        try:
            with part.open("w+b") as file, self._client(link) as client:
                pull = _Download(self, client, _PartFile(file), self.clock.monotonic())
                pull.run(link)
                file.flush()
                os.fsync(file.fileno())
                return Downloaded(part, pull.part.digest.hexdigest(), pull.part.size)
        except _EndedError as end:
            return end.outcome
        except ForbiddenAddress as error:
            return TransferFailed(f"the provider's link is not fetched: {error}")
        except httpx.HTTPError as error:
            return TransferFailed(f"{type(error).__name__}: {error}"[:300])
        except socket.gaierror as error:
            return TransferFailed(translate_error(error)[0])
        except OSError as error:
            return TransferFailed(f"{part.name}: {error.strerror or error}", final=error.errno in _FULL)

    def _client(self, link: str) -> httpx.Client:
        plain = link.lower().startswith("http:") and self.local
        return httpx.Client(
            headers={"User-Agent": f"storyboard/{__version__}", "Accept-Encoding": "identity", "Connection": "close"},
            verify=tls.no_trust_context() if plain else self.trusted(),
            trust_env=False,
            proxy=self.proxy,
            follow_redirects=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=httpx.Timeout(min(30.0, self.bounds.grace_seconds), connect=10.0),
        )


@dataclass(slots=True)
class _Download:
    """One download under way."""

    by: Downloader
    client: httpx.Client
    part: _PartFile
    began: float

    def run(self, link: str) -> None:
        """Connects until the clip is whole, as often as is allowed."""
        trouble = "nothing came"
        for _ in range(self.by.bounds.connections):
            try:
                with self._opened(link) as response:
                    self._take(response)
                if self.part.whole:
                    return
                trouble = f"only {self.part.size} of {self.part.total} bytes came"
            except (_BrokenError, httpx.TransportError) as error:
                trouble = str(error) or type(error).__name__
            self._check_time()
        raise _EndedError(TransferFailed(f"the clip did not come whole: {trouble}"))

    @contextmanager
    def _opened(self, link: str) -> Iterator[httpx.Response]:
        """The answer at the end of the redirects; every step of the way is checked as the first."""
        for _ in range(self.by.bounds.redirects + 1):
            with self._asked(link) as response:
                if not response.is_redirect:
                    yield response
                    return
                link = _onward(link, response.headers.get("location", ""))
        raise ForbiddenAddress(f"it is sent on more than {self.by.bounds.redirects} times")

    @contextmanager
    def _asked(self, link: str) -> Iterator[httpx.Response]:
        """One request to the first of the link's addresses that can be connected to."""
        numbers = self._numbers(link)
        for place, number in enumerate(numbers, 1):
            request = self._request(link, number)
            cutoff = SocketDeadline(self._left())
            request.extensions["trace"] = cutoff.trace
            try:
                with cutoff:
                    response = self.client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if place == len(numbers):
                    raise
                continue
            try:
                yield response
            finally:
                response.close()
            return

    def _numbers(self, link: str) -> list[str]:
        by = self.by
        return connectable(link, local=by.local, proxied=by.proxy is not None, resolve=by.resolve)

    def _request(self, link: str, number: str) -> httpx.Request:
        to = pinned(link, number)
        headers = {"Host": to.host}
        if self.part.size and self.part.tag:
            headers |= {"Range": f"bytes={self.part.size}-", "If-Range": self.part.tag}
        elif self.part.size:
            self.part.restart()
        return self.client.build_request("GET", to.url, headers=headers, extensions=dict(to.extensions))

    def _take(self, response: httpx.Response) -> None:
        """Appends what this answer brings, or starts anew where it does not go on."""
        _check_status(response)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _EndedError(TransferFailed("the server sends the clip compressed, although that was not asked for"))
        if not self._goes_on(response):
            self.part.restart()
            if response.status_code != 200:
                raise _BrokenError("the server does not go on where it broke off")
            self._begin(response)
        for chunk in response.iter_raw():
            self.part.add(chunk)
            if self.part.size > self.by.bounds.cap:
                raise _EndedError(TransferFailed(f"the clip is longer than {self.by.bounds.cap} bytes"))
            self._check_time()

    def _begin(self, response: httpx.Response) -> None:
        tag = response.headers.get("etag", "")
        length = response.headers.get("content-length", "")
        self.part.tag = tag if tag.startswith('"') else None
        self.part.total = int(length) if re.fullmatch(r"\d{1,18}", length) else None
        if self.part.total is None:
            return
        if self.part.total > self.by.bounds.cap:
            raise _EndedError(TransferFailed(f"the clip has {self.part.total} bytes, more than {self.by.bounds.cap}"))
        free = shutil.disk_usage(os.path.dirname(self.part.file.name)).free
        if self.part.total + self.by.bounds.spare > free:
            words = f"no room: the clip has {self.part.total} bytes, and the disk has {free} left"
            raise _EndedError(TransferFailed(words, final=True))

    def _goes_on(self, response: httpx.Response) -> bool:
        """Whether this is the rest of the same file, from the very byte that is missing."""
        told = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", response.headers.get("content-range", ""))
        return (
            response.status_code == 206
            and told is not None
            and self.part.size > 0
            and int(told[1]) == self.part.size
            and int(told[3]) == self.part.total == int(told[2]) + 1
            and response.headers.get("etag") == self.part.tag
        )

    def _check_time(self) -> None:
        if self._left() <= 0:
            raise _EndedError(
                TransferFailed(f"too slow: {self.part.size} bytes in more than {self.by.bounds.grace_seconds:g} s")
            )

    def _left(self) -> float:
        """Seconds that it may still take: a fixed grace, and more for every byte that came."""
        earned = self.by.bounds.grace_seconds + self.part.size / self.by.bounds.min_bytes_per_second
        return self.began + earned - self.by.clock.monotonic()


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in (401, 403, 404, 410):
        raise _EndedError(LinkExpired(f"the link answers {status}"))
    if status not in (200, 206, 416):
        raise _EndedError(TransferFailed(f"the link answers {status}"))


def _onward(link: str, to: str) -> str:
    """Where a redirect leads; never from https to http."""
    try:
        onward = urljoin(link, to)
    except ValueError as error:
        raise ForbiddenAddress(f"it is sent on to no address: {error}") from error
    if urlsplit(link).scheme == "https" and urlsplit(onward).scheme != "https":
        raise ForbiddenAddress("it is sent on from https to another scheme")
    return onward
