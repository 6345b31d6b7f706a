"""The comparison of this working tree with a commit: what it would make and cost beyond that."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.app.commit_files import compile_commit
from runner.app.session import Session
from runner.diagnostics.failures import Failure
from runner.diagnostics.problem import CommandError, ExitCode, closest_match
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass, replace
from runner.planning.difference import Difference, difference
from runner.planning.plan import Plan
from runner.planning.saved_plan import SavedPlan
from runner.settings.environment import child_environment
from runner.settings.pull_request import base_branch
from runner.settings.settings import find_root
from runner.store import git_refs

# Characters of a commit's name on a screen.
_SHORT = 7


@dataclass(frozen=True, slots=True)
class Base:
    """The commit that a working tree is compared with."""

    commit: str
    name: str
    """The name as people know it: `main`."""

    @property
    def text(self) -> str:
        """`main (a1b2c3d)`."""
        short = self.commit[:_SHORT]
        return short if self.commit.startswith(self.name) else f"{self.name} ({short})"


@dataclass(frozen=True, slots=True)
class DiffReport:
    """A difference with the commit and the plan that it belongs to."""

    base: Base
    difference: Difference
    plan: Plan
    """The plan of the working tree."""


def find_base(words: Sequence[str]) -> tuple[Base, tuple[Path, ...]]:
    """The commit to compare with, and the files, of the words `[REF] [FILE…]`.

    Without REF: the merge base with the branch that this pull request is for, else with `origin/HEAD`, `main` or
    `master`. Raise `CommandError` where there is no repository, no such commit or no merge base.
    """
    environment = child_environment()
    root = find_root(Path())
    if not os.path.exists(root / ".git"):
        if git_refs.is_bare(Path(), environment):
            message = f"{root} is a bare repository, without files to compare: `diff` needs a working tree\n  git clone"
            raise CommandError(ExitCode.INVALID, f"{message} {shlex.quote(str(root))}")
        raise CommandError(ExitCode.INVALID, f"{root} is no git repository: `diff` compares with a commit\n  git init")
    if not git_refs.is_installed(root, environment):
        raise CommandError(ExitCode.INVALID, "git is not installed, or not on the PATH: `diff` reads commits with it")
    first = words[0] if words else ""
    commit = git_refs.commit_of(root, first, environment) if first else None
    # git itself refuses such a word for the same reason.
    if commit is not None and os.path.exists(first):
        message = f"{first!r} is a commit and a file: write the file as ./{first}, or the commit's full name"
        raise CommandError(ExitCode.USAGE, message)
    if commit is not None:
        return Base(commit, first), tuple(map(Path, words[1:]))
    if first and not _is_file(first):
        raise CommandError(ExitCode.USAGE, _unknown(first, root, environment))
    return _default_base(root, environment), tuple(map(Path, words))


def _is_file(word: str) -> bool:
    return os.path.lexists(word) or word.endswith((".yaml", ".yml"))


def _unknown(name: str, root: Path, environment: Mapping[str, str]) -> str:
    suggestion = closest_match(name, git_refs.branch_names(root, environment))
    hint = f"; did you mean {suggestion}?" if suggestion else ""
    shallow = "; this clone is shallow: git fetch --deepen=100" if git_refs.is_shallow(root, environment) else ""
    return f"{name!r} is neither a commit of this clone nor a file{hint}{shallow}"


def _default_base(root: Path, environment: Mapping[str, str]) -> Base:
    if git_refs.commit_of(root, "HEAD", environment) is None:
        raise CommandError(ExitCode.INVALID, "this repository has no commit yet: commit the storyboards first")
    branch = base_branch()
    names = [name for name in git_refs.base_names(branch) if git_refs.commit_of(root, name, environment)]
    for name in names:
        if (commit := git_refs.merge_base(root, name, environment)) is not None:
            return Base(commit, _present_name(name))
    wanted = branch or "main"
    missing = f"no merge base with {names[0]}" if names else f"no branch {wanted}"
    raise CommandError(
        ExitCode.INVALID,
        f"this clone has {missing} to compare with: name a commit, or fetch the history (`fetch-depth: 0` in a "
        f"workflow of GitHub, `GIT_DEPTH: 0` in GitLab)\n  git fetch --deepen=1000 origin {wanted}",
    )


def _present_name(name: str) -> str:
    return name.removeprefix("origin/") if name != "origin/HEAD" else name


def compare(session: Session, base: Base) -> DiffReport:
    """Plan this tree and the commit against what exists now, and compare them."""
    try:
        earlier = compile_commit(session, base.commit, base.text)
    except CommandError:
        # It names the commit already.
        raise
    except Failure as failure:  # a profile or a variable that the commit does not have
        raise CommandError(ExitCode.INVALID, f"at {base.text}: {failure.message}") from failure
    # Clips of storyboards that are gone count too: what the commit had is not priced as if it were to be made.
    left = [storyboard for storyboard in earlier.storyboards if storyboard.film not in session.batch.films]
    history = replace(session.history_reader, batch=Batch((*session.batch.storyboards, *left))).read()
    after = session.planner.plan(history)
    before = session.planner.plan(history, batch=earlier)
    return DiffReport(base, difference(before, after), after)


def saved_plan_of(path: Path, report: DiffReport) -> SavedPlan | None:
    """The saved plan that a difference names; None where the working tree orders nothing beyond the commit.

    Raise `CommandError` for a file that is no saved plan, was edited, or is for another account.
    """
    from runner.app.saved_plans import read

    saved, _ = read(path)
    account = report.plan.account
    if (saved.provider, saved.host) != (account.provider, account.host):
        message = f"{path} is for {saved.provider} at {saved.host}, and the difference for {account.provider} at "
        raise CommandError(ExitCode.USAGE, f"{message}{account.host}: name the plan's provider with --provider")
    return saved if report.difference.has_orders else None
