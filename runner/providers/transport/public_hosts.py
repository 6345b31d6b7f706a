"""Which addresses may be fetched from: public ones; this machine's own only where the API itself is on it."""

import re
import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import httpx

from runner.lazy_dataclass import dataclass

Resolve = Callable[[str, int], list[str]]
_NAT64 = ip_network("64:ff9b::/96")


class ForbiddenAddress(Exception):  # noqa: N818 - it says what an address is, it is not always an error
    """An address that is not fetched from; the words say why."""


def resolve_host(host: str, port: int) -> list[str]:
    """Every address of a host, as the system knows them; OSError when there is none."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise ForbiddenAddress("its host's name is none") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def checked_ips(url: str, *, local: bool, resolve: Resolve = resolve_host) -> list[str]:
    """The addresses to connect to, in the system's order: each of them was checked.

    Raises `Forbidden` for another scheme, a name and password, or one address that is not public (`local` allows
    loopback as well); OSError when the name is unknown.
    """
    host, port = parse_host(url)
    ips = resolve(host, port)
    for ip in ips:
        if not _is_allowed(ip, local):
            raise ForbiddenAddress(f"{host} is {ip}, which is not a public address")
    return ips


def connectable(url: str, *, local: bool, proxied: bool, resolve: Resolve = resolve_host) -> list[str]:
    """The hosts to connect to: checked numbers; a proxy looks names up itself, so that only numbers are checked."""
    if not proxied:
        return checked_ips(url, local=local, resolve=resolve)
    host, _ = parse_host(url)
    return checked_ips(url, local=local, resolve=lambda ip, _: [ip]) if is_ip_literal(host) else [host]


@dataclass(frozen=True, slots=True)
class PinnedUrl:
    """A request to a checked number and to no other, which asks for the host by its name."""

    url: httpx.URL
    host: str
    """The `Host` header."""
    extensions: dict[str, str]


def pin(url: str, ip: str) -> PinnedUrl:
    """The address with its host's number in place of its name, so that nobody looks the name up once more."""
    address = httpx.URL(url)
    extensions = {"sni_hostname": address.raw_host.decode("ascii")}
    return PinnedUrl(address.copy_with(host=ip), address.netloc.decode("ascii"), extensions)


def parse_host(url: str) -> tuple[str, int]:
    """Host and port of an address by http(s), with nothing odd about it; raises `Forbidden`."""
    try:
        _ = httpx.URL(url).host  # stricter than the standard library about what an address may hold
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except (httpx.InvalidURL, ValueError) as error:
        raise ForbiddenAddress(f"it is no address: {error}"[:200]) from error
    if parts.scheme not in ("http", "https") or not host:
        raise ForbiddenAddress(f"it is not an address by http or https, but {parts.scheme or 'none'}")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress("it holds a name and a password")
    return host, port or (443 if parts.scheme == "https" else 80)


def is_ip_literal(host: str) -> bool:
    """Whether a host is meant as a number, in any of the ways that resolvers take: `10.1`, `0x7f.1`, `::1`."""
    last = host.rstrip(".").rpartition(".")[2]
    return ":" in host or re.fullmatch(r"\d+|0x[0-9a-f]*", last, re.IGNORECASE) is not None


def _is_allowed(ip: str, local: bool) -> bool:
    try:
        address = _inner_ipv4(ip_address(ip.partition("%")[0]))
    except ValueError:
        return False
    return (local and address.is_loopback) or (address.is_global and not address.is_multicast)


def _inner_ipv4(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, in every form that reaches it."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
    return inner or address
