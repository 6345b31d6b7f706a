"""The reason to remake a take: the difference between the last request and the current one."""

import os.path
from collections.abc import Mapping
from typing import NamedTuple

from runner.attempts.attempt import Attempt, AttemptState
from runner.diagnostics.plural import count
from runner.planning.reason import Reason, ReasonCode
from runner.requests.request import JsonValue

# The storyboard's field, and its name in a text, by the key of the neutral request.
_SETTINGS = {
    "model": ("model", "model"),
    "resolution": ("resolution", "resolution"),
    "seconds": ("duration", "duration"),
    "aspect_ratio": ("aspect_ratio", "aspect ratio"),
    "mode": ("mode", "mode"),
    "upscale": ("upscale", "upscale"),
    "seed": ("seed", "seed"),
    "audio": ("audio", "sound"),
}
# By position: a keyframe request has the first frame before the last.
_FRAMES = ("first_frame", "last_frame")
CHANGES = (
    ReasonCode.PROMPT_CHANGED,
    ReasonCode.FRAME_CHANGED,
    ReasonCode.REFERENCE_CHANGED,
    ReasonCode.UPSTREAM_CHANGED,
    ReasonCode.PICK_CHANGED,
    ReasonCode.MODEL_CHANGED,
    ReasonCode.SETTING_CHANGED,
)
"""Codes of changes; of several changes the first one here is the reason's."""
# Enough to recognise the place in a prompt.
_MAX_WORDS = 8


class _Change(NamedTuple):
    """One difference of two requests: its code, the storyboard's field, and a text."""

    code: ReasonCode
    field: str
    text: str


def describe_change(
    before: Mapping[str, JsonValue], now: Mapping[str, JsonValue], duration_follows: bool = False
) -> Reason:
    """Describe the change of a request; the text is one sentence, such as `the prompt: "the −sea−" → "the +harbour+"`.

    `before` and `now` are neutral requests; `before` is empty where only a shrunk entry of a manifest tells of it.
    `duration_follows` tells whether the length of the clip follows from the shot's film time.
    """
    if not before:
        return Reason(ReasonCode.SETTING_CHANGED, "its request changed")
    changes = [*_settings(before, now), *_materials(before, now)]
    if "prompt" in before or "prompt" in now:
        changes += _prompt(_text(before.get("prompt")), _text(now.get("prompt")))
    if not changes:
        return Reason(ReasonCode.SETTING_CHANGED, "the request is spelled differently")
    text = "; ".join(change.text for change in changes)
    fields = tuple(dict.fromkeys(change.field for change in changes))
    if duration_follows and fields == ("duration",):
        text = f"film time needs {now.get('seconds')} s, the clip has {before.get('seconds')}"
    return Reason(min((change.code for change in changes), key=CHANGES.index), text, fields)


def changed_part(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> str:
    """The one field of the storyboard that a request differs in: `prompt`, `duration`; else `request`."""
    changed = describe_change(before, now).changed if before else ()
    return changed[0].replace("_", " ") if len(changed) == 1 else "request"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _settings(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> list[_Change]:
    changes = []
    for key, (field, name) in _SETTINGS.items():
        old, new = before.get(key), now.get(key)
        if old != new:
            code = ReasonCode.MODEL_CHANGED if key == "model" else ReasonCode.SETTING_CHANGED
            changes.append(_Change(code, field, f"{name} {_display(old)} → {_display(new)}"))
    if before.get("inputs") != now.get("inputs"):
        changes.append(_Change(ReasonCode.SETTING_CHANGED, "inputs", "inputs changed"))
    return changes


def _display(value: JsonValue) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _prompt(before: str, now: str) -> list[_Change]:
    old, new = before.split(), now.split()
    if old == new:
        return []
    if old and new:
        text = f"the prompt: {_first_difference(old, new)}"
    else:
        text = "the prompt was added" if new else "the prompt was removed"
    return [_Change(ReasonCode.PROMPT_CHANGED, "prompt", text)]


def _first_difference(old: list[str], new: list[str]) -> str:
    """The first difference of two prompts, after one word of context, and the count of further differences."""
    import difflib

    changes = [
        # autojunk would pass over each word that a long prompt often has.
        block
        for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if block[0] != "equal"
    ]
    _, from_old, to_old, from_new, to_new = changes[0]
    context = [old[from_old - 1]] if from_old else []
    removed, added = _shorten(old[from_old:to_old]), _shorten(new[from_new:to_new])
    parts = [
        " ".join([*context, f"−{removed}−"]) if removed else "",
        " ".join([*context, f"+{added}+"]) if added else "",
    ]
    more = f", and {count(len(changes) - 1, 'more place')}" if len(changes) > 1 else ""
    return " → ".join(f'"{part}"' for part in parts if part) + more


def _shorten(words: list[str]) -> str:
    return " ".join(words[:_MAX_WORDS]) + (" …" if len(words) > _MAX_WORDS else "")


def _materials(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> list[_Change]:
    old, new = _material_list(before), _material_list(now)
    if [_content(item) for item in old] == [_content(item) for item in new]:
        return []
    if len(old) == len(new):
        pairs = [(_field(now, index), a, b) for index, (a, b) in enumerate(zip(old, new, strict=True))]
        changed = [pair for pair in pairs if _content(pair[1]) != _content(pair[2])]
        # One sentence instead of a replacement for each: a moved reference changes every position behind it.
        if len(changed) == len(old) > 1 and sorted(map(_content, old)) == sorted(map(_content, new)):
            return [_Change(_code(pairs[0][0]), pairs[0][0], "the order of its references changed")]
        return [_describe_replacement(*pair) for pair in changed]
    # Not in pairs: where one was removed, every reference behind it would be called another one.
    removed = [_describe_one(before, index, item, "removed") for index, item in enumerate(old) if not _is_in(item, new)]
    added = [_describe_one(now, index, item, "added") for index, item in enumerate(new) if not _is_in(item, old)]
    return removed + added


def _material_list(request: Mapping[str, JsonValue]) -> list[dict[str, JsonValue]]:
    materials = request.get("materials")
    return [item for item in materials if isinstance(item, dict)] if isinstance(materials, list) else []


def _field(request: Mapping[str, JsonValue], index: int) -> str:
    """The storyboard's field of a material, by its position."""
    return _FRAMES[index] if request.get("mode") == "keyframe" and index < len(_FRAMES) else "references"


def _code(field: str) -> ReasonCode:
    return ReasonCode.FRAME_CHANGED if field in _FRAMES else ReasonCode.REFERENCE_CHANGED


def _is_in(item: Mapping[str, JsonValue], others: list[dict[str, JsonValue]]) -> bool:
    return any(_content(item) == _content(other) for other in others)


def _describe_one(request: Mapping[str, JsonValue], index: int, item: Mapping[str, JsonValue], verb: str) -> _Change:
    field = _field(request, index)
    return _Change(_code(field), field, f"{_label(item)} was {verb}")


def _content(item: Mapping[str, JsonValue]) -> str:
    # Neither path nor the name of a shot: a renamed file with the same bytes is the same material.
    return "|".join(f"{key}={value}" for key, value in sorted(item.items()) if key not in ("path", "shot"))


def _label(item: Mapping[str, JsonValue]) -> str:
    if "shot" in item:
        part = _text(item.get("part")).replace("_", " ")
        return f"{item['shot']}'s {part}"
    return _text(item.get("path") or item.get("url"))


def _describe_replacement(field: str, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> _Change:
    if "shot" in new and old.get("shot") == new.get("shot") and old.get("part") == new.get("part"):
        if old.get("take") != new.get("take"):
            text = f"{_label(new)} is of take {new.get('take')} now, was take {old.get('take')}"
            return _Change(ReasonCode.PICK_CHANGED, field, text)
        text = f"{new['shot']} changed, and this is made from {_label(new)}"
        return _Change(ReasonCode.UPSTREAM_CHANGED, field, text)
    if "path" in new and old.get("path") == new.get("path") and old.get("part") != new.get("part"):
        parts = [_text(item.get("part")) or "the whole" for item in (old, new)]
        return _Change(_code(field), field, f"the part of {new['path']}: {parts[0]} → {parts[1]}")
    if "path" in new and old.get("path") == new.get("path"):
        return _Change(_code(field), field, f"the content of {new['path']} changed")
    return _Change(_code(field), field, f"{_label(old)} → {_label(new)}")


def made_elsewhere(attempt: Attempt, root: str) -> Reason:
    """The reason of a take whose clip comes from another repository's order, for free; `root` is this repository."""
    place = os.path.relpath(attempt.repository or root, root)
    if attempt.held_elsewhere:
        return Reason(ReasonCode.WAITS_FOR_RUN, f"the run of {place} makes it")
    day = f"{attempt.intended_at:%Y-%m-%d}"
    if attempt.state is AttemptState.STORED:
        return Reason(ReasonCode.MADE_ELSEWHERE, f"the same request was made for {place} ({day})")
    text = f"the same request was ordered for {place} ({day}); its clip is still to come"
    return Reason(ReasonCode.MADE_ELSEWHERE, text)
