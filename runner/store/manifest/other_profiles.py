"""The manifests of a storyboard's other profiles: what they name is paid, and counts in budget and bill."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from runner.attempts.film import profile_of
from runner.diagnostics.failures import ManifestUnreadable
from runner.store.manifest import reading
from runner.store.manifest.document import NAME, Manifest


def manifests_of_other_profiles(
    folders: Collection[Path], storyboard: str, account: tuple[str, str], root: Path
) -> Iterator[Manifest]:
    """Read the manifests of a storyboard at this provider and host beside the output `folders` of some of its films.

    A manifest that cannot be read is reported by the commands of its own profile.
    """
    provider, host = account
    top, own = next(iter(folders)).parent, {folder.name for folder in folders}
    try:
        names = sorted(os.listdir(top))
    except OSError:
        return
    for name in names:
        if name in own or not (name == provider or name.startswith(f"{provider}-")):
            continue
        owner = reading.Owner(str(root), profile_of(name, provider))
        try:
            manifest = reading.read(top / name / NAME, name, root, owner)
        except ManifestUnreadable:
            continue
        if manifest is not None and (manifest.storyboard, manifest.provider, manifest.host) == (
            storyboard,
            provider,
            host,
        ):
            yield manifest
