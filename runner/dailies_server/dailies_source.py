"""The port to the program, as the server sees it: pages, films, files, and the decisions of a person."""

from pathlib import Path
from typing import Protocol

from runner.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ServedFilm:
    """A film as it is served at one moment."""

    version: str
    """Changes with whatever the page shows."""
    document: str
    """The film as JSON."""


class DailiesSource(Protocol):
    """The dailies of some films; what may take a while is called in one thread, one after the other.

    `file` and `poster` only look a name up, and are called in the server's own thread.
    `Failure` is what a person can mend: its message is shown on the page.
    """

    def slugs(self) -> tuple[str, ...]:
        """The names of the films in addresses, the first one's first."""

    def film(self, slug: str) -> ServedFilm:
        """A film as it stands now. KeyError for an unknown name."""

    def page(self, slug: str) -> str:
        """The page of a film. KeyError for an unknown name."""

    def pick(self, slug: str, shot: str, take: int | None) -> None:
        """Record that a take is the picked one, or that none is."""

    def note(self, slug: str, shot: str, take: int, text: str) -> None:
        """Record a note about a take."""

    def file(self, name: str) -> Path:
        """A file that a page names. KeyError for any other name, and for a file that is gone."""

    def poster(self, name: str) -> bytes:
        """A poster that a page names. KeyError for any other name."""
