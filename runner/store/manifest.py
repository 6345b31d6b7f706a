"""The manifest in the repository: which clip came from what; sorted, stable, and never the cause of a request."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.attempts.events import Clip, Intent
from runner.attempts.history import Attempt, AttemptState, History
from runner.clock import format_utc
from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Plan, Step
from runner.requests.request import canonical_json, credits_json, fingerprint
from runner.store.durability import sync_folder

VERSION = 1
_MOST_TAKES = 100_000
_MOST_CREDITS = 10**9
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
    """What one output holds: whose it is, the attempts that it tells of, and the picks by shot."""

    storyboard: str
    provider: str
    host: str
    attempts: tuple[Attempt, ...]
    picks: Mapping[str, int]

    def renamed_to(self, storyboard: str) -> "Manifest":
        """The same of a storyboard that lies elsewhere now: its output is taken over."""
        attempts = (replace(each, intent=replace(each.intent, storyboard=storyboard)) for each in self.attempts)
        return replace(self, storyboard=storyboard, attempts=tuple(attempts))


def read(path: Path, shown: str, repository: str = "", profile: str | None = None) -> Manifest | None:
    """The manifest of an output, None when there is none yet; Stop when it is not one. `shown` names it in words.

    `repository` and `profile` are whose output it is: what it tells is told apart from all others by them.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            ExitCode.INVALID, f"{shown} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(_MARKERS):
            raise CommandError(
                ExitCode.INVALID,
                f"{shown}:{number}: a merge left its marks here; keep both sides' takes, then remove the marks",
            )
    try:
        return _parse(json.loads(text), repository, profile)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ArithmeticError) as error:
        raise CommandError(
            ExitCode.INVALID, f"{shown}: is no manifest of this version ({error}); take it from git, or remove it"
        ) from error


def _parse(data: Any, repository: str, profile: str | None) -> Manifest:
    if data["manifest"] != VERSION:
        raise ValueError(f"version {data['manifest']!r}")
    board = str(data["storyboard"])
    whose = (repository, str(data["provider"]), str(data["host"]), profile)
    attempts = [_attempt(board, str(shot["id"]), take, whose) for shot in data["shots"] for take in shot["takes"]]
    picks = {str(shot["id"]): _number(shot["picked"]) for shot in data["shots"] if shot.get("picked") is not None}
    return Manifest(board, str(data["provider"]), str(data["host"]), tuple(attempts), picks)


def _number(value: Any) -> int:
    number = int(value)
    if not 1 <= number <= _MOST_TAKES:
        raise ValueError(f"take {number}")
    return number


def _amount(value: Any) -> Decimal:
    amount = Decimal(str(value))
    if not amount.is_finite() or not 0 <= amount <= _MOST_CREDITS:
        raise ValueError(f"{amount} credits")
    return amount


def _attempt(board: str, shot: str, take: Mapping[str, Any], whose: tuple[str | None, ...]) -> Attempt:
    """An attempt as the manifest tells it; the fingerprint is worked out anew from the request."""
    request = dict(take["request"])
    mark = fingerprint(request)
    created = _moment(take.get("created_at"))
    intended = Intent(
        storyboard=board,
        shot=shot,
        take=_number(take["take"]),
        fingerprint=mark,
        request=request,
        body="",
        quoted=_amount(take["credits"]["quoted"]),
        edition="",
        key_id="",
        webhook_token="",
        run="manifest",
        profile=whose[-1],
    )
    state = _STATE[take["status"]]
    clip = _clip(take.get("clip"))
    used = take["credits"]["used"]
    return Attempt(
        id=_id(*whose, mark, take["task_id"] or take.get("created_at")),
        intent=intended,
        state=AttemptState.STORED if clip is not None and state is AttemptState.SUCCEEDED else state,
        intended_at=created,
        sent_at=created,
        task_id=None if take["task_id"] is None else str(take["task_id"]),
        accepted_at=created if take["task_id"] is not None else None,
        ended_at=_moment(take["completed_at"]) if take.get("completed_at") else None,
        message=str(take.get("error") or ""),
        credits_used=None if used is None else _amount(used),
        clip=clip,
        from_manifest=True,
    )


def _id(*known: object) -> str:
    """The same attempt has the same id wherever its manifest is read, and no two attempts share one."""
    return "m-" + hashlib.sha256(canonical_json([str(each) for each in known]).encode()).hexdigest()[:24]


def _clip(data: Mapping[str, Any] | None) -> Clip | None:
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


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)


# -- writing ----------------------------------------------------------------------------------------------


def compose(plan: Plan, history: History, storyboard: str, before: Iterable[Attempt] = ()) -> dict[str, Any]:
    """The manifest of one storyboard after what `history` holds; shots by id, takes by number.

    What was paid and stood in it `before` stays, whatever name it was made under.
    """
    board = next(board for board in plan.batch.storyboards if board.path == storyboard)
    now = {shot.id: list(_current(plan, history, storyboard, shot.id)) for shot in board.shots}
    taken = {attempt.id for attempts in now.values() for attempt in attempts}
    past = _paid_history(history, storyboard, plan.profile, taken)
    _keep_from_disk(
        past, history, before, {attempt.intent.fingerprint for attempts in now.values() for attempt in attempts}
    )
    removed = {
        shot: attempts
        for shot, attempts in past.items()
        if shot not in now and any(attempt.state in _PAID for attempt in attempts)
    }
    shots = [_shot(storyboard, shot, [*now[shot], *past.get(shot, ())], history) for shot in now]
    shots += [_shot(storyboard, shot, attempts, history) | {"removed": True} for shot, attempts in removed.items()]
    return {
        "manifest": VERSION,
        "storyboard": storyboard,
        "provider": plan.account.provider,
        "host": plan.account.host,
        "shots": sorted(shots, key=lambda shot: (str(shot["id"]).casefold(), str(shot["id"]))),
    }


def _current(plan: Plan, history: History, storyboard: str, shot: str) -> Iterator[Attempt]:
    """How the takes of a shot stand, under the shot's present name, whatever name they were made under.

    A paid task that only a manifest tells of stays beside what this machine knows of the same take.
    """
    for step in plan.steps_of(storyboard, shot):
        attempt = history.current_attempt(step.fingerprint) if step.fingerprint is not None else None
        if attempt is None:
            continue
        others = [
            each for each in history.attempts_of(attempt.intent.fingerprint) if each.from_manifest and each.task_id
        ]
        if attempt.state in _STATUS:
            yield _as_take(attempt, step)
        yield from (_as_take(each, step) for each in others if each is not attempt and each.state in _PAID)


def _as_take(attempt: Attempt, step: Step) -> Attempt:
    """The attempt as this take's own: its name, and the copy of the clip that lies under that name."""
    intended = replace(attempt.intent, shot=step.shot.id, take=step.take, request=step.neutral_request())
    own = f"/clips/{step.shot.id}/take-{step.take}.mp4"
    clip = next((clip for clip in reversed(attempt.clips) if clip.path.endswith(own)), attempt.clip)
    return replace(attempt, intent=intended, clip=clip)


def _paid_history(history: History, storyboard: str, profile: str | None, taken: set[str]) -> dict[str, list[Attempt]]:
    """What was paid under this storyboard's names and is no longer what it asks for: never forgotten."""
    latest: dict[tuple[str, int, str], Attempt] = {}
    for attempt in history.attempts.values():
        intent = attempt.intent
        if intent.storyboard == storyboard and intent.profile == profile and attempt.id not in taken:
            latest[intent.shot, intent.take, intent.fingerprint] = attempt
    found: dict[str, list[Attempt]] = {}
    for (shot, _, mark), attempt in latest.items():
        standing = history.current_attempt(mark)
        if attempt.state in _PAID and (standing is None or standing.id not in taken):
            found.setdefault(shot, []).append(attempt)
    return found


def _keep_from_disk(
    past: dict[str, list[Attempt]], history: History, before: Iterable[Attempt], current: set[str]
) -> None:
    """Adds what only the manifest on disk still tells of."""
    told = {attempt.id for attempts in past.values() for attempt in attempts}
    by_task = {attempt.task_id: attempt for attempt in history.attempts.values() if attempt.task_id}
    for attempt in before:
        known = by_task.get(attempt.task_id or "", attempt)
        intent = attempt.intent
        if intent.fingerprint not in current and known.id not in told and known.state in _PAID:
            past.setdefault(intent.shot, []).append(replace(known, intent=replace(known.intent, shot=intent.shot)))
            told.add(known.id)


def _shot(storyboard: str, shot: str, attempts: Iterable[Attempt], history: History) -> dict[str, Any]:
    takes = sorted(attempts, key=lambda attempt: (attempt.intent.take, attempt.intended_at, attempt.id))
    return {
        "id": shot,
        "picked": history.picks.get((storyboard, shot)),
        "takes": [_take(attempt) for attempt in takes],
    }


def _take(attempt: Attempt) -> dict[str, Any]:
    clip, made = attempt.clip, attempt.intent
    return {
        "take": made.take,
        "fingerprint": made.fingerprint,
        "status": _STATUS[attempt.state],
        "task_id": attempt.task_id,
        "request": dict(sorted(made.request.items())),
        "credits": {"quoted": credits_json(made.quoted), "used": credits_json(attempt.credits_used)},
        "error": "".join(mark for mark in attempt.message if mark.isprintable()) or None,
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
    """Replaces the manifest atomically, and only when a byte differs; says whether it did."""
    raw = (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
    beside = path.with_name(f".{path.name}.part")
    try:
        if path.read_bytes() == raw:
            beside.unlink(missing_ok=True)  # what an earlier run was killed over
            return False
    except OSError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with beside.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    return True
