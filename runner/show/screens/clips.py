"""Clips against the manifest: what `verify` found and what `fetch` brought; for people and as JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from runner.lazy_dataclass import dataclass
from runner.planning.selection import storyboard_slug
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

VERSION = 1
Verdict = Literal["whole", "fetched", "missing", "changed", "gone", "failed"]
_INKS = {
    "whole": "quiet",
    "fetched": "good",
    "missing": "warn",
    "changed": "strong bad",
    "gone": "strong bad",
    "failed": "bad",
}
_WELL = frozenset({"whole", "fetched"})
_MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """One clip that a manifest names, and how it was found: whole and here, or not."""

    storyboard: str
    shot: str
    take: int
    path: str
    """From the repository's top."""
    verdict: Verdict
    words: str = ""
    earlier: bool = False
    """Of a take that the storyboard does not ask for now."""

    @property
    def well(self) -> bool:
        """Nothing is to be done: it is here, or is of earlier words, and the provider's media have had their time."""
        return self.verdict in _WELL or (self.earlier and self.verdict == "gone")


def clips(checks: Sequence[ClipCheck], width: int, color: bool, next_command: str = "", all_clips: bool = False) -> str:
    """The screen of `verify` and `fetch`: what is not well, then how many are."""
    ink = Style(color)
    told = [check for check in checks if all_clips or check.verdict != "whole"]
    rows: list[TableRow | str] = [_row(check) for check in told[:_MOST_ROWS]]
    lines = table((Column(), Column(least=14), Column(), Column(least=8)), rows, width, ink)
    if len(told) > _MOST_ROWS:
        lines.append(f"  and {count(len(told) - _MOST_ROWS, 'clip')} more (--json has them all)")
    well = all(check.well for check in checks)
    end = [f"  {ink(_sum(checks), 'good' if well else 'strong bad')}"]
    if next_command and not well:
        end += ["", f"  {ink(escape_terminal(next_command), 'command')}"]
    return "\n".join([*lines, *([""] if lines else []), *end]) + "\n"


def _row(check: ClipCheck) -> TableRow:
    name = escape_terminal(f"{storyboard_slug(check.storyboard)}:{check.shot} take {check.take}")
    said = one_line(check.words, 200)
    return row(Cell(check.verdict, _INKS[check.verdict]), name, escape_terminal(check.path), said, below=said)


def _sum(checks: Sequence[ClipCheck]) -> str:
    """`24 clips: 22 whole, 1 missing, 1 changed`."""
    if not checks:
        return "The manifest names no clip yet."
    counts = Counter[str](check.verdict for check in checks)
    return f"{count(len(checks), 'clip')}: " + ", ".join(f"{counts[name]} {name}" for name in _INKS if counts[name])


def clips_json(checks: Sequence[ClipCheck], command: Literal["verify", "fetch"]) -> dict[str, object]:
    """`{"verify": 1, "whole": …, "clips": […]}`, or the same with `fetch`."""
    return {
        command: VERSION,
        "whole": all(check.well for check in checks),
        "clips": [
            {
                "storyboard": check.storyboard,
                "shot": check.shot,
                "take": check.take,
                "path": check.path,
                "verdict": check.verdict,
                "words": check.words,
            }
            for check in checks
        ],
    }
