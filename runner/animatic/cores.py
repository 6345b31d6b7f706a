"""The cores that drawing may use."""

import os
import sys


def usable_cores() -> int:
    """The number of cores that this process may run on: those of `taskset` and containers, where the system tells."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
