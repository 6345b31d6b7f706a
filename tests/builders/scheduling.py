"""The priority of this process while an encoder runs that raises it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def is_ordinary() -> bool:
    """Whether the system schedules this process as any other; so it is where there is no such choice."""
    return not hasattr(os, "sched_getscheduler") or os.sched_getscheduler(0) == os.SCHED_OTHER


@contextmanager
def ordinary_scheduling() -> Iterator[None]:
    """Take back the real-time priority that SVT-AV1 gives to the thread that opens it, as root.

    What this process starts inherits it; a browser that spins at that priority leaves nothing to others.
    """
    try:
        yield
    finally:
        if not is_ordinary():
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
