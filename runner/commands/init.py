"""`storyboard init`: writes a content repository to start from."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from runner.diagnostics.problem import CommandError, ExitCode
from runner.files.packaged import packaged_folder
from runner.files.writing import create_file, make_folder
from runner.paid_providers import paid_provider_name
from runner.show.text.escape import escape_terminal

_SCHEMA = Path("schemas/storyboard.schema.json")
_PLACEHOLDER = b"PAID_PROVIDER"
"""The word of the templates in whose place the name of the paid provider is written."""
_INSTALL = b"INSTALL_LINES"
"""The word of the workflows in whose place the lines stand that install this program."""
_VARIABLE = "STORYBOARD_INSTALL"
"""The variable of a repository that names what is installed, where `--install` does not."""
_SERVICES = {"github": "GitHub", "gitlab": "GitLab"}
_SCRIPTS = {"github": ".github/actions/storyboard", "gitlab": ".gitlab/storyboard"}
"""The folder of the scripts that the workflows run."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes a content repository to start from: an example storyboard that runs as it is, storyboard.toml, "
        ".gitignore, .gitattributes, a README, and a copy of the schema, with which editors complete and check a "
        "storyboard; if you like, workflows that price each pull request without a key, and pay for what is merged. "
        "Existing files stay unchanged."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard init film && cd film && storyboard run storyboards/*.yaml\n"
        "  storyboard init film --github --install 'pip install ./wheels/*.whl'"
    )
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", type=Path, help="the folder (default: the current one)"
    )
    group = parser.add_argument_group("continuous integration")
    services = group.add_mutually_exclusive_group()
    services.add_argument("--github", action="store_true", help="write workflows for GitHub; asks nothing")
    services.add_argument("--gitlab", action="store_true", help="write a pipeline for GitLab; asks nothing")
    services.add_argument("--no-ci", action="store_true", help="write none; asks nothing")
    text = (
        f'the line that installs storyboard in CI (default: pip install "${_VARIABLE}", a variable that you set there)'
    )
    group.add_argument("--install", metavar="TEXT", help=text)


def run(args: argparse.Namespace) -> ExitCode:
    from runner.language.schema_files import folder as schemas

    folder: Path = args.folder
    service = _service(args)
    written: list[str] = []
    existing: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        top = folder.resolve()
        for name, content in [*_templates("init"), (str(_SCHEMA), (schemas() / _SCHEMA.name).read_bytes())]:
            (written if _write(top / name, top, content) else existing).append(name)
        for name, content in _ci_files(service, args.install) if service else ():
            (written if _write_hidden(top / name, top, content) else existing).append(name)
    except OSError as error:
        raise CommandError(
            ExitCode.INVALID, f"{folder} cannot be written ({error.strerror or error}): choose another folder"
        ) from error
    for name in written:
        print(f"  wrote  {escape_terminal(str(folder / name))}")
    for name in existing:
        print(f"  there  {escape_terminal(str(folder / name))}   left as it is")
    _print_next(folder, service, args.install)
    return ExitCode.OK


def _print_next(folder: Path, service: str | None, install: str | None) -> None:
    enter = "" if folder == Path() else f"cd {shlex.quote(escape_terminal(str(folder)))} && "
    print(f"\nnext   {enter}storyboard run storyboards/*.yaml\n         a first moving picture, free")
    if not any((parent / ".git").exists() for parent in (folder.absolute(), *folder.absolute().parents)):
        # Typed after the line above, which has entered the folder.
        print("       git init\n         so that the storyboard has a history")
    if service is not None:
        print(f"\nin {_SERVICES[service]}, set the variables of its jobs; what else they need: storyboard docs ci")
        if install is None:
            print(f"  {_VARIABLE:<24}a wheel or a VCS address of storyboard")
        print("  STORYBOARD_MAX_CREDITS  the most that a paid job spends")
    print("\nonce in each clone, so that git merges manifests without losing anything paid:")
    print("  git config merge.storyboard.driver 'storyboard mend --driver %O %A %B %P'")


def _service(args: argparse.Namespace) -> str | None:
    """The service whose workflow is written: of the flags, else of the answer at a terminal; None for none."""
    if args.github or args.gitlab or args.no_ci or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "github" if args.github else "gitlab" if args.gitlab else None
    try:
        answer = input("Workflows that price each pull request, for github, gitlab or none? [none] ").strip().lower()
    except EOFError:
        return None
    return answer if answer in _SERVICES else None


def _ci_files(service: str, install: str | None) -> Iterator[tuple[str, bytes]]:
    """The workflows of a service, and the scripts that they run."""
    for name, content in _templates(service):
        yield name, content.replace(_INSTALL, _install_lines(install, content))
    scripts, folder = packaged_folder("ci"), _SCRIPTS[service]
    if service == "github":
        actions = (scripts / "action.yml", scripts.parent / "action.yml")  # in the wheel, in a working tree
        yield f"{folder}/action.yml", next(path for path in actions if path.is_file()).read_bytes()
    for script in sorted(scripts.glob("*.sh")):
        if not any(script.name.startswith(other) for other in _SERVICES.keys() - {service}):
            yield f"{folder}/ci/{script.name}", script.read_bytes()


def _install_lines(install: str | None, template: bytes) -> bytes:
    """The lines that install this program, with the indent of their place in the template."""
    line = next((line for line in template.splitlines() if line.strip() == _INSTALL), b"")
    indent = line[: len(line) - len(line.lstrip())].decode()
    lines = (
        [install]
        if install is not None
        else [
            f'if [ -z "${_VARIABLE}" ]; then',
            f"  echo {shlex.quote(f'set the variable {_VARIABLE} of this repository to a wheel or a VCS address')}",
            "  exit 1",
            "fi",
            f'pip install "${_VARIABLE}"',
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
        with create_file(path, top) as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _write_hidden(path: Path, top: Path, content: bytes) -> bool:
    """Write a workflow, whose folder is hidden, unless there is one; OSError where a link leads out of `top`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not Path(os.path.realpath(path.parent)).is_relative_to(top):
        raise PermissionError(1, "a link leads outside the repository", str(path))
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True
