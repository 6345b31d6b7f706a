"""Loader of storyboards and their includes; merges the definitions of vars, assets, scenes and profiles."""

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path as FilePath

from runner.diagnostics.problem import Place, Problem, Problems
from runner.files.reading import FileRejected, check_written, read_bytes
from runner.files.whole_path import whole_path
from runner.language.causes import LeftOut
from runner.language.schema_validity import is_valid
from runner.language.shot_counts import written_shots
from runner.language.yaml.decode import decode
from runner.language.yaml.document import Document, Key, NodeRef, Path, Source, Value, YamlMapping
from runner.language.yaml.parser import parse
from runner.lazy_dataclass import dataclass, field, replace

MAX_DEPTH = 8
"""Levels of nested includes; real projects use one or two."""
# Includes of one file, as the schema allows; more are a problem of the file's shape.
_MAX_INCLUDES = 100


@dataclass(slots=True)
class DocumentLoader:
    """The storyboard files of one command, each read once; keyed by path from the repository's top."""

    root: FilePath
    problems: Problems
    documents: dict[str, Document] = field(default_factory=dict)
    broken: dict[str, set[Path]] = field(default_factory=dict)
    """Per file, the paths of values that are left out; their problems have been reported."""
    written_shots: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Per file, the number of shots that each entry of `shots` stands for, those of the wrong shape too."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    """Per file, what is not defined because of these problems."""

    def name(self, path: FilePath) -> str:
        """Return the path from the repository's top, with `/`."""
        absolute = whole_path(path)
        # By a path through links or without them, a file has one name: its output is named by it.
        for base in (self.root, self.root.resolve()):
            if absolute.is_relative_to(base):
                return absolute.relative_to(base).as_posix()
        # Of a link above the repository the folder is resolved; the file keeps the name that the user wrote.
        resolved = FilePath(os.path.realpath(absolute.parent)) / absolute.name
        return (
            resolved.relative_to(self.root.resolve()).as_posix()
            if resolved.is_relative_to(self.root.resolve())
            else absolute.as_posix()
        )

    def read(self, path: FilePath, include_node: NodeRef | None = None, trail: tuple[str, ...] = ()) -> Document:
        """Read a file and its includes, and report their problems; an unreadable file becomes an empty document."""
        name = self.name(path)
        if name in self.documents:
            return self.documents[name]
        document = self._parse(name, path, include_node)
        self.documents[name] = document
        if document.root:
            # Before the shape is checked, which asks for text: shots named 1 to 24 would be 24 problems.
            _read_ids_as_text(document)
            document = replace(document, includes=tuple(self._read_includes(document, path, (*trail, name))))
            self.documents[name] = document
            self._check_shape(document, is_include=include_node is not None)
        return document

    def _parse(self, name: str, path: FilePath, include_node: NodeRef | None) -> Document:
        try:
            data = read_bytes(path, self.root)
        except FileRejected as error:
            place = include_node.place() if include_node else Place(name, 1, 1)
            subject = f"`{include_node.value}`" if include_node else "this file"
            folder = (self.root / include_node.document.name).parent if include_node else FilePath.cwd()
            self.problems.add(Problem(error.code, place, f"{subject} {error.message}", error.hint(folder)))
            self.left_out.setdefault(name, LeftOut()).note_any(place)
            return Document(Source(name, ""), YamlMapping(0), whole=False)
        source = decode(name, data, self.problems)
        document = parse(source, self.problems) if source else Document(Source(name, ""), YamlMapping(0), whole=False)
        # An empty file is not whole either, but hides no definition.
        if not document.whole and data.strip():
            places = [problem.place for problem in self.problems.errors if problem.place.file == name]
            self.left_out.setdefault(name, LeftOut()).note_any(min(places, default=Place(name, 1, 1)))
        return document

    def _check_shape(self, document: Document, *, is_include: bool) -> None:
        root = document.root
        self.broken.setdefault(document.name, set())
        self.left_out.setdefault(document.name, LeftOut())
        self.written_shots[document.name] = written_shots(root.get("shots"))
        is_other_version = isinstance(root.get("storyboard"), int)
        if not is_valid(root):
            self._leave_out_misshapen(document, is_include=is_include)
        if "shots" in root and "storyboard" not in root and not is_include and not is_other_version:
            # It is a storyboard, whatever is wrong with its first line: its shots are checked as well.
            root["storyboard"] = 1

    def _leave_out_misshapen(self, document: Document, *, is_include: bool) -> None:
        """Report what is wrong with the shape of a document, and remove it."""
        from runner.language import schema

        broken, left_out = self.broken[document.name], self.left_out[document.name]
        # Collected for the first unknown field that asks, and once: a flood has thousands of them.
        variables = cache(lambda: _names_of_variables(document))
        for paths, problem in schema.check(document, variables, is_include=is_include):
            self.problems.add(problem)
            broken.update(map(droppable_part, paths))
            for path in paths:
                left_out.note(document, path, problem)
        _remove_broken(document, broken)
        shots = document.root.get("shots")
        if len(broken) >= schema.MAX_VIOLATIONS and isinstance(shots, list):
            # The schema check reports no more problems than this: other invalid shots are left out silently.
            shots[:] = [shot if is_valid(shot, "shot") else YamlMapping(0) for shot in shots]

    def _read_includes(self, document: Document, path: FilePath, trail: tuple[str, ...]) -> Iterator[Document]:
        includes = document.root.get("include")
        listed = includes if isinstance(includes, list) and len(includes) <= _MAX_INCLUDES else []
        for index, include in enumerate(listed):
            if not isinstance(include, str) or not include:
                continue
            origin = NodeRef(document, ("include", index))
            try:
                check_written(include)
            except FileRejected as error:
                message, hint = f"`{include}` {error.message}", error.hint(path.parent)
                self.problems.add(Problem(error.code, origin.place(), message, hint))
                continue
            target = path.parent / include
            name = self.name(_normalized(target))
            if name in trail:
                circle = " → ".join([*trail[trail.index(name) :], name])
                self.problems.add(
                    Problem(
                        "include-circle",
                        origin.place(),
                        f"these files include each other: {circle}",
                        "remove one of the includes",
                    )
                )
            elif len(trail) > MAX_DEPTH:
                self.problems.add(
                    Problem(
                        "include-depth",
                        origin.place(),
                        f"includes are nested more than {MAX_DEPTH} files deep",
                        "include the file directly",
                    )
                )
            else:
                included = self.read(_normalized(target), origin, trail)
                if "storyboard" in included.root:
                    self.problems.add(_included_storyboard_problem(origin))
                    # Nothing of that file is taken, so any name that is missing now may be one of its own.
                    self.left_out.setdefault(document.name, LeftOut()).note_any(origin.place())
                    continue
                yield included


def _read_ids_as_text(document: Document) -> None:
    """Make an id that YAML reads as a number the text that is written: `1`, `1.50`, `010`."""
    shots = document.root.get("shots")
    for index, shot in enumerate(shots if isinstance(shots, list) else ()):
        if isinstance(shot, dict) and type(shot.get("id")) in (int, float):
            shot["id"] = NodeRef(document, ("shots", index, "id")).source_text()


def _names_of_variables(document: Document) -> frozenset[str]:
    """The names of the variables of a storyboard and its includes."""
    from runner.language.unknown_fields import variable_names

    return frozenset(name for file in override_order(document) for name in variable_names(file.root))


def _normalized(path: FilePath) -> FilePath:
    """Return the path without `..` and `.`; symbolic links are checked when the file is opened."""
    return FilePath(os.path.normpath(path))


def _included_storyboard_problem(origin: NodeRef) -> Problem:
    message = f"`{origin.value}` is a storyboard of its own, not an include"
    parts = "vars, assets, scenes, defaults and profiles"
    hint = f"an include holds only {parts}: move what both storyboards need to such a file"
    return Problem("include-content", origin.place(), message, hint)


def droppable_part(path: Path) -> Path:
    """Return the smallest part of a document that has to be left out for a value of the wrong shape in it."""
    if path[:1] == ("shots",):
        # The field, not the shot: a wrong duration must not hide the wrong model beside it.
        return path[:3]
    if path[:1] in (("profiles",), ("scenes",), ("assets",), ("budget",), ("cut",)):
        return path[: 3 if path[0] in ("profiles", "scenes") else 2]
    return path[:2] if path[:1] in (("defaults",), ("vars",)) else path[:1]


def _remove_broken(document: Document, paths: Iterable[Path]) -> None:
    """Remove broken values; a broken list item becomes an empty mapping, so that the other items keep their index."""
    parts: dict[Path, list[Key]] = {}
    for path in paths:
        if path:
            parts.setdefault(path[:-1], []).append(path[-1])
    for above, keys in parts.items():
        holder = document.get(above)
        if isinstance(holder, YamlMapping):
            holder.remove(frozenset(str(key) for key in keys))
        elif isinstance(holder, list):
            for key in keys:
                if isinstance(key, int) and key < len(holder) and not isinstance(holder[key], dict):
                    holder[key] = YamlMapping(0)


@dataclass(frozen=True, slots=True)
class Definition:
    """A name of a section with its values in several files; the last file wins key by key."""

    layers: tuple[NodeRef, ...]

    @property
    def origin(self) -> NodeRef:
        return self.layers[-1]

    def merged(self) -> Value:
        """Return the value after overrides by later files; mappings are merged one level deep."""
        merged: Value = None
        for origin in self.layers:
            value = origin.value
            merged = {**merged, **value} if isinstance(merged, dict) and isinstance(value, dict) else value
        return merged


def override_order(document: Document) -> list[Document]:
    """Return a storyboard's files, each once, so that later files override earlier ones: the storyboard is last."""
    documents: dict[str, Document] = {}

    def visit(document: Document) -> None:
        for included in document.includes:
            if included.name not in documents:
                visit(included)
        documents[document.name] = document

    visit(document)
    return list(documents.values())


def collect_definitions(files: Sequence[Document], section: str, problems: Problems) -> dict[str, Definition]:
    """Return the definitions of a section; report a name that two includes define differently."""
    nodes_by_name: dict[str, list[NodeRef]] = {}
    for document in files:
        definitions = document.root.get(section)
        for name in definitions if isinstance(definitions, dict) else ():
            if not name.startswith("x-"):
                nodes_by_name.setdefault(name, []).append(NodeRef(document, (section, name)))
    for name, nodes in nodes_by_name.items():
        _check_agreement(name, section, nodes, files[-1], problems)
    return {name: Definition(tuple(nodes)) for name, nodes in nodes_by_name.items()}


def _check_agreement(name: str, section: str, nodes: list[NodeRef], storyboard: Document, problems: Problems) -> None:
    # The storyboard's own definition is there to override the others.
    if len(nodes) < 2 or nodes[-1].document is storyboard:
        return
    for first, second in itertools.pairwise(nodes):
        # A file overrides what it includes on purpose; only files that do not include each other conflict.
        if first.value == second.value or first.document in override_order(second.document):
            continue
        message = f"`{name}` is defined here, and differently in {first.document.name}"
        hint = f"keep one of the two, or define `{name}` in {storyboard.name}, which overrides both"
        related = ((first.key_place(), "the other definition"),)
        problems.add(Problem("include-conflict", second.key_place(), message, hint, related=related))
