"""The options of a command line as values; a command without some of these flags has their defaults."""

from decimal import Decimal
from pathlib import Path

from runner.lazy_dataclass import dataclass, field


@dataclass(frozen=True, slots=True)
class InputOptions:
    """The input of a command: storyboards, provider, profiles, variables, settings file."""

    files: tuple[Path, ...] = ()
    """The storyboards as typed; empty where the command finds them itself."""
    provider: str | None = None
    profiles: tuple[str, ...] = ()
    """The combinations as typed: `tall`, `tall+draft`, `none`; empty without the flag."""
    variables: tuple[str, ...] = ()
    """`NAME=VALUE` each."""
    variable_files: tuple[Path, ...] = ()
    config: Path | None = None
    trusts_unchanged_files: bool = False
    """Whether a local file whose numbers did not change since its inspection need not be read again."""
    saved_plan: Path | None = None
    """The saved plan that all the others were taken from."""


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """Expressions of the shots that a command works on."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderOptions:
    """Orders beyond what the storyboards ask for."""

    retake: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    first_take: bool = False


@dataclass(frozen=True, slots=True)
class SpendingOptions:
    """The limits and permissions of a run's spending."""

    yes: bool = False
    max_credits: Decimal | None = None
    allow_pull_request: bool = False


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """The way a run works, and the folder of its clips."""

    concurrency: int | None = None
    output: Path | None = None
    no_wait: bool = False
    fail_fast: bool = False
    no_cut: bool = False
    """Whether a run ends without a cut."""
    canary: int | None = None
    """How many takes are ordered before the others."""


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    """The form in which a command shows its result."""

    as_json: bool = False
    quiet: bool = False
    no_color: bool = False


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """The flags that several commands share, by subject."""

    input: InputOptions = field(default_factory=InputOptions)
    selection: SelectionOptions = field(default_factory=SelectionOptions)
    orders: OrderOptions = field(default_factory=OrderOptions)
    spending: SpendingOptions = field(default_factory=SpendingOptions)
    execution: ExecutionOptions = field(default_factory=ExecutionOptions)
    display: DisplayOptions = field(default_factory=DisplayOptions)
