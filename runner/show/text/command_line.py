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

    def pick(self, shot: str, take: str = "TAKE") -> str:
        """The text of `storyboard pick` for a shot, at the same provider and film."""
        return replace(self.with_inputs_of_all_commands("--provider"), files=(shot,))._text("pick", (take,))

    def pick_any(self) -> str:
        """The text that shows how to pick."""
        return CommandLine()._text("pick", ("SHOT", "TAKE"))

    def accept(self, take: str) -> str:
        """The text of `storyboard fetch --accept` for a doubtful take; `fetch` refuses the other flags of `run`."""
        return self.with_inputs_of_all_commands("--provider").fetch(f"--accept {_quoted(take)}")

    def again(self, shot: str) -> str:
        """The text of `storyboard run --again` for a shot that was refused or is gone: it orders, and asks first."""
        line = replace(self.without_extra_orders().without_selection(), saved_plan=None)
        return line.with_flag("--again", shot).run()

    def settle(self, shot: str = "", *more: str) -> str:
        """The text of `storyboard settle` for a shot, or of its list.

        Without a provider: `settle` is about the paid account, whatever makes the clips.
        """
        # The list is of all films: a profile, let alone two of them, would be in its way.
        names = _OF_EVERY_COMMAND if shot else ("--config",)
        flags = tuple(flag for flag in self.flags if flag[0] in names)
        return replace(self, files=(shot,) if shot else (), flags=flags)._text("settle", more)

    def settle_found(self, shot: str) -> str:
        """The text that takes a task over which the user has found at the provider."""
        return self.settle(shot, "--task task_…")

    def settle_absent(self, shot: str) -> str:
        """The text for an attempt of which the provider has no task."""
        return self.settle(shot, "--not-charged")

    def settle_receipt(self, task: str) -> str:
        """The text that takes a task over for a shot that the user names."""
        return CommandLine().settle("STORYBOARD:SHOT", f"--task {_quoted(task)}")

    def forget(self, task: str) -> str:
        """The text that gives up a task which only a receipt names."""
        return CommandLine()._text("settle", (f"--task {_quoted(task)}", "--forget"))

    def fetch_task(self, task: str) -> str:
        """The text that fetches the clip of a task without its film."""
        return CommandLine()._text("fetch", (f"--task {_quoted(task)}", "--to FILE"))

    def doctor(self) -> str:
        return CommandLine()._text("doctor", ())

    def of_files(self, *files: str) -> "CommandLine":
        """The line for these storyboards alone."""
        return replace(self, files=files)

    def of_film(self, profile: str | None) -> "CommandLine":
        """The line for the film with this profile, for commands about a shot, which take one `--profile`."""
        is_named = profile is not None or self.has("--profile")
        return self.with_flag("--profile", profile or "none") if is_named else self

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
        return escape_terminal(" ".join(["storyboard", command, *map(_quoted, words), *more]))


def _quoted(word: str) -> str:
    # A `#` within a word is no comment: `harbour:quay#2` is typed as it stands.
    plain = word[:1] + word[1:].replace("#", "")
    return word if shlex.quote(plain) == plain else shlex.quote(word)
