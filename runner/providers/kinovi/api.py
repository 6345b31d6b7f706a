"""The implementation of `ProviderApi` for Kinovi; each method imports the module that it needs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.attempts.events import FailureClass
from runner.attempts.task_facts import Callback
from runner.diagnostics.problem import HealthCheck
from runner.editions.edition import Edition
from runner.providers.api import ApiClient, ProviderApi, Uploader
from runner.requests.request import JsonValue, Material, Request
from runner.settings.api_key import ApiKey

if TYPE_CHECKING:
    import httpx


# Imported method by method: a plan asks for the encoder alone, and loads no HTTP client.
class _KinoviApi:
    def client(self, base_url: str, key: ApiKey, edition: Edition, *, reads_shot_text: bool = False) -> ApiClient:
        from runner.providers.kinovi.client import Client

        return Client(base_url, key, edition, reads_shot_text=reads_shot_text)

    def uploader(self, base_url: str, key: ApiKey, proxy: "httpx.Proxy | None") -> Uploader:
        from runner.providers.kinovi.uploads import UploadClient

        return UploadClient(base_url, key, proxy=proxy)

    def encode(self, request: Request, edition: Edition, address: Callable[[Material], str]) -> dict[str, JsonValue]:
        from runner.providers.kinovi.request_body import encode

        return encode(request, edition, address)

    def encoder(
        self, edition: Edition, address: Callable[[Material], str]
    ) -> Callable[[Request], dict[str, JsonValue]]:
        from runner.providers.kinovi.request_body import encoder

        return encoder(edition, address)

    def field_at(self, path: str, edition: Edition) -> str | None:
        from runner.providers.kinovi.request_body import field_at

        return field_at(path, edition)

    def material_at(self, path: str, request: Request, edition: Edition) -> int | None:
        from runner.providers.kinovi.request_body import material_at

        return material_at(path, request, edition)

    def failure_class(self, message: str) -> FailureClass:
        from runner.providers.kinovi.task_record import failure_class

        return failure_class(message)

    def read_callback(self, body: bytes) -> Callback | None:
        from runner.providers.kinovi.callback import read_callback

        return read_callback(body)

    async def sample_tasks(self, client: ApiClient) -> list[HealthCheck]:
        from runner.providers.kinovi.sample_tasks import sample_tasks

        return await sample_tasks(client)


API: ProviderApi = _KinoviApi()
