"""From the files to the batch: read, include, check, expand, render, mention, compare."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path as FilePath

from runner.diagnostics.problem import CommandError, ExitCode, Problem, Problems, closest_match
from runner.editions.edition import DEFAULT, Edition, load
from runner.language.cross_shot_checks import (
    check_asset_names,
    check_circles,
    check_files,
    check_ids,
    check_same,
    check_seconds,
    check_templates,
    check_unused_assets,
    check_unused_variables,
    check_variable_names,
)
from runner.language.expansion import MAX_SHOTS, expand
from runner.language.loader import Definition, DocumentLoader, collect_definitions, override_order
from runner.language.materials import Asset, MediaCache, fold_name, read_asset
from runner.language.merge_problems import merge
from runner.language.model import Batch, Shot, Storyboard
from runner.language.request_builder import RequestBuilder
from runner.language.shot_draft import FieldLayer, ShotDraft, StoryboardScope, render_fields
from runner.language.symbols import SymbolTable
from runner.language.templates.prompt_files import PromptFolder
from runner.language.templates.scope import Variable, variable
from runner.language.templates.template import Templates
from runner.language.templates.worker_client import TemplateWorker
from runner.language.yaml.document import Document, NodeRef, Value, YamlMapping
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What the command line says about the storyboards' content."""

    profile: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    """From --var and --var-file; an unknown name is exit 2."""
    edition: Edition = field(default_factory=lambda: load(DEFAULT))


@dataclass(slots=True)
class StoryboardIR:
    """One storyboard while it is compiled."""

    document: Document
    ground: StoryboardScope
    assets: list[Asset]
    drafts: list[ShotDraft]
    by_id: dict[str, ShotDraft]
    cast: SymbolTable
    profiles: tuple[str, ...]
    files: frozenset[str]
    """Names of the storyboard and of what it includes."""


def compile(  # noqa: A001 - the room has one verb, and nobody here needs Python's own
    files: Sequence[FilePath], root: FilePath, options: CompileOptions
) -> tuple[Batch, Problems]:
    """The batch of some files and everything that is wrong with them, in file order.

    Paths of shots and places are from `root`, the repository's top. Reads files below `root`, and nothing else; raises
    Stop only for what the command line says (an unknown profile or variable).
    """
    with open_compilation(files, root, options) as (films, problems):
        boards = [board(film) for film in films]
        return Batch(tuple(boards)), merge(problems)


@contextmanager
def open_compilation(
    files: Sequence[FilePath], root: FilePath, options: CompileOptions
) -> Iterator[tuple[list[StoryboardIR], Problems]]:
    """Every storyboard with its shots merged and rendered, before mentions are resolved; holds the template worker."""
    collecting = gc.isenabled()
    # The collector would walk the growing tree again and again: three times the cost of building it.
    gc.disable()
    apart = TemplateWorker()
    try:
        problems = Problems()
        yield _storyboard_irs(files, DocumentLoader(root, problems), apart, options), problems
    finally:
        apart.close()
        if collecting:
            gc.enable()


def _storyboard_irs(
    files: Sequence[FilePath], shelf: DocumentLoader, apart: TemplateWorker, options: CompileOptions
) -> list[StoryboardIR]:
    documents = list(dict.fromkeys(shelf.read(path) for path in files))
    found = [document for document in documents if "storyboard" in document.root]
    sections = [_sections(document, shelf) for document in documents]
    boards = [parts for document, parts in zip(documents, sections, strict=True) if document in found]
    _check_options(boards, options, whole=all(document.whole for document in shelf.documents.values()))
    stock = MediaCache(shelf.root)
    films = [
        _storyboard_ir(document, parts, shelf, stock, apart, options)
        for document, parts in zip(documents, sections, strict=True)
    ]
    _check_size(films, shelf.problems)
    return [film for film in films if film.document in found]


@dataclass(frozen=True, slots=True)
class _Sections:
    files: list[Document]
    variables: dict[str, Definition]
    assets: dict[str, Definition]
    profiles: dict[str, Definition]


def _sections(document: Document, shelf: DocumentLoader) -> _Sections:
    files, problems = override_order(document), shelf.problems
    return _Sections(
        files,
        collect_definitions(files, "vars", problems),
        collect_definitions(files, "assets", problems),
        collect_definitions(files, "profiles", problems),
    )


def _check_options(sections: list[_Sections], options: CompileOptions, whole: bool) -> None:
    """Unknown names on the command line; said only when every file could be read."""
    if not sections or not whole:
        return
    profiles = {name for one in sections for name in one.profiles}
    if options.profile is not None and options.profile not in profiles:
        raise CommandError(ExitCode.USAGE, _unknown("profile", options.profile, profiles))
    variables = {name for one in sections for name in one.variables}
    for name in options.variables:
        if name not in variables:
            raise CommandError(ExitCode.USAGE, _unknown("variable", name, variables))


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    close = closest_match(name, known)
    listed = ", ".join(sorted(known)) or "none"
    return f"no {what} is named {name}" + (f"; did you mean {close}?" if close else f"; known: {listed}")


def _storyboard_ir(
    document: Document,
    parts: _Sections,
    shelf: DocumentLoader,
    stock: MediaCache,
    apart: TemplateWorker,
    options: CompileOptions,
) -> StoryboardIR:
    """A storyboard, or an include as one without shots: its names, files and templates are checked all the same."""
    problems = shelf.problems
    templates = Templates(PromptFolder(shelf.root, document).find, apart, problems.sources)
    assets = [
        asset
        for name, named in parts.assets.items()
        if (asset := read_asset(name, named, named.origin.document is document)) is not None
    ]
    ground = StoryboardScope(
        document,
        tuple(_layers(parts.files, "defaults")),
        tuple(_profile(parts, options.profile)),
        _variables(parts.variables, options.variables),
        templates,
        problems,
        frozenset(shelf.broken.get(document.name, ())),
        _broken_shared_fields(parts.files, shelf, options.profile),
        frozenset(name for asset in assets if asset.words for name in templates.read(asset.words).names),
    )
    check_templates(parts.files, ground)
    check_variable_names(parts.files, ground)
    check_seconds(assets, ground)
    drafts = expand(ground)
    check_ids(drafts, ground)
    unnamed = tuple(name for draft in drafts if not draft.has_usable_id and (name := _beginning(draft.raw.get("id"))))
    hidden = _suppressed_names(parts.files, shelf) + unnamed
    by_id = {draft.id: draft for draft in drafts}
    cast = SymbolTable(
        check_asset_names(assets, drafts, ground), stock, options.edition, _take_count_of(by_id, ground), hidden
    )
    if "storyboard" not in document.root:
        check_files(assets, stock, ground)
    return StoryboardIR(
        document, ground, assets, drafts, by_id, cast, tuple(parts.profiles), frozenset(one.name for one in parts.files)
    )


def _take_count_of(drafts: Mapping[str, ShotDraft], ground: StoryboardScope) -> Callable[[str], int | None]:
    def takes(name: str) -> int | None:
        draft = drafts.get(name)
        if draft is None:
            return None
        # It may come later in the file.
        render_fields(draft, ground)
        said = draft.values.get("takes")
        return said if isinstance(said, int) else 1

    return takes


def _broken_shared_fields(files: Sequence[Document], shelf: DocumentLoader, profile: str | None) -> frozenset[str]:
    """Fields of defaults and of the profile that were left out, since their values have the wrong shape."""
    paths = [path for document in files for path in shelf.broken.get(document.name, ())]
    defaults = {str(path[1]) for path in paths if path[:1] == ("defaults",) and len(path) > 1}
    return frozenset(defaults | {str(path[2]) for path in paths if path[:2] == ("profiles", profile) and len(path) > 2})


def _suppressed_names(files: Sequence[Document], shelf: DocumentLoader) -> tuple[str, ...]:
    """How names begin of which something is known to be wrong: to mention them is no second problem."""
    found: list[str] = []
    for document in files:
        if document.source.text and not document.whole:
            return ("",)
        for path in shelf.broken.get(document.name, ()):
            if path[:1] == ("assets",):
                found.append(fold_name(str(path[1])) if len(path) > 1 else "")
            elif path[:1] == ("shots",) and path[2:] in ((), ("matrix",), ("id",)):
                said = document.get((*path[:2], "id"))
                found.append(_beginning(said))
    return tuple(name for name in found if name)


def _beginning(said: Value) -> str:
    """How an id begins, before a template takes over."""
    return fold_name(said.split("{")[0]) if isinstance(said, str) else ""


def _layers(files: Sequence[Document], section: str) -> Iterable[FieldLayer]:
    for document in files:
        said = document.root.get(section)
        if isinstance(said, dict):
            yield FieldLayer(NodeRef(document, (section,)), said, section)


def _profile(parts: _Sections, profile: str | None) -> Iterable[FieldLayer]:
    named = parts.profiles.get(profile) if profile else None
    for origin in named.layers if named else ():
        said = origin.value
        if isinstance(said, dict):
            yield FieldLayer(origin, said, f"profile {profile}")


def _variables(said: Mapping[str, Definition], given: Mapping[str, JsonValue]) -> Mapping[str, Variable]:
    found = {name: variable(named.origin.value, _constant(named.origin)) for name, named in said.items()}
    return found | {name: Variable(_value(value), None, literal=True) for name, value in given.items()}


def _constant(origin: NodeRef) -> Callable[[], NodeRef]:
    return lambda: origin


def _value(value: JsonValue) -> Value:
    return value


def _check_size(films: Sequence[StoryboardIR], problems: Problems) -> None:
    total = sum(len(film.drafts) for film in films)
    if total <= MAX_SHOTS:
        return
    film = films[-1]
    message = f"this batch has {total:,} shots; at most {MAX_SHOTS:,} are made at once"
    problems.add(Problem("batch-size", film.document.source.place(0), message, "give fewer files, or smaller matrices"))
    for film in films:
        film.drafts.clear()


def board(film: StoryboardIR) -> Storyboard:
    """A storyboard with the requests of its shots; those that something is wrong with are left out."""
    made: list[Shot] = []
    drafts, ground = film.by_id, film.ground
    # One shot from its entry to its request, then the next: what is at hand is quick to use.
    for draft in film.drafts:
        render_fields(draft, ground)
        shot = RequestBuilder(draft, ground, film.cast).shot()
        if shot is not None:
            made.append(shot)
    check_circles(made, drafts, ground)
    check_files(film.assets, film.cast.media, ground)
    # While something is wrong, what is not used or equal says nothing.
    if len(made) == len(film.drafts) and not any(one.place.file in film.files for one in ground.problems.errors):
        check_same(made, drafts, ground)
        check_unused_assets(film.assets, ground)
        check_unused_variables(film.drafts, ground)
    return _storyboard(film.document, made, film.profiles)


def _storyboard(document: Document, shots: Sequence[Shot], profiles: tuple[str, ...]) -> Storyboard:
    root = document.root
    title, length, budget = root.get("title"), root.get("length"), root.get("budget")
    ceilings = budget if isinstance(budget, dict) else YamlMapping(0)
    return Storyboard(
        path=document.name,
        title=_title(document, title),
        shots=tuple(shots),
        length=_decimal(length),
        budget_credits=_decimal(ceilings.get("credits")),
        budget_usd=_decimal(ceilings.get("usd")),
        profiles=profiles,
    )


def _title(document: Document, title: Value) -> str:
    if isinstance(title, int | float):
        return NodeRef(document, ("title",)).source_text()
    return title if isinstance(title, str) and title else FilePath(document.name).stem


def _decimal(value: Value) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
