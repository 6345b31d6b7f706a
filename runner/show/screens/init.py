"""The lines of `storyboard init`: the files that it wrote, and what to type next."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.show.text.escape import escape_terminal

SERVICES = {"github": "GitHub", "gitlab": "GitLab"}
"""The services that workflows are written for: as their templates' folders are called, and as people write the name."""


def files(folder: Path, written: Sequence[str], existing: Sequence[str]) -> Iterator[str]:
    """A line for each file of the new repository."""
    for name in written:
        yield f"  wrote  {escape_terminal(str(folder / name))}"
    for name in existing:
        yield f"  there  {escape_terminal(str(folder / name))}   left as it is"


def next_steps(folder: Path, service: str | None, variable: str | None, *, has_git: bool) -> Iterator[str]:
    """The commands to type next; `variable` is the one that the jobs of a service install from, where they do."""
    enter = "" if folder == Path() else f"cd {shlex.quote(escape_terminal(str(folder)))} && "
    yield f"\nnext   {enter}storyboard run storyboards/*.yaml\n         a first moving picture, free"
    # Without git a paid take has no record that outlives this disk.
    if not has_git:
        # Typed after the line above, which has entered the folder.
        yield "       git init\n         so that the storyboard has a history"
    if service is not None:
        yield f"\nin {SERVICES[service]}, set the variables of its jobs; more on them: storyboard docs ci"
        if variable is not None:
            yield f"  {variable:<24}a wheel or a VCS address of storyboard"
        yield "  STORYBOARD_MAX_CREDITS  the most that a paid job spends"
    yield "\nonce in each clone, so that git merges manifests without losing anything paid:"
    yield "  git config merge.storyboard.driver 'storyboard mend --driver %O %A %B %P'"
