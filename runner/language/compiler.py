"""Compiler from storyboard files to a batch: read, include, check, expand, render, resolve mentions, compare shots."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path as FilePath

from runner.diagnostics.failures import ProfileError, VariableError
from runner.diagnostics.problem import Problem, Problems, closest_match
from runner.editions.edition import DEFAULT, Edition, load
from runner.language.causes import LeftOut
from runner.language.cross_shot_checks import (
    check_asset_names,
    check_circles,
    check_ids,
    check_misfits,
    check_same_requests,
    check_seconds,
    check_templates,
    check_unused_asset_files,
    check_unused_assets,
    check_unused_variables,
    check_variable_names,
)
from runner.language.expansion import MAX_SHOTS, expand
from runner.language.ids import fold_name
from runner.language.loader import Definition, DocumentLoader, collect_definitions, override_order
from runner.language.materials import Asset, MediaCache, read_asset
from runner.language.merge_problems import merge
from runner.language.model import Batch, Shot, Storyboard
from runner.language.request_builder import RequestBuilder
from runner.language.shot_draft import FieldLayer, ShotDraft, StoryboardScope, render_fields
from runner.language.symbols import SymbolTable
from runner.language.templates.prompt_files import PromptFolder
from runner.language.templates.scope import Variable, variable
from runner.language.templates.template import Templates
from runner.language.templates.worker_client import TemplateWorker
from runner.language.unknown_fields import variable_names
from runner.language.yaml.document import Document, NodeRef, Value, YamlMapping
from runner.lazy_dataclass import dataclass, field
from runner.requests.request import JsonValue


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """Command-line options that change the content of storyboards."""

    profile: str | None = None
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    """From --var and --var-file; an unknown name is a usage error (exit 2)."""
    edition: Edition = field(default_factory=lambda: load(DEFAULT))
    forced_output: tuple[str, str] | None = None
    """Model and resolution of every shot, in place of its own."""


@dataclass(slots=True)
class StoryboardIR:
    """Intermediate representation of a storyboard: shots merged and expanded, requests not built yet."""

    document: Document
    scope: StoryboardScope
    assets: list[Asset]
    drafts: list[ShotDraft]
    by_id: dict[str, ShotDraft]
    symbols: SymbolTable
    profiles: tuple[str, ...]
    files: frozenset[str]
    """Names of the storyboard file and of its includes."""


def compile(  # noqa: A001 - the verb of this package; Python's built-in is not used in it
    files: Sequence[FilePath], root: FilePath, options: CompileOptions
) -> tuple[Batch, Problems]:
    """Compile storyboard files to a batch, and return all problems in file order.

    Paths of shots and places are relative to `root`, the repository's top. Reads only files below `root`. Raises
    `ProfileError` and `VariableError` only for the command line's own mistakes: an unknown profile or variable.
    """
    with open_compilation(files, root, options) as (irs, problems):
        storyboards = [build_storyboard(ir) for ir in irs]
        return Batch(tuple(storyboards)), merge(problems)


@contextmanager
def open_compilation(
    files: Sequence[FilePath], root: FilePath, options: CompileOptions
) -> Iterator[tuple[list[StoryboardIR], Problems]]:
    """Context manager: yields each storyboard before its mentions are resolved; owns the template worker process."""
    gc_was_enabled = gc.isenabled()
    # The garbage collector would walk the growing tree again and again: three times the cost of building it.
    gc.disable()
    worker = TemplateWorker()
    try:
        problems = Problems()
        yield _storyboard_irs(files, DocumentLoader(root, problems), worker, options), problems
    finally:
        worker.close()
        if gc_was_enabled:
            gc.enable()


def _storyboard_irs(
    files: Sequence[FilePath], loader: DocumentLoader, worker: TemplateWorker, options: CompileOptions
) -> list[StoryboardIR]:
    documents = list(dict.fromkeys(loader.read(path) for path in files))
    storyboard_documents = [document for document in documents if "storyboard" in document.root]
    all_sections = [_sections(document, loader) for document in documents]
    storyboard_sections = [
        sections for document, sections in zip(documents, all_sections, strict=True) if document in storyboard_documents
    ]
    _check_options(
        storyboard_sections, options, all_files_read=all(document.whole for document in loader.documents.values())
    )
    media = MediaCache(loader.root)
    irs = [
        _storyboard_ir(document, sections, loader, media, worker, options)
        for document, sections in zip(documents, all_sections, strict=True)
    ]
    _check_size(irs, loader.problems)
    return [ir for ir in irs if ir.document in storyboard_documents]


@dataclass(frozen=True, slots=True)
class _Sections:
    files: list[Document]
    variables: dict[str, Definition]
    assets: dict[str, Definition]
    profiles: dict[str, Definition]


def _sections(document: Document, loader: DocumentLoader) -> _Sections:
    files, problems = override_order(document), loader.problems
    return _Sections(
        files,
        collect_definitions(files, "vars", problems),
        collect_definitions(files, "assets", problems),
        collect_definitions(files, "profiles", problems),
    )


def _check_options(all_sections: list[_Sections], options: CompileOptions, all_files_read: bool) -> None:
    """Raise `ProfileError` or `VariableError` for an unknown name, unless an unreadable file may define it."""
    if not all_sections or not all_files_read:
        return
    profiles = {name for sections in all_sections for name in sections.profiles}
    if options.profile is not None and options.profile not in profiles:
        raise ProfileError(_unknown_name_message("profile", options.profile, profiles))
    for name in options.variables:
        if not any(
            name in sections.variables and not _overrides(sections, name, options.profile) for sections in all_sections
        ):
            raise VariableError(_variable_message(name, all_sections, options.profile))


def _overrides(sections: _Sections, name: str, profile: str | None) -> NodeRef | None:
    """The variable of `defaults` or of the profile that wins over the storyboard's own, for all its shots."""
    layers = (*_section_layers(sections.files, "defaults"), *_profile_layers(sections, profile))
    holders = (layer.origin / "vars" / name for layer in layers)
    return next((node for node in holders if node.value is not None), None)


def _variable_message(name: str, all_sections: list[_Sections], profile: str | None) -> str:
    """Say why `--var` cannot set a variable: one of the defaults, the profile or the shots wins, or it is unknown."""
    for sections in all_sections:
        if (node := _overrides(sections, name, profile)) is not None:
            place = node.key_place()
            return (
                f"--var {name} would change nothing: {place.path} ({place.file}:{place.line}) wins over it. "
                f"Move `{name}` from there to the `vars` of the storyboard, which --var sets"
            )
    used_names = {name for sections in all_sections for file in sections.files for name in variable_names(file.root)}
    if name in used_names:
        return (
            f"--var {name} sets no variable of the storyboard: `{name}` stands in the `vars` or the `matrix` of shots, "
            f"or in templates alone. Define it in the `vars` of the storyboard, which --var sets"
        )
    return _unknown_name_message("variable", name, {name for sections in all_sections for name in sections.variables})


def _unknown_name_message(kind: str, name: str, candidates: Iterable[str]) -> str:
    suggestion = closest_match(name, candidates)
    listed = ", ".join(sorted(candidates)) or "none"
    return f"no {kind} is named {name}" + (f"; did you mean {suggestion}?" if suggestion else f"; available: {listed}")


def _storyboard_ir(
    document: Document,
    sections: _Sections,
    loader: DocumentLoader,
    media: MediaCache,
    worker: TemplateWorker,
    options: CompileOptions,
) -> StoryboardIR:
    """Expand a storyboard; an include is treated as one without shots, so that its names and templates are checked."""
    problems = loader.problems
    templates = Templates(PromptFolder(loader.root, document).find, worker, problems.sources)
    assets = [
        asset
        for name, definition in sections.assets.items()
        if (asset := read_asset(name, definition, definition.origin.document is document)) is not None
    ]
    scope = StoryboardScope(
        document,
        tuple(_section_layers(sections.files, "defaults")),
        tuple(_profile_layers(sections, options.profile)),
        _variables(sections.variables, options.variables),
        templates,
        problems,
        _left_out(sections.files, loader),
        frozenset(loader.broken.get(document.name, ())),
        _broken_shared_fields(sections.files, loader, options.profile),
        frozenset(name for asset in assets if asset.words for name in templates.read(asset.words).names),
    )
    check_templates(sections.files, scope)
    check_variable_names(sections.files, scope)
    check_seconds(assets, scope)
    drafts = expand(scope)
    check_ids(drafts, scope)
    _note_unusable_ids(drafts, scope.left_out)
    by_id = {draft.id: draft for draft in drafts}
    symbols = SymbolTable(
        check_asset_names(assets, drafts, scope),
        media,
        options.edition,
        _take_count_of(by_id, scope),
        options.forced_output,
    )
    if "storyboard" not in document.root:
        check_unused_asset_files(assets, media, scope)
    return StoryboardIR(
        document,
        scope,
        assets,
        drafts,
        by_id,
        symbols,
        tuple(sections.profiles),
        frozenset(file.name for file in sections.files),
    )


def _take_count_of(drafts: Mapping[str, ShotDraft], scope: StoryboardScope) -> Callable[[str], int | None]:
    """Return a function from a shot's id to its number of takes; None for an unknown shot."""

    def take_count(shot_id: str) -> int | None:
        draft = drafts.get(shot_id)
        if draft is None:
            return None
        # The shot may come later in the file than the mention, and is not rendered then.
        render_fields(draft, scope)
        count = draft.values.get("takes")
        if "takes" in draft.broken:
            return None
        return count if isinstance(count, int) else 1

    return take_count


def _broken_shared_fields(files: Sequence[Document], loader: DocumentLoader, profile: str | None) -> frozenset[str]:
    """Fields of defaults and of the profile that were left out because their values have the wrong shape."""
    paths = [path for document in files for path in loader.broken.get(document.name, ())]
    defaults = {str(path[1]) for path in paths if path[:1] == ("defaults",) and len(path) > 1}
    return frozenset(defaults | {str(path[2]) for path in paths if path[:2] == ("profiles", profile) and len(path) > 2})


def _left_out(files: Sequence[Document], loader: DocumentLoader) -> LeftOut:
    """What a storyboard and its includes do not define because of another problem."""
    left_out = LeftOut()
    for document in files:
        left_out.add(loader.left_out.get(document.name, LeftOut()), is_storyboard=document is files[-1])
    return left_out


def _note_unusable_ids(drafts: Sequence[ShotDraft], left_out: LeftOut) -> None:
    """Remember the shots that no mention matches, since their ids are invalid or taken."""
    for draft in drafts:
        written = draft.raw.get("id")
        if not draft.has_usable_id and isinstance(written, str) and (start := fold_name(written.split("{")[0])):
            left_out.names.append((start, draft.origin("id").place()))


def _section_layers(files: Sequence[Document], section: str) -> Iterable[FieldLayer]:
    for document in files:
        fields = document.root.get(section)
        if isinstance(fields, dict):
            yield FieldLayer(NodeRef(document, (section,)), fields, section)


def _profile_layers(sections: _Sections, profile: str | None) -> Iterable[FieldLayer]:
    definition = sections.profiles.get(profile) if profile else None
    for origin in definition.layers if definition else ():
        fields = origin.value
        if isinstance(fields, dict):
            yield FieldLayer(origin, fields, f"profile {profile}")


def _variables(definitions: Mapping[str, Definition], overrides: Mapping[str, JsonValue]) -> Mapping[str, Variable]:
    variables = {
        name: variable(definition.origin.value, _constant(definition.origin))
        for name, definition in definitions.items()
    }
    return variables | {name: Variable(_as_value(value), None, literal=True) for name, value in overrides.items()}


def _constant(origin: NodeRef) -> Callable[[], NodeRef]:
    return lambda: origin


def _as_value(value: JsonValue) -> Value:
    return value


def _check_size(irs: Sequence[StoryboardIR], problems: Problems) -> None:
    total = sum(len(ir.drafts) for ir in irs)
    if total <= MAX_SHOTS:
        return
    ir = irs[-1]
    message = f"this batch has {total:,} shots; at most {MAX_SHOTS:,} are compiled at once"
    hint = "name fewer files, or use smaller matrices"
    problems.add(Problem("batch-size", ir.document.source.place(0), message, hint))
    for ir in irs:
        ir.drafts.clear()


def build_storyboard(ir: StoryboardIR) -> Storyboard:
    """Build the requests of a storyboard's shots; a shot with a problem is left out."""
    shots: list[Shot] = []
    needs: dict[str, tuple[str, ...]] = {}
    drafts, scope = ir.by_id, ir.scope
    # Shot by shot from entry to request, not pass by pass: the data of one shot stays in the processor's cache.
    for draft in ir.drafts:
        render_fields(draft, scope)
        builder = RequestBuilder(draft, scope, ir.symbols)
        shot = builder.shot()
        if builder.materials:
            needs[draft.id] = builder.needs
        if shot is not None:
            shots.append(shot)
    check_circles(needs, drafts, scope)
    check_misfits(ir.symbols.misfits.values(), scope)
    check_unused_asset_files(ir.assets, ir.symbols.media, scope)
    # While a shot is left out, an unused name or an equal request may be an effect of its problem.
    if len(shots) == len(ir.drafts) and not any(problem.place.file in ir.files for problem in scope.problems.errors):
        check_same_requests(shots, drafts, scope)
        check_unused_assets(ir.assets, scope)
        check_unused_variables(ir.drafts, scope)
    return _storyboard_of(ir, shots)


def _storyboard_of(ir: StoryboardIR, shots: Sequence[Shot]) -> Storyboard:
    document = ir.document
    root = document.root
    title, length, budget = root.get("title"), root.get("length"), root.get("budget")
    budget_fields = budget if isinstance(budget, dict) else YamlMapping(0)
    return Storyboard(
        path=document.name,
        title=_title(document, title),
        shots=tuple(shots),
        length=_decimal(length),
        budget_credits=_decimal(budget_fields.get("credits")),
        budget_usd=_decimal(budget_fields.get("usd")),
        profiles=ir.profiles,
        shot_count=len(ir.drafts),
    )


def _title(document: Document, title: Value) -> str:
    if isinstance(title, int | float):
        return NodeRef(document, ("title",)).source_text()
    return title if isinstance(title, str) and title else FilePath(document.name).stem


def _decimal(value: Value) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
