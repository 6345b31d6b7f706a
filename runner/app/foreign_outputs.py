"""Outputs that are not this account's, or that nobody can read: told, and gone on without."""

import sys
from collections.abc import Sequence

from runner.app.plan_report import history_now
from runner.app.session import Opened
from runner.attempts.history import History
from runner.diagnostics.problem import Stop
from runner.language.model import Batch
from runner.lazy_dataclass import replace
from runner.show.text.escape import clean


def history_of_the_rest(desk: Opened) -> tuple[Opened, History, list[str]]:
    """What ledger and manifests know; the batch without storyboards whose manifest is not their own, and why each is.

    Their takes stand in another account or in nobody's: what is true of all others is told all the same.
    """
    try:
        return desk, history_now(desk), []
    except Stop:
        rest, why = own(desk)
        if not why:
            raise
    return rest, history_now(rest), why


def own(desk: Opened) -> tuple[Opened, list[str]]:
    """The batch with the storyboards whose manifests are their own; the reason for each that is left out."""
    kept, why = [], []
    for board in desk.batch.storyboards:
        try:
            desk.manifest(board)
        except Stop as stop:
            why.append(f"{board.path} is left out: {stop.words}")
        else:
            kept.append(board)
    return (replace(desk, batch=Batch(tuple(kept))) if why else desk), why


def tell(why: Sequence[str]) -> None:
    """To standard error, a line for each."""
    for words in why:
        print(f"storyboard: {clean(words)}", file=sys.stderr)
