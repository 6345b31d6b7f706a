"""The files that git could not merge: their versions in its index, and the result that is staged."""

from collections.abc import Mapping
from pathlib import Path

from runner.lazy_dataclass import dataclass
from runner.store.git import run_git
from runner.store.git_tree import read_files

# Git's names of the three versions of a file in conflict.
_BASE, _OURS, _THEIRS = "1", "2", "3"


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of one file in conflict; None where it did not exist."""

    base: bytes | None
    ours: bytes | None
    theirs: bytes | None


def find_conflicts(root: Path, name: str, environment: Mapping[str, str]) -> dict[str, Versions] | None:
    """The files called `name` that git could not merge, by path from the top; None where git has no index here.

    A file with conflict marks that was staged or committed as it is counts too: git's index or the parents of the
    merge still hold its versions. `environment` is that of git's process, without secrets.
    """
    pattern = f":(top,glob)**/{name}"
    unmerged = run_git(root, environment, "ls-files", "--unmerged", "-z", "--full-name", "--", pattern)
    if unmerged is None:
        return None
    # Staged with its marks, a file has left the conflicts, and git still knows how to undo that.
    resolved = run_git(root, environment, "ls-files", "--resolve-undo", "-z", "--full-name", "--", pattern)
    blobs, undo = _stages(unmerged), _stages(resolved or "")
    for path in find_marked(root, name, environment):
        if path not in blobs:
            blobs[path] = undo.get(path) or _of_last_merge(root, path, environment)
    contents = read_files(root, (blob for stages in blobs.values() for blob in stages.values()), environment)
    return {
        path: Versions(*(contents.get(stages.get(stage, "")) for stage in (_BASE, _OURS, _THEIRS)))
        for path, stages in blobs.items()
    }


def _stages(listing: str) -> dict[str, dict[str, str]]:
    """The blob of each version by path, as `git ls-files` lists them."""
    blobs: dict[str, dict[str, str]] = {}
    for entry in filter(None, listing.split("\0")):
        facts, _, path = entry.partition("\t")
        _, blob, stage = facts.split()
        blobs.setdefault(path, {})[stage] = blob
    return blobs


def _of_last_merge(root: Path, path: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The blobs of a file in the parents of the last commit that changed it; none where that is no merge."""
    commits = run_git(root, environment, "log", "-1", "--format=%P", "--", f":(top,literal){path}")
    parents = (commits or "").split()
    # A merge of three branches has no two sides, and a plain commit only one.
    if len(parents) != 2:
        return {}
    base = (run_git(root, environment, "merge-base", *parents) or "").strip()
    blobs = {}
    for stage, commit in ((_BASE, base), (_OURS, parents[0]), (_THEIRS, parents[1])):
        blob = run_git(root, environment, "rev-parse", "--verify", "--quiet", f"{commit}:{path}") if commit else None
        if blob:
            blobs[stage] = blob.strip()
    return blobs


def find_marked(root: Path, name: str, environment: Mapping[str, str]) -> list[str]:
    """The tracked files called `name` that hold conflict marks, by path from the top."""
    listing = run_git(root, environment, "grep", "-lz", "-e", "^<<<<<<< ", "--", f":(top,glob)**/{name}")
    return list(filter(None, (listing or "").split("\0")))


def stage(root: Path, path: str, environment: Mapping[str, str]) -> bool:
    """Whether a file of the work tree is staged now, its conflict resolved."""
    return run_git(root, environment, "add", "--force", "--", f":(top,literal){path}") is not None


def merge_with_marks(base: Path, ours: Path, theirs: Path, environment: Mapping[str, str]) -> None:
    """Write both sides into `ours` with git's conflict marks, as git does without a merge driver."""
    names = ("-L", "ours", "-L", "base", "-L", "theirs")
    run_git(ours.parent, environment, "merge-file", *names, str(ours), str(base), str(theirs))
