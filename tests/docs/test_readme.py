"""The README's first screen is true: its YAML, and the tutorial's, stand in a file, its picture is there and small."""

import re
import tomllib
from pathlib import Path

import pytest

from runner.settings.settings import Flags, read
from tests.docs.pages import ROOT, blocks

README = ROOT / "README.md"


def test_the_yaml_on_the_first_screen_is_a_shot_of_the_example() -> None:
    shown = next(block for block in blocks(README) if block.kind == "yaml")
    assert shown.text in (ROOT / "storyboards/harbour.yaml").read_text("utf-8")
    assert len(shown.text.splitlines()) <= 12


@pytest.mark.parametrize("page", [README, ROOT / "docs/tutorial.md"], ids=lambda page: page.name)
def test_an_excerpt_of_a_storyboard_stands_in_a_file_as_it_is_shown(page: Path) -> None:
    files = [*(ROOT / "storyboards").glob("*.yaml"), *(ROOT / "runner/show/templates").rglob("*.yaml")]
    texts = [path.read_text("utf-8") for path in files]
    excerpts = [block for block in blocks(page) if block.kind == "yaml"]
    assert excerpts
    assert [block.text for block in excerpts if not any(block.text in text for text in texts)] == []


def test_the_contact_sheet_is_there_and_small() -> None:
    picture = re.search(r'<img src="([^"]+)"', README.read_text("utf-8"))
    assert picture is not None
    assert 20_000 < (ROOT / picture[1]).stat().st_size < 250_000


def test_the_settings_shown_are_settings(tmp_path: Path) -> None:
    shown = next(block for block in blocks(README) if block.kind == "toml")
    (tmp_path / "storyboard.toml").write_text(shown.text, "utf-8")
    settings = read(tmp_path, Flags(), {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)})
    assert settings.concurrency == tomllib.loads(shown.text)["providers"]["kinovi"]["concurrency"]
