"""Asking the real client one thing, from a test that is not async."""

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


async def marked() -> None:
    """A sending mark that is made at once."""


def ask(url: str, question: Callable[[Client], Awaitable[Answer]], **changes: Any) -> Answer:
    """Opens a client at that address, asks, closes it."""
    arguments = {"deadlines": SOON, "key": KEY, **changes}

    async def open_and_ask() -> Answer:
        async with Client(url, edition=load("classic"), **arguments) as client:
            return await question(client)

    return anyio.run(open_and_ask)


def create(url: str, before_send: Callable[[], Awaitable[None]] = marked, **changes: Any) -> Any:
    """One createTask."""
    return ask(url, lambda client: client.create(BODY, "receipt", before_send), **changes)


def look(url: str, task: str = "task_1", **changes: Any) -> Any:
    """One recordInfo."""
    return ask(url, lambda client: client.poll(task), **changes)


def preflight(url: str, **changes: Any) -> Any:
    """The question before the first paid request."""
    return ask(url, lambda client: client.preflight(), **changes)


def patient(create: float) -> Deadlines:
    """Deadlines with another total for createTask."""
    return replace(SOON, create=create)
