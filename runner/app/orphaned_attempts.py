"""Attempts that may have been paid, have not ended, and that no take stands by: of earlier words, or of a retake."""

import os
import re

from runner.app.session import Session
from runner.attempts.history import Attempt, AttemptState, History
from runner.engine.run_events import RunResult
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step
from runner.requests.request import fingerprint

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


def orphaned_attempts(session: Session, history: History, plan: Plan | None = None) -> list[Attempt]:
    """Paid attempts that have not ended, and that no take of these storyboards (or of `plan`) stands by.

    Of these storyboards, and of those whose file is no longer there: renamed or deleted, no run names them again.
    """
    if session.settings.account.free:
        return []
    boards = {board.path for board in session.batch.storyboards}
    found = [
        each
        for each in history.open()
        if each.state in (AttemptState.RUNNING, AttemptState.SUCCEEDED, AttemptState.UNSETTLED)
        and not each.from_manifest
        and each.repository is None
        if each.intent.profile == session.settings.profile
        if each.intent.storyboard in boards or _is_gone(session, each.intent.storyboard)
    ]
    if not found:
        return []
    steps = [*session.plan(history).steps, *(plan.steps if plan is not None else ())]
    marks = {step.fingerprint for step in steps}
    return [
        each
        for each in found
        if each.intent.fingerprint not in marks or history.current_attempt(each.intent.fingerprint) is not each
    ]


def _is_gone(session: Session, storyboard: str) -> bool:
    """Whether there is no such file in the repository any more, a broken link counts as one."""
    return bool(storyboard) and not os.path.lexists(session.settings.root / storyboard)


def with_orphans(session: Session, history: History, ended: RunResult) -> RunResult:
    """The same with what is still to be brought, and what is in doubt, of takes that nobody asks for now."""
    found = orphaned_attempts(session, history, ended.plan)
    doubts = tuple(each for each in found if each.state is AttemptState.UNSETTLED)
    return replace(ended, orphans=tuple(filter(_can_come, found)), unsettled_orphans=doubts)


def _can_come(attempt: Attempt) -> bool:
    """Whether there is a task, and a shot whose name may be a folder's, whoever told of it."""
    return attempt.state is not AttemptState.UNSETTLED and _SAFE_ID.fullmatch(attempt.intent.shot) is not None


def collectable_orphans(session: Session, history: History, plan: Plan) -> list[Attempt]:
    """Those that can be brought home."""
    return list(filter(_can_come, orphaned_attempts(session, history, plan)))


def stored_orphans(session: Session, history: History, plan: Plan) -> list[Attempt]:
    """Paid takes of these storyboards that `plan` does not ask for, and that have a clip or, by a manifest, a task.

    Tasks that this ledger knows are left to the next run.
    """
    if session.settings.account.free:
        return []
    boards = {board.path for board in session.batch.storyboards}
    marks = {step.fingerprint for step in plan.steps}
    return [
        each
        for each in history.own()
        if (each.state is AttemptState.STORED and each.clip is not None)
        or (
            each.from_manifest
            and each.task_id is not None
            and each.state in (AttemptState.RUNNING, AttemptState.SUCCEEDED)
        )
        if each.intent.storyboard in boards and each.intent.profile == session.settings.profile
        if each.intent.fingerprint not in marks and _SAFE_ID.fullmatch(each.intent.shot)
        if session.selected is None or (each.intent.storyboard, each.intent.shot) in session.selected
    ]


def as_retake(plan: Plan, attempt: Attempt) -> Step | None:
    """The take of the shot as it is now that this is: a retake; None when its words have changed."""
    intent = attempt.intent
    step = next(iter(plan.steps_of(intent.storyboard, intent.shot)), None)
    if step is None or step.fingerprint is None:
        return None
    if (
        intent.take <= step.shot.takes
        or fingerprint({**step.neutral_request(), "take": intent.take}) != intent.fingerprint
    ):
        return None
    return step._replace(take=intent.take, fingerprint=intent.fingerprint)
