"""Writes decisions into the manifests: each writer reads the file again, and changes only what it owns."""

import json
from collections.abc import Mapping
from typing import Any

from runner.app.session import Session
from runner.attempts.pick import Pick
from runner.language.model import Storyboard
from runner.store import manifest


def write_pick(session: Session, storyboard: Storyboard, shot: str, pick: Pick | None) -> None:
    """Write or remove one pick."""
    picked = None if pick is None else manifest.pick_json(pick)
    content = _content(session, storyboard)
    for entry in content["shots"]:
        if entry["id"] == shot:
            entry["picked"] = picked
    if picked is not None and all(entry["id"] != shot for entry in content["shots"]):
        content["shots"].append({"id": shot, "picked": picked, "takes": []})
        content["shots"].sort(key=lambda entry: (entry["id"].casefold(), entry["id"]))
    _write(session, storyboard, content)


def write_keeps(session: Session, storyboard: Storyboard, keeps: Mapping[str, str | None]) -> None:
    """Write or remove (None) what clips are kept for: the wanted fingerprint, by the task that made the clip."""
    content = _content(session, storyboard)
    for take in (take for entry in content["shots"] for take in entry["takes"]):
        if take["task_id"] in keeps:
            take.pop("kept_for", None)
            take |= {"kept_for": wanted} if (wanted := keeps[take["task_id"]]) is not None else {}
    _write(session, storyboard, content)


def _content(session: Session, storyboard: Storyboard) -> dict[str, Any]:
    path = session.output_folder(storyboard.path) / manifest.NAME
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def _write(session: Session, storyboard: Storyboard, content: Mapping[str, Any]) -> None:
    manifest.write(session.output_folder(storyboard.path) / manifest.NAME, content, session.settings.root)
