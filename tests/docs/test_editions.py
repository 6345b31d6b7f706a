"""The page of editions says what their data files say."""

import re

from runner.editions.edition import DEFAULT, NAMES, load
from runner.editions.model import Model
from tests.docs.pages import ROOT, sections

PAGE = ROOT / "docs/editions.md"


def _table(section: str) -> list[list[str]]:
    rows = re.findall(r"^\|(.*)\|$", sections(PAGE)[section], re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows if not row.startswith("---")]


def test_every_price_is_the_books() -> None:
    [head, *rows] = _table("Credits for each second of a clip")
    documented = {
        (edition, row[0].strip("`")): price
        for row in rows
        for edition, price in zip(head[1:], row[1:], strict=True)
        if price
    }
    booked = {(name, row): str(rate) for name in NAMES for row, rate in load(name).rates.items()}
    assert documented == booked


def test_limits_are_the_editions() -> None:
    [head, *rows] = _table("Limits")
    said = {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}
    for model, column in ((model, column) for name in NAMES for model, column in _columns(name, head)):
        limits, low_high = model.limits, model.limits.video_seconds
        together = limits.videos_seconds or f"{limits.videos_seconds_warn}, a warning above"
        assert said["seconds of a clip"][column] == f"{limits.seconds[0]} to {limits.seconds[1]}"
        assert said["characters of a prompt"][column] == f"{limits.prompt:,}"
        assert said["images, videos, sounds of a shot"][column] == f"{limits.images}, {limits.videos}, {limits.audio}"
        assert (said["a prompt may be left out"][column] == "never") == ("keyframe" in limits.prompt_required)
        assert said["longest life of a task"][column] == f"{model.task_life:,} s"
        if limits.videos:
            assert said["seconds of one video"][column] == f"{low_high[0]} to {low_high[1]}"
            assert said["seconds of the videos together"][column] == str(together)
            assert said["seconds of the sounds together"][column] == str(limits.audio_seconds)


def _columns(edition: str, head: list[str]) -> list[tuple[Model, str]]:
    """The models of an edition with the column of each: one of its own, else the edition's."""
    models = load(edition).model_rows.values()
    return [(model, name if (name := f"{edition} {model.name}") in head else edition) for model in models]


def test_every_edition_is_listed_with_its_date_and_the_default_is_named() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([\d-]+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert rows == {name: load(name).dated for name in NAMES}
    assert f"`{DEFAULT}` | {load(DEFAULT).dated} | the default" in PAGE.read_text("utf-8")
