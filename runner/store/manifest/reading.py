"""The reader of manifests that a stranger may have written: every field is checked, or the file refused by its name."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from runner.attempts.attempt import AttemptState
from runner.attempts.pick import Pick
from runner.diagnostics.failures import ManifestUnreadable
from runner.files.reading import MANIFEST_LIMIT, FileRejected, read_bytes
from runner.lazy_pattern import lazy_pattern
from runner.requests.request import JsonValue
from runner.store.manifest import fields
from runner.store.manifest.document import (
    CLIP_FIELDS,
    SHOT_FIELDS,
    STATUS,
    TAKE_FIELDS,
    TOP_FIELDS,
    VERSION,
    Manifest,
    more_fields,
)
from runner.store.manifest.first_version import in_present_form
from runner.store.manifest.listed_take import ListedTake, TakeFields
from runner.store.manifest.shared_shots import SharedShots

# States in which an entry may stand without its request: the provider's record can confirm its task.
_STATE = {status: state for state, status in STATUS.items() if state is not AttemptState.STORED}
_MARKER = lazy_pattern(r"^(?:<<<<<<< |=======|>>>>>>> )", re.MULTILINE)
# Characters of a parser's message, which may quote the whole file.
_MAX_REASON = 200
# Commas of a manifest: a bound of the memory that a hostile one can take.
_MAX_VALUES = 4_000_000
# What reading the fields of any JSON can raise, and is no defect of ours.
_UNFIT = (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError)


class Owner(NamedTuple):
    """The output that a manifest belongs to; part of its attempts' ids, so that different outputs never share an id."""

    repository: str = ""
    profile: str | None = None


_NOBODY = Owner()


def read(
    path: Path, display_name: str, root: Path, owner: Owner = _NOBODY, previous: Manifest | None = None
) -> Manifest | None:
    """Read the manifest of an output; None when the file is missing; raise `ManifestUnreadable` if it is none.

    `display_name` is the path in messages, `root` the repository's top. `previous` is what was read before: it is
    returned as it is where the file holds the same bytes.
    """
    try:
        raw = read_bytes(path, root, MANIFEST_LIMIT)
    except FileRejected as rejected:
        if rejected.code == "file-missing":
            return None
        raise ManifestUnreadable(f"{display_name} {rejected.message}") from rejected
    # Bytes are compared and not times: git sets those anew with every checkout.
    return previous if previous is not None and previous.raw == raw else parse(raw, display_name, owner)


def has_conflict_marks(raw: bytes) -> bool:
    """Whether a file holds the marks of a merge that git could not finish."""
    return _conflict_mark(raw.decode("utf-8", "replace")) is not None


def _conflict_mark(text: str) -> "re.Match[str] | None":
    # Looking for the marks as plain text takes a hundredth of the pattern's time, and nearly no manifest has one.
    return _MARKER.search(text) if any(mark in text for mark in ("<<<<<<< ", "=======", ">>>>>>> ")) else None


def parse(raw: bytes, display_name: str, owner: Owner = _NOBODY, shared: SharedShots | None = None) -> Manifest:
    """The manifest that these bytes are; raise `ManifestUnreadable` if they are none.

    With `shared`, shots and takes that were read before are not checked again, and the result has its content alone:
    no takes, no picks.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ManifestUnreadable(f"{display_name} cannot be read: {error}") from error
    if (marker := _conflict_mark(text)) is not None:
        number = text.count("\n", 0, marker.start()) + 1
        raise ManifestUnreadable(
            f"{display_name}:{number}: git could not merge this file. This keeps what both sides paid for:\n"
            f"  storyboard mend {shlex.quote(display_name)}",
        )
    try:
        # Before parsing, which takes far more memory than the text.
        if text.count(",") > _MAX_VALUES:
            raise ValueError(f"more than {_MAX_VALUES:,} values")
        content = json.loads(text) if shared is None else shared.decode(text)
        if (version := _version(content)) <= VERSION:
            present = content if version == VERSION else in_present_form(content)
            return _manifest(present, raw, version, owner, shared)
    except _UNFIT as error:
        reason = str(error) if len(str(error)) <= _MAX_REASON else f"{str(error)[:_MAX_REASON]}…"
        raise ManifestUnreadable(
            f"{display_name} is not a manifest ({reason}): restore it from git, or remove it"
        ) from error
    raise ManifestUnreadable(
        f"{display_name} was written by a newer storyboard (version {version} of the file): update it"
    )


def _version(content: Any) -> int:
    version = content["manifest"]
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version < 1000:
        raise ValueError("manifest is not the number of a version")
    return version


def _manifest(
    content: Mapping[str, Any], raw: bytes, version: int, owner: Owner, shared: SharedShots | None
) -> Manifest:
    storyboard, provider, host = (fields.text(content[name], name) for name in ("storyboard", "provider", "host"))
    fields.unknown(more_fields(content, TOP_FIELDS), "the manifest")
    takes, picks = list[ListedTake](), dict[str, Pick]()
    if shared is None:
        identity = (owner.repository, provider, host, owner.profile)
        for shot in content["shots"]:
            takes += [ListedTake(storyboard, shot["id"], entry, identity) for entry in _entries(shot)]
            if (pick := _pick(shot)) is not None:
                picks[shot["id"]] = pick
    else:
        for shot in shared.unchecked(content["shots"]):
            for _ in _entries(shot, shared.is_checked):
                pass
            _pick(shot)
            shared.mark_checked(shot)
    return Manifest(storyboard, provider, host, tuple(takes), picks, content, raw, version)


def _pick(shot: Mapping[str, Any]) -> Pick | None:
    if (value := shot.get("picked")) is None:
        return None
    try:
        at = value.get("at")
        return Pick(
            fields.take_number(value["take"]),
            None if value.get("fingerprint") is None else fields.sha256(value["fingerprint"], "picked.fingerprint"),
            fields.task_id(value.get("task_id")),
            None if at is None else fields.moment(at, "picked.at"),
        )
    except _UNFIT as error:
        raise ValueError(f"shot {shot['id']}, picked: {_reason(error)}") from error


def _entries(
    shot: Mapping[str, Any], is_checked: Callable[[dict[str, Any]], bool] = lambda _: False
) -> Iterator[TakeFields]:
    """The takes of a shot, but for those that are checked; an error names the shot and the position of the take."""
    name = fields.shot_id(shot["id"])
    try:
        fields.notes(shot.get("notes"))
        fields.unknown(more_fields(shot, SHOT_FIELDS), "the shot")
    except _UNFIT as error:
        raise ValueError(f"shot {name}: {_reason(error)}") from error
    for number, take in enumerate(shot["takes"], 1):
        if is_checked(take):
            continue
        try:
            yield _entry(take)
        except _UNFIT as error:
            raise ValueError(f"shot {name}, entry {number}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _entry(take: Mapping[str, Any]) -> TakeFields:
    created = fields.moment(take.get("created_at"), "created_at")
    task_id = fields.task_id(take["task_id"])
    if (state := _STATE.get(take["status"])) is None:
        raise ValueError(f"status is none of {', '.join(_STATE)}")
    request, request_fingerprint = _request(take, state, task_id)
    clip, used, kept_for = fields.clip(take.get("clip")), take["credits"]["used"], take.get("kept_for")
    fields.unknown(more_fields(take, TAKE_FIELDS), "the take")
    if clip is not None:
        fields.unknown(more_fields(take["clip"], CLIP_FIELDS), "the clip")
    return TakeFields(
        take["created_at"],
        created,
        task_id,
        state,
        request,
        request_fingerprint,
        fields.take_number(take["take"]),
        fields.credits(take["credits"]["quoted"], "credits.quoted"),
        fields.drawing(take.get("drawing")),
        clip,
        None if used is None else fields.credits(used, "credits.used"),
        fields.moment(take["completed_at"], "completed_at") if take.get("completed_at") else None,
        fields.message(take.get("error"), "error"),
        fields.message(take.get("doubt"), "doubt") if state is AttemptState.DOUBTFUL else "",
        None if kept_for is None else fields.sha256(kept_for, "kept_for"),
    )


def _request(
    take: Mapping[str, Any], state: AttemptState, task_id: str | None
) -> tuple[Mapping[str, JsonValue], str | None]:
    """The request; without it, the fingerprint that stands in the file."""
    if "request" not in take and task_id is not None and state.has_result:
        return {}, fields.sha256(take["fingerprint"], "fingerprint")
    return fields.request(take["request"]), None
