"""A store of the user's own (S3, GCS, Azure, a served folder): objects by content hash, signed links with an end."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio.to_thread

from runner.clock import Clock
from runner.diagnostics.failures import InstallationError, StoreUnusable
from runner.engine.ports import TransferFailed
from runner.hosts import is_https_or_local
from runner.lazy_dataclass import dataclass, field
from runner.lazy_pattern import lazy_pattern
from runner.publish.content import Content

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Backend

# AWS refuses links that live longer.
_LONGEST_LINK = timedelta(days=7)
# The time that a link lives beyond a task: it is signed before the task is created, which may wait for a slot.
_MARGIN = timedelta(hours=1)
# The life of a link for this program's own check: it is fetched at once.
_CHECK_LINK = timedelta(minutes=5)
_RETRIES = 2
# Few, since the run tries a failed upload again by itself, and says so.
_RETRY_SECONDS = 20
_TIMEOUT = "60s"
# Bytes of one piece of a large object; S3 takes no smaller ones.
_PIECE = 5 << 20
_CONNECT_TIMEOUT = "10s"
_S3 = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_GCS = ("GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_APPLICATION_CREDENTIALS")
_GCS_KEY = "GOOGLE_SERVICE_ACCOUNT_KEY"
_AZURE = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY")


def key_of(content: Content) -> str:
    """The object's key: `sha256/ab/abcd….png`, without any name of the user's."""
    return f"sha256/{content.sha256[:2]}/{content.sha256}{content.ending}"


@dataclass(slots=True)
class ObjectStore:
    """One store of a run. Mutable: the client, opened at the first object."""

    url: str
    """As configured: `s3://acme-film/refs`."""
    base_url: str | None
    environment: Mapping[str, str]
    """The cloud's own variables."""
    root: Path
    """The folder from which `file:` paths count."""
    clock: Clock
    task_life: timedelta
    _backend: "Backend | None" = field(default=None, repr=False)

    def check_ready(self) -> None:
        """Raise `InstallationError` without the client, `StoreUnusable` if credentials are missing or end too soon."""
        self._open()
        if self.base_url is None:
            self._link_life()

    async def put(self, content: Content, anew: bool = False) -> str | TransferFailed:
        """The key of an object with the content, put there unless the store has it; `anew`: in any case."""
        # In threads: a future of the client's own that outlives the event loop can abort the interpreter at its end.
        return await anyio.to_thread.run_sync(self._put, self._open(), content, anew, abandon_on_cancel=True)

    def _put(self, backend: "Backend", content: Content, anew: bool) -> str | TransferFailed:
        import obstore
        from obstore.exceptions import BaseError

        key = key_of(content)
        try:
            if anew or _size_of(backend, key) != content.size:
                attributes: Any = None if self.url.startswith("file:") else {"Content-Type": content.content_type}
                in_parts = not isinstance(content.body, bytes)
                bounds: Any = {"chunk_size": _PIECE, "max_concurrency": 1} if in_parts else {}
                obstore.put(backend, key, content.body, attributes=attributes, use_multipart=in_parts, **bounds)
        except (BaseError, OSError) as error:
            return self._failure(content, error)
        return key

    def link(self, key: str) -> str:
        """The address of an object for a task that is created now: below `base_url`, else a link signed now."""
        return self._link(key, None)

    def check_link(self, key: str) -> str:
        """The address by which an object is checked; a signed one ends within minutes."""
        return self._link(key, _CHECK_LINK)

    def _link(self, key: str, life: timedelta | None) -> str:
        if self.base_url is not None:
            return f"{self.base_url}/{key}"
        import obstore
        from obstore.exceptions import BaseError

        try:
            return obstore.sign(self._signer(), "GET", key, self._link_life() if life is None else life)
        except (BaseError, OSError, ValueError) as error:
            message = f"{self.url}: a link cannot be signed ({_kind_of(error)}); set `base_url`, or use another key"
            raise StoreUnusable(message) from None

    def _link_life(self) -> timedelta:
        """The life of a link that is signed now: that of its credentials, at most seven days."""
        end = self._credentials_end()
        if end is None:
            return _LONGEST_LINK
        left = end - self.clock.now()
        if left < self.task_life + _MARGIN:
            needed = (self.task_life + _MARGIN).total_seconds() / 3600
            raise StoreUnusable(
                f"{self.url}: the credentials end at {end:%Y-%m-%d %H:%M} UTC (AWS_CREDENTIAL_EXPIRATION), and a link "
                f"has to live {needed:.1f} hours: renew them; nothing more was ordered",
            )
        return min(left, _LONGEST_LINK)

    def _credentials_end(self) -> datetime | None:
        text = self.environment.get("AWS_CREDENTIAL_EXPIRATION", "") if self.url.startswith("s3:") else ""
        if not text:
            return None
        try:
            end = datetime.fromisoformat(text)
        except ValueError:
            message = f"AWS_CREDENTIAL_EXPIRATION={text[:40]!r} is not a time, like 2026-05-01T12:00:00Z"
            raise StoreUnusable(message) from None
        return end if end.tzinfo else end.replace(tzinfo=UTC)

    def _signer(self) -> Any:
        return self._open()

    def _open(self) -> "Backend":
        if self._backend is None:
            self._backend = self._opened()
        return self._backend

    def _opened(self) -> "Backend":
        try:
            from obstore.exceptions import BaseError
            from obstore.store import LocalStore, from_url
        except ImportError:
            raise InstallationError(
                f"store = {self.url} needs the extra `publish`:\n  pip install 'storyboard-runner[publish]'",
            ) from None
        if self.url.startswith("file:"):
            return LocalStore(self._folder(), mkdir=True)
        config = self._config()
        plain = config.pop("plain", False)
        retries: Any = {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
            "backoff": {"init_backoff": timedelta(milliseconds=200), "max_backoff": timedelta(seconds=3), "base": 2},
        }
        options: Any = {"timeout": _TIMEOUT, "connect_timeout": _CONNECT_TIMEOUT, "allow_http": plain}
        try:
            return from_url(self.url, config=config, client_options=options, retry_config=retries)  # type: ignore[call-overload,no-any-return]
        except (BaseError, OSError, ValueError) as error:
            message = f"{self.url} cannot be opened ({_kind_of(error)}): are the store's variables right?"
            raise StoreUnusable(message) from None

    def _folder(self) -> Path:
        """The folder of a `file:` store; a relative one lies in the repository, whatever links lead out of it."""
        written = Path(self.url.removeprefix("file:"))
        folder = (self.root / written).resolve()
        if not written.is_absolute() and not folder.is_relative_to(self.root.resolve()):
            message = f"{self.url} leads out of the repository through a link; name the folder in your own config.toml"
            raise StoreUnusable(message)
        return folder

    # -- the variables of each cloud ----------------------------------------------------------------------

    def _config(self) -> dict[str, Any]:
        """The client's settings, credentials always among them: without, it would ask the cloud's metadata address."""
        scheme = urlsplit(self.url).scheme
        return {"s3": self._s3, "gs": self._gcs, "az": self._azure}[scheme]()

    def _s3(self) -> dict[str, Any]:
        self._require(*_S3)
        get = self.environment.get
        endpoint = get("AWS_ENDPOINT_URL_S3") or get("AWS_ENDPOINT_URL") or ""
        self._check_endpoint("AWS_ENDPOINT_URL", endpoint)
        config: dict[str, Any] = {
            "aws_access_key_id": get(_S3[0]),
            "aws_secret_access_key": get(_S3[1]),
            "aws_region": get("AWS_REGION") or get("AWS_DEFAULT_REGION") or "us-east-1",
        }
        config |= {"aws_endpoint_url": endpoint, "plain": endpoint.startswith("http:")} if endpoint else {}
        return config | ({"aws_session_token": token} if (token := get("AWS_SESSION_TOKEN")) else {})

    def _gcs(self) -> dict[str, Any]:
        get = self.environment.get
        path = next((get(name) for name in _GCS if get(name)), None)
        if path is None and not get(_GCS_KEY):
            raise self._missing(_GCS[-1], "the file of a service account, with its private key")
        account = get(_GCS_KEY) if path is None else _read_account(path)
        endpoint = _endpoint_of(account or "")
        self._check_endpoint("gcs_base_url of the service account", endpoint)
        return {"google_service_account_key": account, "plain": endpoint.startswith("http:")}

    def _azure(self) -> dict[str, Any]:
        self._require(*_AZURE)
        get = self.environment.get
        endpoint = get("AZURE_STORAGE_ENDPOINT") or ""
        self._check_endpoint("AZURE_STORAGE_ENDPOINT", endpoint)
        config: dict[str, Any] = {"account_name": get(_AZURE[0]), "account_key": get(_AZURE[1])}
        return config | ({"endpoint": endpoint, "plain": endpoint.startswith("http:")} if endpoint else {})

    def _require(self, *names: str) -> None:
        if missing := [name for name in names if not self.environment.get(name)]:
            raise self._missing(" and ".join(missing), "the store's credentials")

    def _missing(self, name: str, meaning: str) -> StoreUnusable:
        return StoreUnusable(f"store = {self.url} needs {name} ({meaning}); nothing was sent")

    def _check_endpoint(self, variable: str, endpoint: str) -> None:
        if endpoint and not is_https_or_local(endpoint):
            raise StoreUnusable(f"{variable} must be https; http is for this machine only")

    # -- failures -----------------------------------------------------------------------------------------

    def _failure(self, content: Content, error: BaseException) -> TransferFailed:
        """The failure of an upload: the client's own text would show signed links."""
        kind = _kind_of(error)
        time = f" (it says {self.clock.now():%Y-%m-%d %H:%M} UTC)" if kind == _CLOCK_OFF else ""
        return TransferFailed(f"{content.name}: not stored in {self.url}: {kind}{time}", final=kind in _FINAL)


def _size_of(backend: "Backend", key: str) -> int | None:
    """Bytes of an object; None if the store does not have it."""
    import obstore
    from obstore.exceptions import BaseError

    try:
        try:
            return int(obstore.head(backend, key)["size"])
        except BaseError as error:
            if _REFUSED.search(str(error)) is None:
                raise
        return int(obstore.get(backend, key).meta["size"])  # a refusal says why in its body, which HEAD has not
    except FileNotFoundError:
        return None


_MAX_ACCOUNT_BYTES = 1 << 16


def _read_account(path: str) -> str:
    """The text of a service account's file; raise `StoreUnusable` if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_MAX_ACCOUNT_BYTES)
    except (OSError, UnicodeDecodeError):
        message = f"GOOGLE_APPLICATION_CREDENTIALS={path} cannot be opened: name the file of a service account"
        raise StoreUnusable(message) from None


def _endpoint_of(account: str) -> str:
    """The address that a service account names in place of Google's own; empty for Google's."""
    try:
        fields = json.loads(account)
    except ValueError:
        return ""
    endpoint = fields.get("gcs_base_url") if isinstance(fields, dict) else None
    return endpoint if isinstance(endpoint, str) else ""


_DENIED = "the store denies access"
_NO_BUCKET = "there is no such bucket or container"
_NOT_ACCEPTED = "the store does not accept these credentials"
_CLOCK_OFF = "the clock of this machine is too far from the store's: set it, and run again"
_FINAL = (_DENIED, _NO_BUCKET, _NOT_ACCEPTED, _CLOCK_OFF)
_REFUSED = lazy_pattern("40[03] (Bad Request|Forbidden)")
# What S3 and Azure answer to a request that was signed at another time than theirs.
_TIME_REFUSED = lazy_pattern("RequestTimeTooSkewed|difference between the request time|date header too old")


def _kind_of(error: BaseException) -> str:
    """The kind of an error, without the text of the client, which holds links and keys."""
    from obstore import exceptions

    kinds: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
        ((exceptions.PermissionDeniedError, PermissionError), _DENIED),
        (exceptions.UnauthenticatedError, _NOT_ACCEPTED),
        (FileNotFoundError, _NO_BUCKET),
        (TimeoutError, "no answer in time"),
    )
    text = str(error)
    if _TIME_REFUSED.search(text):
        return _CLOCK_OFF
    if (kind := next((words for types, words in kinds if isinstance(error, types)), None)) is not None:
        return kind
    if "timed out" in text or "timeout" in text.lower().replace("retry_timeout", ""):
        return "no answer in time"
    if "Connect" in text or "error sending request" in text:
        return "no connection"
    if "403 Forbidden" in text:
        return _DENIED
    return "the store answered with an error"
