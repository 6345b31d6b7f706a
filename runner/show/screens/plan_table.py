"""The table in the middle of a plan: a line for some shots, what is done with them and why, and the sums."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from runner.language.model import Shot, Storyboard
from runner.planning.plan import Action, Plan, Step, totals
from runner.show.screens.rows import SEVERAL, SceneRows, TableLine, made_of, model, scenes
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, dollars
from runner.show.text.layout import labelled
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

ACTION_INKS = {
    Action.MAKE: "good",
    Action.WAIT: "warn",
    Action.RESUME: "good",
    Action.KEEP: "quiet",
    Action.UNSETTLED: "strong bad",
    Action.REFUSED: "bad",
    Action.BLOCKED: "bad",
    Action.GONE: "bad",
}
NARROW = 100
"""Columns below which nothing is said twice."""
WIDE = 120
"""Columns from which names are spelled out, and beyond which nothing is spread."""


def plan_table(
    plan: Plan, board: Storyboard, steps: Sequence[Step], width: int, ink: Style, all_shots: bool, asks: str
) -> list[str]:
    """The lines of one storyboard; `asks` is the provider whose prices play money quotes."""
    by_shot: dict[str, list[Step]] = {}
    for step in steps:
        by_shot.setdefault(step.shot.id, []).append(step)
    shots = [shot for shot in plan.shots if shot.storyboard == board.path]
    found = scenes(shots, by_shot, all_shots)
    marks = _marks(found)
    rows: list[TableRow | str] = []
    for scene in found:
        rows += _scene(scene, marks, width, ink)
    rows += _sums(plan, board, steps)
    columns = _columns(
        width, f"on {escape_terminal(asks)}" if plan.is_free else "credits", said_once(shots, width) is None
    )
    return [*table(columns, rows, width, ink, indent=1), *_causes(marks, found, width, ink)]


def said_once(shots: Sequence[Shot], width: int) -> str | None:
    """Model and resolution that all shots share, on a screen too narrow to repeat them in each line."""
    shared = model(shots, full=True)
    return shared if width < NARROW and shared != SEVERAL else None


def _columns(width: int, credits: str, models: bool) -> tuple[Column, ...]:
    return (
        Column(least=14, bare=8, most=max(18, width // 4), head=" shot"),
        Column("right", head="takes"),
        Column("right", head="s"),
        Column(least=10, bare=5, most=max(18, width // 4), head="made of"),
        Column(most=1_000 if models else 0, head="model"),
        Column("right", head=credits),
        Column(least=24, bare=16, head="what"),
    )


def _scene(scene: SceneRows, marks: Mapping[str, str], width: int, ink: Style) -> Iterable[TableRow | str]:
    if scene.folded:
        whole = scene.whole
        yield _row(Cell(escape_terminal(scene.name or "no scene"), "strong"), whole.name, whole, marks, width)
        return
    if scene.name is not None:
        yield " " + ink(escape_terminal(scene.name), "strong")
    for entry in scene.table_lines:
        if entry.is_kept and len(entry.shots) > 1 and entry.steps:
            yield _row(Cell(count(len(entry.shots), "shot"), "quiet"), "", entry, marks, width, indent=1)
        else:
            yield _row(Cell(entry.name), made_of(entry.shots[0]), entry, marks, width, indent=1)


def _row(name: Cell, made: str, entry: TableLine, marks: Mapping[str, str], width: int, indent: int = 0) -> TableRow:
    ink, short, reason = _what(entry, marks)
    seconds = sum(step.shot.request.seconds for step in entry.steps)
    return row(
        name,
        f"{len(entry.steps):,}" if entry.steps else "–",
        f"{seconds:,}" if seconds else "–",
        Cell(made, "quiet" if entry.is_kept else "plain"),
        Cell(model(entry.shots, width >= WIDE), "quiet"),
        _credits(entry.steps),
        Cell(f"{short:<5}  {reason}" if short and reason else short or reason, ink),
        indent=indent,
        short=short,
        below=reason,
    )


def _credits(steps: Sequence[Step]) -> Cell:
    """What the line would newly order, now or after a pick; empty where nothing is ordered."""
    ordered = [step for step in steps if step.is_billable or step.needs_pick]
    if not ordered:
        return Cell("")
    now = any(step.is_billable for step in ordered)
    return Cell(credits_text(price_of(ordered)), "plain" if now else "quiet")


def price_of(steps: Iterable[Step]) -> Decimal | None:
    """The sum of prices, whatever the action; None when one is unknown."""
    total = Decimal(0)
    for step in steps:
        if step.price.credits is None:
            return None
        total += step.price.credits
    return total


def _what(entry: TableLine, marks: Mapping[str, str]) -> tuple[str, str, str]:
    """Ink, short form and reason of a line: `make`, `new`; several actions are counted."""
    counts = Counter(step.action for step in entry.steps)
    if not counts:
        return "quiet", "skip", ""
    worst = max(counts, key=lambda action: list(Action).index(action))
    if len(counts) > 1:
        return ACTION_INKS[worst], "", ", ".join(f"{action} {counts[action]}" for action in Action if action in counts)
    reasons = tuple(dict.fromkeys(_reason(step, marks) for step in entry.steps))
    if len(reasons) == 1:
        return ACTION_INKS[worst], worst.value, reasons[0]
    short = worst.value if len(entry.steps) == 1 else f"{worst} {len(entry.steps)}"
    return ACTION_INKS[worst], short, ", ".join(reason for reason in reasons if reason.endswith(")"))


def _reason(step: Step, marks: Mapping[str, str]) -> str:
    if (mark := marks.get(step.reason)) is not None:
        return f"failed ({mark})" if "failed last time" in step.reason else f"changed ({mark})"
    if step.action is Action.WAIT and step.waits_for == "shot" and step.duplicate_of is None:
        return escape_terminal(f"for {', '.join(step.blockers)}")
    if step.waits_for == "pick":
        return escape_terminal(f"pick {', '.join(step.blockers)}'s take")
    return one_line(step.reason, 600)


# -- a cause that many shots share ------------------------------------------------------------------------


def _marks(found: Sequence[SceneRows]) -> dict[str, str]:
    """A letter for each reason that stands in several lines and is too long to be said in all of them."""
    lines = Counter(
        reason
        for scene in found
        for entry in ((scene.whole,) if scene.folded else scene.table_lines)
        for reason in {step.reason for step in entry.steps if step.action is Action.MAKE}
    )
    shared = [reason for reason, times in lines.items() if times > 1 and len(reason) > 16]
    return {reason: _letter(index) for index, reason in enumerate(shared)}


def _letter(index: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return letters[index] if index < len(letters) else _letter(index // len(letters) - 1) + letters[index % 26]


def _causes(marks: Mapping[str, str], found: Sequence[SceneRows], width: int, ink: Style) -> list[str]:
    shots: dict[str, set[str]] = {}
    for scene in found:
        for step in scene.whole.steps:
            shots.setdefault(step.reason, set()).add(step.shot.id)
    lines = [""] if marks else []
    for reason, mark in marks.items():
        text = f"{one_line(reason, 600)}   {count(len(shots[reason]), 'shot')}"
        lines += labelled(f"({mark})", text, width, ink, "good")
    return lines


# -- sums -------------------------------------------------------------------------------------------------


def _sums(plan: Plan, board: Storyboard, steps: Sequence[Step]) -> Iterable[TableRow]:
    """Now, later and the whole film; a line that would say the same again is left out."""
    sums, whole = totals(steps, shots=0), price_of(steps)
    budget = _budget(plan, board)
    yield row("", "", "", "", "", Cell("-" * max(7, len(credits_text(whole))), "quiet"))
    ordered = sum(1 for step in steps if step.is_billable)
    only = ordered == len(steps)
    yield _total(plan, "now", ordered, sums.seconds, sums.credits, budget if only else "")
    if sums.later_takes:
        yield _total(plan, "later", sums.later_takes, sums.later_seconds, sums.later_credits, "after you pick")
    if not only:
        seconds = sum(step.shot.request.seconds for step in steps)
        name = "whole film" if plan.selected is None else "selection"
        yield _total(plan, name, len(steps), seconds, whole, budget)


def _total(plan: Plan, name: str, takes: int, seconds: int, credits: Decimal | None, more: str) -> TableRow:
    ink, usd = "strong" if name == "now" else "plain", dollars(plan.usd(credits))
    cells = (Cell(name, ink), f"{takes:,}", f"{seconds:,}", "", "", Cell(credits_text(credits), ink))
    return row(*cells, Cell(f"{usd}  {more}" if more else usd, ink), indent=1, short=usd, below=more)


def _budget(plan: Plan, board: Storyboard) -> str:
    if plan.is_free or plan.selected is not None:
        return ""
    if board.budget_credits is not None:
        return f"of budget {credits_text(board.budget_credits)}"
    return f"of budget {dollars(board.budget_usd)}" if board.budget_usd is not None else ""
