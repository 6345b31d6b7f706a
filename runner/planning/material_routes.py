"""The way by which each material gets its public address: chosen in the configured order, with reasons. Pure."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from runner.lazy_dataclass import dataclass, field
from runner.requests.request import LocalFile, Material, RemoteFile, TakeReference

Way = Literal["vendor", "git", "store", "upload"]
WAYS: tuple[Way, ...] = ("vendor", "git", "store", "upload")


@dataclass(frozen=True, slots=True)
class GitAddress:
    """The public address of a committed and pushed file."""

    address: str


@dataclass(frozen=True, slots=True)
class WaysAtHand:
    """The ways of publishing that the settings and the edition offer."""

    order: tuple[Way, ...] = WAYS
    api_host: str = ""
    has_last_frame: bool = False
    """Whether the provider's record of a task names the last frame of its clip."""
    has_uploads: bool = False
    store: str | None = None
    """The store as configured."""
    store_host: str = ""
    """The host of the store's addresses, or the store itself where links are signed."""
    git_host: str = ""
    git: Mapping[str, GitAddress | str] | None = None
    """By path: the address of a committed file, or why git cannot serve it; None without `git_url`."""


class Skipped(NamedTuple):
    """A way that was not taken, and why."""

    way: Way
    reason: str


class Route(NamedTuple):
    """The way by which one material reaches the provider; without a way it cannot be sent."""

    material: Material
    ways: tuple[Way, ...]
    """The ways that can take it; the first is planned. The others count only after the provider's own link."""
    host: str
    skipped: tuple[Skipped, ...] = ()
    address: str | None = None
    """The address that is known before anything is sent: that of a remote or a committed file."""

    @property
    def way(self) -> Way | None:
        return self.ways[0] if self.ways else None


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of one command. Mutable: the routes by material, each worked out once."""

    at_hand: WaysAtHand
    _by_material: dict[Material, Route] = field(default_factory=dict)

    def of(self, material: Material) -> Route:
        """The route of a material."""
        # A film uses few materials in many shots.
        if (route := self._by_material.get(material)) is None:
            route = self._by_material[material] = _choose(material, self.at_hand)
        return route

    def can_take(self, material: Material) -> bool:
        """Whether a material has a way to the provider."""
        return isinstance(material, RemoteFile) or bool(self.of(material).ways)


def _choose(material: Material, at_hand: WaysAtHand) -> Route:
    if isinstance(material, RemoteFile):
        return Route(material, (), material.url.split("/")[2].lower(), address=material.url)
    ways: list[Way] = []
    skipped: list[Skipped] = []
    for way in at_hand.order:
        if reason := _CHECKS[way](material, at_hand):
            # Only up to the first way that works: reasons behind it answer no question.
            if not ways:
                skipped.append(Skipped(way, reason))
        else:
            ways.append(way)
    skipped += [Skipped(way, "left out of `ways`") for way in WAYS if way not in at_hand.order and not ways]
    first = ways[0] if ways else None
    git = (at_hand.git or {}).get(material.path) if first == "git" and isinstance(material, LocalFile) else None
    address = git.address if isinstance(git, GitAddress) else None
    return Route(material, tuple(ways), _host(first, at_hand), tuple(skipped), address)


def _host(way: Way | None, at_hand: WaysAtHand) -> str:
    hosts: dict[Way | None, str] = {
        "vendor": at_hand.api_host, "upload": at_hand.api_host, "git": at_hand.git_host, "store": at_hand.store_host
    }  # fmt: skip
    return hosts.get(way, "")


def _vendor(material: LocalFile | TakeReference, at_hand: WaysAtHand) -> str:
    if isinstance(material, LocalFile):
        return "the provider has no link to a file of this machine"
    if material.part == "clip":
        return ""
    if material.part == "first_frame":
        return "the provider's record names no first frame"
    return "" if at_hand.has_last_frame else "this edition's record names no last frame"


def _git(material: LocalFile | TakeReference, at_hand: WaysAtHand) -> str:
    if at_hand.git is None:
        return "`git_url` is not set"
    if not isinstance(material, LocalFile):
        return "a frame or a clip is no file of the repository"
    if material.part is not None:
        return "a part of a file is no file of the repository"
    entry = at_hand.git.get(material.path, "is not committed")
    return entry if isinstance(entry, str) else ""


def _store(material: LocalFile | TakeReference, at_hand: WaysAtHand) -> str:
    return "" if at_hand.store is not None else "`store` is not set"


def _upload(material: LocalFile | TakeReference, at_hand: WaysAtHand) -> str:
    return "" if at_hand.has_uploads else "this edition has no uploads, and `upload` is not true"


_CHECKS: Mapping[Way, Callable[[LocalFile | TakeReference, WaysAtHand], str]] = {
    "vendor": _vendor, "git": _git, "store": _store, "upload": _upload
}  # fmt: skip
