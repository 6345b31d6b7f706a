"""What every command that has to do with takes does first: batch, history, plan."""

import argparse
import hashlib
import shlex
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runner.app.project import Project, load_project, use_color
from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Action, Plan
from runner.planning.planner import NO_OVERRIDES, ClipExists, PlanOverrides, build_plan
from runner.planning.selection import ShotKey, select, storyboard_slug
from runner.store import manifest
from runner.store.git import Repository, identify

if TYPE_CHECKING:
    from runner.store.ledger.ledger import Ledger


@dataclass(frozen=True)
class Session(Project):
    """A reading with its history and plan; only storyboards without errors get this far."""

    @cached_property
    def repository(self) -> Repository:
        return identify(self.settings.root)

    @cached_property
    def selected(self) -> frozenset[ShotKey] | None:
        return select(self.batch, getattr(self.args, "select", ()), getattr(self.args, "exclude", ()))

    def first_version_names(self, ledger: "Ledger") -> tuple[str, ...]:
        """What the first version called this repository, where rows of this account stand under such names."""
        return self.repository.root_commits if ledger.is_known_by_commit(self.settings.account) else ()

    def ledger_history(self, ledger: "Ledger", everything: bool = False) -> History:
        """What the ledger knows of the batch's storyboards, or of all that this repository ordered."""
        boards = None if everything else [board.path for board in self.batch.storyboards]
        names = self.first_version_names(ledger)
        return ledger.history(self.settings.account, str(self.settings.root), *names, storyboards=boards)

    def output_folder(self, storyboard: str) -> Path:
        """Where a storyboard's manifest and clips of this provider and profile lie."""
        return self.settings.output / storyboard_slug(storyboard) / self.settings.variant

    def clip_exists(self, history: History) -> ClipExists:
        """Whether a clip's file is there: as long as it was, and by its content where several clips had that name."""
        claims: dict[str, set[str]] = {}
        for attempt in history.attempts.values():
            for clip in attempt.clips:
                if clip.repository is None:
                    claims.setdefault(clip.path, set()).add(clip.sha256)

        def there(clip: Clip) -> bool:
            if clip.repository is not None:
                return False
            path = self.settings.root / clip.path
            try:
                if path.stat().st_size != clip.bytes:
                    return False
                return len(claims.get(clip.path, ())) < 2 or _sha256(path) == clip.sha256
            except OSError:
                return False

        return there

    def overrides(self, history: History) -> PlanOverrides:
        """What `--first-take`, `--again` and `--retake` order; worked out once, before anything is sent."""
        again, retake = getattr(self.args, "again", None), getattr(self.args, "retake", None)
        if again and retake:
            raise CommandError(ExitCode.USAGE, "--again and --retake are two runs: each makes only what it names")
        named = select(self.batch, again or retake or (), ())
        return PlanOverrides(
            first_take=getattr(self.args, "first_take", False),
            again=self._to_make_again(history, named) if again else None,
            retakes=named if retake else None,
        )

    def _to_make_again(self, history: History, named: frozenset[ShotKey] | None) -> frozenset[str]:
        steps = self.plan(history, selected=named).steps
        on_its_way = (Action.RESUME, Action.UNSETTLED)  # what this flag has ordered before a crash is gone on with
        found = [step for step in steps if step.action in (Action.REFUSED, Action.GONE, *on_its_way)]
        if not found:
            raise CommandError(ExitCode.USAGE, "--again: nothing of what it names was refused or is gone")
        return frozenset(step.attempt for step in found if step.attempt is not None)

    def plan(
        self,
        history: History,
        batch: Batch | None = None,
        selected: frozenset[ShotKey] | None = None,
        asked: PlanOverrides = NO_OVERRIDES,
    ) -> Plan:
        """What a run would do now, with the settings of this command."""
        while True:
            plan = build_plan(
                batch or self.batch,
                history,
                account=self.settings.account,
                edition=self.edition,
                usd_per_credit=self.settings.usd_per_credit,
                on_disk=self.clip_exists(history),
                profile=self.settings.profile,
                selected=selected,
                asked=asked,
            )
            if not history.load_pending():
                return plan

    def with_manifests(self, known: History) -> History:
        """The ledger's history, with what the manifests tell beside it."""
        for board in self.batch.storyboards:
            told = self.manifest(board)
            if told is not None:
                known.merge_manifest(told.attempts, {(board.path, shot): take for shot, take in told.picks.items()})
        return known

    def manifest(self, board: Storyboard) -> manifest.Manifest | None:
        """A storyboard's manifest; Stop when it is another storyboard's, or another host's."""
        path = self.output_folder(board.path) / manifest.NAME
        shown = self.display_path(path)
        told = manifest.read(path, shown, str(self.settings.root), self.settings.profile)
        if told is None or not told.attempts:
            return None
        if told.storyboard != board.path and (self.settings.root / told.storyboard).exists():
            raise CommandError(
                ExitCode.INVALID,
                f"{shown} belongs to {told.storyboard}, not to {board.path}: rename one, or choose another --output",
            )
        if (told.provider, told.host) != (self.settings.account.provider, self.settings.account.host):
            raise CommandError(
                ExitCode.INVALID,
                f"{shown} was made at {told.provider} ({told.host}), and this is {self.settings.account.provider} "
                f"({self.settings.account.host}): choose another --output",
            )
        return told if told.storyboard == board.path else told.renamed_to(board.path)

    def display_path(self, path: Path) -> str:
        """A path as the user would type it from here."""
        try:
            return str(path.relative_to(Path.cwd()))
        except ValueError:
            return str(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_session(args: argparse.Namespace, *, look: bool = False, needed: bool = True) -> Session:
    """Files, settings and batch, with all problems; nothing is shown. `needed`: having no storyboard is exit 2."""
    read = load_project(args, look=look, needed=needed)
    return Session(read.args, read.settings, read.edition, read.options, read.files, read.batch, read.problems)


def open_for_billing(args: argparse.Namespace) -> Session:
    """For commands about money: the paid provider, whatever the default is; storyboards may have errors, or be gone."""
    session = load_session(args, needed=False)
    if not session.settings.account.free:
        return session
    return replace(session, settings=replace(session.settings, provider="kinovi"))


def resolve_shot(session: Session, words: str) -> tuple[Shot, int | None]:
    """The one shot that `quay`, `harbour:quay` or `quay#2` names, and the take."""
    name, pin, number = words.partition("#")
    found = sorted(select(session.batch, [name], ()) or ())
    if len(found) > 1:
        both = " and ".join(f"{storyboard_slug(board)}:{shot}" for board, shot in found)
        raise CommandError(ExitCode.USAGE, f"{name!r} names {both}: say which")
    if pin and not (number.isascii() and number.isdigit() and int(number) > 0):
        raise CommandError(ExitCode.USAGE, f"{words!r}: a take is a number, {name}#2")
    shot = next(shot for shot in session.batch.shots if (shot.storyboard, shot.id) == found[0])
    return shot, int(number) if pin else None


def open_for_reading(args: argparse.Namespace) -> Session:
    """As `opened`, at the provider that has clips when none is named."""
    return open_session(args, look=True)


def open_session(args: argparse.Namespace, *, look: bool = False) -> Session:
    """The batch; with an error in it the problems are shown, and the command ends with exit 3."""
    session = load_session(args, look=look)
    if session.problems.errors:
        show_problems(session)
        count = len(session.problems.errors)
        raise CommandError(
            ExitCode.INVALID, f"{count} problem{'s' if count > 1 else ''} to mend first; nothing was sent"
        )
    _reject_shared_outputs(session)
    return session


def _reject_shared_outputs(session: Session) -> None:
    """Two storyboards never share an output: one's clips would take the other's names."""
    owners: dict[str, str] = {}
    for board in session.batch.storyboards:
        other = owners.setdefault(str(session.output_folder(board.path)).casefold(), board.path)
        if other != board.path:
            raise CommandError(
                ExitCode.INVALID,
                f"{other} and {board.path} have one output, "
                f"{session.display_path(session.output_folder(board.path))}: rename one of them",
            )


def show_problems(session: Session) -> None:
    """The problems on standard error for people, on standard output for programs."""
    from runner.show.screens import problems as show

    if getattr(session.args, "json", False):
        print(show.as_json(session.problems))
    else:
        print(
            show.text(session.problems, session.settings.root, Path.cwd(), use_color(session.args, sys.stderr)),
            file=sys.stderr,
        )


def typed(args: argparse.Namespace, files: Sequence[Path]) -> str:
    """Files and flags as the user typed them, for the command to type next."""
    words = [str(path) for path in files]
    for name in ("provider", "profile", "config", "concurrency", "output"):
        value = getattr(args, name, None)
        words += [f"--{name}", str(value)] if value is not None else []
    for name in ("var", "var_file", "select", "exclude"):
        flag = "--" + name.replace("_", "-")
        words += [word for value in getattr(args, name, ()) for word in (flag, str(value))]
    return shlex.join(words)
