"""Syncing of folders; tests/crash simulates the power loss itself."""

from pathlib import Path

from runner.store.durability import sync_above


def test_every_folder_from_the_new_one_up_to_the_top_is_made_durable(tmp_path: Path) -> None:
    folder = tmp_path / "renders" / "film" / "clips"
    folder.mkdir(parents=True)
    durable: set[Path] = set()
    sync_above(folder, tmp_path, durable)
    assert durable == {folder, folder.parent, folder.parent.parent}


def test_what_is_known_to_be_durable_is_left_alone_and_with_it_all_above(tmp_path: Path) -> None:
    folder = tmp_path / "renders" / "film" / "clips"
    folder.mkdir(parents=True)
    durable = {folder.parent}
    sync_above(folder, tmp_path, durable)
    assert durable == {folder, folder.parent}


def test_without_a_top_it_ends_where_the_disk_does(tmp_path: Path) -> None:
    durable: set[Path] = set()
    sync_above(tmp_path, durable=durable)
    assert tmp_path in durable
    assert all(folder.stat().st_dev == tmp_path.stat().st_dev for folder in durable)
