"""The clips on disk: each under its take's name, stored whole and durably; no paid clip is ever overwritten."""

import errno
import fnmatch
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import ARCHIVE, ClipName, archive_name, archive_pattern
from runner.attempts.events import Clip, Doubtful, Output, Stored
from runner.attempts.film import FilmName
from runner.editions.model import SHORT_SIDE
from runner.engine.ports import TransferFailed
from runner.files.lfs_pointer import is_lfs_pointer
from runner.files.reading import hash_clip, open_clip
from runner.files.writing import create_afresh, make_folder, move_file, remove_file
from runner.language.defaults import ASPECT_RATIO
from runner.lazy_dataclass import dataclass, field, replace
from runner.media.clip import ClipFacts, IncompleteClip, probe
from runner.planning.plan import Step
from runner.requests.decimals import decimal_text
from runner.requests.request import LocalFile, Request
from runner.store.durability import sync_above, sync_folder

# Share by which a clip's shape may differ from the ordered one: sides are rounded to multiples of 16.
_SHAPE_TOLERANCE = 0.015
# The provider's 16:9 at 480p, each side a multiple of 16: 2% off.
_ROUNDED_480P = (864, 496)


@dataclass(frozen=True, slots=True)
class ClipStore:
    """The clips of one repository. Blocking: call methods in a thread; different takes may be stored in parallel."""

    root: Path
    """The repository's top; stored clip paths are relative to this folder."""
    output: Callable[[FilmName], Path]
    """The output folder of a film (for one provider)."""
    owner: Callable[[str], str | None]
    """The fingerprint of the request that produced a content (SHA-256); None when no attempt has that content."""
    durable: set[Path] = field(default_factory=set)
    """Folders whose names are already synced to disk."""

    def clip_path(self, step: Step) -> Path:
        """The final name of a take's clip."""
        return self.output(step.shot.film) / ClipName(step.shot.id, step.take).path

    def part_path(self, step: Step) -> Path:
        """The part file for a take's download; its folder exists on return. OSError when that fails."""
        folder = self._ensure_folder(self.clip_path(step).parent)
        # The request's mark is in the name: a part of another prompt's clip must not be continued.
        part = folder / f".take-{step.take}.{(step.fingerprint or 'x')[:8]}.part"
        for leftover in folder.glob(f".take-{step.take}.*.part"):
            # The remains of a killed run.
            if leftover != part:
                remove_file(leftover, self.root)
        return part

    def restore(self, attempt: Attempt, step: Step) -> Stored | None:
        """Restore the attempt's clip from an intact copy: in place, in the archive, or under another take's name.

        None when no intact copy exists. OSError when the disk fails.
        """
        if attempt.clip is None:
            return None
        target = self.clip_path(step)
        source = self._first_intact(attempt, [target, *self._candidate_paths(attempt, target.parent)])
        if source is None:
            return self._restore_from_elsewhere(attempt, step)
        if source != target:
            self._copy(source, part := self.part_path(step))
            self._install(part, target, attempt.clip.sha256)
            if source.parent == target.parent / ARCHIVE:
                remove_file(source, self.root)  # only now, so that an intact copy exists at every moment
        return Stored(replace(attempt.clip, path=self._relative_name(target), repository=None))

    def _restore_from_elsewhere(self, attempt: Attempt, step: Step) -> Stored | None:
        """Copy the clip from another repository that has it intact, by the path that the ledger knows."""
        for clip in attempt.clips:
            if clip.repository is not None and self._copy_exact(clip, part := self.part_path(step)):
                target = self.clip_path(step)
                self._install(part, target, clip.sha256)
                return Stored(replace(clip, path=self._relative_name(target), repository=None))
        return None

    def _copy_exact(self, clip: Clip, part: Path) -> bool:
        """Copy another repository's clip; False unless it is an ordinary file of that content, reached through no link.

        The content is compared while it is copied.
        """
        top = Path(clip.repository or self.root)
        # Reached through no link: the ledger's path is old, and somebody may have laid a link to another file there
        # since.
        if os.path.realpath(top / clip.path) != os.path.join(os.path.realpath(top), clip.path):
            return False
        digest = hashlib.sha256()
        try:
            old = open_clip(top / clip.path, top)
        except OSError:
            return False
        with old, create_afresh(part, self.root) as new:
            while block := old.read(1 << 20):
                digest.update(block)
                new.write(block)
            new.flush()
            os.fsync(new.fileno())
        if digest.hexdigest() != clip.sha256:
            remove_file(part, self.root)
            return False
        return True

    def find(self, attempt: Attempt) -> Path | None:
        """The path of an intact copy of the attempt's clip, compared by content; None when there is no copy."""
        return None if attempt.clip is None else self._first_intact(attempt, self._candidate_paths(attempt))

    def _first_intact(self, attempt: Attempt, paths: Iterable[Path]) -> Path | None:
        return next((path for path in paths if attempt.clip is not None and self._is_clip(path, attempt.clip)), None)

    def doubtful_path(self, step: Step) -> Path:
        """The name of a take's clip that fails a check: beside the final name, which only a complete clip has."""
        return self.output(step.shot.film) / ClipName(step.shot.id, step.take, is_doubtful=True).path

    def store(
        self, part: Path, sha256: str, attempt: Attempt, step: Step, *, repeated: bool = False
    ) -> Stored | Doubtful | TransferFailed:
        """Verify that a part file is a complete video, then move the file to its final name.

        `TransferFailed` when another thing came, or a file that is cut off for the first time: the download is tried
        again later. `repeated`: the last download brought the same content. `Doubtful` for every other fault: the file
        is kept beside. OSError when the disk fails.
        """
        try:
            facts = probe(part)
        except IncompleteClip as error:
            return self._keep_doubtful(part, sha256, attempt, self.doubtful_path(step), error, repeated)
        size = part.stat().st_size
        target = self.clip_path(step)
        self._install(part, target, sha256)
        clip = Clip(self._relative_name(target), sha256, size, facts.width, facts.height, float(facts.seconds))
        return Stored(clip, differences(step.ordered_request, facts, attempt.outputs))

    def archive_path(self, attempt: Attempt) -> Path:
        """The archive name of a clip whose prompt changed before the clip was downloaded."""
        intent = attempt.intent
        return self.output(intent.film) / archive_name(intent.shot, intent.take, intent.fingerprint)

    def archive_part_path(self, attempt: Attempt) -> Path:
        """The part file for a download into the archive; otherwise as `part_path`."""
        target = self.archive_path(attempt)
        return self._ensure_folder(target.parent) / f".{target.stem}.part"

    def archive(
        self, part: Path, sha256: str, attempt: Attempt, *, repeated: bool = False
    ) -> Stored | Doubtful | TransferFailed:
        """Verify and move a part file into the archive; otherwise as `store`."""
        try:
            facts = probe(part)
        except IncompleteClip as error:
            archived = self.archive_path(attempt)
            beside = archived.with_name(f"{archived.stem}.doubtful.mp4")
            if self._is_other_file(beside, sha256):
                beside = archived.with_name(f"{archived.stem}.{sha256[:8]}.doubtful.mp4")
            return self._keep_doubtful(part, sha256, attempt, beside, error, repeated)
        size, target = part.stat().st_size, self.archive_path(attempt)
        if self._is_other_file(target, sha256):
            target = target.with_name(f"{target.stem}.{sha256[:8]}.mp4")
        move_file(part, target, self.root)
        return Stored(Clip(self._relative_name(target), sha256, size, facts.width, facts.height, float(facts.seconds)))

    def restore_doubtful(self, attempt: Attempt, step: Step) -> Doubtful | None:
        """Restore a doubtful clip beside its take's name from an intact copy; None when no copy is here."""
        if attempt.clip is None:
            return None
        target = self.doubtful_path(step)
        source = self._first_intact(attempt, [target, *self._candidate_paths(attempt, target.parent)])
        if source is None:
            return None
        if source != target:
            self._copy(source, part := self.part_path(step))
            self._install(part, target, attempt.clip.sha256)
        return Doubtful(replace(attempt.clip, path=self._relative_name(target)), attempt.doubt)

    def accept(self, attempt: Attempt, step: Step) -> Stored | None:
        """Move a doubtful clip to its final name, since the user says that it is good; None when no copy is here."""
        if attempt.clip is None:
            return None
        target = self.clip_path(step)
        places = [self.doubtful_path(step), *self._candidate_paths(attempt, target.parent), target]
        if (source := self._first_intact(attempt, places)) is None:
            return None
        if source != target:
            self._ensure_folder(target.parent)
            self._install(source, target, attempt.clip.sha256)
        note = f"accepted by the user, although the file {attempt.clip_fault}"
        return Stored(replace(attempt.clip, path=self._relative_name(target)), (note,))

    def _keep_doubtful(
        self, part: Path, sha256: str, attempt: Attempt, target: Path, error: IncompleteClip, repeated: bool
    ) -> Doubtful | TransferFailed:
        """Keep a file that fails a check beside its place: a paid clip is never thrown away for that."""
        # A page of a proxy, or a broken line: the next download may be whole. The same cut twice is what the provider
        # has.
        if error.fault == "no video" or (error.fault == "cut off" and not repeated):
            remove_file(part, self.root)
            return TransferFailed(f"the downloaded file {error.message}", unusable=True)
        size = part.stat().st_size
        self._install(part, target, sha256)
        width, height, seconds = _ordered_facts(attempt)
        return Doubtful(Clip(self._relative_name(target), sha256, size, width, height, seconds), error.message)

    def _install(self, part: Path, target: Path, sha256: str) -> None:
        """Move a part file to its final name; a different clip under that name is archived first."""
        if os.path.isdir(target) and not os.path.islink(target):
            raise IsADirectoryError(f"{target} is a folder")
        # An LFS pointer is no clip: the clip that it stands for is what comes now.
        if self._is_other_file(target, sha256) and not is_lfs_pointer(target, self.root):
            self._archive_existing(target)
        # A rename is the last step: under its final name a clip is whole, or not there.
        move_file(part, target, self.root)

    def _archive_existing(self, target: Path) -> None:
        """Move a clip to `earlier/take-1.<fingerprint>.mp4`; if another clip has that name, add the content's hash.

        Both are shortened to 8 digits.
        """
        sha256 = hash_clip(target, self.root)
        prefix = (self.owner(sha256) or sha256)[:8]
        folder = self._ensure_folder(target.parent / ARCHIVE)
        archived = folder / f"{target.stem}.{prefix}.mp4"
        if self._is_other_file(archived, sha256):
            archived = folder / f"{target.stem}.{prefix}.{sha256[:8]}.mp4"
        move_file(target, archived, self.root)
        # Durable before the new clip takes the name: a power loss must not lose both.
        sync_folder(target.parent)

    def _candidate_paths(self, attempt: Attempt, *folders: Path) -> Iterable[Path]:
        """The paths where the clip may be, most likely first: the recorded paths, then the archives beside them."""
        recorded = [self.root / clip.path for clip in attempt.clips if clip.repository is None]
        paths = [path for path in recorded if self._is_inside(path)]
        yield from paths
        prefix = attempt.intent.fingerprint[:8]
        for folder in dict.fromkeys([*folders, *(path.parent for path in paths)]):
            archive = folder / ARCHIVE
            names = sorted(os.listdir(archive)) if os.path.isdir(archive) else []
            yield from (archive / name for name in fnmatch.filter(names, archive_pattern(prefix)))

    def _ensure_folder(self, folder: Path) -> Path:
        """Create a folder durably; refuse one outside the repository, where a link from a branch could lead."""
        if not self._is_inside(folder):
            raise PermissionError(errno.EPERM, "a link leads outside the repository", str(folder))
        make_folder(folder, self.root)
        sync_above(
            folder, self.root, self.durable
        )  # an existing folder too: the run that made it may have been killed before the sync
        return folder

    def _is_clip(self, path: Path, clip: Clip) -> bool:
        """Whether a file has exactly the clip's content."""
        try:
            # The size first: it answers without reading a film.
            return path.stat().st_size == clip.bytes and hash_clip(path, self.root) == clip.sha256
        except OSError:
            return False

    def _is_other_file(self, path: Path, sha256: str) -> bool:
        """Whether another ordinary file has this name; a link, a pipe or a device is replaced, never read."""
        try:
            is_file = stat.S_ISREG(path.lstat().st_mode)
        except FileNotFoundError:
            return False
        return is_file and hash_clip(path, self.root) != sha256

    def _copy(self, source: Path, part: Path) -> None:
        """Copy and sync a file; no hard link, since a user may edit one take's file and not the other's."""
        with open_clip(source, self.root) as old, create_afresh(part, self.root) as new:
            shutil.copyfileobj(old, new, 1 << 20)
            new.flush()
            os.fsync(new.fileno())

    def _is_inside(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(self.root))  # a circle of links is no error

    def _relative_name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def differences(request: Request, facts: ClipFacts, outputs: tuple[Output, ...] = ()) -> tuple[str, ...]:
    """The differences of a clip from its request (shape, size, length) or from the provider's description."""
    notes = []
    width, height = facts.width, facts.height
    if request.aspect_ratio is not None and not _has_ordered_shape(request, width, height):
        notes.append(f"the clip is {width}x{height}; {request.aspect_ratio} was ordered")
    elif _is_too_small(request, width, height):
        notes.append(f"the clip is {width}x{height}; {request.upscale or request.resolution} was ordered")
    if abs(facts.seconds - request.seconds) > Decimal("0.5"):
        notes.append(f"the clip lasts {decimal_text(facts.seconds)} s; {request.seconds} s were ordered")
    if outputs and (outputs[0].width or width, outputs[0].height or height) != (width, height):
        notes.append(f"the clip is {width}x{height}; the provider reports {outputs[0].width}x{outputs[0].height}")
    return tuple(notes)


def _has_ordered_shape(request: Request, width: int, height: int) -> bool:
    """Whether the clip has the shape that was ordered, or that of its first frame, which the provider keeps."""
    ratio_width, _, ratio_height = (request.aspect_ratio or "").partition(":")
    shapes = [(int(ratio_width), int(ratio_height))]
    if request.mode == "keyframe":
        shapes += [
            (frame.width, frame.height)
            for frame in request.materials[:1]
            if isinstance(frame, LocalFile) and frame.width and frame.height
        ]
    return any(_has_shape(shape, width, height) for shape in shapes)


def _has_shape(shape: tuple[int, int], width: int, height: int) -> bool:
    """Whether a size has the ratio of a shape, or is one that the provider sells as that shape."""
    if (max(width, height), min(width, height)) == _ROUNDED_480P and max(shape) * 9 == min(shape) * 16:
        return (width > height) == (shape[0] > shape[1])
    return abs(width * shape[1] / (height * shape[0]) - 1) <= _SHAPE_TOLERANCE


def _is_too_small(request: Request, width: int, height: int) -> bool:
    """Whether the short side belongs to a lower resolution; 23% of slack, since every ratio is rounded differently."""
    return min(width, height) < 0.77 * SHORT_SIDE.get(request.upscale or request.resolution, 0)


def _ordered_facts(attempt: Attempt) -> tuple[int, int, float]:
    """Width, height and seconds of a clip that cannot be measured: as the provider says, else as ordered."""
    request = attempt.intent.request
    seconds = request.get("seconds")
    length = float(seconds) if isinstance(seconds, int | float) else 0.0
    output = attempt.outputs[0] if attempt.outputs else None
    if output is not None and output.width and output.height:
        return output.width, output.height, length
    short = SHORT_SIDE.get(str(request.get("upscale") or request.get("resolution")), 720)
    wide, _, high = str(request.get("aspect_ratio") or ASPECT_RATIO).partition(":")
    ratio = int(wide) / int(high) if wide.isdigit() and high.isdigit() and int(high) else 16 / 9
    return (round(short * ratio), short, length) if ratio >= 1 else (short, round(short / ratio), length)
