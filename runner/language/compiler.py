"""Compiler from storyboard files to a batch: read, include, check, expand, render, resolve mentions, take the shots."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path as FilePath

from runner.diagnostics.plural import count
from runner.diagnostics.problem import Problem, Problems
from runner.garbage_collection import collection_off
from runner.language.compile_options import CompileOptions
from runner.language.cross_shot_checks import (
    check_circles,
    check_misfits,
    check_same_requests,
    check_unused_asset_files,
    check_unused_assets,
    check_unused_variables,
)
from runner.language.edit import CutEntry, Music
from runner.language.loader import DocumentLoader
from runner.language.materials import MediaCache, ProvideFile
from runner.language.merge_problems import merge
from runner.language.model import Batch, Shot, Storyboard
from runner.language.request_builder import BuiltShot, build_shot
from runner.language.shot_counts import ShotCounts, count_shots
from runner.language.shot_draft import render_fields
from runner.language.storyboard_ir import Compilation, StoryboardIR, expand_documents
from runner.language.templates.worker_client import TemplateWorker
from runner.language.yaml.document import Document, NodeRef, Value, YamlMapping
from runner.lazy_dataclass import dataclass, field
from runner.requests.decimals import exact_decimal

__all__ = ["CompileOptions", "compile", "open_compilation", "read_documents"]


def compile(  # noqa: A001 - the verb of this package; Python's built-in is not used in it
    files: Sequence[FilePath], root: FilePath, options: CompileOptions, provide: ProvideFile | None = None
) -> tuple[Batch, Problems]:
    """Compile storyboard files to a batch, and return all problems in file order.

    Paths of shots and places are relative to `root`, the repository's top. Reads only files below `root`; `provide` is
    asked for each material before it is read. Raises `ProfileError` and `VariableError` only for the command line's
    own mistakes: an unknown profile or variable.
    """
    with open_compilation(root, options, provide) as compilation:
        documents = read_documents(files, compilation)  # read, include, check
        # By `map`, which holds no storyboard's drafts while it asks for the next one's.
        storyboards = tuple(map(partial(_compile_storyboard, compilation), expand_documents(documents, compilation)))
        return Batch(storyboards), merge(compilation.problems)


def _compile_storyboard(compilation: Compilation, ir: StoryboardIR) -> Storyboard:
    results = _ShotResults()
    is_cut, problem_count = False, len(compilation.problems.items)
    # Shot by shot from entry to request, not pass by pass: the data of one shot stays in the processor's cache.
    for index, draft in enumerate(ir.drafts):
        if limit := compilation.problems.limit_reached(ir.document.name):
            is_cut = True
            _note_unchecked_shots(ir, index, limit)
            break
        render_fields(draft, ir.scope)  # render
        results.add(draft.id, build_shot(draft, ir.scope, ir.symbols))  # mention
        # Nothing renders this draft again, and the rendered values of 100,000 shots would fill the memory.
        draft.scope.forget_rendered()
    if not is_cut:
        _check_between_shots(ir, results)
    cut, music = (None, None) if is_cut else _edit_of(ir, results.shots)
    counts = _shot_counts(ir, compilation, compilation.problems.items[problem_count:])
    return _storyboard_of(ir, results.shots, counts, cut, music, compilation.options.profile)  # take


def _edit_of(ir: StoryboardIR, shots: Sequence[Shot]) -> tuple[tuple[CutEntry, ...] | None, Music | None]:
    """The cut and the music of a storyboard; most have neither."""
    if ir.document.root.keys().isdisjoint(("cut", "music")):
        return None, None
    # Imported only here, since every start pays for a module that stands at the top.
    from runner.language.edit_reader import read_edit

    return read_edit(ir, shots)


@contextmanager
def open_compilation(
    root: FilePath, options: CompileOptions, provide: ProvideFile | None = None
) -> Iterator[Compilation]:
    """Context manager: what the storyboards of one command share; owns the template worker process."""
    worker = TemplateWorker()
    # Drafts and shots stay until the end: the collector would walk them all again and again.
    with collection_off():
        try:
            media = MediaCache(root, memory=options.file_memory, provide=provide)
            yield Compilation(DocumentLoader(root, Problems()), media, worker, options)
        finally:
            # Also after an error or a Ctrl-C, so that no process outlives the command.
            worker.close()


def read_documents(files: Sequence[FilePath], compilation: Compilation) -> list[Document]:
    """Read files, each once, with their includes, and check the shape of each; their problems are collected."""
    # A file that is named twice, by whatever paths, is one document, and its shots are made once.
    return list(dict.fromkeys(compilation.loader.read(path) for path in files))


# The code has a name since `_shot_counts` leaves it out: it is no fault of the shot at which it stands.
_TOO_MANY = "too-many-errors"


def _note_unchecked_shots(ir: StoryboardIR, first: int, limit: int) -> None:
    """Report that the shots from an index on are not checked after so many errors, at the first of them."""
    unchecked = count(len(ir.drafts) - first, "shot")
    message = f"after {limit:,} errors the remaining {unchecked} are not checked"
    place = ir.drafts[first].origin("id").place()
    ir.scope.problems.add(Problem(_TOO_MANY, place, message, "mend the errors that are shown, and validate again"))


@dataclass(slots=True)
class _ShotResults:
    """The results of the shots of one storyboard, as far as they are compared with each other."""

    shots: list[Shot] = field(default_factory=list)
    """The shots without a problem."""
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Ids of the shots that a shot is made from, also of shots with a problem."""
    used_assets: set[str] = field(default_factory=set)

    def add(self, shot_id: str, result: BuiltShot) -> None:
        if result.materials:
            self.needs[shot_id] = result.needs
        if result.shot is not None:
            self.shots.append(result.shot)
        self.used_assets |= result.assets


def _check_between_shots(ir: StoryboardIR, results: _ShotResults) -> None:
    scope, shots = ir.scope, results.shots
    check_circles(results.needs, ir.by_id, scope)
    check_misfits(ir.symbols.misfits.values(), scope)
    check_unused_asset_files(ir.assets, results.used_assets, ir.symbols.media, scope)
    # While a shot is left out, an unused name or an equal request may be an effect of its problem.
    if len(shots) == len(ir.drafts) and not any(problem.place.file in ir.files for problem in scope.problems.errors):
        check_same_requests(shots, ir.by_id, scope)
        check_unused_assets(ir.assets, results.used_assets, scope)
        check_unused_variables(ir.drafts, scope)


def _storyboard_of(
    ir: StoryboardIR,
    shots: Sequence[Shot],
    counts: ShotCounts,
    cut: tuple[CutEntry, ...] | None,
    music: Music | None,
    profile: str | None,
) -> Storyboard:
    document = ir.document
    root = document.root
    title, length, budget = root.get("title"), root.get("length"), root.get("budget")
    budget_fields = budget if isinstance(budget, dict) else YamlMapping(0)
    return Storyboard(
        path=document.name,
        title=_title(document, title),
        shots=tuple(shots) if profile is None else tuple(shot._replace(profile=profile) for shot in shots),
        length=exact_decimal(length),
        length_place=NodeRef(document, ("length",)).key_place() if length is not None else None,
        budget_credits=exact_decimal(budget_fields.get("credits")),
        budget_usd=exact_decimal(budget_fields.get("usd")),
        profiles=ir.profiles,
        shot_count=counts.shots,
        faulty_shot_count=counts.faulty,
        cut=cut,
        music=music,
        profile=profile,
    )


def _shot_counts(ir: StoryboardIR, compilation: Compilation, own_problems: Iterable[Problem]) -> ShotCounts:
    """The shots of a storyboard's file; `own_problems` are those of its shots, which may lie in an include."""
    file = ir.document.name
    written = compilation.loader.written_shots.get(file, ())
    problems = (problem for problem in compilation.problems if problem.place.file == file)
    errors = [
        problem for problem in (*problems, *own_problems) if problem.severity == "error" and problem.code != _TOO_MANY
    ]
    return count_shots(written, ir.drafts, errors, file)


def _title(document: Document, title: Value) -> str:
    # `title: 2024.10` is that text, not 2024.1.
    if isinstance(title, int | float):
        return NodeRef(document, ("title",)).source_text()
    return title if isinstance(title, str) and title else FilePath(document.name).stem
