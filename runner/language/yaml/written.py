"""Values written as YAML for hints: what a user would have written by hand."""

import json

from runner.language.yaml.document import Value
from runner.lazy_pattern import lazy_pattern

# Text that means itself without quotes, within `{…}` too.
_PLAIN = lazy_pattern(r"[A-Za-z_/](?:[\w ./'()+…-]*[\w./)…])?\Z")
# Without quotes these would be read as no text.
_OTHER_VALUES = frozenset(("true", "false", "null"))


def flow(value: Value) -> str:
    """A value on one line: `{image: a.png}`, `[a, b]`, `"16:9"`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    if text == "…" or (_PLAIN.match(text) and text.casefold() not in _OTHER_VALUES):
        return text
    return json.dumps(text, ensure_ascii=False)
