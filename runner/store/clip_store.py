"""Where clips lie: each under its take's name, put there whole and durably; nothing paid is ever overwritten."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from runner.attempts.events import Clip, Output, Stored
from runner.attempts.history import Attempt
from runner.engine.ports import TransferFailed
from runner.lazy_dataclass import dataclass, field, replace
from runner.media.clip import ClipFacts, IncompleteClip, probe
from runner.planning.plan import Step
from runner.requests.request import Request
from runner.store.durability import sync_above, sync_folder

ARCHIVE = "earlier"
_SHORT_SIDE = {"480p": 480, "720p": 720, "1080p": 1080, "4k": 2160}


@dataclass(frozen=True, slots=True)
class ClipStore:
    """The clips of one repository. Blocking: call it in a thread; different takes may be shelved at once."""

    root: Path
    """The repository's top; paths of clips are told from there."""
    output: Callable[[str], Path]
    """The output folder of a storyboard (for one provider and profile)."""
    owner: Callable[[str], str | None]
    """The fingerprint that a content (its SHA-256) was made for; None when no attempt knows it."""
    durable: set[Path] = field(default_factory=set)
    """Folders that a power loss does not take back."""

    def clip_path(self, step: Step) -> Path:
        """The final name of a take's clip."""
        return self._folder(step) / f"take-{step.take}.mp4"

    def part_path(self, step: Step) -> Path:
        """Where its bytes go until they are whole; the folder is there on return. OSError when it cannot be."""
        folder = self._ensure_folder(self._folder(step))
        part = folder / f".take-{step.take}.{(step.fingerprint or 'x')[:8]}.part"
        for leftover in folder.glob(f".take-{step.take}.*.part"):
            # What an earlier run was killed over, never whole; or a link, which would lead the clip elsewhere.
            if leftover != part or leftover.is_symlink():
                leftover.unlink()
        return part

    def restore(self, attempt: Attempt, step: Step) -> Stored | None:
        """The attempt's clip from wherever it already lies whole: in place, among the earlier ones, at another take.

        OSError when the disk does not let it.
        """
        if attempt.clip is None:
            return None
        target = self.clip_path(step)
        source = self._first_intact(attempt, [target, *self._candidate_paths(attempt, target.parent)])
        if source is None:
            return None
        if source != target:
            _copy(source, part := self.part_path(step))
            self._install(part, target, attempt.clip.sha256)
            if source.parent == target.parent / ARCHIVE:
                source.unlink()  # it has come back; only now, so that it was never in one place less
        return Stored(replace(attempt.clip, path=self._relative_name(target)))

    def find(self, attempt: Attempt) -> Path | None:
        """Where an attempt's clip lies whole, by its content; None when it is nowhere."""
        return None if attempt.clip is None else self._first_intact(attempt, self._candidate_paths(attempt))

    def _first_intact(self, attempt: Attempt, paths: Iterable[Path]) -> Path | None:
        return next((path for path in paths if attempt.clip is not None and _is_clip(path, attempt.clip)), None)

    def store(self, part: Path, sha256: str, attempt: Attempt, step: Step) -> Stored | TransferFailed:
        """Puts a part file that was just written under its final name, once it has proved to be a whole video.

        NotYet when it is no whole video (asked for anew later). OSError when the disk does not let it.
        """
        try:
            facts = probe(part)
        except IncompleteClip as error:
            part.unlink(missing_ok=True)
            return TransferFailed(f"what came {error.message}")
        size = part.stat().st_size
        target = self.clip_path(step)
        self._install(part, target, sha256)
        clip = Clip(self._relative_name(target), sha256, size, facts.width, facts.height, float(facts.seconds))
        return Stored(clip, differences(step.shot.request, facts, attempt.outputs))

    def archive_path(self, attempt: Attempt) -> Path:
        """The name of a clip among the earlier ones: of words that changed before it came."""
        intent = attempt.intent
        folder = self.output(intent.storyboard) / "clips" / intent.shot / ARCHIVE
        return folder / f"take-{intent.take}.{intent.fingerprint[:8]}.mp4"

    def archive_part_path(self, attempt: Attempt) -> Path:
        """As `part`, for a clip that goes among the earlier ones."""
        target = self.archive_path(attempt)
        part = self._ensure_folder(target.parent) / f".{target.stem}.part"
        if part.is_symlink():
            part.unlink()
        return part

    def archive(self, part: Path, sha256: str, attempt: Attempt) -> Stored | TransferFailed:
        """As `place`, among the earlier ones."""
        try:
            facts = probe(part)
        except IncompleteClip as error:
            part.unlink(missing_ok=True)
            return TransferFailed(f"what came {error.message}")
        size, target = part.stat().st_size, self.archive_path(attempt)
        if target.exists() and not _has_hash(target, sha256):
            target = target.with_name(f"{target.stem}.{sha256[:8]}.mp4")
        part.replace(target)
        sync_folder(target.parent)
        return Stored(Clip(self._relative_name(target), sha256, size, facts.width, facts.height, float(facts.seconds)))

    def _install(self, part: Path, target: Path, sha256: str) -> None:
        """Renames into place; what lies there and is another clip first moves to the earlier ones."""
        if target.is_dir():
            raise IsADirectoryError(f"{target} is a folder")
        if target.exists() and not _is_pointer(target) and not _has_hash(target, sha256):
            self._archive_existing(target)
        part.replace(target)
        sync_folder(target.parent)

    def _archive_existing(self, target: Path) -> None:
        """To `earlier/take-1.<first 8 of its fingerprint>.mp4`; a name that another clip has gets the content's too."""
        sha256 = _sha256(target)
        prefix = (self.owner(sha256) or sha256)[:8]
        folder = self._ensure_folder(target.parent / ARCHIVE)
        archived = folder / f"{target.stem}.{prefix}.mp4"
        if archived.exists() and not _has_hash(archived, sha256):
            archived = folder / f"{target.stem}.{prefix}.{sha256[:8]}.mp4"
        target.replace(archived)
        sync_folder(folder)
        sync_folder(target.parent)

    def _candidate_paths(self, attempt: Attempt, *folders: Path) -> Iterable[Path]:
        """Where the clip may lie, most likely first: where it was put, then among the earlier ones there."""
        recorded = [self.root / clip.path for clip in attempt.clips]
        paths = [path for path in recorded if self._is_inside(path)]
        yield from paths
        prefix = attempt.intent.fingerprint[:8]
        for folder in dict.fromkeys([*folders, *(path.parent for path in paths)]):
            yield from sorted((folder / ARCHIVE).glob(f"take-*.{prefix}*.mp4"))

    def _ensure_folder(self, folder: Path) -> Path:
        """The folder, there and inside the repository: a link that came with somebody's branch leads nowhere."""
        if not self._is_inside(folder):
            raise PermissionError(errno.EPERM, "it lies outside the repository, by way of a link", str(folder))
        folder.mkdir(parents=True, exist_ok=True)
        sync_above(folder, self.root, self.durable)  # what was there, too: its maker may have been killed before this
        return folder

    def _is_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self.root.resolve())

    def _folder(self, step: Step) -> Path:
        return self.output(step.shot.storyboard) / "clips" / step.shot.id

    def _relative_name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def differences(request: Request, facts: ClipFacts, outputs: tuple[Output, ...] = ()) -> tuple[str, ...]:
    """What a clip is that was not ordered: shape, size, length; or not what the provider said of it."""
    notes = []
    width, height = facts.width, facts.height
    if request.aspect_ratio is not None and not _has_shape(request.aspect_ratio, width, height):
        notes.append(f"it is {width}x{height}, and {request.aspect_ratio} was ordered")
    elif _is_too_small(request, width, height):
        notes.append(f"it is {width}x{height}, and {request.upscale or request.resolution} was ordered")
    if abs(facts.seconds - request.seconds) > Decimal("0.5"):
        notes.append(f"it lasts {facts.seconds.normalize():f} s, and {request.seconds} s were ordered")
    if outputs and (outputs[0].width or width, outputs[0].height or height) != (width, height):
        notes.append(f"it is {width}x{height}, and the provider says {outputs[0].width}x{outputs[0].height}")
    return tuple(notes)


def _has_shape(ratio: str, width: int, height: int) -> bool:
    """Within a twentieth: encoders round sides to multiples of 8 and 16."""
    ratio_width, _, ratio_height = ratio.partition(":")
    return abs(width * int(ratio_height) / (height * int(ratio_width)) - 1) <= 0.05


def _is_too_small(request: Request, width: int, height: int) -> bool:
    """Whether the short side is that of a lower resolution; generous, since each ratio is rounded its own way."""
    return min(width, height) < 0.77 * _SHORT_SIDE.get(request.upscale or request.resolution, 0)


# -- the disk ---------------------------------------------------------------------------------------------


def _is_clip(path: Path, clip: Clip) -> bool:
    """Whether a file is that clip, by its content."""
    try:
        return path.is_file() and path.stat().st_size == clip.bytes and _has_hash(path, clip.sha256)
    except OSError:
        return False


def _is_pointer(path: Path) -> bool:
    """Whether git LFS left its note there instead of the clip."""
    with path.open("rb") as file:
        return file.read(40).startswith(b"version https://git-lfs.github.com/spec")


def _has_hash(path: Path, sha256: str) -> bool:
    return _sha256(path) == sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: Path, part: Path) -> None:
    """A copy of its own, synced: two takes never share one file that an editor may change."""
    with source.open("rb") as old, part.open("wb") as new:
        shutil.copyfileobj(old, new, 1 << 20)
        new.flush()
        os.fsync(new.fileno())
