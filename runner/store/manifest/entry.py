"""The entry of one take in a manifest."""

from collections.abc import Mapping
from typing import Any

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip
from runner.clock import format_utc
from runner.lazy_dataclass import dataclass
from runner.requests.request import credits_json
from runner.store.manifest.document import CLIP_FIELDS, NOTHING, STATUS, TAKE_FIELDS, Manifest, more_fields


@dataclass(frozen=True, slots=True)
class StoredTakes:
    """The entries of takes as they stand in a manifest, by task; those without one by fingerprint and time."""

    by_key: Mapping[object, Mapping[str, Any]]

    @classmethod
    def of(cls, manifest: Manifest | None) -> "StoredTakes":
        shots = manifest.content["shots"] if manifest is not None else ()
        takes = (take for shot in shots for take in shot["takes"])
        return cls({take["task_id"] or (take.get("fingerprint"), take.get("created_at")): take for take in takes})

    def of_attempt(self, attempt: Attempt) -> Mapping[str, Any]:
        """The entry of an attempt; an empty one where it has none."""
        key = attempt.task_id or (attempt.intent.fingerprint, format_utc(attempt.intended_at))
        return self.by_key.get(key, NOTHING)


def take_json(attempt: Attempt, stored: Mapping[str, Any], shrunk: bool) -> dict[str, Any]:
    """An attempt as it stands in a manifest, with what a keep and later versions wrote into its `stored` entry.

    `shrunk`: without its request, and without what is null.
    """
    intent = attempt.intent
    entry: dict[str, Any] = {"take": intent.take, "fingerprint": intent.fingerprint}
    if kept_for := stored.get("kept_for") if stored else attempt.kept_for:
        entry["kept_for"] = kept_for
    if attempt.state is AttemptState.DOUBTFUL:
        entry["doubt"] = attempt.doubt
    entry["status"] = STATUS[attempt.state]
    entry["task_id"] = attempt.task_id
    shrunk = (shrunk and not kept_for) or not intent.request
    if not shrunk:
        entry["request"] = dict(sorted(intent.request.items()))
    entry["credits"] = {"quoted": credits_json(intent.quoted), "used": credits_json(attempt.credits_used)}
    error = "".join(char for char in attempt.message if char.isprintable()) or None
    if error or not shrunk:
        entry["error"] = error
    if attempt.clip is not None or not shrunk:
        entry["clip"] = None if attempt.clip is None else _clip_entry(attempt.clip, stored.get("clip") or NOTHING)
    if intent.drawing is not None:
        entry["drawing"] = intent.drawing
    entry["created_at"] = format_utc(attempt.accepted_at or attempt.intended_at)
    if attempt.ended_at is not None or not shrunk:
        entry["completed_at"] = None if attempt.ended_at is None else format_utc(attempt.ended_at)
    return {**entry, **more_fields(stored, TAKE_FIELDS)} if stored else entry


def clip_json(clip: Clip) -> dict[str, Any]:
    """A clip as it stands in a manifest."""
    return {
        "path": clip.path,
        "sha256": clip.sha256,
        "bytes": clip.bytes,
        "width": clip.width,
        "height": clip.height,
        "seconds": clip.seconds,
    }


def _clip_entry(clip: Clip, stored: Mapping[str, Any]) -> dict[str, Any]:
    entry = clip_json(clip)
    return {**entry, **more_fields(stored, CLIP_FIELDS)} if stored else entry
