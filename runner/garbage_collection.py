"""The garbage collector, tuned in one place: off while objects are built that stay until the end.

Without it `plan --json` of 2,000 shots takes a quarter more CPU: 0.45 s for 0.35 s, the least of 9 paired runs.
"""

import gc


def collect_everything() -> None:
    """Free what nothing needs, also of what `collection_off` was told to keep: for a process that works on and on."""
    gc.unfreeze()
    gc.collect()


class collection_off:  # noqa: N801 - a context manager, named and used like a function
    """Context manager: no collection inside; the collector is as before afterwards.

    `keep`: the objects that exist at the end stay in memory until the process ends, and are never looked at again.
    """

    def __init__(self, *, keep: bool = False) -> None:
        self._keep = keep
        self._was_on = False

    def __enter__(self) -> None:
        self._was_on = gc.isenabled()
        gc.disable()

    def __exit__(self, *exception: object) -> None:
        if self._keep:
            gc.freeze()
        if self._was_on:
            gc.enable()
