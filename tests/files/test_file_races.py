"""A file that is exchanged between the look at it and its opening never lets anything outside be read."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner.files.reading import FileRejected, open_regular, resolve_inside
from runner.media.files import inspect
from tests.builders.histories import local_files
from tests.builders.storyboards import compiled, picture

INSIDE, OUTSIDE = (64, 36), (10, 10)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with two pictures, beside a secret."""
    picture(tmp_path / "outside" / "door.png", *OUTSIDE)
    picture(tmp_path / "repo" / "assets" / "door.png", *INSIDE)
    picture(tmp_path / "repo" / "door.png", *INSIDE)
    return tmp_path / "repo"


def exchanges(root: Path) -> dict[str, Callable[[], None]]:
    outside = root.parent / "outside"

    def folder() -> None:
        os.rename(root / "assets", root / "was")
        (root / "assets").symlink_to(outside)

    def file() -> None:
        (root / "new").symlink_to(outside / "door.png")
        os.replace(root / "new", root / "assets" / "door.png")

    def pipe() -> None:
        os.mkfifo(root / "new")
        os.replace(root / "new", root / "assets" / "door.png")

    return {"folder": folder, "file": file, "pipe": pipe}


@pytest.mark.parametrize("what", ["folder", "file", "pipe"])
def test_what_is_exchanged_after_the_look_is_not_opened(root: Path, what: str) -> None:
    real = resolve_inside(root / "assets" / "door.png", root)
    os.close(open_regular(real, root, 10_000))
    exchanges(root)[what]()
    with pytest.raises(FileRejected) as refused:
        open_regular(real, root, 10_000)
    assert refused.value.code in ("file-unreadable", "file-kind")


def test_what_was_opened_is_what_is_measured(root: Path) -> None:
    path = root / "door.png"
    handle = open_regular(resolve_inside(path, root), root, 10_000)
    (root / "new").symlink_to(root.parent / "outside" / "door.png")
    os.replace(root / "new", path)
    assert (inspect(path, handle).width, inspect(path).width) == (INSIDE[0], OUTSIDE[0])
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(handle)


@contextmanager
def exchanging(root: Path) -> Iterator[None]:
    """Somebody who turns a folder into a link to the outside and back, as fast as the system lets him."""
    (root / "link").symlink_to(root.parent / "outside")
    over = threading.Event()

    def turn() -> None:
        while not over.is_set():
            os.rename(root / "assets", root / "real")
            os.rename(root / "link", root / "assets")
            os.rename(root / "assets", root / "link")
            os.rename(root / "real", root / "assets")

    worker = threading.Thread(target=turn)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def test_no_exchange_makes_a_storyboard_read_outside(root: Path) -> None:
    board = "storyboard: 1\nshots:\n  - {id: quay, first_frame: assets/door.png, prompt: A quay}\n"
    seen: set[object] = set()
    with exchanging(root):
        for _ in range(300):
            batch, problems = compiled(root, board)
            seen |= {problem.code for problem in problems}
            seen |= {(file.width, file.height) for file in local_files(batch)}
    assert OUTSIDE not in seen
    assert seen <= {INSIDE, "file-missing", "outside-repository", "file-unreadable"}
