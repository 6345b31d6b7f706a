"""A commit's files, read with the git binary: no checkout, no network."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from runner.lazy_dataclass import dataclass
from runner.store.git import git_output, run_git

_LFS_HEAD = b"version https://git-lfs.github.com/spec/"
# Bytes of a Git LFS pointer, at most.
_LFS_MOST = 1024


class TreeFile(NamedTuple):
    """One entry of a commit's tree."""

    mode: str
    blob: str
    bytes: int

    @property
    def is_link(self) -> bool:
        return self.mode == "120000"

    @property
    def is_submodule(self) -> bool:
        return self.mode == "160000"


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a commit by path from the repository's top, and which of them the work tree has as they are."""

    commit: str
    files: Mapping[str, TreeFile]
    changed: frozenset[str]
    """Paths whose content in the work tree is another, or that it lacks."""

    def submodule_of(self, path: str) -> str | None:
        """The submodule that a path lies in; None for a path of this repository."""
        parents = (parent.as_posix() for parent in Path(path).parents)
        return next((name for name in parents if name in self.files and self.files[name].is_submodule), None)


def read_tree(root: Path, commit: str, environment: Mapping[str, str]) -> Tree | None:
    """The tree of a commit; None where this clone lacks a part of it. `environment` is that of git's process."""
    listing = run_git(root, environment, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
    names = run_git(root, environment, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", commit, "--")
    if listing is None or names is None:
        return None
    files: dict[str, TreeFile] = {}
    for entry in filter(None, listing.split("\0")):
        facts, _, path = entry.partition("\t")
        mode, _, blob, size = facts.split()
        files[path] = TreeFile(mode, blob, int(size) if size.isdigit() else 0)
    return Tree(commit, files, frozenset(filter(None, names.split("\0"))))


def read_files(root: Path, blobs: Iterable[str], environment: Mapping[str, str]) -> dict[str, bytes]:
    """The content of blobs, as they are stored; those that this clone lacks are left out."""
    names = sorted(set(blobs))
    output = git_output(root, environment, "cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
    contents: dict[str, bytes] = {}
    start = 0
    for name in names if output is not None else ():
        head, start = _line(output or b"", start)
        # A partial or shallow clone lacks some of the contents.
        if head.endswith(b" missing"):
            continue
        size = int(head.rsplit(b" ", 1)[1])
        contents[name] = (output or b"")[start : start + size]
        start += size + 1
    return contents


def _line(text: bytes, start: int) -> tuple[bytes, int]:
    end = text.index(b"\n", start)
    return text[start:end], end + 1


def lfs_object(root: Path, content: bytes, environment: Mapping[str, str]) -> tuple[bool, bytes | None]:
    """Whether a blob is a Git LFS pointer, and the file that it stands for; None where this clone lacks that."""
    if len(content) > _LFS_MOST or not content.startswith(_LFS_HEAD):
        return False, content
    mark = next((line.rpartition(b":")[2].decode() for line in content.splitlines() if line.startswith(b"oid ")), "")
    folder = run_git(root, environment, "rev-parse", "--git-common-dir")
    if folder is None or not mark.isalnum():
        return True, None
    try:
        return True, (root / folder.strip() / "lfs" / "objects" / mark[:2] / mark[2:4] / mark).read_bytes()
    except OSError:
        return True, None
