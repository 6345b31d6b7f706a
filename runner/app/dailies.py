"""The dailies of a film: clips, posters, prompts and notes gathered, and the page written beside the manifest."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

from runner.app.clips_on_disk import clips_on_disk
from runner.app.credit_scope import CreditScope
from runner.app.display_path import display_path
from runner.app.field_locations import field_locator
from runner.app.films import Film, segment_file, target_of, without_clips
from runner.app.manifest_files import ManifestFiles
from runner.app.note import notes_of
from runner.app.project import StoryboardSources
from runner.assembly.clip_picture import ClipRange
from runner.assembly.posters import PosterRequest, posters, reach
from runner.attempts.clip_name import ClipName
from runner.attempts.events import Clip
from runner.attempts.film import storyboard_slug
from runner.attempts.sums import CreditSums
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import FileRejected, hash_clip, reason, resolve_inside
from runner.files.writing import make_folder, replace_content
from runner.language.model import Shot, Storyboard
from runner.language.written_prompts import written_prompts
from runner.lazy_dataclass import dataclass, replace
from runner.planning.plan import Action, Step
from runner.requests.request import LocalFile
from runner.settings.settings import Settings
from runner.show.dailies.film_data import Dailies, PageFile, film_json
from runner.show.dailies.page import data_address, page
from runner.show.screens.film_files import FilmFile
from runner.show.text.command_line import CommandLine
from runner.show.text.format import volume

NAME = "dailies.html"
PAGE_BYTES = 3_000_000
"""The size that a page keeps to: where its posters are more, the film loses those of takes that it does not show."""
POSTER_KIND = "image/webp"
# Pixels of a poster by the most takes that a film may have for it; a larger film has `_SMALLEST`.
_POSTER_WIDTHS = ((60, 384), (200, 288), (900, 176))
# Pixels of a poster as a stamp: where takes are many, and of a reference.
_SMALLEST = 112

Address = Callable[[Path, str], str]
"""The address of a file as the page names it, by its path and its hash ("" where nobody knows it)."""


@dataclass(frozen=True, slots=True)
class GatheredDailies:
    """A film's dailies, and the content of its posters by key, the most important first."""

    dailies: Dailies
    posters: Mapping[str, bytes]
    damaged: frozenset[Path] = frozenset()
    """The clips that cannot be decoded: the page says so where it would play them."""


@dataclass(frozen=True, slots=True)
class WrittenDailies:
    """The file of a page."""

    film: Film
    path: Path
    bytes: int

    @property
    def file(self) -> FilmFile:
        """The page as the screen shows it."""
        cut = self.film.cut
        missing = tuple((segment.label, segment.reason) for segment in cut.missing)
        facts = (volume(self.bytes),)
        return FilmFile("dailies", cut.film, display_path(self.path), cut.seconds, facts, cut.notes, missing)


@dataclass(frozen=True, slots=True)
class DailiesMaker:
    """The sources of the dailies of a command's films beside the films."""

    settings: Settings
    credit_scope: CreditScope
    manifests: ManifestFiles
    sources: StoryboardSources
    line: CommandLine
    """The command line as typed, with variables and settings file."""

    def write(self, film: Film, to: Path | None) -> WrittenDailies:
        """Write the page of one film. Raises `CommandError` when it cannot be written."""
        target, root = target_of(self.sources.root, to, film.target(NAME))
        gathered = self.gather(film, lambda path, _: _relative(path, target.parent))
        content = page(film_json(gathered.dailies, _poster_data(gathered), is_served=False)).encode()
        try:
            make_folder(target.parent, root)
            replace_content(target, root, content)
        except (OSError, FileRejected) as error:
            raise CommandError(ExitCode.INVALID, f"cannot write {display_path(target)}: {reason(error)}") from error
        return WrittenDailies(without_clips(self.sources.root, film, gathered.damaged), target, len(content))

    def gather(self, film: Film, address: Address) -> GatheredDailies:
        """Gather everything that the page of a film shows."""
        return _Gatherer(self, film, address).gather()


class _Gatherer:
    """The search for the files of one film, which collects the posters that are to be taken of them."""

    def __init__(self, maker: DailiesMaker, film: Film, address: Address) -> None:
        self._settings = maker.settings
        self._maker = maker
        self._film = film
        self._address = address
        self._exists = clips_on_disk(film.history, self._settings.root)
        self._requests: dict[str, PosterRequest] = {}
        self._storyboard = film.plan.batch.storyboard_of(film.cut.film)
        self._shots = _shots(film, self._storyboard)
        self._steps = [step for shot in self._shots for step in film.plan.takes_of(shot)]
        takes = len(self._steps)
        self._width = next((width for most, width in _POSTER_WIDTHS if takes <= most), _SMALLEST)
        self._reach = reach(takes)

    def gather(self) -> GatheredDailies:
        film, maker = self._film, self._maker
        in_film = {(segment.label, segment.take) for segment in film.cut.segments}
        segments = tuple(self._segment_file(index) for index in range(len(film.cut.segments)))
        # What the film shows comes first: where the page has no room for all posters, these have it.
        clips = self._clips(step for step in self._steps if (step.shot.id, step.take) in in_film)
        references = self._references()
        clips |= self._clips(step for step in self._steps if (step.shot.id, step.take) not in in_film)
        dailies = Dailies(
            film.cut,
            self._storyboard,
            film.plan,
            film.history,
            self._shots,
            clips,
            segments,
            self._animatics(),
            references,
            self._prompts(),
            notes_of(maker.manifests, self._storyboard),
            maker.credit_scope.sums_by_storyboard(film.history).get(self._storyboard.path) or CreditSums(),
            field_locator(maker.sources),
            self._line(),
        )
        # After all requests are known: posters are taken in parallel.
        taken = self._posters()
        # A clip without a poster is one that cannot be decoded.
        damaged = frozenset(request.path for key, request in self._requests.items() if key not in taken)
        return GatheredDailies(dailies, taken, damaged)

    def _line(self) -> CommandLine:
        """The command line of this film: the page is read later, when another provider may be the default."""
        line = self._maker.line.with_inputs_of_all_commands().with_provider(self._film.plan.account.provider)
        file = display_path(self._settings.root / self._storyboard.path)
        return line.of_files(file).of_film(self._storyboard.profile)

    def _segment_file(self, index: int) -> PageFile | None:
        segment = self._film.cut.segments[index]
        path = segment_file(self._settings.root, segment)
        if path is None:
            return None
        key = ""
        sha256 = segment.clip.sha256 if segment.clip is not None else ""
        if segment.shot is None:
            sha256 = self._hash(path)
            begin, seconds = Fraction(segment.in_seconds), Fraction(segment.seconds)
            span = None if segment.is_picture else ClipRange(begin, seconds, self._reach)
            key = self._poster(path, sha256, span, self._width)
        return PageFile(self._address(path, sha256), key)

    def _clips(self, steps: Iterable[Step]) -> dict[tuple[str, int], PageFile]:
        return {(step.shot.id, step.take): file for step in steps if (file := self._clip_file(step)) is not None}

    def _clip_file(self, step: Step) -> PageFile | None:
        attempt = self._film.history.attempts.get(step.attempt or "")
        if attempt is None or step.action not in (Action.KEEP, Action.DOUBTFUL):
            return None
        local = [clip for clip in attempt.clips if clip.repository is None and self._exists(clip)]
        own = ClipName(step.shot.id, step.take, step.action is Action.DOUBTFUL).path
        # A renamed or shared take may lie here twice; the copy under its own name is the one that people look for.
        clip = min(local, key=lambda candidate: not candidate.path.endswith(own), default=None)
        return None if clip is None else self._file_of(step.shot, clip)

    def _file_of(self, shot: Shot, clip: Clip) -> PageFile | None:
        path = self._inside(clip.path)
        if path is None:
            return None
        seconds = Fraction(str(clip.seconds))
        start, film_seconds = Fraction(shot.in_seconds), shot.film_seconds
        used = Fraction(film_seconds) if film_seconds is not None else seconds - start
        if start + used > seconds:
            start, used = Fraction(0), seconds
        key = self._poster(path, clip.sha256, ClipRange(start, used, self._reach), self._width)
        return PageFile(self._address(path, clip.sha256), key, round(clip.seconds, 3), clip.width, clip.height)

    def _animatics(self) -> dict[str, PageFile]:
        """The drawn clip of each shot, beside a paid provider's clips: its lowest take of the same profile."""
        settings = self._settings
        if settings.account.free:
            return {}
        film = self._storyboard.film
        folder = settings.output / storyboard_slug(film.storyboard) / film.folder("sandbox")
        # Most paid films were never drawn: one look instead of one for each shot.
        if not folder.is_dir():
            return {}
        animatics = {}
        for shot in self._shots:
            path = self._inside((folder / ClipName(shot.id, 1).path).relative_to(settings.root).as_posix())
            if path is not None:
                animatics[shot.id] = PageFile(self._address(path, ""))
        return animatics

    def _references(self) -> dict[str, PageFile]:
        """The posters of the pictures and videos among the materials, by path."""
        materials = (material for shot in self._shots for material in shot.request.materials)
        files = {material.path: material for material in materials if isinstance(material, LocalFile)}
        references = {}
        for name, material in files.items():
            path = self._inside(name)
            if path is not None and material.kind != "audio":
                span = ClipRange(Fraction(0), Fraction(material.seconds or 0), self._reach)
                key = self._poster(path, material.sha256, None if material.kind == "image" else span, _SMALLEST)
                references[name] = PageFile("", key)
        return references

    def _poster(self, path: Path, sha256: str, span: ClipRange | None, width: int) -> str:
        """The key of a poster that is to be taken."""
        request = PosterRequest(path, sha256, span, width, "webp")
        key = hashlib.sha256(request.name.encode()).hexdigest()[:10]
        self._requests.setdefault(key, request)
        return key

    def _posters(self) -> dict[str, bytes]:
        state = self._settings.state_or_none
        cache = state / "posters" if state is not None else None
        contents = posters(list(self._requests.values()), cache)
        return {key: content for key, content in zip(self._requests, contents, strict=True) if content is not None}

    def _prompts(self) -> dict[str, str]:
        sources = self._maker.sources
        options = replace(sources.options, profile=self._storyboard.profile)
        prompts = written_prompts(sources.files, sources.root, options)
        return {shot: text for (storyboard, shot), text in prompts.items() if storyboard == self._storyboard.path}

    def _hash(self, path: Path) -> str:
        try:
            return hash_clip(path, self._settings.root)
        except OSError:
            return ""

    def _inside(self, name: str) -> Path | None:
        """A plain file of the repository; None for anything else."""
        root = self._settings.root
        try:
            return resolve_inside(root / name, root, may_be_hidden=True)
        except (FileRejected, OSError):
            return None


def _shots(film: Film, storyboard: Storyboard) -> tuple[Shot, ...]:
    """The selected shots in film order; what the cut leaves out is last, and a skipped shot needs takes."""
    in_film = {segment.shot.id: segment.shot for segment in film.cut.segments if segment.shot is not None}
    others = (
        shot
        for shot in storyboard.shots
        if shot.id not in in_film and not shot.skip and (film.selected is None or shot.key in film.selected)
    )
    return (*in_film.values(), *others)


def _relative(path: Path, folder: Path) -> str:
    return quote(os.path.relpath(path, folder))


def _poster_data(gathered: GatheredDailies) -> dict[str, str]:
    """The posters as data addresses, as many as the page has room for."""
    room = PAGE_BYTES - len(page(film_json(gathered.dailies, {}, is_served=False)).encode())
    addresses: dict[str, str] = {}
    for key, content in gathered.posters.items():
        address = data_address(content, POSTER_KIND)
        # 6: the quotes, the colon and the comma around key and address in JSON.
        room -= len(address) + len(key) + 6
        if room < 0:
            break
        addresses[key] = address
    return addresses
