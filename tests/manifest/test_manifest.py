"""The manifest: its content, the paid attempts that it never drops, and the fields that are never trusted."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.app.exit_codes import exit_code_of
from runner.attempts.attempt import AttemptState
from runner.attempts.events import Created, Failed, OutcomeUnknown, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.clock import format_utc
from runner.diagnostics.failures import ManifestUnreadable
from runner.diagnostics.problem import ExitCode
from runner.store.manifest.composing import compose
from runner.store.manifest.reading import read
from runner.store.manifest.writing import write
from tests.builders.plans import BOARD_FILM, actions, after, clip, last_frame, plan, renamed, shot

MADE = (SendStarted(), Created("task_1"), Succeeded(()), Stored(clip("quay")))


def test_every_shot_stands_in_it_from_the_first_run_on_sorted_by_id() -> None:
    decided = plan(shot("quay"), shot("Boat"), shot("alley"))
    assert [entry["id"] for entry in compose(decided, History(), BOARD_FILM)["shots"]] == ["alley", "Boat", "quay"]


def test_a_fresh_clone_with_only_the_manifest_pays_nothing(tmp_path: Path) -> None:
    quay, enter, history = shot("quay"), shot("enter", materials=[last_frame("quay")]), History()
    after(history, plan(quay, enter).steps[0], *MADE)
    after(history, plan(quay, enter, history=history).steps[1], SendStarted(), Created("task_2"))
    path = tmp_path / "manifest.json"
    write(path, compose(plan(quay, enter, history=history), history, BOARD_FILM), path.parent, None)

    manifest = read(path, "manifest.json", path.parent)
    assert manifest is not None
    elsewhere = History()
    elsewhere.merge_manifest(manifest.attempts, {})
    decided = plan(quay, enter, history=elsewhere, on_disk=lambda attempt: False)
    assert actions(decided) == ["resume", "resume"]
    assert decided.totals.credits == 0


def test_an_unsettled_attempt_stops_another_machine_from_paying(tmp_path: Path) -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], SendStarted(), OutcomeUnknown("the line broke"))
    path = tmp_path / "manifest.json"
    write(path, compose(plan(quay, history=history), history, BOARD_FILM), path.parent, None)
    manifest = read(path, "manifest.json", path.parent)
    assert manifest is not None
    elsewhere = History()
    elsewhere.merge_manifest(manifest.attempts, {})
    assert actions(plan(quay, history=elsewhere)) == ["unsettled"]


@pytest.mark.parametrize("zone", [-12, 0, 1, 2, 14])
def test_a_moment_is_in_utc_whatever_the_zone_it_is_told_in(zone: int) -> None:
    moment = datetime(2026, 10, 25, 1, 30, 0, 123456, tzinfo=UTC)  # as clocks go back in half of Europe
    assert format_utc(moment.astimezone(timezone(timedelta(hours=zone)))) == "2026-10-25T01:30:00.123Z"


def test_writing_the_same_changes_no_byte(tmp_path: Path) -> None:
    content = compose(plan(shot("quay")), History(), BOARD_FILM)
    path = tmp_path / "manifest.json"
    assert write(path, content, path.parent, None)
    before = path.stat().st_mtime_ns
    assert not write(path, content, path.parent, read(path, "manifest.json", path.parent))
    assert path.stat().st_mtime_ns == before


def test_half_a_manifest_that_a_killed_run_left_is_cleared_away(tmp_path: Path) -> None:
    content = compose(plan(shot("quay")), History(), BOARD_FILM)
    path, half = tmp_path / "manifest.json", tmp_path / ".manifest.json.part"
    for before in (False, True):
        half.write_bytes(b'{"manifest": 2')
        assert write(path, content, path.parent, read(path, "manifest.json", path.parent)) is not before
        assert [file.name for file in tmp_path.iterdir()] == ["manifest.json"]


def test_a_shot_that_left_stays_marked_removed_while_something_was_paid_for_it() -> None:
    quay, boat, history = shot("quay"), shot("boat"), History()
    first, second = plan(quay, boat).steps
    after(history, first, *MADE)
    after(history, second, SendStarted(), Created("task_2"), Failed("provider", "no"))
    entries = compose(plan(shot("other"), history=history), history, BOARD_FILM)["shots"]
    assert [(entry["id"], entry.get("removed", False)) for entry in entries] == [("other", False), ("quay", True)]


def test_a_renamed_shots_takes_move_to_its_new_name() -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE)
    pier = renamed(quay, "pier")
    entries = compose(plan(pier, history=history), history, BOARD_FILM)["shots"]
    assert [(entry["id"], len(entry["takes"])) for entry in entries] == [("pier", 1)]


def test_a_take_that_was_paid_and_changed_since_is_not_forgotten() -> None:
    old, new, history = shot("quay", "the sea"), shot("quay", "the harbour"), History()
    after(history, plan(old).steps[0], *MADE)
    after(history, plan(new, history=history).steps[0], SendStarted(), Created("task_2"))
    takes = compose(plan(new, history=history), history, BOARD_FILM)["shots"][0]["takes"]
    assert [(take["take"], take["status"], take["request"]["prompt"]) for take in takes] == [
        (1, "succeeded", "the sea"),
        (1, "running", "the harbour"),
    ]


def test_its_fingerprint_is_worked_out_anew_and_never_believed(tmp_path: Path) -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE)
    content = compose(plan(quay, history=history), history, BOARD_FILM)
    content["shots"][0]["takes"][0]["request"]["prompt"] = "something else"
    path = tmp_path / "manifest.json"
    write(path, content, path.parent, None)
    manifest = read(path, "manifest.json", path.parent)
    assert manifest is not None
    elsewhere = History()
    elsewhere.merge_manifest(manifest.attempts, {})
    assert actions(plan(quay, history=elsewhere)) == ["make"]


def test_what_this_ledger_knows_is_not_taken_from_the_manifest_again(tmp_path: Path) -> None:
    quay, history = shot("quay"), History()
    after(history, plan(quay).steps[0], *MADE)
    path = tmp_path / "manifest.json"
    write(path, compose(plan(quay, history=history), history, BOARD_FILM), path.parent, None)
    manifest = read(path, "manifest.json", path.parent)
    assert manifest is not None
    history.merge_manifest(manifest.attempts, {})
    assert [attempt.state for attempt in history.attempts.values()] == [AttemptState.STORED]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{\n<<<<<<< ours\n  "manifest": 1\n', "renders/film:2: git could not merge this file"),
        ("", "is not a manifest"),
        ("[]", "is not a manifest"),
        (json.dumps({"manifest": 2}), "is not a manifest"),
        (json.dumps({"manifest": "2"}), "is not a manifest"),
        (json.dumps({"manifest": 3}), "was written by a newer storyboard (version 3 of the file): update it"),
        (
            json.dumps({"manifest": 1, "storyboard": "a", "provider": "p", "host": "h", "shots": [{}]}),
            "is not a manifest",
        ),
        ("\xff", "is not a manifest"),
    ],
)
def test_what_is_no_manifest_stops_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ManifestUnreadable) as error:
        read(path, "renders/film", path.parent)
    assert exit_code_of(error.value) is ExitCode.INVALID
    assert message in error.value.message


def test_a_missing_manifest_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "manifest.json", "x", tmp_path) is None
