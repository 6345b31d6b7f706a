"""How the page looks: reference pictures in three widths, dark and light, of an empty film and of one with failures.

    REWRITE=1 python -m pytest tests/dailies/test_screenshots.py -m ""      draws them anew; look at each

They are compared only with the browser and the fonts that drew them, which `screenshots/versions.json` names.
"""

import io
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Browser

from runner.planning.plan import Step
from tests import requirements
from tests.builders.content_repo import ContentRepo
from tests.builders.made_films import filmed, refused, write_manifest
from tests.dailies.conftest import opened, page_file
from tests.waiting import wait_until

FOLDER = Path(__file__).parent / "screenshots"
MOST_DIFFERENT = 0.005
"""The part of the pixels that may differ."""
SIZES = {360: (360, 780), 820: (820, 1100), 1440: (1440, 900)}
BOARD = """\
storyboard: 1
title: The last ferry
length: 30
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  maria: {words: "a woman of sixty, short grey hair, a coat of heavy wool"}
shots:
  - {id: SH010, scene: quay, tags: [wide, dawn], title: The ferry waits, takes: 3,
     prompt: "Wide: the ferry at the quay before sunrise, its deck lights on, gulls over the ramp. Slow push in."}
  - {id: SH020, scene: quay, tags: [two-shot], title: Tickets, takes: 2,
     prompt: "@maria buys a ticket from the man in the booth, her breath in the cold air."}
  - {id: SH030, scene: quay, prompt: "Close: the ticket between her fingers, wind tears at it.", seconds: 2.5}
  - {id: SH040, scene: on board, tags: [wide], takes: 2,
     prompt: "@maria alone at the railing, the quay grows small behind her."}
  - {id: SH050, scene: on board, prompt: "Her face in the window of the saloon, the lights of the coast behind."}
"""


def fate(step: Step) -> Mapping[str, Any] | None:
    """What happened to each take of the film with failures."""
    if step.shot.id == "SH030":
        return refused("Face detected in uploaded media")
    if step.key[1:] == ("SH040", 2):
        return {"status": "unsettled", "task_id": None, "clip": None, "credits": {"quoted": 60, "used": None}}
    return None if step.shot.id == "SH050" else {}


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ContentRepo]:
    failed = filmed(tmp_path_factory.mktemp("failed"), BOARD, fate, seconds=4, size=(480, 270), has_pictures=True)
    shots = failed.manifest(variant="kinovi")["shots"]
    take = shots[0]["takes"][1]
    shots[0]["picked"] = {name: take[name] for name in ("take", "fingerprint", "task_id")} | {"at": take["created_at"]}
    shots[0]["notes"] = [{"at": "2026-11-21T12:10:00.000Z", "take": 2, "text": "The push in begins too early."}]
    write_manifest(failed, shots)
    return {"failed": failed, "empty": filmed(tmp_path_factory.mktemp("empty"), BOARD, lambda _: None)}


@pytest.fixture(scope="module")
def versions(browser: Browser) -> dict[str, str]:
    fonts = subprocess.run(
        [requirements.command("fc-match"), "system-ui", "file", "fontversion"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {"chromium": browser.version, "fonts": fonts.stdout.strip()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("kind", "width"),
    [
        ("failed", 1440),
        *(
            pytest.param(*each, marks=pytest.mark.long)
            for each in (("failed", 360), ("failed", 820), ("empty", 360), ("empty", 820), ("empty", 1440))
        ),
    ],
)
def test_the_page_looks_as_it_did(
    browser: Browser, films: dict[str, ContentRepo], versions: dict[str, str], kind: str, width: int, scheme: str
) -> None:
    path = FOLDER / f"{kind}-{width}-{scheme}.png"
    is_rewritten = bool(os.environ.get("REWRITE"))
    if not is_rewritten:
        requirements.same_pictures(json.loads((FOLDER / "versions.json").read_text("utf-8")), versions)
    with opened(browser, page_file(films[kind]), SIZES[width], scheme) as watched:
        page = watched.page
        if kind == "failed":
            wait_until(lambda: page.evaluate("player.deck.video.readyState >= 2"), "the first picture")
        page.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => null)))")
        present = page.screenshot(animations="disabled", caret="hide")
    if is_rewritten:
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(present)
        (FOLDER / "versions.json").write_text(json.dumps(versions, indent=1) + "\n", "utf-8")
        return
    with Image.open(path) as before, Image.open(io.BytesIO(present)) as now:
        assert now.size == before.size
        difference = (
            ImageChops.difference(before.convert("RGB"), now.convert("RGB"))
            .convert("L")
            .point(lambda level: 255 * (level > 24))
        )
        share = difference.histogram()[255] / (now.width * now.height)
    assert share <= MOST_DIFFERENT, f"{share:.2%} of the pixels differ from {path.name}"


def test_there_are_twelve_reference_pictures_with_their_versions() -> None:
    names = {
        f"{kind}-{width}-{scheme}.png"
        for kind in ("failed", "empty")
        for width in SIZES
        for scheme in ("light", "dark")
    }
    assert {path.name for path in FOLDER.glob("*.png")} == names
    assert json.loads((FOLDER / "versions.json").read_text("utf-8")).keys() == {"chromium", "fonts"}
