"""Rules that stand once: each text below is found in the one file that states the rule, and in no other."""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.syntax_nodes import syntax_nodes

PACKAGE = Path(__file__).parents[2] / "runner"
INDEPENDENT = ("sandbox/",)
"""The sandbox reads the provider's pages by itself, so that a mistake in one reading shows against the other."""
RULES: dict[str, tuple[str, set[str]]] = {
    "the SHA-256 of a file": (r"file_digest", {"files/reading.py"}),
    "the pause before another try": (r"2(?:\.0)? ?\*\* ?(?!\d)", {"engine/backoff.py"}),
    "the spread of a pause": (r"\* ?(?:run\.clock\.)?jitter", {"engine/backoff.py"}),
    "the day of a budget": (r"timedelta\(hours=24\)", {"store/ledger/guards.py"}),
    "the day after which a record is missing for good": (r"= timedelta\(days=1\)", {"attempts/attempt.py"}),
    "seconds of a day": (r"24 ?\* ?3_?600|= 86_?400\b", {"store/manifest/fields.py"}),
    "how long media and records are kept": (r"days=.*\.?(?:media|record)_days", {"editions/edition.py"}),
    "a clip's place": (r"take-[{\[*]", {"attempts/clip_name.py", "store/clip_store.py"}),
    "a clip's place by its folder": (r"['\"]/?clips/['\"]", set()),
    "a shot's part of a path": (r"\[A-Za-z0-9\]\[A-Za-z0-9\._-\]", {"attempts/clip_name.py"}),
    "a task's id": (r"\[A-Za-z0-9\._:-\]", {"attempts/task_id.py"}),
    "a host of this machine": (r"\(\"127\.0\.0\.1\"|\.is_loopback\b", {"hosts.py"}),
    "the shape of a clip that asks for none": (r"= \"16:9\"|or \"16:9\"", {"language/defaults.py"}),
    "the shapes of a clip": (r"\"16:9\", \"9:16\"|\"21:9\"", set()),
    "the most takes of a shot": (r"MOST_TAKES = ", set()),
    "the short side of a resolution": (r"\"1080p\": 1080", {"editions/model.py"}),
    "the form in which names compare": (r"normalize\(\"NFC\", \w+\)\.casefold", {"diagnostics/folded_name.py"}),
    "a pin and a frame behind a name": (r"\(\?:first\|last\)_frame", {"language/ids.py"}),
    "the name of a frame": (r"\(\"\.first_frame\"", {"language/ids.py"}),
    "the most pixels of a clip": (r"20_000_000", {"media/clip.py"}),
    "a parsed number as an exact decimal": (r"Decimal\(str\(\w+\)\) if isinstance", {"requests/decimals.py"}),
    "a decimal in full": (r"normalize\(\)(?::f\}|, \"f\")", {"requests/decimals.py"}),
    "the time to wait that a header names": (r"\"retry-after\"", {"providers/transport/headers.py"}),
    "https, or this machine": (r"scheme == \"https\" or", {"hosts.py"}),
    "the first IP that takes a connection": (
        r"except \(httpx\.ConnectError, httpx\.ConnectTimeout\)",
        # A download runs in a thread, with a client of its own kind.
        {"providers/transport/public_hosts.py", "providers/transport/download.py"},
    ),
    "the intent of a step": (r"Intent\(\n? *storyboard=step\.", {"planning/intent.py"}),
    "the sum of several attempts": (r"sum\(\(?attempt\.credits", {"attempts/sums.py"}),
    "an event into ledger and history": (r"ledger\.append\(", {"app/run_store.py", "engine/run_context.py"}),
    "links that a late bill leaves as they are": (r"outputs or attempt\.outputs", {"attempts/late_bill.py"}),
    "the model of an attempt": (r"intent\.request(?:\.get\(|\[)\"model\"", {"attempts/attempt.py"}),
    "the codes of a style": (r"\\x1b\[(?:\d+m|\{codes\})", {"show/text/style.py"}),
    "the widest screen": (r"WIDE = \d", {"show/text/layout.py"}),
    "the label of a run's lines": (r"LABEL = 9", {"show/text/layout.py"}),
    "a number with its noun": (r"[a-z]\{'s' if", {"show/live/progress.py"}),
}
"""The pattern of a rule's text, and the files that may hold it."""


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_stands_in_one_place(rule: str) -> None:
    pattern, places = RULES[rule]
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    holders = {name for name, text in sources.items() if not name.startswith(INDEPENDENT) and re.search(pattern, text)}
    assert holders == places


def test_only_the_history_changes_its_attempts() -> None:
    """`apply` and the other verbs of `History` keep its indexes up to date; a write past them would not."""
    writers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if any(map(_writes_an_attempt, syntax_nodes(path)))
    }
    assert writers == {"attempts/history.py"}


def _writes_an_attempt(node: ast.AST) -> bool:
    """Whether it is `….attempts[…] = …`, `del ….attempts[…]`, or one of a dictionary's methods that change it."""
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return isinstance(node.value, ast.Attribute) and node.value.attr == "attempts"
    changing = {"pop", "popitem", "clear", "update", "setdefault"}
    if isinstance(node, ast.Attribute) and node.attr in changing:
        return isinstance(node.value, ast.Attribute) and node.value.attr == "attempts"
    return False
