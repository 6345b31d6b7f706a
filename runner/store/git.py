"""The names that the first version gave a repository, and uncommitted files."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True)
class Repository:
    """A repository, with the names that the first version gave it; git is asked where a name is needed."""

    root: Path
    environment: Mapping[str, str]
    """The environment of git's process, without secrets."""

    @cached_property
    def root_commits(self) -> tuple[str, ...]:
        """Names from the root commits, latest first (a merge of an unrelated history adds one).

        Without `.git`, and before the first commit, the path is the name.
        """
        has_git = os.path.exists(self.root / ".git")
        roots = run_git(self.root, self.environment, "rev-list", "--max-parents=0", "HEAD") if has_git else None
        commits = tuple(f"commit:{commit}" for commit in (roots or "").split())
        return commits or (f"path:{self.root}",)


def uncommitted(root: Path, paths: list[Path], environment: Mapping[str, str]) -> list[Path]:
    """The paths whose content differs from the last commit; empty when git fails."""
    if not os.path.exists(root / ".git") or not paths:
        return []
    names = {str(path.relative_to(root)): path for path in paths}
    status = run_git(root, environment, "status", *_STATUS, "--", *names)
    # Two letters of state and a blank stand before each name.
    changed = [entry[3:] for entry in (status or "").split("\0") if len(entry) > 3]
    return [path for name, path in names.items() if any(name == entry or name.startswith(entry) for entry in changed)]


_STATUS = ("--porcelain", "--ignored", "--ignore-submodules=all", "-z")
# Git that starts no program which the repository's settings name as monitor, hook, pager, diff or signature check.
_GIT = (
    *("git", "--no-pager", "--no-replace-objects", "--no-optional-locks"),
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"),
    *("-c", "diff.external=", "-c", "log.showSignature=false"),
)
# The variables of git that remain: they name the user's own settings; all others would change repository or output.
_GIT_SETTINGS = ("GIT_CONFIG_", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")


def git_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of git: the folder's own repository, whatever the variables of a hook or a shell say."""
    plain = {
        name: text
        for name, text in environment.items()
        if not name.startswith("GIT_") or name.startswith(_GIT_SETTINGS)
    }
    return plain | {"GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def run_git(root: Path, environment: Mapping[str, str], *arguments: str) -> str | None:
    """The output of a git command as text; None where git fails, is missing or takes longer than 20 seconds."""
    output = git_output(root, environment, *arguments)
    return None if output is None else output.decode("utf-8", "surrogateescape")


def git_output(root: Path, environment: Mapping[str, str], *arguments: str, stdin: bytes = b"") -> bytes | None:
    """The output of a git command that reads `stdin`; None where git fails, is missing or takes over 20 seconds."""
    import subprocess

    try:
        result = subprocess.run(
            [*_GIT, "-C", str(root), *arguments],
            input=stdin,
            capture_output=True,
            # A repository on a network drive that does not answer must not stop a command for ever.
            timeout=20,
            check=False,
            env=git_environment(environment),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None
