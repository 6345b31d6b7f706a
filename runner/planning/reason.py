"""The reason of a planned action as data: a code for programs, a text for people, and the changed fields."""

from enum import StrEnum
from typing import NamedTuple


class ReasonCode(StrEnum):
    """Codes as printed in JSON; a code is never renamed. `docs/json.md` explains each."""

    NEW = "new"
    PROMPT_CHANGED = "prompt-changed"
    VARIABLE_CHANGED = "variable-changed"
    REFERENCE_CHANGED = "reference-changed"
    FRAME_CHANGED = "frame-changed"
    MODEL_CHANGED = "model-changed"
    SETTING_CHANGED = "setting-changed"
    UPSTREAM_CHANGED = "upstream-changed"
    PICK_CHANGED = "pick-changed"
    DRAWING_CHANGED = "drawing-changed"
    MADE = "made"
    MADE_ELSEWHERE = "made-elsewhere"
    KEPT = "kept"
    RUNNING = "running"
    TO_DOWNLOAD = "to-download"
    FAILED = "failed"
    MATERIAL_UNREACHABLE = "material-unreachable"
    MATERIAL_BLOCKED = "material-blocked"
    REFUSED = "refused"
    UNSETTLED = "unsettled"
    DOUBTFUL = "doubtful"
    GONE = "gone"
    UPSTREAM_BLOCKED = "upstream-blocked"
    WAITS_FOR_SHOT = "waits-for-shot"
    WAITS_FOR_PICK = "waits-for-pick"
    WAITS_FOR_RUN = "waits-for-run"
    RETAKE = "retake"
    AGAIN = "again"
    SKIPPED = "skipped"


RESERVED = frozenset(
    {
        ReasonCode.VARIABLE_CHANGED,
        ReasonCode.SKIPPED,
    }
)
"""Codes of parts that are not built yet: no plan gives them."""


class Reason(NamedTuple):
    """The reason why a take has its action."""

    code: ReasonCode
    text: str
    changed: tuple[str, ...] = ()
    """The storyboard's fields that changed since the take was last ordered, such as `prompt`; else empty."""


NEW = Reason(ReasonCode.NEW, "new")
MADE = Reason(ReasonCode.MADE, "made")
DRAWN_OTHERWISE = Reason(ReasonCode.DRAWING_CHANGED, "drawn by an earlier version")
RETAKE = Reason(ReasonCode.RETAKE, "another take")
