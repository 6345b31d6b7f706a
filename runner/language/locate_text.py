"""Where a piece of rendered text stands in the files: in the prompt, in its wrap, in a variable, or in a template."""

from runner.language.shot_draft import ShotDraft, StoryboardScope
from runner.language.templates.scope import TEMPLATE_START
from runner.language.yaml.document import NodeRef, Value

TextLocation = tuple[NodeRef, int | None, int | None]


def locate_text(draft: ShotDraft, ground: StoryboardScope, text: str) -> TextLocation:
    """(value, index in it, width) where the text stands literally; else the first template that can have made it."""
    for name in ("prompt", "wrap"):
        said = draft.raw.get(name)
        if isinstance(said, str) and (index := _find(said, text)) is not None:
            return draft.origin(name), index, len(text)
    for origin, value in _variables(draft, ground):
        if (index := _find(value, text)) is not None:
            return origin, index, len(text)
    return _expression(draft, text)


def _find(said: str, text: str) -> int | None:
    start = 0
    while (index := said.find(text, start)) >= 0:
        after = said[index + len(text) : index + len(text) + 1]
        if not (after.isalnum() or after == "_") and said[index - 1 : index] != "@":
            return index
        start = index + 1
    return None


def _variables(draft: ShotDraft, ground: StoryboardScope) -> list[tuple[NodeRef, str]]:
    """Text of the variables that the prompt and its wrap use, through others too."""
    found: list[tuple[NodeRef, str]] = []
    waiting = [said for name in ("prompt", "wrap") if isinstance(said := draft.raw.get(name), str)]
    seen: set[str] = set()
    while waiting:
        for name in sorted(ground.templates.read(waiting.pop()).names - seen):
            seen.add(name)
            variable = draft.scope.find(name)
            if variable is None or variable.origin is None:
                continue
            for origin, text in _texts(variable.origin(), variable.value):
                found.append((origin, text))
                if TEMPLATE_START.search(text):
                    waiting.append(text)
    return found


def _texts(origin: NodeRef, value: Value) -> list[tuple[NodeRef, str]]:
    if isinstance(value, str):
        return [(origin, value)]
    pairs = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    return [found for key, item in pairs for found in _texts(origin / key, item)]


def _expression(draft: ShotDraft, text: str) -> TextLocation:
    for name in ("prompt", "wrap"):
        said = draft.raw.get(name)
        if isinstance(said, str) and (mark := TEMPLATE_START.search(said)):
            at = said.find("@{{")
            start = at if at >= 0 else mark.start()
            end = said.find("}}", start)
            return draft.origin(name), start, (end + 2 - start) if end >= 0 else 2
    return draft.origin("prompt"), 0, None


def around(text: str, start: int, end: int) -> str:
    """A little of the text around a spot, on one line."""
    before, after = text[max(0, start - 20) : start], text[end : end + 20]
    return " ".join(f"…{before}{text[start:end]}{after}…".split())
