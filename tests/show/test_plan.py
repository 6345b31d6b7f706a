"""The plan's screen: whole screens compared, and what holds of every one of them."""

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from runner.diagnostics.problem import Place, Problem
from runner.editions.edition import load
from runner.language import compiler as language
from runner.language.model import Storyboard
from runner.planning.alternatives import Alternative
from runner.planning.plan import Plan
from runner.requests.request import RemoteFile
from runner.show.screens.blocked import WaysOn
from runner.show.screens.plan import PlanContext, price_line, screen
from runner.show.text.cells import width as cells
from runner.show.text.command_line import CommandLine
from runner.show.text.format import volume
from tests.builders.plans import public_address
from tests.builders.screen_films import (
    MARIA,
    SANDBOX,
    TOMAS,
    ferry,
    history,
    last_frame,
    matrix,
    outgoing,
    plan,
    series,
    shot,
)
from tests.show.conftest import Golden

WIDTHS = (80, 100, 140)
SGR = re.compile("\x1b\\[[0-9;]*m")
SQUARE = Problem(
    "square-frame",
    Place("storyboards/ferry.yaml", 14, 3),
    "@ines is square (1024 × 1024), SH060 is 16:9",
    "",
    "warning",
)
HALF_MADE = {
    **{("SH010", take): "stored" for take in (1, 2, 3)},
    ("SH030", 1): "stored",
    ("SH040", 1): "unsettled",
    ("SH060", 1): "refused",
    ("SH070", 1): "stored",
    ("SH070", 2): "running",
    ("SH070", 3): "failed",
    ("SH090", 1): "stored",
    ("SH100", 1): "stored",
    ("SH110", 1): "stored",
    ("SH120", 1): "stored",
}


def around(film: Plan) -> PlanContext:
    return PlanContext(
        CommandLine(("storyboards/ferry.yaml",), (("--provider", "kinovi"),)),
        warnings=[SQUARE],
        cheaper=[
            Alternative("--profile draft", Decimal(960), True),
            Alternative("--select scene:quay", Decimal(1120), True),
        ],
        outgoing=outgoing(film),
        expected_seconds=1500,
        concurrency=3,
    )


def whole() -> Plan:
    first = plan(ferry())
    made = {(step.shot.id, step.take): "stored" for step in first.steps}
    picks = {"SH010": 1, "SH070": 2, "SH130": 3, "SH190": 1}
    return plan(ferry(), history=history(first, made, picks))


def half() -> Plan:
    return plan(ferry(), history=history(plan(ferry()), HALF_MADE, {"SH010": 2}))


def changed() -> Plan:
    return plan(ferry("the harbour"), history=history(plan(ferry()), HALF_MADE, {"SH010": 2}))


def wide_names() -> Plan:
    path = "storyboards/港.yaml"
    shots = (
        shot("a1", MARIA, path=path, scene="波止場"),
        shot("a2", last_frame("a1"), path=path, scene="波止場"),
        shot("b1", path=path, scene="مشهد"),
        shot("b2", path=path, scene="مشهد", seconds=6, model="seedance2-fast", resolution="480p"),
    )
    return plan(Storyboard(path, "港の夜明け", shots))


def unreachable() -> Plan:
    """The film where nothing can be published: only shots made from words or public addresses can be sent."""
    path = "storyboards/ferry.yaml"
    address = RemoteFile("https://acme.example/ines.png", "image")
    shots = (
        shot("SH010", MARIA, TOMAS, scene="quay"),
        shot("SH020", last_frame("SH010"), scene="quay"),
        shot("SH030", MARIA, scene="quay"),
        shot("SH040", address, scene="quay"),
        shot("SH050", TOMAS, scene="quay", takes=2),
        shot("SH060", scene="quay"),
    )
    return plan(Storyboard(path, "The Last Ferry", shots), can_publish=public_address)


FILMS: dict[str, Callable[[], Plan]] = {
    "ferry": lambda: plan(ferry()),
    "ferry-free": lambda: plan(ferry(), account=SANDBOX),
    "ferry-half": half,
    "ferry-changed": changed,
    "ferry-whole": whole,
    "ferry-selected": lambda: plan(ferry(), selected={"SH010", "SH030", "SH050"}),
    "one": lambda: plan(series(1, 1)),
    "spot": lambda: plan(matrix()),
    "series": lambda: plan(series(300, 12)),
    "many-scenes": lambda: plan(series(300, 100)),
    "wide-names": wide_names,
    "blocked": unreachable,
    "several": lambda: plan(series(12, 2), matrix()),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", FILMS)
def test_the_screen_as_it_is_drawn(name: str, width: int, golden: Golden) -> None:
    film = FILMS[name]()
    golden(f"plan-{name}-{width}", screen(film, width, color=False, context=around(film)))


@pytest.mark.parametrize("name", ["ferry", "ferry-half"])
def test_the_screen_in_colour(name: str, golden: Golden) -> None:
    film = FILMS[name]()
    golden(f"plan-{name}-colour", screen(film, 100, color=True, context=around(film)))


@pytest.mark.parametrize("name", FILMS)
def test_colour_changes_no_text(name: str) -> None:
    film = FILMS[name]()
    painted = screen(film, 100, color=True, context=around(film))
    assert SGR.sub("", painted) == screen(film, 100, color=False, context=around(film))


@pytest.mark.parametrize("name", FILMS)
@pytest.mark.parametrize("width", range(72, 160, 7))
def test_no_line_is_wider_than_the_screen_and_none_ends_with_space(name: str, width: int) -> None:
    film = FILMS[name]()
    for line in screen(film, width, color=False, context=around(film)).splitlines():
        assert cells(line) <= width or line.startswith("  storyboard run")
        assert line == line.rstrip()


def harbour() -> Plan:
    """The example film, as the plan command reads it: three models and resolutions, waits, a budget."""
    root = Path(__file__).parents[2]
    options = language.CompileOptions(edition=load("classic"))
    batch, problems = language.compile((root / "storyboards/harbour.yaml",), root, options)
    assert not problems.errors
    return plan(*batch.storyboards)


@pytest.mark.parametrize("width", [72, 76, 80, 90, 100, 140])
def test_a_narrow_screen_cuts_no_resolution_and_is_not_overrun(width: int) -> None:
    film = harbour()
    lines = screen(film, width, color=False).splitlines()
    assert all(cells(line) <= width or line.startswith("  storyboard run") for line in lines)
    table = lines[lines.index(next(line for line in lines if re.search(r" s +(made of|from) ", line))) :]
    kinds = [line for line in table if re.search(r"(make|wait) {3}", line)]
    assert all(re.search(r"(?:20|fast|seedance\S+) · [0-9]+p ", line) for line in kinds)
    if width >= 80:
        assert len(kinds) == 9
        assert any(line.endswith("wait   pick quay's take") for line in kinds)
        assert any(line.endswith("  of budget 3,000") for line in table)


def test_what_cannot_be_sent_is_blocked_in_its_row_and_not_in_the_price() -> None:
    film = unreachable()
    text = screen(film, 80, color=False)
    assert re.findall(r"^  (SH\d+) .* blocked  no address$", text, re.MULTILINE) == [
        "SH010",
        "SH020",
        "SH030",
        "SH050",
    ]
    assert re.search(r"^  now +2 +8 +320 +\$1.60$", text, re.MULTILINE)
    assert film.totals.blocked_credits == 800
    assert "warning" not in text
    assert text.count("--max-credits 320") == 1


def test_one_block_above_the_total_has_each_cause_once_with_its_shots_and_the_ways_on() -> None:
    context = PlanContext(ways_on=WaysOn("storyboard run storyboards/ferry.yaml"))
    lines = screen(unreachable(), 80, color=False, context=context).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("  blocked  "))
    assert [" ".join(line.split()) for line in lines[start : start + 10]] == [
        "blocked 5 takes, 800 credits, not in the price now",
        "kinovi takes public https addresses only, and these have none:",
        "storyboards/assets/maria.png SH010, SH030",
        "storyboards/assets/tomas.png SH010, SH050",
        "the last frame of SH010 SH020",
        'take an edition with uploads (edition = "2026-09"), set `[publish]',
        "store` or `git_url`, give the files https addresses, or draw the film",
        "free:",
        "storyboard run storyboards/ferry.yaml",
        "",
    ]
    assert "----" in lines[start + 10]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_model_that_all_rows_share_stands_in_the_head_at_every_width(width: int) -> None:
    text = screen(plan(ferry()), width, color=False)
    assert text.count("720p") == 1
    assert "seedance-20 at 720p" in text


def test_a_model_that_nearly_all_rows_share_stands_in_the_rows_of_the_others_only() -> None:
    path = "storyboards/ferry.yaml"
    shots = [shot(f"s{number}", path=path, prompt=f"take {number}") for number in range(9)]
    shots.append(shot("wide", path=path, resolution="1080p"))
    text = screen(plan(Storyboard(path, "Ferry", tuple(shots))), 100, color=False)
    assert "seedance-20 at 720p, 1 otherwise" in text
    assert re.findall(r"20 · \d+p", text) == ["20 · 1080p"]


def test_a_reason_that_several_rows_share_is_said_once_whatever_a_run_does_with_them() -> None:
    refused = {(f"SH0{number}0", 1): "refused" for number in (3, 6)}
    refused |= {("SH010", take): "stored" for take in (1, 2, 3)}
    text = screen(plan(ferry(), history=history(plan(ferry()), refused)), 100, color=False)
    assert len(re.findall(r"refused  \(a\)", text)) == 2
    assert text.count("Face detected in uploaded media") == 1


def test_all_shows_every_shot_in_a_line_of_its_own() -> None:
    text = screen(half(), 100, color=False, all_shots=True)
    for number in range(10, 250, 10):
        assert len(re.findall(rf"^  SH{number:03} ", text, re.MULTILINE)) == 1


def test_all_names_every_file_that_will_leave_the_machine_with_its_size_and_hash() -> None:
    film = half()
    files = around(film).outgoing
    assert len(files) > 1
    text = screen(film, 100, color=False, all_shots=True, context=around(film))
    listed = text.split("leaves this machine:")[1].split("\n")[1 : 1 + len(files)]
    rows = [" ".join(line.split()) for line in listed]
    assert rows == [
        " ".join(
            [file.name, "upload kinovi.ai", *([volume(file.bytes)] if file.bytes else []), (file.sha256 or "")[:12]]
        ).strip()
        for file in files
    ]


def test_a_cause_that_many_shots_share_is_said_once() -> None:
    text = screen(changed(), 100, color=False)
    assert text.count("+harbour+") == 1
    assert "8 shots" in text


def test_unchanged_shots_are_one_line_a_scene() -> None:
    text = screen(half(), 100, color=False)
    assert len(re.findall(r"keep +made", text)) == 2


def returning(scenes: str) -> Plan:
    """A film with one shot for each letter, its scene; a blank is a shot without a scene."""
    path = "storyboards/return.yaml"
    shots = [
        shot(f"s{number}", path=path, scene=letter.strip() or None, seconds=4 + number % 2, prompt=f"take {number}")
        for number, letter in enumerate(scenes)
    ]
    return plan(Storyboard(path, "Return", tuple(shots)))


@pytest.mark.parametrize("all_shots", [True, False])
@pytest.mark.parametrize(
    ("scenes", "headings"),
    [("aba", "a b a"), ("aabba", "a b a"), ("ab a", "a b no-scene a"), (" a b", "a no-scene b"), ("a", "a")],
)
def test_a_scene_that_returns_is_a_second_group_in_film_order(scenes: str, headings: str, all_shots: bool) -> None:
    lines = screen(returning(scenes), 100, color=False, all_shots=all_shots).splitlines()
    table = lines[next(index for index, line in enumerate(lines) if line.startswith("  shot ")) + 1 :]
    found = [line.split()[0] for line in table if re.match(r"  s\d", line)]
    heads = [line.strip() for line in table if re.match(r" [a-z]", line)]
    assert found == [f"s{number}" for number in range(len(scenes))]
    assert [heading.replace(" ", "-") for heading in heads] == headings.split()


def test_many_returning_scenes_are_counted_as_shots_not_as_more_scenes() -> None:
    text = screen(returning("ab" * 40), 100, color=False)
    assert re.search(r"45 more shots +", text), text
    assert "more scenes" not in text


def test_the_credits_of_all_lines_add_up_to_now_and_later() -> None:
    film = half()
    text = screen(film, 100, color=False)
    table = text.split("what\n")[1].split("-------")[0]
    table = table.split("\n  blocked  ")[0]
    found = [int(match.replace(",", "")) for match in re.findall(r" ([0-9,]+)  (?:make|wait)", table)]
    totals = film.totals
    assert totals.credits is not None
    assert totals.later_credits is not None
    assert sum(found) == totals.credits + totals.later_credits


def test_several_storyboards_sum_up_now_later_and_whole() -> None:
    text = screen(plan(ferry(), matrix()), 100, color=False).split(" now  ")[-1]
    sums = {line.split()[0]: line.split()[1:4] for line in text.splitlines() if re.match(r" +(later|whole) ", line)}
    assert sums == {"later": ["4", "16", "640"], "whole": ["44", "176", "5,600"]}, text
    assert "later" not in screen(plan(series(12, 2), matrix()), 100, color=False)


def test_the_price_alone_is_one_line() -> None:
    assert price_line(plan(ferry()), "kinovi") == "4,480 credits ($22.40)"
    assert price_line(plan(ferry(), account=SANDBOX), "kinovi") == "free; on kinovi 5,120 credits, $25.60"


def test_a_run_of_shots_whose_names_have_hyphens_is_not_read_as_one_name() -> None:
    path = "storyboards/spot.yaml"
    shots = tuple(shot(f"fire-{number}", MARIA, path=path, prompt="a") for number in range(1, 7))
    assert "fire-1 … fire-6" in screen(plan(Storyboard(path, "Fire", shots)), 100, color=False)


def test_play_money_is_said_to_be_free() -> None:
    assert "free; on kinovi 5,120 credits, $25.60" in screen(FILMS["ferry-free"](), 100, color=False)
    assert "--max-credits" not in screen(FILMS["ferry-free"](), 100, color=False)


def test_nothing_to_do_is_said_in_one_line() -> None:
    text = screen(whole(), 100, color=False, context=around(whole()))
    assert "24 shots, all made. Nothing to pay." in text
    assert "storyboard run" not in text


def test_above_the_question_no_command_is_named_but_how_long_it_takes() -> None:
    film = plan(ferry())
    lines = screen(film, 100, color=False, context=replace(around(film), before_question=True)).splitlines()
    assert lines[-1] == "  about 25 min, 3 at a time"


def test_an_unknown_price_is_a_question_mark_and_so_is_its_sum() -> None:
    board = Storyboard("storyboards/x.yaml", "X", (shot("a", resolution="8k", path="storyboards/x.yaml"),))
    text = screen(plan(board), 100, color=False)
    assert re.search(r"now +1 +4 +\? +\?", text)


def test_what_a_stranger_wrote_steers_no_terminal() -> None:
    evil = "\x1b]0;owned\x07\u202e"
    path = f"storyboards/{evil}.yaml"
    board = Storyboard(path, f"T{evil}", (shot("a", path=path, scene=f"s{evil}"), shot("b", path=path)))
    warned = PlanContext(CommandLine((path,)), warnings=[Problem("x", Place(path, 1, 1), evil, "", "warning")])
    text = screen(plan(board), 100, color=False, context=warned)
    assert text.replace("\n", "").isprintable()


def test_the_price_of_a_cheaper_setting_does_not_join_its_number() -> None:
    context = replace(around(whole()), cheaper=[Alternative("takes: 1", Decimal(180), False)])
    assert "  cheaper  takes: 1 for 180 now" in screen(plan(ferry()), 100, color=False, context=context)
