"""The process's TLS context, and the rule which hosts may receive the key without TLS."""

import os
import re
import ssl
import threading
from functools import cache

from runner.diagnostics.failures import ConnectionUnusable
from runner.settings.environment import certificate_variables

_context_lock = threading.Lock()


def context() -> ssl.SSLContext:
    """The shared context for https; its creation takes tens of milliseconds, so call this in a thread."""
    # `cache` alone would let two threads that come first both read the certificates.
    with _context_lock:
        return _context()


@cache
def _context() -> ssl.SSLContext:
    """The context; raise `ConnectionUnusable` naming the variable if its certificates cannot be read."""
    import httpx

    variables = certificate_variables()
    folder = variables.get("SSL_CERT_DIR") if "SSL_CERT_FILE" not in variables else None
    if folder is not None and not _has_certificates(folder):
        raise _unusable("SSL_CERT_DIR", folder, "it is no folder of certificates that `openssl rehash` has named")
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        name = next((name for name in ("SSL_CERT_FILE", "SSLKEYLOGFILE") if name in variables), None)
        # OpenSSL does not say which of the two files it could not open.
        if name == "SSL_CERT_FILE" and "SSLKEYLOGFILE" in variables and _is_readable(variables[name]):
            name = "SSLKEYLOGFILE"
        if name is None:
            raise
        reason = "it has no certificate" if isinstance(error, ssl.SSLError) else error.strerror or str(error)
        raise _unusable(name, variables[name], reason) from error


def _unusable(name: str, value: str, reason: str) -> ConnectionUnusable:
    return ConnectionUnusable(
        f"{name}={value} cannot be used for TLS ({reason}): nothing was sent. Name what exists, or remove the "
        f"variable:\n  unset {name}",
    )


def _is_readable(file: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except OSError:
        return False
    return True


def _has_certificates(folder: str) -> bool:
    """Whether OpenSSL finds certificates in a folder: files by the hash of their subject, like `9d04f354.0`."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    return any(re.fullmatch(r"[0-9a-f]{8}\.\d+", name) for name in names)


@cache
def no_trust_context() -> ssl.SSLContext:
    """A context without certificates, for clients that use loopback without TLS: its creation is fast."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
