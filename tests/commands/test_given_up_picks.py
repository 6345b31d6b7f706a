"""Picks that a change gives up: `plan` and `diff` name the `keep` that holds them, as it can be typed."""

import re
import shlex
from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

BOARD = "storyboards/film.yaml"
TEXT = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
profiles:
  tall: {aspect_ratio: 9:16}
  wide: {aspect_ratio: 21:9}
shots:
  - {id: quay, prompt: Tulips on the quay, takes: 2}
  - {id: boats, prompt: Boats with tulips, takes: 2}
"""
PROFILES = ("--profile", "tall", "--profile", "wide")
PAID = ("--provider", "kinovi")


@pytest.fixture
def there(paid_film: ContentRepo, host: Callable[..., Host]) -> Host:
    """A host at which both films were made, and whose picks the present words give up."""
    host_of_film = host()
    env = paid(host_of_film)
    paid_film.write(BOARD, TEXT)
    paid_film.git("commit", "-qam", "Two films")
    assert paid_film.storyboard("run", BOARD, "--no-cut", "--yes", *PAID, *PROFILES, **env).code == 0
    for shot, profile in (("quay", "tall"), ("boats", "tall"), ("quay", "wide")):
        assert paid_film.storyboard("pick", shot, "2", *PAID, "--profile", profile, **env).code == 0
    paid_film.write(BOARD, TEXT.replace("ulips", "owers").replace("Towers", "Flowers"))
    return host_of_film


def paid(there: Host) -> dict[str, str]:
    """The environment of the paid host, which a command line chooses."""
    return {name: value for name, value in there.env.items() if name != "STORYBOARD_PROVIDER"}


TALL = "storyboard keep quay boats --provider kinovi --profile tall"
WIDE = "storyboard keep quay --provider kinovi --profile wide"


def words(*command: str) -> tuple[str, ...]:
    return (*command, *PAID, *PROFILES)


def test_each_profile_has_a_command_of_its_own(paid_film: ContentRepo, there: Host) -> None:
    env = paid(there)
    shown = paid_film.storyboard(*words("diff", "HEAD"), **env)
    assert "gives up 3 picks, unless the clips at hand are kept:" in shown.out, shown.err
    assert [line.strip() for line in shown.out.splitlines()[-2:]] == [TALL, WIDE]
    comment = paid_film.storyboard(*words("diff", "HEAD", "--format", "markdown"), **env).out
    assert f"Gives up 3 picks, unless the clips at hand are kept: `{TALL}`, `{WIDE}`" in comment
    plan = " ".join(paid_film.storyboard(*words("plan", BOARD), **env).out.split())
    assert f"unless `{TALL}` and `{WIDE}`" in plan


def test_typed_as_it_stands_there_the_command_keeps_the_picks(paid_film: ContentRepo, there: Host) -> None:
    env = paid(there)
    comment = paid_film.storyboard(*words("diff", "HEAD", "--format", "markdown"), **env).out
    for command in re.findall("`(storyboard keep [^`]+)`", comment):
        kept = paid_film.storyboard(*shlex.split(command)[1:], **env)
        assert kept.code == 0, kept.err
    shown = paid_film.storyboard(*words("diff", "HEAD"), **env)
    assert "gives up" not in shown.out
    assert "draws" not in shown.out


def test_of_several_storyboards_the_shot_is_named_with_its_storyboard(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    env = host().env
    text = TEXT.replace("  - {id: boats", "  - {id: pier")
    paid_film.write(BOARD, text)
    paid_film.write("storyboards/other film.yaml", text.replace("Tulips on", "Roses on"))
    paid_film.git("add", ".")
    paid_film.git("commit", "-qm", "Two storyboards")
    assert paid_film.storyboard("run", "storyboards", "--yes", **env).code == 0
    assert paid_film.storyboard("pick", '"other film:quay"', "1", **env).code == 0
    paid_film.write("storyboards/other film.yaml", text.replace("Tulips on", "Lilies on"))
    shown = paid_film.storyboard("diff", "HEAD", **env)
    command = shown.out.splitlines()[-1].strip()
    assert command == "storyboard keep '\"other film:quay\"'", shown.out
    assert paid_film.storyboard(*shlex.split(command)[1:], **env).code == 0
    assert "gives up" not in paid_film.storyboard("diff", "HEAD", **env).out
