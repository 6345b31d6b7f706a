"""Values that the tests of several rooms begin with."""

from collections.abc import Iterable

from runner.attempts.events import Event
from runner.attempts.history import History
from runner.language.model import Batch
from runner.requests.request import LocalFile


def history_of(events: Iterable[Event]) -> History:
    """The history in which exactly these events happened."""
    history = History()
    for event in events:
        history.apply(event)
    return history


def local_files(batch: Batch) -> tuple[LocalFile, ...]:
    """Every local file of a batch's shots, each content once."""
    materials = [material for shot in batch.shots if not shot.skip for material in shot.request.materials]
    return tuple({file.sha256: file for file in materials if isinstance(file, LocalFile)}.values())
