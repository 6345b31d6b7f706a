"""The context of a run's closing screen, and the command line that goes on after it."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runner.app.display_path import display_path
from runner.app.field_locations import field_locator
from runner.app.manifest_files import ManifestFiles
from runner.app.project import StoryboardSources
from runner.attempts.history import History
from runner.attempts.sums import sum_credits
from runner.engine.run_events import RunResult
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass
from runner.planning.plan import Plan
from runner.planning.selection import shot_selector
from runner.settings.environment import child_environment
from runner.settings.settings import Settings
from runner.show.screens.closing_context import ClosingContext, UncommittedManifest
from runner.show.screens.missing_clips import find_missing_clips
from runner.show.text.command_line import CommandLine
from runner.store.git import uncommitted


@dataclass(frozen=True, slots=True)
class ClosingReporter:
    """The sources of what a closing screen says beside the run's result."""

    settings: Settings
    batch: Batch
    plan_whole: Callable[[History], Plan]
    """Plans all takes of the batch."""
    manifests: ManifestFiles
    sources: StoryboardSources
    command_line: CommandLine
    look_provider: str
    """The provider that a command which looks at these clips has to be told; empty where it takes this one anyway."""
    is_quiet: bool

    def context(self, history: History, run: str, seconds: float, result: RunResult) -> ClosingContext:
        """The values on the closing screen; `run` is the run's id, `seconds` its duration."""
        open_shots, whole_plan = self._open_shots(result), self.plan_whole(history)
        return ClosingContext(
            command_line=line_to_continue(self.command_line, open_shots),
            resumable=bool(open_shots) or not self.command_line.has("--retake"),
            run=run,
            look_provider=self.look_provider,
            whole_plan=whole_plan,
            missing_clips=find_missing_clips(whole_plan.steps, history),
            prefix=repo_prefix(self.settings.root),
            quiet=self.is_quiet,
            seconds=seconds,
            to_commit=tuple(self._uncommitted_manifests()),
            locate_field=field_locator(self.sources),
        )

    def _open_shots(self, result: RunResult) -> list[str]:
        """The selectors of the shots of which this run left something open."""
        # With one storyboard its shots' ids are enough.
        several = len(self.batch.storyboards) > 1
        left_open = (result.failed, result.unsettled, result.blocked, result.waiting, result.not_started)
        shots = dict.fromkeys(take.step.shot.key for takes in left_open for take in takes)
        return [shot_selector(shot, with_storyboard=several) for shot in shots]

    def _uncommitted_manifests(self) -> Iterator[UncommittedManifest]:
        """The manifests of paid clips that are not committed."""
        settings = self.settings
        # Only paid clips: what a lost manifest of the sandbox names is drawn again for nothing.
        if settings.account.free:
            return
        manifests = {self.manifests.path(storyboard.film): storyboard for storyboard in self.batch.storyboards}
        for path in uncommitted(settings.root, list(manifests), child_environment()):
            manifest = self.manifests.read(manifests[path])
            # Without a take a manifest keeps nobody from paying twice.
            if manifest is not None and manifest.takes:
                yield UncommittedManifest(display_path(path), sum_credits(manifest.attempts).billed)


def line_to_continue(command_line: CommandLine, open_shots: Sequence[str]) -> CommandLine:
    """The command of a run, as it goes on: `--again` would order anew, and `--retake` all but what is open."""
    line = command_line.without("--again")
    if not line.has("--retake"):
        return line
    return line.with_flag("--retake", " ".join(open_shots)) if open_shots else line.without("--retake")


def repo_prefix(root: Path) -> str:
    """The path from the working folder to the repository's top; empty at the top."""
    relative = os.path.relpath(root)
    return "" if relative == os.curdir else relative
