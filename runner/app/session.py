"""What every command that has to do with takes does first: batch, history, plan."""

import argparse
import hashlib
import shlex
import sys
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from runner.app.project import Reading, color, reading
from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode, Stop
from runner.language.model import Batch, Shot, Storyboard
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Action, Plan
from runner.planning.planner import NOTHING_MORE, Asked, OnDisk, decide
from runner.planning.selection import Name, board_name, select
from runner.store import manifest
from runner.store.git import Repository, identify

if TYPE_CHECKING:
    from runner.store.ledger.ledger import Ledger


@dataclass(frozen=True)
class Opened(Reading):
    """A reading with its history and plan; only storyboards without errors get this far."""

    @cached_property
    def repository(self) -> Repository:
        return identify(self.settings.root)

    @cached_property
    def selected(self) -> frozenset[Name] | None:
        return select(self.batch, getattr(self.args, "select", ()), getattr(self.args, "exclude", ()))

    def names(self, ledger: "Ledger") -> tuple[str, ...]:
        """What this repository is known by in the ledger: the name that rows are written under, then the others."""
        repository = self.repository
        home = ledger.home(self.settings.account, repository.ids)
        return tuple(dict.fromkeys((home, *repository.ids, repository.path_id)))

    def output(self, storyboard: str) -> Path:
        """Where a storyboard's manifest and clips of this provider and profile lie."""
        return self.settings.output / board_name(storyboard) / self.settings.variant

    def on_disk(self, history: History) -> OnDisk:
        """Whether a clip's file is there: as long as it was, and by its content where several clips had that name."""
        claims: dict[str, set[str]] = {}
        for attempt in history.attempts.values():
            for clip in attempt.clips:
                claims.setdefault(clip.path, set()).add(clip.sha256)

        def there(clip: Clip) -> bool:
            path = self.settings.root / clip.path
            try:
                if path.stat().st_size != clip.bytes:
                    return False
                return len(claims.get(clip.path, ())) < 2 or _sha256(path) == clip.sha256
            except OSError:
                return False

        return there

    def asked(self, history: History) -> Asked:
        """What `--first-take`, `--again` and `--retake` order; worked out once, before anything is sent."""
        again, retake = getattr(self.args, "again", None), getattr(self.args, "retake", None)
        if again and retake:
            raise Stop(ExitCode.USAGE, "--again and --retake are two runs: each makes only what it names")
        named = select(self.batch, again or retake or (), ())
        return Asked(
            first_take=getattr(self.args, "first_take", False),
            again=self._to_make_again(history, named) if again else None,
            retakes=named if retake else None,
        )

    def _to_make_again(self, history: History, named: frozenset[Name] | None) -> frozenset[str]:
        steps = self.plan(history, selected=named).steps
        on_its_way = (Action.RESUME, Action.UNSETTLED)  # what this flag has ordered before a crash is gone on with
        found = [step for step in steps if step.action in (Action.REFUSED, Action.GONE, *on_its_way)]
        if not found:
            raise Stop(ExitCode.USAGE, "--again: nothing of what it names was refused or is gone")
        return frozenset(step.attempt for step in found if step.attempt is not None)

    def plan(
        self,
        history: History,
        batch: Batch | None = None,
        selected: frozenset[Name] | None = None,
        asked: Asked = NOTHING_MORE,
    ) -> Plan:
        """What a run would do now, with the settings of this command."""
        return decide(
            batch or self.batch,
            history,
            account=self.settings.account,
            edition=self.edition,
            usd_per_credit=self.settings.usd_per_credit,
            on_disk=self.on_disk(history),
            profile=self.settings.profile,
            selected=selected,
            asked=asked,
        )

    def recall(self, known: History) -> History:
        """The ledger's history, with what the manifests tell beside it."""
        for board in self.batch.storyboards:
            told = self.manifest(board)
            if told is not None:
                known.adopt(told.attempts, {(board.path, shot): take for shot, take in told.picks.items()})
        return known

    def manifest(self, board: Storyboard) -> manifest.Manifest | None:
        """A storyboard's manifest; Stop when it is another storyboard's, or another host's."""
        path = self.output(board.path) / manifest.NAME
        shown = self.shown(path)
        told = manifest.read(path, shown, self.repository.ids[-1], self.settings.profile)
        if told is None or not told.attempts:
            return None
        if told.storyboard != board.path and (self.settings.root / told.storyboard).exists():
            raise Stop(
                ExitCode.UNFIT,
                f"{shown} belongs to {told.storyboard}, not to {board.path}: rename one, or choose another --output",
            )
        if (told.provider, told.host) != (self.settings.account.provider, self.settings.account.host):
            raise Stop(
                ExitCode.UNFIT,
                f"{shown} was made at {told.provider} ({told.host}), and this is {self.settings.account.provider} "
                f"({self.settings.account.host}): choose another --output",
            )
        return told if told.storyboard == board.path else told.moved(board.path)

    def shown(self, path: Path) -> str:
        """A path as the user would type it from here."""
        try:
            return str(path.relative_to(Path.cwd()))
        except ValueError:
            return str(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compiled(args: argparse.Namespace, *, look: bool = False, needed: bool = True) -> Opened:
    """Files, settings and batch, with all problems; nothing is shown. `needed`: having no storyboard is exit 2."""
    read = reading(args, look=look, needed=needed)
    return Opened(read.args, read.settings, read.edition, read.options, read.files, read.batch, read.problems)


def paid(args: argparse.Namespace) -> Opened:
    """For commands about money: the paid provider, whatever the default is; storyboards may have errors, or be gone."""
    desk = compiled(args, needed=False)
    if not desk.settings.account.free:
        return desk
    return replace(desk, settings=replace(desk.settings, provider="kinovi"))


def named(desk: Opened, words: str) -> tuple[Shot, int | None]:
    """The one shot that `quay`, `harbour:quay` or `quay#2` names, and the take."""
    name, pin, number = words.partition("#")
    found = sorted(select(desk.batch, [name], ()) or ())
    if len(found) > 1:
        both = " and ".join(f"{board_name(board)}:{shot}" for board, shot in found)
        raise Stop(ExitCode.USAGE, f"{name!r} names {both}: say which")
    if pin and not (number.isascii() and number.isdigit() and int(number) > 0):
        raise Stop(ExitCode.USAGE, f"{words!r}: a take is a number, {name}#2")
    shot = next(shot for shot in desk.batch.shots if (shot.storyboard, shot.id) == found[0])
    return shot, int(number) if pin else None


def looking(args: argparse.Namespace) -> Opened:
    """As `opened`, at the provider that has clips when none is named."""
    return opened(args, look=True)


def opened(args: argparse.Namespace, *, look: bool = False) -> Opened:
    """The batch; with an error in it the problems are shown, and the command ends with exit 3."""
    desk = compiled(args, look=look)
    if desk.problems.errors:
        show_problems(desk)
        count = len(desk.problems.errors)
        raise Stop(ExitCode.UNFIT, f"{count} problem{'s' if count > 1 else ''} to mend first; nothing was sent")
    _own_outputs(desk)
    return desk


def _own_outputs(desk: Opened) -> None:
    """Two storyboards never share an output: one's clips would take the other's names."""
    owners: dict[str, str] = {}
    for board in desk.batch.storyboards:
        other = owners.setdefault(str(desk.output(board.path)).casefold(), board.path)
        if other != board.path:
            raise Stop(
                ExitCode.UNFIT,
                f"{other} and {board.path} have one output, {desk.shown(desk.output(board.path))}: rename one of them",
            )


def show_problems(desk: Opened) -> None:
    """The problems on standard error for people, on standard output for programs."""
    from runner.show.screens import problems as show

    if getattr(desk.args, "json", False):
        print(show.as_json(desk.problems))
    else:
        print(show.text(desk.problems, desk.settings.root, Path.cwd(), color(desk.args, sys.stderr)), file=sys.stderr)


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
