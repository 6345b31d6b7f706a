"""The hands of a run: client, uploads, downloads and clips, joined as the loop asks for them."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from runner.app.run_store import owners
from runner.app.session import Opened
from runner.attempts.events import Clip, CreateAnswer, LookAnswer, Stored, Vanished
from runner.attempts.history import Attempt, History
from runner.editions.edition import Edition
from runner.engine.ports import NotYet
from runner.lazy_dataclass import dataclass, field
from runner.planning.plan import Step
from runner.providers.kinovi import request_body
from runner.providers.kinovi.client import Client
from runner.providers.kinovi.uploads import Uploads
from runner.providers.transport.download import Dead, Downloader, Fetched
from runner.publish.materials import Publisher
from runner.requests.request import Material, Plain, Request
from runner.sandbox.embedded import embedded
from runner.settings.api_key import Key
from runner.settings.settings import host_of, proxies
from runner.store.clip_store import Shelf

_DOWNLOADS = 4


@dataclass(slots=True)
class Hands:
    """What the loop asks of the world. The only mutable state: the gate for downloads."""

    client: Client
    publisher: Publisher
    downloader: Downloader
    shelf: Shelf
    gate: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_DOWNLOADS))

    @property
    def key_id(self) -> str:
        return self.client.key_id

    def encode(self, request: Request, edition: Edition, address: Callable[[Material], str | None]) -> dict[str, Plain]:
        return request_body.body(
            request, edition, lambda material: address(material) or request_body.placeholder(material)
        )

    async def preflight(self) -> CreateAnswer | None:
        return await self.client.preflight()

    async def create(
        self, body: Mapping[str, Plain], receipt: str, sending: Callable[[], Awaitable[None]]
    ) -> CreateAnswer:
        return await self.client.create(body, receipt, sending)

    async def look(self, task_id: str, model: str | None = None) -> LookAnswer:
        return await self.client.look(task_id, model)

    async def publish(self, material: Material, source: Attempt | None) -> str | NotYet:
        return await self.publisher.publish(material, source)

    async def store(self, attempt: Attempt, step: Step) -> Stored | Vanished | NotYet:
        return await to_thread.run_sync(lambda: self._stored(attempt, step), limiter=self.gate, abandon_on_cancel=True)

    async def recall(self, attempt: Attempt, step: Step) -> Stored | None:
        """The clip from wherever it lies on this disk."""
        return await to_thread.run_sync(self.shelf.recall, attempt, step)

    async def bring(self, attempt: Attempt, step: Step) -> Stored | NotYet:
        """The very clip that was made, from the provider; another content is not put in its place."""
        return await to_thread.run_sync(lambda: self._downloaded(attempt, step, attempt.clip), limiter=self.gate)

    def _stored(self, attempt: Attempt, step: Step) -> Stored | NotYet:
        """From wherever the clip lies already, else from the provider's link."""
        try:
            here = self.shelf.recall(attempt, step)
        except OSError as error:
            return NotYet(f"{self.shelf.target(step).name}: {error.strerror or error}", final=True)
        return here if here is not None else self._downloaded(attempt, step, None)

    async def bring_home(self, attempt: Attempt, step: Step | None) -> Stored | NotYet:
        """The clip of a take that was asked for earlier: under its name if it has one, else among the earlier ones.

        The very one, where it is known which.
        """
        return await to_thread.run_sync(
            lambda: self._downloaded(attempt, step, attempt.clip), limiter=self.gate, abandon_on_cancel=True
        )

    def _downloaded(self, attempt: Attempt, step: Step | None, wanted: Clip | None) -> Stored | NotYet:
        """From the provider's link; without a step to the earlier ones."""
        if not attempt.outputs:
            return NotYet("the provider has named no link yet")
        shelf = self.shelf
        try:
            part = shelf.part(step) if step is not None else shelf.part_aside(attempt)
            match self.downloader.fetch(attempt.outputs[0].url, part):
                case Fetched(path, sha256) if wanted is not None and sha256 != wanted.sha256:
                    path.unlink(missing_ok=True)
                    return NotYet("what the provider sent is not the clip that was made", final=True)
                case Fetched(path, sha256):
                    if step is None:
                        return shelf.place_aside(path, sha256, attempt)
                    return shelf.place(path, sha256, attempt, step)
                case Dead(words):
                    return NotYet(words, dead=True)
                case NotYet() as not_yet:
                    return not_yet
        except OSError as error:
            name = (shelf.target(step) if step is not None else shelf.aside(attempt)).name
            return NotYet(f"{name}: {error.strerror or error}", final=True)


async def open_hands(desk: Opened, history: History, stack: AsyncExitStack) -> Hands:
    settings = desk.settings
    if settings.account.free:
        address = stack.enter_context(embedded(settings.state / "sandbox", desk.edition))
        base_url, key = address.base_url, Key(address.key)
    else:
        base_url, key = settings.base_url, settings.key()
    client = await stack.enter_async_context(Client(base_url, key, desk.edition))
    shelf = Shelf(settings.root, desk.output, owners(history).get)
    local = host_of(base_url) != urlsplit(base_url).hostname
    proxy = None if local else proxies().get("https")
    uploads = await stack.enter_async_context(Uploads(base_url, key, proxy=proxy))
    scratch = Path(stack.enter_context(TemporaryDirectory(prefix="storyboard-")))
    publisher = Publisher(settings.root, scratch, shelf.whereabouts, uploads.send)
    downloader = Downloader(local=local, proxy=proxy)
    return Hands(client, publisher, downloader, shelf)
