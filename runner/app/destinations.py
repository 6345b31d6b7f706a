"""The destinations of data that a paid run sends out, with changes since the last approval marked."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from runner.attempts.history import History
from runner.language.model import Batch
from runner.planning.material_routes import Routes, Way
from runner.settings.settings import Settings
from runner.show.screens.plan import Destination
from runner.store import approved_destinations
from runner.store.git import Repository


def destinations(
    settings: Settings, batch: Batch, routes: Routes | None, repository: Repository, history: History
) -> tuple[Destination, ...]:
    """The destinations of a paid run, each marked if it differs from the last approved one."""
    # The sandbox runs in this process: nothing leaves the machine.
    if settings.account.free:
        return ()
    approved = _approved(settings, repository)
    # At the first run on this machine there is no approved address to differ from.
    is_first = not approved and all(attempt.from_manifest for attempt in history.attempts.values())
    return tuple(
        Destination(what, where, detail, None if is_first or approved.get(what) == where else approved.get(what, ""))
        for what, where, detail in _outgoing(settings, _ways(batch, routes))
    )


def _outgoing(settings: Settings, ways: Collection[Way]) -> Iterator[tuple[str, str, str]]:
    """The kind of data, its address from the settings, and a detail, of everything that a run may send."""
    publish = settings.publish
    if settings.webhook is not None:
        yield "callbacks", settings.webhook.url, f"received at {settings.webhook.host}:{settings.webhook.port}"
    if "store" in ways and publish.store is not None:
        yield "files", publish.store, f"read at {publish.base_url}" if publish.base_url else "read by signed links"
    if "git" in ways and publish.git_url is not None:
        yield "committed files", publish.git_url, "read there by the provider"
    if "upload" in ways:
        yield "uploads", settings.account.host, "deleted there after 24 hours"


def _ways(batch: Batch, routes: Routes | None) -> set[Way]:
    """The ways of all materials of the storyboards that bytes may take."""
    if routes is None:
        return set()
    materials = {material for shot in batch.shots for material in shot.request.materials}
    # By the provider's own address no byte is sent: it has the frame already.
    return {way for material in materials for way in routes.of(material).ways if way != "vendor"}


def _approved(settings: Settings, repository: Repository) -> Mapping[str, str]:
    if settings.state_or_none is None:
        return {}
    return approved_destinations.load(settings.state, settings.account, repository.root_commits[0])


def remember_approval(settings: Settings, repository: Repository, sent: Sequence[Destination]) -> None:
    """Save the destinations of an approved paid run; later changes are marked."""
    addresses = {destination.what: destination.where for destination in sent}
    if addresses:
        approved_destinations.save(settings.state, settings.account, repository.root_commits[0], addresses)
