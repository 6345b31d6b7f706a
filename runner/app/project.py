"""The compiled project of a command: files, settings, edition, batch, and every problem in them."""

import os
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path

from runner.app.display_path import display_path
from runner.app.options import CommandOptions
from runner.attempts.film import FilmName
from runner.clock import SystemClock
from runner.diagnostics.problem import CommandError, ExitCode, Problems
from runner.editions.edition import Edition, load, with_prices
from runner.files.reading import FileRejected, read_bytes
from runner.garbage_collection import collection_off
from runner.language.cli_variables import parse_assignments
from runner.language.compile_options import CompileOptions
from runner.language.films import compile_films
from runner.language.model import Batch
from runner.lazy_dataclass import dataclass, replace
from runner.media import file_memory_store
from runner.media.file_memory import FileMemory
from runner.paid_providers import settings_section
from runner.settings import settings as settings_module
from runner.settings.environment import is_too_long
from runner.settings.file import providers
from runner.settings.settings import Flags, Settings


@dataclass(frozen=True, slots=True)
class StoryboardSources:
    """The storyboards of a command as files, for a step that reads or compiles them again."""

    files: tuple[Path, ...]
    root: Path
    options: CompileOptions
    """The options of every film, without its profile."""

    def compile(self, profiles: Sequence[str | None]) -> tuple[Batch, Problems]:
        """Compile the films of some profiles."""
        return compile_films(self.files, self.root, self.options, profiles)


@dataclass(frozen=True)
class Project:
    """The batch of one command, with its sources; its storyboards may have problems."""

    command: CommandOptions
    settings: Settings
    edition: Edition
    options: CompileOptions
    """The options of every film; each has its own profile."""
    files: tuple[Path, ...]
    batch: Batch
    problems: Problems

    @property
    def sources(self) -> StoryboardSources:
        """The storyboards as files, for what reads them again."""
        return StoryboardSources(self.files, self.settings.root, self.options)

    def compile(
        self, files: Sequence[Path] | None = None, options: CompileOptions | None = None
    ) -> tuple[Batch, Problems]:
        """Compile the films again, of some of the files, or with other options."""
        return compile_films(
            self.files if files is None else files, self.settings.root, options or self.options, self.settings.profiles
        )

    def root_path(self, file: Path) -> str:
        """The path of a file from the repository's top, as storyboards are named; the file as it is when outside."""
        path = Path(os.path.abspath(file))
        return path.relative_to(self.settings.root).as_posix() if path.is_relative_to(self.settings.root) else str(file)


def load_project(command: CommandOptions, *, prefer_clips: bool = False, required: bool = True) -> Project:
    """Read the settings and compile the storyboards; problems are collected, not shown.

    `prefer_clips`: without `--provider`, the provider that has clips. `required`: no storyboard is exit 2.
    """
    source = command.input
    named_files = source.files
    if too_long := next(filter(is_too_long, named_files), None):
        raise CommandError(ExitCode.USAGE, f"{str(too_long)[:40]}…: the name is too long for a file: name another FILE")
    # By the file, not by the working folder: where the same files had two tops, their takes were paid twice.
    root = settings_module.find_root(named_files[0] if named_files else Path())
    if named_files:
        # Once each: a folder and a file in it may both be named, and its shots would stand twice.
        files = tuple(dict.fromkeys(file for name in named_files for file in _files_of(name, root)))
    else:
        files = discover_storyboards(Path.cwd(), required=required)
    settings = settings_module.read(root, _settings_flags(command), files=files or (Path.cwd(),))
    if prefer_clips and source.provider is None:
        settings = provider_with_clips(settings)
    edition = edition_with_prices(settings, SystemClock().now().date())
    variables = parse_assignments(source.variables, source.variable_files, root)
    memory = _file_memory(settings, root) if command.input.trusts_unchanged_files else None
    options = CompileOptions(variables=variables, edition=edition, file_memory=memory)
    # The batch stays in memory until the end.
    with collection_off(keep=True):
        batch, problems = compile_films(files, root, options, settings.profiles)
    if memory is not None:
        _store_memory(settings, root, memory)
    return Project(
        command=command,
        settings=settings,
        edition=edition,
        options=options,
        files=files,
        batch=batch,
        problems=problems,
    )


def _file_memory(settings: Settings, root: Path) -> FileMemory | None:
    """The memory of the repository's inspected files; None on a machine without a state folder."""
    if settings.state_or_none is None:
        return None
    path = file_memory_store.memory_path(settings.state_or_none, root)
    return FileMemory(_nanoseconds, load=lambda: file_memory_store.load(path))


def _nanoseconds() -> int:
    return round(SystemClock().now().timestamp() * 1e9)


def _store_memory(settings: Settings, root: Path, memory: FileMemory) -> None:
    """Store what was inspected, if there is a state folder already: a command that only looks makes none."""
    if memory.has_news and settings.state_or_none is not None and settings.state_or_none.is_dir():
        file_memory_store.save(file_memory_store.memory_path(settings.state_or_none, root), memory)


def edition_with_prices(settings: Settings, day: date, name: str | None = None) -> Edition:
    """The edition on a day with the user's own prices; the repository's prices only where they are higher."""
    if name is not None and name != settings.edition:
        return load(name).on(day)
    edition = load(settings.edition).on(day)
    try:
        # A repository's file may be a stranger's: it can make a plan look dearer than it is, never cheaper.
        edition = with_prices(edition, settings.repo_price_floor, may_lower=False)
        return with_prices(edition, settings.user_prices, may_lower=True)
    except ValueError as error:
        message = f"{settings_section()}.prices: {error}; rows: {', '.join(edition.rates)}"
        raise CommandError(ExitCode.INVALID, message) from error


def provider_with_clips(settings: Settings) -> Settings:
    """The settings with the provider whose outputs have manifests, the paid one first."""
    from runner.store.manifest.document import NAME

    # The paid one is the last: where both have clips, people mean the ones that they paid for.
    for provider in reversed(providers()):
        candidate = replace(settings, provider=provider)
        names = {FilmName("", profile).folder(provider) for profile in settings.profiles}
        if any(path.parent.name in names for path in _files_below(settings.output) if path.name == NAME):
            return candidate
    return settings


def discover_storyboards(folder: Path, *, required: bool = True) -> tuple[Path, ...]:
    """The storyboards under `storyboards/`: of the folder, of its nearest parent with a storyboard.toml, or of the top.

    The first of these places that has a storyboard counts.
    """
    root = settings_module.find_root(folder)
    inside = [place for place in (folder, *folder.parents) if place.is_relative_to(root)]
    with_settings = next((place for place in inside if os.path.isfile(place / settings_module.FILE)), root)
    for place in dict.fromkeys((*inside[:1], with_settings)):
        if storyboards := storyboards_in(place / "storyboards", root):
            return storyboards
    if required:
        raise CommandError(ExitCode.USAGE, _no_storyboards_message(root))
    return ()


def _files_of(name: Path, root: Path) -> tuple[Path, ...]:
    """A FILE of the command line: the file itself, or the storyboards in a folder."""
    if not name.is_dir() or not _is_visible_folder(Path(os.path.realpath(name)), root):
        return (name,)
    storyboards = tuple(Path(display_path(path)) for path in _storyboards_below(name.absolute(), root))
    if not storyboards:
        raise CommandError(ExitCode.USAGE, _no_storyboards_message(root, f"there is no storyboard in {name}"))
    return storyboards


def _is_visible_folder(folder: Path, root: Path) -> bool:
    return folder.is_relative_to(root) and not any(part.startswith(".") for part in folder.relative_to(root).parts)


def storyboards_in(folder: Path, root: Path) -> tuple[Path, ...]:
    """The storyboards in a folder and its subfolders, sorted; `root` is the repository's top."""
    paths = sorted(path for path in _files_below(folder) if path.suffix in _ENDINGS)
    return tuple(
        Path(display_path(path)) for path in paths if _is_file_or_broken_link(path) and _is_storyboard(path, root)
    )


def _is_file_or_broken_link(path: Path) -> bool:
    """Whether a storyboard may stand there; a link that leads nowhere is kept, so that its problem is told."""
    return os.path.isfile(path) or not os.path.exists(path)


# Of files that are looked for; a file of any other ending can be named.
_ENDINGS = (".yaml", ".yml")
# How many storyboards elsewhere in the repository a message names.
_MAX_NAMED = 8
# Files that are looked at: a folder that holds a whole disk would take minutes.
_MAX_FILES_SEEN = 50_000


def _no_storyboards_message(root: Path, message: str = "") -> str:
    """Say where storyboards are looked for, and which ones lie elsewhere in the repository."""
    message = message or f"no FILE is given, and there is no storyboard under {display_path(root / 'storyboards')}"
    elsewhere = list(islice(_storyboards_below(root, root), _MAX_NAMED + 1))
    if not elsewhere:
        return f"{message}; to start from an example:\n  storyboard init"
    names = "".join(f"\n  {display_path(path)}" for path in elsewhere[:_MAX_NAMED])
    more = "\n  …" if len(elsewhere) > _MAX_NAMED else ""
    return f"{message}. Name one of those that lie elsewhere, or its folder:{names}{more}"


def _storyboards_below(top: Path, root: Path) -> Iterator[Path]:
    """The storyboards in a folder and its visible subfolders, among the first files: a whole disk takes minutes."""
    for path in islice(_files_below(top, may_be_hidden=False), _MAX_FILES_SEEN):
        if path.suffix in _ENDINGS and _is_storyboard(path, root):
            yield path


def _files_below(top: Path, *, may_be_hidden: bool = True) -> Iterator[Path]:
    """Files and links below a folder, sorted; `Path.glob` raises where a link leads to too long a name."""
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if may_be_hidden or not name.startswith("."))
        for name in sorted(names):
            yield Path(folder, name)


def _is_storyboard(path: Path, root: Path) -> bool:
    """Whether the file begins like a storyboard; a file that cannot be read is one, so that its problem is told."""
    try:
        # The keys that tell stand at the top; other YAML files of a repository may be huge.
        head = read_bytes(path, root)[: 1 << 20]
    except FileRejected as rejected:
        # A pipe or a device is none: opening it could wait forever.
        return rejected.code != "file-kind"
    return any(line.removeprefix(b"\xef\xbb\xbf").startswith((b"storyboard:", b"shots:")) for line in head.splitlines())


def _settings_flags(command: CommandOptions) -> Flags:
    """The settings that are given by flags."""
    return Flags(
        provider=command.input.provider,
        profiles=tuple(None if name == "none" else name for name in command.input.profiles) or (None,),
        output=command.execution.output,
        concurrency=command.execution.concurrency,
        max_credits=command.spending.max_credits,
        config=command.input.config,
    )
