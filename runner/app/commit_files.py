"""The storyboards of a commit, compiled without a checkout: its texts in a folder, its materials by their blobs."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from runner.app.project import Project, storyboards_in
from runner.diagnostics.plural import count
from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.reading import PROMPT_LIMIT, TEXT_LIMIT
from runner.language.films import compile_films
from runner.language.materials import MediaCache
from runner.language.model import Batch
from runner.lazy_dataclass import replace
from runner.requests.request import LocalFile
from runner.settings.environment import child_environment
from runner.store.git_tree import Tree, TreeFile, lfs_object, read_files, read_tree

# The folders and endings by which storyboards, what they include and their prompts are told from other files: only
# these are written out of a commit, which may hold gigabytes.
_STORYBOARDS = "storyboards"
_PROMPTS = "prompts"
_TEXTS = (".yaml", ".yml")
# Errors that are named: they are those of a commit, which nobody can mend any more.
_MOST_PROBLEMS = 3


def compile_commit(project: Project, commit: str, name: str) -> Batch:
    """Compile the storyboards of a project as they stand in a commit; those that it lacks are left out.

    Where the command line names no storyboard, those that only the commit has are compiled, too. `name` is the commit
    in messages. Raise `CommandError` where they have errors there, or where this clone lacks a part of the commit.
    """
    root, environment = project.settings.root, child_environment()
    tree = read_tree(root, commit, environment)
    if tree is None:
        raise _lacking(name)
    with _texts_of(tree, project, name) as folder:
        paths = _paths(project, tree, folder)
        provide = _Materials(project, tree, folder, name).provide
        # The memory of inspected files is the work tree's; these files are gone after one compilation.
        options = replace(project.options, file_memory=None)
        batch, problems = compile_films(paths, folder, options, project.settings.profiles, provide)
    if errors := problems.errors:
        lines = [f"{error.place.file}:{error.place.line}: {error.message}" for error in errors[:_MOST_PROBLEMS]]
        more = [f"and {len(errors) - _MOST_PROBLEMS} more"] if len(errors) > _MOST_PROBLEMS else []
        message = (
            f"the storyboards at {name} have {count(len(errors), 'error')}: compare with a commit that has none, or "
            "price this tree alone with `storyboard plan`"
        )
        raise CommandError(ExitCode.INVALID, "\n  ".join([message, *lines, *more]))
    return batch


def _lacking(name: str) -> CommandError:
    message = f"this clone lacks files of {name}: fetch them\n  git fetch --refetch --no-filter"
    return CommandError(ExitCode.INVALID, message)


@contextmanager
def _texts_of(tree: Tree, project: Project, name: str) -> Iterator[Path]:
    """Context manager: a folder with the YAML files and the prompts of a commit."""
    output = project.settings.output.relative_to(project.settings.root)
    texts = {path: file for path, file in tree.files.items() if _is_text(PurePosixPath(path), file, output)}
    contents = read_files(project.settings.root, (file.blob for file in texts.values()), child_environment())
    if any(file.blob not in contents for file in texts.values()):
        raise _lacking(name)
    with TemporaryDirectory(prefix="storyboard-diff-") as temporary:
        folder = Path(temporary).resolve()
        for path, file in texts.items():
            _place(folder / path, file, contents[file.blob])
        yield folder


def _is_text(path: PurePosixPath, file: TreeFile, output: Path) -> bool:
    if file.is_submodule or path.is_relative_to(output.as_posix()) or any(part.startswith(".") for part in path.parts):
        return False
    if path.suffix in _TEXTS:
        return file.bytes <= TEXT_LIMIT
    return _PROMPTS in path.parts[:-1] and file.bytes <= PROMPT_LIMIT


def _place(path: Path, file: TreeFile, content: bytes) -> None:
    """Write a file of the commit; a link stays one, and counts for nothing where it leads out of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if file.is_link:
        os.symlink(content, os.fsencode(path))
    else:
        path.write_bytes(content)


def _paths(project: Project, tree: Tree, folder: Path) -> Sequence[Path]:
    """The storyboards to compile: those of the project that the commit has, and without FILE those that left since."""
    names = [project.root_path(file) for file in project.files]
    paths = [folder / name for name in names if name in tree.files]
    if not project.command.input.files:
        for place in dict.fromkeys(filter(None, map(_storyboards_folder, names))):
            paths += [path for path in storyboards_in(folder / place, folder) if path not in paths]
    return paths


def _storyboards_folder(name: str) -> PurePosixPath | None:
    folders = (parent for parent in PurePosixPath(name).parents if parent.name == _STORYBOARDS)
    return next(folders, None)


class _Materials:
    """The materials of a commit: what the work tree has as it is, is read there, and the rest from git."""

    def __init__(self, project: Project, tree: Tree, folder: Path, name: str) -> None:
        self.root = project.settings.root
        self.tree = tree
        self.folder = folder
        self.name = name
        self.work_tree = MediaCache(self.root, memory=project.options.file_memory)
        self.inspected: Mapping[str, LocalFile] = {file.path: file for file in _whole_files(project.batch)}

    def provide(self, path: str) -> LocalFile | None:
        """The material as inspected in the work tree, where it is the same; else it is put into the folder."""
        file = self.tree.files.get(path)
        place = path if file is not None else self.tree.submodule_of(path)
        if place is None:
            return None
        # What did not change since the commit is not read a second time from git.
        if place not in self.tree.changed:
            if path not in self.inspected:
                self.inspected = {**self.inspected, path: self.work_tree.inspect_file(self.root / path)}
            return self.inspected[path]
        if file is None:
            raise CommandError(
                ExitCode.INVALID,
                f"{path} lies in the submodule {place}, which is at another commit at {self.name}: compare with a "
                "commit that has the same one",
            )
        if not (self.folder / path).exists():
            _place(self.folder / path, file, self._content(path, file))
        return None

    def _content(self, path: str, file: TreeFile) -> bytes:
        content = read_files(self.root, [file.blob], child_environment()).get(file.blob)
        if content is None:
            raise _lacking(self.name)
        is_pointer, content = lfs_object(self.root, content, child_environment())
        if content is None:
            assert is_pointer
            message = f"this clone has only the Git LFS pointer of {path} at {self.name}: fetch the file"
            raise CommandError(ExitCode.INVALID, f"{message}\n  git lfs fetch origin {self.tree.commit}")
        return content


def _whole_files(batch: Batch) -> Iterable[LocalFile]:
    """The local files of which the whole is sent."""
    materials = (material for shot in batch.shots for material in shot.request.materials)
    return (material for material in materials if isinstance(material, LocalFile) and material.part is None)
