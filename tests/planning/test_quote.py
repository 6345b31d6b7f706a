"""Cheaper ways that would pass."""

from decimal import Decimal

from runner.attempts.film import ShotKey
from runner.editions.edition import load
from runner.language.model import Batch
from runner.planning.alternatives import Alternative, find_cheaper
from tests.builders.plans import batch, plan, shot

CLASSIC = load("classic")


def price(of: Batch, selected: frozenset[ShotKey] | None) -> Decimal | None:
    return plan(*of.shots, selected=selected).totals.credits


FILM = batch(
    shot("SH010", takes=3, scene="quay"),
    shot("SH020", scene="quay"),
    shot("SH030", scene="kitchen"),
)
DRAFT = batch(*(shot(full.id, model="seedance2-fast", resolution="480p", scene=full.scene) for full in FILM.shots))


def test_ways_are_named_with_their_prices() -> None:
    assert find_cheaper(FILM, CLASSIC, price, None, {"--profile draft": DRAFT}) == (
        Alternative("--select scene:quay", Decimal(800), True),
        Alternative("--select scene:kitchen", Decimal(200), True),
        Alternative("--profile draft", Decimal(150), True),
        Alternative("takes: 1", Decimal(600), False),
    )


def test_only_ways_within_the_limit_are_named() -> None:
    ways = find_cheaper(FILM, CLASSIC, price, Decimal(400), {"--profile draft": DRAFT})
    assert [way.description for way in ways] == ["--select scene:kitchen", "--profile draft", "resolution: 480p"]
    assert all(way.credits <= 400 for way in ways)


def test_of_many_scenes_the_longest_and_the_shortest_are_priced() -> None:
    scenes = batch(*(shot(f"S{number}", takes=number, scene=f"part{number}") for number in range(1, 31)))
    plans: list[Batch] = []

    def counted(of: Batch, selected: frozenset[ShotKey] | None) -> Decimal | None:
        plans.append(of)
        return price(of, selected)

    ways = find_cheaper(scenes, CLASSIC, counted, None, {})
    assert [way.description for way in ways][:2] == ["--select scene:part30", "--select scene:part29"]
    assert len(plans) < 15
    within = find_cheaper(scenes, CLASSIC, price, Decimal(400), {})
    assert [way.description for way in within][:2] == ["--select scene:part2", "--select scene:part1"]


def test_a_film_that_costs_nothing_has_no_cheaper_way() -> None:
    assert find_cheaper(FILM, CLASSIC, lambda of, selected: Decimal(0), None, {"--profile draft": DRAFT}) == ()


def test_a_way_that_costs_as_much_is_none() -> None:
    assert find_cheaper(batch(shot("SH010", resolution="480p")), CLASSIC, price, None, {}) == ()
