"""The lines of `storyboard mend`: what became of each manifest, and the picks that no merge can decide."""

from pathlib import Path

from runner.attempts.film import profile_of, storyboard_slug
from runner.diagnostics.plural import count
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import escape_terminal
from runner.store.manifest.merging import PickConflict

NO_CONFLICT = "no manifest is in conflict"
"""The line of a command that had nothing to merge."""


def merged_line(name: str, tasks: int, *, single: bool, staged: bool) -> str:
    """The line about a merged manifest; `single` is one that only one side still had."""
    note = ", and staged" if staged else ""
    if single:
        return escape_terminal(f"{name}: one side had removed it; kept with its {count(tasks, 'task')}{note}")
    return escape_terminal(f"{name}: merged, with the {count(tasks, 'task')} of both sides{note}")


def pick_line(name: str, conflict: PickConflict, storyboard: str, provider: str) -> str:
    """The line about two picks of a shot, with the command that decides."""
    stands = "no pick stands" if conflict.ours is None else f"take {conflict.ours} stays picked"
    other = "removed the pick" if conflict.theirs is None else f"picked take {conflict.theirs}"
    command = CommandLine(flags=(("--provider", provider),)).of_film(profile_of(Path(name).parent.name, provider))
    shot = f"{storyboard_slug(storyboard)}:{conflict.shot}"
    return escape_terminal(
        f"{name}: {conflict.shot}: {stands}; the other side {other}, and neither is known to be the newer one: "
        f"{command.pick(shot)}"
    )
