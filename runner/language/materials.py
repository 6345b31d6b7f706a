"""Materials of shots: the media of assets, files of the repository, public URLs."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from runner.diagnostics.problem import Problem
from runner.files.reading import FileRejected, check_regular, check_written, open_regular, reason, resolve_inside
from runner.hosts import is_public
from runner.language.asset import Asset
from runner.language.file_parts import asset_part
from runner.language.yaml.document import NodeRef, Value
from runner.lazy_dataclass import dataclass, field
from runner.media.file_memory import FileMemory
from runner.media.files import MAX_BYTES, MediaFacts, UnsupportedMedia, inspect, known_endings
from runner.media.unfit_endings import label_of_unfit_ending
from runner.requests.decimals import exact_decimal
from runner.requests.request import Kind, LocalFile, RemoteFile


def extension(written: str) -> str:
    """The file ending of a path or URL, in lower case with its dot."""
    try:
        # An address may write any character of its path as `%2E`; the path of a file has no such form.
        path = unquote(urlsplit(written).path) if written.startswith("https://") else written
    except ValueError:
        return ""
    # `.png` alone is a hidden file's name, and has no ending.
    stem, point, last = path.rpartition("/")[2].rpartition(".")
    return point + last.lower() if stem else ""


def check_unused(asset: Asset, media: "MediaCache") -> list[Problem]:
    """The problems of an asset that no shot uses, as far as they show without reading its files to the end."""
    return [
        problem
        for kind, written, origin in asset.sources
        if (problem := media.check_only(written, kind, origin)) is not None
    ]


def is_path_or_url(written: str) -> bool:
    """Whether a text is a path or URL, and not a name."""
    return "/" in written or "://" in written or extension(written) in known_endings


ProvideFile = Callable[[str], LocalFile | None]
"""Puts a material in its place before it is read, or returns it as inspected; by path from the repository's top."""


class AssetMedia(NamedTuple):
    """The media of an asset as inspected: the usable ones, and the problems of the others."""

    materials: tuple[LocalFile | RemoteFile, ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class MediaCache:
    """Cache of the media that one command inspects; every file is read once."""

    root: FilePath
    files: dict[str, LocalFile | FileRejected] = field(default_factory=dict)
    memory: FileMemory | None = None
    """The facts of files that did not change; None inspects every file."""
    provide: ProvideFile | None = None
    hints_left: int = 200
    """For so many files more the nearest name is sought: beyond a screenful nobody reads it."""

    def inspect_asset(self, asset: Asset) -> AssetMedia:
        """Inspect the media of an asset."""
        media = [self.source(written, kind, origin, asset.seconds) for kind, written, origin in asset.sources]
        parts = [material if isinstance(material, Problem) else asset_part(material, asset) for material in media]
        return AssetMedia(
            tuple(material for material in parts if not isinstance(material, Problem)),
            tuple(problem for problem in parts if isinstance(problem, Problem)),
        )

    def source(
        self, written: str, kind: Kind | None, origin: NodeRef, seconds: Value = None
    ) -> LocalFile | RemoteFile | Problem:
        """A path or URL as a material; `kind` None leaves the kind to the file ending."""
        try:
            if "://" in written:
                return _remote_file(written, kind, seconds)
            check_written(written)
            path = FilePath(os.path.normpath(self.root / FilePath(origin.document.name).parent / written))
            return self._local_file(path, kind)
        except FileRejected as error:
            return self._problem(error, written, origin)

    def check_only(self, written: str, kind: Kind | None, origin: NodeRef) -> Problem | None:
        """The problem of a path that leads to no ordinary file of the repository, or of a URL that is not public.

        Nothing is inspected or downloaded.
        """
        try:
            if "://" in written:
                _remote_file(written, kind, None)
            else:
                check_written(written)
                path = FilePath(os.path.normpath(self.root / FilePath(origin.document.name).parent / written))
                if self.provide is not None and self.provide(os.path.relpath(path, self.root)) is not None:
                    return None
                check_regular(resolve_inside(path, self.root), MAX_BYTES)
        except FileRejected as error:
            return self._problem(error, written, origin)
        return None

    def _problem(self, error: FileRejected, written: str, origin: NodeRef) -> Problem:
        self.hints_left -= 1
        folder = (self.root / origin.document.name).parent
        hint = error.hint(folder) if self.hints_left >= 0 else ""
        return Problem(error.code, origin.place(), f"`{written}` {error.message}", hint, related=origin.alias_chain())

    def _local_file(self, path: FilePath, kind: Kind | None) -> LocalFile:
        name = os.path.relpath(path, self.root)
        file = self.files.get(name)
        if file is None:
            try:
                file = self.inspect_file(path)
            except FileRejected as error:
                # A failure is remembered as well: a thousand shots may name one missing file.
                file = error
            self.files[name] = file
        if isinstance(file, FileRejected):
            raise file
        if kind is not None and file.kind != kind:
            raise FileRejected(
                "material-kind",
                f"is {KIND_LABELS[file.kind]}, not {KIND_LABELS[kind]}",
                f"write `{file.kind}:` instead of `{kind}:`",
            )
        return file

    def inspect_file(self, path: FilePath) -> LocalFile:
        """A file of the repository as inspected. Raises FileRejected."""
        name = PurePosixPath(os.path.relpath(path, self.root)).as_posix()
        if self.provide is not None and (file := self.provide(name)) is not None:
            return file
        handle = open_regular(resolve_inside(path, self.root), self.root, MAX_BYTES)
        try:
            media = self._facts(path, handle)
        except UnsupportedMedia as error:
            raise FileRejected("material-unfit", error.message) from None
        except OSError as error:
            raise FileRejected("file-unreadable", f"cannot be read: {reason(error)}") from None
        return LocalFile(name, media.sha256, media.kind, media.bytes, media.width, media.height, media.seconds)

    def _facts(self, path: FilePath, handle: int) -> MediaFacts:
        """The remembered facts of an unchanged file, else those of its inspection; closes the handle."""
        if self.memory is None:
            return inspect(path, handle)
        name = os.path.relpath(path, self.root)
        before = os.fstat(handle)
        remembered = self.memory.recall(name, before)
        if remembered is not None:
            os.close(handle)
            return remembered
        seen = self.memory.now()
        # `inspect` closes its handle, and the file is looked at once more: it may have changed meanwhile.
        with os.fdopen(os.dup(handle), "rb") as same:
            facts = inspect(path, handle)
            self.memory.remember(name, before, os.fstat(same.fileno()), facts, seen)
        return facts


KIND_LABELS: Mapping[Kind, str] = {"image": "an image", "video": "a video", "audio": "audio"}


def _remote_file(written: str, kind: Kind | None, seconds: Value) -> RemoteFile:
    if not written.startswith("https://"):
        raise FileRejected("address", "is not an https address", "the provider takes https only")
    try:
        parts = urlsplit(written)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise FileRejected("address", "is not a valid address") from None
    if not written.isascii() or any(c <= " " or c in '"<>\\^`{|}' for c in written):
        raise FileRejected(
            "address", "has characters that an address cannot have", "write a space as %20, and others like it"
        )
    # It would be committed, and sent to the provider.
    if parts.username is not None or parts.password is not None:
        raise FileRejected("address", "has a user name or a password in it", "use a public address")
    # A private address would have a server open what lies in its own network.
    if not is_public(host) or port == 0:
        raise FileRejected("address", "does not lead to a public host", "the provider must be able to open it")
    ending = extension(written)
    ending_kind = known_endings.get(ending)
    what = KIND_LABELS[ending_kind] if ending_kind else label_of_unfit_ending(ending)
    # An ending that says nothing of the file leaves it to the kind that the asset declares.
    if what is not None and (ending_kind is None or kind not in (None, ending_kind)):
        accepted = ", ".join(name for name, of_kind in known_endings.items() if kind in (None, of_kind))
        field = f"for `{kind}:` " if kind else ""
        raise FileRejected("material-kind", f"ends with {ending}, {what}", f"{field}the provider takes {accepted}")
    if kind is None and ending_kind is None:
        raise FileRejected(
            "material-kind",
            "has no ending that shows its kind",
            "make an asset that states the kind: {video: https://…}",
        )
    material_kind = kind or ending_kind
    assert material_kind is not None
    length = exact_decimal(seconds)
    return RemoteFile(written, material_kind, length if material_kind != "image" else None)
