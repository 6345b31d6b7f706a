"""Addresses that nobody else can reach, as the provider rejects them."""

import ipaddress
from urllib.parse import SplitResult


def is_private(parts: SplitResult) -> bool:
    """Whether an address is written in numbers and cannot be reached from elsewhere."""
    address = _numeric_address(parts.hostname or "")
    return address is not None and not address.is_global


def _numeric_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    # A name is not resolved: the sandbox asks no other machine anything.
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
