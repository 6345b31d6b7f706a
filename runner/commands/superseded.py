"""Attempts that may have been paid, have not ended, and that no take stands by: of earlier words, or of a retake."""

import re

from runner.commands.opening import Opened
from runner.history import Attempt, History, State
from runner.plan import Plan, Step
from runner.request import fingerprint

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


def aside(desk: Opened, history: History, plan: Plan) -> list[Attempt]:
    """Paid takes of these storyboards that `plan` does not ask for, and that have a clip or, by a manifest, a task.

    Tasks that this ledger knows are left to the next run.
    """
    if desk.settings.account.free:
        return []
    boards = {board.path for board in desk.batch.storyboards}
    marks = {step.fingerprint for step in plan.steps}
    return [
        each
        for each in history.attempts.values()
        if (each.state is State.STORED and each.clip is not None)
        or (each.elsewhere and each.task_id is not None and each.state in (State.RUNNING, State.SUCCEEDED))
        if each.intended.storyboard in boards and each.intended.profile == desk.settings.profile
        if each.intended.fingerprint not in marks and _PLAIN.fullmatch(each.intended.shot)
        if desk.selected is None or (each.intended.storyboard, each.intended.shot) in desk.selected
    ]


def retake(plan: Plan, attempt: Attempt) -> Step | None:
    """The take of the shot as it is now that this is: a retake; None when its words have changed."""
    made = attempt.intended
    step = next(iter(plan.steps_of(made.storyboard, made.shot)), None)
    if step is None or step.fingerprint is None:
        return None
    if made.take <= step.shot.takes or fingerprint({**step.form(), "take": made.take}) != made.fingerprint:
        return None
    return step._replace(take=made.take, fingerprint=made.fingerprint)
