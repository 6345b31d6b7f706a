"""A bound on the bytes of materials that are in memory at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from runner.lazy_dataclass import dataclass, field

# Five contents of the size that still goes from memory: enough to fill a line, little for any machine.
MAX_BYTES = 40 << 20


@dataclass(slots=True)
class MemoryBound:
    """The bound of contents in memory: those that fit together; a larger one goes alone. Mutable: the bytes inside."""

    limit: int = MAX_BYTES
    _inside: int = 0
    _changed: anyio.Condition = field(default_factory=anyio.Condition)

    @asynccontextmanager
    async def hold(self, size: int) -> AsyncIterator[None]:
        """A block that holds `size` bytes; waits until there is room."""
        async with self._changed:
            # A content above the limit comes in when nobody else is inside, or it would wait for ever.
            while self._inside and self._inside + size > self.limit:
                await self._changed.wait()
            self._inside += size
        try:
            yield
        finally:
            # Also in a run that is cancelled: bytes that are never given back would block what is still to be sent.
            with anyio.CancelScope(shield=True):
                async with self._changed:
                    self._inside -= size
                    self._changed.notify_all()
