"""The sandbox inside a run: a server in a thread of this process; its tasks stay in the state folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.clock import SystemClock
from runner.editions.edition import Edition
from runner.lazy_dataclass import dataclass, field
from runner.sandbox.api.signed_links import persistent_token
from runner.sandbox.options import Options


@dataclass(frozen=True, slots=True)
class SandboxAddress:
    """Base URL of a running sandbox, and an accepted API key."""

    base_url: str
    key: str = field(repr=False)
    reads_shot_text: bool = True
    """Whether it reads the words of a shot that its request does not hold (`ShotText`)."""


@contextmanager
def embedded(
    folder: Path, edition: Edition, *, seconds: float | None = None, plain_clips: bool = False, seed: int = 0
) -> Iterator[SandboxAddress]:
    """Context manager: a sandbox on a free port of loopback.

    Tasks, uploads and the account stay in `folder`: the next sandbox on that folder continues them, also after a
    kill. Several may share a folder at the same time. `SandboxUnusable` when the folder cannot be used.

    `seconds` is the duration of a task; None: as long as drawing its clip takes.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A key is an account: with a new one at each start no task of the last run would be found.
        key = persistent_token(folder / "key", SystemClock())
    except OSError as error:
        # Here, and below: a run that never gets so far does not import a web server.
        from runner.sandbox.http.server import unusable_folder

        raise unusable_folder(folder, error) from error
    options = Options(edition=edition.name, keys=(key,), seconds=seconds, plain_clips=plain_clips, seed=seed)
    with run_in_thread(folder, options) as base_url:
        yield SandboxAddress(base_url, key)


@contextmanager
def run_in_thread(folder: Path, options: Options) -> Iterator[str]:
    """Context manager: a sandbox with any options in a thread of this process; yields its base URL."""
    from anyio.from_thread import start_blocking_portal

    from runner.sandbox.http.server import bind_listener, running_server

    with bind_listener(options.port) as listener, start_blocking_portal("asyncio", name="sandbox") as portal:
        host, port = listener.getsockname()
        with portal.wrap_async_context_manager(running_server(folder, options, listener)):
            yield f"http://{host}:{port}"
