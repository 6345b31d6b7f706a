"""A note about a take of a shot, as a person wrote it. Pure."""

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ShotNote:
    """A note about a take, as the manifest holds it."""

    text: str
    at: str
    """When it was written."""
    take: int
