"""Attempts that repositories left which are gone: listed by `status` and `settle`, each with its way out."""

import os.path
from collections.abc import Sequence
from datetime import tzinfo

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.film import storyboard_slug
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal
from runner.show.text.format import credits_text, moment
from runner.show.text.layout import LABEL, labelled
from runner.show.text.style import Style


def gone_lines(attempts: Sequence[Attempt], root: str, width: int, style: Style, zone: tzinfo | None) -> list[str]:
    """Two or three lines for each attempt; `root` is the repository from which the others are named."""
    lines: list[str] = []
    for attempt in attempts:
        intent = attempt.intent
        name = f"{escape_terminal(intent.shot)} take {intent.take} ({moment(attempt.intended_at, zone)})"
        place = escape_terminal(os.path.relpath(attempt.repository or root, root))
        text = (
            f"{name}: {credits_text(attempt.credits)} credits, ordered in {place}, which is gone; {_way_out(attempt)}"
        )
        lines += labelled("left behind", text, width, style, "warn", LABEL)
    return lines


def _way_out(attempt: Attempt) -> str:
    if attempt.state is AttemptState.UNSETTLED:
        intent = attempt.intent
        # With the attempt's id: no shot of this repository stands for it, and several may bear the name.
        name = f"{storyboard_slug(intent.storyboard)}:{intent.shot}#{intent.take}@{attempt.id[:8]}"
        return f"unsettled: {CommandLine().settle(name)}"
    if attempt.task_id is None:
        return "its request is on its way"
    return CommandLine().fetch_task(attempt.task_id)
