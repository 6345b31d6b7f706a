"""A saved plan is a price contract: what it lists, at most at its price, once; everything else sends nothing."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runner.planning.saved_plan import read_saved_plan
from runner.providers.transport.strict_json import parse
from tests.builders.content_repo import CommandResult, ContentRepo, clone
from tests.commands.conftest import Host

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]
OFFLINE = {
    "SEEDANCE_BASE_URL": "http://127.0.0.1:9",
    "SEEDANCE_API_KEY": "made-up-key-0123456789",
    "STORYBOARD_PROVIDER": "kinovi",
}
"""A paid account whose host does not answer: whatever is sent to it fails."""


def save(repo: ContentRepo, env: dict[str, str], *words: str) -> dict[str, Any]:
    """Save a plan in `plan.json`; the document."""
    saved = repo.in_process("plan", FILM, "-o", "plan.json", *words, **env)
    assert saved.code == 0, saved.err
    document: dict[str, Any] = json.loads((repo.root / "plan.json").read_text())
    return document


def run(repo: ContentRepo, env: dict[str, str], *words: str) -> CommandResult:
    return repo.storyboard("run", "--plan", "plan.json", *words, **env)


def change(repo: ContentRepo, old: str, new: str) -> None:
    text = (repo.root / FILM).read_text()
    assert old in text
    repo.write(FILM, text.replace(old, new))


def write(repo: ContentRepo, document: dict[str, Any], *, signed: bool = False) -> None:
    """Write a changed plan; `signed`: with the digest that belongs to the change."""
    if signed:
        document["digest"] = read_saved_plan(parse(json.dumps(document).encode())).digest
    repo.write("plan.json", json.dumps(document))


# -- once, at its price -------------------------------------------------------------------------------------


def test_a_plan_of_this_ledger_is_consent_and_makes_each_take_once(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    document = save(paid_film, there.env)
    assert (document["ceiling"], document["digest"]) == (
        120,
        read_saved_plan(parse(json.dumps(document).encode())).digest,
    )
    first = run(paid_film, there.env)
    assert (first.code, there.state["creates"]) == (0, 2), first.err
    again = run(paid_film, there.env)
    assert (again.code, there.state["creates"]) == (0, 2)
    assert "left out, made: quay take 1, boats take 1" in again.err


def test_a_saved_plan_and_what_differs_since_hold_to_the_published_schema(paid_film: ContentRepo) -> None:
    schema = json.loads((Path(__file__).parents[2] / "schemas/plan.schema.json").read_text())
    jsonschema.Draft7Validator(schema).validate(save(paid_film, OFFLINE))
    text = (paid_film.root / FILM).read_text()
    paid_film.write(FILM, text[: text.index("  - id: boats")].replace("Sunrise", "Noon"))
    shown = paid_film.in_process("plan", "plan.json", "--json", **OFFLINE).json
    jsonschema.Draft7Validator(schema).validate(shown)
    assert [entry["code"] for entry in shown["since"]["differences"]] == ["request"]
    assert [entry["shot"] for entry in shown["since"]["left_out"]] == ["quay", "boats"]


def test_the_screen_of_a_saved_plan_says_where_it_lies_and_what_to_type(paid_film: ContentRepo) -> None:
    shown = paid_film.in_process("plan", FILM, "-o", "plan.json", "--valid", "12h", **OFFLINE).out
    document = json.loads((paid_film.root / "plan.json").read_text())
    assert "saved    plan.json, valid until 20" in shown
    assert f"digest   {document['digest']}" in shown
    assert shown.splitlines()[-1].split("  ")[1] == "storyboard run --plan plan.json"


def test_on_another_machine_a_plan_is_a_ceiling_and_yes_is_consent(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    save(paid_film, there.env)
    elsewhere = there.env | {"STORYBOARD_STATE": str(paid_film.root.parent / "other-state")}
    for words in ((), ("--max-credits", "120")):
        refused = run(paid_film, elsewhere, *words)
        assert (refused.code, there.state["creates"]) == (4, 0)
        assert "storyboard run --plan plan.json --yes" in refused.err
    assert run(paid_film, elsewhere, "--yes").code == 0
    assert there.state["creates"] == 2


def test_on_another_machine_a_person_is_asked(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    save(paid_film, there.env)
    elsewhere = there.env | {"STORYBOARD_STATE": str(paid_film.root.parent / "other-state")}
    declined = paid_film.at_terminal("run", "--plan", "plan.json", typed="n\n", **elsewhere)
    assert (declined.code, there.state["creates"]) == (4, 0)
    assert "Make 2 clips for at most 120 credits" in declined.out


def test_the_last_line_of_a_plans_run_goes_on_with_the_plan(paid_film: ContentRepo, host: Start) -> None:
    there = host(seconds="60")
    save(paid_film, there.env)
    waiting = run(paid_film, there.env, "--no-wait")
    assert (waiting.code, "storyboard run --plan plan.json" in waiting.out) == (9, True), waiting.out


def test_the_commands_after_a_plans_run_name_no_profile_where_it_has_none(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    save(paid_film, there.env)
    done = run(paid_film, there.env, "--no-wait")
    assert "--profile" not in done.out
    there.wait_for_tasks()
    done = run(paid_film, there.env)
    assert (done.code, "--profile" in done.out) == (0, False), done.out
    assert f"storyboard status {FILM} --provider kinovi" in done.out


def test_first_take_is_saved_only_where_it_decides_no_request(paid_film: ContentRepo) -> None:
    assert save(paid_film, OFFLINE, "--first-take")["command"]["first_take"] is True
    change(paid_film, "scene: harbour", "takes: 2")
    board = (paid_film.root / FILM).read_text()
    paid_film.write(FILM, f'{board}  - id: next\n    first_frame: "@quay.last_frame"\n    prompt: Next\n')
    paid_film.write(
        "storyboard.toml", '[providers.kinovi]\nedition = "2026-10"\n[publish]\nways = ["vendor", "upload"]\n'
    )
    refused = paid_film.in_process("plan", FILM, "-o", "plan.json", "--first-take", **OFFLINE)
    assert (refused.code, "--first-take leaves open what next is made from" in refused.err) == (2, True), refused.err


def test_a_plan_saved_in_a_pull_requests_job_is_no_consent(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    save(paid_film, there.env | {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request"})
    assert (run(paid_film, there.env).code, there.state["creates"]) == (4, 0)


def test_a_lower_max_credits_holds_below_the_plans_ceiling(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    save(paid_film, there.env)
    refused = run(paid_film, there.env, "--max-credits", "119")
    assert (refused.code, there.state["creates"]) == (4, 0)
    assert "over --max-credits 119" in refused.err


def test_the_ceiling_holds_over_all_runs_of_the_plan(paid_film: ContentRepo, host: Start) -> None:
    lost = "faults: 1\nrules:\n  - {on: create, prompt: Sunrise, do: {made: true, answer: none}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", lost)))
    save(paid_film, there.env)
    assert run(paid_film, there.env).code == 6
    assert paid_film.storyboard("settle", "quay", "--charged", **there.env).code == 0
    creates = there.state["creates"]
    stopped = run(paid_film, there.env)
    assert (stopped.code, there.state["creates"]) == (4, creates), stopped.err
    assert "60 over the saved plan 120" in stopped.err


def test_from_two_clones_on_one_ledger_each_take_is_made_once(paid_film: ContentRepo, host: Start) -> None:
    there, other = host(), clone(paid_film, "other")
    save(paid_film, there.env)
    other.write("plan.json", (paid_film.root / "plan.json").read_text())
    running = [repo.start("run", "--plan", "plan.json", **there.env) for repo in (paid_film, other)]
    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert there.state["creates"] == 2


# -- retakes and repetitions --------------------------------------------------------------------------------


def test_a_retake_is_ordered_once_however_often_its_plan_is_run(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert save(paid_film, there.env, "--retake", "quay")["ceiling"] == 60
    for _ in range(3):
        assert run(paid_film, there.env).code == 0
    assert there.state["creates"] == 3


def test_a_refused_take_is_ordered_again_once_by_its_plan(paid_film: ContentRepo, host: Start) -> None:
    refusal = "faults: 1\nrules:\n  - {on: create, prompt: Boats, do: {status: 422, message: no boats}}\n"
    there = host("--faults", str(paid_film.write("faults.yaml", refusal)))
    assert paid_film.storyboard("run", FILM, "--yes", **there.env).code == 1
    assert attempts(paid_film, "boats") == 1
    save(paid_film, there.env, "--again", "boats")
    for _ in range(3):
        ended = run(paid_film, there.env)
        assert attempts(paid_film, "boats") == 2, ended.err
    assert "left out, refused: boats take 1" in ended.err


def attempts(repo: ContentRepo, shot: str) -> int:
    """How many attempts of a shot the ledger has."""
    with closing(sqlite3.connect(repo.state / "ledger.db")) as database:
        return int(database.execute("SELECT COUNT(*) FROM attempt WHERE shot = ?", (shot,)).fetchone()[0])


# -- what differs sends nothing -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Boats leave", "Boats enter", "boats take 1 asks for something else than it lists: prompt changed"),
        ("duration: 4", "duration: 6", "quay take 1 asks for something else than it lists: duration changed"),
        ("scene: water", "takes: 2", "boats take 2 is to be made (60 credits), and it does not list that take"),
        ("  - id: boats", "  - id: new\n    prompt: New\n  - id: boats", "new take 1 is to be made (60 credits)"),
    ],
)
def test_what_the_plan_does_not_list_is_named_and_nothing_is_sent(
    paid_film: ContentRepo, host: Start, old: str, new: str, message: str
) -> None:
    there = host()
    save(paid_film, there.env)
    change(paid_film, old, new)
    refused = run(paid_film, there.env, "--yes")
    assert (refused.code, there.state["creates"]) == (4, 0)
    assert message in refused.err
    shown = paid_film.in_process("plan", "plan.json", **there.env)
    assert (shown.code, message in " ".join(shown.out.split())) == (0, True)


def test_a_higher_price_is_named_and_nothing_is_sent(paid_film: ContentRepo) -> None:
    save(paid_film, OFFLINE)
    paid_film.write("storyboard.toml", '[providers.kinovi.prices]\n"seedance-20 480p" = "20"\n')
    refused = run(paid_film, OFFLINE, "--yes")
    assert refused.code == 4
    assert "quay take 1 costs 80 credits now, and 60 in it" in refused.err


def test_a_shot_that_left_the_storyboard_is_left_out_with_a_note(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    save(paid_film, there.env, "--select", "quay boats")
    text = (paid_film.root / FILM).read_text()
    paid_film.write(FILM, text[: text.index("  - id: boats")])
    done = run(paid_film, there.env)
    assert (done.code, there.state["creates"]) == (0, 1), done.err
    assert "left out, no longer in the storyboard: boats take 1" in done.err


def test_a_renamed_shot_is_the_same_request_and_made(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    save(paid_film, there.env)
    change(paid_film, "id: boats", "id: ships")
    assert (run(paid_film, there.env).code, there.state["creates"]) == (0, 2)


def test_a_plan_of_another_account_edition_or_repository_sends_nothing(paid_film: ContentRepo) -> None:
    save(paid_film, OFFLINE)
    account = run(paid_film, OFFLINE | {"SEEDANCE_BASE_URL": "http://127.0.0.1:19"}, "--yes")
    assert (account.code, "it is for kinovi at 127.0.0.1:9, and this is 127.0.0.1:19" in account.err) == (4, True)
    paid_film.write("storyboard.toml", '[providers.kinovi]\nedition = "2026-10"\n')
    edition = run(paid_film, OFFLINE, "--yes")
    assert (edition.code, "it is for the edition classic" in edition.err) == (4, True)
    (paid_film.root / FILM).rename(paid_film.root / "storyboards/other.yaml")
    moved = run(paid_film, OFFLINE, "--yes")
    assert (moved.code, f"it names {FILM}, which is not in" in moved.err) == (4, True)
    shown = paid_film.in_process("plan", "plan.json", **OFFLINE)
    assert (shown.code, FILM in shown.out) == (0, True)


# -- bad plan files -----------------------------------------------------------------------------------------


def test_an_expired_plan_sends_nothing_and_is_still_shown(paid_film: ContentRepo) -> None:
    document = save(paid_film, OFFLINE)
    write(paid_film, document | {"expires_at": "2026-01-01T00:00:00.000Z"}, signed=True)
    refused = run(paid_film, OFFLINE, "--yes")
    assert (refused.code, "plan.json expired at 2026-01-01T00:00:00.000Z" in refused.err) == (4, True)
    shown = paid_film.in_process("plan", "plan.json", **OFFLINE)
    assert (shown.code, "a run of it sends nothing" in shown.out) == (0, True)


def edited(**fields: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: json.dumps(document | fields)


@pytest.mark.parametrize(
    ("change_text", "code", "message"),
    [
        (lambda document: json.dumps(document)[:-200], 2, "is cut off or no plan"),
        (
            lambda document: "",
            2,
            "is cut off or no plan (not JSON at character 1): `storyboard plan -o FILE` writes one",
        ),
        (lambda document: "[" * 100_000, 2, "is cut off or no plan"),
        (lambda document: '{"plan": 1, "plan": 1}', 2, "occurs twice"),
        (lambda document: "[]", 2, "is no plan"),
        (edited(plan=2), 2, "was written by a newer version of storyboard (plan 2)"),
        (edited(ceiling=10_000), 4, "was edited by hand"),
        (edited(ceiling=-1), 2, "ceiling is missing or not what `plan -o` writes"),
        (edited(ceiling=True), 2, "ceiling is missing"),
        (edited(expires_at="2099-01-01T00:00:00.000Z"), 4, "was edited by hand"),
        (edited(expires_at="soon"), 2, "expires_at is missing"),
        (edited(storyboards=[]), 2, "storyboards is missing"),
        (edited(digest="0" * 64), 4, "was edited by hand"),
        (lambda document: json.dumps({k: v for k, v in document.items() if k != "digest"}), 2, "no saved plan"),
        (edited(id="../../x"), 2, "id is missing"),
        (edited(edition="2026-10"), 4, "was edited by hand"),
    ],
)
def test_a_plan_file_that_is_not_as_it_was_written_has_its_own_message(
    paid_film: ContentRepo, change_text: Callable[[dict[str, Any]], str], code: int, message: str
) -> None:
    paid_film.write("plan.json", change_text(save(paid_film, OFFLINE)))
    refused = run(paid_film, OFFLINE, "--yes")
    assert (refused.code, message in refused.err) == (code, True), refused.err
    assert paid_film.in_process("plan", "plan.json", **OFFLINE).code == code


def test_a_signed_edit_of_a_plan_that_this_ledger_wrote_is_noticed(paid_film: ContentRepo) -> None:
    write(paid_film, save(paid_film, OFFLINE) | {"ceiling": 10_000}, signed=True)
    refused = run(paid_film, OFFLINE, "--yes")
    assert (refused.code, "this ledger wrote the plan" in refused.err) == (4, True)


@pytest.mark.parametrize("name", ["missing.json", ".", "/dev/null"])
def test_a_plan_that_cannot_be_read_is_a_wrong_command_line(paid_film: ContentRepo, name: str) -> None:
    refused = paid_film.storyboard("run", "--plan", name, "--yes", **OFFLINE)
    assert (refused.code, "`storyboard plan -o FILE` writes" in refused.err) == (2, True), refused.err


def test_a_storyboard_in_place_of_a_plan_is_told_so_in_words_of_ours(paid_film: ContentRepo) -> None:
    refused = paid_film.in_process("run", "--plan", "storyboards/film.yaml", **OFFLINE)
    assert refused.err == (
        "storyboard: storyboards/film.yaml is cut off or no plan (not JSON at character 1): `storyboard plan -o FILE` "
        "writes one\n"
    )


def test_a_plan_with_a_path_out_of_the_repository_reads_nothing_there(paid_film: ContentRepo) -> None:
    paid_film.root.with_name("secret.yaml").write_text("storyboard: 1\nshots: [{id: a, prompt: secret}]\n")
    document = save(paid_film, OFFLINE)
    for path in ("../secret.yaml", str(paid_film.root.with_name("secret.yaml"))):
        document["storyboards"][0]["path"] = path
        write(paid_film, document, signed=True)
        refused = run(paid_film, OFFLINE, "--yes")
        assert (refused.code, "secret" in refused.err.replace(path, "")) == (4, False)


# -- the command line ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        (FILM,), ("--provider", "sandbox"), ("--profile", "x"), ("--select", "quay"), ("--exclude", "quay"),
        ("--retake", "quay"), ("--again", "quay"), ("--first-take",), ("--var", "a=b"), ("--var-file", "x.yaml"),
        ("--config", "x.toml"), ("--output", "elsewhere"), ("--no-color",),
    ],
)  # fmt: skip
def test_what_the_plan_says_cannot_stand_beside_it(paid_film: ContentRepo, words: tuple[str, ...]) -> None:
    save(paid_film, OFFLINE)
    refused = run(paid_film, OFFLINE, *words)
    assert (refused.code, "cannot stand beside --plan" in refused.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--valid", "30d"), "add -o PLAN"),
        (("-o", "plan.json", "--valid", "tomorrow"), "write 30d, 12h or 90s"),
        (("-o", "plan.json", "--valid", "999999d"), "366d at most"),
        (("-o", "plan.txt"), "ends with .json"),
        (("-o", "plan.json", "--what-if"), "leave out --explain and --what-if"),
        (("-o", "plan.json", "--config", "storyboard.toml"), "--config cannot stand beside -o"),
        (("plan.json",), "stands alone"),
    ],
)
def test_a_plan_that_cannot_be_saved_is_a_wrong_command_line(
    paid_film: ContentRepo, words: tuple[str, ...], message: str
) -> None:
    paid_film.write("storyboard.toml", "")
    refused = paid_film.in_process("plan", FILM, *words, **OFFLINE)
    assert (refused.code, message in refused.err) == (2, True), refused.err
    assert not (paid_film.root / "plan.json").exists()


def test_a_file_that_is_no_saved_plan_is_not_overwritten(paid_film: ContentRepo) -> None:
    mine = paid_film.write("package.json", "{}")
    refused = paid_film.in_process("plan", FILM, "-o", "package.json", **OFFLINE)
    assert (refused.code, mine.read_text()) == (2, "{}")
    assert "was not overwritten" in refused.err


def test_a_plan_is_saved_where_the_ledger_cannot_be_written(paid_film: ContentRepo, tmp_path: Path) -> None:
    (tmp_path / "no-folder").write_text("")
    saved = paid_film.storyboard(
        "plan", FILM, "-o", "plan.json", **OFFLINE | {"STORYBOARD_STATE": str(tmp_path / "no-folder")}
    )
    assert (saved.code, "needs --yes" in saved.err) == (0, True), saved.err
    assert (paid_film.root / "plan.json").exists()


def test_a_free_plan_is_carried_out_without_a_word(film: ContentRepo) -> None:
    document = save(film, {})
    assert (document["play"], len(document["storyboards"][0]["shots"])) == (True, 2)
    assert run(film, {}).code == 0
    assert run(film, {}).code == 0
