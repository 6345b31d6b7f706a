"""settle, spend, pick, fetch, verify, --retake, --again, --first-take, --no-wait, against a paid host on loopback."""

import csv
import io
from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import PAID_FILM, Host
from tests.waiting import wait_until

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]
LOST = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
NOT_MADE = "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: false, answer: none}}\n"
SEVERAL = PAID_FILM.replace("  - id: quay\n", "  - id: quay\n    takes: 2\n")


def faulty(film: ContentRepo, host: Start, rules: str) -> Host:
    return host("--faults", str(film.write("faults.yaml", rules)))


def test_settle_lists_what_nobody_knows_and_is_exit_6(paid_film: ContentRepo, host: Start) -> None:
    there = faulty(paid_film, host, LOST)
    paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    said = paid_film.storyboard("settle", **there.env)
    assert said.code == 6
    assert "film:quay" in said.out
    listed = paid_film.storyboard("settle", "--json", **there.env).json["unsettled"]
    assert [(each["shot"], each["take"]) for each in listed] == [("quay", 1)]


def test_a_task_that_the_provider_confirms_is_adopted_and_pays_nothing_more(
    paid_film: ContentRepo, host: Start
) -> None:
    there = faulty(paid_film, host, LOST)
    paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    task = there.state["tasks"][0]["taskId"]
    said = paid_film.storyboard("settle", "quay", "--task", task, **there.env)
    assert said.code == 0, said.err
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert there.state["creates"] == 1


def test_a_task_of_somebody_else_is_not_adopted(paid_film: ContentRepo, host: Start) -> None:
    there = faulty(paid_film, host, LOST)
    paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    said = paid_film.storyboard("settle", "quay", "--task", "task_of_somebody_else", **there.env)
    assert said.code == 2
    assert paid_film.storyboard("settle", **there.env).code == 6


@pytest.mark.parametrize("renamed", ["shot", "storyboard"])
def test_a_lost_answer_is_settled_by_the_name_that_its_request_has_now(
    paid_film: ContentRepo, host: Start, renamed: str
) -> None:
    there = faulty(paid_film, host, LOST)
    paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    if renamed == "shot":
        path, shot = FILM, "film:pier"
        paid_film.write(path, PAID_FILM.replace("id: quay", "id: pier"))
    else:
        path, shot = "storyboards/harbour.yaml", "harbour:quay"
        (paid_film.root / FILM).rename(paid_film.root / path)
    run = paid_film.storyboard("run", path, "--yes", "--select", shot.split(":")[1], **there.env)
    assert f"storyboard settle {shot} --task" in run.out + run.err
    task = there.state["tasks"][0]["taskId"]
    settled = paid_film.storyboard("settle", shot, "--task", task, **there.env)
    assert settled.code == 0, settled.err
    assert paid_film.storyboard("run", path, "--yes", "--select", shot.split(":")[1], **there.env).code == 0
    assert there.state["creates"] == 1


def test_the_users_word_that_it_was_not_charged_lets_the_next_run_make_it(paid_film: ContentRepo, host: Start) -> None:
    there = faulty(paid_film, host, NOT_MADE)
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 6
    assert paid_film.storyboard("settle", "film:quay", "--not-charged", **there.env).code == 0
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert there.state["creates"] == 1


def test_a_wrong_word_is_taken_back(paid_film: ContentRepo, host: Start) -> None:
    there = faulty(paid_film, host, LOST)
    paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    assert paid_film.storyboard("settle", "quay", "--not-charged", **there.env).code == 0
    assert paid_film.storyboard("settle", **there.env).code == 0
    assert paid_film.storyboard("settle", "quay", "--undo", **there.env).code == 0
    assert paid_film.storyboard("settle", **there.env).code == 6


def test_nothing_in_doubt_is_a_wrong_command_line_for_a_shot(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    said = paid_film.storyboard("settle", "quay", "--not-charged", **there.env)
    assert said.code == 2
    assert "no attempt of 'quay' is unsettled" in said.err


def test_an_undo_without_a_settlement_says_so_and_names_the_list(paid_film: ContentRepo, host: Start) -> None:
    there = faulty(paid_film, host, LOST)
    for unsettled in (False, True):
        if unsettled:
            assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 6
        said = paid_film.storyboard("settle", "quay", "--undo", **there.env)
        assert said.code == 2
        assert "nothing was settled for 'quay': there is nothing to undo" in said.err
        assert said.err.endswith("  storyboard settle\n")


def test_the_bill_is_by_shot_as_json_and_csv(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    lines = paid_film.in_process("spend", "--by", "scene", "--json", **there.env).json["lines"]
    assert sorted((line["name"], line["billed"]) for line in lines) == [("harbour", 60), ("water", 60)]
    table = list(csv.DictReader(io.StringIO(paid_film.in_process("spend", "--by", "shot", "--csv", **there.env).out)))
    assert sorted(row["shot"] for row in table) == ["film:boats", "film:quay"]
    assert "120" in paid_film.in_process("spend", **there.env).out


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "9999-12-31"),
        ("--month", "9999-12"),
        ("--month", "2026-13"),
        ("--since", "0001-01-01"),
        ("--since", "2026-12-01", "--until", "2026-01-01"),
    ],
)
def test_a_day_that_no_bill_has_is_a_wrong_command_line(paid_film: ContentRepo, words: tuple[str, ...]) -> None:
    assert paid_film.in_process("spend", *words).code == 2


def test_play_money_is_in_no_bill(film: ContentRepo) -> None:
    film.storyboard("run", FILM, "--select", "quay")
    assert "Nothing was spent." in film.in_process("spend").out


def test_a_pick_goes_into_the_manifest(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write(FILM, SEVERAL)
    paid_film.storyboard("run", FILM, "--yes", **there.env)
    assert paid_film.storyboard("pick", "quay", "3", **there.env).code == 2
    assert paid_film.storyboard("pick", "quay", "2", **there.env).code == 0
    shots = {shot["id"]: shot for shot in paid_film.manifest(variant="kinovi")["shots"]}
    second = shots["quay"]["takes"][1]
    assert shots["boats"]["picked"] is None
    assert {name: value for name, value in shots["quay"]["picked"].items() if name != "at"} == {
        "take": 2,
        "fingerprint": second["fingerprint"],
        "task_id": second["task_id"],
    }
    assert paid_film.storyboard("pick", "quay", "none", **there.env).code == 0
    assert paid_film.manifest(variant="kinovi")["shots"][1]["picked"] is None


def test_a_changed_clip_is_seen_and_brought_back_for_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert paid_film.storyboard("verify", FILM, **there.env).code == 0
    first, second = (paid_film.root / clip for clip in paid_film.clips())
    whole = first.read_bytes()
    first.write_bytes(whole[:-1] + b"!")
    second.unlink()
    checked = paid_film.storyboard("verify", FILM, "--json", **there.env)
    assert checked.code == 1
    assert sorted(clip["verdict"] for clip in checked.json["clips"]) == ["changed", "missing"]
    assert paid_film.storyboard("fetch", FILM, **there.env).code == 0
    assert paid_film.storyboard("verify", FILM, **there.env).code == 0
    assert first.read_bytes() == whole
    assert there.state["creates"] == 2


def test_a_retake_makes_another_clip_and_nothing_else(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", "--retake", "quay", **there.env)
    assert said.code == 0, said.err
    assert paid_film.clips() == [f"renders/film/kinovi/clips/quay/take-{take}.mp4" for take in (1, 2)]
    assert there.state["creates"] == 2
    priced = paid_film.in_process("plan", FILM, "--retake", "quay", "--json", **there.env).json
    assert [take["take"] for shot in priced["storyboards"][0]["shots"] for take in shot["takes"]] == [3]


def test_a_refused_take_is_not_sent_again_until_it_is_asked_for(paid_film: ContentRepo, host: Start) -> None:
    text = "faults: 1\nrules:\n  - {on: task, times: 1, do: {error: text}}\n"
    there = faulty(paid_film, host, text)
    first = paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env)
    assert first.code == 1, first.err
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 1
    assert there.state["creates"] == 1
    again = paid_film.storyboard("run", FILM, "--no-cut", "--yes", "--again", "quay", **there.env)
    assert again.code == 0, again.err
    assert there.state["creates"] == 2
    assert paid_film.storyboard("run", FILM, "--yes", "--again", "quay", **there.env).code == 2


def test_again_goes_on_with_what_it_ordered_before_a_crash(paid_film: ContentRepo, host: Start) -> None:
    rule = "faults: 1\nrules:\n  - {on: task, times: 1, do: {error: text}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", rule)), seconds="1")
    again = ("run", FILM, "--yes", "--again", "quay")
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 1
    process = paid_film.start(*again, **there.env)
    wait_until(lambda: there.state["creates"] >= 2, "the second order arrives")
    process.kill()
    process.communicate()
    assert paid_film.storyboard(*again, **there.env).code in (0, 6)
    assert there.state["creates"] == 2


def test_no_wait_leaves_tasks_to_the_next_run(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="1")
    said = paid_film.storyboard("run", FILM, "--yes", "--no-wait", **there.env)
    assert (said.code, there.state["creates"]) == (9, 2), said.err
    assert paid_film.clips() == []
    assert paid_film.storyboard("run", FILM, "--max-credits", "0", **there.env).code == 0
    assert len(paid_film.clips()) == 2
    assert there.state["creates"] == 2
