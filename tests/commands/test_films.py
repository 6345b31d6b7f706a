"""Several `--profile`: several films of one storyboard in one batch, each with its own output, cut and total."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders.content_repo import ContentRepo, clone, content
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
BOTH = ("--profile", "dawn", "--profile", "dusk")
PAID = ("run", FILM, "--no-cut", "--yes", *BOTH)
BOARD = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
vars: {light: noon}
profiles:
  dawn: {vars: {light: dawn}}
  dusk: {vars: {light: dusk}}
shots:
  - id: quay
    prompt: The quay at {{ light }}
  - id: boats
    prompt: Boats leave the harbour
"""
"""60 credits a shot; `boats` is the same request in every film."""
Start = Callable[..., Host]


@pytest.fixture
def harbour(tmp_path: Path) -> ContentRepo:
    return content(tmp_path, BOARD)


def actions(film: ContentRepo, *words: str, **env: str) -> dict[tuple[str | None, str], str]:
    """The action of each first take by profile and shot, as a plan has it."""
    boards = film.in_process("plan", FILM, "--json", *words, **env).json["storyboards"]
    return {(board["profile"], shot["id"]): shot["takes"][0]["action"] for board in boards for shot in board["shots"]}


def paths(film: ContentRepo, variant: str) -> dict[str, str]:
    """The path of each shot's clip, as the manifest of one output names it."""
    return {shot["id"]: shot["takes"][0]["clip"]["path"] for shot in film.manifest(variant=variant)["shots"]}


# -- free -------------------------------------------------------------------------------------------------


def test_each_film_has_its_output_and_an_equal_request_is_made_once(harbour: ContentRepo) -> None:
    events = harbour.storyboard("run", FILM, *BOTH, "--json").events
    assert sum(event["event"] == "created" for event in events) == 3
    assert harbour.clips() == [
        f"renders/film/sandbox-{profile}/clips/{shot}/take-1.mp4"
        for profile in ("dawn", "dusk")
        for shot in ("boats", "quay")
    ]
    dawn, dusk = (harbour.root / paths(harbour, f"sandbox-{profile}")["boats"] for profile in ("dawn", "dusk"))
    assert dawn != dusk
    assert dawn.read_bytes() == dusk.read_bytes()
    said = harbour.storyboard("verify", FILM, *BOTH)
    assert (said.code, said.out.split()) == (0, ["4", "clips:", "4", "whole"])


def test_after_the_batch_each_film_alone_is_all_made(harbour: ContentRepo) -> None:
    assert harbour.storyboard("run", FILM, "--no-cut", "--profile", "none", *BOTH).code == 0
    for words in ((), ("--profile", "dawn"), ("--profile", "dusk"), BOTH):
        assert set(actions(harbour, *words).values()) == {"keep"}
    assert "3 films" in harbour.in_process("plan", FILM, "--profile", "none", *BOTH).out


def test_a_part_of_a_batch_is_the_film_that_a_plan_of_its_own_has(harbour: ContentRepo) -> None:
    batch = harbour.in_process("plan", FILM, *BOTH, "--json").json
    singles = [harbour.in_process("plan", FILM, *words, "--json").json for words in (BOTH[:2], BOTH[2:])]
    assert batch["storyboards"][0] == singles[0]["storyboards"][0]
    assert batch["totals"]["credits"] == sum(board["totals"]["credits"] for board in batch["storyboards"]) == 180
    assert [single["totals"]["credits"] for single in singles] == [120, 120]

    def requests(plan: dict[str, Any], number: int) -> list[object]:
        return [take["fingerprint"] for shot in plan["storyboards"][number]["shots"] for take in shot["takes"]]

    assert [requests(batch, 0), requests(batch, 1)] == [requests(single, 0) for single in singles]


def test_the_screen_has_a_table_and_a_total_for_each_film(harbour: ContentRepo) -> None:
    words = " ".join(harbour.in_process("plan", FILM, *BOTH).out.split())
    assert "The quay · dawn 2 8 120 $0.60 The quay · dusk 1 4 60 $0.30" in words
    assert "2 films 3 12 180 $0.90" in words
    assert "the same request as boats of --profile dawn: one clip serves both, paid once" in words
    assert f"storyboard run {FILM} --profile dawn --profile dusk" in words


def test_another_output_folder_holds_a_folder_for_each_film(harbour: ContentRepo) -> None:
    assert harbour.storyboard("run", FILM, *BOTH, "--select", "quay", "--output", "films").code == 0
    assert sorted(path.parent.name for path in (harbour.root / "films/film").glob("*/manifest.json")) == [
        "sandbox-dawn", "sandbox-dusk",
    ]  # fmt: skip


# -- paid -------------------------------------------------------------------------------------------------


def test_one_consent_pays_each_request_once_and_each_order_counts_at_its_film(
    harbour: ContentRepo, host: Start
) -> None:
    there = host()
    assert harbour.storyboard("run", FILM, *BOTH, "--yes", "--max-credits", "179", **there.env).code == 4
    assert there.state["creates"] == 0
    assert harbour.storyboard("run", FILM, "--no-cut", *BOTH, "--max-credits", "180", **there.env).code == 0
    assert there.state["creates"] == 3
    bill = harbour.in_process("spend", FILM, "--by", "profile", "--json", **there.env).json
    assert {line["name"]: line["billed"] for line in bill["lines"]} == {"dawn": 120, "dusk": 60}
    for words in (BOTH[:2], BOTH[2:], BOTH, BOTH[2:] + BOTH[:2]):
        assert harbour.storyboard("run", FILM, "--yes", *words, **there.env).code == 0
    assert there.state["creates"] == 3
    for profile in ("dawn", "dusk"):
        output = f"renders/film/kinovi-{profile}"
        assert paths(harbour, f"kinovi-{profile}") == {
            shot: f"{output}/clips/{shot}/take-1.mp4" for shot in ("boats", "quay")
        }


@pytest.mark.parametrize("creates", [1, 2, 3])
def test_a_batch_that_is_killed_goes_on_and_orders_nothing_twice(
    harbour: ContentRepo, host: Start, creates: int
) -> None:
    there = host(seconds="1")
    process = harbour.start(*PAID, **there.env)
    assert process.stderr is not None
    for _ in range(creates):
        while "sent" not in process.stderr.readline():
            assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    there.wait_for_tasks()
    said = harbour.storyboard(*PAID, **there.env)
    assert there.state["creates"] <= 3
    if said.code == 6:
        return  # it was killed between the sending of another request and the answer: one task is to be settled
    assert said.code == 0, said.err
    assert there.state["creates"] == 3
    assert set(actions(harbour, *BOTH, **there.env).values()) == {"keep"}
    assert harbour.storyboard("verify", FILM, *BOTH, **there.env).code == 0


def test_a_clone_with_the_manifests_of_all_films_pays_nothing(
    harbour: ContentRepo, host: Start, tmp_path: Path
) -> None:
    there = host()
    assert harbour.storyboard(*PAID, **there.env).code == 0
    harbour.git("add", "-f", *map(str, harbour.root.glob("renders/**/manifest.json")))
    harbour.git("commit", "-qm", "manifests")
    other, env = clone(harbour, "other"), there.env | {"STORYBOARD_STATE": str(tmp_path / "state-other")}
    other.git("checkout", "--", "renders")
    assert other.storyboard("fetch", FILM, *BOTH, **env).code == 0
    assert other.storyboard(*PAID, **env).code == 0
    assert there.state["creates"] == 3
    assert other.clips() == harbour.clips()


def test_a_budget_counts_all_films_of_its_storyboard(harbour: ContentRepo, host: Start) -> None:
    there = host()
    harbour.write(FILM, BOARD.replace("title:", "budget: {credits: 150}\ntitle:"))
    said = harbour.storyboard(*PAID, **there.env)
    assert said.code == 4
    assert "the budget in storyboards/film.yaml" in said.err
    assert there.state["creates"] == 0
    assert harbour.storyboard("run", FILM, "--no-cut", "--yes", *BOTH[:2], **there.env).code == 0
    assert harbour.storyboard(*PAID, **there.env).code == 4
    assert there.state["creates"] == 2


def test_a_pick_is_of_one_film(harbour: ContentRepo, host: Start) -> None:
    there = host()
    harbour.write(FILM, BOARD.replace("  - id: quay\n", "  - id: quay\n    takes: 2\n"))
    assert harbour.storyboard(*PAID, **there.env).code == 0
    for profile, take in (("dawn", 1), ("dusk", 2)):
        assert harbour.storyboard("pick", "quay", str(take), "--profile", profile, **there.env).code == 0
    boards = harbour.in_process("status", FILM, *BOTH, "--json", **there.env).json["storyboards"]
    picked = {board["profile"]: [shot["picked"] for shot in board["shots"] if shot["id"] == "quay"] for board in boards}
    assert {profile: pick["take"] for profile, [pick] in picked.items()} == {"dawn": 1, "dusk": 2}
    assert harbour.storyboard(*PAID, **there.env).code == 0
    assert [harbour.manifest(variant=f"kinovi-{name}")["shots"][1]["picked"]["take"] for name in picked] == [1, 2]


def test_a_retake_of_an_equal_request_is_paid_once_and_may_be_picked_in_both_films(
    harbour: ContentRepo, host: Start
) -> None:
    there = host()
    assert harbour.storyboard(*PAID, **there.env).code == 0
    assert harbour.storyboard(*PAID, "--retake", "boats", **there.env).code == 0
    assert there.state["creates"] == 4
    for profile in ("dawn", "dusk"):
        said = harbour.storyboard("pick", "boats", "2", "--profile", profile, **there.env)
        assert said.code == 0, said.err


def test_a_keep_in_one_film_holds_beside_the_other_film_that_lists_the_clip(harbour: ContentRepo, host: Start) -> None:
    there = host()
    assert harbour.storyboard(*PAID, **there.env).code == 0
    harbour.write(FILM, BOARD.replace("Boats leave", "All boats leave"))
    assert harbour.storyboard("keep", "boats", "--profile", "dawn", **there.env).code == 0
    assert actions(harbour, "--profile", "dawn", **there.env)["dawn", "boats"] == "keep"
    assert harbour.storyboard("run", FILM, "--no-cut", "--yes", "--profile", "dawn", **there.env).code == 0
    assert there.state["creates"] == 3


def test_a_saved_plan_of_several_films_makes_each_request_once(harbour: ContentRepo, host: Start) -> None:
    there = host()
    assert harbour.in_process("plan", FILM, *BOTH, "-o", "plan.json", **there.env).code == 0
    for _ in range(2):
        assert harbour.storyboard("run", "--plan", "plan.json", **there.env).code == 0
        assert there.state["creates"] == 3
    assert set(actions(harbour, *BOTH, **there.env).values()) == {"keep"}
    shown = harbour.in_process("plan", "plan.json", "--json", **there.env).json["since"]["left_out"]
    assert [(entry["profile"], entry["shot"]) for entry in shown] == [
        ("dawn", "quay"), ("dawn", "boats"), ("dusk", "quay"),
    ]  # fmt: skip


def test_a_saved_plan_does_not_pay_what_only_one_film_changed(harbour: ContentRepo, host: Start) -> None:
    there = host()
    assert harbour.in_process("plan", FILM, *BOTH, "-o", "plan.json", **there.env).code == 0
    harbour.write(FILM, BOARD.replace("light: dusk", "light: night"))
    stopped = harbour.storyboard("run", "--plan", "plan.json", **there.env)
    assert (stopped.code, there.state["creates"]) == (4, 0)
    assert "quay take 1 (dusk) asks for something else than it lists" in stopped.err
    assert "(dawn)" not in stopped.err


# -- looked at --------------------------------------------------------------------------------------------


def test_a_diff_compares_each_film_with_what_it_was(harbour: ContentRepo) -> None:
    harbour.git("add", "-A")
    harbour.git("commit", "-qm", "The quay", "--allow-empty")
    assert harbour.storyboard("run", FILM, "--no-cut", *BOTH).code == 0
    assert harbour.in_process("diff", "HEAD", *BOTH, "--json").json["shots"] == []
    harbour.write(FILM, BOARD.replace("light: dusk", "light: night"))
    (changed,) = harbour.in_process("diff", "HEAD", *BOTH, "--json").json["shots"]
    assert (changed["profile"], changed["id"], changed["change"], changed["credits"]) == ("dusk", "quay", "changed", 60)
    assert "film+dusk:quay" in harbour.in_process("diff", "HEAD", *BOTH).out
    assert harbour.in_process("diff", "HEAD", *BOTH[:2], "--json").json["shots"] == []


def test_each_film_has_a_page_of_its_own(harbour: ContentRepo) -> None:
    assert harbour.storyboard("run", FILM, "--no-cut", *BOTH).code == 0
    assert harbour.storyboard("dailies", FILM, *BOTH).code == 0
    for profile, other in (("dawn", "dusk"), ("dusk", "dawn")):
        page = (harbour.root / f"renders/film/sandbox-{profile}/dailies.html").read_text()
        assert f"The quay at {profile}" in page
        assert f"The quay at {other}" not in page


def test_the_files_of_each_film_are_told_apart_by_its_profile(harbour: ContentRepo) -> None:
    assert harbour.storyboard("run", FILM, *BOTH, "--quiet").code == 0
    for command, name in (("cut", "cut.mp4"), ("sheet", "sheet.jpg"), ("timeline", "timeline.otio")):
        films = harbour.storyboard(command, FILM, *BOTH, "--json").json["films"]
        assert [(film["profile"], film["path"]) for film in films] == [
            (profile, f"renders/film/sandbox-{profile}/{name}") for profile in ("dawn", "dusk")
        ]
    assert harbour.storyboard("cut", FILM, "--json").json["films"][0]["profile"] is None


# -- refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("plan", FILM, *BOTH, "--profile", "dawn"), "--profile: dawn is given twice"),
        (("plan", FILM, "--profile", "none", "--profile", "none"), "--profile: none is given twice"),
        (("pick", "quay", "1", *BOTH), "this command works on one film, not on several (dawn, dusk): give one"),
        (("keep", "quay", *BOTH), "this command works on one film"),
        (("settle", "quay", "--charged", *BOTH), "this command works on one film"),
        (("plan", FILM, *BOTH, "--explain", "quay"), "'quay' is a shot of several films (dawn, dusk): give one"),
        (("fetch", "--accept", "quay", *BOTH), "'quay' is a shot of several films (dawn, dusk): give one"),
        (("dailies", FILM, *BOTH, "--to", "page.html"), "--to names one file for several films (dawn, dusk)"),
        (("run", FILM, *BOTH, "--profile", "dusl"), "no profile is named dusl; did you mean dusk?"),
    ],
)
def test_what_is_no_batch_of_films_is_exit_2(harbour: ContentRepo, words: tuple[str, ...], message: str) -> None:
    said = harbour.storyboard(*words)
    assert said.code == 2, said.err
    assert message in " ".join(said.err.split())


def test_two_films_in_one_folder_are_exit_2(harbour: ContentRepo) -> None:
    output = harbour.root / "renders/film"
    (output / "sandbox-dawn").mkdir(parents=True)
    (output / "sandbox-dusk").symlink_to(output / "sandbox-dawn")
    said = harbour.storyboard("run", FILM, *BOTH)
    assert said.code == 2
    assert "dawn and dusk of storyboards/film.yaml have the same output, renders/film/sandbox-dusk" in said.err


def test_a_problem_of_all_films_is_told_once(harbour: ContentRepo) -> None:
    harbour.write(FILM, BOARD.replace("{{ light }}", "{{ lihgt }}"))
    said = harbour.in_process("validate", FILM, *BOTH)
    assert said.code == 3
    assert said.out.count("lihgt") == harbour.in_process("validate", FILM, "--profile", "dawn").out.count("lihgt") > 0


@pytest.mark.parametrize(
    ("in_use", "cheaper"),
    [
        pytest.param(("dawn",), ("dawn+draft",), id="one film"),
        pytest.param(("dawn", "dusk"), ("dawn+draft", "dusk+draft"), id="two films"),
        pytest.param(("none", "dusk"), ("draft", "dusk+draft"), id="one of them without a profile"),
        pytest.param(("dawn+draft",), (), id="the draft itself"),
        pytest.param(("dawn", "draft"), (), id="a profile of another film in the batch"),
    ],
)
def test_a_cheaper_profile_stands_over_those_in_use(
    harbour: ContentRepo, in_use: tuple[str, ...], cheaper: tuple[str, ...]
) -> None:
    harbour.write(FILM, BOARD.replace("profiles:", "profiles:\n  draft: {model: seedance2-fast}"))

    def flags(profiles: tuple[str, ...]) -> list[str]:
        return [word for profile in profiles for word in ("--profile", profile)]

    words = " ".join(harbour.in_process("plan", FILM, "--provider", "kinovi", *flags(in_use)).out.split())
    alternatives = words.partition(" cheaper ")[2].partition(" now ")[0]
    if not cheaper:
        assert "--profile" not in alternatives
        return
    price = harbour.in_process("plan", FILM, "--provider", "kinovi", "--json", *flags(cheaper)).json["totals"][
        "credits"
    ]
    assert f"{' '.join(flags(cheaper))} {price}" in alternatives.split(" · ")


def test_what_if_prices_all_films(harbour: ContentRepo) -> None:
    rows = harbour.in_process("plan", FILM, *BOTH, "--what-if", "--json").json["rows"]
    row = next(row for row in rows if (row["model"], row["resolution"]) == ("seedance-20", "480p"))
    assert row["credits"] == 180
