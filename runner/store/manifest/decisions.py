"""A person's decisions, picks, keeps and notes, written into a manifest's content; nothing else changes. Pure."""

from collections.abc import Mapping
from typing import Any

from runner.store.manifest.document import TAKE_FIELDS, TAKE_ORDER, more_fields, sort_shots
from runner.store.manifest.picks import StoredPick


def with_picks(content: Mapping[str, Any], picks: Mapping[str, StoredPick | None]) -> dict[str, Any]:
    """The content with the picks of these shots; an entry is added for a pick of a shot that has none."""
    shots = [{**entry, "picked": picks.get(entry["id"], entry.get("picked"))} for entry in content["shots"]]
    ids = {entry["id"] for entry in shots}
    new = [{"id": shot, "picked": picked, "takes": []} for shot, picked in picks.items() if picked and shot not in ids]
    return {**content, "shots": sort_shots([*shots, *new]) if new else shots}


def with_keeps(content: Mapping[str, Any], keeps: Mapping[str, str | None]) -> dict[str, Any]:
    """The content with what clips are kept for, by the task that made the clip; None removes a keep."""
    shots = [{**entry, "takes": [_with_keep(take, keeps) for take in entry["takes"]]} for entry in content["shots"]]
    return {**content, "shots": shots}


def with_note(content: Mapping[str, Any], shot: str, note: Mapping[str, Any]) -> dict[str, Any]:
    """The content with one more note of a shot; its notes are in the order of their times, each once."""
    shots = [_with_one_note(entry, note) if entry["id"] == shot else entry for entry in content["shots"]]
    if all(entry["id"] != shot for entry in content["shots"]):
        shots = sort_shots([*shots, {"id": shot, "picked": None, "notes": [note], "takes": []}])
    return {**content, "shots": shots}


def _with_one_note(entry: Mapping[str, Any], note: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry of a shot with one more note, in the order of writing."""
    before = list(entry.get("notes") or ())
    notes = sorted([*before, *([] if note in before else [note])], key=lambda item: str(item.get("at", "")))
    head = {name: entry[name] for name in ("id", "removed", "picked") if name in entry}
    return {**head, "notes": notes, **{name: value for name, value in entry.items() if name not in (*head, "notes")}}


def _with_keep(take: Mapping[str, Any], keeps: Mapping[str, str | None]) -> Mapping[str, Any]:
    """The entry of a take with its keep, in the order of writing."""
    if take["task_id"] not in keeps:
        return take
    fields = {**take, "kept_for": keeps[take["task_id"]]}
    ordered = {name: fields[name] for name in TAKE_ORDER if fields.get(name) is not None or name in take}
    if keeps[take["task_id"]] is None:
        ordered.pop("kept_for", None)
    return {**ordered, **more_fields(take, TAKE_FIELDS)}
