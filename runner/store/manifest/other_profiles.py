"""The manifests of a storyboard's other profiles: what they name is paid, and counts in budget and bill."""

import os
from collections.abc import Iterator
from pathlib import Path

from runner.diagnostics.failures import ManifestUnreadable
from runner.store.manifest import reading
from runner.store.manifest.document import NAME, Manifest


def manifests_of_other_profiles(
    folder: Path, storyboard: str, account: tuple[str, str], root: Path
) -> Iterator[Manifest]:
    """Read the manifests beside an output `folder`, of the same storyboard and the same provider and host.

    A manifest that cannot be read is reported by the commands of its own profile.
    """
    provider, host = account
    try:
        names = sorted(os.listdir(folder.parent))
    except OSError:
        return
    for name in names:
        if name == folder.name or not (name == provider or name.startswith(f"{provider}-")):
            continue
        owner = reading.Owner(str(root), name.removeprefix(provider).removeprefix("-") or None)
        try:
            manifest = reading.read(folder.parent / name / NAME, name, root, owner)
        except ManifestUnreadable:
            continue
        if manifest is not None and (manifest.storyboard, manifest.provider, manifest.host) == (
            storyboard,
            provider,
            host,
        ):
            yield manifest
