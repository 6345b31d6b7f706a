"""The simulated power loss of the crash tests: what is lost, and what remains."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from .disk import Disk
from .prepared import build_library

_PRELUDE = """
import os
def write(path, text):
    with open(path, 'w') as file: file.write(text)
def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_library(tmp_path_factory.mktemp("cut"))


def files_after_loss(library: Path, folder: Path, work: str, chance: random.Random | None = None) -> dict[str, str]:
    """The files of a folder with one old file, after a process worked there and the power failed."""
    folder.mkdir()
    (folder / "old").write_text("old")
    disk = Disk(folder)
    environment = {**os.environ, "LD_PRELOAD": str(library), "CUT_FOLDER": str(folder), "CUT_DISK": str(disk.synced)}
    subprocess.run([sys.executable, "-c", _PRELUDE + work], cwd=folder, env=environment, check=True, timeout=60)
    disk.lose_power(chance)
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ("write('old', 'more')", {"old": "old"}),
        ("write('old', 'more'); sync('old')", {"old": "more"}),
        ("write('old', 'more'); sync('old'); write('old', 'most')", {"old": "more"}),
        ("write('new', 'x'); sync('new')", {"old": "old"}),
        ("write('new', 'x'); sync('.')", {"old": "old", "new": ""}),
        ("write('new', 'x'); sync('new'); sync('.')", {"old": "old", "new": "x"}),
        ("os.rename('old', 'moved')", {"old": "old"}),
        ("os.rename('old', 'moved'); sync('.')", {"moved": "old"}),
        ("os.unlink('old')", {"old": "old"}),
        ("os.unlink('old'); sync('.')", {}),
        ("write('new', 'x'); sync('new'); os.rename('new', 'old')", {"old": "old"}),
        ("write('new', 'x'); sync('new'); os.rename('new', 'old'); sync('.')", {"old": "x"}),
        ("os.mkdir('in'); write('in/new', 'x'); sync('in/new'); sync('in')", {"old": "old"}),
        ("os.mkdir('in'); write('in/new', 'x'); sync('in/new'); sync('in'); sync('.')", {"old": "old", "in/new": "x"}),
        ("os.unlink('old'); write('old', 'x'); sync('.')", {"old": ""}),
    ],
)
def test_only_what_was_synced_is_left(library: Path, tmp_path: Path, work: str, expected: dict[str, str]) -> None:
    assert files_after_loss(library, tmp_path / "folder", work) == expected


def test_chance_leaves_some_of_the_rest_and_never_half_a_rename(library: Path, tmp_path: Path) -> None:
    work = "write('new', 'x'); sync('new'); os.rename('new', 'old'); write('other', 'y' * 4096)"
    ends = [files_after_loss(library, tmp_path / str(seed), work, random.Random(seed)) for seed in range(16)]
    assert {end["old"] for end in ends} == {"old", "x"}
    assert not any("new" in end for end in ends)
    other = [end.get("other") for end in ends]
    assert None in other  # its name is not there, or its bytes are not, or some of them are
    assert "" in other
    assert any(text and {"\0", "y"} == set(text) for text in other)


def test_the_same_seed_leaves_the_same(library: Path, tmp_path: Path) -> None:
    work = "write('other', 'y' * 9999); os.rename('old', 'moved')"
    first, again = (files_after_loss(library, tmp_path / name, work, random.Random(5)) for name in ("first", "again"))
    assert first == again
