"""The bytes of a material: read from the repository and compared with the plan, or cut from a stored clip."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from runner.attempts.attempt import Attempt
from runner.engine.ports import TransferFailed
from runner.files.reading import FileRejected, open_clip, read_bytes
from runner.lazy_dataclass import dataclass
from runner.media.clip import IncompleteClip, frame
from runner.media.files import MAX_BYTES
from runner.requests.request import Kind, LocalFile, TakeReference

CONTENT_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4",
    ".mp3": "audio/mpeg", ".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".m4a": "audio/mp4",
    ".aac": "audio/aac",
}  # fmt: skip
"""Content types by file ending; other endings are sent as plain bytes."""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one material, as they leave the machine."""

    name: str
    """A plain file name with its ending: ASCII, without a path."""
    bytes: bytes
    sha256: str
    kind: Kind

    @property
    def ending(self) -> str:
        """The file ending in lower case with its dot; empty without one."""
        stem, point, last = self.name.rpartition(".")
        return f".{last.lower()}" if stem and point else ""

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(self.ending, "application/octet-stream")


@dataclass(frozen=True, slots=True)
class ContentReader:
    """Reads materials of one repository."""

    root: Path
    """The repository's top."""
    scratch: Path
    """A private folder for frames before they are sent."""
    find: Callable[[Attempt], Path | None]
    """Returns the path of an intact copy of an attempt's clip."""

    def size_of(self, material: LocalFile | TakeReference, source: Attempt | None) -> int:
        """The expected bytes in memory; a frame counts as 16 MB."""
        if isinstance(material, LocalFile):
            return material.bytes
        clip = source.clip if source is not None else None
        return clip.bytes if material.part == "clip" and clip is not None else 16 << 20

    def read(self, material: LocalFile | TakeReference, source: Attempt | None) -> Content | TransferFailed:
        """The bytes of a material; a final failure unless they are those of the plan. Blocks: call it in a thread."""
        try:
            return self._read(material, source)
        except OSError as error:
            subject = material.path if isinstance(material, LocalFile) else str(material)
            return TransferFailed(f"{subject}: {error.strerror or error}", final=True)

    def _read(self, material: LocalFile | TakeReference, source: Attempt | None) -> Content | TransferFailed:
        if isinstance(material, LocalFile):
            return self._read_file(material)
        clip = None if source is None else self.find(source)
        if source is None or clip is None:
            return TransferFailed(f"{material}: the clip of this take is missing or was changed", final=True)
        if material.part == "clip":
            with open_clip(clip, self.root) as file:
                return _content(f"{material.shot}.mp4", file.read(), "video")
        return self._read_frame(material, source, clip)

    def _read_file(self, material: LocalFile) -> Content | TransferFailed:
        path = self.root / material.path
        try:
            content = read_bytes(path, self.root, MAX_BYTES)
        except FileRejected as rejected:
            return TransferFailed(f"{material.path} {rejected.message}: run again", final=True)
        read = _content(_safe_file_name(path.name), content, material.kind)
        if read.sha256 != material.sha256:
            return TransferFailed(f"{material.path} has changed since the plan was made: run again", final=True)
        return read

    def _read_frame(self, material: TakeReference, source: Attempt, clip: Path) -> Content | TransferFailed:
        self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self.scratch / f"{hashlib.sha256(source.id.encode()).hexdigest()[:16]}.{material.part}.png"
        try:
            frame(clip, "first" if material.part == "first_frame" else "last", target)
            return _content(f"{material.shot}.{material.part}.png", target.read_bytes(), "image")
        except IncompleteClip as error:
            return TransferFailed(f"{material}: the clip of this take {error.message}", final=True)
        finally:
            target.unlink(missing_ok=True)


def _content(name: str, content: bytes, kind: Kind) -> Content:
    return Content(name, content, hashlib.sha256(content).hexdigest(), kind)


def _safe_file_name(name: str) -> str:
    """A file name that every server accepts: ASCII, with its extension."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-100:].lstrip(".-") or "file"
