"""The health checks of a folder for `doctor`."""

from pathlib import Path

from runner.store import health
from tests import requirements


def test_a_folder_that_can_be_written_is_fit_and_left_as_it_was(tmp_path: Path) -> None:
    checks = health.folder("state", tmp_path)

    assert checks[0].verdict == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    assert health.folder("state", tmp_path / "a" / "b")[0].verdict == "ok"
    assert not (tmp_path / "a").exists()


def test_room_is_told_in_gigabytes(tmp_path: Path) -> None:
    assert "GB free" in health.folder("state", tmp_path)[1].message


def test_a_folder_without_rights_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with requirements.without_root_rights():
        assert health.folder("state", tmp_path)[0].verdict == "error"
