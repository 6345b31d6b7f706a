"""The price book: every combination, what it does not know, and an account's own rates."""

from datetime import date
from decimal import Decimal

import pytest

from runner.editions.edition import NAMES, Edition, load, with_prices
from runner.requests.request import RemoteFile, Request, ResolvedTake, TakeReference, neutral_form
from tests.builders.made_up_editions import edition_with

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
    ("2026-10", "seedance-20", "720p", None, True, 240),
    ("2026-10", "seedance2.0-mini", "480p", None, False, Decimal("37.5")),
    ("2026-10", "seedance2.0-mini", "720p", None, False, 100),
    ("2026-10", "seedance2.0-mini", "480p", None, True, Decimal("47.5")),
    ("2026-10", "seedance2.0-mini", "720p", None, True, 120),
    ("2026-10", "seedance2.0-mini", "1080p", None, False, None),
    ("2026-10", "seedance2-5", "480p", None, False, 130),
    ("2026-10", "seedance2-5", "720p", None, False, 295),
    ("2026-10", "seedance2-5", "1080p", None, False, 717),
    ("2026-10", "seedance2-5", "4k", None, False, None),
    # with the six seconds of the reference video
    ("2026-10", "seedance2-5", "480p", None, True, 176),
    ("2026-10", "seedance2-5", "720p", None, True, 385),
    ("2026-10", "seedance2-5", "1080p", None, True, Decimal("942.48")),
    ("pro-site", "seedance-20", "720p", None, False, 200),
    ("pro-site", "seedance-20", "1080p", None, False, None),
    ("pro-site", "seedance2-fast", "720p", None, False, None),
]


@pytest.mark.parametrize(("edition", "model", "resolution", "upscale", "video", "credits"), PAGES)
def test_a_combination_costs_what_the_pages_say_and_an_unknown_one_nothing_is_said_of(
    edition: str, model: str, resolution: str, upscale: str | None, video: bool, credits: Decimal | int | None
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


def clip_of(seconds: str | None) -> RemoteFile:
    return RemoteFile("https://cdn.example.com/waltz.mp4", "video", None if seconds is None else Decimal(seconds))


@pytest.mark.parametrize(
    ("lengths", "credits"),
    [
        (["10"], "525"),
        (["10", "4.5"], "682.5"),
        (["20", "20"], "1225"),
        (["10.041"], "526.44"),
        ([None], "1225"),
        (["2", None], "1225"),
    ],
)
def test_reference_seconds_are_billed_up_to_thirty_and_an_unknown_length_as_the_most(
    lengths: list[str | None], credits: str
) -> None:
    materials = tuple(map(clip_of, lengths))
    request = Request("seedance2-5", "720p", 5, "16:9", "reference", "Sunrise", materials)

    assert load("2026-10").price(request).credits == Decimal(credits)


def test_a_reference_to_a_take_is_as_long_as_that_take() -> None:
    request = Request("seedance2-5", "720p", 5, "16:9", "reference", "Sunrise", (TakeReference("quay", "clip"),))

    assert load("2026-10").price(request, lambda take: Decimal(8)).credits == 13 * 35
    assert load("2026-10").price(request).credits == 35 * 35


def test_only_some_bills_are_final_later() -> None:
    book = load("2026-10")
    bills = {
        video: book.bills(neutral_form(asked("seedance2-5", "720p", video=video), 1, nothing))
        for video in (False, True)
    }

    assert bills == {False: "submit", True: "settled"}
    assert {row.bills for row in book.book if row.model != "seedance2-5"} == {"submit"}


# -- prices of some days ----------------------------------------------------------------------------------

LAUNCH = {"model": "seedance-20", "from": date(2026, 10, 1), "until": date(2026, 10, 31), "rows": {"720p": "32"}}
LAST_WEEK = {"model": "seedance-20", "from": date(2026, 10, 25), "rows": {"720p": "36"}}


def credits_on(day: date, book: Edition) -> Decimal | None:
    return book.on(day).price(asked("seedance-20", "720p")).credits


@pytest.mark.parametrize(
    ("day", "credits"),
    [
        (date(2026, 9, 30), 200),
        (date(2026, 10, 1), 160),
        (date(2026, 10, 24), 160),
        (date(2026, 10, 25), 180),
        (date(2026, 10, 31), 180),
        (date(2027, 1, 1), 180),
    ],
)
def test_a_dated_price_holds_on_its_days_and_the_later_one_wins(day: date, credits: int) -> None:
    assert credits_on(day, edition_with(prices=[LAST_WEEK, LAUNCH])) == credits


def test_without_a_day_only_undated_prices_hold() -> None:
    assert edition_with(prices=[LAUNCH]).price(asked("seedance-20", "720p")).credits == 200


def test_an_accounts_own_rate_replaces_a_dated_one() -> None:
    own = with_prices(
        edition_with(prices=[LAUNCH]).on(date(2026, 10, 2)), {"seedance-20 720p": Decimal(50)}, may_lower=False
    )

    assert own.price(asked("seedance-20", "720p")).credits == 250


def test_an_accounts_own_rate_counts_and_is_marked() -> None:
    book = with_prices(load("classic"), {"seedance-20 720p": Decimal("42.5")}, may_lower=False)

    assert book.price(asked("seedance-20", "720p")).credits == Decimal("212.5")
    assert [row.name for row in book.book if row.own] == ["seedance-20 720p"]


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
    rows = {row.name: row for row in load("classic").book}

    assert rows["seedance-20 1080p"].rate == 83
    assert (rows["seedance2-fast upscale 4k"].resolution, rows["seedance2-fast upscale 4k"].upscale) == (None, "4k")
    assert [row.name for row in load("2026-09").book if row.with_video and row.resolution == "4k"] == [
        "seedance-20 4k video"
    ]


def test_only_known_editions_load() -> None:
    with pytest.raises(KeyError):
        load("../classic")
