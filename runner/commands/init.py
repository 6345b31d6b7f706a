"""`storyboard init`: a content repository to start from."""

import argparse
import sys
from pathlib import Path

from runner.app.new_repository import VARIABLE, write_repository
from runner.diagnostics.problem import ExitCode
from runner.settings.settings import has_git
from runner.show.screens.init import SERVICES, files, next_steps


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
    print(*files(folder, repository.written, repository.existing), sep="\n")
    variable = VARIABLE if args.install is None else None
    print(*next_steps(folder, service, variable, has_git=has_git(folder)), sep="\n")
    return ExitCode.OK


def _service(args: argparse.Namespace) -> str | None:
    """The service whose workflow is written: of the flags, else of the answer at a terminal; None for none."""
    # Asked only where somebody can answer: a script that calls `init` does not hang.
    if args.github or args.gitlab or args.no_ci or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "github" if args.github else "gitlab" if args.gitlab else None
    try:
        answer = input("Workflows that price each pull request, for github, gitlab or none? [none] ").strip().lower()
    except EOFError:
        return None
    return answer if answer in SERVICES else None
