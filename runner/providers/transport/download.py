"""Download of one clip into a part file: resumable, hashed while writing, limited in size and time, without the key."""

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
from runner.files.writing import create_afresh
from runner.lazy_dataclass import dataclass, field
from runner.providers.transport import tls
from runner.providers.transport.deadline import SocketDeadline
from runner.providers.transport.http_result import translate_error
from runner.providers.transport.proxy import socks_failures
from runner.providers.transport.public_hosts import ForbiddenAddress, Resolve, connectable, pin, resolve_host

_DISK_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Limits of one download."""

    max_bytes: int = 2 << 30
    grace_seconds: float = 60.0
    """Seconds beyond the time that the lowest speed needs."""
    min_bytes_per_second: float = 100_000.0
    max_redirects: int = 3
    connections: int = 4
    """Connections for one clip: the first, and those that resume after a break."""
    min_free_bytes: int = 64 << 20
    """Bytes left free on the disk."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """All bytes of the server, synced to disk; not yet verified to be a clip."""

    path: Path
    sha256: str
    bytes: int
    has_known_end: bool = True
    """Whether the server said where the file ends; else a connection that broke looks like the end."""


@dataclass(frozen=True, slots=True)
class LinkExpired:
    """The link no longer works; a poll gives a new link."""

    message: str


class _ConnectionBrokenError(Exception):
    """A connection ended early; the bytes so far can be resumed."""


class _DownloadEndedError(Exception):
    """The download ends with an outcome other than success."""

    def __init__(self, outcome: LinkExpired | TransferFailed) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


@dataclass(slots=True)
class _PartFile:
    """The growing part file; mutable, used by one thread."""

    file: BinaryIO
    folder: Path
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    size: int = 0
    etag: str | None = None
    """The strong ETag of the content; only the same content can be resumed."""
    total: int | None = None
    has_known_end: bool = False

    def restart(self) -> None:
        self.file.seek(0)
        self.file.truncate()
        self.digest, self.size, self.etag, self.total = hashlib.sha256(), 0, None, None

    def add(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)

    @property
    def is_complete(self) -> bool:
        return self.total is None or self.size == self.total


@dataclass(frozen=True, slots=True)
class Downloader:
    """The client of downloads from the provider's links. Synchronous: call it in threads, two to four at once."""

    local: bool = False
    """The API is on this machine, so that its links may point to this machine."""
    proxy: httpx.Proxy | None = None
    """Address of the proxy for links; the proxy resolves host names, so that only IP literals can be checked."""
    limits: DownloadLimits = field(default_factory=DownloadLimits)
    clock: Clock = field(default_factory=SystemClock)
    resolve: Resolve = resolve_host
    tls_context: Callable[[], ssl.SSLContext] = tls.context
    root: Path | None = None
    """The repository in which part files are created; None: only the part's own folder is known."""

    def fetch(self, link: str, part: Path) -> Downloaded | LinkExpired | TransferFailed:
        """Download a link into `part`, whose folder exists. Never raises for a failure of network, server or disk."""
        try:
            with (
                create_afresh(part, self.root or part.parent) as file,
                self._client(link) as client,
                socks_failures(),
            ):
                download = _Download(self, client, _PartFile(file, part.parent), self.clock.monotonic())
                download.run(link)
                file.flush()
                # Before the hash is believed: the ledger will say that these bytes are here.
                os.fsync(file.fileno())
                content = download.part
                return Downloaded(part, content.digest.hexdigest(), content.size, content.has_known_end)
        except _DownloadEndedError as end:
            return end.outcome
        except ForbiddenAddress as error:
            return TransferFailed(f"the provider's link is not allowed: {error}")
        except httpx.HTTPError as error:
            return TransferFailed(f"{type(error).__name__}: {error}"[:300])
        except socket.gaierror as error:
            return TransferFailed(translate_error(error)[0])
        except OSError as error:
            return TransferFailed(f"{part.name}: {error.strerror or error}", final=error.errno in _DISK_ERRNOS)

    def _client(self, link: str) -> httpx.Client:
        plain = link.lower().startswith("http:") and self.local
        return httpx.Client(
            headers={"User-Agent": f"storyboard/{__version__}", "Accept-Encoding": "identity", "Connection": "close"},
            verify=tls.no_trust_context() if plain else self.tls_context(),
            trust_env=False,
            proxy=self.proxy,
            follow_redirects=False,
            # One clip, one client: a kept connection would serve nobody.
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=httpx.Timeout(min(30.0, self.limits.grace_seconds), connect=10.0),
        )


@dataclass(slots=True)
class _Download:
    """The state of one download in progress."""

    downloader: Downloader
    client: httpx.Client
    part: _PartFile
    started_at: float

    def run(self, link: str) -> None:
        """Connect until the clip is complete, at most `connections` times."""
        reason = "no data"
        for _ in range(self.downloader.limits.connections):
            try:
                with self._follow_redirects(link) as response:
                    self._append(response)
                if self.part.is_complete:
                    return
                reason = f"only {self.part.size} of {self.part.total} bytes arrived"
            except (_ConnectionBrokenError, httpx.TransportError) as error:
                reason = str(error) or type(error).__name__
            self._check_time()
        raise _DownloadEndedError(TransferFailed(f"the download is incomplete: {reason}"))

    @contextmanager
    def _follow_redirects(self, link: str) -> Iterator[httpx.Response]:
        """The answer after all redirects; every redirect is checked like the first address."""
        for _ in range(self.downloader.limits.max_redirects + 1):
            with self._respond(link) as response:
                if not response.is_redirect:
                    yield response
                    return
                link = _redirect_target(link, response.headers.get("location", ""))
        raise ForbiddenAddress(f"more than {self.downloader.limits.max_redirects} redirects")

    @contextmanager
    def _respond(self, link: str) -> Iterator[httpx.Response]:
        """The answer of the first reachable IP of a link."""
        ips = self._ips(link)
        for count, ip in enumerate(ips, 1):
            request = self._request(link, ip)
            deadline = SocketDeadline(self._seconds_left())
            request.extensions["trace"] = deadline.trace
            try:
                with deadline:
                    response = self.client.send(request, stream=True)
            # A host may have an IPv6 address that this network does not reach: the next one is tried.
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if count == len(ips):
                    raise
                continue
            try:
                yield response
            finally:
                response.close()
            return

    def _ips(self, link: str) -> list[str]:
        downloader = self.downloader
        return connectable(
            link, local=downloader.local, proxied=downloader.proxy is not None, resolve=downloader.resolve
        )

    def _request(self, link: str, ip: str) -> httpx.Request:
        pinned_url = pin(link, ip)
        headers = {"Host": pinned_url.host}
        if self.part.size and self.part.etag:
            headers |= {"Range": f"bytes={self.part.size}-", "If-Range": self.part.etag}
        # Without a strong ETag the rest could be another file's: the download begins anew.
        elif self.part.size:
            self.part.restart()
        return self.client.build_request("GET", pinned_url.url, headers=headers, extensions=dict(pinned_url.extensions))

    def _append(self, response: httpx.Response) -> None:
        """Append the body of an answer, or restart the part file if the answer does not continue it."""
        _check_status(response)
        # Compressed bytes cannot be resumed by offset, nor compared with the length.
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _DownloadEndedError(
                TransferFailed("the server sends the clip compressed, although no compression was requested")
            )
        if not self._continues_part(response):
            self.part.restart()
            if response.status_code != 200:
                raise _ConnectionBrokenError("the server does not resume at the requested byte")
            self._read_headers(response)
        for chunk in response.iter_raw():
            self.part.add(chunk)
            if self.part.size > self.downloader.limits.max_bytes:
                raise _DownloadEndedError(
                    TransferFailed(f"the clip is longer than {self.downloader.limits.max_bytes} bytes")
                )
            self._check_time()

    def _read_headers(self, response: httpx.Response) -> None:
        etag = response.headers.get("etag", "")
        length = response.headers.get("content-length", "")
        # Weak ETags (`W/"…"`) promise the same meaning, and not the same bytes.
        self.part.etag = etag if etag.startswith('"') else None
        # Eighteen digits fit into 64 bits.
        self.part.total = int(length) if re.fullmatch(r"\d{1,18}", length) else None
        chunked = response.headers.get("transfer-encoding", "").strip().lower() == "chunked"
        self.part.has_known_end = self.part.total is not None or chunked
        if self.part.total is None:
            return
        if self.part.total > self.downloader.limits.max_bytes:
            raise _DownloadEndedError(
                TransferFailed(f"the clip has {self.part.total} bytes; the limit is {self.downloader.limits.max_bytes}")
            )
        # Asked before the first byte: a full disk stops new orders, and the ledger's disk is often the same.
        free = shutil.disk_usage(self.part.folder).free
        if self.part.total + self.downloader.limits.min_free_bytes > free:
            message = f"the disk is full: the clip has {self.part.total} bytes, and {free} are free"
            raise _DownloadEndedError(TransferFailed(message, final=True))

    def _continues_part(self, response: httpx.Response) -> bool:
        """Whether an answer is the rest of the same content, from the first missing byte."""
        content_range = re.fullmatch(
            r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", response.headers.get("content-range", "")
        )
        return (
            response.status_code == 206
            and content_range is not None
            and self.part.size > 0
            and int(content_range[1]) == self.part.size
            and int(content_range[3]) == self.part.total == int(content_range[2]) + 1
            and response.headers.get("etag") == self.part.etag
        )

    def _check_time(self) -> None:
        if self._seconds_left() <= 0:
            raise _DownloadEndedError(
                TransferFailed(
                    f"too slow: {self.part.size} bytes in more than {self.downloader.limits.grace_seconds:g} s"
                )
            )

    def _seconds_left(self) -> float:
        """Seconds left for the download: a fixed grace, and more for every received byte."""
        # Grows with what has come: a slow line may take its time, a server that trickles may not.
        allowed = self.downloader.limits.grace_seconds + self.part.size / self.downloader.limits.min_bytes_per_second
        return self.started_at + allowed - self.downloader.clock.monotonic()


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status in (401, 403, 404, 410):
        raise _DownloadEndedError(LinkExpired(f"the link answered HTTP {status}"))
    # 416 answers a resume behind the end: `_append` then begins anew.
    if status not in (200, 206, 416):
        raise _DownloadEndedError(TransferFailed(f"the link answered HTTP {status}"))


def _redirect_target(link: str, location: str) -> str:
    """The target of a redirect; never from https to http."""
    try:
        target = urljoin(link, location)
    except ValueError as error:
        raise ForbiddenAddress(f"a redirect to an invalid address: {error}") from error
    if urlsplit(link).scheme == "https" and urlsplit(target).scheme != "https":
        raise ForbiddenAddress("a redirect from https to another scheme")
    return target
