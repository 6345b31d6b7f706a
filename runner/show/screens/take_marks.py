"""The marks of a shot's takes: `● 1  ◉ 2 picked  ● 3 (retake)`. Pure."""

from collections.abc import Sequence

from runner.planning.plan import Action, Plan, Step

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


def take_marks(plan: Plan, steps: Sequence[Step]) -> str:
    """The takes of one shot, each with its mark."""
    return "  ".join(take_mark(plan, step) for step in steps)


def take_mark(plan: Plan, step: Step) -> str:
    """One take with its mark: `◉ 2 picked (retake)`."""
    is_picked = plan.is_picked(step)
    mark = _PICKED if is_picked else _MARKS.get(step.action, _NO_CLIP)
    words = ["picked"] * is_picked + ["(retake)"] * step.is_retake
    return " ".join([mark, str(step.take), *words])
