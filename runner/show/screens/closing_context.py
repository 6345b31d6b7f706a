"""Values that the closing screen needs beside the run's result."""

from collections.abc import Collection
from datetime import tzinfo
from decimal import Decimal
from typing import NamedTuple

from runner.attempts.film import TakeKey
from runner.lazy_dataclass import dataclass, field
from runner.paid_providers import paid_provider_name
from runner.planning.plan import Plan
from runner.show.screens.advice import FieldLocator, no_location
from runner.show.screens.film_lines import FilmLine
from runner.show.text.command_line import CommandLine


class UncommittedManifest(NamedTuple):
    """A manifest of paid clips that is not committed: its path, and the credits of everything that it records."""

    path: str
    billed: Decimal


@dataclass(frozen=True, slots=True)
class ClosingContext:
    """Command line, settings and plan that the closing screen refers to."""

    command_line: CommandLine = CommandLine()
    """Files and flags as the user typed them, to go on with; `--retake` of what is open only."""
    look_provider: str = ""
    """The provider that a command which looks at these clips has to be told."""
    run: str = ""
    """Id of this run: attempts with another id were ordered by an earlier run; empty if the screen need not tell."""
    whole_plan: Plan | None = None
    """Plan of all shots, whatever was selected; None if the screen need not tell about the rest."""
    missing_clips: Collection[TakeKey] = frozenset()
    """Takes that are made, and whose clips are not on this machine."""
    prefix: str = ""
    """The repository's top as a path relative to the working folder: clip paths begin with it."""
    quiet: bool = False
    """Whether only failures are shown."""
    seconds: float = 0.0
    """Duration of the run."""
    paid_provider: str = field(default_factory=paid_provider_name)
    to_commit: tuple[UncommittedManifest, ...] = ()
    """Manifests of paid clips that are not committed yet."""
    zone: tzinfo | None = None
    """Time zone of the reader; None means the machine's own."""
    locate_field: FieldLocator = no_location
    """Finds a shot's field in the storyboard, for the provider's messages about single fields."""
    resumable: bool = True
    """Whether typing the command again goes on, and orders nothing anew."""
    more_follows: bool = False
    """Whether the command itself goes on after this screen, which then names no next command."""
    films: tuple[FilmLine, ...] = ()
    """Where the films of this run lie."""
