"""Version 2: picks bound to clips, keeps, notes and unknown fields that stay, and takes that shrink."""

import json
from pathlib import Path
from typing import Any

import pytest

from runner.attempts.attempt import Attempt
from runner.attempts.events import Created, Failed, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.diagnostics.failures import ManifestUnreadable
from runner.planning.plan import Plan
from runner.store.manifest.composing import compose
from runner.store.manifest.decisions import with_keeps
from runner.store.manifest.document import Manifest
from runner.store.manifest.layout import layout
from runner.store.manifest.reading import read
from tests.builders.plans import BOARD_FILM, START, after, clip, plan, renamed, shot
from tests.manifest.conftest import Reread, with_pick

NOTE = {"at": "2026-03-02T12:00:00.000Z", "take": 1, "text": "the light is right"}


def made(history: History, decided: Plan, step: int = 0, task: str = "task_1") -> Attempt:
    """The history with one take of a plan made."""
    order = decided.steps[step]
    stored = Stored(clip(order.shot.id, order.take))
    return after(history, order, SendStarted(), Created(task), Succeeded((), order.price.credits), stored)


def first_version(content: dict[str, Any], **picks: int) -> dict[str, Any]:
    """A content as version 1 wrote it."""
    shots = [shot | {"picked": picks.get(shot["id"])} for shot in content["shots"]]
    return content | {"manifest": 1, "shots": shots}


def read_text(tmp_path: Path, content: dict[str, Any]) -> Manifest:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(content), "utf-8")
    manifest = read(path, "manifest.json", tmp_path)
    assert manifest is not None
    return manifest


def composed(decided: Plan, history: History, before: Manifest | None = None) -> dict[str, Any]:
    return compose(decided, history, BOARD_FILM, before)


# -- version 1 --------------------------------------------------------------------------------------------


def test_a_number_that_version_1_picked_is_bound_to_the_clip_of_that_number(tmp_path: Path, reread: Reread) -> None:
    quay, history = shot("quay", takes=2), History()
    first, second = made(history, plan(quay)), made(history, plan(quay), 1, "task_2")
    old = read_text(tmp_path, first_version(composed(plan(quay, history=history), history), quay=2))
    assert old.picks == {"quay": Pick(2, second.intent.fingerprint, "task_2", None)}
    assert first.intent.fingerprint != second.intent.fingerprint
    anew = reread(composed(plan(quay, history=history), history, old))
    assert anew.version == 2
    assert anew.picks == old.picks


def test_a_number_that_version_1_picked_and_lists_no_take_of_stays_a_number(tmp_path: Path) -> None:
    old = read_text(tmp_path, first_version(composed(plan(shot("quay")), History()), quay=3))
    assert old.picks == {"quay": Pick(3)}


def test_version_1_is_written_anew_even_where_nothing_else_changed(tmp_path: Path, reread: Reread) -> None:
    content = composed(plan(shot("quay")), History())
    read_text(tmp_path, first_version(content))
    assert reread(content).version == 2


# -- what others wrote --------------------------------------------------------------------------------------


def test_fields_that_this_version_does_not_know_stay_where_they_are(reread: Reread) -> None:
    quay, history = shot("quay"), History()
    made(history, plan(quay))
    content = composed(plan(quay, history=history), history)
    content["lens"] = [35]
    [entry] = content["shots"]
    [take] = entry["takes"]
    entry["mood"], take["grade"], take["clip"]["codec"] = "calm", {"lut": "dusk"}, "h265"
    assert composed(plan(quay, history=history), history, reread(content)) == content


def test_a_take_takes_its_unknown_fields_and_its_pick_along_to_the_new_name_of_its_shot(reread: Reread) -> None:
    quay, history = shot("quay"), History()
    attempt = made(history, plan(quay))
    content = composed(plan(quay, history=history), history)
    content["shots"][0]["takes"][0]["grade"] = "dusk"
    before = reread(with_pick(content, "quay", Pick(1, attempt.intent.fingerprint, "task_1", START)))
    history.merge_manifest((), {(BOARD_FILM, shot): pick for shot, pick in before.picks.items()})
    [entry] = composed(plan(renamed(quay, "pier"), history=history), history, before)["shots"]
    assert (entry["id"], entry["picked"]["task_id"], entry["takes"][0]["grade"]) == ("pier", "task_1", "dusk")


def test_shots_that_exchange_their_names_keep_their_own_picks(reread: Reread) -> None:
    quay, boat, history = shot("quay"), shot("boat"), History()
    attempts = made(history, plan(quay, boat)), made(history, plan(quay, boat), 1, "task_2")
    content: dict[str, Any] = composed(plan(quay, boat, history=history), history)
    for name, attempt in zip(("quay", "boat"), attempts, strict=True):
        content = with_pick(content, name, Pick(1, attempt.intent.fingerprint, attempt.task_id, START))
    before = reread(content)
    history.merge_manifest((), {(BOARD_FILM, shot): pick for shot, pick in before.picks.items()})
    exchanged = plan(renamed(quay, "boat"), renamed(boat, "quay"), history=history)
    entries = composed(exchanged, history, before)["shots"]
    assert {entry["id"]: entry["picked"]["task_id"] for entry in entries} == {"boat": "task_1", "quay": "task_2"}


def test_an_inactive_pick_stays_with_its_shot(reread: Reread) -> None:
    quay, history = shot("quay", "the sea"), History()
    attempt = made(history, plan(quay))
    picked = Pick(1, attempt.intent.fingerprint, "task_1", START)
    before = reread(with_pick(composed(plan(quay, history=history), history), "quay", picked))
    changed = plan(shot("quay", "the harbour"), history=history)
    assert composed(changed, history, before)["shots"][0]["picked"]["task_id"] == "task_1"


def test_notes_and_the_entries_of_shots_that_the_storyboard_does_not_have_stay(reread: Reread) -> None:
    quay, boat, history = shot("quay"), shot("boat"), History()
    made(history, plan(quay, boat))
    after(history, plan(quay, boat).steps[1], SendStarted(), Created("task_2"), Failed("provider", "no"))
    content = composed(plan(quay, boat, history=history), history)
    content["shots"][1]["notes"] = [NOTE]
    before = reread(content)
    boat_entry, quay_entry = composed(plan(quay, history=History()), History(), before)["shots"]
    assert quay_entry["notes"] == [NOTE]
    assert boat_entry == content["shots"][0] | {"removed": True}


def test_an_entry_that_says_nothing_goes_with_its_shot(reread: Reread) -> None:
    before = reread(composed(plan(shot("quay"), shot("boat")), History()))
    assert [entry["id"] for entry in composed(plan(shot("quay")), History(), before)["shots"]] == ["quay"]


def test_a_foreign_take_of_an_own_shot_stays(reread: Reread) -> None:
    old, new, elsewhere = shot("quay", "the sea"), shot("quay", "the harbour"), History()
    made(elsewhere, plan(old))
    before = reread(composed(plan(old, history=elsewhere), elsewhere))
    [entry] = composed(plan(new), History(), before)["shots"]
    assert entry["takes"] == before.content["shots"][0]["takes"]


# -- keeps --------------------------------------------------------------------------------------------------


def test_a_keep_is_read_into_the_history_also_where_the_ledger_knows_the_attempt(reread: Reread) -> None:
    quay, history = shot("quay"), History()
    made(history, plan(quay))
    content = with_keeps(composed(plan(quay, history=history), history), {"task_1": "ab" * 32})
    manifest = reread(content)
    for memory in (history, History()):
        memory.merge_manifest(manifest.attempts, {})
        assert [attempt.kept_for for attempt in memory.attempts.values()] == ["ab" * 32]
    assert composed(plan(quay, history=history), history, manifest) == content
    undone = reread(with_keeps(content, {"task_1": None}))
    history.merge_manifest(undone.attempts, {})
    assert [attempt.kept_for for attempt in history.attempts.values()] == [None]


# -- superseded takes ---------------------------------------------------------------------------------------


def two_versions() -> tuple[Plan, History]:
    """A shot whose prompt has changed, made before and after."""
    old, new, history = shot("quay", "the sea"), shot("quay", "the harbour"), History()
    made(history, plan(old))
    made(history, plan(new, history=history), task="task_2")
    return plan(new, history=history), history


def test_a_superseded_take_has_no_request_and_says_what_fetching_it_needs(reread: Reread) -> None:
    decided, history = two_versions()
    [entry] = reread(composed(decided, history)).content["shots"]
    first, second = entry["takes"]
    assert first.keys() == {
        "take", "fingerprint", "status", "task_id", "credits", "clip", "created_at", "completed_at"
    }  # fmt: skip
    assert second["request"]["prompt"] == "the harbour"


def test_a_superseded_take_takes_half_a_kilobyte_at_most() -> None:
    decided, history = two_versions()
    lines = layout(composed(decided, history)).splitlines()
    [line] = [line for line in lines if '"task_id":"task_1"' in line]
    assert len(line) + len("cl0cdd5ff01c085ea18c58bd") <= 500


def test_a_take_that_a_person_kept_keeps_its_request(reread: Reread) -> None:
    decided, history = two_versions()
    whole = composed(plan(shot("quay", "the sea"), history=history), history)
    kept = reread(with_keeps(whole, {"task_1": "ab" * 32}))
    first, _ = composed(decided, history, kept)["shots"][0]["takes"]
    assert (first["kept_for"], first["request"]["prompt"]) == ("ab" * 32, "the sea")


def test_a_shrunk_take_that_the_ledger_knows_gets_its_request_back(reread: Reread) -> None:
    decided, history = two_versions()
    before = reread(composed(decided, history))
    restored = plan(shot("quay", "the sea"), history=history)
    requests = [take.get("request") for take in composed(restored, history, before)["shots"][0]["takes"]]
    assert [request and request["prompt"] for request in requests] == ["the sea", None]


@pytest.mark.parametrize("status", ["running", "failed", "refused", "unsettled", "gone"])
def test_only_what_a_record_can_confirm_may_stand_without_a_request(tmp_path: Path, status: str) -> None:
    decided, history = two_versions()
    content = composed(decided, history)
    content["shots"][0]["takes"][0]["status"] = status
    with pytest.raises(ManifestUnreadable, match="entry 1: 'request' is missing"):
        read_text(tmp_path, content)
