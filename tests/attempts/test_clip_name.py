"""The names of clips on users' disks, which manifests and ledgers hold."""

import pytest

from runner.attempts.clip_name import ClipName, archive_name, clips_folder, is_clip_of


def test_a_take_has_one_name_for_its_clip_and_another_while_the_clip_is_doubtful() -> None:
    assert ClipName("quay", 2).path == "clips/quay/take-2.mp4"
    assert ClipName("quay", 2, is_doubtful=True).path == "clips/quay/take-2.doubtful.mp4"
    assert archive_name("quay", 2, "0123456789abcdef") == "clips/quay/earlier/take-2.01234567.mp4"


@pytest.mark.parametrize(
    ("path", "of_either_name", "of_complete_name"),
    [
        ("renders/harbour/clips/quay/take-2.mp4", True, True),
        ("clips/quay/take-2.mp4", True, True),
        ("renders/harbour/clips/quay/take-2.doubtful.mp4", True, False),
        ("renders/harbour/clips/old-quay/take-2.mp4", False, False),
        ("renders/harbour/clips/quay/take-12.mp4", False, False),
        ("renders/harbour/clips/quay/take-02.mp4", False, False),
        ("renders/harbour/clips/quay/earlier/take-2.01234567.mp4", False, False),
        ("renders/harbour/old-clips/quay/take-2.mp4", False, False),
    ],
)
def test_a_clip_is_known_by_its_whole_name(path: str, of_either_name: bool, of_complete_name: bool) -> None:
    assert is_clip_of(path, "quay", 2) is of_either_name
    assert is_clip_of(path, "quay", 2, doubtful=False) is of_complete_name


@pytest.mark.parametrize(
    "name", [ClipName("quay", 2).path, ClipName("clips", 2).path, archive_name("quay", 2, "0123456789abcdef")]
)
@pytest.mark.parametrize("output", ["renders/harbour/", "../clips/renders/harbour/", "clips/", ""])
def test_the_folder_of_all_clips_is_found_from_the_clip_upwards(output: str, name: str) -> None:
    assert clips_folder(output + name) == f"{output}clips"
