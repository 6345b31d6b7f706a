"""Addresses: links to clips that are signed and expire, what is a file's name, and what lies on this machine."""

import hmac
import ipaddress
import os
from hashlib import sha256
from pathlib import Path
from urllib.parse import SplitResult, quote

from runner.clock import Clock


def secret(folder: Path, clock: Clock) -> bytes:
    """What links of this state folder are signed with; made once, for all its servers."""
    return kept_token(folder / "link-secret", clock).encode()


def kept_token(path: Path, clock: Clock) -> str:
    """An unguessable text that stays the same for everybody who reads this file, even when two make it at once."""
    part = path.with_name(f"{path.name}.{clock.token()[:16]}")
    if not path.exists():
        part.touch(mode=0o600)
        part.write_text(clock.token(), "ascii")
        try:
            os.link(part, path)  # unlike a rename, never in place of one that somebody uses already
        except FileExistsError:
            pass
        except OSError:  # not every disk knows links; there, two that start at the same instant may differ
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path.read_text("ascii")


def signed(base: str, task_id: str, name: str, expires: float, key: bytes) -> str:
    """The address of a file of a task, good until `expires` by the sandbox's clock."""
    until = int(expires)
    return f"{base}/media/{quote(task_id)}/{name}?expires={until}&signature={_signature(task_id, name, until, key)}"


def is_signed(task_id: str, name: str, expires: str, signature: str, key: bytes) -> bool:
    """True when `signed` made it."""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 15):
        return False
    expected = _signature(task_id, name, int(expires), key)
    return hmac.compare_digest(expected.encode(), signature.encode())


def _signature(task_id: str, name: str, until: int, key: bytes) -> str:
    return hmac.new(key, f"{task_id}\n{name}\n{until}".encode(), sha256).hexdigest()[:40]


def is_file_name(name: str) -> bool:
    """A plain name: no folder, no control character, nothing that hides."""
    return 0 < len(name) <= 200 and name.isprintable() and "/" not in name and "\\" not in name and name[0] != "."


def is_local(host: str) -> bool:
    """A name of this machine's loopback."""
    if host.lower() == "localhost":
        return True
    address = _literal(host)
    return address is not None and address.is_loopback


def is_private(parts: SplitResult) -> bool:
    """An address that is written in numbers and cannot be reached from elsewhere."""
    address = _literal(parts.hostname or "")
    return address is not None and not address.is_global


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
