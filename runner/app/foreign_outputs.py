"""Storyboards whose manifest is unreadable or belongs to another account: each is skipped and reported."""

from runner.app.batch_planner import BatchPlanner
from runner.app.history_reader import HistoryReader
from runner.attempts.history import History
from runner.diagnostics.failures import Failure
from runner.language.model import Batch
from runner.lazy_dataclass import replace


def history_without_foreign(
    planner: BatchPlanner, reader: HistoryReader, everything: bool = False
) -> tuple[BatchPlanner, History, list[str]]:
    """The planner without storyboards that have a foreign manifest, the history, and a message about each of those.

    The other storyboards are shown all the same.
    """
    try:
        return planner, reader.read(everything), []
    except Failure:
        # Only now each manifest alone: usually none is foreign, and each is read once.
        own_batch, reasons = without_foreign(reader)
        if not reasons:
            raise
    return replace(planner, batch=own_batch), replace(reader, batch=own_batch).read(everything), reasons


def without_foreign(reader: HistoryReader) -> tuple[Batch, list[str]]:
    """The batch without storyboards that have a foreign manifest, and a message about each of those."""
    own_storyboards, reasons = [], []
    for storyboard in reader.batch.storyboards:
        try:
            reader.manifests.read(storyboard)
        except Failure as stop:
            reasons.append(f"{storyboard.path} is left out: {stop.message}")
        else:
            own_storyboards.append(storyboard)
    return (Batch(tuple(own_storyboards)) if reasons else reader.batch), reasons
