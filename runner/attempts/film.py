"""The film that an attempt was ordered for: a storyboard, made without a profile or with a combination of profiles."""

from typing import NamedTuple


class FilmName(NamedTuple):
    """A film of a storyboard: each combination of its profiles is another film, with an output of its own."""

    storyboard: str
    """Path of the storyboard from the repository's top."""
    profile: str | None = None
    """The combination of profiles, `tall` or `tall+draft`; None without one."""

    def __lt__(self, other: tuple[str | None, ...]) -> bool:
        """The order of the keys of takes; a film without a profile comes before the others of its storyboard."""
        return (self[0], self[1] or "") < (other[0] or "", other[1] or "")

    def folder(self, provider: str) -> str:
        """The name of the film's output folder in the storyboard's folder: `sandbox`, `sandbox-tall`."""
        return provider if self.profile is None else f"{provider}-{self.profile}"


def profile_of(folder: str, provider: str) -> str | None:
    """The profile of the film whose output folder at a provider has this name."""
    return folder.removeprefix(provider).removeprefix("-") or None


ShotKey = tuple[FilmName, str]
"""A shot: its film, and its id."""
TakeKey = tuple[FilmName, str, int]
"""A take: its film, the id of its shot, and its number."""


def storyboard_slug(path: str) -> str:
    """The short name of a storyboard and its output folder: the path without `storyboards/` and file extension."""
    inner = path.removeprefix("storyboards/")
    stem, dot, ending = inner.rpartition(".")
    return stem if dot and ending in ("yaml", "yml") else inner
