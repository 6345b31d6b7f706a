"""News that the coroutine of a take waits for: the poller's answers, and the downloads that the schedule orders."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from runner.attempts.events import PollResult
from runner.engine.queue import Target

News = PollResult | Target
"""An answer to a poll, or for whom the clip is to be downloaded now."""


class TakeNews:
    """The news of every task that a coroutine looks after, in the order of their coming."""

    def __init__(self) -> None:
        self._listeners: dict[str, Listener] = {}
        self._start: Callable[[str], object] = lambda attempt_id: None

    def on_first(self, start: Callable[[str], object]) -> None:
        """Set what starts the coroutine of an attempt that has none when news of it come."""
        self._start = start

    def send(self, attempt_id: str, news: News) -> None:
        """Hand news to the coroutine of an attempt."""
        is_first = attempt_id not in self._listeners
        self._listener(attempt_id).put(news)
        if is_first:
            self._start(attempt_id)

    @contextmanager
    def listening(self, attempt_id: str) -> "Iterator[Listener]":
        """Context manager: the news of one attempt; one coroutine listens at a time."""
        try:
            yield self._listener(attempt_id)
        finally:
            del self._listeners[attempt_id]

    def _listener(self, attempt_id: str) -> "Listener":
        return self._listeners.setdefault(attempt_id, Listener())


class Listener:
    """The news of one attempt that its coroutine has not read yet."""

    def __init__(self) -> None:
        self._unread: deque[News] = deque()
        self._arrival: anyio.Event | None = None

    def put(self, news: News) -> None:
        self._unread.append(news)
        if self._arrival is not None:
            self._arrival.set()

    async def next(self) -> News:
        """The next news; waits for them."""
        while not self._unread:
            self._arrival = anyio.Event()
            await self._arrival.wait()
        return self._unread.popleft()
