"""The webhook listener of a run, connected to the engine's inbox."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from runner.clock import Clock
from runner.engine.run_events import RunEvent
from runner.engine.webhooks import WebhookInbox
from runner.providers.api import ApiClient, provider_api
from runner.settings.settings import Settings


@asynccontextmanager
async def listen(
    settings: Settings, client: ApiClient, clock: Clock, emit: Callable[[RunEvent], None]
) -> AsyncIterator[WebhookInbox | None]:
    """Run the webhook listener; yield its inbox, or None without `[webhook]` or if its port is taken.

    Requests name a callback address only while the listener runs.
    """
    webhook = settings.webhook
    if webhook is None or settings.account.free:
        yield None
        return
    from runner.providers.transport.webhook_server import WebhookServer

    inbox = WebhookInbox(client.fetch_record)
    server = WebhookServer(
        inbox.is_known_token, inbox.on_callback, provider_api(settings.provider).read_callback, clock=clock
    )
    async with server.listening(webhook.host, webhook.port) as problem:
        # A port in use costs only speed: polling finds the same answers.
        if problem is not None:
            emit(RunEvent("warning", clock.now(), message=problem))
            yield None
        else:
            # Only while somebody listens: the provider would call an address in vain.
            client.callbacks = webhook.url
            yield inbox
