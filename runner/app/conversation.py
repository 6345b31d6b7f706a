"""The port by which a use case talks to its user before it ends: notes, the question before money, a run's news."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from runner.app.run_outcome import RunOutcome
    from runner.clock import Clock
    from runner.planning.plan import Plan
    from runner.show.live.film_progress import FilmProgress
    from runner.show.live.progress import Progress
    from runner.show.live.view import View
    from runner.show.screens.plan import Destination, PlanContext

Note = Callable[[str], None]
"""Tells the user one thing while the command goes on; the text may hold characters of any kind."""


class Conversation(Protocol):
    """The user of a run. No method raises for a reader who has gone."""

    @property
    def can_ask(self) -> bool:
        """Whether a person is there to answer."""

    def note(self, message: str) -> None:
        """Tell what happened, or what is left out."""

    def advise(self, message: str) -> None:
        """Tell what this machine lacks for a better result."""

    def show_plan(self, plan: "Plan", context: "PlanContext") -> None:
        """Show a plan before the question about its price."""

    def consents(self, plan: "Plan", destinations: "Sequence[Destination]", first: "Plan | None" = None) -> bool:
        """Ask whether the plan may be made for its price, and wait for the answer; `first`: these of its orders."""

    def show_first(self, outcome: "RunOutcome") -> None:
        """Show the first takes of a run before the rest is asked for."""

    def follow_run(self, progress: "Progress", clock: "Clock") -> "View":
        """Begin to show a run while it works."""

    def follow_cut(self) -> "FilmProgress":
        """Begin to show how far the making of a film is."""
