"""Which repository this is, so that two clones on a machine share their history; and whether git keeps a file."""

from pathlib import Path

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Repository:
    """Known by its first commit, else by its path."""

    root: Path
    root_commits: tuple[str, ...]
    """Its first commits, the latest first: merging an unrelated history adds one. Before the first: its path."""
    path_identity: str
    """What it was known by before its first commit: history under it is this repository's too."""
    shallow: bool = False
    """A clone without its first commits cannot say which repository it is."""
    unresponsive: bool = False
    """There is a repository, and git does not answer: nobody can say which it is."""


def identify(root: Path) -> Repository:
    """Asks git; without git, or before the first commit, the path has to do."""
    by_path = f"path:{root}"
    if not (root / ".git").exists():
        return Repository(root, (by_path,), by_path)
    roots = _git(root, "rev-list", "--max-parents=0", "HEAD")
    shallow = (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    commits = tuple(f"commit:{commit}" for commit in (roots or "").split())
    unresponsive = not commits and _git(root, "rev-parse", "--git-dir") is None
    return Repository(root, commits or (by_path,), by_path, shallow, unresponsive)


def uncommitted(root: Path, paths: list[Path]) -> list[Path]:
    """Those of the paths that the last commit does not hold as they are; none when git cannot say."""
    if not (root / ".git").exists() or not paths:
        return []
    names = {str(path.relative_to(root)): path for path in paths}
    status = _git(root, "status", "--porcelain", "--ignored", "-z", "--", *names)
    changed = [entry[3:] for entry in (status or "").split("\0") if len(entry) > 3]
    return [path for name, path in names.items() if any(name == entry or name.startswith(entry) for entry in changed)]


_PLAIN_GIT = (
    *("env", "-u", "GIT_DIR", "-u", "GIT_WORK_TREE", "-u", "GIT_COMMON_DIR", "-u", "GIT_OBJECT_DIRECTORY"),
    *("-u", "GIT_INDEX_FILE", "-u", "GIT_NAMESPACE", "-u", "GIT_SHALLOW_FILE"),
    *("git", "--no-replace-objects"),
)
"""This folder's own repository with its own first commit, whatever hooks, dotfiles and grafts say."""


def _git(root: Path, *arguments: str) -> str | None:
    import subprocess

    try:
        result = subprocess.run(
            [*_PLAIN_GIT, "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None
