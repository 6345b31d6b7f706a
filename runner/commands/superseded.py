"""Attempts that may have been paid, have not ended, and that no take stands by: of earlier words, or of a retake."""

import re

from runner.commands.opening import Opened
from runner.history import Attempt, History, State
from runner.plan import Plan

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def superseded(desk: Opened, history: History, plan: Plan | None = None) -> list[Attempt]:
    """Paid attempts of these storyboards that have not ended, and that no take of theirs (or of `plan`) stands by."""
    if desk.settings.account.free:
        return []
    boards = {board.path for board in desk.batch.storyboards}
    found = [
        each
        for each in history.open()
        if each.state in (State.RUNNING, State.SUCCEEDED, State.UNSETTLED) and not each.elsewhere
        if each.intended.storyboard in boards and each.intended.profile == desk.settings.profile
    ]
    if not found:
        return []
    steps = [*desk.plan(history).steps, *(plan.steps if plan is not None else ())]
    marks = {step.fingerprint for step in steps}
    return [
        each
        for each in found
        if each.intended.fingerprint not in marks or history.standing(each.intended.fingerprint) is not each
    ]


def with_a_task(desk: Opened, history: History, plan: Plan) -> list[Attempt]:
    """Those that can be brought home: there is a task, and a shot whose name may be a folder's, whoever told of it."""
    found = superseded(desk, history, plan)
    return [each for each in found if each.state is not State.UNSETTLED and _PLAIN.fullmatch(each.intended.shot)]
