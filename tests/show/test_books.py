"""The bill, the price book, doubts, checks and clips: whole screens, and JSON held to the schemas."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from functools import reduce

import pytest

from runner.attempts.film import FilmName
from runner.attempts.sums import CreditSums
from runner.diagnostics.problem import HealthCheck
from runner.editions.edition import NAMES, load, with_prices
from runner.show.json.clips import clips_json
from runner.show.json.doctor import doctor_json
from runner.show.json.prices import prices_json
from runner.show.json.settle import settle_json
from runner.show.json.spend import spend_json
from runner.show.screens.clips import ClipCheck, clips
from runner.show.screens.doctor import doctor
from runner.show.screens.prices import prices
from runner.show.screens.settle import UnsettledList, confirmation, settle
from runner.show.screens.spend import _KEYS, Bill, BillItem, By, build_bill, spend, spend_csv
from runner.show.text.cells import width as cells
from tests.builders.made_up_editions import edition_with
from tests.builders.screen_films import CENTS, ferry, history, plan
from tests.show.conftest import Golden
from tests.show.test_json import holds
from tests.show.test_plan import HALF_MADE

PAST = history(plan(ferry()), {**HALF_MADE, ("SH130", 1): "perhaps"}, {"SH010": 2})
SHOTS = {shot.id: shot for shot in ferry().shots}
WAYS: tuple[By, ...] = tuple(_KEYS)


# -- spend ------------------------------------------------------------------------------------------------


def items() -> list[BillItem]:
    """The half-made film over two days; one clip was billed more than it was quoted, one is known from a manifest."""
    found = []
    for at, attempt in enumerate(PAST.attempts.values()):
        shot = SHOTS[attempt.intent.shot]
        later = replace(attempt, accepted_at=attempt.intended_at + timedelta(hours=13 * (at % 2)))
        if attempt.id == "SH030-1":
            later = replace(later, credits_used=Decimal(200))
        if attempt.id == "SH090-1":
            later = replace(later, from_manifest=True)
        found.append(BillItem(later, shot.scene, ("hero", "day") if shot.scene == "quay" else ()))
    return found


def the(by: By) -> Bill:
    return build_bill(items(), by, CENTS, "November 2026", UTC)


def sum_lines(bill: Bill) -> CreditSums:
    return reduce(CreditSums.plus, (line.sums for line in bill.lines))


@pytest.mark.parametrize("by", WAYS)
def test_the_bill_as_it_is_drawn(by: By, golden: Golden) -> None:
    golden(f"spend-{by}", spend(the(by), 100, color=False))


@pytest.mark.parametrize("by", WAYS)
def test_the_bill_holds_to_its_schema(by: By) -> None:
    holds("spend", spend_json(the(by)))


@pytest.mark.parametrize("by", [by for by in WAYS if by != "tag"])
def test_the_lines_of_a_bill_add_up_to_its_sum(by: By) -> None:
    found = the(by)
    assert sum(line.quoted for line in found.lines) == found.total.quoted == Decimal(1440)
    assert sum_lines(found) == found.total.sums == CreditSums(Decimal(1480), Decimal(160), Decimal(160), Decimal(160))
    assert sum(line.clips for line in found.lines) == found.total.clips == 9


def test_a_shot_with_two_tags_stands_in_two_lines_and_counts_once() -> None:
    found = the("tag")
    assert {line.name for line in found.lines} == {"hero", "day", "–"}
    assert sum_lines(found).billed > found.total.sums.billed == Decimal(1480)


def test_each_line_says_where_it_is_known_from() -> None:
    assert {line.name: set(line.sources) for line in the("shot").lines}["ferry:SH090"] == {"manifest"}


def test_a_spreadsheet_calculates_nothing_that_a_stranger_wrote() -> None:
    evil = [BillItem(each.attempt, '=HYPERLINK("https://evil.example","x")') for each in items()]
    rows = list(csv.reader(io.StringIO(spend_csv(build_bill(evil, "scene", CENTS)))))
    assert rows[0] == [
        "scene",
        "clips",
        "quoted",
        "billed",
        "usd",
        "in_flight",
        "unsettled",
        "maybe_charged",
        "known_from",
    ]
    assert rows[1][0].startswith("'=HYPERLINK")
    assert len(rows) == 2


def test_nothing_spent_is_said() -> None:
    assert (
        spend(build_bill([], "day", CENTS), 100, color=False)
        == "Spent   everything ordered from this repository\n\n  Nothing was spent.\n"
    )


# -- prices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", NAMES)
def test_the_price_book_as_it_is_drawn(edition: str, golden: Golden) -> None:
    others = [load(name) for name in NAMES if name != edition]
    golden(f"prices-{edition}", prices(load(edition), others, CENTS, 100, color=False))
    holds("prices", prices_json(load(edition), others, CENTS))


def test_a_price_of_some_days_shows_them() -> None:
    launch = {"model": "seedance-20", "from": date(2026, 10, 1), "until": date(2026, 10, 31), "rows": {"720p": "32"}}
    screen = prices(edition_with(prices=[launch]), [], CENTS, 120, color=False)
    (line,) = [line for line in screen.splitlines() if "2026-10" in line]
    assert line.split() == ["seedance-20", "720p", "32", "160", "$0.80", "from", "2026-10-01", "until", "2026-10-31"]


def test_an_accounts_own_price_is_marked() -> None:
    own = with_prices(load("classic"), {"seedance-20 720p": Decimal(42)}, may_lower=True)
    (line,) = [line for line in prices(own, [], CENTS, 100, color=False).splitlines() if "your own" in line]
    assert "42" in line


# -- settle -----------------------------------------------------------------------------------------------


def doubts() -> UnsettledList:
    found = [attempt for attempt in PAST.attempts.values() if attempt.state.value in ("unsettled", "perhaps charged")]
    return UnsettledList(found, CENTS, UTC)


@pytest.mark.parametrize("width", [80, 100])
def test_doubts_as_they_are_drawn(width: int, golden: Golden) -> None:
    golden(f"settle-{width}", settle(doubts(), width, color=False))


def test_doubts_hold_to_their_schema() -> None:
    holds("settle", settle_json(doubts()))
    assert len(doubts().attempts) == 2


def test_no_doubt_is_said() -> None:
    assert settle(UnsettledList([], CENTS), 100, color=False) == "No attempt is unsettled.\n"


def test_after_a_word_it_is_said_what_is_true_now() -> None:
    (first, _) = doubts().attempts
    assert confirmation(first, "adopted", "task_9") == (
        "ferry:SH040 take 1: adopted task_9; the next run fetches its clip, no new charge"
    )
    assert confirmation(first, "not-charged").endswith("if its clip is missing, the next run makes it")
    assert "160 credits" in confirmation(first, "charged")
    assert confirmation(first, "undone").endswith("is unsettled again")


# -- doctor -----------------------------------------------------------------------------------------------

CHECKS = [
    HealthCheck("key", "warning", "SEEDANCE_API_KEY is not set", "only a paid provider needs one"),
    HealthCheck("clock", "ok", "within 1 s of kinovi.ai"),
    HealthCheck("fonts", "error", "no font for CJK, so such prompts cannot be drawn", "install fonts-noto-cjk " * 6),
]


@pytest.mark.parametrize("width", [80, 100])
def test_checks_as_they_are_drawn(width: int, golden: Golden) -> None:
    text = doctor(CHECKS, width, color=False)
    golden(f"doctor-{width}", text)
    assert all(cells(line) <= width for line in text.splitlines())


def test_an_error_is_not_ready_and_a_warning_is() -> None:
    assert doctor_json(CHECKS)["ready"] is False
    assert doctor_json(CHECKS[:2])["ready"] is True
    assert doctor(CHECKS[1:2], 100, color=False).endswith("  Ready.\n")
    holds("doctor", doctor_json(CHECKS))


# -- verify, fetch ----------------------------------------------------------------------------------------

FOUND = [
    ClipCheck(FilmName("storyboards/ferry.yaml"), "SH010", 1, "renders/ferry/kinovi/clips/SH010/take-1.mp4", "whole"),
    ClipCheck(FilmName("storyboards/ferry.yaml"), "SH010", 2, "renders/ferry/kinovi/clips/SH010/take-2.mp4", "missing"),
    ClipCheck(
        FilmName("storyboards/ferry.yaml"), "SH030", 1, "renders/ferry/kinovi/clips/SH030/take-1.mp4", "changed",
        "a pointer of Git LFS, not the clip: git lfs pull",
    ),
]  # fmt: skip


def test_clips_as_they_are_drawn(golden: Golden) -> None:
    golden("verify", clips(FOUND, 100, color=False, next_command="storyboard fetch storyboards/ferry.yaml"))
    golden("verify-whole", clips(FOUND[:1], 100, color=False, next_command="storyboard fetch"))


def test_clips_hold_to_their_schemas() -> None:
    holds("verify", clips_json(FOUND, "verify"))
    holds("fetch", clips_json([replace(FOUND[1], verdict="fetched")], "fetch"))
    assert clips_json(FOUND, "verify")["whole"] is False
