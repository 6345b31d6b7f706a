"""What a person decided, written into a manifest's content: picks and keeps, and nothing else of it. Pure."""

from collections.abc import Mapping
from typing import Any

from runner.attempts.pick import Pick
from runner.store.manifest.document import TAKE_FIELDS, TAKE_ORDER, more_fields, sort_shots
from runner.store.manifest.picks import pick_json


def with_pick(content: Mapping[str, Any], shot: str, pick: Pick | None) -> dict[str, Any]:
    """The content with the pick of a shot, None for no pick; an entry of the shot is added where it has none."""
    picked = None if pick is None else pick_json(pick)
    shots = [{**entry, "picked": picked} if entry["id"] == shot else entry for entry in content["shots"]]
    if all(entry["id"] != shot for entry in shots):
        shots = sort_shots([*shots, {"id": shot, "picked": picked, "takes": []}])
    return {**content, "shots": shots}


def with_keeps(content: Mapping[str, Any], keeps: Mapping[str, str | None]) -> dict[str, Any]:
    """The content with what clips are kept for, by the task that made the clip; None removes a keep."""
    shots = [{**entry, "takes": [_with_keep(take, keeps) for take in entry["takes"]]} for entry in content["shots"]]
    return {**content, "shots": shots}


def _with_keep(take: Mapping[str, Any], keeps: Mapping[str, str | None]) -> Mapping[str, Any]:
    """The entry of a take with its keep, in the order of writing."""
    if take["task_id"] not in keeps:
        return take
    fields = {**take, "kept_for": keeps[take["task_id"]]}
    ordered = {name: fields[name] for name in TAKE_ORDER if fields.get(name) is not None or name in take}
    if keeps[take["task_id"]] is None:
        ordered.pop("kept_for", None)
    return {**ordered, **more_fields(take, TAKE_FIELDS)}
