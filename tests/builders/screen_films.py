"""Films of every size for the screens: batches, histories and the plans that follow from them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from runner.attempts.events import (
    Account,
    Clip,
    Created,
    Event,
    Failed,
    Intent,
    OutcomeUnknown,
    Payload,
    Refused,
    SendStarted,
    ServerError,
    Stored,
    Succeeded,
)
from runner.attempts.film import FilmName
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.diagnostics.problem import Place
from runner.editions.edition import load
from runner.language.edit import CutEntry
from runner.language.model import Batch, Shot, Storyboard
from runner.planning.material_routes import Routes, WaysAtHand
from runner.planning.outgoing import OutgoingMaterial, outgoing_materials
from runner.planning.plan import CanPublish, Plan, Step, every_material
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.requests.request import LocalFile, Material, Mode, RemoteFile, Request, TakeReference

KINOVI = Account("kinovi", "https://api.kinovi.ai")
SANDBOX = Account("sandbox", "sandbox", free=True)
PATH = "storyboards/ferry.yaml"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
CENTS = Decimal("0.005")


UPLOADS = Routes(WaysAtHand(api_host="kinovi.ai", has_uploads=True))
"""The ways of an edition with uploads, and nothing of the user's own."""


def outgoing(made: Plan, sent: tuple[str, ...] = ()) -> tuple[OutgoingMaterial, ...]:
    """What a run of the plan sends to the provider's uploads."""
    return outgoing_materials(made, UPLOADS, sent)


def picture(name: str, size: int = 900_000) -> LocalFile:
    return LocalFile(
        f"storyboards/assets/{name}.png",
        hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(),
        "image",
        size,
        1024,
        1024,
    )


def shot(
    id: str,
    *materials: Material,
    path: str = PATH,
    takes: int = 1,
    scene: str | None = None,
    prompt: str = "the sea",
    seconds: int = 4,
    model: str = "seedance-20",
    resolution: str = "720p",
    skip: bool = False,
    title: str | None = None,
) -> Shot:
    keyframe = any(isinstance(material, TakeReference) and material.part != "clip" for material in materials)
    mode: Mode = "keyframe" if keyframe else "reference" if materials else "text"
    request = Request(model, resolution, seconds, "16:9", mode, f"{prompt} in {id}", materials)
    names = tuple(_name(material) for material in materials)
    return Shot(path, id, request, takes, Place(path, 10, 3), scene=scene, skip=skip, title=title, names=names)


def _name(material: Material) -> str:
    match material:
        case LocalFile(path=path):
            return path.rpartition("/")[2].removesuffix(".png")
        case RemoteFile(url=url):
            return url
        case TakeReference():
            return str(material).removeprefix("@")


def last_frame(of: str) -> TakeReference:
    return TakeReference(of, "last_frame")


MARIA, TOMAS, QUAY, INES = (picture(name) for name in ("maria", "tomas", "quay", "ines"))


def scene_of(name: str, first: int, prompt: str = "the sea") -> list[Shot]:
    """Six shots of a scene, the numbers from `first` in tens."""
    ids = [f"SH{first + 10 * index:03}" for index in range(6)]
    return [
        shot(ids[0], MARIA, TOMAS, QUAY, takes=3, scene=name, prompt=prompt),
        shot(ids[1], last_frame(ids[0]), scene=name, prompt=prompt),
        shot(ids[2], MARIA, TOMAS, scene=name, prompt=prompt),
        shot(ids[3], MARIA, TOMAS, scene=name, prompt=prompt),
        shot(ids[4], last_frame(ids[3]), scene=name, prompt=prompt),
        shot(ids[5], INES, QUAY, scene=name, prompt=prompt),
    ]


def ferry(prompt: str = "the sea", budget: str | None = "9000") -> Storyboard:
    """The film of 24 shots that the screens are drawn for."""
    names = ("quay", "kitchen", "ferry", "cliff")
    shots = [each for at, name in enumerate(names) for each in scene_of(name, 10 + 60 * at, prompt)]
    return Storyboard(PATH, "The Last Ferry", tuple(shots), Decimal(90), Decimal(budget) if budget else None)


def series(shots: int, scenes: int, path: str = "storyboards/series.yaml") -> Storyboard:
    """A long film: so many shots in so many scenes, of three lengths."""
    each = [
        shot(f"S{at + 1:04}", MARIA, path=path, seconds=4 + at % 3, scene=f"scene {at * scenes // shots + 1}")
        for at in range(shots)
    ]
    return Storyboard(path, "The Long Way", tuple(each), Decimal(1500))


def edited_series() -> Storyboard:
    """12 s of three shots of 4, 5 and 6 s: by its cut a title, the first shot twice and of the third a part."""
    film, top = series(3, 1), Place("storyboards/series.yaml", 1, 1)
    cut = (
        CutEntry("slate", "The Long Way", top, seconds=Decimal(2)),
        CutEntry("shot", "S0001", top, seconds=Decimal(2)),
        CutEntry("shot", "S0002", top),
        CutEntry("shot", "S0001", top, in_seconds=Decimal(2), seconds=Decimal(1)),
        CutEntry("shot", "S0003", top, in_seconds=Decimal(1), seconds=Decimal(2)),
    )
    return replace(film, cut=cut)


def matrix(path: str = "storyboards/spot.yaml") -> Storyboard:
    """A product spot: cities by formats, no scenes."""
    cities, formats = ("lisbon", "porto", "faro", "braga"), ("wide", "tall", "square")
    each = [
        shot(f"city-{city}-{form}", path=path, model="seedance2-fast", resolution="480p", prompt=f"{city} {form}")
        for city in cities
        for form in formats
    ]
    return Storyboard(path, "Four cities", tuple(each))


def plan(
    *boards: Storyboard,
    account: Account = KINOVI,
    history: History | None = None,
    selected: Iterable[str] | None = None,
    clips_here: bool = True,
    can_publish: CanPublish = every_material,
) -> Plan:
    chosen = None
    if selected is not None:
        wanted = set(selected)
        chosen = frozenset(each.key for board in boards for each in board.shots if each.id in wanted)
    return build_plan(
        Batch(boards),
        history or History(),
        ProviderTerms(account, load("classic"), CENTS, can_publish),
        RepositoryFiles(lambda clip: clips_here),
        selected=chosen,
    )


Outcome = str
"""stored, running, perhaps, unsettled, refused, failed, succeeded: how far an attempt has come."""


def history(plan: Plan, outcomes: Mapping[tuple[str, int], Outcome], picks: Mapping[str, int] | None = None) -> History:
    """What is true after the named takes of a plan went as told; what they are made of must be told before."""
    past = History()
    for (name, take), outcome in outcomes.items():
        now = build_plan(
            plan.batch,
            past,
            ProviderTerms(plan.account, plan.edition, plan.usd_per_credit),
            RepositoryFiles(lambda clip: True),
        )
        step = next(step for step in now.steps if (step.shot.id, step.take) == (name, take))
        for event in _events(step, outcome):
            past.apply(event)
        if (picks or {}).get(name) == take:
            past.picks[FilmName(PATH), name] = Pick(take, step.fingerprint, f"task_{name}-{take}")
    return past


def _events(step: Step, outcome: Outcome) -> Iterable[Event]:
    assert step.fingerprint is not None
    assert step.price.credits is not None
    attempt = f"{step.shot.id}-{step.take}"
    task = f"task_{attempt}"
    intended = Intent(
        step.shot.storyboard, step.shot.id, step.take, step.fingerprint, step.neutral_request(), "{}",
        step.price.credits,
        "classic", "0a1b2c3d", f"receipt-{attempt}", "run-1",
    )  # fmt: skip
    clip = Clip(f"renders/ferry/kinovi/clips/{step.shot.id}/take-{step.take}.mp4", "c" * 64, 2_400_000, 1280, 720, 4.0)
    ends: dict[Outcome, list[Payload]] = {
        "running": [Created(task)],
        "succeeded": [Created(task), Succeeded((), step.price.credits, 1_000, 121_000)],
        "stored": [Created(task), Succeeded((), step.price.credits, 1_000, 121_000), Stored(clip)],
        "perhaps": [ServerError("internal server error")],
        "unsettled": [OutcomeUnknown("the line broke after the request left")],
        "refused": [Refused(400, "Face detected in uploaded media")],
        "failed": [Created(task), Failed("provider", "Video generation failed. Please try again.")],
    }
    for what in (intended, SendStarted(), *ends[outcome]):
        yield Event(NOON, attempt, what)
