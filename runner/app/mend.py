"""Manifests that git could not merge, resolved from both sides without losing anything paid."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from runner.diagnostics.failures import Failure, ManifestUnreadable, SeveralFailures
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import MANIFEST_LIMIT, FileRejected, read_bytes, read_named
from runner.files.writing import make_folder, replace_content
from runner.garbage_collection import collection_off
from runner.lazy_dataclass import dataclass, replace
from runner.settings.environment import child_environment
from runner.settings.settings import find_root
from runner.settings.user_folders import state_folder
from runner.store import git_conflicts, locks
from runner.store.git_conflicts import Versions
from runner.store.manifest.document import NAME, Manifest
from runner.store.manifest.layout import layout
from runner.store.manifest.merging import PickConflict, merge, tasks
from runner.store.manifest.reading import has_conflict_marks, parse
from runner.store.manifest.shared_shots import SharedShots

# Nobody can merge what has no two sides: a guess might drop what was paid for.
_NO_SIDES = (
    "it was committed with conflict marks, outside of a merge, and git does not know its two sides any more: restore "
    "the file from each of them, and merge the branches again"
)


@dataclass(frozen=True, slots=True)
class Mended:
    """A manifest that was merged and written."""

    name: str
    """Its path from the repository's top."""
    storyboard: str
    provider: str
    tasks: int
    """How many tasks it names."""
    conflicts: tuple[PickConflict, ...] = ()
    is_staged: bool = False
    is_single: bool = False
    """Whether only one side still had the file; it is kept."""


def mend_conflicts(files: Sequence[Path]) -> list[Mended]:
    """Merge the manifests of these files, else all that git could not merge, and stage them.

    A file is a manifest, a folder, or a storyboard, whose manifests are meant. Failures of single files are raised
    after the others are written.
    """
    root = find_root(files[0] if files else Path())
    environment = child_environment()
    conflicts = git_conflicts.find_conflicts(root, NAME, environment)
    if conflicts is None and not files:
        raise CommandError(
            ExitCode.INVALID, f"{root} is no git work tree: name the manifest:\n  storyboard mend manifest.json"
        )
    versions = {path: sides for path, sides in (conflicts or {}).items() if files or _is_ours(sides)}
    names = _named(files, root, versions) if files else list(versions)
    mended, failures = list[Mended](), list[Failure]()
    for name in names:
        try:
            if (result := _mend(root, name, versions.get(name))) is not None:
                mended.append(result)
        except Failure as failure:
            # The other manifests are written all the same: each is a file of its own.
            failures.append(failure)
    if failures:
        raise failures[0] if len(failures) == 1 else SeveralFailures(failures)
    return mended


def merge_driver(base: Path, ours: Path, theirs: Path, name: str) -> Mended:
    """Merge three files into `ours`, as git's merge driver; on a failure `ours` has both sides with conflict marks."""
    try:
        versions = [_read(path, name) for path in (base, ours, theirs)]
        content, result = _merged(name, Versions(versions[0] or None, versions[1], versions[2]))
    except Failure:
        # git takes what a driver leaves for the result: without marks one side would be lost silently.
        git_conflicts.merge_with_marks(base.absolute(), ours.absolute(), theirs.absolute(), child_environment())
        raise
    _write(ours.absolute(), ours.absolute().parent, content)
    return result


def _read(path: Path, name: str) -> bytes:
    try:
        return read_named(path, None, MANIFEST_LIMIT)
    except FileRejected as rejected:
        raise CommandError(ExitCode.INVALID, f"{name}: {path} {rejected.message}") from rejected


def _is_ours(versions: Versions) -> bool:
    """Whether a file called manifest.json is a manifest: other programs have files of that name, too."""
    return any(b'"manifest"' in text and b'"shots"' in text for text in _existing(versions))


def _existing(versions: Versions) -> Iterator[bytes]:
    return (text for text in (versions.base, versions.ours, versions.theirs) if text)


def _named(files: Sequence[Path], root: Path, candidates: Mapping[str, Versions]) -> list[str]:
    """The manifests that the files of a command line mean, by path from the top."""
    names: list[str] = []
    for file in files:
        path = Path(os.path.realpath(file))
        if not path.is_relative_to(root):
            raise CommandError(
                ExitCode.USAGE, f"{file} lies outside the repository {root}: run this command in its own"
            )
        name = path.relative_to(root).as_posix()
        if file.name == NAME:
            if name not in candidates and not os.path.lexists(path):
                raise CommandError(ExitCode.USAGE, f"{file} does not exist, and git has no conflict in it")
            names.append(name)
        elif path.is_dir():
            names += [other for other in candidates if Path(other).is_relative_to(name) or path == root]
        elif path.exists():
            # As text: with conflict marks the file is no JSON.
            mark = f'"storyboard": "{name}"'.encode()
            names += [other for other, sides in candidates.items() if any(mark in text for text in _existing(sides))]
        else:
            raise CommandError(ExitCode.USAGE, f"{file} does not exist: name a manifest, its folder or its storyboard")
    return list(dict.fromkeys(names))


def _mend(root: Path, name: str, versions: Versions | None) -> Mended | None:
    """Merge one manifest, write and stage it; None where it has no conflict."""
    path, state = root / name, state_folder()
    # A run may be writing the same manifest.
    with locks.lock_manifest(state, path.parent) if state is not None else nullcontext():
        try:
            present: bytes | None = read_bytes(path, root, MANIFEST_LIMIT)
        except FileRejected as rejected:
            if rejected.code != "file-missing":
                raise CommandError(ExitCode.INVALID, f"{name} {rejected.message}") from rejected
            present = None
        if versions is None:
            if present:
                parse(present, name)
            return None
        is_marked = present is not None and has_conflict_marks(present)
        if not any(_existing(versions)):
            if is_marked:
                raise ManifestUnreadable(f"{name}: {_NO_SIDES}")
            return None
        content, result = _merged(name, versions, None if is_marked else present)
        make_folder(path.parent, root)
        _write(path, root, content)
    is_staged = git_conflicts.stage(root, name, child_environment())
    return replace(result, is_staged=is_staged)


def _merged(name: str, versions: Versions, present: bytes | None = None) -> tuple[bytes, Mended]:
    """The text of the merged manifest; `present` is what stands in the work tree, where a run may have added takes."""
    with collection_off():
        return _merged_versions(name, versions, present)


def _merged_versions(name: str, versions: Versions, present: bytes | None) -> tuple[bytes, Mended]:
    shared = SharedShots()
    base = parse(versions.base, f"{name} (the common version)", shared=shared) if versions.base else None
    ours = parse(versions.ours, f"{name} (our side)", shared=shared) if versions.ours else None
    theirs = parse(versions.theirs, f"{name} (their side)", shared=shared) if versions.theirs else None
    single = ours or theirs
    if single is None:
        raise ManifestUnreadable(f"{name}: both sides are empty: restore it from git")
    conflicts: tuple[PickConflict, ...] = ()
    content, is_single = single.content, ours is None or theirs is None
    if ours is not None and theirs is not None:
        content, conflicts = (merged := merge(base, ours, theirs)).content, merged.conflicts
    merged_manifest = _reread(content, name, shared)
    # A run may have written takes while the merge was open: what it paid for is merged in.
    if present and present not in (versions.ours, versions.theirs):
        content = merge(ours or single, parse(present, name, shared=shared), merged_manifest).content
        merged_manifest = _reread(content, name, shared)
    number = len(set(tasks(content)))
    result = Mended(name, single.storyboard, single.provider, number, conflicts, is_single=is_single)
    return merged_manifest.raw, result


def _reread(content: Mapping[str, Any], name: str, shared: SharedShots) -> Manifest:
    """The manifest as it is to be written, read back."""
    return parse(layout(content, shared.text_of).encode("utf-8", "backslashreplace"), name, shared=shared)


def _write(path: Path, root: Path, content: bytes) -> None:
    try:
        replace_content(path, root, content)
    except OSError as error:
        raise CommandError(ExitCode.INVALID, f"{path} cannot be written ({error.strerror or error})") from error
