"""Single calls of the real client for tests that are not async."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import anyio

from runner.editions.edition import load
from runner.providers.kinovi.client import Client, Deadlines
from runner.settings.api_key import ApiKey

KEY = ApiKey("canary/key+0123=456789")
BODY: dict[str, Any] = {"model": "seedance-20", "inputs": {"prompt": "Sunrise", "outputResolution": "720p"}}
SOON = Deadlines(connect=1.0, create=1.0, poll=1.0)

Answer = TypeVar("Answer")


async def send_at_once() -> None:
    """A `before_send` that returns at once."""


def ask(url: str, call: Callable[[Client], Awaitable[Answer]], **changes: Any) -> Answer:
    """Open a client for a URL, make one call, close the client."""
    arguments = {"deadlines": SOON, "key": KEY, **changes}

    async def open_and_ask() -> Answer:
        async with Client(url, edition=load("classic"), **arguments) as client:
            return await call(client)

    return anyio.run(open_and_ask)


def create(url: str, before_send: Callable[[], Awaitable[None]] = send_at_once, **changes: Any) -> Any:
    """Send one createTask."""
    return ask(url, lambda client: client.create(BODY, "receipt", before_send), **changes)


def poll(url: str, task: str = "task_1", **changes: Any) -> Any:
    """Send one recordInfo."""
    return ask(url, lambda client: client.poll(task, None), **changes)


def preflight(url: str, **changes: Any) -> Any:
    """Run the preflight."""
    return ask(url, lambda client: client.preflight(), **changes)


def deadlines_of(create: float) -> Deadlines:
    """Deadlines with another total for createTask."""
    return replace(SOON, create=create)
