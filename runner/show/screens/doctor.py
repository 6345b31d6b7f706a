"""The screen of `doctor`: the checks of this machine, and the way out of each failure; for people and as JSON."""

from collections.abc import Sequence

from runner.diagnostics.problem import HealthCheck
from runner.show.text.cells import width as cells
from runner.show.text.escape import one_line
from runner.show.text.format import count
from runner.show.text.layout import labelled_lines, wrapped
from runner.show.text.style import Style

_VERDICT_STYLES = {"ok": "good", "warning": "warn", "error": "strong bad"}
# Cells of the verdicts, of which `warning` is the longest.
_LABEL = 7


def doctor(checks: Sequence[HealthCheck], width: int, color: bool) -> str:
    """The screen of `storyboard doctor`: a line for each check, the way out below a failed one, and the verdict."""
    style = Style(color)
    name_cells = max((cells(one_line(check.name, 40)) for check in checks), default=0)
    lines: list[str] = []
    for check in checks:
        lines += _check(check, name_cells, width, style)
    return "\n".join([*lines, "", f"  {_verdict(checks, style)}"]) + "\n"


def _check(check: HealthCheck, name_cells: int, width: int, style: Style) -> list[str]:
    margin = _LABEL + 4 + name_cells + 2
    name = one_line(check.name, 40)
    first, *rest = wrapped(one_line(check.message, 400), width - margin, 0)
    lead = name + " " * (name_cells - cells(name) + 2)
    hint = wrapped(one_line(check.hint, 400), width - margin, 0) if check.hint and check.verdict != "ok" else []
    below = [" " * (name_cells + 2) + line for line in [*rest, *hint]]
    return labelled_lines(check.verdict, [lead + first, *below], style, _VERDICT_STYLES[check.verdict], _LABEL)


def _verdict(checks: Sequence[HealthCheck], style: Style) -> str:
    errors = sum(1 for check in checks if check.verdict == "error")
    warnings = sum(1 for check in checks if check.verdict == "warning")
    if errors:
        return style(f"Not ready: {count(errors, 'error')}.", "strong bad")
    if warnings:
        return style(f"Ready, with {count(warnings, 'warning')}.", "warn")
    return style("Ready.", "good")
