"""Two windows, a run and the command line at once: no pick is lost; and a take appears while a run works."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests import requirements
from tests.builders.content_repo import ContentRepo, content
from tests.commands.conftest import Host, hosts
from tests.dailies.conftest import opened, served, stop
from tests.dailies.test_served import Window, picks, window
from tests.waiting import wait_until

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9, takes: 2}
shots:
  - {id: quay, prompt: Sunrise over the quay}
  - {id: boats, prompt: Boats leave the harbour}
  - {id: enter, prompt: She pushes the door open}
"""


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosts() as start:
        yield start(seconds="0.05")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, host: Host) -> ContentRepo:
    film = content(tmp_path_factory.mktemp("races"), FILM)
    film.write("storyboard.toml", 'provider = "kinovi"\n')
    assert film.storyboard("run", "storyboards/film.yaml", "--yes", "--quiet", **host.env).code == 0
    return film


def pick(browser: Window, shot: str, take: int) -> None:
    answer = browser.post("pick", shot=shot, take=take)
    assert answer.status_code == 200, answer.text


def one_race(film: ContentRepo, host: Host, windows: list[Window], number: int) -> None:
    """Each party picks a take of its own shot, in an order of chance, while a run makes another shot."""
    choice = random.Random(number)
    takes = {shot: choice.randint(1, 2) for shot in ("quay", "boats", "enter")}
    film.write("storyboards/film.yaml", FILM + f"  - {{id: new-{number}, prompt: Wave {number}, takes: 1}}\n")
    commands: dict[str, Any] = {
        "quay": lambda: pick(windows[0], "quay", takes["quay"]),
        "boats": lambda: pick(windows[1], "boats", takes["boats"]),
        "enter": lambda: film.storyboard("pick", "enter", str(takes["enter"]), **host.env),
        "run": lambda: film.storyboard("run", "storyboards/film.yaml", "--yes", "--quiet", **host.env),
    }
    names = choice.sample(list(commands), k=4)
    with ThreadPoolExecutor(4) as pool:
        results = {name: pool.submit(commands[name]) for name in names}
    outcomes = {name: result.result() for name, result in results.items()}
    assert outcomes["run"].code == outcomes["enter"].code == 0, (outcomes["run"].err, outcomes["enter"].err)
    assert picks(film) == takes, number
    made = {shot["id"] for shot in film.manifest(variant="kinovi")["shots"] if shot["takes"]}
    assert f"new-{number}" in made


def test_a_server_that_works_on_keeps_no_ledger_open(film: ContentRepo, host: Host) -> None:
    process = film.start("dailies", "storyboards/film.yaml", "--serve", **host.env)
    assert process.stdout is not None
    files, counts = requirements.kernel_file(f"/proc/{process.pid}/fd"), []
    with window(process.stdout.readline().split()[1]) as browser:
        for _ in range(3):
            for take in (1, 2):
                pick(browser, "quay", take)
                browser.film()
            counts.append(len(list(files.iterdir())))
    assert stop(process) == 0
    assert max(counts) <= counts[0] + 1, counts


@pytest.mark.parametrize("races", [range(2), pytest.param(range(2, 102), marks=pytest.mark.long)])
def test_two_windows_a_run_and_the_command_line_lose_no_pick(film: ContentRepo, host: Host, races: range) -> None:
    with served(film, **host.env) as address, window(address) as first, window(address) as second:
        for number in races:
            one_race(film, host, [first, second], number)


def test_a_finished_take_and_a_pick_elsewhere_appear_in_an_open_page(
    browser: Browser, film: ContentRepo, host: Host
) -> None:
    film.write("storyboards/film.yaml", FILM + "  - {id: late, prompt: A late wave, takes: 1}\n")
    with served(film, **host.env) as address, opened(browser, address) as one, opened(browser, address) as other:
        wait_until(lambda: other.page.locator("[data-shot=late] .is-missing").count() == 1, "the missing shot")
        assert film.storyboard("run", "storyboards/film.yaml", "--yes", "--quiet", **host.env).code == 0
        wait_until(lambda: other.page.locator("[data-shot=late] .take:not(.is-missing)").count() == 1, "the clip")
        one.page.locator("[data-shot=boats]").click()
        one.page.keyboard.press("2")
        wait_until(lambda: picks(film).get("boats") == 2, "the pick in the manifest")
        wait_until(lambda: other.page.locator("[data-shot=boats] .is-picked").count() == 1, "the pick elsewhere")
        one.page.keyboard.press("n")
        one.page.keyboard.type("too slow")
        one.page.keyboard.press("Control+Enter")
        wait_until(lambda: "too slow" in str(film.manifest(variant="kinovi")), "the note in the manifest")
        assert one.errors == other.errors == []
