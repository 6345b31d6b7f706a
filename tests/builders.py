"""Values that the tests of several rooms begin with."""

from collections.abc import Iterable

from runner.events import Event
from runner.history import History


def history_of(events: Iterable[Event]) -> History:
    """The history in which exactly these events happened."""
    history = History()
    for event in events:
        history.feed(event)
    return history
