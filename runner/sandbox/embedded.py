"""The sandbox inside of a run: a server in a thread of this process, whose tasks outlive it in the state folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.clock import SystemClock
from runner.editions.edition import Edition
from runner.lazy_dataclass import dataclass, field
from runner.sandbox.api.signed_links import kept_token
from runner.sandbox.options import Options


@dataclass(frozen=True, slots=True)
class Address:
    """Where the sandbox answers, and the key it lets in."""

    base_url: str
    key: str = field(repr=False)


@contextmanager
def embedded(
    state: Path, edition: Edition, *, seconds: float | None = None, plain_clips: bool = False, seed: int = 0
) -> Iterator[Address]:
    """A sandbox on a free port of loopback for as long as the block lasts.

    Tasks, uploads and the account stay in `state`: the next one goes on with them, also after a kill. Several may
    share a folder at the same time. Stop when the folder cannot be used.

    `seconds` is how long a task takes; None: as long as its clip is drawn.
    """
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = kept_token(state / "key", SystemClock())
    except OSError as error:
        from runner.sandbox.http.server import unfit

        raise unfit(state, error) from error
    options = Options(edition=edition.name, keys=(key,), seconds=seconds, plain_clips=plain_clips, seed=seed)
    with running(state, options) as base_url:
        yield Address(base_url, key)


@contextmanager
def running(state: Path, options: Options) -> Iterator[str]:
    """A sandbox with every choice open, in a thread of this process; yields its address."""
    from anyio.from_thread import start_blocking_portal

    from runner.sandbox.http.server import bound, listening

    with bound(options.port) as line, start_blocking_portal("asyncio", name="sandbox") as portal:
        host, port = line.getsockname()
        with portal.wrap_async_context_manager(listening(state, options, line)):
            yield f"http://{host}:{port}"
