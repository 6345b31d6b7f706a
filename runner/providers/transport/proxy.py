"""The proxy between this machine and a host, from the environment; an address that cannot be used is exit 3."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

import httpx

from runner.diagnostics.failures import ConnectionUnusable
from runner.hosts import is_loopback
from runner.settings.environment import hide_userinfo, proxies, variable_of_proxy

_SCHEMES = ("http", "https", "socks5", "socks5h")
_LATER = "pass --provider sandbox for free clips, which need no proxy"


def proxy_for(url: str, addresses: Mapping[str, str] | None = None) -> httpx.Proxy | None:
    """The proxy for a URL, None for none; `addresses` maps URL schemes to proxies, and `no` to the hosts without.

    This machine needs no proxy. Raise `ConnectionUnusable` naming the variable if its address cannot be used.
    """
    addresses = proxies() if addresses is None else addresses
    parts = urlsplit(url)
    scheme = _scheme(url, addresses)
    address = addresses.get(scheme, "").strip()
    if not address or is_loopback(parts.hostname or "") or _is_excepted(url, addresses.get("no", "")):
        return None
    # As curl reads it: an address without a scheme is an HTTP proxy.
    text = address if "://" in address else f"http://{address}"
    try:
        if urlsplit(text).scheme not in _SCHEMES or urlsplit(text).port == 0 or not urlsplit(text).hostname:
            raise ValueError(text)
        proxy = httpx.Proxy(text)
        _ = proxy.url.raw_host, proxy.raw_auth
    except (ValueError, httpx.InvalidURL, UnicodeError):
        raise ConnectionUnusable(
            f"{variable_of_proxy(scheme)}={hide_userinfo(address)} is not the address of a proxy: nothing was sent. "
            f"Write one of {', '.join(f'{name}://host:port' for name in _SCHEMES)}; remove the variable where "
            f"there is no proxy; or {_LATER}",
        ) from None
    return proxy


def route_to(url: str) -> str:
    """The proxy on the way to a URL, for messages: `through the proxy proxy.example:3128 of ALL_PROXY`; else ""."""
    addresses = proxies()
    proxy = proxy_for(url, addresses)
    if proxy is None:
        return ""
    port = f":{proxy.url.port}" if proxy.url.port else ""
    return f"through the proxy {proxy.url.host}{port} of {variable_of_proxy(_scheme(url, addresses))}"


def _scheme(url: str, addresses: Mapping[str, str]) -> str:
    """The scheme whose proxy a URL has: its own, else `all`."""
    own = urlsplit(url).scheme
    return own if addresses.get(own) else "all"


def _is_excepted(url: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host of a URL: by name, by the end of the name, by IP, network, or with a port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return any(_names(entry, host, port) for entry in no_proxy.replace(",", " ").split())


def _names(entry: str, host: str, port: int) -> bool:
    name = entry.rpartition("://")[2].lower()
    if name == "*":
        return True
    if _is_in_network(name.strip("[]"), host):
        return True
    name, colon, number = name.rpartition(":") if name.rpartition(":")[2].isdigit() else (name, "", "")
    # Cut off: a number of thousands of digits would be refused with an exception.
    if colon and int(number[:6]) != port:
        return False
    name = name.strip("[]").lstrip("*").strip(".")
    return bool(name) and (host == name or host.endswith(f".{name}") or _is_in_network(name, host))


def _is_in_network(name: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        return False


@contextmanager
def socks_failures() -> Iterator[None]:
    """A block in which an answer that is not of the SOCKS protocol is a `ProxyError`."""
    try:
        yield
    except Exception as error:
        # By its module: httpcore lets the exceptions of an optional library through, which may not be installed.
        if not type(error).__module__.startswith("socksio"):
            raise
        raise httpx.ProxyError(f"the SOCKS proxy did not answer as one: {error}") from error
