"""Clips that are made and recorded but not on this machine: one line for all of them. Pure."""

from collections.abc import Collection, Iterable

from runner.attempts.attempt import AttemptState
from runner.attempts.film import TakeKey
from runner.attempts.history import History
from runner.lazy_dataclass import replace
from runner.planning.plan import Action, Plan, Step
from runner.planning.reason import MADE, Reason
from runner.show.text.cells import width as cells
from runner.show.text.escape import escape_terminal
from runner.show.text.format import count
from runner.show.text.layout import wrapped
from runner.show.text.style import Style


def find_missing_clips(steps: Iterable[Step], history: History) -> frozenset[TakeKey]:
    """Takes whose recorded clip is missing on this machine, as in a fresh clone."""
    recorded = {
        attempt.id
        for attempt in history.attempts.values()
        # A manifest's bare claim may be wrong: until the provider's record confirms the task, nobody calls it paid.
        if attempt.state is AttemptState.STORED and not attempt.needs_confirmation
    }
    return frozenset(step.key for step in steps if step.action is Action.RESUME and step.attempt in recorded)


def as_made(plan: Plan, missing_clips: Collection[TakeKey], reason: Reason | None = MADE) -> Plan:
    """The plan with these takes as made: one line tells that their clips are missing, not each row.

    For programs `reason` is None: each take keeps its own, that its clip is to be downloaded.
    """
    if not missing_clips:
        return plan
    steps = (
        step._replace(action=Action.KEEP, reason=reason or step.reason) if step.key in missing_clips else step
        for step in plan.steps
    )
    return replace(plan, steps=tuple(steps))


def missing_clip_lines(plan: Plan, number: int, command: str, width: int, style: Style) -> list[str]:
    """`6 of 6 shots made and paid; 7 clips are not on this machine`, with the command that downloads them.

    `plan` has the takes as made; an empty `command` is left out.
    """
    if not number:
        return []
    wanted = {shot.key for shot in plan.shots if not shot.skip}
    missing = {step.key[:2] for step in plan.steps if step.action is not Action.KEEP}
    finished = {step.key[:2] for step in plan.steps} - missing
    text = (
        f"{len(finished):,} of {count(len(wanted), 'shot')} made{'' if plan.is_free else ' and paid'}; "
        f"{count(number, 'clip')} {'is' if number == 1 else 'are'} not on this machine"
    )
    command = escape_terminal(command)
    if not command:
        return [style(line, "warn") for line in wrapped(text, width)]
    if 2 + cells(text) + 4 + cells(command) <= width:
        return [f"  {style(text, 'warn')}    {style(command, 'command')}"]
    return [*(style(line, "warn") for line in wrapped(text, width)), f"  {style(command, 'command')}"]
