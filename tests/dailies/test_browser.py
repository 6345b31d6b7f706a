"""The page in a real browser, as a file and served: keys, playing, comparing, and no word to another host."""

import random
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.builders.content_repo import ContentRepo
from tests.builders.made_films import filmed, refused
from tests.dailies.conftest import FILM, Watched, chosen, opened, page_file, served
from tests.waiting import wait_until

MEDIA_TIMES = "[...document.querySelectorAll('video')].map((video) => Number(video.dataset.mediaTime))"


@pytest.fixture(scope="module")
def page(browser: Browser, ferry: ContentRepo) -> Iterator[Page]:
    """A window with the page as a file, for tests that change nothing on the disk."""
    with opened(browser, page_file(ferry)) as watched:
        yield watched.page


@pytest.fixture
def fresh(page: Page) -> Page:
    """The same window, at the first shot again."""
    page.goto(page.url.partition("#")[0])
    page.reload()
    wait(page, "player.hasVideo && !player.isPlaying && document.querySelector('.is-chosen')")
    return page


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    """A film whose scene and tag are as wide as the fields in which they are chosen may be."""
    board = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
shots:
  - {id: quay, scene: the harbour before sunrise, tags: [establishing shot from above], takes: 2, prompt: The quay}
  - {id: boats, scene: the harbour before sunrise, prompt: Boats leave}
"""
    return filmed(tmp_path_factory.mktemp("names"), board)


OTHER_WINDOWS = [(360, "light"), (820, "light"), (360, "dark"), (820, "dark"), (1440, "dark")]


def wait(page: Page, expression: str) -> None:
    """Return once an expression holds; the page's own policy forbids what playwright would wait with."""
    wait_until(lambda: bool(page.evaluate(f"Boolean({expression})")), expression)


@pytest.mark.parametrize("way", ["file", "served"])
def test_the_page_works_without_an_error_and_without_another_host(
    browser: Browser, ferry: ContentRepo, way: str
) -> None:
    with ExitStack() as stack:
        address = page_file(ferry) if way == "file" else stack.enter_context(served(ferry))
        watched: Watched = stack.enter_context(opened(browser, address))
        page = watched.page
        wait(page, "player.deck.video.readyState >= 2")
        for key in ("j", "k", "l", "c", "c", ".", " ", " ", "/"):
            page.keyboard.press(key)
        page.mouse.move(400, 400)
        page.locator(".take").nth(3).click()
        wait(page, "state.shot === 'boats' && player.deck.video.readyState >= 2")
        assert watched.errors == []
        hosts = {urlsplit(seen).netloc for seen in watched.addresses if not seen.startswith("data:")}
        assert hosts == {urlsplit(address).netloc}
        assert page.locator("video").count() <= 12
        assert "token" not in page.url


def test_the_first_shot_has_the_focus_and_every_key_does_what_the_help_says(fresh: Page) -> None:
    page, press = fresh, fresh.keyboard.press
    assert page.evaluate("document.activeElement.dataset.shot") == chosen(page) == "quay"
    press("j")
    assert chosen(page) == "boats"
    press("k")
    assert chosen(page) == "quay"
    press("l")
    assert page.evaluate("state.take") == 2
    press("h")
    assert page.evaluate("state.take") == 1
    wait(page, "player.deck.video.readyState >= 2")
    press(" ")
    wait(page, "player.isPlaying && player.deck.video.currentTime > 0.2")
    press(" ")
    wait(page, "!player.isPlaying && player.deck.video.paused")
    page.evaluate("player.seek(1)")
    wait(page, "Math.abs(Number(player.deck.video.dataset.mediaTime) - 1) < 0.03")
    press(".")
    wait(
        page, "Number(player.deck.video.dataset.mediaTime) > 1.03 && Number(player.deck.video.dataset.mediaTime) < 1.07"
    )
    press(",")
    wait(page, "Math.abs(Number(player.deck.video.dataset.mediaTime) - 1) < 0.03")
    press("3")
    assert page.evaluate("state.take") == 3
    assert "storyboard pick film:quay 3" in page.inner_text("#toast")
    press("0")
    assert "storyboard pick film:quay none" in page.inner_text("#toast")
    press("c")
    wait(page, "player.other && player.other.take === 1")
    press("c")
    wait(page, "player.other && player.other.take === 2")
    press("c")
    wait(page, "!player.other")
    press("n")
    page.keyboard.type("her coat j")
    press("Escape")
    assert page.input_value("#note") == ""
    press("/")
    page.keyboard.type("kitchen tea")
    assert page.locator(".shot:visible").count() == 1
    page.fill("#search", "")
    press("Escape")
    press("?")
    assert page.locator("#help").is_visible()
    names = page.locator("#help-keys dt").all_inner_texts()
    assert [name.strip() for name in names] == ["j", "k", "l", "h", "space", ",", ".", "1 – 9", "0", "c", "n", "/", "?"]
    press("Escape")
    assert page.locator("#help").is_hidden()


def test_a_message_without_a_command_is_its_words_alone(fresh: Page) -> None:
    fresh.keyboard.press("9")
    assert re.fullmatch(r"\S+ has no take 9\.", fresh.inner_text("#toast"))


def test_the_film_plays_through_from_any_shot(fresh: Page) -> None:
    page = fresh
    page.locator("[data-shot=enter] .take").first.click()
    page.evaluate("player.seek(3.6)")
    page.keyboard.press(" ")
    wait(page, "state.shot === 'tea' && player.deck.video.currentTime > 0.1")
    assert page.evaluate("player.piece.segment") == 3
    page.keyboard.press(" ")


def test_the_address_brings_back_what_was_seen(browser: Browser, ferry: ContentRepo) -> None:
    with opened(browser, f"{page_file(ferry)}#shot=enter&take=2&compare=1&at=1.500&scene=kitchen") as watched:
        page = watched.page
        wait(page, "player.other && Math.abs(player.deck.video.currentTime - 1.5) < 0.05")
        assert page.evaluate("[state.shot, state.take, state.compare]") == ["enter", 2, 1]
        assert page.locator(".shot:visible").count() == 2
        page.select_option("#scene", "")
        wait(page, "!location.hash.includes('scene') && location.hash.includes('compare=1')")


@pytest.mark.parametrize("seeks", [10, pytest.param(50, marks=pytest.mark.long)])
def test_compared_takes_stand_on_the_same_picture_after_any_seek(fresh: Page, seeks: int) -> None:
    page, choice = fresh, random.Random(7)
    page.keyboard.press("c")
    wait(page, "player.other && player.back.video.readyState >= 2 && player.deck.video.readyState >= 2")
    for _ in range(seeks):
        seconds = choice.uniform(0, 3.9)
        page.evaluate(f"player.seek({seconds})")
        first, second = page.evaluate(MEDIA_TIMES)
        assert abs(first - second) < 0.042, seconds
        assert abs(first - seconds) < 0.06, seconds
    heard = page.evaluate("player.decks.filter((deck) => !deck.video.muted).length")
    assert heard == 1


def test_filters_leave_what_fits_and_say_when_nothing_does(fresh: Page) -> None:
    page = fresh
    page.select_option("#tag", "wide")
    assert page.locator(".shot:visible").count() == 2
    assert page.inner_text("#count") == "2 of 4 shots"
    page.select_option("#scene", "kitchen")
    assert page.inner_text("#nothing") == "No shot fits these filters."


def test_words_that_changed_on_the_way_are_marked(fresh: Page) -> None:
    fresh.locator("[data-shot=enter]").click()
    assert fresh.locator(".prompts del").all_text_contents() == ["@wool, "]
    assert fresh.locator(".prompts ins").all_text_contents() == ["wool (a coat of grey wool), "]


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(1440, "light"), *(pytest.param(*each, marks=pytest.mark.long) for each in OTHER_WINDOWS)],
)
def test_axe_finds_nothing(browser: Browser, ferry: ContentRepo, tmp_path: Path, width: int, scheme: str) -> None:
    film = filmed(tmp_path, FILM, lambda step: refused("Face detected") if step.shot.id == "boats" else {})
    with opened(browser, page_file(film), (width, 800), scheme) as watched:
        wait(watched.page, "document.querySelector('.is-chosen')")
        for press in ("", "j", "?"):
            if press:
                watched.page.keyboard.press(press)
            violations: list[Any] = Axe().run(watched.page).response["violations"]
            assert [(found["id"], [node["html"][:120] for node in found["nodes"]]) for found in violations] == []


HOSTILE = """\
storyboard: 1
title: "</title><script>window.hit = 1</script>"
defaults: {resolution: 480p, duration: 4}
shots:
  - {id: quay, scene: "<img src=x onerror=window.hit=1>", title: "</script><script>window.hit=1</script>",
     tags: ["'\\"><svg-onload=window.hit=1>"], prompt: "<b onclick=window.hit=1>javascript:window.hit=1</b> &lt;i&gt;"}
"""


def test_hostile_titles_prompts_and_vendor_texts_are_text(browser: Browser, tmp_path: Path) -> None:
    film = filmed(tmp_path, HOSTILE, lambda step: refused("</script><img src=x onerror=window.hit=1>"))
    with opened(browser, page_file(film)) as watched:
        page = watched.page
        assert page.inner_text("h1") == "</title><script>window.hit = 1</script>"
        assert page.inner_text("blockquote") == "</script><img src=x onerror=window.hit=1>"
        assert "<b onclick=window.hit=1>" in page.inner_text(".prompt")
        assert page.evaluate("window.hit") is None
        assert page.locator("svg-onload, img[onerror], b").count() == 0
        assert watched.errors == []


def test_a_page_without_a_clip_says_so(browser: Browser, tmp_path: Path) -> None:
    film = filmed(tmp_path, FILM, lambda _: None)
    with opened(browser, page_file(film)) as watched:
        assert watched.page.locator(".take.is-missing").count() == 7
        assert watched.page.inner_text("#slate-reason") == "new"
        watched.page.keyboard.press(" ")
        wait(watched.page, "player.slateSeconds > 0.1")
        assert watched.errors == []


def test_every_picture_of_a_drawn_clip_says_that_it_is_an_animatic(browser: Browser, ferry: ContentRepo) -> None:
    with opened(browser, page_file(ferry)) as watched:
        page = watched.page
        assert page.locator(".animatic:visible").count() == 0
        page.evaluate("renew({...film, animatics: true})")
        page.evaluate("drawShots(); choose('quay', 1)")
        assert page.locator(".frame .animatic").count() == page.locator(".frame img").count() == 7
        wait(page, "!document.querySelector('.deck:not([hidden]) .animatic').hidden")


@pytest.mark.parametrize("width", [360, 1024, 1440, 1920])
def test_the_picture_has_a_large_part_of_any_window_and_nothing_stands_beyond_it(
    browser: Browser, ferry: ContentRepo, width: int
) -> None:
    with opened(browser, page_file(ferry), (width, 1080)) as watched:
        page = watched.page
        wait(page, "player.deck.video.readyState >= 2")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.querySelector('.screen').clientWidth") >= width * 0.35
        if width == 1920:
            assert page.evaluate("document.querySelector('.screen').clientWidth") >= 900


ALL_FILTERS = ["search", "scene", "tag", "state", "count", "keys"]


@pytest.mark.parametrize(
    ("width", "keys", "rows"),
    [
        pytest.param(1280, "/quay", [ALL_FILTERS], id="a search"),
        pytest.param(1280, "c", [["search", "count"], ["scene", "tag", "state", "keys"]], id="takes compared"),
        pytest.param(1100, "", [["search", "count"], ["scene", "tag", "state", "keys"]], id="a narrow list"),
        pytest.param(820, "/quay", [ALL_FILTERS], id="the player above the list"),
    ],
)
def test_the_filters_stand_in_one_line_or_the_search_stands_above_them(
    browser: Browser, long_names: ContentRepo, width: int, keys: str, rows: list[list[str]]
) -> None:
    with opened(browser, page_file(long_names), (width, 800)) as watched:
        for key in keys:
            watched.page.keyboard.press(key)
        # Those of a line are as high as each other, and the count stands at the middle of its line.
        middles = watched.page.evaluate(
            """[...document.querySelectorAll('#filters > *')].map((field) => {
                const box = field.getBoundingClientRect();
                return [field.id, Math.round((box.top + box.bottom) / 2)];
            })"""
        )
        lines = sorted({middle for _, middle in middles})
        assert [[name for name, middle in middles if middle == line] for line in lines] == rows


def test_on_paper_all_shots_stand_without_the_player_and_without_a_chosen_one(
    browser: Browser, ferry: ContentRepo
) -> None:
    with opened(browser, page_file(ferry), (760, 1080), "dark") as watched:
        page = watched.page
        page.emulate_media(media="print", color_scheme="dark")
        assert [page.locator(part).is_visible() for part in (".stage", ".filters")] == [False, False]
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        colours = "[...document.querySelectorAll('.shot')].map((shot) => getComputedStyle(shot).borderTopColor)"
        assert set(page.evaluate(colours)) == {"rgb(187, 187, 187)"}
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "none"


def test_a_card_has_the_finished_prompt_and_the_seconds_that_the_film_shows(browser: Browser, tmp_path: Path) -> None:
    board = FILM.replace("a cup of tea", "a cup of {{ drink }}") + (
        "vars: {drink: tea}\ncut: [quay, {shot: tea, seconds: 1}, {shot: tea, in: 2, seconds: 1.5}]\n"
    )
    with opened(browser, page_file(filmed(tmp_path, board, seconds=4))) as watched:
        card = watched.page.locator("[data-shot=tea]")
        assert card.locator(".prompt").inner_text() == "Steam over a cup of tea"
        assert card.locator(".seconds").inner_text() == "2.5 s"
        watched.page.evaluate("choose('tea', 1)")
        assert "{{ drink }}" in watched.page.inner_text(".prompts")
        assert "2.5 s of a clip of 4 s" in watched.page.inner_text(".details")


@pytest.mark.parametrize("takes", [1, 2])
def test_a_prompt_that_is_cut_ends_with_its_last_whole_line(browser: Browser, tmp_path: Path, takes: int) -> None:
    board = FILM.replace("Steam over a cup of tea", "Steam over a cup of tea, " * 40).replace(
        "id: tea,", f"id: tea, takes: {takes},"
    )
    with opened(browser, page_file(filmed(tmp_path, board)), (1440, 900)) as watched:
        prompt = watched.page.locator("[data-shot=tea] .prompt")
        prompt.scroll_into_view_if_needed()
        lines = prompt.evaluate("each => each.clientHeight / parseFloat(getComputedStyle(each).lineHeight)")
    assert round(lines, 1) == {1: 4, 2: 2}[takes]
