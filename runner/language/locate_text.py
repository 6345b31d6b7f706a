"""Search for the source of rendered text: in the prompt, in its wrap, in a variable, or in a template."""

from runner.language.shot_draft import ShotDraft, StoryboardScope
from runner.language.templates.scope import TEMPLATE_START
from runner.language.yaml.document import NodeRef, Value

TextLocation = tuple[NodeRef, int | None, int | None]


def locate_text(draft: ShotDraft, scope: StoryboardScope, text: str) -> TextLocation:
    """Return (node, index, width) of the literal text, or else of the first template that may have rendered it."""
    for name in ("prompt", "wrap"):
        source = draft.raw.get(name)
        if isinstance(source, str) and (index := _find_whole_name(source, text)) is not None:
            return draft.origin(name), index, len(text)
    for origin, variable_text in _variable_texts(draft, scope):
        if (index := _find_whole_name(variable_text, text)) is not None:
            return origin, index, len(text)
    return _locate_template(draft, text)


def _find_whole_name(source: str, text: str) -> int | None:
    start = 0
    while (index := source.find(text, start)) >= 0:
        next_character = source[index + len(text) : index + len(text) + 1]
        # `@ana` is not the beginning of `@anabel`, nor the text `@@ana`.
        if not (next_character.isalnum() or next_character == "_") and source[index - 1 : index] != "@":
            return index
        start = index + 1
    return None


def _variable_texts(draft: ShotDraft, scope: StoryboardScope) -> list[tuple[NodeRef, str]]:
    """Texts of the variables that the prompt and its wrap use, directly or through other variables."""
    texts: list[tuple[NodeRef, str]] = []
    pending = [template for name in ("prompt", "wrap") if isinstance(template := draft.raw.get(name), str)]
    seen: set[str] = set()
    while pending:
        # Sorted, since a set has another order in each process, and the place must not change.
        for name in sorted(scope.templates.read(pending.pop()).names - seen):
            seen.add(name)
            variable = draft.scope.find(name)
            if variable is None or variable.origin is None:
                continue
            for origin, text in _texts_in(variable.origin(), variable.value):
                texts.append((origin, text))
                if TEMPLATE_START.search(text):
                    pending.append(text)
    return texts


def _texts_in(origin: NodeRef, value: Value) -> list[tuple[NodeRef, str]]:
    if isinstance(value, str):
        return [(origin, value)]
    pairs = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    return [pair for key, item in pairs for pair in _texts_in(origin / key, item)]


def _locate_template(draft: ShotDraft, text: str) -> TextLocation:
    for name in ("prompt", "wrap"):
        source = draft.raw.get(name)
        if isinstance(source, str) and (template_match := TEMPLATE_START.search(source)):
            # Most likely an `@` right before the expression made the mention.
            mention_index = source.find("@{{")
            start = mention_index if mention_index >= 0 else template_match.start()
            end = source.find("}}", start)
            return draft.origin(name), start, (end + 2 - start) if end >= 0 else 2
    return draft.origin("prompt"), 0, None


def excerpt(text: str, start: int, end: int) -> str:
    """Return a span with 20 characters of its context on each side, on one line."""
    before, after = text[max(0, start - 20) : start], text[end : end + 20]
    return " ".join(f"…{before}{text[start:end]}{after}…".split())
