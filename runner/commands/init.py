"""`storyboard init`: a content repository to start from."""

import argparse
import shlex
import sys
from pathlib import Path

from runner.app.new_repository import VARIABLE, write_repository
from runner.diagnostics.problem import ExitCode
from runner.show.text.escape import escape_terminal

# As the templates' folders are called, and as people write the name.
_SERVICES = {"github": "GitHub", "gitlab": "GitLab"}


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
        f'the line that installs storyboard in CI (default: pip install "${VARIABLE}", a variable that you set there)'
    )
    group.add_argument("--install", metavar="TEXT", help=text)


def run(args: argparse.Namespace) -> ExitCode:
    folder: Path = args.folder
    service = _service(args)
    repository = write_repository(folder, service, args.install)
    for name in repository.written:
        print(f"  wrote  {escape_terminal(str(folder / name))}")
    for name in repository.existing:
        print(f"  there  {escape_terminal(str(folder / name))}   left as it is")
    _print_next(folder, service, args.install)
    return ExitCode.OK


def _print_next(folder: Path, service: str | None, install: str | None) -> None:
    enter = "" if folder == Path() else f"cd {shlex.quote(escape_terminal(str(folder)))} && "
    print(f"\nnext   {enter}storyboard run storyboards/*.yaml\n         a first moving picture, free")
    # Without git a paid take has no record that outlives this disk.
    if not any((parent / ".git").exists() for parent in (folder.absolute(), *folder.absolute().parents)):
        # Typed after the line above, which has entered the folder.
        print("       git init\n         so that the storyboard has a history")
    if service is not None:
        print(f"\nin {_SERVICES[service]}, set the variables of its jobs; more on them: storyboard docs ci")
        if install is None:
            print(f"  {VARIABLE:<24}a wheel or a VCS address of storyboard")
        print("  STORYBOARD_MAX_CREDITS  the most that a paid job spends")
    print("\nonce in each clone, so that git merges manifests without losing anything paid:")
    print("  git config merge.storyboard.driver 'storyboard mend --driver %O %A %B %P'")


def _service(args: argparse.Namespace) -> str | None:
    """The service whose workflow is written: of the flags, else of the answer at a terminal; None for none."""
    # Asked only where somebody can answer: a script that calls `init` does not hang.
    if args.github or args.gitlab or args.no_ci or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "github" if args.github else "gitlab" if args.gitlab else None
    try:
        answer = input("Workflows that price each pull request, for github, gitlab or none? [none] ").strip().lower()
    except EOFError:
        return None
    return answer if answer in _SERVICES else None
