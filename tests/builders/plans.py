"""Small batches and histories, as values."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.attempts.attempt import Attempt
from runner.attempts.events import Account, Clip, Created, Event, Intent, Payload, SendStarted, Stored, Succeeded
from runner.attempts.film import FilmName
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.diagnostics.problem import Place
from runner.editions.edition import load
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import replace
from runner.planning.orphans import no_storyboard_gone
from runner.planning.plan import Action, Plan, Step, every_material
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.requests.request import Material, RemoteFile, Request, TakeReference

BOARD = "storyboards/film.yaml"
BOARD_FILM = FilmName(BOARD)
"""The film of the board without a profile."""
PAID = Account("kinovi", "kinovi.ai")
FREE = Account("sandbox", "sandbox", free=True)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def shot(id: str, prompt: str | None = None, materials: Sequence[Material] = (), **fields: Any) -> Shot:
    """A shot of five seconds at 720p: 200 credits a take."""
    request = Request(
        model=fields.pop("model", "seedance-20"),
        resolution=fields.pop("resolution", "720p"),
        seconds=fields.pop("seconds", 5),
        aspect_ratio="16:9",
        mode="keyframe" if materials else "text",
        prompt=prompt or f"{id} at dawn",
        materials=tuple(materials),
    )
    board = fields.pop("storyboard", BOARD)
    return Shot(board, id, request, fields.pop("takes", 1), Place(board, 1, 1), **fields)


def last_frame(id: str, take: int | None = None) -> TakeReference:
    return TakeReference(id, "last_frame", take)


def batch(*shots: Shot) -> Batch:
    by_film: dict[FilmName, list[Shot]] = {}
    for shot in shots:
        by_film.setdefault(shot.film, []).append(shot)
    return Batch(tuple(Storyboard(path, path, tuple(own), profile=name) for (path, name), own in by_film.items()))


def plan(*shots: Shot, history: History | None = None, account: Account = PAID, **options: Any) -> Plan:
    return plan_of(batch(*shots), history, account, **options)


def plan_of(batch: Batch, history: History | None = None, account: Account = PAID, **options: Any) -> Plan:
    """The plan of a batch that is compiled already."""
    return build_plan(
        batch,
        history or History(),
        ProviderTerms(account, load("classic"), Decimal("0.005"), options.pop("can_publish", every_material)),
        RepositoryFiles(
            options.pop("on_disk", lambda clip: True),
            options.pop("root", "/"),
            options.pop("is_gone", no_storyboard_gone),
        ),
        **options,
    )


def summary(decided: Plan) -> list[tuple[str, int, str, str]]:
    return [(step.shot.id, step.take, str(step.action), step.reason.text) for step in decided.steps]


def actions(decided: Plan) -> list[str]:
    return [str(step.action) for step in decided.steps]


def after(history: History, step: Step, *payloads: Payload, shot_id: str | None = None) -> Attempt:
    """The attempt of a step after its intent and these payloads; the history is changed."""
    assert step.fingerprint is not None
    attempt_id = f"attempt-{len(history.attempts) + 1}"
    intent = Intent(
        storyboard=step.shot.storyboard,
        shot=shot_id or step.shot.id,
        take=step.take,
        fingerprint=step.fingerprint,
        request=step.neutral_request(),
        body="{}",
        quoted=step.price.credits or Decimal(0),
        edition="classic",
        key_id="0" * 8,
        webhook_token="r",
        run="run-1",
        profile=step.shot.profile,
    )
    at = START + timedelta(minutes=len(history.attempts))
    for payload in (intent, *payloads):
        history.apply(Event(at, attempt_id, payload))
        at += timedelta(seconds=1)
    return history.attempts[attempt_id]


def made(step: Step) -> tuple[Payload, ...]:
    """The events of a take with a task and a clip of its own."""
    name = f"{step.shot.request.prompt} {step.take}"
    path = f"renders/film/{step.shot.film.folder('kinovi')}/clips/{step.shot.id}/take-{step.take}.mp4"
    sha256 = name.encode().hex().ljust(64, "0")[:64]
    stored = Stored(replace(clip(step.shot.id, step.take), path=path, sha256=sha256))
    return SendStarted(), Created(f"task_{name}"), Succeeded((), Decimal(200)), stored


def make(history: History, decided: Plan) -> None:
    """Makes what a run could make at once."""
    for step in decided.steps:
        if step.action is Action.MAKE:
            after(history, step, *made(step))


def pick(history: History, step: Step) -> None:
    """Picks the take of a step, whose clip somebody saw."""
    attempt = history.current_attempt(step.fingerprint or "")
    assert attempt is not None
    history.picks[step.shot.key] = Pick(step.take, step.fingerprint, attempt.task_id, START)


def clip(id: str, take: int = 1) -> Clip:
    return Clip(f"renders/film/kinovi/clips/{id}/take-{take}.mp4", "ab" * 32, 1000, 1280, 720, 5.0)


def renamed(old: Shot, id: str) -> Shot:
    return old._replace(id=id)


def public_address(material: Material) -> bool:
    """The rule of a provider that reads public addresses only, where nothing is published: it has its own clips."""
    return isinstance(material, RemoteFile) or (isinstance(material, TakeReference) and material.part == "clip")
