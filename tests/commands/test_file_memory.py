"""`plan` trusts what it remembers of unchanged files, and no payment depends on it."""

import hashlib
import json
import os
import re
import time
from pathlib import Path

import pytest
from PIL import Image

from tests.builders.content_repo import ContentRepo, content
from tests.waiting import wait_until

FILM = """\
storyboard: 1
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}
assets:
  maria: {image: assets/maria.png}
shots:
  - {id: quay, prompt: "@maria on the quay"}
"""
BOARD = "storyboards/film.yaml"
LONG_AGO = 1_600_000_000


@pytest.fixture
def film(tmp_path: Path) -> ContentRepo:
    """A film with one picture that nobody touched for long, and a state folder."""
    film = content(tmp_path, FILM)
    (film.root / "storyboards/assets").mkdir()
    picture(film, 10)
    film.state.mkdir()
    # The time of a file's entry cannot be set: the memory trusts it two seconds after the last change.
    settle(film)
    return film


def settle(film: ContentRepo) -> None:
    """Wait until the picture's last change is older than the margin of the memory."""
    changed = (film.root / "storyboards/assets/maria.png").stat().st_ctime_ns
    wait_until(lambda: time.time_ns() > changed + 2_100_000_000, "a settled picture")


def picture(film: ContentRepo, shade: int) -> Path:
    """Write the picture; all shades give files of one size."""
    path = film.root / "storyboards/assets/maria.png"
    Image.new("L", (320, 320), shade).save(path, compress_level=0)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def planned_hash(film: ContentRepo, *flags: str) -> str:
    """The hash of the picture as the plan has it."""
    result = film.storyboard("plan", BOARD, "--json", *flags)
    assert result.code == 0, result.err
    hashes = re.findall(r"#sha256=([0-9a-f]{64})", result.out)
    assert len(set(hashes)) == 1
    return str(hashes[0])


def memory_file(film: ContentRepo) -> Path:
    return next((film.state / "files").glob("*.json"))


def forge(film: ContentRepo) -> None:
    """Give the remembered picture another hash, with a right checksum."""
    path = memory_file(film)
    document = json.loads(path.read_bytes().partition(b"\n")[2])
    next(iter(document["files"].values()))[-1][2] = "f" * 64
    body = json.dumps(document).encode()
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


def test_an_unchanged_picture_is_not_read_again(film: ContentRepo) -> None:
    true = hashlib.sha256((film.root / "storyboards/assets/maria.png").read_bytes()).hexdigest()
    assert planned_hash(film) == true
    forge(film)
    assert planned_hash(film) == "f" * 64, "the second plan reads the memory"


def test_verify_files_reads_every_file(film: ContentRepo) -> None:
    true = planned_hash(film)
    forge(film)
    assert planned_hash(film, "--verify-files") == true


def test_a_run_never_trusts_the_memory(film: ContentRepo) -> None:
    true = planned_hash(film)
    forge(film)
    assert film.storyboard("run", BOARD, "--quiet").code == 0
    journal = "".join(path.read_text("utf-8") for path in (film.state / "sandbox").rglob("*.jsonl"))
    assert planned_hash(film, "--verify-files") == true
    assert "nothing to pay" in film.storyboard("plan", BOARD, "--verify-files").out.casefold()
    assert "f" * 64 not in journal


def test_a_file_of_the_same_size_and_time_is_read_again(film: ContentRepo) -> None:
    before = planned_hash(film)
    picture(film, 20)
    assert planned_hash(film) != before


def test_a_file_that_was_swapped_by_a_rename_is_read_again(film: ContentRepo) -> None:
    before = planned_hash(film)
    path = film.root / "storyboards/assets/maria.png"
    other = path.with_name("other.png")
    Image.new("L", (320, 320), 30).save(other, compress_level=0)
    os.utime(other, (LONG_AGO, LONG_AGO))
    other.replace(path)
    assert planned_hash(film) != before


def test_a_change_within_the_clock_s_precision_is_noticed(film: ContentRepo) -> None:
    hashes = []
    for shade in range(40, 46):
        picture(film, shade)
        hashes.append(planned_hash(film))
    assert len(set(hashes)) == 6


@pytest.mark.parametrize("content", [b"", b"damaged", b"{}" * 1000])
def test_a_damaged_memory_is_rebuilt_and_only_doctor_tells(film: ContentRepo, content: bytes) -> None:
    true = planned_hash(film)
    memory_file(film).write_bytes(content)
    doctor = film.storyboard("doctor")
    assert "files are inspected again" in " ".join(doctor.out.split())
    result = film.storyboard("plan", BOARD)
    assert (result.code, result.err) == (0, "")
    assert planned_hash(film) == true
    assert "what local files hold is remembered" in film.storyboard("doctor").out
