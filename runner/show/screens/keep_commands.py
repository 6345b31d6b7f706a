"""The commands that keep the clips at hand of shots whose picks would be given up, one for each profile."""

from collections.abc import Iterable, Iterator

from runner.attempts.film import ShotKey
from runner.planning.plan import Plan
from runner.planning.selection import shot_selector
from runner.show.text.command_line import CommandLine

# Shots in one command; `and 3 more` follows it.
_MOST_NAMES = 20


def keep_commands(line: CommandLine, plan: Plan, shots: Iterable[ShotKey]) -> Iterator[tuple[str, str]]:
    """Each command with ` and 3 more` where it does not name all shots, else with an empty text.

    `line` is the command line as typed, at whose provider and settings the clips are.
    """
    has_several = len({storyboard.path for storyboard in plan.batch.storyboards}) > 1
    names_by_profile: dict[str | None, list[str]] = {}
    for film, shot in shots:
        name = shot_selector((film, shot), with_storyboard=has_several)
        names_by_profile.setdefault(film.profile, []).append(name)
    line = line.with_inputs_of_all_commands("--provider")
    for profile, names in names_by_profile.items():
        more = len(names) - _MOST_NAMES
        yield line.of_film(profile).keep(*names[:_MOST_NAMES]), f" and {more:,} more" if more > 0 else ""
