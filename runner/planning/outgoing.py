"""The materials that a run publishes, each with its way: what leaves the machine, and where it goes. Pure."""

from collections.abc import Collection, Mapping

from runner.attempts.attempt import AttemptState
from runner.attempts.history import History
from runner.lazy_dataclass import dataclass
from runner.planning.material_routes import Route, Routes, Skipped, Way
from runner.planning.plan import Plan
from runner.requests.request import JsonValue, Kind, LocalFile, RemoteFile


@dataclass(frozen=True, slots=True)
class OutgoingMaterial:
    """One content that takes to order are made from, with the way of its address."""

    name: str
    """The path of a file, with its part; `@quay.last_frame` for a frame or a clip."""
    kind: Kind
    way: Way | None
    """None: no way can take it."""
    host: str
    bytes: int | None
    """None for what is still to be made or cut."""
    sha256: str | None
    """Of a whole file; None for what is still to be made or cut."""
    sent: bool
    """Whether an earlier take of this account was made from the same content."""
    skipped: tuple[Skipped, ...] = ()

    @property
    def leaves(self) -> bool:
        """Whether bytes leave this machine: not by git, where they lie already, nor by the provider's own link."""
        return self.way in ("store", "upload")


def outgoing_materials(plan: Plan, routes: Routes | None, sent: Collection[str]) -> tuple[OutgoingMaterial, ...]:
    """The materials of takes to order, and of those without a way, each content once.

    `sent` are those of `sent_contents`. `routes` None: a free provider, to which nothing leaves this machine.
    """
    if routes is None:
        return ()
    # What waits for a pick or lacks a way is listed too: the user decides on all that will leave the machine.
    steps = [step for step in plan.steps if step.is_billable or step.needs_pick or step.unpublished]
    outgoing: dict[object, OutgoingMaterial] = {}
    for step in steps:
        for material in step.shot.request.materials:
            if not isinstance(material, RemoteFile):
                # By content, so that a file that lies at two paths is listed once; a frame by its film.
                key = _content_of(material) if isinstance(material, LocalFile) else (step.shot.film, material)
                if key not in outgoing:
                    outgoing[key] = _outgoing(routes.of(material), sent)
    return tuple(outgoing.values())


def _outgoing(route: Route, sent: Collection[str]) -> OutgoingMaterial:
    material = route.material
    if isinstance(material, LocalFile):
        is_sent, whole = _content_of(material) in sent, material.part is None
        size, sha256 = (material.bytes, material.sha256) if whole else (None, None)
        return OutgoingMaterial(
            material.name, material.kind, route.way, route.host, size, sha256, is_sent, route.skipped
        )
    return OutgoingMaterial(str(material), material.kind, route.way, route.host, None, None, False, route.skipped)


def _content_of(material: LocalFile) -> str:
    """The content that is sent: the file's SHA-256, with the part where one is cut out."""
    return material.sha256 if material.part is None else f"{material.sha256}#{material.part}"


def sent_contents(history: History) -> frozenset[str]:
    """The contents of local files that takes of this account were made from, as far as the history knows."""
    hashes: set[str] = set()
    for attempt in history.attempts.values():
        materials = attempt.intent.request.get("materials")
        # Where no task was created, nobody has fetched anything.
        if isinstance(materials, list) and attempt.state is not AttemptState.NOT_CREATED:
            hashes |= {_stored_content(item) for item in materials if isinstance(item, dict) and "sha256" in item}
    return frozenset(hashes)


def _stored_content(item: Mapping[str, JsonValue]) -> str:
    return f"{item['sha256']}#{item['part']}" if "part" in item else str(item["sha256"])
