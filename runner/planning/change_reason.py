"""The reason to remake a take: the difference between the last request and the current one, in text."""

from collections.abc import Mapping

from runner.requests.request import JsonValue

_NAMES = {"seconds": "duration", "aspect_ratio": "aspect ratio", "audio": "sound"}
_MAX_WORDS = 8


def describe_change(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> str:
    """Describes the change in one sentence, such as `the prompt: "the −sea−" → "the +harbour+"`."""
    changes = [*_scalars(before, now), *_materials(before.get("materials"), now.get("materials"))]
    if "prompt" in before or "prompt" in now:
        changes += _prompt(_text(before.get("prompt")), _text(now.get("prompt")))
    return "; ".join(changes) or "the request is spelled differently"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _scalars(before: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> list[str]:
    keys = ("model", "resolution", "seconds", "aspect_ratio", "mode", "upscale", "seed", "audio")
    changes = []
    for key in keys:
        old, new = before.get(key), now.get(key)
        if old != new:
            changes.append(f"{_NAMES.get(key, key)} {_display(old)} → {_display(new)}")
    if before.get("inputs") != now.get("inputs"):
        changes.append("inputs changed")
    return changes


def _display(value: JsonValue) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _prompt(before: str, now: str) -> list[str]:
    old, new = before.split(), now.split()
    if old == new:
        return []
    if not old or not new:
        return ["the prompt was added" if new else "the prompt was removed"]
    return [f"the prompt: {_first_difference(old, new)}"]


def _first_difference(old: list[str], new: list[str]) -> str:
    """The first difference of two prompts, after one word of context, and the count of further differences."""
    import difflib

    changes = [
        block for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if block[0] != "equal"
    ]
    _, from_old, to_old, from_new, to_new = changes[0]
    context = [old[from_old - 1]] if from_old else []
    removed, added = _shorten(old[from_old:to_old]), _shorten(new[from_new:to_new])
    parts = [
        " ".join([*context, f"−{removed}−"]) if removed else "",
        " ".join([*context, f"+{added}+"]) if added else "",
    ]
    more = f", and {len(changes) - 1} more place{'s' if len(changes) > 2 else ''}" if len(changes) > 1 else ""
    return " → ".join(f'"{part}"' for part in parts if part) + more


def _shorten(words: list[str]) -> str:
    return " ".join(words[:_MAX_WORDS]) + (" …" if len(words) > _MAX_WORDS else "")


def _materials(before: JsonValue, now: JsonValue) -> list[str]:
    old = [item for item in before if isinstance(item, dict)] if isinstance(before, list) else []
    new = [item for item in now if isinstance(item, dict)] if isinstance(now, list) else []
    if [_content(item) for item in old] == [_content(item) for item in new]:
        return []
    if len(old) == len(new):
        pairs = [(a, b) for a, b in zip(old, new, strict=True) if _content(a) != _content(b)]
        if len(pairs) == len(old) > 1 and sorted(map(_content, old)) == sorted(map(_content, new)):
            return ["the order of its references changed"]
        return [_describe_replacement(a, b) for a, b in pairs]
    removed = [_label(item) for item in old if _content(item) not in {_content(other) for other in new}]
    added = [_label(item) for item in new if _content(item) not in {_content(other) for other in old}]
    return [f"{name} was removed" for name in removed] + [f"{name} was added" for name in added]


def _content(item: Mapping[str, JsonValue]) -> str:
    return "|".join(f"{key}={value}" for key, value in sorted(item.items()) if key not in ("path", "shot"))


def _label(item: Mapping[str, JsonValue]) -> str:
    if "shot" in item:
        part = _text(item.get("part")).replace("_", " ")
        return f"{item['shot']}'s {part}"
    return _text(item.get("path") or item.get("url"))


def _describe_replacement(old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> str:
    if "shot" in new and old.get("shot") == new.get("shot") and old.get("part") == new.get("part"):
        if old.get("take") != new.get("take"):
            return f"{_label(new)} is of take {new.get('take')} now, was take {old.get('take')}"
        return f"{new['shot']} changed, and this is made from {_label(new)}"
    if "path" in new and old.get("path") == new.get("path"):
        return f"the content of {new['path']} changed"
    return f"{_label(old)} → {_label(new)}"
