"""The manifest in the repository: which clip came from which request; sorted, stable, never a cause of payment."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.attempts.events import MAX_CREDITS, Clip, Intent
from runner.attempts.history import Attempt, AttemptState, History
from runner.clock import format_utc
from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan, Step
from runner.requests.request import canonical_json, credits_json, fingerprint
from runner.store.durability import sync_folder

VERSION = 1
_MAX_TAKES = 100_000
NAME = "manifest.json"
_STATUS = {
    AttemptState.RUNNING: "running",
    AttemptState.SUCCEEDED: "succeeded",
    AttemptState.STORED: "succeeded",
    AttemptState.FAILED: "failed",
    AttemptState.REFUSED: "refused",
    AttemptState.UNSETTLED: "unsettled",
    AttemptState.GONE: "gone",
}
_STATE = {
    "running": AttemptState.RUNNING,
    "succeeded": AttemptState.SUCCEEDED,
    "failed": AttemptState.FAILED,
    "refused": AttemptState.REFUSED,
    "unsettled": AttemptState.UNSETTLED,
    "gone": AttemptState.GONE,
}
_PAID = frozenset(
    {AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.STORED, AttemptState.UNSETTLED, AttemptState.GONE}
)
_MARKERS = ("<<<<<<< ", "=======", ">>>>>>> ")


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one output: its storyboard and account, the recorded attempts, and the picks by shot."""

    storyboard: str
    provider: str
    host: str
    attempts: tuple[Attempt, ...]
    picks: Mapping[str, int]

    def renamed_to(self, storyboard: str) -> "Manifest":
        """The same manifest for a storyboard that has moved to another path."""
        attempts = (
            replace(attempt, intent=replace(attempt.intent, storyboard=storyboard)) for attempt in self.attempts
        )
        return replace(self, storyboard=storyboard, attempts=tuple(attempts))


def read(path: Path, display_name: str, repository: str = "", profile: str | None = None) -> Manifest | None:
    """Read the manifest of an output; None when the file is missing, `CommandError` when the file is not a manifest.

    `display_name` is the path in messages. `repository` and `profile` are part of the ids of the attempts, so that
    attempts of different outputs never share an id.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            ExitCode.INVALID, f"{display_name} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_MARKERS):
            raise CommandError(
                ExitCode.INVALID,
                f"{display_name}:{number}: merge conflict: keep the takes of both sides, then remove the markers",
            )
    try:
        return _parse_manifest(json.loads(text), repository, profile)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError) as error:
        raise CommandError(
            ExitCode.INVALID,
            f"{display_name} is not a manifest of this version ({error}): restore it from git, or remove it",
        ) from error


def _parse_manifest(data: Any, repository: str, profile: str | None) -> Manifest:
    if data["manifest"] != VERSION:
        raise ValueError(f"version {data['manifest']!r}")
    storyboard = str(data["storyboard"])
    owner = (repository, str(data["provider"]), str(data["host"]), profile)
    attempts = [
        _parse_attempt(storyboard, str(shot["id"]), take, owner) for shot in data["shots"] for take in shot["takes"]
    ]
    picks = {str(shot["id"]): _take_number(shot["picked"]) for shot in data["shots"] if shot.get("picked") is not None}
    return Manifest(storyboard, str(data["provider"]), str(data["host"]), tuple(attempts), picks)


def _take_number(value: Any) -> int:
    number = int(value)
    if not 1 <= number <= _MAX_TAKES:
        raise ValueError(f"take {number}")
    return number


def _parse_credits(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite() or not 0 <= amount <= MAX_CREDITS:
        raise ValueError(f"{amount} credits")
    return amount


def _parse_attempt(storyboard: str, shot: str, take: Mapping[str, Any], owner: tuple[str | None, ...]) -> Attempt:
    """An attempt from a manifest entry; the fingerprint is computed from the request, never read from the file."""
    request = dict(take["request"])
    request_fingerprint = fingerprint(request)
    created = _parse_time(take.get("created_at"))
    intent = Intent(
        storyboard=storyboard,
        shot=shot,
        take=_take_number(take["take"]),
        fingerprint=request_fingerprint,
        request=request,
        body="",
        quoted=_parse_credits(take["credits"]["quoted"]),
        edition="",
        key_id="",
        webhook_token="",
        run="manifest",
        profile=owner[-1],
    )
    state = _STATE[take["status"]]
    clip = _parse_clip(take.get("clip"))
    used = take["credits"]["used"]
    return Attempt(
        id=_attempt_id(*owner, request_fingerprint, take["task_id"] or take.get("created_at")),
        intent=intent,
        state=AttemptState.STORED if clip is not None and state is AttemptState.SUCCEEDED else state,
        intended_at=created,
        sent_at=created,
        task_id=None if take["task_id"] is None else str(take["task_id"]),
        accepted_at=created if take["task_id"] is not None else None,
        ended_at=_parse_time(take["completed_at"]) if take.get("completed_at") else None,
        message=str(take.get("error") or ""),
        credits_used=None if used is None else _parse_credits(used),
        clip=clip,
        from_manifest=True,
    )


def _attempt_id(*parts: object) -> str:
    """An id from an attempt's identity: the same on every machine, and different for different attempts."""
    return "m-" + hashlib.sha256(canonical_json([str(part) for part in parts]).encode()).hexdigest()[:24]


def _parse_clip(data: Mapping[str, Any] | None) -> Clip | None:
    if data is None:
        return None
    return Clip(
        path=str(data["path"]),
        sha256=str(data["sha256"]),
        bytes=int(data["bytes"]),
        width=int(data["width"]),
        height=int(data["height"]),
        seconds=float(data["seconds"]),
    )


def _parse_time(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)


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
        if shot not in current and any(attempt.state in _PAID for attempt in attempts)
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
        yield from (_as_take(other, step) for other in others if other is not attempt and other.state in _PAID)


def _as_take(attempt: Attempt, step: Step) -> Attempt:
    """The attempt under a step's name, with the copy of the clip that has this name."""
    intent = replace(attempt.intent, shot=step.shot.id, take=step.take, request=step.neutral_request())
    own_path = f"/clips/{step.shot.id}/take-{step.take}.mp4"
    here = [clip for clip in attempt.clips if clip.repository is None]
    clip = next((clip for clip in reversed(here) if clip.path.endswith(own_path)), next(iter(here), None))
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
        if attempt.state in _PAID and (current is None or current.id not in current_ids):
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
        if intent.fingerprint not in current and recorded.id not in listed_ids and recorded.state in _PAID:
            paid.setdefault(intent.shot, []).append(
                replace(recorded, intent=replace(recorded.intent, shot=intent.shot))
            )
            listed_ids.add(recorded.id)


def _shot_json(storyboard: str, shot: str, attempts: Iterable[Attempt], history: History) -> dict[str, Any]:
    takes = sorted(attempts, key=lambda attempt: (attempt.intent.take, attempt.intended_at, attempt.id))
    return {
        "id": shot,
        "picked": history.picks.get((storyboard, shot)),
        "takes": [_take_json(attempt) for attempt in takes],
    }


def _take_json(attempt: Attempt) -> dict[str, Any]:
    clip, intent = attempt.clip, attempt.intent
    return {
        "take": intent.take,
        "fingerprint": intent.fingerprint,
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


def write(path: Path, content: Mapping[str, Any]) -> bool:
    """Replace the manifest atomically, and only when a byte differs; returns whether the file was written."""
    raw = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    temporary = path.with_name(f".{path.name}.part")
    try:
        if path.read_bytes() == raw:
            temporary.unlink(missing_ok=True)  # left by a run that was killed while writing
            return False
    except OSError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return True
