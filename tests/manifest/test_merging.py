"""Manifests of two branches are merged without losing a task, a clip or a pick that anybody paid for or chose."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.diagnostics.failures import ManifestUnreadable
from runner.store.manifest.document import Manifest
from runner.store.manifest.layout import END, SHOTS_BEGIN, layout
from runner.store.manifest.merging import PickConflict, merge, tasks
from runner.store.manifest.reading import parse
from runner.store.manifest.shared_shots import SharedShots
from tests.builders.manifest_branches import random_pair
from tests.manifest.conftest import SCHEMA

PAIRS = 500
SAMPLE = 24
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def take(task: str | None, number: int = 1, **more: Any) -> dict[str, Any]:
    """The entry of a take whose clip came."""
    entry = {
        "take": number,
        "fingerprint": A,
        "status": "succeeded",
        "task_id": task,
        "request": {"prompt": "A quay"},
        "credits": {"quoted": 200, "used": 200},
        "error": None,
        "clip": clip(task or "none"),
        "created_at": "2026-03-01T12:00:00Z",
        "completed_at": "2026-03-01T12:05:00Z",
    }
    return entry | more


def clip(name: str) -> dict[str, Any]:
    mark = format(sum(name.encode()), "064x")
    path = "renders/film/kinovi/clips/quay/take-1.mp4"
    return {"path": path, "sha256": mark, "bytes": 1000, "width": 1280, "height": 720, "seconds": 5.0}


def picked(number: int, task: str, at: str | None) -> dict[str, Any]:
    return {"take": number, "fingerprint": A, "task_id": task, "at": at}


def shot(name: str = "quay", *takes: Mapping[str, Any], pick: Any = None, **more: Any) -> dict[str, Any]:
    return {"id": name, "picked": pick, "takes": list(takes), **more}


def manifest(*shots: Mapping[str, Any], **more: Any) -> Manifest:
    content = {
        "manifest": 2, "storyboard": "storyboards/film.yaml", "provider": "kinovi", "host": "kinovi.ai",
        "shots": list(shots),
    }  # fmt: skip
    return parse(json.dumps(content | more).encode(), "manifest.json")


def entry(base: Manifest | None, ours: Manifest, theirs: Manifest, name: str = "quay") -> Mapping[str, Any]:
    """The merged entry of one shot, through the text of the file."""
    content = merge(base, ours, theirs).content
    again = parse(layout(content).encode(), "manifest.json").content
    return next(dict(shot) for shot in again["shots"] if shot["id"] == name)


def test_takes_of_both_sides_stand_side_by_side() -> None:
    merged = entry(manifest(shot()), manifest(shot("quay", take("t1"))), manifest(shot("quay", take("t2", 2))))
    assert [take["task_id"] for take in merged["takes"]] == ["t1", "t2"]


def test_the_same_take_ordered_on_both_sides_keeps_both_tasks() -> None:
    merged = entry(manifest(shot()), manifest(shot("quay", take("t1"))), manifest(shot("quay", take("t2"))))
    assert [take["task_id"] for take in merged["takes"]] == ["t1", "t2"]


def test_a_task_that_one_side_has_fetched_has_its_clip() -> None:
    running = take("t1", status="running", clip=None, completed_at=None)
    merged = entry(manifest(shot("quay", running)), manifest(shot("quay", running)), manifest(shot("quay", take("t1"))))
    assert [(take["status"], take["clip"]) for take in merged["takes"]] == [("succeeded", clip("t1"))]


def test_a_clip_counts_more_than_the_other_sides_lost_task() -> None:
    running, gone = (take("t1", status=state, clip=None, completed_at=None) for state in ("running", "gone"))
    base, lost, fetched = (manifest(shot("quay", entry)) for entry in (running, gone, take("t1")))
    assert entry(base, lost, fetched)["takes"] == [take("t1")]
    assert entry(base, fetched, lost)["takes"] == [take("t1")]


def test_a_clip_stays_one_where_the_other_side_found_its_media_gone() -> None:
    made, gone = take("t1"), take("t1", status="gone", clip=None, error="no record")
    assert entry(manifest(shot("quay", made)), manifest(shot("quay", made)), manifest(shot("quay", gone)))["takes"] == [
        made
    ]


def test_a_task_that_stands_twice_in_one_file_keeps_what_either_entry_has() -> None:
    running = take("t1", status="running", clip=None, completed_at=None)
    twice = manifest(shot("pier", running), shot("quay", take("t1")))
    assert entry(None, twice, manifest(shot("quay", running)), "pier")["takes"] == [take("t1")]


def test_orders_without_task_and_fingerprint_are_told_apart_by_their_requests() -> None:
    orders = [
        {**take(None, status="unsettled", clip=None, completed_at=None), "request": {"prompt": prompt}}
        for prompt in ("A quay", "A pier")
    ]
    for order in orders:
        del order["fingerprint"]
    assert entry(None, manifest(shot("quay", *orders)), manifest(shot()))["takes"] == orders


def test_a_task_that_a_side_dropped_stays() -> None:
    merged = entry(manifest(shot("quay", take("t1"))), manifest(shot()), manifest(shot("quay", take("t1"))))
    assert [take["task_id"] for take in merged["takes"]] == ["t1"]


def test_an_order_without_a_task_that_one_side_has_settled_is_settled() -> None:
    open_order = take(None, status="unsettled", clip=None, completed_at=None)
    before = manifest(shot("quay", open_order))
    assert entry(before, manifest(shot("quay", take("t1"))), before)["takes"] == [take("t1")]
    assert entry(None, manifest(shot()), before)["takes"] == [open_order]


def test_of_two_bills_of_a_task_the_higher_one_stands() -> None:
    bills = [{"quoted": 200, "used": used} for used in (None, 210, 190)]
    base, ours, theirs = (manifest(shot("quay", take("t1", credits=bill))) for bill in bills)
    assert entry(base, ours, theirs)["takes"][0]["credits"] == {"quoted": 200, "used": 210}


def test_the_newer_pick_stands() -> None:
    early, late = (picked(1, "t1", "2026-03-01T12:00:00Z"), picked(2, "t2", "2026-03-02T12:00:00+01:00"))
    base, ours, theirs = (manifest(shot("quay", take("t1"), take("t2", 2), pick=pick)) for pick in (None, early, late))
    assert entry(base, ours, theirs)["picked"] == late
    assert entry(base, theirs, ours)["picked"] == late
    assert merge(base, ours, theirs).conflicts == ()


@pytest.mark.parametrize("at", [None, "2026-03-01T12:00:00Z"])
def test_of_picks_with_equal_or_unknown_times_ours_stands_and_both_are_named(at: str | None) -> None:
    picks = (None, picked(1, "t1", at), picked(2, "t2", at))
    sides = [manifest(shot("quay", take("t1"), take("t2", 2), pick=pick)) for pick in picks]
    merged = merge(*sides)
    assert merged.content["shots"][0]["picked"] == picks[1]
    assert merged.conflicts == (PickConflict("quay", 1, 2),)


def test_a_pick_that_one_side_removed_is_removed() -> None:
    before = manifest(shot("quay", take("t1"), pick=picked(1, "t1", None)))
    assert entry(before, manifest(shot("quay", take("t1"))), before)["picked"] is None


def test_a_pick_made_under_the_old_name_follows_the_shot_that_the_other_side_renamed() -> None:
    old, new = picked(1, "t1", "2026-03-01T12:00:00Z"), picked(2, "t2", "2026-03-02T12:00:00Z")
    takes = (take("t1"), take("t2", 2))
    base = manifest(shot("quay", *takes, pick=old))
    ours = manifest(shot("pier", *takes, pick=old), shot("quay", removed=True))
    merged = merge(base, ours, manifest(shot("quay", *takes, pick=new))).content["shots"]
    assert [(shot["id"], len(shot["takes"]), shot["picked"]) for shot in merged] == [("pier", 2, new)]


def test_notes_of_both_sides_stand_in_the_order_of_time() -> None:
    first, second, third = (
        {"at": f"2026-03-0{day}T12:00:00Z", "take": 1, "text": text} for day, text in enumerate("abc", 1)
    )
    base = manifest(shot(notes=[second]))
    merged = entry(base, manifest(shot(notes=[third])), manifest(shot(notes=[first, second])))
    assert merged["notes"] == [first, third]


def test_unknown_fields_of_both_sides_stay() -> None:
    ours = manifest(shot("quay", take("t1", grade="warm"), mood="calm"), studio="A")
    theirs = manifest(shot("quay", take("t1", lens="35"), light="low"), archive="B")
    base = manifest(shot("quay", take("t1")))
    assert merge(base, ours, theirs).content.items() >= {"studio": "A", "archive": "B"}.items()
    merged = entry(base, ours, theirs)
    assert (merged["mood"], merged["light"]) == ("calm", "low")
    assert merged["takes"][0].items() >= {"grade": "warm", "lens": "35"}.items()


def test_a_keep_that_one_side_ended_has_ended() -> None:
    before = manifest(shot("quay", take("t1", kept_for=B)))
    assert "kept_for" not in entry(before, manifest(shot("quay", take("t1"))), before)["takes"][0]


def test_manifests_of_two_accounts_are_refused() -> None:
    with pytest.raises(ManifestUnreadable, match=r"other\.example"):
        merge(None, manifest(shot()), manifest(shot(), host="other.example"))


# -- random histories -------------------------------------------------------------------------------------


def merges_plainly(folder: Path, base: Manifest, ours: Manifest, theirs: Manifest) -> bool:
    """Whether plain git merges three texts."""
    names = []
    for name, side in (("ours", ours), ("base", base), ("theirs", theirs)):
        (folder / name).write_bytes(side.raw)
        names.append(str(folder / name))
    return subprocess.run(["git", "merge-file", "-p", *names], capture_output=True, check=False).returncode == 0


def check_pair(folder: Path, seed: int) -> bool:
    """Merge the branches of a seed, in both directions; whether plain git could not."""
    base, ours, theirs = random_pair(seed)
    merged = merge(base, ours, theirs)
    text = layout(merged.content)
    SCHEMA.validate(json.loads(text))
    assert parse(text.encode(), "manifest.json").content == merged.content
    kept = list(tasks(merged.content))
    assert len(kept) == len(set(kept)), seed
    for side in (ours, theirs):
        assert set(tasks(side.content)) <= set(kept), seed
        assert clips(side.content) <= clips(merged.content), seed
        assert open_orders(side.content) - open_orders(base.content) <= open_orders(merged.content), seed
    assert set(tasks(merge(base, theirs, ours).content)) == set(kept), seed
    assert merge(base, ours, ours).content["shots"] == ours.content["shots"], seed
    return not merges_plainly(folder, base, ours, theirs)


def clips(content: Mapping[str, Any]) -> set[str]:
    takes = [take for shot in content["shots"] for take in shot["takes"]]
    return {take["clip"]["sha256"] for take in takes if take.get("clip")}


def open_orders(content: Mapping[str, Any]) -> set[tuple[str, str]]:
    takes = [take for shot in content["shots"] for take in shot["takes"]]
    return {(take["fingerprint"], take["created_at"]) for take in takes if not take["task_id"]}


def test_no_paid_take_is_lost_in_a_sample_of_random_histories(tmp_path: Path) -> None:
    conflicts = sum(check_pair(tmp_path, seed) for seed in range(SAMPLE))
    assert conflicts >= SAMPLE / 2


@pytest.mark.long
def test_no_paid_take_is_lost_in_random_histories(tmp_path: Path) -> None:
    conflicts = sum(check_pair(tmp_path, seed) for seed in range(PAIRS))
    assert conflicts >= PAIRS / 2


# -- what the versions share ------------------------------------------------------------------------------


def texts(*versions: Manifest) -> list[bytes]:
    return [layout(version.content).encode() for version in versions]


def merged_text(base: bytes, ours: bytes, theirs: bytes) -> str:
    """The text of a merge whose versions share their shots."""
    shared = SharedShots()
    versions = [parse(raw, "manifest.json", shared=shared) for raw in (base, ours, theirs)]
    return layout(merge(*versions).content, shared.text_of)


def test_shared_shots_change_no_byte_of_a_merge() -> None:
    for seed in range(SAMPLE):
        versions = random_pair(seed)
        assert merged_text(*texts(*versions)) == layout(merge(*versions).content), seed


def test_an_equal_shot_of_another_version_is_the_same_object_with_its_text() -> None:
    shared = SharedShots()
    quay, boat = shot("quay", take("t1")), shot("boat", take("t2"))
    first, second = (
        parse(raw, "manifest.json", shared=shared) for raw in texts(manifest(quay, boat), manifest(shot("pier"), boat))
    )
    assert first.content["shots"][1] is second.content["shots"][1]
    assert shared.text_of(second.content["shots"][1]) == layout(manifest(boat).content).split(SHOTS_BEGIN)[
        1
    ].removesuffix(END)


def test_a_version_in_another_form_is_merged_too() -> None:
    base, ours, theirs = manifest(shot()), manifest(shot("quay", take("t1"))), manifest(shot("quay", take("t2", 2)))
    in_layout = texts(base, ours, theirs)
    indented = [json.dumps(side.content, indent=1).encode() for side in (base, ours, theirs)]
    assert merged_text(*indented) == merged_text(*in_layout) == layout(merge(base, ours, theirs).content)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda text: text.replace('"picked": null,', '"picked": null', 1), id="a comma is missing"),
        pytest.param(lambda text: text.replace("\n,\n", "\n,\n,\n", 1), id="a comma too many"),
        pytest.param(lambda text: text.replace("\n,\n", "\n", 1), id="no comma between two shots"),
        pytest.param(lambda text: text.replace("\n,\n", "\n,\n7\n,\n", 1), id="a shot that is a number"),
        pytest.param(lambda text: text.replace("\n]\n}\n", "\n]\n}}\n"), id="a bracket too many"),
        pytest.param(lambda text: text.replace('"provider"', '"more": {"shots": [\n]}, "provider"'), id="shots below"),
        pytest.param(lambda text: text.replace('"host"', '"shots": [\n], "host"', 1), id="shots twice"),
        pytest.param(lambda text: text.replace('"manifest": 2', '"manifest": 3'), id="the next version"),
    ],
)
def test_an_odd_text_is_read_as_it_is_without_shared_shots(broken: Callable[[str], str]) -> None:
    text = layout(manifest(shot("boat", take("t1")), shot("quay", take("t2"))).content)
    raw = broken(text).encode()
    assert raw != text.encode()
    assert outcome(raw, SharedShots()) == outcome(raw, None)


def outcome(raw: bytes, shared: SharedShots | None) -> object:
    """The content that was read, or the words of the refusal."""
    try:
        return parse(raw, "manifest.json", shared=shared).content
    except ManifestUnreadable as failure:
        return str(failure)


@pytest.mark.parametrize(("number", "other"), [(1, True), (1, 1.0)])
def test_an_entry_of_another_form_with_an_equal_value_is_checked(number: int, other: Any) -> None:
    first = manifest(shot("quay", take("t1", number)))
    forged = {**first.content, "shots": [shot("quay", take("t1", other))]}
    assert forged == first.content
    shared = SharedShots()
    parse(json.dumps(first.content).encode(), "manifest.json", shared=shared)
    for raw in (json.dumps(forged), layout(forged)):
        with pytest.raises(ManifestUnreadable, match="take is not a number"):
            parse(raw.encode(), "manifest.json", shared=shared)


def test_a_shot_that_both_sides_share_takes_in_what_the_other_side_moved_there() -> None:
    """A take that a branch has under another name of its shot does not stand twice."""
    base = manifest(shot("pier"), shot("quay", take("t1")))
    ours = manifest(shot("pier", take("t1")), shot("quay", removed=True))
    theirs = manifest(shot("pier"), shot("quay", take("t1")), shot("yard", take("t3")))
    for sides in ((base, ours, theirs), (base, theirs, ours)):
        content = json.loads(merged_text(*texts(*sides)))
        assert sorted(tasks(content)) == ["t1", "t3"]
        assert content == merge(*sides).content
