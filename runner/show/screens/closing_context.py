"""What the closing of a run says beside its outcome: what was typed, what to commit, where fields are said."""

from datetime import tzinfo

from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.show.screens.advice import FieldLocator, no_location


@dataclass(frozen=True, slots=True)
class ClosingContext:
    """What the closing says beside the outcome."""

    typed: str = ""
    """Files and flags as the user typed them."""
    files: str = ""
    """The files with what was typed of profile, variables and settings: what other commands take, too."""
    provider: str = ""
    """The flag for the provider, where it was typed."""
    chosen: str = ""
    """The flags of the selection."""
    everything: str = ""
    """What was typed without them: for a run of the rest."""
    run: str = ""
    """The run that ended: what bears another's name was ordered by an earlier one; empty when nobody asks."""
    is_whole: Plan | None = None
    """What a run of everything would do now: all shots, whatever was selected; None when nobody asks."""
    prefix: str = ""
    """The repository's top seen from where the user stands: what paths of clips are told from."""
    quiet: bool = False
    """Only what went wrong is wanted."""
    took: float = 0.0
    """Seconds that the run took."""
    asks: str = "kinovi"
    to_commit: tuple[str, ...] = ()
    """Manifests with paid clips that are not committed."""
    zone: tzinfo | None = None
    """Of the reader; None is the machine's own."""
    places: FieldLocator = no_location
    """Where a shot's fields are said, for what the provider says of single ones."""
