"""Options of `storyboard sandbox`, as one value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from runner.lazy_dataclass import dataclass, field
from runner.sandbox import rulebook

# The pages' own, published for trying their samples.
DEMO_KEY = "sandbox_demo_readonly"
Webhooks = Literal["off", "flat", "flat-state", "envelope", "envelope-state", "each"]
WEBHOOKS: Sequence[Webhooks] = ("off", "flat", "flat-state", "envelope", "envelope-state", "each")


@dataclass(frozen=True, slots=True)
class Options:
    """Behaviour of one sandbox. `seconds` is the duration of a task; None: as long as drawing its clip takes."""

    edition: str = "classic"
    keys: tuple[str, ...] = field(default=(), repr=False)
    """Accepted API keys; empty: every key is accepted and is an account of its own."""
    credits: int | None = None
    """Initial credits of an account; None: unlimited."""
    # The largest of the limits that the pages document.
    cap: int | None = 50
    """Most tasks of an account in progress at once."""
    seconds: float | None = None
    spread: float = 0.0
    """Sigma of the log-normal distribution around `seconds`; 0: every task takes exactly `seconds`."""
    webhooks: Webhooks = "flat"
    faults: Path | None = None
    seed: int = 0
    port: int = 0
    link_seconds: float = rulebook.LINK_HOURS * 3600
    """Validity of a link to a clip; recordInfo makes a new link each time."""
    plain_clips: bool = False
    """Prepared grey clips in place of drawn ones, for load tests."""
    local_materials: bool = False
    """Accept addresses on this machine as materials, although a real provider could not reach them."""
    processes: int | None = None
    """Number of clips drawn at once; None: one for each core."""
    request_timeout: float = 30.0
    """Seconds to receive a request; JSON has half of that, the bytes of an upload five sixths."""
