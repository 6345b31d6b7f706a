"""The screen of `diff`: the shots that changed, what they cost, and both films as a whole."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

from runner.attempts.film import FilmName, ShotKey, storyboard_slug
from runner.planning.difference import Change, Difference, ShotChange
from runner.planning.plan import Plan
from runner.planning.saved_plan import SavedPlan
from runner.show.screens.keep_commands import keep_commands
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, dollars, length, money
from runner.show.text.labels import Several, has_several_profiles
from runner.show.text.layout import wrapped
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

# Also the order in which a summary counts them.
_STYLES: dict[Change, str] = {
    "added": "good",
    "changed": "strong",
    "renamed": "quiet",
    "removed": "quiet",
    "moved": "quiet",
}
# The reason is last: there a text that does not fit is wrapped below, and elsewhere it would be cut.
_COLUMNS = (Column(), Column(), Column(side="right"), Column(side="right"), Column(least=20))
# Characters of a reason: two versions of a prompt's changed words, and no whole prompt.
_MAX_REASON = 300
# Shots that the screen lists; `--json` lists all.
_ROWS = 200


def diff_screen(
    difference: Difference,
    plan: Plan,
    base: str,
    width: int,
    color: bool,
    line: CommandLine,
    saved: SavedPlan | None = None,
) -> str:
    """The screen as text with a line break at its end; `base` is the commit as people know it, `line` as typed."""
    style = Style(color)
    lines = [f"{style('what this tree makes', 'strong')} beyond {escape_terminal(base)}", ""]
    if difference.shots:
        several = several_storyboards(difference, plan)
        rows: list[TableRow | str] = [_row(shot, plan, several) for shot in difference.shots[:_ROWS]]
        lines += table(_COLUMNS, rows, width, style)
        if (more := len(difference.shots) - _ROWS) > 0:
            lines.append(f"  and {more:,} more: --json")
        lines.append("")
    lines += wrapped(price_line(difference, plan), width)
    if summary := film_line(difference):
        lines += wrapped(summary, width)
    if given_up := given_up_shots(difference):
        lines += ["", *wrapped(f"gives up {count(len(given_up), 'pick')}, unless the clips at hand are kept:", width)]
        commands = keep_commands(line, plan, given_up)
        lines += [f"  {style(command, 'command')}{more}" for command, more in commands]
    if saved is not None:
        lines += ["", f"the saved plan, for at most {money(saved.ceiling, plan.usd_per_credit)}:", f"  {saved.digest}"]
    return "\n".join(lines) + "\n"


def price_line(difference: Difference, plan: Plan) -> str:
    """`orders 320 credits ($1.60) more`, or that it orders nothing more."""
    if not difference.has_orders:
        return "orders nothing more"
    takes = sum(shot.takes for shot in difference.shots)
    price = money(difference.credits, plan.usd_per_credit)
    if plan.is_free:
        return f"draws {count(takes, 'clip')} more, free here; at the paid provider for {price}"
    return f"orders {count(takes, 'clip')} more for {price}"


def film_line(difference: Difference) -> str:
    """The shots, the length and the price of all that is still to be made, before and after."""
    before, after = difference.before, difference.after
    return " · ".join(
        (
            _pair(f"{before.shots:,}", f"{after.shots:,}", "shots"),
            _pair(length(before.film_seconds), length(after.film_seconds), "of film"),
            _pair(credits_text(before.credits), credits_text(after.credits), "credits to order in all"),
        )
    )


def _pair(before: str, after: str, noun: str) -> str:
    return f"{after} {noun}" if before == after else f"{before} → {after} {noun}"


def given_up_shots(difference: Difference) -> list[ShotKey]:
    """The shots that lose their picks."""
    return [(FilmName(shot.storyboard, shot.profile), shot.shot) for shot in difference.shots if shot.gives_up_pick]


def summary_counts(difference: Difference) -> str:
    """`2 changed, 1 added`: how many shots differ, by the kind of change; empty where none does."""
    counts = Counter(shot.change for shot in difference.shots)
    return ", ".join(f"{counts[change]:,} {change}" for change in _STYLES if counts[change])


def shot_label(shot: ShotChange, several: Several) -> str:
    """The shot's name, after its old one if it was renamed."""
    profile = f"+{shot.profile}" if several == "films" and shot.profile is not None else ""
    name = f"{storyboard_slug(shot.storyboard)}{profile}:{shot.shot}" if several else shot.shot
    return name if shot.was == shot.shot else f"{shot.was} → {name}"


def reason_text(shot: ShotChange) -> str:
    """The reason of a shot's change, on one line."""
    return "" if shot.reason is None or shot.change == "added" else one_line(shot.reason.text, _MAX_REASON)


def several_storyboards(difference: Difference, plan: Plan) -> Several:
    """The names that shots need before their ids: films where the plan has several profiles, else storyboards."""
    if has_several_profiles(plan):
        return "films"
    return "storyboards" if len({shot.storyboard for shot in difference.shots}) > 1 else False


def selections(difference: Difference, plan: Plan) -> Iterator[str]:
    """A line for each film with added or changed shots, parted by tabs: path, profile, and what `--select` takes.

    The expression also names what the shots are made from; a storyboard without a profile has `none`.
    """
    skipped = {shot.key for shot in plan.batch.shots if shot.skip}
    shots: dict[FilmName, list[str]] = {}
    for shot in difference.shots:
        film = FilmName(shot.storyboard, shot.profile)
        if shot.change in ("added", "changed") and (film, shot.shot) not in skipped:
            shots.setdefault(film, []).append(f"+{shot.shot}")
    for film, names in shots.items():
        yield f"{film.storyboard}\t{film.profile or 'none'}\t{' '.join(names)}"


def prices(shot: ShotChange, plan: Plan) -> Iterator[str]:
    """Credits and dollars of a shot; `free` where nothing is ordered for it."""
    credits: Decimal | None = shot.credits
    if not shot.takes:
        yield from ("", "")
    else:
        yield from (credits_text(credits), dollars(plan.usd(credits)))


def _row(shot: ShotChange, plan: Plan, several: Several) -> TableRow:
    name = escape_terminal(shot_label(shot, several))
    text = reason_text(shot)
    return row(Cell(shot.change, _STYLES[shot.change]), name, *prices(shot, plan), Cell(text, "quiet"), below=text)
