"""Ways in which a credit was once spent twice, or without a yes, and is not any more."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo
from tests.commands.conftest import PAID_FILM, Host

FILM = "storyboards/film.yaml"
Start = Callable[..., Host]
DRAFT = PAID_FILM + "profiles:\n  draft: {model: seedance2-fast}\n"


def committed(film: ContentRepo) -> None:
    film.git("add", "-f", *[str(path) for path in film.root.glob("renders/**/manifest.json")], "storyboards")
    film.git("commit", "-qm", "manifests")


def fresh(film: ContentRepo, name: str) -> tuple[ContentRepo, dict[str, str]]:
    """A clone with a ledger of its own, as on another machine."""
    return clone_with_renders(film, name), {"STORYBOARD_STATE": str(film.root.parent / f"state-{name}")}


def clone_with_renders(film: ContentRepo, name: str) -> ContentRepo:
    target = film.root.parent / name
    subprocess.run(["git", "clone", "-q", str(film.root), str(target)], check=True, capture_output=True)
    return ContentRepo(target)


def test_two_profiles_manifests_in_a_fresh_clone_pay_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write(FILM, DRAFT)
    for profile in ([], ["--profile", "draft"]):
        assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", *profile, **there.env).code == 0
    committed(paid_film)
    other, state = fresh(paid_film, "other")
    assert other.storyboard("fetch", FILM, **there.env | state).code == 0
    for profile in ([], ["--profile", "draft"]):
        assert other.storyboard("run", FILM, "--no-cut", "--yes", *profile, **there.env | state).code == 0
    assert there.state["creates"] == 4


def test_what_one_repository_settles_touches_no_other(tmp_path: Path, paid_film: ContentRepo, host: Start) -> None:
    there = host("--faults", str(paid_film.write("f.yaml",
        "faults: 1\nrules:\n  - {on: create, prompt: Dusk, do: {made: true, answer: none}}\n")))  # fmt: skip
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    dusk = clone_with_renders(paid_film, "dusk")
    shutil.rmtree(dusk.root / ".git")
    dusk.git("init", "-q")
    dusk.write(FILM, PAID_FILM.replace("Sunrise", "Dusk"))
    dusk.git("add", ".")
    dusk.git("commit", "-qm", "another film")
    state = {"STORYBOARD_STATE": str(tmp_path / "elsewhere")}
    assert dusk.storyboard("run", FILM, "--yes", "--select", "quay", **there.env | state).code == 6
    assert dusk.storyboard("settle", "quay", "--not-charged", **there.env).code == 0
    assert paid_film.storyboard("run", FILM, "--yes", "--select", "quay", **there.env).code == 0
    assert there.state["creates"] == 2


def test_a_yes_to_a_price_is_a_ceiling_over_retries_too(paid_film: ContentRepo, host: Start) -> None:
    rules = "faults: 1\nrules:\n  - {on: create, times: 3, do: {made: true, status: 500, message: retry later}}\n"
    there = host("--faults", str(paid_film.write("f.yaml", rules)))
    said = paid_film.at_terminal("run", FILM, "--select", "quay", typed="y\n", **there.env)
    assert said.code in (4, 6), said.out
    assert there.state["creates"] == 1


def test_a_clone_knows_superseded_takes_of_a_profile(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write(FILM, DRAFT)
    run = ("run", FILM, "--yes", "--select", "quay", "--profile", "draft")
    assert paid_film.storyboard(*run, **there.env).code == 0
    paid_film.write(FILM, DRAFT.replace("Sunrise", "Noon"))
    assert paid_film.storyboard(*run, **there.env).code == 0
    committed(paid_film)
    other, state = fresh(paid_film, "other")
    before = other.manifest(variant="kinovi-draft")
    assert other.storyboard("fetch", FILM, "--profile", "draft", **there.env | state).code == 0
    assert other.manifest(variant="kinovi-draft") == before
    other.write(FILM, DRAFT)
    assert other.storyboard(*run, **there.env | state).code == 0
    assert there.state["creates"] == 2


def test_a_moved_storyboard_keeps_its_superseded_takes(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    run = ("--yes", "--select", "quay")
    assert paid_film.storyboard("run", FILM, "--no-cut", *run, **there.env).code == 0
    paid_film.write(FILM, PAID_FILM.replace("Sunrise", "Noon"))
    assert paid_film.storyboard("run", FILM, "--no-cut", *run, **there.env).code == 0
    (paid_film.root / FILM).rename(paid_film.root / "storyboards/moved.yaml")
    (paid_film.root / "renders/film").rename(paid_film.root / "renders/moved")
    assert paid_film.storyboard("run", "storyboards/moved.yaml", "--no-cut", *run, **there.env).code == 0
    quay = next(shot for shot in paid_film.manifest("moved", "kinovi")["shots"] if shot["id"] == "quay")
    assert len({take["task_id"] for take in quay["takes"]}) == 2
    assert there.state["creates"] == 2


def test_without_git_a_repository_pays_for_nothing_twice(paid_film: ContentRepo, host: Start, tmp_path: Path) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    shutil.rmtree(paid_film.root / "renders")
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env | {"PATH": str(tmp_path)}).code == 0
    assert there.state["creates"] == 2


@pytest.mark.parametrize("link", ["renders", "renders/film", "renders/film/kinovi/clips/quay"])
def test_what_cannot_be_stored_inside_the_repository_is_not_paid(
    paid_film: ContentRepo, host: Start, tmp_path: Path, link: str
) -> None:
    there = host()
    (outside := tmp_path / "elsewhere").mkdir()
    place = paid_film.root / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    said = paid_film.storyboard("run", FILM, "--yes", **there.env)
    assert said.code == 3
    assert "outside the repository" in said.err
    assert list(outside.iterdir()) == []
    assert there.state["creates"] == 0


def test_a_users_own_file_in_an_output_stays_as_it_is(paid_film: ContentRepo, host: Start, tmp_path: Path) -> None:
    there = host()
    own = paid_film.write("renders/film/kinovi/.writable", "somebody's own")
    for _ in range(2):
        assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
        assert own.read_text() == "somebody's own"
    own.unlink()
    own.symlink_to(tmp_path / "made-by-nobody")
    for _ in range(2):
        assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
        assert (own.is_symlink(), own.exists()) == (True, False)


def test_merging_an_older_history_forgets_nothing(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    shutil.rmtree(paid_film.root / "renders")
    tree = paid_film.git("rev-parse", "HEAD^{tree}").strip()
    old = paid_film.git("commit-tree", tree, "-m", "an older beginning").strip()
    paid_film.git("merge", "-q", "--allow-unrelated-histories", "-m", "merged", old)
    assert len(paid_film.git("rev-list", "--max-parents=0", "HEAD").split()) == 2
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_the_same_files_are_paid_once_before_and_after_git_init(tmp_path: Path, host: Start) -> None:
    there = host()
    bare = ContentRepo(tmp_path / "film")
    bare.write(FILM, PAID_FILM)
    assert bare.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert bare.storyboard("status", "--exit-code", **there.env).code == 0
    bare.git("init", "-q")
    assert bare.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2


def test_a_ceiling_in_the_environment_is_no_yes(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    said = paid_film.storyboard("run", FILM, **there.env | {"STORYBOARD_MAX_CREDITS": "5000"})
    assert (said.code, there.state["creates"]) == (4, 0)


def test_a_strangers_price_of_a_credit_lifts_no_budget(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write(FILM, PAID_FILM.replace("title:", "budget: {usd: 0.50}\ntitle:"))
    paid_film.write("storyboard.toml", '[providers.kinovi]\nusd_per_credit = "0.00001"\n')
    assert paid_film.storyboard("run", FILM, "--yes", **there.env).code == 4
    assert there.state["creates"] == 0


def test_two_storyboards_with_one_output_are_refused(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    paid_film.write("storyboards/film.yml", PAID_FILM.replace("Sunrise", "Noon"))
    said = paid_film.storyboard("run", FILM, "storyboards/film.yml", "--yes", **there.env)
    assert (said.code, there.state["creates"]) == (3, 0)
    assert "have the same output, renders/film/kinovi: rename one of them" in said.err


def test_a_host_where_nothing_was_made_binds_no_output(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    nobody = there.env | {"SEEDANCE_BASE_URL": "http://127.0.0.1:9"}
    assert paid_film.storyboard("run", FILM, "--yes", **nobody).code != 0
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0


def test_hostile_amounts_and_moments_in_a_manifest_are_refused(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    path = paid_film.root / "renders/film/kinovi/manifest.json"
    good = path.read_text()
    for old, new in (
        ('"quoted": 60', '"quoted": -100000'),
        ('"created_at": "2', '"created_at": "x2'),
        ('"take": 1', '"take": -7'),
    ):
        path.write_text(good.replace(old, new))
        assert paid_film.storyboard("status", FILM, **there.env).code == 3
    path.write_text(good)
    assert paid_film.storyboard("status", FILM, **there.env).code == 0


def test_a_state_folder_that_moves_with_the_caller_is_refused(paid_film: ContentRepo, host: Start) -> None:
    there = host()
    for said, way in (("state", "$PWD/state"), ("~/state", "$HOME/state")):
        ended = paid_film.storyboard("run", FILM, "--yes", **there.env | {"STORYBOARD_STATE": said})
        assert (ended.code, there.state["creates"]) == (3, 0)
        assert f'export STORYBOARD_STATE="{way}"' in ended.err


def test_variables_and_grafts_of_git_make_no_other_repository(
    paid_film: ContentRepo, host: Start, tmp_path: Path
) -> None:
    there = host()
    other = ContentRepo(tmp_path / "other")
    other.write(FILM, PAID_FILM)
    other.git("init", "-q")
    other.git("add", ".")
    other.git("commit", "-qm", "another beginning")
    hook = {"GIT_DIR": str(other.root / ".git"), "GIT_WORK_TREE": str(other.root)}
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env | hook).code == 0
    shutil.rmtree(paid_film.root / "renders")
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    shutil.rmtree(paid_film.root / "renders")
    before = paid_film.git("commit-tree", "HEAD^{tree}", "-m", "an older beginning").strip()
    paid_film.git("replace", "--graft", "HEAD", before)
    assert paid_film.git("rev-list", "--max-parents=0", "HEAD").split() == [before]
    assert paid_film.storyboard("run", FILM, "--no-cut", "--yes", **there.env).code == 0
    assert there.state["creates"] == 2
