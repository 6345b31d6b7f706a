"""The addresses that may be connected to: public IPs, and loopback only if the API is on this machine."""

import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import httpx

from runner.hosts import ip_of, is_ip_literal, is_loopback, is_public_ip
from runner.lazy_dataclass import dataclass

Resolve = Callable[[str, int], list[str]]


class ForbiddenAddress(Exception):  # noqa: N818 - a property of an address, not always an error
    """An address that must not be connected to; the message says why."""


def resolve_host(host: str, port: int) -> list[str]:
    """Every IP of a host from the system's resolver; OSError when the name is unknown."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise ForbiddenAddress("the host name is not valid") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


def checked_ips(url: str, *, local: bool, resolve: Resolve = resolve_host) -> list[str]:
    """The IPs of a URL in the resolver's order, all of them checked.

    Raises `ForbiddenAddress` for another scheme, a user name or password, or any IP that is not public (`local` also
    allows loopback); OSError when the name is unknown.
    """
    host, port = parse_host(url)
    ips = resolve(host, port)
    # All of them, and not the one that is used: a name with a public and a private address is an attack.
    for ip in ips:
        if not _is_allowed(ip, local):
            raise ForbiddenAddress(f"{host} is {ip}, which is not a public address")
    return ips


def connectable(url: str, *, local: bool, proxied: bool, resolve: Resolve = resolve_host) -> list[str]:
    """The hosts to connect to: checked IPs; a proxy resolves names itself, so that only IP literals are checked."""
    if not proxied:
        return checked_ips(url, local=local, resolve=resolve)
    host, _ = parse_host(url)
    return checked_ips(url, local=local, resolve=lambda ip, _: [ip]) if is_ip_literal(host) else [host]


@dataclass(frozen=True, slots=True)
class PinnedUrl:
    """A URL with a checked IP in place of its host name, and what the request needs to name the host."""

    url: httpx.URL
    host: str
    """The `Host` header."""
    extensions: dict[str, str]


def pin(url: str, ip: str) -> PinnedUrl:
    """Replace the host name of a URL by an IP, so that the name is not resolved a second time."""
    address = httpx.URL(url)
    # The certificate is checked against the name: an IP in the URL would match none.
    extensions = {"sni_hostname": address.raw_host.decode("ascii")}
    return PinnedUrl(address.copy_with(host=ip), address.netloc.decode("ascii"), extensions)


async def send_to_reachable(
    client: httpx.AsyncClient, url: str, ips: Sequence[str], request_to: Callable[[PinnedUrl], httpx.Request]
) -> httpx.Response:
    """The response of the first of a URL's checked IPs that takes a connection; its body is still to be read."""
    for count, ip in enumerate(ips, 1):
        try:
            return await client.send(request_to(pin(url, ip)), stream=True)
        # A host may have an IPv6 address that this network does not reach: the next one is tried.
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if count == len(ips):
                raise
    raise ForbiddenAddress("its host has no IP address")


def parse_host(url: str) -> tuple[str, int]:
    """Host and port of a plain http(s) URL; raises `ForbiddenAddress` for anything else."""
    try:
        _ = httpx.URL(url).host  # httpx rejects more invalid characters than urlsplit
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except (httpx.InvalidURL, ValueError) as error:
        raise ForbiddenAddress(f"not a valid address: {error}"[:200]) from error
    if parts.scheme not in ("http", "https") or not host:
        raise ForbiddenAddress(f"the scheme must be http or https, not {parts.scheme or 'empty'}")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress("the address contains a user name or password")
    return host, port or (443 if parts.scheme == "https" else 80)


def _is_allowed(ip: str, local: bool) -> bool:
    address = ip_of(ip)
    return address is not None and ((local and is_loopback(ip)) or is_public_ip(address))
