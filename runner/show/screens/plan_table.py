"""The table of a plan's screen: rows of shots with action and reason, and the sums."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from runner.language.model import Shot, Storyboard
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Action, Plan, Step, price_of, totals
from runner.planning.reason import Reason, ReasonCode
from runner.show.screens.blocked import WaysOn, blocked_lines, short_cause
from runner.show.screens.rows import (
    NO_SCENE,
    SceneRows,
    TableLine,
    count_models,
    material_list,
    model,
    scenes,
    usual_model,
)
from runner.show.screens.take_marks import has_choice, take_marks
from runner.show.text.escape import escape_terminal, one_line
from runner.show.text.format import count, credits_text, dollars
from runner.show.text.layout import WIDE, labelled
from runner.show.text.style import Style
from runner.show.text.table import Cell, Column, TableRow, row, table

ACTION_STYLES = {
    Action.MAKE: "good",
    Action.WAIT: "warn",
    Action.RESUME: "good",
    Action.KEEP: "quiet",
    Action.UNSETTLED: "strong bad",
    Action.REFUSED: "bad",
    Action.BLOCKED: "bad",
    Action.DOUBTFUL: "bad",
    Action.GONE: "bad",
}
NARROW = 100
"""Width below which a long heading has a short form."""


@dataclass(frozen=True, slots=True)
class _ModelNames:
    """The models as the rows name them: the usual one stands in the head alone."""

    usual: str | None
    short_names: Mapping[str, str]
    """Empty where there is room for whole names."""

    def of(self, shots: Sequence[Shot]) -> str:
        return "" if model(shots) == self.usual else model(shots, self.short_names)


def plan_table(
    plan: Plan,
    storyboard: Storyboard,
    steps: Sequence[Step],
    width: int,
    style: Style,
    all_shots: bool,
    paid_provider: str,
    ways: WaysOn,
) -> list[str]:
    """The table of one storyboard; `paid_provider` is the provider whose prices a free plan quotes.

    `ways`: the commands that help where takes are blocked.
    """
    by_shot: dict[str, list[Step]] = {}
    for step in steps:
        by_shot.setdefault(step.shot.id, []).append(step)
    shots = concerned_shots(plan, storyboard, steps)
    scene_rows = scenes(shots, by_shot, all_shots)
    letters = _cause_letters(scene_rows)
    counts = count_models(shots)
    models = _ModelNames(usual_model(counts), {} if width >= WIDE else plan.edition.short_names)
    rows: list[TableRow | str] = []
    marks = {id: take_marks(plan, own) for id, own in by_shot.items() if has_choice(plan, own)}
    for scene in scene_rows:
        rows += _scene(scene, letters, marks, style, models)
    if blocked := blocked_lines(plan, steps, min(width, WIDE), style, ways):
        rows += ["", *blocked, ""]
    rows += _sums(plan, storyboard, steps)
    columns = _columns(
        width,
        f"on {escape_terminal(paid_provider)}" if plan.is_free else "credits",
        models=any(name != models.usual for name in counts),
    )
    return [*table(columns, rows, width, style, indent=1), *_cause_lines(letters, scene_rows, width, style)]


def concerned_shots(plan: Plan, storyboard: Storyboard, steps: Sequence[Step]) -> list[Shot]:
    """The shots of one storyboard that the plan is about: with `--retake` and `--again` only those that they name."""
    planned = {step.shot.id for step in steps}
    return [shot for shot in plan.shots if shot.film == storyboard.film and (shot.skip or shot.id in planned)]


def _columns(width: int, credits: str, models: bool) -> tuple[Column, ...]:
    return (
        # Names and materials shrink first: a cut resolution or price would be another one.
        Column(least=14, narrow_least=8, most=max(18, width // 4), head=" shot"),
        Column("right", head="takes"),
        Column("right", head="s"),
        Column(least=10, narrow_least=5, most=max(18, width // 4), head="made of" if width >= NARROW else "from"),
        # No cells, and so no column, where the head names the model of all shots.
        Column(most=1_000 if models else 0, head="model"),
        Column("right", head=credits),
        Column(least=24, narrow_least=16, head="what"),
    )


def _scene(
    scene: SceneRows,
    letters: Mapping[Reason, str],
    marks: Mapping[str, str],
    style: Style,
    models: _ModelNames,
) -> Iterable[TableRow | str]:
    if scene.folded:
        whole = scene.whole
        yield _row(Cell(escape_terminal(scene.name or NO_SCENE), "strong"), whole.name, whole, letters, models)
        return
    if scene.name is not None:
        yield " " + style(escape_terminal(scene.name), "strong")
    for entry in scene.table_lines:
        # Unchanged shots ask nothing of a reader: one line for all of a scene.
        if entry.is_kept and len(entry.shots) > 1 and entry.steps:
            yield _row(Cell(count(len(entry.shots), "shot"), "quiet"), "", entry, letters, models, indent=1)
        else:
            mark = marks.get(entry.shots[0].id, "") if len(entry.shots) == 1 else ""
            materials = material_list(entry.shots[0])
            yield _row(Cell(entry.name), materials, entry, letters, models, indent=1, marks=mark)


def _row(
    name: Cell,
    materials: str,
    entry: TableLine,
    letters: Mapping[Reason, str],
    models: _ModelNames,
    indent: int = 0,
    marks: str = "",
) -> TableRow:
    """One row, with the shots' model where it is not the usual one."""
    style, short, reason = _action_cells(entry, letters)
    reason = "   ".join(filter(None, (reason, marks)))
    seconds = sum(step.shot.request.seconds for step in entry.steps)
    return row(
        name,
        f"{len(entry.steps):,}" if entry.steps else "–",
        f"{seconds:,}" if seconds else "–",
        Cell(materials, "quiet" if entry.is_kept else "plain"),
        Cell(models.of(entry.shots), "quiet"),
        _credits(entry.steps),
        # The usual actions have four letters, so that their reasons stand in one column.
        Cell(f"{short:<5}  {reason}" if short and reason else short or reason, style),
        indent=indent,
        short=short,
        below=reason,
    )


def _credits(steps: Sequence[Step]) -> Cell:
    """Credits of the row's orders, now or later; empty where nothing is ordered."""
    billable = [step for step in steps if step.is_billable or step.needs_pick or step.action is Action.BLOCKED]
    if not billable:
        return Cell("")
    now = any(step.is_billable for step in billable)
    return Cell(credits_text(price_of(billable)), "plain" if now else "quiet")


def _action_cells(entry: TableLine, letters: Mapping[Reason, str]) -> tuple[str, str, str]:
    """Style, short form and reason of a row: `make`, `new`; several actions are counted."""
    counts = Counter(step.action for step in entry.steps)
    if not counts:
        return "quiet", "skip", ""
    # The members of `Action` stand in the order of the trouble that they mean.
    worst = max(counts, key=lambda action: list(Action).index(action))
    if len(counts) > 1:
        numbers = ", ".join(f"{action} {counts[action]}" for action in Action if action in counts)
        return ACTION_STYLES[worst], "", numbers
    reasons = tuple(dict.fromkeys(_reason(step, letters) for step in entry.steps))
    if len(reasons) == 1:
        return ACTION_STYLES[worst], worst.value, reasons[0]
    # Of several reasons only the letters of causes: the rest would not fit, and is told with `--all`.
    short = worst.value if len(entry.steps) == 1 else f"{worst} {len(entry.steps)}"
    return ACTION_STYLES[worst], short, ", ".join(reason for reason in reasons if reason.endswith(")"))


def _reason(step: Step, letters: Mapping[Reason, str]) -> str:
    if step.action is Action.BLOCKED:
        return short_cause(step)
    if (letter := letters.get(step.reason)) is not None:
        changed = "changed " if step.action is Action.MAKE else ""
        return f"{'failed ' if step.reason.code is ReasonCode.FAILED else changed}({letter})"
    if step.action is Action.WAIT and step.waits_for == "shot" and step.duplicate_of is None:
        return escape_terminal(f"for {', '.join(step.blockers)}")
    if step.waits_for == "pick" and not step.reason.text.startswith("pick again"):
        return escape_terminal(f"pick {', '.join(step.blockers)}'s take")
    return one_line(step.reason.text, 600)


# -- causes that several rows share -----------------------------------------------------------------------


def _cause_letters(scene_rows: Sequence[SceneRows]) -> dict[Reason, str]:
    """A letter for each reason that several rows share and that is too long to repeat in all of them."""
    lines = Counter(
        reason
        for scene in scene_rows
        for steps in ((scene.steps,) if scene.folded else (entry.steps for entry in scene.table_lines))
        for reason in {step.reason for step in steps if _may_have_letter(step)}
    )
    # Up to 16 characters a reason is hardly longer than its letter.
    shared = [reason for reason, times in lines.items() if times > 1 and len(reason.text) > 16]
    return {reason: _letter(index) for index, reason in enumerate(shared)}


def _may_have_letter(step: Step) -> bool:
    """Whether a row shows the whole reason of this take; the others have short forms."""
    return step.action not in (Action.WAIT, Action.KEEP, Action.BLOCKED)


def _letter(index: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return alphabet[index] if index < len(alphabet) else _letter(index // len(alphabet) - 1) + alphabet[index % 26]


def _cause_lines(letters: Mapping[Reason, str], scene_rows: Sequence[SceneRows], width: int, style: Style) -> list[str]:
    if not letters:
        return []
    shots: dict[Reason, set[str]] = {}
    actions: dict[Reason, Action] = {}
    for step in (step for scene in scene_rows for step in scene.steps):
        shots.setdefault(step.reason, set()).add(step.shot.id)
        actions.setdefault(step.reason, step.action)
    lines = [""]
    for reason, letter in letters.items():
        text = f"{one_line(reason.text, 600)}   {count(len(shots[reason]), 'shot')}"
        lines += labelled(f"({letter})", text, width, style, ACTION_STYLES[actions[reason]])
    return lines


# -- sums -------------------------------------------------------------------------------------------------


def _sums(plan: Plan, storyboard: Storyboard, steps: Sequence[Step]) -> Iterable[TableRow]:
    """Rows for now, later and the whole film; a row equal to another is left out."""
    # A retake that is made already is no part of the film as it is wanted.
    steps = [step for step in steps if not step.is_retake or step.is_billable]
    sums, whole = totals(steps, shots=0), price_of(steps)
    # Seven dashes are as wide as `credits`, the head.
    yield row("", "", "", "", "", Cell("-" * max(7, len(credits_text(whole))), "quiet"))
    billable = sum(1 for step in steps if step.is_billable)
    is_everything = billable == len(steps)
    is_whole_film = all(shot.skip or plan.steps_of(shot.key) for shot in storyboard.shots)
    budget = _budget(plan, storyboard) if is_whole_film else ""
    yield _total(plan, "now", billable, sums.seconds, sums.credits, budget if is_everything else "")
    if sums.later_takes:
        yield _total(plan, "later", sums.later_takes, sums.later_seconds, sums.later_credits, "after you pick")
    if not is_everything:
        seconds = sum(step.shot.request.seconds for step in steps)
        name = "whole film" if is_whole_film else "selection"
        yield _total(plan, name, len(steps), seconds, whole, budget)


def _total(plan: Plan, name: str, takes: int, seconds: int, credits: Decimal | None, more: str) -> TableRow:
    style, usd = "strong" if name == "now" else "plain", dollars(plan.usd(credits))
    cells = (Cell(name, style), f"{takes:,}", f"{seconds:,}", "", "", Cell(credits_text(credits), style))
    return row(*cells, Cell(f"{usd}  {more}" if more else usd, style), indent=1, short=usd, below=more)


def _budget(plan: Plan, storyboard: Storyboard) -> str:
    if plan.is_free or plan.selected is not None:
        return ""
    if storyboard.budget_credits is not None:
        return f"of budget {credits_text(storyboard.budget_credits)}"
    return f"of budget {dollars(storyboard.budget_usd)}" if storyboard.budget_usd is not None else ""
