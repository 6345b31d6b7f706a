"""A film of 1,000 shots with 3 takes each: the page's size, and how soon it can be used."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.builders.made_films import OUTPUT, large_film
from tests.dailies.conftest import chosen, opened, page_file
from tests.waiting import wait_until


@pytest.mark.long
def test_1000_shots_fit_in_3_mb_and_can_be_used(browser: Browser, tmp_path: Path) -> None:
    film = large_film(tmp_path, 1000, 3)
    address = page_file(film)
    content = (film.root / OUTPUT / "dailies.html").read_bytes()
    assert len(content) <= 3_000_000
    assert content.count(b"data:image/webp") >= 900
    with opened(browser, address) as watched:
        page = watched.page
        wait_until(lambda: page.evaluate("player.deck.video.readyState >= 2"), "the first shot's picture")
        assert page.locator("video").count() <= 12
        page.keyboard.press("j")
        assert chosen(page) == "SH0001"
        page.fill("#search", "SH0999")
        assert page.locator(".shot:visible").count() == 1
        assert watched.errors == []
