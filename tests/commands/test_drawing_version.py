"""A free clip holds the version of the drawing that made it; another version's is drawn anew, and the earlier kept."""

import json
import sqlite3

from runner.animatic.drawing_version import DRAWING_VERSION
from runner.store.ledger.file_name import NAME
from tests.builders.content_repo import ContentRepo

FILM = "storyboards/film.yaml"
CURRENT, EARLIER = f'"drawing":{DRAWING_VERSION}', f'"drawing":{DRAWING_VERSION - 1}'


def _as_drawn_by_an_earlier_version(repo: ContentRepo) -> None:
    """Put the version before this one into the ledger, as a run of an earlier program would have left it."""
    with sqlite3.connect(repo.state / NAME) as ledger:
        ledger.execute("UPDATE attempt SET intended = replace(intended, ?, ?)", (CURRENT, EARLIER))


def _reason(repo: ContentRepo) -> tuple[str, str, str]:
    """Action and reason of the first shot's take, as `plan` prints them for programs."""
    plan = repo.storyboard("plan", FILM, "--json")
    assert plan.code == 0, plan.err
    shot = next(shot for shot in plan.json["storyboards"][0]["shots"] if shot["id"] == "quay")
    take = shot["takes"][0]
    return take["action"], take["reason"]["code"], take["reason"]["text"]


def test_a_clip_of_an_earlier_drawing_is_drawn_anew_and_kept(film: ContentRepo) -> None:
    assert film.storyboard("run", FILM, "--no-cut").code == 0
    manifest = film.root / "renders/film/sandbox/manifest.json"
    take = json.loads(manifest.read_text())["shots"][-1]["takes"][0]
    assert take["drawing"] == DRAWING_VERSION
    assert _reason(film)[:2] == ("keep", "made")

    _as_drawn_by_an_earlier_version(film)
    assert _reason(film) == ("make", "drawing-changed", "drawn by an earlier version")
    clip = film.root / "renders/film/sandbox/clips/quay/take-1.mp4"
    before = clip.read_bytes()
    assert film.storyboard("run", FILM, "--no-cut").code == 0

    assert _reason(film)[:2] == ("keep", "made")
    take = json.loads(manifest.read_text())["shots"][-1]["takes"][0]
    assert take["drawing"] == DRAWING_VERSION
    (earlier,) = clip.parent.glob("earlier/*.mp4")
    assert earlier.read_bytes() == before


def test_a_manifest_without_a_version_is_of_an_earlier_drawing(film: ContentRepo) -> None:
    assert film.storyboard("run", FILM, "--no-cut").code == 0
    manifest = film.root / "renders/film/sandbox/manifest.json"
    content = json.loads(manifest.read_text())
    del content["shots"][-1]["takes"][0]["drawing"]
    manifest.write_text(json.dumps(content))
    (film.state / NAME).unlink()
    for leftover in film.state.glob("receipts*"):
        leftover.unlink()
    assert _reason(film)[1] == "drawing-changed"
