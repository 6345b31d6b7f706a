"""The terminal as the conversation of a use case: notes and the question on standard error, a run's events on both."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runner.app.options import DisplayOptions
from runner.app.run_outcome import RunOutcome
from runner.clock import Clock
from runner.commands.notes import note
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan
from runner.settings.settings import is_dumb_terminal
from runner.show.screens.plan import Destination, PlanContext, screen
from runner.show.screens.question import first_question, question
from runner.show.text.layout import wrapped
from runner.show.text.terminal import terminal_width, use_color

if TYPE_CHECKING:
    from runner.show.live.film_progress import FilmProgress
    from runner.show.live.progress import Progress
    from runner.show.live.view import View


class TerminalConversation:
    """The implementation of `Conversation` with the standard streams."""

    def __init__(self, display: DisplayOptions) -> None:
        self._display = display

    @property
    def can_ask(self) -> bool:
        # The question goes to standard error, so that standard output can be a file.
        return sys.stdin.isatty() and sys.stderr.isatty()

    def note(self, message: str) -> None:
        note(message)

    def advise(self, message: str) -> None:
        print(message, file=sys.stderr)

    def show_plan(self, plan: Plan, context: PlanContext) -> None:
        color = use_color(sys.stderr, self._display.no_color)
        print(screen(plan, terminal_width(sys.stderr), color, context=context), file=sys.stderr)

    def consents(self, plan: Plan, destinations: Sequence[Destination], first: Plan | None = None) -> bool:
        text = question(plan, destinations) if first is None else first_question(first, plan, destinations)
        lines = wrapped(f"{text} [y/N]", terminal_width(sys.stderr), 0)
        print("\n".join(lines), end=" ", file=sys.stderr, flush=True)
        # Everything else is a no, an empty line and the end of input too.
        return sys.stdin.readline().strip().casefold() in ("y", "yes")

    def show_first(self, outcome: RunOutcome) -> None:
        from runner.show.screens.closing import closing

        if outcome.closing is not None:
            color = use_color(sys.stdout, self._display.no_color)
            # The next command is not the user's to type yet: the question follows.
            context = replace(outcome.closing, more_follows=True)
            print(closing(outcome.result, terminal_width(), color, context), end="", flush=True)
            print(file=sys.stderr)

    def follow_run(self, progress: "Progress", clock: Clock) -> "View":
        from runner.show.live.view import JsonView, view

        terminal_view = view(
            sys.stderr,
            progress,
            clock,
            # A dumb terminal moves no cursor: it gets a line for each event.
            terminal=sys.stderr.isatty() and not is_dumb_terminal(),
            color=use_color(sys.stderr, self._display.no_color),
            quiet=self._display.quiet,
        )
        # People may watch a run whose events a program reads: the lines go to standard error all the same.
        return JsonView(sys.stdout, terminal_view) if self._display.as_json else terminal_view

    def follow_cut(self) -> "FilmProgress":
        from runner.show.live.film_progress import FilmProgress

        return FilmProgress(sys.stderr, "cut", is_shown=True)
