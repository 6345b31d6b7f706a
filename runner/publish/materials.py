"""Publishing of materials: each goes its planned way once a run, and its address is checked before it is used."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import anyio
import anyio.to_thread

from runner.attempts.attempt import Attempt
from runner.attempts.events import Output
from runner.clock import Clock
from runner.engine.ports import Published, TransferFailed
from runner.lazy_dataclass import dataclass, field
from runner.planning.material_routes import Route, Way
from runner.publish.address_check import Expected, judge_published, judge_remote
from runner.publish.content import Content, ContentReader
from runner.publish.memory import MemoryBound
from runner.publish.object_store import ObjectStore
from runner.publish.vendor_frame import MAX_BYTES as MAX_FRAME_BYTES
from runner.publish.vendor_frame import is_last_frame, is_same_picture
from runner.requests.fetched import HEAD_BYTES, Fetched, NotFetched
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference

Send = Callable[[str, bytes | Path], Awaitable[str | TransferFailed]]
"""Uploads bytes, or those of a file, under a plain file name to the provider and returns their public address."""
Fetch = Callable[[str, int], Awaitable[Fetched | NotFetched]]
"""The first bytes of an address, at most so many."""
OutputOf = Callable[[Attempt], Awaitable[Output | None]]
"""The provider's links of an attempt's task, asked for anew; None without an answer."""

UPLOAD_SECONDS = 23 * 3600.0
"""How long an upload's address is used; the provider deletes it after 24 hours."""
# How long a link of the provider's record is used before it is asked for anew.
_VENDOR_SECONDS = 600.0
# Begins the address of a store's object whose link is signed when a task is created.
_OBJECT = "object:"


class _Sent(NamedTuple):
    address: str
    way: Way
    at: float
    """Monotonic seconds."""


@dataclass(frozen=True, slots=True)
class MaterialPublisher:
    """The public addresses of materials for one run. Mutable: the addresses by content."""

    reader: ContentReader
    route_of: Callable[[Material], Route]
    upload: Send
    fetch: Fetch
    output_of: OutputOf
    clock: Clock
    store: ObjectStore | None = None
    check: bool = True
    """Whether each address is fetched once before it is used."""
    memory: MemoryBound = field(default_factory=MemoryBound)
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _expected: dict[str, tuple[Way, Expected]] = field(default_factory=dict)
    """What each published address has to return, and the way it was published by."""
    _unfetchable: set[str] = field(default_factory=set)
    """Contents that could not be fetched after all: a store is not trusted to have them."""
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    async def publish(self, material: Material, source: Attempt | None) -> Published | TransferFailed:
        """The checked address of a material, sent if needed; `source` is the attempt of a referenced take."""
        if isinstance(material, RemoteFile):
            return await self._remote(material)
        route = self.route_of(material)
        failure = TransferFailed("no way in `[publish] ways` can take it", final=True)
        for way in route.ways:
            if way == "vendor":
                result = await self._vendor(material, source)
            elif way == "git":
                result = await self._committed(material, route.address or "")
            else:
                result = await self._send(way, material, source)
            if isinstance(result, Published) or way != "vendor":
                return result
            failure = result  # the provider's own link is the only way whose failure leads to the next
        return failure

    def link(self, address: str) -> str:
        """The address for a task that is created now: that of a store's object is signed here."""
        if self.store is None or not address.startswith(_OBJECT):
            return address
        return self.store.link(address.removeprefix(_OBJECT))

    async def recheck(self, material: Material, address: str) -> TransferFailed | None:
        """The failure of one more fetch of an address, which is forgotten then; None while it can be fetched."""
        if isinstance(material, RemoteFile):
            finding = judge_remote(await self.fetch(address, HEAD_BYTES), Expected(material.kind))
            return finding if isinstance(finding, TransferFailed) else None
        way, expected = self._expected.get(address, ("upload", Expected(material.kind)))
        link = self.store.check_link(address.removeprefix(_OBJECT)) if self.store and way == "store" else address
        finding = judge_published(await self.fetch(link, HEAD_BYTES), expected, way)
        if not isinstance(finding, TransferFailed):
            return None
        # A list first: the loop deletes from what it looks through.
        for sha256 in [sha256 for sha256, sent in self._sent.items() if sent.address == address]:
            del self._sent[sha256]
            self._unfetchable.add(sha256)
        return finding

    # -- addresses that exist already ---------------------------------------------------------------------

    async def _remote(self, material: RemoteFile) -> Published | TransferFailed:
        if not self.check:
            return Published(material.url)
        finding = judge_remote(await self.fetch(material.url, HEAD_BYTES), Expected(material.kind))
        return finding if isinstance(finding, TransferFailed) else Published(material.url, warning=finding)

    async def _committed(self, material: LocalFile | TakeReference, address: str) -> Published | TransferFailed:
        length = material.bytes if isinstance(material, LocalFile) else None
        return await self._checked(Published(address), address, Expected(material.kind, length), "git")

    async def _vendor(self, material: LocalFile | TakeReference, source: Attempt | None) -> Published | TransferFailed:
        """The provider's own link to a clip, or to its last frame if that is the clip's last picture."""
        output = None if source is None or source.task_id is None else await self.output_of(source)
        clip = None if source is None else source.clip
        if output is None or clip is None or not isinstance(material, TakeReference):
            return TransferFailed(f"{material}: the provider has no record of its clip", final=True)
        address = output.url if material.part == "clip" else output.last_frame
        if address is None:
            return TransferFailed(f"{material}: the provider's record does not name it", final=True)
        if material.part == "clip":
            expected = Expected("video", clip.bytes)
            return await self._checked(Published(address, _VENDOR_SECONDS), address, expected, "vendor")
        if not await self._is_last_frame(address, material, source):
            return TransferFailed(f"{material}: the provider's picture is not the clip's last frame", final=True)
        return Published(address, _VENDOR_SECONDS)

    async def _is_last_frame(self, address: str, material: TakeReference, source: Attempt | None) -> bool:
        """Whether the provider's picture is a PNG of the clip's own size that shows the clip's last frame."""
        clip = None if source is None else source.clip
        head = await self.fetch(address, HEAD_BYTES)
        if clip is None or not is_last_frame(head, clip.width, clip.height):
            return False
        # Only after its head was right: nobody loads 64 MB of a web page.
        whole = await self.fetch(address, MAX_FRAME_BYTES)
        cut = await anyio.to_thread.run_sync(self.reader.read, material, source)
        if isinstance(whole, NotFetched) or isinstance(cut, TransferFailed):
            return False
        return isinstance(cut.body, bytes) and await anyio.to_thread.run_sync(is_same_picture, whole.head, cut.body)

    # -- what is sent -------------------------------------------------------------------------------------

    async def _send(
        self, way: Way, material: LocalFile | TakeReference, source: Attempt | None
    ) -> Published | TransferFailed:
        async with self.memory.hold(self.reader.size_of(material, source)):
            content = await anyio.to_thread.run_sync(self.reader.read, material, source)
            if isinstance(content, TransferFailed):
                return content
            try:
                return await self._send_once(way, content)
            finally:
                content.discard()

    async def _send_once(self, way: Way, content: Content) -> Published | TransferFailed:
        """The address of a content, sent by the first caller; parallel callers wait."""
        size = 0
        # By content: shots that share a picture at the same moment send it once.
        async with self._locks.setdefault(content.sha256, anyio.Lock()):
            sent = self._sent.get(content.sha256)
            if sent is None or (sent.way == "upload" and self._age(sent) >= UPLOAD_SECONDS):
                result = await (self._upload(content) if way == "upload" else self._store(content))
                if isinstance(result, TransferFailed):
                    return result
                sent, size = _Sent(result.address, way, self.clock.monotonic()), content.size
                self._sent[content.sha256] = sent
            life = UPLOAD_SECONDS - self._age(sent) if sent.way == "upload" else None
            return Published(sent.address, life, sent=size)

    def _age(self, sent: _Sent) -> float:
        return self.clock.monotonic() - sent.at

    async def _upload(self, content: Content) -> Published | TransferFailed:
        address = await self.upload(content.name, content.body)
        if isinstance(address, TransferFailed):
            return address
        return await self._checked(Published(address), address, _expected(content), "upload")

    async def _store(self, content: Content) -> Published | TransferFailed:
        if self.store is None:
            return TransferFailed("`[publish] store` is not set", final=True)
        key = await self.store.put(content, anew=content.sha256 in self._unfetchable)
        if isinstance(key, TransferFailed):
            return key
        link = self.store.check_link(key)
        return await self._checked(Published(f"{_OBJECT}{key}"), link, _expected(content), "store")

    async def _checked(
        self, published: Published, link: str, expected: Expected, way: Way
    ) -> Published | TransferFailed:
        """The published material, if the fetch of `link` returns the expected content."""
        self._expected[published.address] = way, expected
        if not self.check:
            return published
        finding = judge_published(await self.fetch(link, HEAD_BYTES), expected, way)
        return finding if isinstance(finding, TransferFailed) else published


def _expected(content: Content) -> Expected:
    return Expected(content.kind, content.size, content.head)
