"""`storyboard run` with a paid provider: asked first, never above a ceiling, never without a key."""

import shlex
from collections.abc import Callable

import pytest

from tests.builders.content_repo import ContentRepo, clone
from tests.commands.conftest import KEY, Host

FILM = "storyboards/film.yaml"
LIMIT = {"STORYBOARD_MAX_CREDITS": "150"}
Start = Callable[..., Host]


def test_it_makes_pays_once_and_a_second_run_pays_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    first = paid_film.storyboard("run", FILM, "--no-cut", "--max-credits", "120", **there.env)
    assert first.code == 0, first.err
    assert there.state["creates"] == 2
    assert paid_film.storyboard("run", FILM, "--no-cut", "--max-credits", "120", **there.env).code == 0
    assert there.state["creates"] == 2
    assert [shot["takes"][0]["credits"] for shot in paid_film.manifest(variant="kinovi")["shots"]] == [
        {"quoted": 60, "used": 60},
        {"quoted": 60, "used": 60},
    ]


def test_without_a_terminal_it_asks_for_consent_on_the_command_line(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    said = paid_film.storyboard("run", FILM, **there.env)
    assert said.code == 4
    assert "storyboard run storyboards/film.yaml --max-credits 120" in said.err
    assert there.state["creates"] == 0
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0


def test_above_max_credits_nothing_is_spent_and_cheaper_ways_are_named(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    said = paid_film.storyboard("run", FILM, "--max-credits", "119", "--yes", **there.env)
    assert said.code == 4
    assert "--select scene:harbour" in said.err
    assert there.state["creates"] == 0


def test_a_ceiling_holds_under_yes(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    env = there.env | {"STORYBOARD_MAX_CREDITS": "60"}
    assert paid_film.storyboard("run", FILM, "--yes", **env).code == 4
    assert there.state["creates"] == 0


def test_a_storyboards_budget_holds_over_all_its_runs(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    text = (paid_film.root / FILM).read_text().replace("title:", "budget: {credits: 100}\ntitle:")
    paid_film.write(FILM, text)
    assert paid_film.storyboard("run", FILM, "--yes", **there.env).code == 4
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    said = paid_film.storyboard("run", FILM, "--yes", **there.env)
    assert said.code == 4
    assert "the budget in storyboards/film.yaml" in said.err
    assert there.state["creates"] == 1


def test_a_plan_above_the_budget_says_so_and_offers_what_stays_below(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    text = (paid_film.root / FILM).read_text().replace("title:", "budget: {credits: 100}\ntitle:")
    paid_film.write(FILM, text)
    words = " ".join(paid_film.in_process("plan", FILM, **there.env).out.split())
    assert "stops a run stops with exit 4: 120 credits are 20 over the budget in storyboards/film.yaml (100)" in words
    line = f"storyboard run {FILM} --select scene:harbour --max-credits 60"
    assert words.endswith(f"{line} below the limit")
    assert paid_film.storyboard(*line.split()[1:], **there.env).code == 0
    words = " ".join(paid_film.in_process("plan", FILM, **there.env).out.split())
    assert "120 credits, 60 of them spent or unsettled, are 20 over the budget" in words
    assert "storyboard run" not in words


@pytest.mark.parametrize("command", ["plan", "run"])
def test_above_a_ceiling_the_next_command_is_the_cheapest_whole_film(
    paid_film: ContentRepo, host: Start, command: str
) -> None:
    there = host()
    profiles = "profiles:\n  draft: {model: seedance2-fast, resolution: 480p}\n  slow: {duration: 6}\n"
    paid_film.write(FILM, (paid_film.root / FILM).read_text() + profiles)
    arguments = (command, FILM, "--profile", "slow")
    answer = paid_film.storyboard(*arguments, *(["--yes"] if command == "run" else []), **there.env, **LIMIT)
    lines = (answer.out + answer.err).splitlines()
    line = next(text for text in lines if "--profile slow+draft --max-credits" in text).split("  below")[0].strip()
    assert line.startswith(f"storyboard run {FILM} --profile slow+draft --max-credits ")
    assert paid_film.storyboard(*shlex.split(line)[1:], **there.env, **LIMIT).code == 0
    assert there.state["creates"] == 2


def test_the_days_budget_bounds_the_account(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write("storyboard.toml", "[budget]\ncredits_per_day = 100\n")
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    said = paid_film.storyboard("run", FILM, "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (4, 1)
    assert "budget.credits_per_day" in said.err


def test_max_credits_0_collects_what_runs_and_buys_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    said = paid_film.storyboard("run", FILM, "--max-credits", "0", **there.env)
    assert (said.code, there.state["creates"]) == (4, 0), said.err


def test_after_a_selection_the_next_lines_look_there_and_offer_the_rest(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    choice = ("--provider", "kinovi", "--var-file", "vars.yaml")
    paid_film.write("vars.yaml", "{}\n")
    said = paid_film.storyboard("run", FILM, *choice, "--select", "quay", "--max-credits", "60", **there.env)
    assert said.code == 0, said.err
    words = " ".join(said.out.split())
    assert f"storyboard run {FILM} --provider kinovi --var-file vars.yaml the rest, 60 credits" in words
    assert f"storyboard status {FILM} --provider kinovi --var-file vars.yaml" in words
    assert "film 1 of 2 shots" in words
    retaken = paid_film.storyboard(
        "run", FILM, "--no-cut", *choice, "--retake", "quay", "--max-credits", "60", **there.env
    )
    assert "film 1 of 2 shots" in " ".join(retaken.out.split())


def test_a_missing_key_is_exit_5_and_says_what_to_set(paid_film: ContentRepo) -> None:
    said = paid_film.storyboard("run", FILM, "--provider", "kinovi", "--yes")
    assert said.code == 5
    assert "export SEEDANCE_API_KEY=" in said.err


def test_a_refused_key_is_exit_5(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    said = paid_film.storyboard(
        "run", FILM, "--no-cut", "--yes", **there.env | {"SEEDANCE_API_KEY": "another-made-up-key"}
    )
    assert (said.code, there.state["creates"]) == (5, 0), said.err


def test_too_few_credits_is_exit_4_with_both_numbers(paid_film: ContentRepo, host: Start) -> None:
    there = host("--credits", "70")
    said = paid_film.storyboard("run", FILM, "--yes", **there.env)
    assert said.code == 4, said.err
    assert there.state["creates"] == 1
    assert "60" in said.err + said.out
    assert "10" in said.err + said.out


def test_a_paid_run_makes_what_can_be_sent_and_ends_with_1_for_the_rest(film: ContentRepo, host: Start) -> None:
    there = host()
    shown = film.in_process("plan", FILM, **there.env).out
    line = next(text.strip() for text in shown.splitlines() if text.startswith("  storyboard run")).split("  ")[0]
    assert line == f"storyboard run {FILM} --max-credits 60"
    said = film.storyboard(*shlex.split(line)[1:], **there.env)
    assert (said.code, there.state["creates"]) == (1, 1), said.err
    assert "blocked    enter  the last frame of quay has no public address" in said.out


def test_where_nothing_is_left_that_can_be_sent_a_paid_run_is_exit_3_with_the_free_one(
    film: ContentRepo, host: Start
) -> None:
    there = host()
    assert film.storyboard("run", FILM, "--yes", **there.env).code == 1
    said = film.storyboard("run", FILM, "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (3, 1)
    assert "the last frame of quay  enter" in said.err
    line = said.err.splitlines()[-1].strip()
    assert line == f"storyboard run {FILM} --provider sandbox"
    assert line in film.in_process("plan", FILM, **there.env).out
    assert film.storyboard(*shlex.split(line)[1:], **there.env).code == 0


def test_a_selection_without_what_it_is_made_from_names_the_one_that_passes(film: ContentRepo) -> None:
    shown = film.in_process("plan", FILM, "--select", "enter").out
    line = next(text.strip() for text in shown.splitlines() if "--select 'enter quay'" in text)
    assert "120 credits:" in shown
    wider = film.storyboard(*shlex.split(line)[1:]).out
    assert "blocked" not in wider
    assert "on kinovi 120 credits" in wider


def test_no_cheaper_way_counts_what_is_blocked(paid_film: ContentRepo) -> None:
    text = (paid_film.root / FILM).read_text()
    paid_film.write(FILM, text + '  - {id: door, scene: inside, first_frame: "@boats.last_frame", prompt: A door}\n')
    said = paid_film.in_process("plan", FILM, "--provider", "kinovi").out
    assert "--select scene:harbour 60" in said
    assert "scene:inside" not in said


def test_a_lost_answer_is_never_sent_again(paid_film: ContentRepo, host: Start) -> None:
    faults = paid_film.write(
        "faults.yaml", "faults: 1\nrules:\n  - {on: create, times: 1, do: {made: true, answer: none}}\n"
    )
    there = host("--faults", str(faults))
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert said.code == 6, said.err
    again = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert again.code == 6
    assert there.state["creates"] == 2
    stands = [shot["takes"][0]["status"] for shot in paid_film.manifest(variant="kinovi")["shots"]]
    assert sorted(stands) == ["succeeded", "unsettled"]


@pytest.mark.parametrize(
    "job",
    [
        {"GITHUB_EVENT_NAME": "pull_request"},
        {"GITHUB_EVENT_NAME": "workflow_run"},
        {"CI_PIPELINE_SOURCE": "merge_request_event"},
        {"BUILD_REASON": "PullRequest"},
    ],
)
def test_a_pull_requests_job_pays_with_both_flags_only(
    paid_film: ContentRepo, host: Start, job: dict[str, str]
) -> None:
    there = host()
    env = there.env | {"CI": "true"} | job
    for flags in (("--yes",), ("--yes", "--allow-pull-request"), ("--max-credits", "120")):
        said = paid_film.storyboard("run", FILM, *flags, STORYBOARD_MAX_CREDITS="120", **env)
        assert (said.code, there.state["creates"]) == (4, 0), flags
        assert "--allow-pull-request --max-credits 120" in said.err
    allowed = paid_film.storyboard("run", FILM, "--no-cut", "--allow-pull-request", "--max-credits", "120", **env)
    assert allowed.code == 0, allowed.err


def test_in_ci_the_ledger_has_to_outlive_the_job(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    env = there.env | {"CI": "true", "STORYBOARD_STATE": "", "HOME": str(paid_film.root.parent)}
    said = paid_film.storyboard("run", FILM, "--yes", **env)
    assert (said.code, there.state["creates"]) == (3, 0)
    assert "STORYBOARD_STATE" in said.err


def test_two_clones_with_one_ledger_pay_once(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    other = clone(paid_film, "second")
    assert other.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_a_clone_with_only_the_manifest_pays_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    paid_film.git("add", "-f", "renders/film/kinovi/manifest.json")
    paid_film.git("commit", "-qm", "manifest")
    said = paid_film.storyboard(
        "run", FILM, "--no-cut", "--yes", **there.env | {"STORYBOARD_STATE": str(paid_film.root / "new")}
    )
    assert said.code == 0, said.err
    assert there.state["creates"] == 2


def test_the_first_commit_of_a_repository_forgets_nothing(
    tmp_path_factory: pytest.TempPathFactory, host: Start
) -> None:
    there = host()
    root = tmp_path_factory.mktemp("fresh") / "film"
    fresh = ContentRepo(root)
    text = "storyboard: 1\nshots:\n  - {id: a, prompt: The sea, resolution: 480p, duration: 4}\n"
    fresh.write(FILM, text)
    fresh.git("init", "-q")
    assert fresh.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    (root / "renders/film/kinovi/manifest.json").unlink()
    fresh.git("add", "storyboards")
    fresh.git("commit", "-qm", "first")
    assert fresh.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 1


def test_the_key_stands_in_nothing_that_is_written_or_shown(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    said = [
        paid_film.storyboard("run", FILM, "--yes", "--json", **there.env),
        paid_film.in_process("status", FILM, **there.env),
        paid_film.in_process("plan", FILM, "--json", **there.env),
    ]
    written = [path.read_bytes() for path in paid_film.root.parent.rglob("*") if path.is_file()]
    assert all(KEY not in one.out + one.err for one in said)
    assert not any(KEY.encode() in content for content in written)


def test_a_run_with_uncommitted_paid_clips_says_so(paid_film: ContentRepo, host: Start) -> None:
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **host().env)
    assert " ".join(said.out.split()).count("commit renders/film/kinovi/manifest.json (worth 120 credits)") == 1


def test_what_an_uncommitted_manifest_is_worth_counts_earlier_runs(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    said = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env)
    assert " ".join(said.out.split()).count("commit renders/film/kinovi/manifest.json (worth 120 credits)") == 1


def test_the_vendors_variable_pays_and_two_different_keys_pay_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    env = {name: value for name, value in there.env.items() if name != "SEEDANCE_API_KEY"}
    both = paid_film.storyboard("run", FILM, "--yes", **there.env, KINOVI_API_KEY="another-canary-key")
    assert (both.code, there.state["creates"]) == (3, 0)
    assert "canary" not in both.out + both.err
    alone = paid_film.storyboard("run", FILM, "--no-cut", "--yes", **env, KINOVI_API_KEY=KEY)
    assert alone.code == 0, alone.err
    assert KEY not in alone.out + alone.err


def test_a_saved_plan_without_a_key_names_how_to_draw_the_film_free(paid_film: ContentRepo) -> None:
    env = {"STORYBOARD_PROVIDER": "kinovi", "SEEDANCE_BASE_URL": "http://127.0.0.1:9", "SEEDANCE_API_KEY": ""}
    assert paid_film.in_process("plan", "-o", "plan.json", "--quiet", **env).code == 0
    refused = paid_film.in_process("run", "--plan", "plan.json", **env)
    assert (refused.code, "--provider kinovi" in refused.err) == (5, False)
    assert refused.err.endswith("or draw the film free, without a key:\n  storyboard run FILE… --provider sandbox\n")
