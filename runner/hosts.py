"""Kinds of hosts by their names and numbers alone, without resolving: this machine, and public ones.

A number in a short form (`127.1`, `2130706433`, `0x7f.1`, `0177.0.0.1`) is neither: resolvers disagree on its meaning.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

LOOPBACK = "127.0.0.1"
"""The address on which this machine alone is reached."""
_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa")
_NAT64 = "64:ff9b::/96"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, any of 127.0.0.0/8, or `::1`."""
    if _plain(host) == "localhost":
        return True
    address = ip_of(host)
    mapped = getattr(address, "ipv4_mapped", None)  # a tunnel's or a gateway's address leads to another machine
    return address is not None and (mapped or address).is_loopback


def is_https_or_local(url: str) -> bool:
    """Whether only the host of an address reads what is sent there: by https, or by http to this machine."""
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))


def is_public(host: str) -> bool:
    """Whether a host may be one that everybody reaches: a public IP, or a name that is not reserved for local nets."""
    if (address := ip_of(host)) is not None:
        return is_public_ip(address)
    name = _plain(host)
    return "." in name and not name.endswith(_PRIVATE_ENDINGS) and not is_ip_literal(name)


def is_public_ip(address: "IPv4Address | IPv6Address") -> bool:
    """Whether everybody reaches an IP, and only one host has it."""
    inner = _inner_ipv4(address)
    return inner.is_global and not inner.is_multicast


def is_ip_literal(host: str) -> bool:
    """Whether a host is a number in any form that resolvers accept: `10.1`, `0x7f.1`, `::1`."""
    last = _plain(host).rpartition(".")[2]
    return ":" in host or re.fullmatch(r"\d+|0x[0-9a-f]*", last) is not None


def ip_of(host: str) -> "IPv4Address | IPv6Address | None":
    """The IP that a host is written as, in full; a scope (`%eth0`) is left out. None for a name or a short form."""
    from ipaddress import ip_address  # not at the start of a command: most need no address

    try:
        return ip_address(_plain(host).strip("[]").partition("%")[0])
    except ValueError:
        return None


def _inner_ipv4(address: "IPv4Address | IPv6Address") -> "IPv4Address | IPv6Address":
    """The IPv4 address embedded in an IPv6 address (mapped, 6to4, Teredo, NAT64), else the address itself."""
    from ipaddress import IPv4Address, ip_network

    if isinstance(address, IPv4Address):
        return address
    if address in ip_network(_NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    return inner or address


def _plain(host: str) -> str:
    return host.lower().rstrip(".")
