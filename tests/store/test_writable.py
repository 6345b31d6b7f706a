"""The probe of a folder creates a file and leaves every other file alone."""

import os
from pathlib import Path

import pytest

from runner.store import writable
from tests import requirements


@pytest.fixture(params=["as this disk can", "by name"])
def tried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both probes: an unnamed file, and a named file where the system has no unnamed files."""
    if request.param == "by name":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)


@pytest.mark.usefixtures("tried")
def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "renders"
    folder.mkdir()
    (folder / ".writable").write_text("somebody's own")
    (tmp_path / "there").write_text("elsewhere")
    (folder / ".writable-link").symlink_to(tmp_path / "there")
    (folder / ".writable-nowhere").symlink_to(tmp_path / "nowhere")
    before = sorted(path.name for path in folder.iterdir())

    writable.probe_writable(str(folder))

    assert sorted(path.name for path in folder.iterdir()) == before
    assert (folder / ".writable").read_text() == "somebody's own"
    assert (tmp_path / "there").read_text() == "elsewhere"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.usefixtures("tried")
def test_a_folder_that_is_gone_or_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, error in (("gone", FileNotFoundError), ("file", NotADirectoryError)):
        with pytest.raises(error):
            writable.probe_writable(str(tmp_path / name))


@pytest.mark.usefixtures("tried")
def test_a_folder_without_rights_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with requirements.without_root_rights(), pytest.raises(PermissionError):
        writable.probe_writable(str(tmp_path))
