"""The manifest in the repository: which clip came from which request; sorted, stable, never a cause of payment."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runner.attempts.attempt import PAID, Attempt, AttemptState
from runner.attempts.events import Intent
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.clock import format_utc
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import MANIFEST_LIMIT, FileRejected, read_bytes
from runner.files.writing import make_folder, part_of, remove_file, replace_content
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan, Step
from runner.requests.request import canonical_json, credits_json, fingerprint
from runner.store import manifest_fields as fields

VERSION = 1
NAME = "manifest.json"
_STATUS = {
    AttemptState.RUNNING: "running",
    AttemptState.SUCCEEDED: "succeeded",
    AttemptState.STORED: "succeeded",
    AttemptState.FAILED: "failed",
    AttemptState.REFUSED: "refused",
    AttemptState.UNSETTLED: "unsettled",
    AttemptState.DOUBTFUL: "doubtful",
    AttemptState.GONE: "gone",
}
_STATE = {
    "running": AttemptState.RUNNING,
    "succeeded": AttemptState.SUCCEEDED,
    "failed": AttemptState.FAILED,
    "refused": AttemptState.REFUSED,
    "unsettled": AttemptState.UNSETTLED,
    "doubtful": AttemptState.DOUBTFUL,
    "gone": AttemptState.GONE,
}
_MARKER = re.compile(r"^(?:<<<<<<< |=======|>>>>>>> )", re.MULTILINE)
_MAX_REASON = 200
_MAX_VALUES = 4_000_000
"""Commas of a manifest: a bound of the memory that a hostile one can take."""
_UNFIT = (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one output: its storyboard and account, the recorded attempts, and the picks by shot."""

    storyboard: str
    provider: str
    host: str
    attempts: tuple[Attempt, ...]
    picks: Mapping[str, Pick]

    def renamed_to(self, storyboard: str) -> "Manifest":
        """The same manifest for a storyboard that has moved to another path."""
        attempts = (
            replace(attempt, intent=replace(attempt.intent, storyboard=storyboard)) for attempt in self.attempts
        )
        return replace(self, storyboard=storyboard, attempts=tuple(attempts))


def read(
    path: Path, display_name: str, root: Path, repository: str = "", profile: str | None = None
) -> Manifest | None:
    """Read the manifest of an output; None when the file is missing, `CommandError` when the file is not a manifest.

    `display_name` is the path in messages, `root` the repository's top. `repository` and `profile` are part of the ids
    of the attempts, so that attempts of different outputs never share an id.
    """
    try:
        text = read_bytes(path, root, MANIFEST_LIMIT).decode("utf-8")
    except FileRejected as rejected:
        if rejected.code == "file-missing":
            return None
        raise CommandError(ExitCode.INVALID, f"{display_name} {rejected.message}") from rejected
    except UnicodeDecodeError as error:
        raise CommandError(ExitCode.INVALID, f"{display_name} cannot be read: {error}") from error
    if (marker := _MARKER.search(text)) is not None:
        number = text.count("\n", 0, marker.start()) + 1
        raise CommandError(
            ExitCode.INVALID,
            f"{display_name}:{number}: merge conflict: keep the takes of both sides, then remove the markers",
        )
    try:
        if text.count(",") > _MAX_VALUES:
            raise ValueError(f"more than {_MAX_VALUES:,} values")
        return _parse_manifest(json.loads(text), repository, profile)
    except _UNFIT as error:
        reason = str(error) if len(str(error)) <= _MAX_REASON else f"{str(error)[:_MAX_REASON]}…"
        raise CommandError(
            ExitCode.INVALID,
            f"{display_name} is not a manifest of this version ({reason}): restore it from git, or remove it",
        ) from error


def _parse_manifest(data: Any, repository: str, profile: str | None) -> Manifest:
    if data["manifest"] != VERSION:
        raise ValueError(f"version {data['manifest']!r}")
    storyboard, provider, host = (fields.text(data[name], name) for name in ("storyboard", "provider", "host"))
    owner = (repository, provider, host, profile)
    attempts = [attempt for shot in data["shots"] for attempt in _parse_shot(storyboard, shot, owner)]
    picks = {
        fields.shot_id(shot["id"]): _parse_pick(shot["picked"], fields.shot_id(shot["id"]), attempts)
        for shot in data["shots"]
        if shot.get("picked") is not None
    }
    return Manifest(storyboard, provider, host, tuple(attempts), picks)


def _parse_pick(picked: Any, shot: str, attempts: Iterable[Attempt]) -> Pick:
    """A pick; a number, as the first version wrote it, is of the latest clip that the manifest names for it."""
    if isinstance(picked, dict):
        at = fields.moment(picked["at"], "picked.at") if picked.get("at") else None
        return Pick(fields.take_number(picked["take"]), picked["fingerprint"], fields.task_id(picked["task_id"]), at)
    take = fields.take_number(picked)
    named = [attempt for attempt in attempts if (attempt.intent.shot, attempt.intent.take) == (shot, take)]
    latest = max(named, key=lambda attempt: attempt.intended_at, default=None)
    return Pick(take) if latest is None else Pick(take, latest.intent.fingerprint, latest.task_id)


def _parse_shot(storyboard: str, shot: Mapping[str, Any], owner: tuple[str | None, ...]) -> Iterator[Attempt]:
    """The attempts of a shot; an error names the shot and the position of the take."""
    name = fields.shot_id(shot["id"])
    for number, take in enumerate(shot["takes"], 1):
        try:
            yield _parse_attempt(storyboard, name, take, owner)
        except _UNFIT as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"shot {name}, entry {number}: {reason}") from error


def _parse_attempt(storyboard: str, shot: str, take: Mapping[str, Any], owner: tuple[str | None, ...]) -> Attempt:
    """An attempt from a manifest entry; the fingerprint is computed from the request, never read from the file."""
    request = fields.request(take["request"])
    request_fingerprint = fingerprint(request)
    created = fields.moment(take.get("created_at"), "created_at")
    task_id = fields.task_id(take["task_id"])
    intent = Intent(
        storyboard=storyboard,
        shot=shot,
        take=fields.take_number(take["take"]),
        fingerprint=request_fingerprint,
        request=request,
        body="",
        quoted=fields.credits(take["credits"]["quoted"], "credits.quoted"),
        edition="",
        key_id="",
        webhook_token="",
        run="manifest",
        profile=owner[-1],
    )
    if (state := _STATE.get(take["status"])) is None:
        raise ValueError(f"status is none of {', '.join(_STATE)}")
    clip = fields.clip(take.get("clip"))
    used = take["credits"]["used"]
    return Attempt(
        id=_attempt_id(*owner, request_fingerprint, task_id or take.get("created_at")),
        intent=intent,
        state=AttemptState.STORED if clip is not None and state is AttemptState.SUCCEEDED else state,
        intended_at=created,
        sent_at=created,
        task_id=task_id,
        accepted_at=created if task_id is not None else None,
        ended_at=fields.moment(take["completed_at"], "completed_at") if take.get("completed_at") else None,
        message=fields.message(take.get("error"), "error"),
        credits_used=None if used is None else fields.credits(used, "credits.used"),
        clip=clip,
        doubt=fields.message(take.get("doubt"), "doubt") if state is AttemptState.DOUBTFUL else "",
        from_manifest=True,
        kept_for=take.get("kept_for"),
    )


def _attempt_id(*parts: object) -> str:
    """An id from an attempt's identity: the same on every machine, and different for different attempts."""
    return "m-" + hashlib.sha256(canonical_json([str(part) for part in parts]).encode()).hexdigest()[:24]


# -- writing ----------------------------------------------------------------------------------------------


def compose(plan: Plan, history: History, storyboard: str, before: Iterable[Attempt] = ()) -> dict[str, Any]:
    """Compose the manifest of one storyboard from `history`; shots sorted by id, takes by number.

    Paid attempts that the manifest listed `before` stay listed, under whatever name they were ordered.
    """
    entry = next(entry for entry in plan.batch.storyboards if entry.path == storyboard)
    current = {shot.id: list(_current(plan, history, storyboard, shot.id)) for shot in entry.shots}
    current_ids = {attempt.id for attempts in current.values() for attempt in attempts}
    paid = _paid_history(history, storyboard, plan.profile, current_ids)
    _keep_from_disk(
        paid, history, before, {attempt.intent.fingerprint for attempts in current.values() for attempt in attempts}
    )
    removed = {
        shot: attempts
        for shot, attempts in paid.items()
        if shot not in current and any(attempt.state in PAID for attempt in attempts)
    }
    shots = [_shot_json(storyboard, shot, [*current[shot], *paid.get(shot, ())], history) for shot in current]
    shots += [_shot_json(storyboard, shot, attempts, history) | {"removed": True} for shot, attempts in removed.items()]
    return {
        "manifest": VERSION,
        "storyboard": storyboard,
        "provider": plan.account.provider,
        "host": plan.account.host,
        "shots": sorted(shots, key=lambda shot: (str(shot["id"]).casefold(), str(shot["id"]))),
    }


def _current(plan: Plan, history: History, storyboard: str, shot: str) -> Iterator[Attempt]:
    """The current attempts of a shot's takes, under the shot's current name, whatever their name was when ordered.

    A paid attempt that only a manifest records is listed beside this machine's attempt of the same take.
    """
    for step in plan.steps_of(storyboard, shot):
        attempt = history.current_attempt(step.fingerprint) if step.fingerprint is not None else None
        if attempt is None:
            continue
        others = [
            other for other in history.attempts_of(attempt.intent.fingerprint) if other.from_manifest and other.task_id
        ]
        if attempt.state in _STATUS:
            yield _as_take(attempt, step)
        yield from (_as_take(other, step) for other in others if other is not attempt and other.state in PAID)


def _as_take(attempt: Attempt, step: Step) -> Attempt:
    """The attempt under a step's name, with the copy of the clip that has this name."""
    intent = replace(attempt.intent, shot=step.shot.id, take=step.take, request=step.neutral_request())
    own_path = f"/clips/{step.shot.id}/take-{step.take}"
    own_paths = (f"{own_path}.mp4", f"{own_path}.doubtful.mp4")
    own_clips = [clip for clip in attempt.clips if clip.repository is None]
    clip = next((clip for clip in reversed(own_clips) if clip.path.endswith(own_paths)), next(iter(own_clips), None))
    return replace(attempt, intent=intent, clip=clip)


def _paid_history(
    history: History, storyboard: str, profile: str | None, current_ids: set[str]
) -> dict[str, list[Attempt]]:
    """Paid attempts under this storyboard's names that the storyboard no longer asks for, by shot."""
    latest: dict[tuple[str, int, str], Attempt] = {}
    for attempt in history.own():
        intent = attempt.intent
        if intent.storyboard == storyboard and intent.profile == profile and attempt.id not in current_ids:
            latest[intent.shot, intent.take, intent.fingerprint] = attempt
    paid: dict[str, list[Attempt]] = {}
    for (shot, _, take_fingerprint), attempt in latest.items():
        current = history.current_attempt(take_fingerprint)
        if attempt.state in PAID and (current is None or current.id not in current_ids):
            paid.setdefault(shot, []).append(attempt)
    return paid


def _keep_from_disk(
    paid: dict[str, list[Attempt]], history: History, before: Iterable[Attempt], current: set[str]
) -> None:
    """Add the paid attempts that only the manifest on disk still records."""
    listed_ids = {attempt.id for attempts in paid.values() for attempt in attempts}
    by_task = {attempt.task_id: attempt for attempt in history.attempts.values() if attempt.task_id}
    for attempt in before:
        recorded = by_task.get(attempt.task_id or "", attempt)
        intent = attempt.intent
        if intent.fingerprint not in current and recorded.id not in listed_ids and recorded.state in PAID:
            paid.setdefault(intent.shot, []).append(
                replace(recorded, intent=replace(recorded.intent, shot=intent.shot))
            )
            listed_ids.add(recorded.id)


def _shot_json(storyboard: str, shot: str, attempts: Iterable[Attempt], history: History) -> dict[str, Any]:
    pick = history.picks.get((storyboard, shot))
    takes = sorted(attempts, key=lambda attempt: (attempt.intent.take, attempt.intended_at, attempt.id))
    return {
        "id": shot,
        "picked": None if pick is None else pick_json(pick),
        "takes": [_take_json(attempt) for attempt in takes],
    }


def pick_json(pick: Pick) -> dict[str, Any]:
    """A pick as it stands in a manifest."""
    return {
        "take": pick.take,
        "fingerprint": pick.fingerprint,
        "task_id": pick.task_id,
        "at": None if pick.at is None else format_utc(pick.at),
    }


def _take_json(attempt: Attempt) -> dict[str, Any]:
    clip, intent = attempt.clip, attempt.intent
    doubt = {"doubt": attempt.doubt} if attempt.state is AttemptState.DOUBTFUL else {}
    return {
        "take": intent.take,
        "fingerprint": intent.fingerprint,
        **({"kept_for": attempt.kept_for} if attempt.kept_for is not None else {}),
        **doubt,
        "status": _STATUS[attempt.state],
        "task_id": attempt.task_id,
        "request": dict(sorted(intent.request.items())),
        "credits": {"quoted": credits_json(intent.quoted), "used": credits_json(attempt.credits_used)},
        "error": "".join(char for char in attempt.message if char.isprintable()) or None,
        "clip": None
        if clip is None
        else {
            "path": clip.path,
            "sha256": clip.sha256,
            "bytes": clip.bytes,
            "width": clip.width,
            "height": clip.height,
            "seconds": clip.seconds,
        },
        "created_at": format_utc(attempt.accepted_at or attempt.intended_at),
        "completed_at": None if attempt.ended_at is None else format_utc(attempt.ended_at),
    }


def write(path: Path, content: Mapping[str, Any], root: Path) -> bool:
    """Replace the manifest atomically, and only when a byte differs; returns whether the file was written."""
    raw = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    make_folder(path.parent, root)
    with suppress(FileRejected):
        if not path.is_symlink() and read_bytes(path, root, MANIFEST_LIMIT) == raw:
            remove_file(part_of(path), root)  # left by a run that was killed while writing
            return False
    replace_content(path, root, raw)
    return True
