"""The inputs of a plan beside batch and history: the provider's terms, the repository's files, the user's orders."""

from decimal import Decimal

from runner.attempts.events import Account
from runner.attempts.film import ShotKey, TakeKey
from runner.editions.edition import Edition
from runner.lazy_dataclass import dataclass
from runner.planning.attempt_action import ClipExists
from runner.planning.orphans import StoryboardGone, no_storyboard_gone
from runner.planning.plan import CanPublish, every_material


@dataclass(frozen=True, slots=True)
class ProviderTerms:
    """The account that orders, and what its provider takes and charges."""

    account: Account
    edition: Edition
    usd_per_credit: Decimal
    can_publish: CanPublish = every_material
    """Whether a material has a way to the provider: a take with one that has none is blocked."""


@dataclass(frozen=True, slots=True)
class RepositoryFiles:
    """The repository's files, as functions: the planner looks at no disk."""

    clip_exists: ClipExists
    """Whether a clip's file exists."""
    root: str = "/"
    """The repository's top folder, from which the reasons name other repositories."""
    is_gone: StoryboardGone = no_storyboard_gone
    """Whether a storyboard's file is gone, whose attempts are orphans then."""


@dataclass(frozen=True, slots=True)
class PlanOverrides:
    """Orders of the command line beyond the storyboards."""

    first_take: bool = False
    """Whether a shot made from a shot with several takes uses its first finished take instead of a pick."""
    again: frozenset[str] | None = None
    """Refused or lost attempts to repeat; the plan then holds only their takes."""
    retakes: frozenset[ShotKey] | None = None
    """Shots to retake; the plan then holds only the next take of each."""
    first: frozenset[TakeKey] | None = None
    """The takes to order; the plan then orders no others."""


NO_OVERRIDES = PlanOverrides()


@dataclass(frozen=True, slots=True)
class PlanScope:
    """The part of a batch that a command works on, and its extra orders."""

    selected: frozenset[ShotKey] | None = None
    """The shots that `--select` and `--exclude` leave; None without either."""
    overrides: PlanOverrides = NO_OVERRIDES


WHOLE_BATCH = PlanScope()
