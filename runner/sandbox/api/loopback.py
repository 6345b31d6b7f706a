"""Kinds of hosts: names of this machine, and addresses that nobody else can reach."""

import ipaddress
from urllib.parse import SplitResult


def is_loopback(host: str) -> bool:
    """Whether a host is a name of this machine's loopback."""
    if host.lower() == "localhost":
        return True
    address = _numeric_address(host)
    return address is not None and address.is_loopback


def is_private(parts: SplitResult) -> bool:
    """Whether an address is written in numbers and cannot be reached from elsewhere."""
    address = _numeric_address(parts.hostname or "")
    return address is not None and not address.is_global


def _numeric_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
