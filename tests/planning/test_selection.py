"""`--select` and `--exclude`."""

import re

import pytest

from runner.app.exit_codes import exit_code_of
from runner.attempts.film import FilmName, storyboard_slug
from runner.diagnostics.failures import SelectionError
from runner.diagnostics.problem import ExitCode
from runner.language.model import Batch
from runner.planning.plan import Action
from runner.planning.selection import STATES, select
from runner.planning.take_states import FAILED
from tests.builders.plans import batch, last_frame, shot

FILM = FilmName("storyboards/film.yaml")
SPOT = FilmName("storyboards/ads/spot.yml")


@pytest.fixture
def films() -> Batch:
    return batch(
        shot("SH010", scene="quay", tags=("maria", "wide")),
        shot("SH020", scene="quay", tags=("tomas",)),
        shot("SH030", scene="kitchen", tags=("maria",)),
        shot("SH010", storyboard=SPOT.storyboard, scene="quay"),
    )


@pytest.mark.parametrize(
    ("expression", "ids"),
    [
        ("SH020", ["SH020"]),
        ("sh020", ["SH020"]),
        ("SH0[23]*", ["SH020", "SH030"]),
        ("tag:maria", ["SH010", "SH030"]),
        ("scene:kitchen", ["SH030"]),
        ("tag:maria,scene:quay", ["SH010"]),
        ("scene:kitchen tag:tomas", ["SH020", "SH030"]),
        ("film:SH010", ["SH010"]),
    ],
)
def test_an_expression_names_shots(films: Batch, expression: str, ids: list[str]) -> None:
    assert select(films, [expression], []) == frozenset((FILM, id) for id in ids)


def test_one_id_of_two_storyboards_names_both_and_a_board_tells_them_apart(films: Batch) -> None:
    assert select(films, ["SH010"], []) == frozenset({(FILM, "SH010"), (SPOT, "SH010")})
    assert select(films, ["ads/spot:SH010"], []) == frozenset({(SPOT, "SH010")})


def test_exclude_takes_away(films: Batch) -> None:
    assert select(films, [], ["scene:quay"]) == frozenset({(FILM, "SH030")})
    assert select(films, ["tag:maria"], ["SH030"]) == frozenset({(FILM, "SH010")})


def test_nothing_said_is_everything(films: Batch) -> None:
    assert select(films, [], []) is None


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("SH011", "no shot is called 'SH011'; did you mean 'SH010'?"),
        ("tag:mario", "no tag is called 'mario'; did you mean 'maria'?"),
        ("scene:zoo", "no scene is called 'zoo'; there are kitchen, quay"),
        ('scene:"kit*"', "no scene is called 'kit*'; there are kitchen, quay"),
        ('scene:"kitchen', "the quote before 'kitchen' has no end"),
        ("", "'' selects nothing: write an id, a glob, tag:NAME, scene:NAME or state:NAME"),
        (" ", "' ' selects nothing: write an id, a glob, tag:NAME, scene:NAME or state:NAME"),
    ],
)
def test_what_matches_nothing_ends_with_the_nearest_name(films: Batch, expression: str, message: str) -> None:
    with pytest.raises(SelectionError) as stop:
        select(films, [expression], [])
    assert exit_code_of(stop.value) is ExitCode.USAGE
    assert stop.value.message == message


def test_a_selection_that_leaves_nothing_is_a_wrong_command_line(films: Batch) -> None:
    with pytest.raises(SelectionError) as stop:
        select(films, ["SH030"], ["SH030"])
    assert exit_code_of(stop.value) is ExitCode.USAGE


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (FILM.storyboard, "film"),
        (SPOT.storyboard, "ads/spot"),
        ("film.yaml", "film"),
        ("a/b.c.yaml", "a/b.c"),
        ("odd.txt", "odd.txt"),
    ],
)
def test_an_output_is_named_by_the_storyboards_path(path: str, name: str) -> None:
    assert storyboard_slug(path) == name


def test_two_names_with_a_comma_between_are_one_shot_that_is_both_and_the_way_out_is_a_blank() -> None:
    with pytest.raises(SelectionError, match=r"A comma means AND.*use a space"):
        select(batch(shot("quay"), shot("boat")), ["quay,boat"], [])


ACT = "Act 1: Youth"


@pytest.mark.parametrize(
    "expression",
    [
        f"scene:“{ACT}”",
        f"scene:„{ACT}“",
        f'scene:"{ACT}"',
        f"scene:'{ACT}'",
        f'"scene:{ACT}"',
        r"scene:Act\ 1:\ Youth",
        f'none-of-it scene:"{ACT}"',
    ],
)
def test_a_name_with_blanks_or_commas_stands_in_quotes_or_behind_backslashes(expression: str) -> None:
    shots = batch(shot("quay", scene=ACT), shot("boat", scene="rain, night"), shot("none-of-it", tags=("x",)))
    assert (FILM, "quay") in (select(shots, [expression], []) or ())
    assert (FILM, "boat") not in (select(shots, [expression], []) or ())


def test_a_comma_in_quotes_is_part_of_the_name_and_outside_of_them_it_means_and() -> None:
    shots = batch(shot("boat", scene="rain, night", tags=("hero",)), shot("quay", scene="rain, night"))
    assert select(shots, ['scene:"rain, night",tag:hero'], []) == frozenset({(FILM, "boat")})


def test_a_name_that_a_blank_has_cut_off_is_shown_in_quotes() -> None:
    with pytest.raises(SelectionError, match=r"""no scene is called 'Act'; .* --select 'scene:"Act 1: Youth"'"""):
        select(batch(shot("quay", scene=ACT)), [f"scene:{ACT}"], [])


def test_the_signs_of_a_glob_in_quotes_stand_for_themselves() -> None:
    shots = batch(shot("quay", scene="a*"), shot("boat", scene="ab"))
    assert select(shots, ['scene:"a*"'], []) == frozenset({(FILM, "quay")})


@pytest.fixture
def chain() -> Batch:
    return batch(
        shot("quay"),
        shot("enter", materials=[last_frame("quay")]),
        shot("stairs", scene="attic", materials=[last_frame("enter")]),
        shot("gull"),
        shot("quay", storyboard=SPOT.storyboard),
    )


@pytest.mark.parametrize(
    ("expression", "ids"),
    [
        ("+enter", ["quay", "enter"]),
        ("enter+", ["enter", "stairs"]),
        ("+enter+", ["quay", "enter", "stairs"]),
        ("+scene:attic", ["quay", "enter", "stairs"]),
        ("film:quay+", ["quay", "enter", "stairs"]),
        ("+gull+", ["gull"]),
        ("+stairs,film:quay+ gull", ["quay", "enter", "stairs", "gull"]),
        ("state:make", ["quay", "gull"]),
        ("state:FAILED", ["gull"]),
        ("+state:blocked", ["quay", "enter", "stairs"]),
        ("state:keep state:failed", ["enter", "gull"]),
    ],
)
def test_a_plus_adds_what_a_shot_is_made_from_and_a_state_asks_the_plan(
    chain: Batch, expression: str, ids: list[str]
) -> None:
    assert select(chain, [expression], [], lambda: STATES_OF_CHAIN) == frozenset((FILM, id) for id in ids)


STATES_OF_CHAIN = {
    (FILM, "quay"): frozenset({"make"}),
    (FILM, "enter"): frozenset({"keep", "wait"}),
    (FILM, "stairs"): frozenset({"blocked"}),
    (FILM, "gull"): frozenset({"make", "failed"}),
}


def test_a_plus_in_quotes_is_part_of_a_name() -> None:
    films = batch(shot("a", scene="b+"), shot("c", scene="b"))
    assert select(films, ['scene:"b+"'], []) == frozenset({(FILM, "a")})
    assert select(films, ["scene:b\\+"], []) == frozenset({(FILM, "a")})


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("state:fialed", "no state is called 'fialed'; did you mean 'failed'?"),
        ("state:x", "no state is called 'x'; there are make, failed, wait, resume, keep, unsettled, refused, blocked"),
        ("state:gone", "no take is in state 'gone' now; there are make, failed, wait, keep, blocked"),
        ("+nobody", "no shot is called 'nobody'"),
        ("+", "no shot is called '+'"),
    ],
)
def test_what_selects_nothing_says_what_there_is(chain: Batch, expression: str, message: str) -> None:
    with pytest.raises(SelectionError, match=f"^{re.escape(message)}"):
        select(chain, [expression], [], lambda: STATES_OF_CHAIN)


def test_a_state_where_a_single_shot_is_named_says_so(chain: Batch) -> None:
    with pytest.raises(SelectionError, match="state: asks the plan"):
        select(chain, ["state:make"], [])


def test_the_states_are_the_words_of_the_plan_and_failed() -> None:
    assert set(STATES) == {*(action.value for action in Action), FAILED}
