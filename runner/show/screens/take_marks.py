"""The marks of a shot's takes: `● 1  ◉ 2 picked  ● 3 (retake)`. Pure."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby

from runner.attempts.film import TakeKey
from runner.planning.plan import Action, Plan, Step
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count
from runner.show.text.table import TableRow, row

# Different in shape: without colour, and to who sees none, they still differ.
_MARKS = {
    Action.KEEP: "●",
    Action.RESUME: "●",
    Action.DOUBTFUL: "?",
    Action.UNSETTLED: "?",
    Action.REFUSED: "✕",
    Action.GONE: "✕",
}
_NO_CLIP = "○"
_PICKED = "◉"


def has_choice(plan: Plan, steps: Sequence[Step]) -> bool:
    """Whether a shot has a pick or a retake, so that its takes are worth a mark each."""
    return any(step.is_retake or plan.is_picked(step) for step in steps)


def awaits_choice(plan: Plan, made_now: Collection[TakeKey] = ()) -> bool:
    """Whether a shot has several clips, those made now included, and none of them is picked."""
    clips = Counter(step.key[:2] for step in plan.steps if step.action is Action.KEEP or step.key in made_now)
    return any(number > 1 and shot not in plan.picks for shot, number in clips.items())


def take_marks(plan: Plan, steps: Sequence[Step]) -> str:
    """The takes of one shot, each with its mark."""
    return "  ".join(take_mark(plan, step) for step in steps)


def mark_rows(plan: Plan, steps: Sequence[Step], most: int) -> list[TableRow | str]:
    """A line for each shot with a pick or a retake, at most so many."""
    shots = [list(own) for _, own in groupby(steps, key=lambda step: step.shot.id)]
    chosen = [own for own in shots if has_choice(plan, own)]
    rows: list[TableRow | str] = [row(escape_terminal(own[0].shot.id), take_marks(plan, own)) for own in chosen[:most]]
    if len(chosen) > most:
        rows.append(f"  and {count(len(chosen) - most, 'shot')} more (--all has them all)")
    return rows


def take_mark(plan: Plan, step: Step) -> str:
    """One take with its mark: `◉ 2 picked (retake)`."""
    is_picked = plan.is_picked(step)
    mark = _PICKED if is_picked else _MARKS.get(step.action, _NO_CLIP)
    words = ["picked"] * is_picked + ["(retake)"] * step.is_retake
    return " ".join([mark, str(step.take), *words])
