"""The screen of `verify` and `fetch`: clips compared with the manifest; for people and as JSON."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from runner.attempts.film import FilmName, storyboard_slug
from runner.lazy_dataclass import dataclass
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

Verdict = Literal["whole", "fetched", "accepted", "missing", "changed", "doubtful", "gone", "failed"]
# In the order of the last line's counts: what is fine first, what is lost last.
_VERDICT_STYLES = {
    "whole": "quiet",
    "fetched": "good",
    "accepted": "good",
    "missing": "warn",
    "changed": "strong bad",
    "doubtful": "strong warn",
    "gone": "strong bad",
    "failed": "bad",
}
_INTACT = frozenset({"whole", "fetched", "accepted"})
# A screenful: a clone of a long film lacks hundreds of clips, all for the one reason.
_MOST_ROWS = 40
LFS_POINTER = "a Git LFS pointer lies in its place; the clip comes with: git lfs pull"


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """One clip of a manifest, and the result of its check or download."""

    film: FilmName
    shot: str
    take: int
    path: str
    """Relative to the repository's top."""
    verdict: Verdict
    message: str = ""
    is_orphan: bool = False
    """Whether the clip is from an earlier version: no current take needs it."""

    @property
    def is_fine(self) -> bool:
        """Whether nothing is to be done: the clip is intact, or an orphan that no command can better."""
        return self.verdict in _INTACT or (self.is_orphan and self.verdict in ("doubtful", "gone"))


def next_command(checks: Sequence[ClipCheck], line: CommandLine) -> str:
    """The command that helps: `fetch` brings missing clips, git those of pointers; the user accepts doubtful ones."""
    open_checks = [check for check in checks if not check.is_fine]
    # Only where git can bring them all: what no pointer stands for comes with `fetch`.
    if open_checks and all(check.message == LFS_POINTER for check in open_checks):
        return "git lfs pull"
    if not open_checks or any(check.verdict != "doubtful" for check in open_checks):
        return line.fetch()
    first = open_checks[0]
    return line.of_film(first.film.profile).accept(f"{storyboard_slug(first.film.storyboard)}:{first.shot}")


def command_after_fetch(checks: Sequence[ClipCheck], line: CommandLine) -> str:
    """The command that helps after a fetch: the user accepts doubtful clips; to fetch the rest again helps nobody."""
    is_left_to_user = {check.verdict for check in checks if not check.is_fine} == {"doubtful"}
    return next_command(checks, line) if is_left_to_user else ""


def clips(checks: Sequence[ClipCheck], width: int, color: bool, next_command: str = "", all_clips: bool = False) -> str:
    """The screen of `verify` and `fetch`: a line for each clip that is not intact, then the counts."""
    style = Style(color)
    listed = [check for check in checks if all_clips or check.verdict != "whole"]
    several = len({check.film for check in checks}) > 1
    rows: list[TableRow | str] = [_row(check, several) for check in listed[:_MOST_ROWS]]
    lines = table((Column(), Column(least=20), Column(least=8)), rows, width, style)
    if len(listed) > _MOST_ROWS:
        lines.append(f"  and {count(len(listed) - _MOST_ROWS, 'clip')} more (--json has them all)")
    is_fine = all(check.is_fine for check in checks)
    end = [f"  {style(_summary(checks), 'good' if is_fine else 'strong bad')}"]
    if next_command and not is_fine:
        end += ["", f"  {style(escape_terminal(next_command), 'command')}"]
    return "\n".join([*lines, *([""] if lines else []), *end]) + "\n"


def _row(check: ClipCheck, several: bool) -> TableRow:
    """The line of a clip; its path is whole, on a line below where it does not fit."""
    shot = f"{storyboard_slug(check.film.storyboard)}:{check.shot}" if several else check.shot
    text = "  ".join(part for part in (escape_terminal(check.path), one_line(check.message, 200)) if part)
    verdict = Cell(check.verdict, _VERDICT_STYLES[check.verdict])
    # The path is also the text below: cut, it could not be copied.
    return row(verdict, escape_terminal(f"{shot} take {check.take}"), text, below=text)


def _summary(checks: Sequence[ClipCheck]) -> str:
    """The last line: `24 clips: 22 whole, 1 missing, 1 changed`."""
    if not checks:
        return "The manifest names no clip yet."
    counts = Counter[str](check.verdict for check in checks)
    return f"{count(len(checks), 'clip')}: " + ", ".join(
        f"{counts[name]} {name}" for name in _VERDICT_STYLES if counts[name]
    )
