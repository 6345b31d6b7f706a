"""A browser for a module's tests, and the film that most of them look at."""

import os
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests import requirements
from tests.builders.content_repo import ContentRepo
from tests.builders.made_films import OUTPUT, filmed
from tests.builders.running_commands import RunningCommand

_FLAGS = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required")
FILM = """\
storyboard: 1
title: The last ferry
length: 8
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  wool: {words: a coat of grey wool}
shots:
  - {id: quay, scene: harbour, tags: [wide, dawn], title: Sunrise, prompt: "Sunrise over the quay, gulls", takes: 3}
  - {id: boats, scene: harbour, tags: [wide], prompt: "Boats leave the harbour one after the other"}
  - {id: enter, scene: kitchen, prompt: "She pushes the door open, in @wool, cold light on the floor", takes: 2}
  - {id: tea, scene: kitchen, tags: [close], prompt: "Steam over a cup of tea"}
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium for one module: its event loop must be gone when the tests of another module run."""
    path = requirements.chromium()
    home: dict[str, str | float | bool] = {
        "HOME": str(tmp_path_factory.mktemp("browser")),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
    }
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_FLAGS), env=home)
        yield chromium
        chromium.close()


class Watched:
    """What a page asked for and said, while a test looks at it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.addresses: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.addresses.append(request.url))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)


@contextmanager
def opened(
    browser: Browser, address: str, size: tuple[int, int] = (1280, 800), scheme: str = "light"
) -> Iterator[Watched]:
    """A window that shows the dailies, ready for keys."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    watched = Watched(context.new_page())
    watched.page.goto(address)
    yield watched
    context.close()


@contextmanager
def served(film: ContentRepo, *words: str, **env: str) -> Iterator[str]:
    """The address that `dailies --serve` prints first."""
    process = film.start("dailies", "storyboards/film.yaml", "--serve", *words, **env)
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        match = re.fullmatch(r"dailies  (http://127\.0\.0\.1:\d+/\?token=\S+)\n", first)
        assert match is not None, (first, process.stderr.read() if process.stderr else "")
        yield match[1]
    finally:
        stop(process)


def stop(process: RunningCommand) -> int:
    """End a server as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    return process.wait()


def page_file(film: ContentRepo, words: Sequence[str] = ()) -> str:
    """The address of the page as a file, written now."""
    result = film.storyboard("dailies", "storyboards/film.yaml", *words)
    assert result.code in (0, 1), result.err
    return (film.root / OUTPUT / "dailies.html").as_uri()


def chosen(page: Page) -> str | None:
    """The chosen shot, as the page marks it."""
    return page.locator(".shot.is-chosen").get_attribute("data-shot")


@pytest.fixture(scope="module")
def ferry(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    """Four shots with seven takes, all made, none picked."""
    return filmed(tmp_path_factory.mktemp("ferry"), FILM, seconds=4)


@pytest.fixture
def own_ferry(tmp_path: Path) -> ContentRepo:
    """The same film for one test that changes it, with clips of one second."""
    return filmed(tmp_path, FILM)
