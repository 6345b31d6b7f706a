"""The session of a command that works on takes: the compiled project, and the parts that use cases take of it."""

import os
from functools import cached_property
from typing import TYPE_CHECKING

from runner.app.batch_planner import BatchPlanner
from runner.app.budget_scope import StoryboardBudgets
from runner.app.command_line import command_line
from runner.app.display_path import display_path
from runner.app.history_reader import HistoryReader
from runner.app.invalid_storyboards import InvalidStoryboardsError
from runner.app.manifest_files import ManifestFiles
from runner.app.options import CommandOptions
from runner.app.project import Project, load_project, provider_with_clips
from runner.app.selection import Selection
from runner.app.spending_limits import SpendingLimits
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Storyboard
from runner.lazy_dataclass import dataclass, replace
from runner.paid_providers import paid_provider_name
from runner.settings.environment import child_environment
from runner.show.text.command_line import CommandLine
from runner.store.git import Repository

if TYPE_CHECKING:
    from runner.app.credit_scope import CreditScope
    from runner.app.plan_report import PlanReporter
    from runner.app.run_store import RunStoreOpener
    from runner.app.saved_plans import SavedPlanFile
    from runner.planning.saved_plan import SavedPlan


@dataclass(frozen=True)
class Session(Project):
    """A project with the parts that its use cases take: planner, history, manifests, selection, command line.

    Its storyboards have no errors, except in commands about money.
    """

    saved_plan_file: "SavedPlanFile | None" = None
    """The saved plan that this command carries out."""

    @property
    def saved_plan(self) -> "SavedPlan | None":
        return None if self.saved_plan_file is None else self.saved_plan_file.plan

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
    def store_opener(self) -> "RunStoreOpener":
        """The ledger and the outputs, for use cases that write."""
        # Imported here: SQLite takes milliseconds to load, and most commands that look do without.
        from runner.app.run_store import RunStoreOpener, run_limits

        limits = run_limits(self.settings, self.edition, self.command.execution, self.saved_plan)
        return RunStoreOpener(self.history_reader, limits)

    @cached_property
    def selection(self) -> Selection:
        """The shots and the extra orders of the command line."""
        return Selection(self.planner, self.command.selection, self.command.orders, self.saved_plan)

    @cached_property
    def budgets(self) -> StoryboardBudgets:
        """The budgets of the storyboards."""
        return StoryboardBudgets(self.planner)

    @cached_property
    def credit_scope(self) -> "CreditScope":
        """The credits that count for the storyboards."""
        from runner.app.credit_scope import CreditScope

        return CreditScope(self.planner)

    @cached_property
    def spending_limits(self) -> SpendingLimits:
        """The limits on spending."""
        return SpendingLimits(self.settings, self.budgets, self.saved_plan)

    @cached_property
    def plan_report(self) -> "PlanReporter":
        """The sources of a plan's screen."""
        from runner.app.cheaper_orders import CheaperOrders
        from runner.app.plan_report import PlanReporter

        cheaper = CheaperOrders(self.planner, self.sources, self.command_line, is_fixed=self.saved_plan is not None)
        warnings = tuple(self.problems.warnings)
        return PlanReporter(
            self.planner, self.credit_scope, self.repository, self.command_line, self.selection, cheaper, warnings
        )

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

    def look_line(self) -> CommandLine:
        """The command line of a command that looks at these clips; found by a walk through the outputs."""
        return self.command_line.to_look(self.look_provider)


def load_session(command: CommandOptions, *, prefer_clips: bool = False, required: bool = True) -> Session:
    """Load the project as a session, errors included; the arguments are those of `load_project`."""
    project = load_project(command, prefer_clips=prefer_clips, required=required)
    # A project has no attribute beside its fields, so that one added to it reaches the session, too.
    return Session(**vars(project))


def open_for_billing(command: CommandOptions) -> Session:
    """Open a session for commands about money: the paid provider; storyboards may have errors, or be gone."""
    session = load_session(command, required=False)
    # Bills and unsettled attempts are the paid account's, whatever the settings make clips with.
    if not session.settings.account.free:
        return session
    return replace(session, settings=replace(session.settings, provider=paid_provider_name()))


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
        # As the disks of Macs and Windows compare names, and with links followed.
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
