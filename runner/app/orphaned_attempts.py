"""Orphaned attempts: possibly paid, and not needed by any take of the current storyboards."""

from functools import reduce

from runner.app.credit_scope import is_gone, sums_by_storyboard
from runner.app.session import Session
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.clip_name import names_files
from runner.attempts.history import History
from runner.attempts.sums import CreditSums
from runner.engine.run_events import RunResult
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step
from runner.requests.request import fingerprint


def orphaned_attempts(session: Session, history: History, plan: Plan | None = None) -> list[Attempt]:
    """Open attempts, possibly paid, that no take of the session's storyboards (or of `plan`) needs.

    Includes attempts of storyboards whose file is gone: no run names a renamed or deleted file again.
    """
    if session.settings.account.free:
        return []
    paths = {storyboard.path for storyboard in session.batch.storyboards}
    candidates = [
        attempt
        for attempt in history.open()
        if attempt.state.is_paid and not attempt.from_manifest and attempt.repository is None
        if attempt.intent.profile == session.settings.profile
        if attempt.intent.storyboard in paths or is_gone(session, attempt.intent.storyboard)
    ]
    if not candidates:
        return []
    steps = [*session.plan(history).steps, *(plan.steps if plan is not None else ())]
    fingerprints = {step.fingerprint for step in steps}
    return [
        attempt
        for attempt in candidates
        if attempt.intent.fingerprint not in fingerprints
        or history.current_attempt(attempt.intent.fingerprint) is not attempt
    ]


def with_orphans(session: Session, history: History, result: RunResult) -> RunResult:
    """The result with the orphans that remain, to collect or unsettled, and with the sums of the storyboards."""
    orphans = orphaned_attempts(session, history, result.plan)
    unsettled = tuple(orphan for orphan in orphans if orphan.state is AttemptState.UNSETTLED)
    return replace(
        result,
        orphans=tuple(filter(_is_collectable, orphans)),
        unsettled_orphans=unsettled,
        sums=reduce(CreditSums.plus, sums_by_storyboard(session, history).values(), CreditSums()),
    )


def _is_collectable(attempt: Attempt) -> bool:
    """Whether the attempt has a task, and a shot id that is safe as a folder name: manifests can be edited."""
    return attempt.state is not AttemptState.UNSETTLED and names_files(attempt.intent.shot)


def collectable_orphans(session: Session, history: History, plan: Plan) -> list[Attempt]:
    """The orphans whose clip can be downloaded."""
    return list(filter(_is_collectable, orphaned_attempts(session, history, plan)))


def stored_orphans(session: Session, history: History, plan: Plan) -> list[Attempt]:
    """Paid attempts that no take of `plan` needs, with a clip, or with a task that only a manifest names.

    Tasks in this machine's ledger are left to the next run.
    """
    if session.settings.account.free:
        return []
    paths = {storyboard.path for storyboard in session.batch.storyboards}
    fingerprints = {step.fingerprint for step in plan.steps}
    return [
        attempt
        for attempt in history.own()
        if (attempt.state.has_clip and attempt.clip is not None)
        or (attempt.from_manifest and attempt.task_id is not None and attempt.state.awaits_clip)
        if attempt.intent.storyboard in paths and attempt.intent.profile == session.settings.profile
        if attempt.intent.fingerprint not in fingerprints and names_files(attempt.intent.shot)
        if session.selected is None or (attempt.intent.storyboard, attempt.intent.shot) in session.selected
    ]


def as_retake(plan: Plan, attempt: Attempt) -> Step | None:
    """The step of an attempt that is a retake of the current shot; None if the shot has changed."""
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
