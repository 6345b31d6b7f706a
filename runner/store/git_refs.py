"""Commits by their names, and the commit that a branch left its base at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from runner.store.git import run_git

_DEFAULT_BRANCHES = ("origin/HEAD", "main", "master")


def commit_of(root: Path, name: str, environment: Mapping[str, str]) -> str | None:
    """The commit that a name stands for; None where it names none in this clone."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return (run_git(root, environment, *words) or "").strip() or None


def base_names(branch: str) -> Sequence[str]:
    """The names to try for the base of this branch: what CI says, else the usual ones."""
    return (f"origin/{branch}", branch) if branch else _DEFAULT_BRANCHES


def merge_base(root: Path, name: str, environment: Mapping[str, str]) -> str | None:
    """The commit at which HEAD left another branch; None where this clone has none."""
    return (run_git(root, environment, "merge-base", "HEAD", name) or "").strip() or None


def is_shallow(root: Path, environment: Mapping[str, str]) -> bool:
    return (run_git(root, environment, "rev-parse", "--is-shallow-repository") or "").strip() == "true"


def is_bare(root: Path, environment: Mapping[str, str]) -> bool:
    """Whether a folder is a repository without a working tree."""
    return (run_git(root, environment, "rev-parse", "--is-bare-repository") or "").strip() == "true"


def branch_names(root: Path, environment: Mapping[str, str]) -> list[str]:
    """The names of branches and tags, for a suggestion."""
    listing = run_git(root, environment, "for-each-ref", "--format=%(refname:short)", "--count=1000")
    return (listing or "").split()


def is_installed(root: Path, environment: Mapping[str, str]) -> bool:
    return run_git(root, environment, "--version") is not None
