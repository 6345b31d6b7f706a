"""The command line to type next: files and flags as the user typed them, quoted for a shell, safe for a terminal."""

import shlex

from runner.lazy_dataclass import dataclass, replace
from runner.show.text.escape import escape_terminal

# Left out where the line goes on with the whole film.
_SELECTION = ("--select", "--exclude")
# What these order, they order again each time: a line to type next never repeats them.
_EXTRA_ORDERS = ("--retake", "--again", "--first-take")
# Without these the command would read another film than the one on the screen.
_OF_EVERY_COMMAND = ("--profile", "--config", "--var", "--var-file")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Files, then flags in order; a flag without a value has None. Its methods give other lines, or their text."""

    files: tuple[str, ...] = ()
    flags: tuple[tuple[str, str | None], ...] = ()
    saved_plan: str | None = None
    """The saved plan that a run carries out in place of files and flags."""

    def run(self, *more: str) -> str:
        """The text of `storyboard run` with these words; `more` is text that a shell can read already."""
        if self.saved_plan is not None:
            # The plan holds files and selection; `run` refuses them beside it.
            return CommandLine((), (("--plan", self.saved_plan),))._text("run", more)
        return self._text("run", more)

    def plan(self, *more: str) -> str:
        return self._text("plan", more)

    def status(self, *more: str) -> str:
        return self._text("status", more)

    def fetch(self, *more: str) -> str:
        return self._text("fetch", more)

    def verify(self) -> str:
        # `verify` knows no selection, and would refuse it.
        return self.without_selection()._text("verify", ())

    def dailies(self, *more: str) -> str:
        return self._text("dailies", more)

    def cut(self, *more: str) -> str:
        return self._text("cut", more)

    def keep(self, *shots: str) -> str:
        """The text of `storyboard keep` with these shots in place of the files."""
        return replace(self, files=shots)._text("keep", ())

    def of_files(self, *files: str) -> "CommandLine":
        """The line for these storyboards alone."""
        return replace(self, files=files)

    def with_saved_plan(self, path: str) -> "CommandLine":
        """The line whose run carries out a saved plan."""
        return replace(self, saved_plan=path)

    def has(self, name: str) -> bool:
        """Whether a flag is given."""
        return any(flag == name for flag, _ in self.flags)

    def without(self, *names: str) -> "CommandLine":
        return replace(self, flags=tuple(flag for flag in self.flags if flag[0] not in names))

    def without_selection(self) -> "CommandLine":
        return self.without(*_SELECTION)

    def without_extra_orders(self) -> "CommandLine":
        return self.without(*_EXTRA_ORDERS)

    def with_flag(self, name: str, *values: str) -> "CommandLine":
        """The line with these values of a flag, where the flag stood, else at the end."""
        names = [flag for flag, _ in self.flags]
        place = names.index(name) if name in names else len(names)
        new = tuple((name, value) for value in values)
        rest = tuple(flag for flag in self.flags[place:] if flag[0] != name)
        return replace(self, flags=(*self.flags[:place], *new, *rest))

    def with_selection(self, expression: str) -> "CommandLine":
        """The line that works on this selection, in place of a saved plan; `--exclude` stays."""
        return replace(self.with_flag("--select", expression), saved_plan=None)

    def with_provider(self, name: str) -> "CommandLine":
        """The line at another provider, in place of a saved plan."""
        others = self.without("--provider")
        return replace(others, flags=(("--provider", name), *others.flags), saved_plan=None)

    def with_inputs_of_all_commands(self, *others: str) -> "CommandLine":
        """Files, profile, variables and settings file, which every command accepts, and the flags of these names."""
        names = (*_OF_EVERY_COMMAND, *others)
        return replace(self, flags=tuple(flag for flag in self.flags if flag[0] in names))

    def to_look(self, provider: str) -> "CommandLine":
        """The line for commands that look at clips; `provider` is named unless it is empty."""
        line = self.with_inputs_of_all_commands("--provider")
        return line.with_flag("--provider", provider) if provider else line

    def _text(self, command: str, more: tuple[str, ...]) -> str:
        words = [*self.files, *(word for flag in self.flags for word in flag if word is not None)]
        # Quoted for the shell first: a file's name may hold what steers the terminal that shows it.
        return escape_terminal(" ".join(["storyboard", command, *map(shlex.quote, words), *more]))
