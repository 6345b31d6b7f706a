"""The served dailies: reads the films again when their files change, and records picks and notes."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.app.dailies import DailiesMaker, GatheredDailies
from runner.app.films import films
from runner.app.invalid_storyboards import InvalidStoryboardsError
from runner.app.named_shots import find_shot
from runner.app.note import note_take
from runner.app.options import CommandOptions
from runner.app.pick import pick_take
from runner.app.session import Session, open_for_reading
from runner.attempts.film import FilmName, storyboard_slug
from runner.dailies_server.dailies_source import ServedFilm
from runner.diagnostics.plural import count
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, resolve_inside
from runner.garbage_collection import collect_everything
from runner.language.model import Batch, Shot
from runner.lazy_dataclass import dataclass, replace
from runner.settings.settings import Settings
from runner.show.dailies.film_data import film_json
from runner.show.dailies.page import page
from runner.store.ledger.file_name import NAME as LEDGER_NAME


@dataclass(frozen=True, slots=True)
class _FilmRead:
    """A film as it was read last."""

    gathered: GatheredDailies
    served: ServedFilm
    content: dict[str, object]


class ServedDailies:
    """The films of one command line. The files of a film that changed are read at the next question."""

    def __init__(self, session: Session) -> None:
        self._command: CommandOptions = session.command
        self._session = session
        self._root = session.settings.root
        self._films: dict[str, _FilmRead] = {}
        self._files: dict[str, Path] = {}
        self._posters: dict[str, bytes] = {}
        self._stamp: tuple[object, ...] = ()
        self._read(session)

    def slugs(self) -> tuple[str, ...]:
        """The names of the films in addresses."""
        return tuple(self._films)

    def film(self, slug: str) -> ServedFilm:
        """A film as it stands now."""
        self._refresh()
        return self._films[slug].served

    def page(self, slug: str) -> str:
        """The page of a film; where the storyboards have errors by now, as they were before."""
        with suppress(CommandError):
            self._refresh()
        return page(self._films[slug].content)

    def pick(self, slug: str, shot: str, take: int | None) -> None:
        """Record a pick, as `storyboard pick` does."""
        self._check(slug)
        with _tidied():
            session, named = self._session_and_shot(slug, shot)
            history = session.history_reader.read()
            plan, line = session.planner.plan(history), session.look_line()
            pick_take(session.manifests, plan, history, named, take, line)

    def note(self, slug: str, shot: str, take: int, text: str) -> None:
        """Record a note about a take."""
        self._check(slug)
        session, named = self._session_and_shot(slug, shot)
        note_take(session.manifests, session.batch.storyboard_of(named.film), named, take, text)

    def file(self, name: str) -> Path:
        """A file that a page names, still in the repository."""
        path = self._files[name]
        try:
            # Again at each request: a link may have taken the file's place since the page was made.
            if resolve_inside(path, self._root, may_be_hidden=True) == path and path.is_file():
                return path
        except (FileRejected, OSError):
            pass
        raise KeyError(name)

    def poster(self, name: str) -> bytes:
        """A poster that a page names."""
        return self._posters[name]

    def _check(self, slug: str) -> None:
        if slug not in self._films:
            raise KeyError(slug)

    def _refresh(self) -> None:
        if self._stamp != self._stamp_now():
            with _tidied():
                self._read(self._present_session())

    def _present_session(self) -> Session:
        """The session of the storyboards as they stand now. Raises `CommandError` where they have errors."""
        try:
            self._session = open_for_reading(self._command)
        except InvalidStoryboardsError as invalid:
            errors = invalid.problems.errors
            files = ", ".join(dict.fromkeys(problem.place.file for problem in errors))
            message = f"{files}: {count(len(errors), 'error')}; `storyboard validate` shows them"
            raise CommandError(ExitCode.INVALID, message) from invalid
        return self._session

    def _session_and_shot(self, slug: str, shot: str) -> tuple[Session, Shot]:
        """The present session of the films with one film's profile, and a shot of it."""
        film = self._films[slug].gathered.dailies.cut.film
        session = self._present_session()
        # A SHOT of several profiles would be ambiguous; the page knows which film it shows.
        storyboards = tuple(
            storyboard for storyboard in session.batch.storyboards if storyboard.profile == film.profile
        )
        settings = replace(session.settings, profiles=(film.profile,))
        session = replace(session, settings=settings, batch=Batch(storyboards))
        name = f"{storyboard_slug(film.storyboard)}:{shot}"
        return session, find_shot(session.planner, session.history_reader.read, name)[0]

    def _read(self, session: Session) -> None:
        """Read the films; the stamp is taken before, so that a change in between is read at the next question."""
        stamp = self._stamp_now()
        read: dict[str, _FilmRead] = {}
        maker = DailiesMaker(
            session.settings, session.credit_scope, session.manifests, session.sources, session.command_line
        )
        for film in films(session.selection, session.history_reader):
            gathered = maker.gather(film, self._address)
            self._posters |= gathered.posters
            content = film_json(gathered.dailies, {key: f"/poster/{key}" for key in gathered.posters}, is_served=True)
            slug = _slug(session.settings, film.cut.film)
            content["slug"] = slug
            read[slug] = _FilmRead(gathered, _served(content), content)
        slugs = list(read)
        for slug, entry in read.items():
            if len(slugs) > 1:
                content = {**entry.content, "films": slugs}
                read[slug] = _FilmRead(entry.gathered, _served(content), content)
        self._films, self._stamp = read, stamp

    def _address(self, path: Path, sha256: str) -> str:
        """The address of a file; it changes with the file's content, so that no browser shows the one before."""
        mark = sha256
        if not mark:
            with suppress(OSError):
                mark = str(path.stat().st_mtime_ns)
        name = hashlib.sha256(f"{path}\0{mark}".encode("utf-8", "surrogateescape")).hexdigest()[:20] + path.suffix
        self._files[name] = path
        return f"/file/{name}"

    def _stamp_now(self) -> tuple[object, ...]:
        return tuple(map(_mark, self._watched()))

    def _watched(self) -> Iterator[Path]:
        """The files from which a film is read: storyboards and what lies beside them, manifests, the ledger."""
        state = self._session.settings.state_or_none
        if state is not None:
            yield state / LEDGER_NAME
        for storyboard in self._session.batch.storyboards:
            yield self._session.manifests.path(storyboard.film)
        yield from self._session.files
        # The folder changes where a file is added or replaced beside the storyboard.
        yield from dict.fromkeys(file.parent for file in self._session.files)


@contextmanager
def _tidied() -> Iterator[None]:
    """Work on plans and histories, whose circles hold ledgers: these are closed at its end, not some day."""
    try:
        yield
    finally:
        collect_everything()


def _slug(settings: Settings, film: FilmName) -> str:
    """The name of a film in addresses: `harbour`, and `harbour:tall` where the films have several profiles."""
    slug, several = storyboard_slug(film.storyboard), len(settings.profiles) > 1
    return f"{slug}:{film.profile}" if several and film.profile is not None else slug


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _served(content: dict[str, object]) -> ServedFilm:
    document = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return ServedFilm(hashlib.sha256(document.encode()).hexdigest()[:20], document)
