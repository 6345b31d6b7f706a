"""Is this machine ready: what was looked at, and what to do where it is not; for people and as JSON."""

from collections.abc import Sequence

from runner.diagnostics.problem import Check
from runner.show.text.cells import width as cells
from runner.show.text.escape import words
from runner.show.text.format import count
from runner.show.text.layout import beside, hanging
from runner.show.text.style import Ink

VERSION = 1
_INKS = {"ok": "good", "warning": "warn", "error": "strong bad"}
_LABEL = 7


def doctor(checks: Sequence[Check], width: int, color: bool) -> str:
    """The screen of `storyboard doctor`: a line for each check, the way out below what is not well, and the verdict."""
    ink = Ink(color)
    name_cells = max((cells(words(check.name, 40)) for check in checks), default=0)
    lines: list[str] = []
    for check in checks:
        lines += _check(check, name_cells, width, ink)
    return "\n".join([*lines, "", f"  {_verdict(checks, ink)}"]) + "\n"


def _check(check: Check, name_cells: int, width: int, ink: Ink) -> list[str]:
    margin = _LABEL + 4 + name_cells + 2
    name = words(check.name, 40)
    first, *rest = hanging(words(check.words, 400), width - margin, 0)
    lead = name + " " * (name_cells - cells(name) + 2)
    hint = hanging(words(check.hint, 400), width - margin, 0) if check.hint and check.verdict != "ok" else []
    below = [" " * (name_cells + 2) + line for line in [*rest, *hint]]
    return beside(check.verdict, [lead + first, *below], ink, _INKS[check.verdict], _LABEL)


def _verdict(checks: Sequence[Check], ink: Ink) -> str:
    errors = sum(1 for check in checks if check.verdict == "error")
    warnings = sum(1 for check in checks if check.verdict == "warning")
    if errors:
        return ink(f"Not ready: {count(errors, 'thing')} to mend.", "strong bad")
    if warnings:
        return ink(f"Ready, with {count(warnings, 'thing')} to know.", "warn")
    return ink("Ready.", "good")


def doctor_json(checks: Sequence[Check]) -> dict[str, object]:
    """`{"doctor": 1, "ready": …, "checks": […]}`."""
    return {
        "doctor": VERSION,
        "ready": all(check.verdict != "error" for check in checks),
        "checks": [
            {"name": check.name, "verdict": check.verdict, "message": check.words, "hint": check.hint}
            for check in checks
        ],
    }
