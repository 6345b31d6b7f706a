"""Publishing of materials: the bytes are checked against the plan, and every content is published once a run."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from runner.attempts.attempt import Attempt
from runner.engine.ports import TransferFailed
from runner.files.reading import FileRejected, open_clip, read_bytes
from runner.lazy_dataclass import dataclass, field
from runner.media.clip import IncompleteClip, frame
from runner.media.files import MAX_BYTES
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference

Send = Callable[[str, bytes], Awaitable[str | TransferFailed]]
"""Publishes bytes under a plain file name and returns their public address."""


@dataclass(frozen=True, slots=True)
class MaterialPublisher:
    """The public addresses of materials for one run. Mutable: the addresses by content."""

    root: Path
    """The repository's top."""
    scratch: Path
    """A private folder for frames before their upload."""
    find: Callable[[Attempt], Path | None]
    """Returns the path of an intact copy of an attempt's clip."""
    send: Send
    _published: dict[str, str] = field(default_factory=dict)
    _locks: dict[str, anyio.Lock] = field(default_factory=dict)

    async def publish(self, material: Material, source: Attempt | None) -> str | TransferFailed:
        """The public address of a material, published if needed; `source` is the attempt of a referenced take."""
        if isinstance(material, RemoteFile):
            return material.url
        read = partial(self._read_material, material, source)
        try:
            upload = await anyio.to_thread.run_sync(read)
        except OSError as error:
            subject = material.path if isinstance(material, LocalFile) else str(material)
            return TransferFailed(f"{subject}: {error.strerror or error}", final=True)
        if isinstance(upload, TransferFailed):
            return upload
        name, content = upload
        return await self._publish_once(name, content)

    async def _publish_once(self, name: str, content: bytes) -> str | TransferFailed:
        """The address of a content, published by the first caller; parallel callers wait."""
        sha256 = hashlib.sha256(content).hexdigest()
        async with self._locks.setdefault(sha256, anyio.Lock()):
            if sha256 not in self._published:
                address = await self.send(name, content)
                if isinstance(address, TransferFailed):
                    return address
                self._published[sha256] = address
            return self._published[sha256]

    def _read_material(
        self, material: LocalFile | TakeReference, source: Attempt | None
    ) -> tuple[str, bytes] | TransferFailed:
        if isinstance(material, LocalFile):
            return self._read_file(material)
        clip = None if source is None else self.find(source)
        if source is None or clip is None:
            return TransferFailed(f"{material}: the clip of this take is missing or was changed", final=True)
        if material.part == "clip":
            with open_clip(clip, self.root) as file:
                return f"{material.shot}.mp4", file.read()
        return self._read_frame(material, source, clip)

    def _read_file(self, material: LocalFile) -> tuple[str, bytes] | TransferFailed:
        """Name and bytes of a repository file; a failure unless the bytes are those of the plan."""
        path = self.root / material.path
        try:
            content = read_bytes(path, self.root, MAX_BYTES)
        except FileRejected as rejected:
            return TransferFailed(f"{material.path} {rejected.message}: run again", final=True)
        if hashlib.sha256(content).hexdigest() != material.sha256:
            return TransferFailed(f"{material.path} has changed since the plan was made: run again", final=True)
        return _safe_file_name(path.name), content

    def _read_frame(self, material: TakeReference, source: Attempt, clip: Path) -> tuple[str, bytes] | TransferFailed:
        self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.scratch / f"{hashlib.sha256(source.id.encode()).hexdigest()[:16]}.{material.part}.png"
        try:
            frame(clip, "first" if material.part == "first_frame" else "last", target)
            return f"{material.shot}.{material.part}.png", target.read_bytes()
        except IncompleteClip as error:
            return TransferFailed(f"{material}: the clip of this take {error.message}", final=True)
        finally:
            target.unlink(missing_ok=True)


def _safe_file_name(name: str) -> str:
    """A file name that every server accepts: ASCII, with its extension."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-100:].lstrip(".-") or "file"
