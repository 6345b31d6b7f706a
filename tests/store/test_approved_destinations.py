"""Approved destinations by account and repository; a broken file never stops a run."""

from pathlib import Path

import pytest

from runner.attempts.events import Account
from runner.store.approved_destinations import NAME, load, save

PAID = Account("kinovi", "kinovi.ai")
OTHER = Account("kinovi", "127.0.0.1:9000")


def test_what_was_agreed_to_is_known_by_account_and_repository(tmp_path: Path) -> None:
    assert load(tmp_path, PAID, "commit:1") == {}
    save(tmp_path, PAID, "commit:1", {"callbacks": "https://a.example"})
    save(tmp_path, OTHER, "commit:1", {"callbacks": "https://b.example"})
    save(tmp_path, PAID, "commit:1", {"callbacks": "https://c.example"})
    assert load(tmp_path, PAID, "commit:1") == {"callbacks": "https://c.example"}
    assert load(tmp_path, OTHER, "commit:1") == {"callbacks": "https://b.example"}
    assert load(tmp_path, PAID, "commit:2") == {}
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", '{"kinovi kinovi.ai commit:1": 3}', "{", "[" * 100_000, "\x00\xff"]
)
def test_a_file_that_is_broken_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text, "utf-8")
    assert load(tmp_path, PAID, "commit:1") == {}
    save(tmp_path, PAID, "commit:1", {"callbacks": "https://a.example"})
    assert load(tmp_path, PAID, "commit:1") == {"callbacks": "https://a.example"}


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    save(tmp_path / "nowhere", PAID, "commit:1", {"callbacks": "https://a.example"})
    assert load(tmp_path / "nowhere", PAID, "commit:1") == {}
