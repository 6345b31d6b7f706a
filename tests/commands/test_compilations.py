"""How often a command compiles its storyboards: the cheaper alternatives need each profile, and it is compiled once."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from runner.language.compiler import compile as compile_batch
from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
PROFILES = "profiles: {draft: {resolution: 480p}, tall: {aspect_ratio: '9:16'}}\ntitle:"
NOWHERE = Host("http://127.0.0.1:9")


@contextmanager
def compilations() -> Iterator[Counter[str | None]]:
    """Counts the compilations of each profile."""
    count: Counter[str | None] = Counter()

    def on_call(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code is compile_batch.__code__:
            count[frame.f_locals["options"].profile] += 1

    previous = sys.getprofile()
    sys.setprofile(on_call)
    try:
        yield count
    finally:
        sys.setprofile(previous)


def film_of_profiles(paid_film: ContentRepo, budget: str = "") -> None:
    text = (paid_film.root / FILM).read_text().replace("title:", budget + PROFILES)
    paid_film.write(FILM, text)


@pytest.mark.parametrize(
    ("budget", "screen"), [("", "cheaper"), ("budget: {credits: 100}\n", "a run stops with exit 4")]
)
def test_a_plan_compiles_each_profile_once(paid_film: ContentRepo, budget: str, screen: str) -> None:
    film_of_profiles(paid_film, budget)
    with compilations() as count:
        said = paid_film.in_process("plan", FILM, "--provider", "kinovi")
    assert screen in said.out, said.err
    assert count == {None: 1, "draft": 1, "tall": 1}


def test_a_plan_of_a_profile_compiles_its_combinations_once(paid_film: ContentRepo) -> None:
    film_of_profiles(paid_film)
    with compilations() as count:
        paid_film.in_process("plan", FILM, "--provider", "kinovi", "--profile", "tall")
    assert count == {"tall": 1, "tall+draft": 1}


def test_a_refused_run_compiles_each_profile_once(paid_film: ContentRepo) -> None:
    film_of_profiles(paid_film, "budget: {credits: 100}\n")
    with compilations() as count:
        said = paid_film.in_process("run", FILM, "--yes", **NOWHERE.env)
    assert said.code == 4
    assert count == {None: 1, "draft": 1, "tall": 1}
