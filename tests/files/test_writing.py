"""Files below a repository are written by their folders' descriptors: what a stranger put there is never followed."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from runner.files.writing import create_afresh, create_file, make_folder, move_file, replace_content

Obstacle = Callable[[Path, Path], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository beside a file and a folder of the user's."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").write_bytes(b"precious")
    (tmp_path / "repo" / "out").mkdir(parents=True)
    return tmp_path / "repo"


def create(path: Path, root: Path) -> None:
    with create_afresh(path, root) as file:
        file.write(b"new")


def replace(path: Path, root: Path) -> None:
    replace_content(path, root, b"new")


def move(path: Path, root: Path) -> None:
    create(path.with_name("source"), root)
    move_file(path.with_name("source"), path, root)


OBSTACLES: dict[str, Obstacle] = {
    "link": lambda path, outside: path.symlink_to(outside),
    "dangling link": lambda path, outside: path.symlink_to(outside.with_name("none")),
    "hard link": lambda path, outside: path.hardlink_to(outside),
    "pipe": lambda path, outside: os.mkfifo(path),
}


@pytest.mark.parametrize("write", [create, replace, move])
@pytest.mark.parametrize("name", ["clip", ".clip.part"])
@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_has_the_name_is_replaced_and_what_it_leads_to_stays(
    root: Path, write: Callable[[Path, Path], None], name: str, obstacle: str
) -> None:
    outside = root.parent / "outside" / "precious"
    OBSTACLES[obstacle](root / "out" / name, outside)
    write(root / "out" / "clip", root)
    assert (root / "out" / "clip").is_file()
    assert (root / "out" / "clip").read_bytes() == b"new"
    if name == "clip":
        assert not (root / "out" / name).is_symlink()
    assert sorted(path.name for path in outside.parent.iterdir()) == ["precious"]
    assert outside.read_bytes() == b"precious"


@pytest.mark.parametrize("write", [create, replace])
def test_a_folder_that_leads_out_of_the_repository_is_refused(root: Path, write: Callable[[Path, Path], None]) -> None:
    (root / "away").symlink_to(root.parent / "outside")
    for path in (root / "away" / "new", root / ".." / "outside" / "new", root / "away" / "precious"):
        with pytest.raises(PermissionError, match="outside the repository"):
            write(path, root)
    with pytest.raises(PermissionError, match="outside the repository"):
        make_folder(root / "away" / "deep" / "er", root)
    assert [path.name for path in (root.parent / "outside").iterdir()] == ["precious"]


@pytest.mark.parametrize("name", [".git", ".git/hooks", "out/.hidden"])
def test_a_hidden_folder_is_neither_written_to_nor_made(root: Path, name: str) -> None:
    with pytest.raises(PermissionError, match="hidden"):
        make_folder(root / name, root)
    (root / name).mkdir(parents=True)
    (root / "plain").symlink_to(root / name)
    for folder in (root / name, root / "plain"):
        with pytest.raises(PermissionError, match="hidden"):
            create(folder / "hook", root)
    assert list((root / name).iterdir()) == []


def test_a_link_to_another_folder_of_the_repository_is_used(root: Path) -> None:
    (root / "renders").symlink_to(root / "out")
    make_folder(root / "renders" / "film" / "clips", root)
    replace(root / "renders" / "film" / "clips" / "a", root)
    assert (root / "out" / "film" / "clips" / "a").read_bytes() == b"new"


def test_a_folder_that_is_exchanged_for_a_link_meanwhile_is_never_followed(root: Path) -> None:
    folder, away, outside = root / "out", root / "was", root.parent / "outside"
    done = threading.Event()

    def exchange() -> None:
        while not done.is_set():
            folder.rename(away)
            folder.symlink_to(outside)
            folder.unlink()
            away.rename(folder)

    thread = threading.Thread(target=exchange)
    thread.start()
    for _ in range(500):
        with suppress(OSError):
            replace(folder / "clip", root)
    done.set()
    thread.join()
    assert [path.name for path in outside.iterdir()] == ["precious"]


def test_a_file_that_exists_is_not_created_again(root: Path) -> None:
    create(root / "out" / "clip", root)
    with pytest.raises(FileExistsError):
        create_file(root / "out" / "clip", root)


def test_a_failed_write_leaves_the_old_file_and_no_part(root: Path) -> None:
    (root / "out" / "clip").mkdir()
    with pytest.raises(IsADirectoryError):
        replace(root / "out" / "clip", root)
    assert os.listdir(root / "out") == ["clip"]
