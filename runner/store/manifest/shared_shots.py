"""Shots that several versions of a manifest share: each is decoded, checked and written once."""

import json
import marshal
from collections.abc import Mapping
from typing import Any

from runner.store.manifest.document import VERSION
from runner.store.manifest.layout import END, SHOTS_BEGIN, SHOTS_SEPARATOR


class SharedShots:
    """The shots of the versions that were read so far, by their text.

    An equal text is the same object in every version, so that a merge sees by identity what has not changed.
    """

    def __init__(self) -> None:
        self._shots: dict[str, dict[str, Any]] = {}
        self._texts: dict[int, str] = {}
        """The text of each shot by the identity of its object, which `_shots` keeps alive."""
        self._checked_shots: set[int] = set()
        self._checked_takes: set[bytes] = set()

    def decode(self, text: str) -> Any:
        """The same value as `json.loads(text)`, with the same errors."""
        try:
            content = self._decode_shots(text)
        except ValueError:
            content = None  # decoded as a whole, the error has its place in the file
        return json.loads(text) if content is None else content

    def _decode_shots(self, text: str) -> dict[str, Any] | None:
        """The content of a text in the form that `layout` writes; None where it has another one.

        Each part has to be a whole JSON value by itself: then their sequence is what the text says.
        """
        head, begin, rest = text.partition(SHOTS_BEGIN)
        if not rest.endswith(END):
            return None
        content = json.loads(f"{head}{begin}]}}")
        # Another version is read by its own rules, whole.
        if not isinstance(content, dict) or content.get("manifest") != VERSION:
            return None
        shots: list[dict[str, Any]] = []
        for part in rest[: -len(END)].split(SHOTS_SEPARATOR):
            if (shot := self._shots.get(part)) is None:
                shot = json.loads(part)
                if not isinstance(shot, dict):
                    return None
                self._shots[part], self._texts[id(shot)] = shot, part
            shots.append(shot)
        return {**content, "shots": shots}

    def text_of(self, shot: Mapping[str, Any]) -> str | None:
        """The text that a shot was decoded from; None for one that was not read."""
        return self._texts.get(id(shot))

    def unchecked(self, shots: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The shots that are still to be checked."""
        return [shot for shot in shots if id(shot) not in self._checked_shots]

    def is_checked(self, take: dict[str, Any]) -> bool:
        """Whether an equal take was checked."""
        return _exact(take) in self._checked_takes

    def mark_checked(self, shot: Mapping[str, Any]) -> None:
        """Note that a shot and its takes are in order."""
        self._checked_takes.update(map(_exact, shot["takes"]))
        if id(shot) in self._texts:
            self._checked_shots.add(id(shot))


def _exact(entry: dict[str, Any]) -> bytes:
    """Bytes that are equal for entries of equal values and types (1 is not `true`); a third of the time of `repr`."""
    return marshal.dumps(entry, 2)
