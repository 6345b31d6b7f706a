"""The place of a take's clip below an output folder: `clips/quay/take-1.mp4`, doubtful beside, older ones below. Pure.

Manifests and ledgers on users' disks hold these names.
"""

from runner.lazy_dataclass import dataclass
from runner.lazy_pattern import lazy_pattern

CLIPS = "clips"
ARCHIVE = "earlier"
# Characters: a name with its endings stays far below the 255 bytes of file systems.
_MAX_SHOT_NAME = 64
_SHOT_NAME = lazy_pattern(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_FILE_NAME = lazy_pattern(r"take-[0-9]+(?:\.[0-9a-z]+)*\.mp4")


@dataclass(frozen=True, slots=True)
class ClipName:
    """The name of the clip that a take of a shot has now; a clip that others have replaced has an archive's name."""

    shot: str
    take: int
    is_doubtful: bool = False

    @property
    def path(self) -> str:
        """The path below the output folder; a doubtful clip lies beside the name that only a complete clip has."""
        return f"{CLIPS}/{self.shot}/take-{self.take}{'.doubtful' if self.is_doubtful else ''}.mp4"


def archive_name(shot: str, take: int, mark: str) -> str:
    """The path below the output folder of a clip that no take has now; `mark` begins a request's fingerprint."""
    # Eight of 64 digits keep names short; where two meet, `ClipStore` adds the content's hash.
    return f"{CLIPS}/{shot}/{ARCHIVE}/take-{take}.{mark[:8]}.mp4"


def archive_pattern(mark: str) -> str:
    """The pattern of the names that clips of a mark have in an archive's folder."""
    return f"take-*.{mark}*.mp4"


def names_files(text: str) -> bool:
    """Whether a text has only characters that file names of every operating system may have, and no path in it."""
    return _SHOT_NAME.match(text) is not None


def is_shot_name(text: str) -> bool:
    """Whether a text may be a shot's part of a clip's path: short, and no path in it."""
    # Two dots would be a way up: the name comes from a manifest too, which may be a stranger's.
    return len(text) <= _MAX_SHOT_NAME and ".." not in text and names_files(text)


def is_clip_path(path: str) -> bool:
    """Whether a path, of any output, is one of a clip: of a take, doubtful, or in an archive."""
    *folders, name = path.split("/")
    if folders and folders[-1] == ARCHIVE:
        folders = folders[:-1]
    is_named = len(folders) >= 2 and all(folders) and folders[-2] == CLIPS and _FILE_NAME.fullmatch(name) is not None
    return is_named and len(folders[-1]) <= _MAX_SHOT_NAME and names_files(folders[-1])


def clips_folder(path: str) -> str:
    """The folder of all clips of an output, by the path of one of its clips."""
    # By its place from the end: a folder above and a shot may have the name, too.
    *folders, shot_or_archive, _ = path.split("/")
    return "/".join(folders[:-1] if shot_or_archive == ARCHIVE and folders[-1:] != [CLIPS] else folders)


def is_clip_of(path: str, shot: str, take: int, *, doubtful: bool | None = None) -> bool:
    """Whether a path, of any output, is the name of this take's clip; `doubtful` asks for one of its two names."""
    names = [ClipName(shot, take, is_doubtful) for is_doubtful in (False, True) if doubtful in (None, is_doubtful)]
    return tuple(path.split("/")[-3:]) in {tuple(name.path.split("/")) for name in names}
