"""A content repository to start from: templates and the schema are written; existing files stay as they are."""

import os
import shlex
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.packaged import packaged_folder
from runner.files.writing import create_file, make_folder
from runner.lazy_dataclass import dataclass
from runner.paid_providers import paid_provider_name

VARIABLE = "STORYBOARD_INSTALL"
"""The variable of a repository that names what its workflow installs, where no line is given."""
_SCHEMA = Path("schemas/storyboard.schema.json")
# The word of the templates in whose place the name of the paid provider is written.
_PLACEHOLDER = b"PAID_PROVIDER"
# The word of the workflows in whose place the lines stand that install this program.
_INSTALL = b"INSTALL_LINES"
# The folder of the scripts that the workflows run.
_SCRIPTS = {"github": ".github/actions/storyboard", "gitlab": ".gitlab/storyboard"}


@dataclass(frozen=True, slots=True)
class NewRepository:
    """The files of a new content repository, by their names in its folder."""

    written: tuple[str, ...]
    existing: tuple[str, ...]
    """Files that stood there already, and were left as they are."""


def write_repository(folder: Path, service: str | None, install: str | None) -> NewRepository:
    """Write the templates, with the workflows of a service (`github`, `gitlab`), which install by the line `install`.

    Raises `CommandError` for a folder that cannot be written.
    """
    from runner.language.schema_files import folder as schemas

    written: list[str] = []
    existing: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        top = folder.resolve()
        for name, content in [*_templates("init"), (str(_SCHEMA), (schemas() / _SCHEMA.name).read_bytes())]:
            (written if _write(top / name, top, content) else existing).append(name)
        for name, content in _ci_files(service, install) if service else ():
            (written if _write_hidden(top / name, top, content) else existing).append(name)
    except OSError as error:
        raise CommandError(
            ExitCode.INVALID, f"{folder} cannot be written ({error.strerror or error}): choose another folder"
        ) from error
    return NewRepository(tuple(written), tuple(existing))


def _ci_files(service: str, install: str | None) -> Iterator[tuple[str, bytes]]:
    """The workflows of a service, and the scripts that they run."""
    for name, content in _templates(service):
        yield name, content.replace(_INSTALL, _install_lines(install, content))
    scripts, folder = packaged_folder("ci"), _SCRIPTS[service]
    if service == "github":
        actions = (scripts / "action.yml", scripts.parent / "action.yml")  # in the wheel, in a working tree
        yield f"{folder}/action.yml", next(path for path in actions if path.is_file()).read_bytes()
    for script in sorted(scripts.glob("*.sh")):
        if not any(script.name.startswith(other) for other in _SCRIPTS.keys() - {service}):
            yield f"{folder}/ci/{script.name}", script.read_bytes()


def _install_lines(install: str | None, template: bytes) -> bytes:
    """The lines that install this program, with the indent of their place in the template."""
    line = next((line for line in template.splitlines() if line.strip() == _INSTALL), b"")
    indent = line[: len(line) - len(line.lstrip())].decode()
    lines = (
        [install]
        if install is not None
        else [
            f'if [ -z "${VARIABLE}" ]; then',
            f"  echo {shlex.quote(f'set the variable {VARIABLE} of this repository to a wheel or a VCS address')}",
            "  exit 1",
            "fi",
            f'pip install "${VARIABLE}"',
        ]
    )
    return f"\n{indent}".join(lines).encode()


def _templates(folder: str) -> list[tuple[str, bytes]]:
    """The files of the templates; `dot-` stands for a leading dot, which would make them settings of this project."""
    top = resources.files("runner.show").joinpath("templates", folder)
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
        # Exclusively: `init` in a repository that exists overwrites nothing.
        with create_file(path, top) as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _write_hidden(path: Path, top: Path, content: bytes) -> bool:
    """Write a workflow, whose folder is hidden, unless there is one; OSError where a link leads out of `top`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The writer for a repository's files refuses hidden folders; what it checks otherwise is checked here.
    if not Path(os.path.realpath(path.parent)).is_relative_to(top):
        raise PermissionError(1, "a link leads outside the repository", str(path))
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
