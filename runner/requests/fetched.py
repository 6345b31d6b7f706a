"""The outcome of fetching the first bytes of a material's address."""

from runner.lazy_dataclass import dataclass

HEAD_BYTES = 1024
"""Bytes that are read of an address, at most."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to a GET of an address's first bytes, after its redirects."""

    status: int
    head: bytes
    """The first bytes, `HEAD_BYTES` of them unless more were asked for."""
    length: int | None = None
    """Bytes of the whole file, if the server names them."""
    wait: float = 0.0
    """Seconds that the server asks to wait (`Retry-After`); 0 without it."""


@dataclass(frozen=True, slots=True)
class NotFetched:
    """A fetch without an answer."""

    message: str
    forbidden: bool = False
    """Whether the address, or a redirect, leads where no fetch may go: to a private host, or away from https."""
