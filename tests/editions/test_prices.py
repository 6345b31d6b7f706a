"""The price book: every combination, what it does not know, and an account's own rates."""

from decimal import Decimal

import pytest

from runner.editions.edition import NAMES, load, price_table, with_prices
from runner.requests.request import RemoteFile, Request, ResolvedTake, TakeReference, neutral_form

CLIP = RemoteFile("https://cdn.example.com/waltz.mp4", "video", Decimal(6))


def nothing(material: TakeReference) -> ResolvedTake:
    """No request here is made from another take."""
    raise AssertionError(material)


def asked(model: str, resolution: str, seconds: int = 5, *, upscale: str | None = None, video: bool = False) -> Request:
    materials = (CLIP,) if video else ()
    return Request(model, resolution, seconds, "16:9", "text", "Sunrise", materials, upscale)


# edition, model, resolution, upscale, with a reference video, credits for 5 seconds; read off the pages, by hand
PAGES = [
    ("classic", "seedance-20", "480p", None, False, 75),
    ("classic", "seedance-20", "720p", None, False, 200),
    ("classic", "seedance-20", "1080p", None, False, 415),
    ("classic", "seedance-20", "480p", "4k", False, 215),
    ("classic", "seedance-20", "720p", "4k", False, 340),
    ("classic", "seedance-20", "1080p", "4k", False, 555),
    ("classic", "seedance-20", "720p", None, True, 200),
    ("classic", "seedance2-fast", "480p", None, False, 50),
    ("classic", "seedance2-fast", "720p", None, False, 140),
    ("classic", "seedance2-fast", "1080p", None, False, None),
    ("classic", "seedance2-fast", "480p", "4k", False, 190),
    ("classic", "seedance2-fast", "720p", "4k", False, 280),
    ("classic", "seedance-20", "4k", None, False, None),
    ("classic", "seedance-20", "720p", "8k", False, None),
    ("2026-09", "seedance-20", "480p", None, False, 75),
    ("2026-09", "seedance-20", "720p", None, False, 200),
    ("2026-09", "seedance-20", "1080p", None, False, 450),
    ("2026-09", "seedance-20", "4k", None, False, 1000),
    ("2026-09", "seedance-20", "480p", None, True, 95),
    ("2026-09", "seedance-20", "720p", None, True, 240),
    ("2026-09", "seedance-20", "1080p", None, True, 540),
    ("2026-09", "seedance-20", "4k", None, True, 1200),
    ("2026-09", "seedance2-fast", "480p", None, False, 70),
    ("2026-09", "seedance2-fast", "720p", None, False, 140),
    ("2026-09", "seedance2-fast", "1080p", None, False, None),
    ("2026-09", "seedance2-fast", "4k", None, False, None),
    ("2026-09", "seedance2-fast", "480p", None, True, 90),
    ("2026-09", "seedance2-fast", "720p", None, True, 170),
    ("2026-09", "seedance2-fast", "1080p", None, True, None),
    ("2026-09", "seedance-20", "720p", "4k", False, None),
    ("pro-site", "seedance-20", "720p", None, False, 200),
    ("pro-site", "seedance-20", "1080p", None, False, None),
    ("pro-site", "seedance2-fast", "720p", None, False, None),
]


@pytest.mark.parametrize(("edition", "model", "resolution", "upscale", "video", "credits"), PAGES)
def test_a_combination_costs_what_the_pages_say_and_an_unknown_one_nothing_is_said_of(
    edition: str, model: str, resolution: str, upscale: str | None, video: bool, credits: int | None
) -> None:
    request = asked(model, resolution, upscale=upscale, video=video)
    price = load(edition).price(request)

    assert price.credits == credits
    assert load(edition).price_row(neutral_form(request, 1, nothing)) == price.row


@pytest.mark.parametrize(("seconds", "credits"), [(4, 160), (5, 200), (8, 320), (10, 400), (15, 600)])
def test_the_tables_of_durations_hold(seconds: int, credits: int) -> None:
    for edition in NAMES:
        assert load(edition).price(asked("seedance-20", "720p", seconds)).credits == credits


@pytest.mark.parametrize(("seconds", "pro", "fast"), [(4, 272, 224), (5, 340, 280), (10, 680, 560), (15, 1020, 840)])
def test_the_tables_of_upscaled_durations_hold(seconds: int, pro: int, fast: int) -> None:
    book = load("classic")

    assert book.price(asked("seedance-20", "720p", seconds, upscale="4k")).credits == pro
    assert book.price(asked("seedance2-fast", "720p", seconds, upscale="4k")).credits == fast


def test_a_request_with_inputs_of_its_own_has_no_known_price() -> None:
    strange = Request("seedance-20", "720p", 5, "16:9", "text", "Sunrise", inputs=(("cameraFixed", True),))

    assert load("classic").price(strange).credits is None


def test_an_accounts_own_rate_counts_and_is_marked() -> None:
    book = with_prices(load("classic"), {"seedance-20 720p": Decimal("42.5")}, may_lower=False)

    assert book.price(asked("seedance-20", "720p")).credits == Decimal("212.5")
    assert book.overridden_rows == {"seedance-20 720p"}


def test_a_repositorys_file_can_raise_a_rate_and_never_lower_it() -> None:
    lowered = {"seedance-20 720p": Decimal(1)}

    assert with_prices(load("classic"), lowered, may_lower=False).price(asked("seedance-20", "720p")).credits == 200
    assert with_prices(load("classic"), lowered, may_lower=True).price(asked("seedance-20", "720p")).credits == 5


def test_a_repositorys_file_cannot_lower_what_the_user_has_raised() -> None:
    own = with_prices(load("classic"), {"seedance-20 720p": Decimal(50)}, may_lower=True)

    assert with_prices(own, {"seedance-20 720p": Decimal(45)}, may_lower=False).rates["seedance-20 720p"] == 50


@pytest.mark.parametrize("row", ["seedance-20 720p video", "seedance-20 9k", "nonsense", ""])
def test_a_row_that_the_book_has_not_is_refused(row: str) -> None:
    with pytest.raises(ValueError, match=f"no row {row!r}"):
        with_prices(load("classic"), {row: Decimal(1)}, may_lower=True)


def test_the_table_says_of_each_row_what_it_is() -> None:
    rows = {row.name: row for row in price_table(load("classic"))}

    assert rows["seedance-20 1080p"].rate == 83
    assert (rows["seedance2-fast upscale 4k"].resolution, rows["seedance2-fast upscale 4k"].upscale) == (None, "4k")
    assert [row.name for row in price_table(load("2026-09")) if row.with_video and row.resolution == "4k"] == [
        "seedance-20 4k video"
    ]


def test_only_known_editions_load() -> None:
    with pytest.raises(KeyError):
        load("../classic")
