"""Expansion of documents to shots: layers merged, matrices multiplied, ids and names checked, no request built yet."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from runner.diagnostics.folded_name import fold_name
from runner.diagnostics.problem import Problem, Problems
from runner.language import defaults
from runner.language.asset import Asset, read_asset
from runner.language.compile_options import CompileOptions
from runner.language.cross_shot_checks import (
    check_asset_names,
    check_ids,
    check_profile_names,
    check_seconds,
    check_templates,
    check_unused_asset_files,
    check_variable_names,
)
from runner.language.expansion import MAX_SHOTS, expand, shot_count
from runner.language.loader import Definition, DocumentLoader
from runner.language.materials import MediaCache
from runner.language.option_checks import check_options
from runner.language.profile_checks import check_other_profiles
from runner.language.sections import (
    Sections,
    broken_scene_fields,
    broken_shared_fields,
    collect_sections,
    default_layers,
    left_out_definitions,
    profile_layers,
    scene_layers,
)
from runner.language.shot_draft import ShotDraft, StoryboardScope, render_fields
from runner.language.symbols import SymbolTable
from runner.language.templates.prompt_files import PromptFolder
from runner.language.templates.scope import Variable, variable
from runner.language.templates.template import Templates
from runner.language.templates.worker_client import TemplateWorker
from runner.language.yaml.document import Document, NodeRef
from runner.lazy_dataclass import dataclass, replace
from runner.requests.request import JsonValue


@dataclass(frozen=True, slots=True)
class Compilation:
    """The values that the storyboards of one command share while they are compiled."""

    loader: DocumentLoader
    media: MediaCache
    worker: TemplateWorker
    options: CompileOptions

    @property
    def problems(self) -> Problems:
        """The problems of all files."""
        return self.loader.problems


@dataclass(frozen=True, slots=True)
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


def expand_documents(documents: Sequence[Document], compilation: Compilation) -> Iterator[StoryboardIR]:
    """Expand the storyboards among the documents, each when it is asked for: its drafts take more than its shots.

    An include is only checked, for its names and templates.
    Raises `ProfileError` or `VariableError` for a profile or variable of the command line that no storyboard has.
    """
    loader = compilation.loader
    all_sections = [collect_sections(document, loader) for document in documents]
    storyboards = [sections for sections in all_sections if _is_storyboard(sections.files[-1])]
    # An unreadable file may define any name.
    if storyboards and all(document.whole for document in loader.documents.values()):
        check_options(storyboards, compilation.options)
    is_too_large = _exceeds_batch_size(documents, compilation.problems)
    for sections in all_sections:
        ir = _expand_document(sections, compilation)
        if _is_storyboard(ir.document):
            # Its names and templates are reported, its shots never built.
            yield replace(ir, drafts=[]) if is_too_large else ir


def _is_storyboard(document: Document) -> bool:
    return "storyboard" in document.root


def _expand_document(sections: Sections, compilation: Compilation) -> StoryboardIR:
    """Expand a storyboard; an include is treated as one without shots, so that its names and templates are checked."""
    document = sections.files[-1]
    assets = _read_assets(sections, document)
    scope = _scope(document, sections, assets, compilation)
    check_templates(sections.files, scope)
    check_variable_names(sections.files, scope)
    check_profile_names(sections.profiles, scope)
    check_seconds(assets, scope)
    drafts = expand(scope)
    # Before the names: a shot that loses its id here takes no name from an asset.
    check_ids(drafts, scope)
    _note_unusable_ids(drafts, scope)
    by_id = {draft.id: draft for draft in drafts}
    names = check_asset_names(assets, drafts, scope)
    options, take_count = compilation.options, _take_count_of(by_id, scope)
    symbols = SymbolTable(names, compilation.media, options.edition, take_count, options.forced_output)
    if _is_storyboard(document):
        check_other_profiles(sections, options.profile, symbols, scope)
    else:
        check_unused_asset_files(assets, frozenset(), compilation.media, scope)
    files = frozenset(file.name for file in sections.files)
    return StoryboardIR(document, scope, assets, drafts, by_id, symbols, tuple(sections.profiles), files)


def _read_assets(sections: Sections, document: Document) -> list[Asset]:
    assets = (
        read_asset(name, definition, definition.origin.document is document)
        for name, definition in sections.assets.items()
    )
    return [asset for asset in assets if asset is not None]


def _scope(
    document: Document, sections: Sections, assets: Sequence[Asset], compilation: Compilation
) -> StoryboardScope:
    loader, options, files = compilation.loader, compilation.options, sections.files
    templates = Templates(PromptFolder(loader.root, document).find, compilation.worker, loader.problems.sources)
    return StoryboardScope(
        document,
        tuple(default_layers(files)),
        tuple(profile_layers(sections, options.profile)),
        _variables(sections.variables, options.variables),
        templates,
        loader.problems,
        left_out_definitions(files, loader),
        frozenset(loader.broken.get(document.name, ())),
        broken_shared_fields(files, loader, options.profile),
        frozenset(name for asset in assets if asset.words for name in templates.read(asset.words).names),
        scene_layers(sections),
        broken_scene_fields(files, loader),
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
        return count if isinstance(count, int) else defaults.TAKES

    return take_count


def _note_unusable_ids(drafts: Sequence[ShotDraft], scope: StoryboardScope) -> None:
    """Remember the shots that no mention matches, since their ids are invalid or taken."""
    for draft in drafts:
        written = draft.raw.get("id")
        if not draft.has_usable_id and isinstance(written, str) and (start := fold_name(written.split("{")[0])):
            scope.left_out.note_name(start, draft.origin("id").place())


def _variables(definitions: Mapping[str, Definition], overrides: Mapping[str, JsonValue]) -> Mapping[str, Variable]:
    variables = {
        name: variable(definition.origin.value, _constant(definition.origin))
        for name, definition in definitions.items()
    }
    return variables | {name: Variable(value, None, literal=True) for name, value in overrides.items()}


def _constant(origin: NodeRef) -> Callable[[], NodeRef]:
    # A function of its own: a lambda in the comprehension above would see its last definition alone.
    return lambda: origin


def _exceeds_batch_size(documents: Sequence[Document], problems: Problems) -> bool:
    """Report more shots than a batch may have; a storyboard that is too large alone is reported by itself."""
    total = sum(count for document in documents if (count := shot_count(document)) <= MAX_SHOTS)
    if total > MAX_SHOTS:
        message = f"this batch has {total:,} shots; at most {MAX_SHOTS:,} are compiled at once"
        hint = "name fewer files, or use smaller matrices"
        problems.add(Problem("batch-size", documents[-1].source.place(0), message, hint))
    return total > MAX_SHOTS
