"""The writer of a manifest: in one step, and only where it differs from the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runner.files.writing import make_folder, part_of, remove_file, replace_content
from runner.store.manifest.document import VERSION, Manifest
from runner.store.manifest.layout import layout


def write(path: Path, content: Mapping[str, Any], root: Path, before: Manifest | None) -> bool:
    """Replace the manifest atomically, unless the file holds this content already; return whether the file changed.

    `before` is what the file holds, None without a file. OSError when the disk fails.
    """
    make_folder(path.parent, root)
    is_same = before is not None and before.version == VERSION and before.content == content
    # A link is replaced even by the same content: the manifest itself is to lie in the repository.
    if is_same and not path.is_symlink():
        remove_file(part_of(path), root)  # left by a run that was killed while writing
        return False
    replace_content(path, root, layout(content).encode("utf-8", "backslashreplace"))
    return True
