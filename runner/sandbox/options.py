"""How a sandbox behaves: every choice of `storyboard sandbox`, as one value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from runner.lazy_dataclass import dataclass, field
from runner.sandbox.api import rulebook

DEMO_KEY = "sandbox_demo_readonly"
Webhooks = Literal["off", "flat", "flat-state", "envelope", "envelope-state", "each"]
WEBHOOKS: Sequence[Webhooks] = ("off", "flat", "flat-state", "envelope", "envelope-state", "each")


@dataclass(frozen=True, slots=True)
class Options:
    """`seconds` are of a whole task; None is as quick as its clip is drawn."""

    edition: str = "classic"
    keys: tuple[str, ...] = field(default=(), repr=False)
    """The keys that are let in; without any, each key is an account of its own."""
    credits: int | None = None
    """What an account has at first; None: it never runs out."""
    cap: int | None = 50
    """Tasks of an account in progress at once."""
    seconds: float | None = None
    spread: float = 0.0
    """Sigma of the log-normal around `seconds`; 0: every task takes just that long."""
    webhooks: Webhooks = "flat"
    faults: Path | None = None
    seed: int = 0
    port: int = 0
    link_seconds: float = rulebook.LINK_HOURS * 3600
    """How long a link to a clip is good for; recordInfo makes a new one each time."""
    plain_clips: bool = False
    """Prepared grey clips in place of drawn ones, for load tests."""
    local_materials: bool = False
    """Addresses on this machine are let through as material, although nobody else could reach them."""
    processes: int | None = None
    """How many clips are drawn at once; None: one for each core."""
    patience: float = 30.0
    """Seconds that a request may take to come in; JSON has half of that, the bytes of an upload five sixths."""
