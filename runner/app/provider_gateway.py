"""The implementation of `ProviderPort` with the HTTP client, uploader, downloader and clip store."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import anyio
from anyio import to_thread

from runner.app.material_store import open_store
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip, CreateResult, Doubtful, Lost, Output, PollResult, Running, Stored, Succeeded
from runner.editions.edition import Edition
from runner.engine.ports import Published, TransferFailed
from runner.files.writing import remove_file
from runner.hosts import is_loopback
from runner.lazy_dataclass import dataclass, field
from runner.paid_providers import paid_provider
from runner.planning.material_routes import Route, Routes
from runner.planning.plan import Step
from runner.providers.api import ApiClient, provider_api
from runner.providers.transport import tls
from runner.providers.transport.address_fetcher import AddressFetcher
from runner.providers.transport.download import Downloaded, Downloader, LinkExpired
from runner.providers.transport.proxy import proxy_for
from runner.publish.content import ContentReader
from runner.publish.materials import MaterialPublisher
from runner.requests.placeholder import placeholder
from runner.requests.request import JsonValue, Material, Request
from runner.requests.shot_text import NO_TEXT, ShotText
from runner.sandbox.embedded import embedded
from runner.settings.api_key import ApiKey
from runner.settings.settings import Settings
from runner.store.clip_store import ClipStore

# Threads that download: each holds a connection and a part file.
_PARALLEL_DOWNLOADS = 4


@dataclass(slots=True)
class ProviderGateway:
    """The engine's port to provider and disk; mutable: the limiter of downloads, and the unusable downloads."""

    client: ApiClient
    publisher: MaterialPublisher
    downloader: Downloader
    clip_store: ClipStore
    free: bool
    """Whether it is a free account, where every key is as good."""
    provider: str
    """The name of the provider, or `sandbox`."""
    download_limiter: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_PARALLEL_DOWNLOADS))
    unusable: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the last download of an attempt that was no complete video, by the attempt's id."""

    @property
    def key_id(self) -> str:
        return self.client.key_id

    def is_barred(self, attempt: Attempt) -> bool:
        """Whether a task was ordered with another key: it is not asked for with this one."""
        return not self.free and attempt.needs_other_key(self.key_id)

    def encode(
        self, request: Request, edition: Edition, address: Callable[[Material], str | None]
    ) -> dict[str, JsonValue]:
        return provider_api(self.provider).encode(
            request, edition, lambda material: self._link(address(material)) or placeholder(material)
        )

    def _link(self, address: str | None) -> str | None:
        return None if address is None else self.publisher.link(address)

    async def preflight(self) -> CreateResult | None:
        return await self.client.preflight()

    async def create(
        self,
        body: Mapping[str, JsonValue],
        webhook_token: str,
        before_send: Callable[[], Awaitable[None]],
        shot_text: ShotText = NO_TEXT,
    ) -> CreateResult:
        return await self.client.create(body, webhook_token, before_send, shot_text)

    async def poll(self, attempt: Attempt) -> PollResult:
        return await _poll(self.client, attempt)

    async def publish(self, material: Material, source: Attempt | None) -> Published | TransferFailed:
        return await self.publisher.publish(material, source)

    async def recheck(self, material: Material, address: str) -> TransferFailed | None:
        return await self.publisher.recheck(material, address)

    async def store(self, attempt: Attempt, step: Step | None) -> Stored | Doubtful | Lost | TransferFailed:
        # Abandoned: at the second Ctrl-C nobody waits for a thread, and the next run continues its part file.
        return await to_thread.run_sync(
            lambda: self._store(attempt, step), limiter=self.download_limiter, abandon_on_cancel=True
        )

    async def restore_local(self, attempt: Attempt, step: Step) -> Stored | Doubtful | None:
        """Restore the clip from another place on this disk; a doubtful one beside its take's name."""
        if attempt.state is AttemptState.DOUBTFUL:
            return await to_thread.run_sync(self.clip_store.restore_doubtful, attempt, step)
        return await to_thread.run_sync(self.clip_store.restore, attempt, step)

    async def download_exact(self, attempt: Attempt, step: Step | None) -> Stored | Doubtful | TransferFailed:
        """Download the recorded clip; other content is rejected, unless the recorded clip is doubtful.

        Without a step it is the clip of an orphan, and goes into `earlier/`.
        """
        return await to_thread.run_sync(lambda: self._download_twice(attempt, step), limiter=self.download_limiter)

    def _store(self, attempt: Attempt, step: Step | None) -> Stored | Doubtful | TransferFailed:
        """Restore the clip from this disk, else download it."""
        if step is None:
            return self._download(attempt, None, None)
        try:
            stored = self.clip_store.restore(attempt, step)
        except OSError as error:
            return TransferFailed(f"{self.clip_store.clip_path(step).name}: {error.strerror or error}", final=True)
        return stored if stored is not None else self._download(attempt, step, None)

    def _download_twice(self, attempt: Attempt, step: Step | None) -> Stored | Doubtful | TransferFailed:
        """Download outside a run, which would try again later: an unusable file is asked for once more at once."""
        expected = attempt.clip if attempt.state is not AttemptState.DOUBTFUL else None
        result = self._download(attempt, step, expected)
        if isinstance(result, TransferFailed) and result.unusable:
            return self._download(attempt, step, expected)
        return result

    def _download(
        self, attempt: Attempt, step: Step | None, expected: Clip | None
    ) -> Stored | Doubtful | TransferFailed:
        """Download by the provider's link; without a step into `earlier/`."""
        if not attempt.outputs:
            return TransferFailed("the provider has given no link yet")
        clip_store = self.clip_store
        try:
            part = clip_store.part_path(step) if step is not None else clip_store.archive_part_path(attempt)
            match self.downloader.fetch(attempt.outputs[0].url, part):
                case Downloaded(path, sha256) if expected is not None and sha256 != expected.sha256:
                    # `fetch` promises the recorded clip: other content under its name would make the manifest a lie.
                    remove_file(path, clip_store.root)
                    return TransferFailed("the download is not the recorded clip: its hash differs", final=True)
                case Downloaded() as downloaded:
                    return self._keep(downloaded, attempt, step)
                case LinkExpired(message):
                    return TransferFailed(message, link_expired=True)
                case TransferFailed() as failure:
                    return failure
        except OSError as error:
            name = (clip_store.clip_path(step) if step is not None else clip_store.archive_path(attempt)).name
            return TransferFailed(f"{name}: {error.strerror or error}", final=True)

    def _keep(self, downloaded: Downloaded, attempt: Attempt, step: Step | None) -> Stored | Doubtful | TransferFailed:
        """Verify a downloaded file; the same content twice means that the provider has no other."""
        path, sha256 = downloaded.path, downloaded.sha256
        # Only of a whole download: one that broke off twice at the same byte proves nothing.
        repeated = downloaded.has_known_end and self.unusable.get(attempt.id) == sha256
        if step is None:
            result = self.clip_store.archive(path, sha256, attempt, repeated=repeated)
        else:
            result = self.clip_store.store(path, sha256, attempt, step, repeated=repeated)
        if isinstance(result, TransferFailed) and result.unusable:
            self.unusable[attempt.id] = sha256
        return result


def _route_of(routes: Routes | None) -> Callable[[Material], Route]:
    """The planned routes; the free sandbox takes every material as an upload."""
    return routes.of if routes is not None else lambda material: Route(material, ("upload",), "")


async def _poll(client: ApiClient, attempt: Attempt) -> PollResult:
    """Ask for the record of an attempt's task; it must name the attempt's model."""
    # Without a task nothing is asked: "not found" would call a clip gone that no task could have made.
    if attempt.task_id is None:
        return Running("", "it has no task id", answered=False)
    # The record must be of this model: a mixed-up answer of the provider would otherwise end the wrong task.
    return await client.poll(attempt.task_id, attempt.model)


async def _output_of(client: ApiClient, attempt: Attempt) -> Output | None:
    """The provider's links to an attempt's clip and its last frame, asked for anew."""
    result = await _poll(client, attempt)
    return result.outputs[0] if isinstance(result, Succeeded) and result.outputs else None


async def open_gateway(
    settings: Settings, edition: Edition, routes: Routes | None, clip_store: ClipStore, stack: AsyncExitStack
) -> ProviderGateway:
    """Open client, uploader and downloader for the provider of the settings; `stack` closes them."""
    if settings.account.free:
        address = stack.enter_context(embedded(settings.state / "sandbox", edition))
        base_url, key, reads_shot_text = address.base_url, ApiKey(address.key), address.reads_shot_text
    else:
        base_url, key, reads_shot_text = (
            settings.base_url,
            settings.key(),
            paid_provider(settings.provider).reads_shot_text,
        )
    client = await stack.enter_async_context(
        provider_api(settings.provider).client(base_url, key, edition, reads_shot_text=reads_shot_text)
    )
    is_local = is_loopback(urlsplit(base_url).hostname or "")
    # No proxy reaches this machine's own addresses.
    proxy = None if is_local else proxy_for(base_url)
    if not is_local:
        await to_thread.run_sync(tls.context)  # certificates that cannot be read are told before an order
    uploads = await stack.enter_async_context(provider_api(settings.provider).uploader(base_url, key, proxy))
    # Cut parts and frames to be published; they are made again from the clips at any time.
    scratch = Path(stack.enter_context(TemporaryDirectory(prefix="storyboard-")))
    publisher = MaterialPublisher(
        ContentReader(settings.root, scratch, clip_store.find),
        _route_of(routes),
        uploads.send,
        AddressFetcher(local=is_local, proxy=proxy).fetch,
        partial(_output_of, client),
        client.clock,
        open_store(settings, edition),
        # The sandbox takes uploads only, which nobody else has to read.
        check=settings.publish.check and not settings.account.free,
    )
    downloader = Downloader(local=is_local, proxy=proxy, root=settings.root)
    return ProviderGateway(client, publisher, downloader, clip_store, settings.account.free, settings.provider)
