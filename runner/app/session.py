"""The session of a command that works on takes: the compiled project, and the parts that use cases take of it."""

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from runner.app.batch_planner import BatchPlanner
from runner.app.command_line import command_line
from runner.app.display_path import display_path
from runner.app.history_reader import HistoryReader
from runner.app.invalid_storyboards import InvalidStoryboardsError
from runner.app.manifest_files import ManifestFiles
from runner.app.options import CommandOptions
from runner.app.project import Project, load_project, provider_with_clips
from runner.attempts.film import ShotKey
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.films import compile_films
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import dataclass, replace
from runner.paid_providers import paid_provider_name
from runner.planning.plan import Action
from runner.planning.plan_inputs import PlanOverrides
from runner.planning.selection import select, shot_selector
from runner.settings.environment import child_environment
from runner.show.text.command_line import CommandLine
from runner.store.git import Repository

if TYPE_CHECKING:
    from runner.planning.saved_plan import SavedPlan


@dataclass(frozen=True)
class Session(Project):
    """A project with the parts that its use cases take: planner, history, manifests, selection, command line.

    Its storyboards have no errors, except in commands about money.
    """

    saved_plan: "SavedPlan | None" = None
    """The saved plan that this command carries out."""

    @cached_property
    def repository(self) -> Repository:
        return Repository(self.settings.root, child_environment())

    @cached_property
    def planner(self) -> BatchPlanner:
        """The planner of the batch."""
        return BatchPlanner(self.settings, self.edition, self.batch, has_errors=bool(self.problems.errors))

    @cached_property
    def manifests(self) -> ManifestFiles:
        """The manifests of the films."""
        return ManifestFiles(self.settings)

    @cached_property
    def history_reader(self) -> HistoryReader:
        """The reader of the batch's history."""
        return HistoryReader(self.settings, self.batch, self.manifests, self.repository)

    @cached_property
    def batches_of_other_profiles(self) -> Mapping[str, Batch]:
        """The batch of each profile that could be ordered in place of this one, compiled once; none with errors."""
        names = dict.fromkeys(name for storyboard in self.batch.storyboards for name in storyboard.profiles)
        ordered = self.settings.profiles
        if len(ordered) > 1:
            return {}  # of several films, no single profile would be the same order for less
        compiled = {
            name: compile_films(self.files, self.settings.root, self.options, [name])
            for name in names
            if name not in ordered
        }
        return {name: batch for name, (batch, problems) in compiled.items() if not problems.errors}

    @cached_property
    def _selections(self) -> dict[str, frozenset[ShotKey] | None]:
        """Cache of the command's selection, by the state before anything is sent: a run does not change it."""
        return {}

    def selected(self, history: History) -> frozenset[ShotKey] | None:
        """The shots that `--select` and `--exclude` leave; None without either."""
        if "selected" not in self._selections:
            flags, saved = self.command.selection, self.saved_plan
            self._selections["selected"] = (
                self.select(flags.select, flags.exclude, history) if saved is None else saved.selected(self.batch)
            )
        return self._selections["selected"]

    def select(self, chosen: Iterable[str], excluded: Iterable[str], history: History) -> frozenset[ShotKey] | None:
        """The shots that expressions select, by their states too."""
        return select(self.batch, chosen, excluded, lambda: self.states(history))

    def states(self, history: History) -> Mapping[ShotKey, frozenset[str]]:
        """The states of each shot's takes, for `state:`."""
        from runner.planning.take_states import states_by_shot
        from runner.show.screens.missing_clips import find_missing_clips

        plan = self.planner.plan(history)
        return states_by_shot(plan, find_missing_clips(plan.steps, history))

    @cached_property
    def command_line(self) -> CommandLine:
        """The command line of this session, with the files that were found."""
        return command_line(self.command, self.files)

    @cached_property
    def look_provider(self) -> str:
        """The provider that a command which looks has to be told; empty where it takes this session's anyway."""
        is_taken = self.command.input.provider is not None or (
            provider_with_clips(self.settings).provider == self.settings.provider
        )
        return "" if is_taken else self.settings.provider

    def overrides(self, history: History) -> PlanOverrides:
        """The orders of `--first-take`, `--again` and `--retake`, worked out once, before anything is sent."""
        again, retake = self.command.orders.again, self.command.orders.retake
        if again and retake:
            raise CommandError(ExitCode.USAGE, "--again and --retake cannot be combined: run them one after the other")
        saved, named = self.saved_plan, again or retake
        shots = None
        if named:
            shots = self.select(named, (), history) if saved is None else saved.named(self.batch, named)
        return PlanOverrides(
            first_take=self.command.orders.first_take,
            again=self._attempts_to_repeat(history, shots) if again else None,
            retakes=self._open_retakes(history, shots) if retake else None,
        )

    def _open_retakes(self, history: History, shots: frozenset[ShotKey] | None) -> frozenset[ShotKey] | None:
        saved = self.saved_plan
        return shots if saved is None or shots is None else saved.open_retakes(history, shots)

    def _attempts_to_repeat(self, history: History, shots: frozenset[ShotKey] | None) -> frozenset[str]:
        steps = self.planner.plan(history, selected=shots).steps
        pending = (Action.RESUME, Action.UNSETTLED)  # ordered by this flag before a crash: the run continues them
        repeatable = [step for step in steps if step.action in (Action.REFUSED, Action.GONE, *pending)]
        if (saved := self.saved_plan) is not None:
            attempts = [history.attempts[step.attempt] for step in repeatable if step.attempt is not None]
            return frozenset(attempt.id for attempt in attempts if saved.may_repeat(attempt))
        if not repeatable:
            raise CommandError(ExitCode.USAGE, "--again: none of the selected takes is refused or gone")
        return frozenset(step.attempt for step in repeatable if step.attempt is not None)


def load_session(command: CommandOptions, *, prefer_clips: bool = False, required: bool = True) -> Session:
    """Load the project as a session, errors included; the arguments are those of `load_project`."""
    project = load_project(command, prefer_clips=prefer_clips, required=required)
    return Session(
        command=project.command,
        settings=project.settings,
        edition=project.edition,
        options=project.options,
        files=project.files,
        batch=project.batch,
        problems=project.problems,
    )


def open_for_billing(command: CommandOptions) -> Session:
    """Open a session for commands about money: the paid provider; storyboards may have errors, or be gone."""
    session = load_session(command, required=False)
    if not session.settings.account.free:
        return session
    return replace(session, settings=replace(session.settings, provider=paid_provider_name()))


def resolve_shot(session: Session, reference: str) -> tuple[Shot, int | None]:
    """The shot that `quay`, `harbour:quay` or `quay#2` names, and the number of its take."""
    name, separator, number = reference.partition("#")
    matches = sorted(select(session.batch, [name], ()) or ())
    if len({film.storyboard for film, _ in matches}) == 1 and len(session.settings.profiles) > 1:
        films = ", ".join(film.profile or "none" for film, _ in matches)
        raise CommandError(ExitCode.USAGE, f"{name!r} is a shot of several films ({films}): give one --profile")
    if len(matches) > 1:
        names = " and ".join(shot_selector(match, with_storyboard=True) for match in matches)
        raise CommandError(ExitCode.USAGE, f"{name!r} is ambiguous: write one of {names}")
    if separator and not (number.isascii() and number.isdigit() and int(number) > 0):
        raise CommandError(ExitCode.USAGE, f"{reference!r}: the take after # must be a number, as in {name}#2")
    shot = next(shot for shot in session.batch.shots if shot.key == matches[0])
    return shot, int(number) if separator else None


def open_for_reading(command: CommandOptions) -> Session:
    """Open a session; without `--provider`, at the provider that has clips."""
    return open_session(command, prefer_clips=True)


def open_session(command: CommandOptions, *, prefer_clips: bool = False) -> Session:
    """Open a session; raise `InvalidStoryboardsError` (exit 3) if the storyboards have errors."""
    session = load_session(command, prefer_clips=prefer_clips)
    if session.problems.errors:
        raise InvalidStoryboardsError(session.problems, session.settings.root, "nothing was sent")
    reject_shared_outputs(session)
    return session


def reject_shared_outputs(session: Session) -> None:
    """Raise `CommandError` if two films have the same output: their clips would overwrite each other."""
    owners: dict[str, Storyboard] = {}
    for storyboard in session.batch.storyboards:
        folder = session.settings.output_folder(storyboard.film)
        other = owners.setdefault(os.path.realpath(folder).casefold(), storyboard)
        if other is storyboard:
            continue
        if other.path == storyboard.path:
            raise CommandError(
                ExitCode.USAGE,
                f"--profile: {other.profile or 'none'} and {storyboard.profile or 'none'} of {other.path} have "
                f"the same output, {display_path(folder)}: run them one after the other, or rename a profile",
            )
        raise CommandError(
            ExitCode.INVALID,
            f"{other.path} and {storyboard.path} have the same output, {display_path(folder)}: rename one of them",
        )
