"""Manifests of version 1 in the form of the present version."""

from collections.abc import Mapping
from typing import Any

from runner.requests.request import fingerprint


def in_present_form(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with picks bound to the clip that this manifest names for their number.

    KeyError and its like where the content has another form than version 1; nothing else of it is checked.
    """
    return {**content, "manifest": 2, "shots": [_shot(shot) for shot in content["shots"]]}


def _shot(shot: Mapping[str, Any]) -> dict[str, Any]:
    number = shot.get("picked")
    return {**shot, "picked": number if number is None else _pick(number, shot["takes"])}


def _pick(number: Any, takes: list[Mapping[str, Any]]) -> dict[str, Any]:
    """A pick of a number: of the last take of that number that has a clip, else of the last of that number."""
    candidates = [take for take in takes if take.get("take") == number]
    take = next((take for take in reversed(candidates) if take.get("clip")), next(reversed(candidates), None))
    if take is None or not isinstance(take.get("request"), dict):
        return {"take": number, "fingerprint": None, "task_id": None, "at": None}
    return {"take": number, "fingerprint": fingerprint(take["request"]), "task_id": take.get("task_id"), "at": None}
