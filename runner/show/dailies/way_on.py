"""The ways on from a take without a good clip, as lines of text and commands. Pure."""

from collections.abc import Iterator

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import storyboard_slug
from runner.planning.plan import Action, Plan, Step
from runner.show.screens.advice import FieldLocator, advice, field_errors
from runner.show.text.command_line import CommandLine


def way_on(
    step: Step,
    attempt: Attempt | None,
    plan: Plan,
    locate: FieldLocator,
    line: CommandLine,
    *,
    is_missing: bool,
) -> Iterator[str]:
    """The ways on, a line each.

    `line` names the storyboard, its provider and its profile; `is_missing` says that the clip was made and its file is
    not on this machine.
    """
    slug = storyboard_slug(step.shot.storyboard)
    shot = f"{slug}:{step.shot.id}"
    if is_missing:
        yield line.fetch()
    elif step.action is Action.REFUSED:
        yield advice(attempt, plan.account.provider, step.shot, locate)
        yield from field_errors(attempt, plan.account.provider, step.shot, plan.edition, locate)
    elif step.action is Action.UNSETTLED:
        yield "look for it on the vendor's page, then one of"
        # The free way stands first: a task that is found is not ordered a second time.
        yield line.settle_found(shot)
        yield line.settle_absent(shot)
    elif step.action is Action.DOUBTFUL and attempt is not None:
        yield f"its clip {attempt.clip_fault}; if it is good:"
        yield line.accept(f"{shot}#{step.take}")
    elif step.action is Action.GONE:
        yield "paid, and the provider no longer has the clip; order it anew with"
        yield line.again(step.shot.id)
    elif step.needs_pick:
        yield from (line.pick(f"{slug}:{blocker}") for blocker in step.blockers)
    elif attempt is not None and attempt.state is AttemptState.FAILED:
        yield advice(attempt, plan.account.provider, step.shot, locate)
