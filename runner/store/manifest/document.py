"""The manifest as a value: what it says of attempts and picks, beside its content as it stands in the file."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.pick import Pick
from runner.lazy_dataclass import dataclass, replace
from runner.store.manifest.listed_take import ListedTake

VERSION = 2
NAME = "manifest.json"
STATUS: Mapping[AttemptState, str] = {
    AttemptState.RUNNING: "running",
    AttemptState.SUCCEEDED: "succeeded",
    AttemptState.STORED: "succeeded",
    AttemptState.FAILED: "failed",
    AttemptState.REFUSED: "refused",
    AttemptState.UNSETTLED: "unsettled",
    AttemptState.DOUBTFUL: "doubtful",
    AttemptState.GONE: "gone",
}
"""The states that a manifest records, by their stored names."""
TOP_FIELDS = frozenset({"manifest", "storyboard", "provider", "host", "shots"})
SHOT_FIELDS = frozenset({"id", "removed", "picked", "notes", "takes"})
TAKE_ORDER = (
    "take", "fingerprint", "kept_for", "doubt", "status", "task_id", "request", "credits", "error", "clip", "drawing",
    "created_at", "completed_at",
)  # fmt: skip
TAKE_FIELDS = frozenset(TAKE_ORDER)
CLIP_FIELDS = frozenset({"path", "sha256", "bytes", "width", "height", "seconds"})
"""The fields that this version knows; others are kept, after these."""
NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one output: its storyboard and account, the takes that it lists, and the picks by shot."""

    storyboard: str
    provider: str
    host: str
    takes: tuple[ListedTake, ...]
    picks: Mapping[str, Pick]
    content: Mapping[str, Any]
    """The whole document in the form of the present version, unknown fields included."""
    raw: bytes
    """The file that it was read from."""
    version: int = VERSION
    """The version of the file."""

    def renamed_to(self, storyboard: str) -> "Manifest":
        """The same manifest for a storyboard that has moved to another path."""
        takes = tuple(take._replace(storyboard=storyboard) for take in self.takes)
        return replace(self, storyboard=storyboard, takes=takes)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The attempts that the takes tell of."""
        return tuple(take.attempt() for take in self.takes)


def more_fields(table: Mapping[str, Any], fields: frozenset[str]) -> Mapping[str, Any]:
    """The fields of a table that this version does not know, sorted by name."""
    return NOTHING if table.keys() <= fields else {name: table[name] for name in sorted(table.keys() - fields)}


def sort_shots(shots: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The entries of shots in the order of a manifest."""
    # The id itself decides between two that differ in case only: the file is the same on every machine.
    return sorted(shots, key=lambda shot: (str(shot["id"]).casefold(), str(shot["id"])))
