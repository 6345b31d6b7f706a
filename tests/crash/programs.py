"""A pool of prepared programs, for points that are tried in parallel."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import LifoQueue

from .prepared import PreparedProgram, prepared_program

AT_ONCE = 4


@dataclass(slots=True)
class Programs:
    """A pool of waiting programs; at most `AT_ONCE` are started."""

    library: Path
    started: ExitStack
    idle: LifoQueue[PreparedProgram | None] = field(default_factory=LifoQueue)

    def __post_init__(self) -> None:
        for _ in range(AT_ONCE):
            self.idle.put(None)

    @contextmanager
    def borrow(self) -> Iterator[PreparedProgram]:
        program = self.idle.get() or self.started.enter_context(prepared_program(self.library))
        try:
            yield program
        finally:
            self.idle.put(program)
