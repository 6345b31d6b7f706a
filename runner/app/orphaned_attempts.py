"""Attempts that may have been paid, have not ended, and that no take stands by: of earlier words, or of a retake."""

import os
import re

from runner.app.session import Opened
from runner.attempts.history import Attempt, History, State
from runner.engine.run_events import Outcome
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step
from runner.requests.request import fingerprint

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def superseded(desk: Opened, history: History, plan: Plan | None = None) -> list[Attempt]:
    """Paid attempts that have not ended, and that no take of these storyboards (or of `plan`) stands by.

    Of these storyboards, and of those whose file is no longer there: renamed or deleted, no run names them again.
    """
    if desk.settings.account.free:
        return []
    boards = {board.path for board in desk.batch.storyboards}
    found = [
        each
        for each in history.open()
        if each.state in (State.RUNNING, State.SUCCEEDED, State.UNSETTLED) and not each.elsewhere
        if each.intended.profile == desk.settings.profile
        if each.intended.storyboard in boards or _is_gone(desk, each.intended.storyboard)
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


def _is_gone(desk: Opened, storyboard: str) -> bool:
    """Whether there is no such file in the repository any more, a broken link counts as one."""
    return bool(storyboard) and not os.path.lexists(desk.settings.root / storyboard)


def with_strays(desk: Opened, history: History, ended: Outcome) -> Outcome:
    """The same with what is still to be brought, and what is in doubt, of takes that nobody asks for now."""
    found = superseded(desk, history, ended.plan)
    doubts = tuple(each for each in found if each.state is State.UNSETTLED)
    return replace(ended, strays=tuple(filter(_can_come, found)), doubts=doubts)


def _can_come(attempt: Attempt) -> bool:
    """Whether there is a task, and a shot whose name may be a folder's, whoever told of it."""
    return attempt.state is not State.UNSETTLED and _PLAIN.fullmatch(attempt.intended.shot) is not None


def with_a_task(desk: Opened, history: History, plan: Plan) -> list[Attempt]:
    """Those that can be brought home."""
    return list(filter(_can_come, superseded(desk, history, plan)))


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
