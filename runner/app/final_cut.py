"""The film at the end of a run: the cut and the sheet of each film that got a clip, and where they lie.

Nothing here changes the run's exit code: what cannot be made is a note.
"""

import os
from collections.abc import Callable, Iterator

from runner.app.conversation import Conversation
from runner.app.cut_key import NAME, older_cut, stored_key
from runner.app.films import Film, whole_films
from runner.attempts.film import FilmName
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError
from runner.engine.run_events import RunResult
from runner.files.reading import reason
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.settings.settings import Settings
from runner.show.screens.film_lines import FilmLine
from runner.show.text.command_line import CommandLine
from runner.show.text.format import count, length


@dataclass(frozen=True, slots=True)
class FilmReporter:
    """The lines about the films of a command: where each lies, whether it is current, and what makes it."""

    settings: Settings
    look_line: Callable[[], CommandLine]
    """Finds the command line of a command that looks at the clips; asked where a line names one."""

    def make_films(
        self, history: History, plan: Plan, result: RunResult, conversation: Conversation, *, is_wanted: bool
    ) -> tuple[FilmLine, ...]:
        """Make the films of a run that finished a take; the lines of its closing. `plan` is that of all shots."""
        changed = {take.step.shot.film for take in result.finished}
        lines: list[FilmLine] = []
        for film in whole_films(self.settings, history, plan):
            if film.cut.film in changed and is_wanted and not result.interrupted:
                lines += self._new_film(film, conversation)
            else:
                lines += self._older_cut(film)
        return tuple(lines)

    def lines_by_film(
        self, history: History, batch: Batch, plan_whole: Callable[[], Plan]
    ) -> dict[FilmName, tuple[FilmLine, ...]]:
        """The place of each film's cut, and whether it is current; empty where no film has one.

        `plan_whole` plans all shots, which is asked for only where a film has a cut.
        """
        if not any((self.settings.output_folder(storyboard.film) / NAME).is_file() for storyboard in batch.storyboards):
            return {}
        return {
            film.cut.film: tuple(self._state_of_cut(film)) for film in whole_films(self.settings, history, plan_whole())
        }

    def _state_of_cut(self, film: Film) -> Iterator[FilmLine]:
        path = film.folder / NAME
        older = tuple(self._older_cut(film))
        if not older and stored_key(path) is not None:
            yield FilmLine("watch", os.path.relpath(path))
        yield from older

    def _older_cut(self, film: Film) -> Iterator[FilmLine]:
        """A note where the film's file shows another edit or other clips."""
        older = older_cut(self.settings, film)
        if older is not None:
            yield FilmLine("note", f"{os.path.relpath(older)} is older than the clips", command=self._cut_command(film))

    def _cut_command(self, film: Film) -> str:
        """The command that makes the film's cut."""
        line, settings = self.look_line(), self.settings
        if len(settings.profiles) > 1:
            line = line.with_flag("--profile", film.cut.profile or "none")
        if not settings.account.free:
            line = line.with_flag("--provider", settings.provider)
        return line.of_files(os.path.relpath(settings.root / film.cut.storyboard)).cut()

    def _new_film(self, film: Film, conversation: Conversation) -> Iterator[FilmLine]:
        """The film's cut and sheet; the commands that make them where they were stopped, failed, or take an encoder."""
        command = self._cut_command(film)
        try:
            yield self._cut_line(film, command, conversation)
            yield self._sheet_line(film)
        except KeyboardInterrupt:
            # Clips and manifest are written: the Ctrl-C was about the film, and the run's exit code stands.
            yield FilmLine("note", "the cut was stopped", command=command)
            yield from self._older_cut(film)
        except (CommandError, OSError, ValueError, MemoryError) as error:
            # The clips were the order: a film that cannot be made is no failure of the run.
            text = str(error) if isinstance(error, CommandError) else f"the cut failed: {reason(error)}"
            yield FilmLine("note", text, command=command)
            yield from self._older_cut(film)

    def _cut_line(self, film: Film, command: str, conversation: Conversation) -> FilmLine:
        """The cut that was made; of a paid film that would have to be encoded, the command that does."""
        from runner.app.cut import CutOptions, make_cut
        from runner.assembly.parts import CannotCopy

        is_free = self.settings.account.free
        # A paid film in full size takes minutes to encode: that is a command of its own, which is named instead.
        options = CutOptions(quick=is_free, copy_only=not is_free)
        try:
            with conversation.follow_cut() as progress:
                cut = make_cut(self.settings, film, options, progress.on_progress)
        except CannotCopy as error:
            return FilmLine("watch", command, f"encodes the film, since {error.reason}", is_command=True)
        facts = [length(film.cut.seconds)]
        if cut.missing:
            facts.append(f"{count(len(cut.missing), 'slate')} for missing clips")
        if cut.result is not None and not cut.result.copied:
            facts.append(f"encoded small, since {cut.result.reason}")
        return FilmLine("watch", os.path.relpath(cut.path), " · ".join(facts))

    def _sheet_line(self, film: Film) -> FilmLine:
        from runner.app.sheet import make_sheet

        sheet = make_sheet(self.settings, film, None, as_pdf=False)
        return FilmLine("sheet", os.path.relpath(sheet.path))
