"""A content repo whose clips a clone would have got: storyboard, manifest, and real MP4s, without a run."""

import functools
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw

from runner.attempts.history import History
from runner.editions.edition import DEFAULT, load
from runner.language import compiler as language
from runner.planning.plan import Step
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from tests.builders.clips import make_clip
from tests.builders.content_repo import ContentRepo, content
from tests.builders.plans import PAID

OUTPUT = "renders/film/kinovi"
Fate = Callable[[Step], Mapping[str, Any] | None]
"""What the manifest says of a take beside its clip; None for a take that nobody ordered, {} for one that is made."""


def every_take(step: Step) -> Mapping[str, Any]:
    return {}


def picture_clip(path: Path, number: int, seconds: int, size: tuple[int, int]) -> Path:
    """Write a silent clip of a sun over the sea, in colours of its number."""
    width, height = size
    sky = Image.linear_gradient("L").resize(size)
    tones = (Image.new("L", size, number * 37 % 255), Image.new("L", size, 110), sky.point(lambda x: 90 + x // 2))
    ground = Image.merge("HSV", tones).convert("RGB")
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as output:
        video = output.add_stream("libx264", rate=12, options={"preset": "ultrafast", "threads": "1"})
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        for frame in range(seconds * 12):
            picture = ground.copy()
            draw = ImageDraw.Draw(picture)
            left, top, radius = width * 0.55 + number * 9 % 50 + frame, height * 0.3, height * 0.12
            draw.ellipse((left - radius, top - radius, left + radius, top + radius), fill=(255, 236, 190))
            draw.rectangle((0, height * 0.68, width, height), fill=(36, 44, 66))
            draw.rectangle((width * 0.1, height * 0.55, width * 0.34, height * 0.7), fill=(24, 26, 40))
            shown = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            output.mux(video.encode(shown))
        output.mux(video.encode(None))
    return path


def filmed(
    tmp_path: Path,
    board: str,
    fate: Fate = every_take,
    seconds: int = 1,
    size: tuple[int, int] = (160, 90),
    *,
    has_pictures: bool = False,
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
            if has_pictures:
                picture_clip(path, number, seconds, size)
            else:
                path.write_bytes(_grey_clip(seconds, size, level, tone))
            clip = clip_json(film, path, seconds, size)
        entry["takes"].append({**take_json(step, number, clip), **told})
    write_manifest(film, sorted(shots.values(), key=lambda shot: str(shot["id"])))
    return film


@functools.cache
def _grey_clip(seconds: int, size: tuple[int, int], level: int, tone: float) -> bytes:
    """The content of a clip, which many films of a process of the suite have."""
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder, "clip.mp4"), seconds=Fraction(seconds), size=size, level=level, tone=tone)
        return clip.read_bytes()


def steps_of(film: ContentRepo) -> tuple[Step, ...]:
    """The takes of the film's storyboard, none of them made."""
    batch, problems = language.compile([film.root / "storyboards/film.yaml"], film.root, language.CompileOptions())
    assert not problems.errors
    return build_plan(
        batch,
        History(),
        ProviderTerms(PAID, load(DEFAULT), Decimal("0.005")),
        RepositoryFiles(lambda _: True),
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


def large_film(tmp_path: Path, shots: int, takes: int) -> ContentRepo:
    """A film of many shots that are all made, with clips that share three files; each take has a hash of its own."""
    prompt = "A long walk through the rain, past lit windows, a dog ahead on the road, slow push in. " * 3
    entries = "".join(
        f'  - {{id: SH{number:04d}, scene: scene {number // 25}, takes: {takes}, prompt: "{number} {prompt}"}}\n'
        for number in range(shots)
    )
    head = "storyboard: 1\ntitle: A long film\ndefaults: {resolution: 480p, duration: 4}\nshots:\n"
    film = content(tmp_path, head + entries)
    film.write("storyboard.toml", 'provider = "kinovi"\n')
    sources = [picture_clip(tmp_path / f"clip-{number}.mp4", number, 1, (160, 90)) for number in range(3)]
    manifest: dict[str, dict[str, Any]] = {}
    for number, step in enumerate(steps_of(film)):
        path = film.root / OUTPUT / "clips" / step.shot.id / f"take-{step.take}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(sources[number % 3], path)
        clip = clip_json(film, path, 1, (160, 90)) | {"sha256": f"{number:064x}"}
        entry = manifest.setdefault(step.shot.id, {"id": step.shot.id, "picked": None, "takes": []})
        entry["takes"].append(take_json(step, number, clip))
    write_manifest(film, list(manifest.values()))
    return film
