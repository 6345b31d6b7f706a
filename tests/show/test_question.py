"""The question before money is spent, and the refusals around it, word by word."""

from dataclasses import replace
from decimal import Decimal

from runner.language.model import Storyboard
from runner.planning.alternatives import Alternative
from runner.show.screens import question
from runner.show.screens.plan import Destination
from runner.show.text.command_line import CommandLine
from tests.builders.screen_films import ferry, plan, series, shot

FILM = plan(ferry())
TYPED = CommandLine(("storyboards/ferry.yaml",), (("--provider", "kinovi"),))


def test_the_question_names_clips_credits_and_dollars() -> None:
    assert question.question(FILM) == "Make 28 clips for at most 4,480 credits ($22.40)?"
    assert question.question(plan(series(1, 1))) == "Make 1 clip for at most 160 credits ($0.80)?"


def test_without_a_terminal_the_smallest_command_line_that_would_pass_is_named() -> None:
    assert question.no_terminal(FILM, TYPED) == (
        "this makes 28 clips for 4,480 credits ($22.40), and there is no terminal to ask on: "
        "nothing was sent, nothing was spent\n"
        "  to approve in advance, set a limit:\n"
        "    storyboard run storyboards/ferry.yaml --provider kinovi --max-credits 4480"
    )


def test_the_ceiling_to_type_is_never_below_the_price() -> None:
    film = plan(series(1, 1))
    step = film.steps[0]._replace(price=replace(film.steps[0].price, credits=Decimal("159.2")))
    assert question.ceiling_of(replace(film, steps=(step,))) == "160"


def test_over_a_ceiling_three_cheaper_ways_stand_below_each_other_with_their_prices() -> None:
    ways = [
        Alternative("--select scene:quay", Decimal(1120), True),
        Alternative("--profile draft", Decimal(960), True),
        Alternative("takes: 1", Decimal("800.5"), False),
        Alternative("resolution: 480p", Decimal(600), False),
    ]
    assert question.over_limit(FILM, "--max-credits", Decimal(3000), Decimal(4480), ways) == (
        "4,480 credits are 1,480 over --max-credits 3,000: nothing was sent, nothing was spent\n"
        "  cheaper alternatives:\n"
        "    --select scene:quay           1,120 credits  $5.60\n"
        "    --profile draft                 960 credits  $4.80\n"
        "    takes: 1 (in the storyboard)  800.5 credits  $4.0025"
    )


def test_over_a_ceiling_without_a_cheaper_way_nothing_more_is_said() -> None:
    assert question.over_limit(FILM, "the budget in x.yaml", Decimal(10), Decimal(160), []).count("\n") == 0


def test_an_unknown_price_names_the_row_and_the_shots() -> None:
    path = "storyboards/x.yaml"
    film = plan(Storyboard(path, "X", (shot("a", resolution="8k", path=path), shot("b", resolution="8k", path=path))))
    assert question.unknown_price(film).startswith(
        "the price book has no price for seedance-20 8k (a, b): nothing was sent"
    )


def test_where_things_go_stands_in_the_question_and_what_changed_is_marked() -> None:
    goes = Destination("callbacks", "https://hooks.example.com/a", "heard at 127.0.0.1:8788")
    assert question.question(plan(series(1, 1)), [goes]) == (
        "Make 1 clip for at most 160 credits ($0.80), callbacks go to https://hooks.example.com/a, "
        "heard at 127.0.0.1:8788?"
    )
    assert f"\n  {goes}\n" in question.no_terminal(FILM, TYPED, [goes])
    assert str(replace(goes, previous_address="")).endswith("8788 (NEW since your last approval)")
    assert str(replace(goes, previous_address="https://b.example")).endswith(
        "(CHANGED since your last approval: https://b.example)"
    )
    assert "\x1b" not in str(replace(goes, where="https://\x1b[31m"))
