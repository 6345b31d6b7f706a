"""A content repo whose clips a clone would have got: storyboard, manifest, and real MP4s, without a run."""

import hashlib
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from runner.attempts.history import History
from runner.editions.edition import DEFAULT, load
from runner.language import compiler as language
from runner.planning.plan import Step
from runner.planning.planner import build_plan
from tests.assembly.clips import make_clip
from tests.commands.content_repo import ContentRepo, content
from tests.planning.worlds import PAID

OUTPUT = "renders/film/kinovi"
Fate = Callable[[Step], Mapping[str, Any] | None]
"""What the manifest says of a take beside its clip; None for a take that nobody ordered, {} for one that is made."""


def every_take(step: Step) -> Mapping[str, Any]:
    return {}


def filmed(
    tmp_path: Path, board: str, fate: Fate = every_take, seconds: int = 1, size: tuple[int, int] = (160, 90)
) -> ContentRepo:
    """A film whose takes are as `fate` says; each made take has a clip of its own level of grey and tone."""
    film = content(tmp_path, board)
    film.write("storyboard.toml", 'provider = "kinovi"\n')
    shots: dict[str, dict[str, Any]] = {}
    for number, step in enumerate(steps_of(film)):
        if step.fingerprint is None or (told := fate(step)) is None:
            continue
        entry = shots.setdefault(step.shot.id, {"id": step.shot.id, "picked": None, "takes": []})
        clip = None
        if told.get("status", "succeeded") == "succeeded":
            path = film.root / OUTPUT / "clips" / step.shot.id / f"take-{step.take}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            level, tone = 90 + number * 7 % 120, 330.0 + number * 40 % 500
            make_clip(path, seconds=Fraction(seconds), size=size, level=level, tone=tone)
            clip = clip_json(film, path, seconds, size)
        entry["takes"].append(take_json(step, number, clip) | told)
    write_manifest(film, sorted(shots.values(), key=lambda shot: str(shot["id"])))
    return film


def steps_of(film: ContentRepo) -> tuple[Step, ...]:
    """The takes of the film's storyboard, none of them made."""
    batch, problems = language.compile([film.root / "storyboards/film.yaml"], film.root, language.CompileOptions())
    assert not problems.errors
    return build_plan(
        batch,
        History(),
        account=PAID,
        edition=load(DEFAULT),
        usd_per_credit=Decimal("0.005"),
        clip_exists=lambda _: True,
    ).steps


def clip_json(film: ContentRepo, path: Path, seconds: float, size: tuple[int, int]) -> dict[str, Any]:
    content = path.read_bytes()
    facts = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    return {
        "path": path.relative_to(film.root).as_posix(),
        **facts,
        "width": size[0],
        "height": size[1],
        "seconds": seconds,
    }


def take_json(step: Step, number: int, clip: Mapping[str, Any] | None) -> dict[str, Any]:
    """The entry of a take that is made."""
    return {
        "take": step.take,
        "fingerprint": step.fingerprint,
        "status": "succeeded",
        "task_id": f"task_{number}",
        "request": step.neutral_request(),
        "credits": {"quoted": float(step.price.credits or 0), "used": float(step.price.credits or 0)},
        "error": None,
        "clip": clip,
        "created_at": "2026-11-21T12:00:00.000Z",
        "completed_at": "2026-11-21T12:03:00.000Z",
    }


def write_manifest(film: ContentRepo, shots: list[dict[str, Any]]) -> None:
    head = {"manifest": 2, "storyboard": "storyboards/film.yaml", "provider": "kinovi", "host": "kinovi.ai"}
    film.write(f"{OUTPUT}/manifest.json", json.dumps({**head, "shots": shots}))


def refused(message: str) -> dict[str, Any]:
    """The fate of a take whose pictures or words the provider refused."""
    return {"status": "refused", "error": message, "clip": None, "credits": {"quoted": 60, "used": 0}}
