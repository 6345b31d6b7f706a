"""The compiled model: Shot, Storyboard and Batch."""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from runner.attempts.film import FilmName, ShotKey
from runner.diagnostics.problem import Place
from runner.language.edit import CutEntry, Music
from runner.lazy_dataclass import dataclass
from runner.requests.request import Material, RemoteFile, Request


# A tuple, since 100,000 of them are built: a frozen class sets its fields one by one.
class Shot(NamedTuple):
    """An entry of a storyboard after expansion, with the request that all its takes share."""

    storyboard: str
    """Path of the storyboard from the repository's top."""
    id: str
    request: Request
    takes: int
    place: Place
    """Position of the shot's entry in the file."""
    title: str | None = None
    notes: str | None = None
    scene: str | None = None
    tags: tuple[str, ...] = ()
    skip: bool = False
    axes: tuple[tuple[str, str], ...] = ()
    """Matrix values by axis, as text."""
    names: tuple[str, ...] = ()
    """The user's name of each of the request's materials, in order: `maria`, `quay.last_frame`."""
    in_seconds: Decimal = Decimal(0)
    """Where in the clip the shot begins, in seconds."""
    film_seconds: Decimal | None = None
    """How long the shot is on screen; None shows the clip to its end."""
    duration_follows: bool = False
    """Whether the clip's length follows from the film time: a longer clip of the same request serves as well."""
    own_prompt: str = ""
    """The rendered prompt before its `wrap`, mentions as written."""
    profile: str | None = None
    """The combination of profiles that the shot was compiled with."""

    @property
    def film(self) -> FilmName:
        return FilmName(self.storyboard, self.profile)

    @property
    def key(self) -> ShotKey:
        """The film and the id: what names the shot among all shots of a batch."""
        return FilmName(self.storyboard, self.profile), self.id

    def is_of(self, film: FilmName) -> bool:
        """Whether the shot belongs to a film; makes no name of its own film, for lists of many shots."""
        return self.storyboard == film.storyboard and self.profile == film.profile

    def on_screen(self, entry: CutEntry | None = None, clip_seconds: int | None = None) -> Decimal:
        """Seconds of the film that the shot takes in an entry of the cut, or by its own fields.

        `clip_seconds` is the length of its clip, as it was ordered; without it, as it is to be ordered.
        """
        start, seconds = self.film_range(entry)
        clip = self.request.seconds if clip_seconds is None else clip_seconds
        # `in` may have grown beyond a clip that was ordered before.
        return max(Decimal(clip) - start, Decimal(0)) if seconds is None else seconds

    def film_range(self, entry: CutEntry | None) -> tuple[Decimal, Decimal | None]:
        """Start and length in the clip of an entry of the cut; None as length shows the clip to its end.

        What an entry leaves out is the shot's own.
        """
        if entry is None:
            return self.in_seconds, self.film_seconds
        start = self.in_seconds if entry.in_seconds is None else entry.in_seconds
        return start, self.film_seconds if entry.seconds is None else entry.seconds

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the shots whose clips this shot is made from, each once."""
        takes = self.request.from_takes
        return tuple(dict.fromkeys([material.shot for material in takes])) if takes else ()

    @property
    def private(self) -> Material | None:
        """The first material without a public address: a local file, or another shot's clip or frame."""
        return next((material for material in self.request.materials if not isinstance(material, RemoteFile)), None)


@dataclass(frozen=True, slots=True)
class Storyboard:
    """A storyboard file with its shots in file order, as one combination of its profiles makes them."""

    path: str
    title: str
    shots: tuple[Shot, ...]
    length: Decimal | None = None
    """Intended length of the film in seconds."""
    budget_credits: Decimal | None = None
    budget_usd: Decimal | None = None
    profiles: tuple[str, ...] = ()
    """Names of the profiles of the storyboard and its includes."""
    shot_count: int = 0
    """How many shots the file has after expansion, those with a problem included."""
    faulty_shot_count: int = 0
    """How many of them have an error."""
    cut: tuple[CutEntry, ...] | None = None
    """The film's order as written; None shows every shot once, in the order of the file."""
    music: Music | None = None
    length_place: Place | None = None
    """The line of `length`."""
    profile: str | None = None
    """The combination of profiles that the file was compiled with."""

    @property
    def film(self) -> FilmName:
        return FilmName(self.path, self.profile)


@dataclass(frozen=True, slots=True)
class Batch:
    """All films of one command: each storyboard once for each combination of profiles."""

    storyboards: tuple[Storyboard, ...]

    @property
    def shots(self) -> Iterator[Shot]:
        return (shot for storyboard in self.storyboards for shot in storyboard.shots)

    @property
    def films(self) -> tuple[FilmName, ...]:
        return tuple(storyboard.film for storyboard in self.storyboards)

    def storyboard_of(self, film: FilmName) -> Storyboard:
        """The storyboard that a film is of, as its profile has it."""
        return next(storyboard for storyboard in self.storyboards if storyboard.film == film)
