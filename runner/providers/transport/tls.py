"""The process's TLS context, and the rule which hosts may receive the key without TLS."""

import ssl
import threading
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit

_context_lock = threading.Lock()


def context() -> ssl.SSLContext:
    """The shared context for https; its creation takes tens of milliseconds, so call this in a thread."""
    with _context_lock:
        return _context()


@cache
def _context() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


@cache
def no_trust_context() -> ssl.SSLContext:
    """A context without certificates, for clients that use loopback without TLS: its creation is fast."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or IP alone, without resolving."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def may_have_key(base_url: str) -> bool:
    """Whether the key may be sent to a URL: by https, or to this machine."""
    parts = urlsplit(base_url)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
