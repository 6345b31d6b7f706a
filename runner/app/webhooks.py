"""Webhooks beside a run: the receiver joined with the loop's hints."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from runner.app.session import Opened
from runner.clock import Clock
from runner.engine.run_events import News
from runner.engine.webhooks import Hints
from runner.providers.kinovi.client import Client


@asynccontextmanager
async def ears(desk: Opened, client: Client, clock: Clock, tell: Callable[[News], None]) -> AsyncIterator[Hints | None]:
    """Hears webhooks for as long as the block lasts; None without `[webhook]`, or when its port cannot be had.

    Requests name a callback only while somebody hears it.
    """
    webhook = desk.settings.webhook
    if webhook is None or desk.settings.account.free:
        yield None
        return
    from runner.providers.transport.webhook_server import Receiver

    hints = Hints(client.confirm)
    async with Receiver(hints.knows, hints.heard, clock=clock).listening(webhook.host, webhook.port) as trouble:
        if trouble is not None:
            tell(News("warning", clock.now(), words=trouble))
            yield None
        else:
            client.callbacks = webhook.url
            yield hints
