"""AGENTS.md and llms.txt: an agent that follows them makes a film of five shots, and spends nothing."""

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.paid_providers import paid_provider_name
from runner.show.pages.pages import page_paths
from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host, hosts
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "runner/show/templates/init/AGENTS.md"
MOST_LINES, MOST_COMMANDS = 120, 6


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    with hosts() as start:
        yield start


def loop() -> list[str]:
    """The commands of the loop, as `init` writes them."""
    (block,) = [block for block in blocks(PAGE) if block.kind == "sh"]
    return block.text.replace("PAID_PROVIDER", paid_provider_name()).splitlines()


def film_on_the_page() -> str:
    (block,) = [block for block in blocks(PAGE) if block.kind == "yaml"]
    return block.text


def follow(folder: Path, commands: list[str], host: Host) -> list[str]:
    """Do what the page says, with a key set; returns what each command printed."""
    top = ContentRepo(folder)
    assert top.storyboard("init", "film", **host.env).code == 0
    film = ContentRepo(folder / "film")
    assert (film.root / "AGENTS.md").read_text("utf-8").count("PAID_PROVIDER") == 0
    film.write("storyboards/film.yaml", film_on_the_page())
    outputs = []
    for command in commands:
        done = film.storyboard(*shlex.split(command.removeprefix("storyboard ")), **host.env)
        assert done.code == 0, (command, done.out, done.err)
        outputs.append(done.out)
    return outputs


def test_the_page_is_short_and_its_loop_has_few_commands() -> None:
    assert len(PAGE.read_text("utf-8").splitlines()) <= MOST_LINES
    assert 1 + len(loop()) <= MOST_COMMANDS  # `init` before them
    assert film_on_the_page().count("  - id:") == 5


def test_an_agent_that_follows_the_page_has_a_valid_film_with_its_price(
    tmp_path: Path, host: Callable[..., Host]
) -> None:
    paid = host()
    validated, planned = follow(tmp_path, loop()[:2], paid)
    assert "1 file, 5 shots: nothing is wrong" in validated
    assert "credits" in planned
    assert paid.state["tasks"] == []


@pytest.mark.long
def test_an_agent_that_follows_the_page_has_five_clips_and_spends_nothing(
    tmp_path: Path, host: Callable[..., Host]
) -> None:
    paid = host()
    follow(tmp_path, loop(), paid)
    assert paid.state["tasks"] == []
    assert len(list((tmp_path / "film/renders/film/sandbox/clips").rglob("*.mp4"))) == 5


def test_llms_txt_names_every_page_that_users_need_and_no_other() -> None:
    links = re.findall(r"\]\(([\w-]+)\.md\)", (ROOT / "docs/llms.txt").read_text("utf-8"))
    assert sorted(set(links) | {"reliability"}) == sorted(page_paths())
