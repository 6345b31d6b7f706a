"""Committed and pushed files: the last commit on a remote branch that holds a file's present bytes."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from runner.lazy_dataclass import dataclass
from runner.store.git import run_git

DIFFERS = "it differs from its last commit; commit and push it"
UNCOMMITTED = "it is not committed; commit and push it"
UNPUSHED = "its commit is on no remote branch of this clone; push it"
SUBMODULE = "it lies in a submodule, which has commits of its own"
LFS = "git holds a Git LFS pointer in its place"
NO_REPOSITORY = "this is no git repository"
# Length of an object's name in a repository whose objects are named by SHA-256.
_SHA256_LENGTH = 64
# Commits read for all files together; an older one is not found, and the file counts as not pushed.
_MAX_COMMITS = 2000


@dataclass(frozen=True, slots=True)
class Pushed:
    """A commit on a remote branch that holds the file's present bytes."""

    commit: str


def find_pushed(root: Path, paths: Iterable[str], environment: Mapping[str, str]) -> dict[str, Pushed | str]:
    """The commit of each file, or why there is none, by path from the repository's top; opens no connection.

    `environment` is that of git's process, without secrets.
    """
    names = list(dict.fromkeys(paths))
    if not names:
        return {}
    if not os.path.exists(root / ".git"):
        return dict.fromkeys(names, NO_REPOSITORY)
    results: dict[str, Pushed | str] = {name: SUBMODULE for name in names if _is_in_submodule(root, name)}
    names = [name for name in names if name not in results]
    lfs = _lfs_paths(root, names, environment)
    results |= dict.fromkeys(lfs, LFS)
    names = [name for name in names if name not in results]
    at_head = _blobs_at_head(root, names, environment)
    pushed = _commits_of_blobs(root, names, environment)
    for name in names:
        blob = _blob_id(root / name, at_head.get(name, ""))
        if (commit := pushed.get((name, blob))) is not None:
            results[name] = Pushed(commit)
        elif name not in at_head:
            results[name] = UNCOMMITTED
        else:
            results[name] = UNPUSHED if at_head[name] == blob else DIFFERS
    return results


def _is_in_submodule(root: Path, name: str) -> bool:
    return any(os.path.exists(root / parent / ".git") for parent in Path(name).parents if parent != Path())


def _lfs_paths(root: Path, names: list[str], environment: Mapping[str, str]) -> set[str]:
    output = run_git(root, environment, "check-attr", "-z", "filter", "--", *names) if names else None
    fields = (output or "").split("\0")
    return {name for name, value in zip(fields[0::3], fields[2::3], strict=False) if value == "lfs"}


def _blobs_at_head(root: Path, names: list[str], environment: Mapping[str, str]) -> dict[str, str]:
    """The blob of each file in the last commit; files that are not in it are left out."""
    output = run_git(root, environment, "ls-tree", "-r", "-z", "HEAD", "--", *_literal(names)) if names else None
    blobs = {}
    for entry in filter(None, (output or "").split("\0")):
        facts, _, name = entry.partition("\t")
        blobs[name] = facts.split()[2]
    return blobs


def _commits_of_blobs(root: Path, names: list[str], environment: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The newest commit on a remote branch that brought each content of each file, by path and blob."""
    if not names:
        return {}
    # `-m` shows a merge's own changes, too: a file may have got its content there.
    options = ("--remotes", "--raw", "--no-abbrev", "--no-renames", "-m", "-z", f"--max-count={_MAX_COMMITS}")
    output = run_git(root, environment, "log", *options, "--format=commit %H", "--", *_literal(names))
    commits: dict[tuple[str, str], str] = {}
    commit, blob = "", ""
    for part in (output or "").split("\0"):
        text = part.lstrip("\n")
        if text.startswith("commit "):
            commit, _, text = text.removeprefix("commit ").partition("\n")
        if text.startswith(":"):
            blob = text.split()[3]
        elif text and blob:
            commits.setdefault((text, blob), commit)
            blob = ""
    return commits


def _literal(names: list[str]) -> list[str]:
    return [f":(literal){name}" for name in names]


def _blob_id(path: Path, like: str) -> str:
    """Git's name of the file's bytes as they are, without filters; in the hash of the repository's objects."""
    try:
        content = path.read_bytes()
    except OSError:
        return ""
    digest = hashlib.new("sha256" if len(like) == _SHA256_LENGTH else "sha1", usedforsecurity=False)
    digest.update(f"blob {len(content)}\0".encode())
    digest.update(content)
    return digest.hexdigest()
