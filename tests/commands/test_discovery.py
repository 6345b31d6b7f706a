"""Which storyboards a command takes when no FILE is given."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import FILM, ContentRepo, content
from tests.commands.conftest import Host


@pytest.fixture
def repo(tmp_path: Path) -> ContentRepo:
    """A repository of two films, each in a folder with a storyboard.toml of its own."""
    repo = content(tmp_path)
    for path in (repo.root / "storyboards").glob("*.yaml"):
        path.unlink()
    for name in ("harbour", "attic"):
        repo.write(f"films/{name}/storyboard.toml", "")
        repo.write(f"films/{name}/storyboards/{name}.yaml", FILM)
    return repo


@pytest.mark.parametrize("folder", ["films/harbour", "films/harbour/storyboards", "films/harbour/assets"])
def test_the_nearest_folder_with_a_settings_file_has_the_storyboards(repo: ContentRepo, folder: str) -> None:
    (repo.root / folder).mkdir(exist_ok=True)
    here = ContentRepo(repo.root / folder)
    result = here.in_process("validate", STORYBOARD_STATE=str(repo.state))
    assert (result.code, "1 file, 2 shots" in result.out) == (0, True), result.err


def test_where_none_is_found_those_that_lie_elsewhere_are_named(repo: ContentRepo) -> None:
    result = repo.in_process("plan")
    assert result.code == 2
    assert "films/attic/storyboards/attic.yaml" in result.err
    assert "films/harbour/storyboards/harbour.yaml" in result.err
    assert "storyboard init" not in result.err


@pytest.mark.parametrize(
    ("folders", "films"),
    [
        (["films/attic"], 1),
        (["films"], 2),
        (["."], 2),
        (["films/attic/", "films"], 2),
        (["films/attic/storyboards"], 1),
    ],
)
def test_a_folder_means_the_storyboards_in_it(repo: ContentRepo, folders: list[str], films: int) -> None:
    repo.write(".hidden/b.yaml", FILM)
    repo.write("films/attic/shared/cast.yaml", "assets: {}\n")
    for path in repo.root.glob("films/*/storyboard.toml"):
        path.unlink()
    result = repo.in_process("validate", *folders)
    assert (result.code, result.out) == (0, f"{films} file{'s' * (films > 1)}, {2 * films} shots: nothing is wrong\n")


def test_a_folder_without_storyboards_names_those_that_lie_elsewhere(repo: ContentRepo) -> None:
    (repo.root / "ads").mkdir()
    result = repo.in_process("plan", "ads")
    assert result.code == 2
    assert "there is no storyboard in ads" in result.err
    assert "films/attic/storyboards/attic.yaml" in result.err


def test_a_run_takes_a_folder_too(repo: ContentRepo) -> None:
    assert repo.storyboard("run", "films/attic").code == 0
    assert list(repo.root.glob("renders/**/attic/sandbox/manifest.json"))


def test_the_settings_are_those_of_the_nearest_folder_upward_from_the_storyboard(repo: ContentRepo) -> None:
    repo.write("storyboard.toml", 'output = "top"\n')
    repo.write("films/harbour/storyboard.toml", 'output = "clips"\n')
    assert repo.storyboard("run", "films/harbour/storyboards/harbour.yaml").code == 0
    assert list(repo.root.glob("clips/**/manifest.json"))
    assert not (repo.root / "top").exists()


def test_storyboards_with_different_settings_are_refused_together_and_both_are_named(repo: ContentRepo) -> None:
    files = [f"films/{name}/storyboards/{name}.yaml" for name in ("harbour", "attic")]
    result = repo.in_process("validate", *files)
    assert result.code == 3
    for file in files:
        assert file in result.err
    for file in files:
        assert repo.in_process("validate", file).code == 0
    assert repo.in_process("validate", *files, "--config", "films/attic/storyboard.toml").code == 0


@pytest.mark.parametrize("target", ["nowhere.yaml", "film.yaml"])
def test_a_link_that_leads_nowhere_is_a_problem_with_its_name(tmp_path: Path, target: str) -> None:
    film = content(tmp_path)
    film.write("storyboards/harbour.yaml", FILM)
    film.root.joinpath("storyboards/film.yaml").unlink()
    film.root.joinpath("storyboards/film.yaml").symlink_to(target)
    result = film.in_process("validate")
    assert (result.code, result.out.splitlines()[-1]) == (3, "2 files, 2 shots: 1 error")
    assert result.out.startswith("storyboards/film.yaml:1:1: error[file-")


def test_a_storyboard_above_the_working_folder_is_the_same_as_from_the_top(tmp_path: Path) -> None:
    repo = content(tmp_path)
    assert repo.storyboard("run", "storyboards/film.yaml", "--no-cut").code == 0
    (repo.root / "notes").mkdir()
    here = ContentRepo(repo.root / "notes")
    state = {"STORYBOARD_STATE": str(repo.state)}
    result = here.in_process("plan", "../storyboards/film.yaml", **state)
    assert (result.code, "2 shots, all made" in result.out) == (0, True), result.out
    assert here.in_process("plan", "--json", **state).json == repo.in_process("plan", "--json").json


def test_a_storyboard_above_a_link_is_found_as_the_file_system_does(tmp_path: Path) -> None:
    repo = content(tmp_path)
    (repo.root / "storyboards" / "drafts").mkdir()
    (repo.root / "link").symlink_to("storyboards/drafts")
    result = repo.in_process("plan", "link/../film.yaml", "--json")
    assert (result.code, result.json["storyboards"][0]["path"]) == (0, "storyboards/film.yaml"), result.err


def test_a_saved_plan_is_carried_out_from_a_folder_below_the_top(
    paid_film: ContentRepo, host: Callable[..., Host]
) -> None:
    there = host()
    assert paid_film.storyboard("plan", "-o", "plan.json", "--quiet", **there.env).code == 0
    (paid_film.root / "notes").mkdir()
    here = ContentRepo(paid_film.root / "notes")
    result = here.storyboard("run", "--plan", "../plan.json", **there.env, STORYBOARD_STATE=str(paid_film.state))
    assert (result.code, there.state["creates"]) == (0, 2), result.err
    assert "  commit     ../renders/film/kinovi/manifest.json (worth 120 credits)\n" in result.out
