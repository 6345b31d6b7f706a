"""The identity of a repository, so that two clones on a machine share their history; and uncommitted files."""

from pathlib import Path

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, identified by its first commits, or by its path before the first commit."""

    root: Path
    root_commits: tuple[str, ...]
    """Names from the root commits, latest first (a merge of an unrelated history adds one); else the path's name."""
    path_identity: str
    """The name from the path, used before the first commit: history under that name belongs to this repository too."""
    shallow: bool = False
    """True for a shallow clone: its root commits are missing, so that its identity is unknown."""
    unresponsive: bool = False
    """True when `.git` exists and git fails: the identity is unknown."""


def identify(root: Path) -> Repository:
    """Identify a repository with git; without `.git`, or before the first commit, by its path."""
    by_path = f"path:{root}"
    if not (root / ".git").exists():
        return Repository(root, (by_path,), by_path)
    roots = _git(root, "rev-list", "--max-parents=0", "HEAD")
    shallow = (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    commits = tuple(f"commit:{commit}" for commit in (roots or "").split())
    unresponsive = not commits and _git(root, "rev-parse", "--git-dir") is None
    return Repository(root, commits or (by_path,), by_path, shallow, unresponsive)


def uncommitted(root: Path, paths: list[Path]) -> list[Path]:
    """The paths whose content differs from the last commit; empty when git fails."""
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
"""Git for this folder's own repository and real root commits, whatever hooks' variables and replace refs say."""


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
