"""The takes that a storyboard's budget counts: all current takes, whatever the command line selects."""

from collections.abc import Iterator

from runner.app.session import Session
from runner.attempts.history import History
from runner.language.model import Batch, Storyboard
from runner.planning.plan import Plan
from runner.requests.request import fingerprint


def fingerprints_in_budget(session: Session, plan: Plan, history: History) -> dict[str, frozenset[str]]:
    """The fingerprints that count in each storyboard's budget: takes, retakes, and takes of other profiles."""
    storyboards = [storyboard for storyboard in plan.batch.storyboards if has_budget(storyboard)]
    if not storyboards:
        return {}
    # The plan without `--select`, `--retake` and `--again`: takes that they leave out count too.
    full_plan = session.plan(history, Batch(tuple(storyboards)))
    return {
        storyboard.path: frozenset(
            fingerprint
            for steps in (plan.steps_for(storyboard), full_plan.steps_for(storyboard))
            for step in steps
            if (fingerprint := step.fingerprint) is not None
        ).union(
            _retake_fingerprints(session, full_plan, storyboard, history),
            _other_profile_fingerprints(session, storyboard, history),
        )
        for storyboard in storyboards
    }


def has_budget(storyboard: Storyboard) -> bool:
    return storyboard.budget_credits is not None or storyboard.budget_usd is not None


def _retake_fingerprints(session: Session, full_plan: Plan, storyboard: Storyboard, history: History) -> Iterator[str]:
    """Retakes (beyond a shot's `takes`) of its current request; all retakes where a missing pick hides the request."""
    for attempt in history.own():
        intent = attempt.intent
        if (intent.storyboard, intent.profile) != (storyboard.path, session.settings.profile):
            continue
        step = next(iter(full_plan.steps_of(storyboard.path, intent.shot)), None)
        if step is None or intent.take <= step.shot.takes:
            continue
        if (
            step.fingerprint is None
            or fingerprint({**step.neutral_request(), "take": intent.take}) == intent.fingerprint
        ):
            yield intent.fingerprint


def _other_profile_fingerprints(session: Session, storyboard: Storyboard, history: History) -> Iterator[str]:
    """The last attempt of each take of other profiles: this command does not compile the storyboard with them."""
    for (path, _, _, profile), attempt in history.last.items():
        if path == storyboard.path and profile != session.settings.profile:
            yield history.attempts[attempt].intent.fingerprint
