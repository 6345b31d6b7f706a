"""Signed, expiring links to clips, and the secrets of a state folder."""

import hmac
import os
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from runner.clock import Clock

MEDIA_NAMES = r"video\.mp4|last-frame\.(?:png|jpg)"
"""Pattern of the files of a task: its clip, and its last frame in the form that its model has."""


def link_secret(folder: Path, clock: Clock) -> bytes:
    """Signing secret of this state folder's links; created once, for all its servers."""
    return persistent_token(folder / "link-secret", clock).encode()


def persistent_token(path: Path, clock: Clock) -> str:
    """An unguessable text, created once: every reader of the file gets the same, even when two create it at once."""
    part = path.with_name(f"{path.name}.{clock.token()[:16]}")
    if not path.exists():
        part.touch(mode=0o600)
        part.write_text(clock.token(), "ascii")
        try:
            os.link(part, path)  # unlike a rename, a link never replaces a secret that is already in use
        except FileExistsError:
            pass
        except OSError:  # some disks have no hard links; on these, two servers started at the same instant may differ
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path.read_text("ascii")


def sign_link(base_url: str, task_id: str, name: str, expires: float, key: bytes) -> str:
    """The address of a file of a task, valid until `expires` by the sandbox's clock."""
    expiry = int(expires)
    return (
        f"{base_url}/media/{quote(task_id)}/{name}?expires={expiry}&signature={_signature(task_id, name, expiry, key)}"
    )


def is_valid_signature(task_id: str, name: str, expires: str, signature: str, key: bytes) -> bool:
    """Whether a signature was made by `sign_link` with this key."""
    # `int` reads digits of other scripts as well, and takes long over thousands of them.
    if not (expires.isascii() and expires.isdigit() and len(expires) < 15):
        return False
    expected = _signature(task_id, name, int(expires), key)
    return hmac.compare_digest(expected.encode(), signature.encode())


def _signature(task_id: str, name: str, expiry: int, key: bytes) -> str:
    # 160 bits: no guess comes near, and the link stays short.
    return hmac.new(key, f"{task_id}\n{name}\n{expiry}".encode(), sha256).hexdigest()[:40]
