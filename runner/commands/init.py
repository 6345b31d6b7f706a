"""`storyboard init`: writes a content repository to start from."""

import argparse
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from shlex import quote

from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.writing import create_file, make_folder
from runner.paid_providers import paid_provider_name
from runner.show.text.escape import escape_terminal

_SCHEMA = Path("schemas/storyboard.schema.json")
_PLACEHOLDER = b"PAID_PROVIDER"
"""The word of the templates in whose place the name of the paid provider is written."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes a content repository to start from: an example storyboard that runs as it is, storyboard.toml, "
        ".gitignore, .gitattributes, a README, and a copy of the schema, with which editors complete and check a "
        "storyboard. Existing files stay unchanged."
    )
    parser.epilog = "examples:\n  storyboard init film && cd film && storyboard run storyboards/*.yaml"
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", type=Path, help="the folder (default: the current one)"
    )


def run(args: argparse.Namespace) -> ExitCode:
    from runner.language.schema_files import folder as schemas

    folder: Path = args.folder
    written: list[str] = []
    existing: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        top = folder.resolve()
        for name, content in [*_templates(), (str(_SCHEMA), (schemas() / _SCHEMA.name).read_bytes())]:
            (written if _write(top / name, top, content) else existing).append(name)
    except OSError as error:
        raise CommandError(
            ExitCode.INVALID, f"{folder} cannot be written ({error.strerror or error}): choose another folder"
        ) from error
    for name in written:
        print(f"  wrote  {escape_terminal(str(folder / name))}")
    for name in existing:
        print(f"  there  {escape_terminal(str(folder / name))}   left as it is")
    enter = "" if folder == Path() else f"cd {quote(escape_terminal(str(folder)))} && "
    print(f"\nnext   {enter}storyboard run storyboards/*.yaml      a first moving picture, free")
    if not any((parent / ".git").exists() for parent in (folder.absolute(), *folder.absolute().parents)):
        # Typed after the line above, which has entered the folder.
        print(f"       git init{' ' * (len(enter) + 30)}so that the storyboard has a history")
    return ExitCode.OK


def _templates() -> list[tuple[str, bytes]]:
    """The files of the templates; `dot-` stands for a leading dot, which would make them settings of this project."""
    top = resources.files("runner.show").joinpath("templates", "init")
    return sorted(_files_below(top, ""))


def _files_below(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    files: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = prefix + (f".{entry.name.removeprefix('dot-')}" if entry.name.startswith("dot-") else entry.name)
        if entry.is_dir():
            files += _files_below(entry, f"{name}/")
        else:
            files.append((name, entry.read_bytes().replace(_PLACEHOLDER, paid_provider_name().encode())))
    return files


def _write(path: Path, top: Path, content: bytes) -> bool:
    make_folder(path.parent, top)
    try:
        with create_file(path, top) as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
