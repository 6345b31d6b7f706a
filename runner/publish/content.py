"""The bytes of a material: read from the repository and compared with the plan, or cut from a file or a stored clip."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

from runner.attempts.attempt import Attempt
from runner.engine.ports import TransferFailed
from runner.files.reading import FileRejected, open_clip, open_regular, resolve_inside
from runner.lazy_dataclass import dataclass
from runner.media.clip import IncompleteClip, frame
from runner.media.files import MAX_BYTES, UnsupportedMedia, sniff
from runner.requests.fetched import HEAD_BYTES
from runner.requests.request import Kind, LocalFile, TakeReference

CONTENT_TYPES = {
    ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4",
    ".mp3": "audio/mpeg", ".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".opus": "audio/ogg", ".m4a": "audio/mp4", ".aac": "audio/aac",
}  # fmt: skip
"""Content types by file ending; other endings are sent as plain bytes."""
IN_MEMORY_BYTES = 8 << 20
"""A larger content is sent from a file, so that it never lies in memory as a whole."""
STREAM_BYTES = 2 << 20
"""Bytes in memory of a content that is sent from a file, at most."""
# Bytes that are read at once: a file of any size takes no more memory.
_CHUNK = 1 << 20
# Bytes for which a frame counts before it is cut.
_FRAME_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one material, as they leave the machine."""

    name: str
    """A plain file name with its ending: ASCII, without a path."""
    body: bytes | Path
    """A larger content lies in a private file, which `discard` deletes."""
    sha256: str
    kind: Kind
    size: int
    head: bytes
    """The first bytes, as many as the check of an address reads."""

    @property
    def ending(self) -> str:
        """The file ending in lower case with its dot; empty without one."""
        stem, point, last = self.name.rpartition(".")
        return f".{last.lower()}" if stem and point else ""

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES.get(self.ending, "application/octet-stream")

    def discard(self) -> None:
        """Delete the private file of a large content."""
        if isinstance(self.body, Path):
            self.body.unlink(missing_ok=True)


def content_of(name: str, body: bytes, kind: Kind) -> Content:
    """The content of bytes in memory."""
    return Content(name, body, hashlib.sha256(body).hexdigest(), kind, len(body), body[:HEAD_BYTES])


@dataclass(frozen=True, slots=True)
class ContentReader:
    """The reader of one repository's materials."""

    root: Path
    """The repository's top."""
    scratch: Path
    """A private folder for what is cut, and for large contents, before they are sent."""
    find: Callable[[Attempt], Path | None]
    """Returns the path of an intact copy of an attempt's clip."""

    def size_of(self, material: LocalFile | TakeReference, source: Attempt | None) -> int:
        """The bytes that a material takes in memory while it is sent."""
        if isinstance(material, LocalFile):
            # A frame's bytes are known once it is cut; until then it counts as a large one.
            is_frame = material.part is not None and material.part.frame is not None
            size = _FRAME_BYTES if is_frame else material.bytes
        else:
            clip = source.clip if source is not None else None
            size = clip.bytes if material.part == "clip" and clip is not None else _FRAME_BYTES
        return STREAM_BYTES if size > IN_MEMORY_BYTES and size != _FRAME_BYTES else size

    def read(self, material: LocalFile | TakeReference, source: Attempt | None) -> Content | TransferFailed:
        """The bytes of a material; a final failure unless they are those of the plan. Blocks: call it in a thread."""
        subject = material.name if isinstance(material, LocalFile) else str(material)
        try:
            self.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._read_file(material) if isinstance(material, LocalFile) else self._read_take(material, source)
        except FileRejected as rejected:
            return TransferFailed(f"{subject} {rejected.message}: run again", final=True)
        except OSError as error:
            return TransferFailed(f"{subject}: {error.strerror or error}", final=True)

    def _read_take(self, material: TakeReference, source: Attempt | None) -> Content | TransferFailed:
        clip = None if source is None else self.find(source)
        if clip is None:
            return TransferFailed(f"{material}: the clip of this take is missing or was changed", final=True)
        if material.part == "clip":
            with open_clip(clip, self.root) as file:
                return self._gathered(f"{material.shot}.mp4", file, "video", IN_MEMORY_BYTES)
        target = self._scratch_file(".png")
        try:
            frame(clip, "first" if material.part == "first_frame" else "last", target)
            with target.open("rb") as file:
                return self._gathered(f"{material.shot}.{material.part}.png", file, "image", MAX_BYTES)
        except IncompleteClip as error:
            return TransferFailed(f"{material}: the clip of this take {error.message}", final=True)
        finally:
            target.unlink(missing_ok=True)

    def _read_file(self, material: LocalFile) -> Content | TransferFailed:
        name = _safe_file_name(Path(material.path).name)
        real = resolve_inside(self.root / material.path, self.root)
        with os.fdopen(open_regular(real, self.root, MAX_BYTES), "rb") as file:
            # A part is cut from a private copy: ffmpeg reads by name, and the file could change between hash and cut.
            whole = self._gathered(name, file, material.kind, IN_MEMORY_BYTES if material.part is None else 0)
        if whole.sha256 != material.sha256:
            whole.discard()
            return TransferFailed(f"{material.path} has changed since the plan was made: run again", final=True)
        if material.part is None or isinstance(whole.body, bytes):
            return whole
        try:
            return self._cut(material, whole.body, whole.head, name)
        finally:
            whole.discard()

    def _cut(self, material: LocalFile, whole: Path, head: bytes, name: str) -> Content | TransferFailed:
        """The part of a file, of which `whole` is a private copy."""
        from av.error import FFmpegError

        from runner.media.cut_audio import cut_sound
        from runner.media.cut_video import cut_frame, cut_video

        part = material.part
        assert part is not None
        ending = ".png" if part.frame else Path(name).suffix
        target = self._scratch_file(ending)
        try:
            if part.frame:
                cut_frame(whole, part.start, part.seconds, "first" if part.frame == "first_frame" else "last", target)
                name = f"{Path(name).stem}.{part.frame}.png"
            elif material.kind == "video":
                cut_video(whole, part.start, part.seconds, target)
            else:
                form = sniff(head)
                cut_sound(whole, "m4a" if form == "mp4" else form, part.start, part.seconds, target)
            with target.open("rb") as file:
                return self._gathered(name, file, material.kind, MAX_BYTES if part.frame else IN_MEMORY_BYTES)
        except (FFmpegError, ValueError, IncompleteClip, UnsupportedMedia) as error:
            cause = error.message if isinstance(error, IncompleteClip) else "its sound or video cannot be cut there"
            return TransferFailed(f"{material.name}: {cause}", final=True)
        finally:
            target.unlink(missing_ok=True)

    def _gathered(self, name: str, file: BufferedReader, kind: Kind, most: int) -> Content:
        """The content of an open file: in memory up to `most` bytes, else in a private file."""
        digest, size = hashlib.sha256(), 0
        first = file.read(most + 1)
        head = first[:HEAD_BYTES] if most else first + file.read(HEAD_BYTES)
        if len(first) <= most:
            return content_of(_with_ending(name, head), first, kind)
        path = self._scratch_file("")
        try:
            with path.open("wb") as copy:
                chunk = first if most else head
                while chunk:
                    digest.update(chunk)
                    copy.write(chunk)
                    size += len(chunk)
                    chunk = file.read(_CHUNK)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return Content(_with_ending(name, head), path, digest.hexdigest(), kind, size, head[:HEAD_BYTES])

    def _scratch_file(self, ending: str) -> Path:
        handle, path = tempfile.mkstemp(suffix=ending, dir=self.scratch)
        os.close(handle)
        return Path(path)


def _with_ending(name: str, head: bytes) -> str:
    """The name; with the ending of its format where it has none that says its kind, for the Content-Type."""
    if Path(name).suffix.lower() in CONTENT_TYPES:
        return name
    try:
        return f"{name}.{sniff(head)}"
    except UnsupportedMedia:
        return name


def _safe_file_name(name: str) -> str:
    """A file name that every server accepts: ASCII, with its extension."""
    # The end stays, since the ending names the kind; a leading dot would hide the file.
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[-100:].lstrip(".-") or "file"
