"""The comment on a pull request: what its branch makes and costs beyond its base, as markdown."""

import re
from collections.abc import Sequence

from runner.lazy_pattern import lazy_pattern
from runner.planning.difference import Difference, ShotChange
from runner.planning.plan import Plan
from runner.planning.saved_plan import SavedPlan
from runner.show.screens.diff import (
    film_line,
    given_up_shots,
    price_line,
    prices,
    reason_text,
    several_storyboards,
    shot_label,
    summary_counts,
)
from runner.show.screens.keep_commands import keep_commands
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import one_line
from runner.show.text.format import count, money
from runner.show.text.labels import Several

MARK = "<!-- storyboard diff -->"
"""The hidden first line, by which a workflow finds its own comment."""
MOST_CHARACTERS = 60_000
"""Length of the whole comment; GitHub takes 65,536 characters."""
# Shots from which on the table is folded.
_FOLDED = 12
# Characters that stay free for what stands below the table.
_ROOM_BELOW = 1_000
# Characters of one command.
_MOST_CODE = 2_000
# What begins mark-up, a mention, a formula or a link; bare addresses become links by `://` and `www.` alone.
_SPECIAL = lazy_pattern(r"[\\`*_{}\[\]#|~<>&@$]|:(?=//)|w(?=ww\.)")


def diff_markdown(
    difference: Difference, plan: Plan, base: str, line: CommandLine, saved: SavedPlan | None = None
) -> str:
    """The comment, at most `MOST_CHARACTERS` long; `line` is as typed, `saved` the plan which merging runs."""
    counts = summary_counts(difference)
    head = f"**storyboard** {_escaped(price_line(difference, plan))}, beyond {_escaped(base)}"
    parts = [MARK, head if not counts else f"{head}: {counts}"]
    below = [_escaped(film_line(difference)), *_given_up(difference, plan, line), *_contract(saved, plan)]
    if difference.shots:
        room = MOST_CHARACTERS - sum(len(part) + 2 for part in (*parts, *below)) - _ROOM_BELOW
        parts.append(_table(difference, plan, room))
    return "\n\n".join([*parts, *below]) + "\n"


def _table(difference: Difference, plan: Plan, room: int) -> str:
    several = several_storyboards(difference, plan)
    rows: list[str] = []
    for shot in difference.shots:
        line = _row(shot, plan, several)
        # GitHub refuses a comment that is too long as a whole: the rows without room are counted.
        if (room := room - len(line) - 1) < 0:
            break
        rows.append(line)
    lines = ["| | shot | why | credits | USD |", "|---|---|---|--:|--:|", *rows]
    if (more := len(difference.shots) - len(rows)) > 0:
        lines += ["", f"and {more:,} more"]
    if len(difference.shots) < _FOLDED:
        return "\n".join(lines)
    summary = f"<details><summary>{count(len(difference.shots), 'shot')}</summary>"
    return "\n".join([summary, "", *lines, "", "</details>"])


def _row(shot: ShotChange, plan: Plan, several: Several) -> str:
    why = reason_text(shot) + (" (gives up its pick)" if shot.gives_up_pick else "")
    credits, usd = prices(shot, plan)
    return f"| {shot.change} | {_escaped(shot_label(shot, several))} | {_escaped(why)} | {credits} | {_escaped(usd)} |"


def _given_up(difference: Difference, plan: Plan, line: CommandLine) -> Sequence[str]:
    shots = given_up_shots(difference)
    if not shots:
        return ()
    commands = [f"{_code(command)}{more}" for command, more in keep_commands(line, plan, shots)]
    return (f"Gives up {count(len(shots), 'pick')}, unless the clips at hand are kept: {', '.join(commands)}",)


def _code(text: str) -> str:
    """Untrusted text as markdown shows a command: between more backticks than it has in a row."""
    text = one_line(text, _MOST_CODE)
    # A span of code ends at as many backticks as it begins with.
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    blank = " " if "`" in text else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def _contract(saved: SavedPlan | None, plan: Plan) -> Sequence[str]:
    """The line by which a workflow knows the approved plan: it begins and ends as no other line of the comment can."""
    if saved is None:
        return ()
    price = _escaped(money(saved.ceiling, plan.usd_per_credit))
    return (f"Merging runs this plan and nothing else, for at most {price}: `{saved.digest}`",)


def _escaped(text: str) -> str:
    """Untrusted text on one line that markdown shows as it is: no mark-up, no link, no mention of a person."""
    return _SPECIAL.sub(lambda match: f"&#{ord(match.group())};", one_line(text))
