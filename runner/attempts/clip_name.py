"""The place of a take's clip below an output folder: `clips/quay/take-1.mp4`, doubtful beside, older ones below. Pure.

Manifests and ledgers on users' disks hold these names.
"""

from runner.lazy_dataclass import dataclass

CLIPS = "clips"
ARCHIVE = "earlier"


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
    return f"{CLIPS}/{shot}/{ARCHIVE}/take-{take}.{mark[:8]}.mp4"


def is_clip_of(path: str, shot: str, take: int, *, doubtful: bool | None = None) -> bool:
    """Whether a path, of any output, is the name of this take's clip; `doubtful` asks for one of its two names."""
    names = [ClipName(shot, take, is_doubtful) for is_doubtful in (False, True) if doubtful in (None, is_doubtful)]
    return tuple(path.split("/")[-3:]) in {tuple(name.path.split("/")) for name in names}
