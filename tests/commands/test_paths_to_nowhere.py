"""A name that leads to no file, by whatever error: told and replaced, or refused by name, never a defect."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.content_repo import ContentRepo, content

FILM = "storyboards/film.yaml"
CLIP = "renders/film/sandbox/clips/quay/take-1.mp4"
NOWHERE: dict[str, Callable[[Path], None]] = {
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a name that no file can have": lambda path: path.symlink_to("x" * 3000),
    "a link through a file": lambda path: path.symlink_to("/dev/null/x"),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
}
REFUSED = {
    "renders/film/sandbox/manifest.json": "manifest.json",
    "storyboard.toml": "storyboard.toml",
    "storyboards/film.yaml": "film.yaml",
}
"""Places that are refused by name, where they are not simply empty."""
PLACES = [
    *REFUSED,
    "renders",
    "renders/film/sandbox/clips",
    "storyboards/other.yaml",
    "storyboards",
    ".git",
    ".gitattributes",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    """A repository whose clips are made; each test works on a copy."""
    repo = content(tmp_path_factory.mktemp("made"))
    assert repo.storyboard("run", FILM, "--no-cut").code == 0
    return repo


@pytest.fixture
def copy(made: ContentRepo, tmp_path: Path) -> ContentRepo:
    shutil.copytree(made.root.parent, tmp_path / "all", symlinks=True)
    return ContentRepo(tmp_path / "all" / made.root.name)


def lead_nowhere(repo: ContentRepo, place: str, kind: str) -> None:
    path = repo.root / place
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    NOWHERE[kind](path)


@pytest.mark.parametrize("kind", NOWHERE)
def test_a_clip_whose_name_leads_nowhere_is_missing_and_fetched_again(copy: ContentRepo, kind: str) -> None:
    lead_nowhere(copy, CLIP, kind)
    verified = copy.storyboard("verify", FILM)
    assert (verified.code, verified.out.split()[:2]) == (1, ["missing", "quay"])
    fetched = copy.storyboard("fetch", FILM)
    assert fetched.code == 0, fetched.err + fetched.out
    assert not (copy.root / CLIP).is_symlink()
    assert copy.storyboard("verify", FILM).code == 0


def check(repo: ContentRepo, place: str, kind: str, *commands: str) -> None:
    lead_nowhere(repo, place, kind)
    for command in commands:
        result = repo.storyboard(command)
        assert result.code in (0, 1, 2, 3, 9), (command, result.err)
        assert "Traceback" not in result.err
        if result.code == 3 and place in REFUSED:
            assert REFUSED[place] in result.err + result.out


@pytest.mark.parametrize("place", ["renders/film/sandbox/manifest.json", "storyboard.toml"])
def test_a_file_whose_name_leads_nowhere_is_no_defect(copy: ContentRepo, place: str) -> None:
    check(copy, place, "a link to a name that no file can have", "fetch")


@pytest.mark.long
@pytest.mark.parametrize("kind", NOWHERE)
@pytest.mark.parametrize("place", PLACES)
def test_no_name_that_leads_nowhere_is_a_defect_in_any_command(copy: ContentRepo, place: str, kind: str) -> None:
    check(copy, place, kind, "validate", "plan", "status", "verify", "fetch", "doctor")
