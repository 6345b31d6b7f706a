"""`storyboard validate`: every problem with its place, in one go; no key, no network."""

import argparse
import sys
from pathlib import Path

from runner import __version__
from runner.app.completion_words import keep_completion_words
from runner.app.project import Project, load_project
from runner.commands import flags
from runner.commands.parsed_options import command_options
from runner.diagnostics.plural import count
from runner.diagnostics.problem import ExitCode


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reports everything that is wrong with storyboards and with the files they include, in one run: each problem "
        "with its file, line and column, and how to mend it. Reads only the repository, opens no connection, writes "
        "nothing into it."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard validate\n"
        "  storyboard validate storyboards/harbour.yaml --profile draft\n"
        "  storyboard validate --format github\n"
        "      marks the lines in a pull request\n"
        "\n"
        "exit codes:\n"
        "  0  nothing is wrong (there may be warnings)\n"
        "  3  invalid input"
    )
    flags.add_files(parser, required=False)
    flags.add_input(parser)
    flags.add_output(parser)
    parser.add_argument(
        "--format",
        choices=("text", "json", "github", "sarif"),
        metavar="FORMAT",
        help="text (the default), json, github or sarif",
    )
    parser.add_argument(
        "--warnings", action="store_true", help="show every warning, also beside errors (json, github, sarif: always)"
    )


def run(args: argparse.Namespace) -> ExitCode:
    project = load_project(command_options(args))
    # Words of a storyboard that does not compile would be half of them; those of the last time stay.
    if not project.problems.errors:
        keep_completion_words(project.settings, project.batch)
    problems, root = project.problems, project.settings.root
    # `--json` is the flag that all commands have, and means the same format.
    output_format = args.format or ("json" if args.json else "text")
    # The usual case, and a hook's: the modules of screens are not even loaded.
    if output_format == "text" and not problems.items:
        if not args.quiet:
            print(_summary(project))
        return ExitCode.OK
    from runner.show.screens import problems as show
    from runner.show.text.terminal import use_color

    match output_format:
        case "json":
            from runner.show.json.problems import problems_json

            print(problems_json(problems))
        case "github":
            print(show.github(problems), end="")
        case "sarif":
            print(show.sarif(problems, __version__))
        case _:
            color = use_color(sys.stdout, args.no_color)
            print(show.render_problems(problems, root, Path.cwd(), color, all_warnings=args.warnings), end="")
            if not args.quiet:
                print(_summary(project))
    return ExitCode.INVALID if problems.errors else ExitCode.OK


def _summary(project: Project) -> str:
    """The last line: the number of files, shots, errors and warnings."""
    # Here and not with the screens, which a hook that finds nothing wrong does without.
    shots = sum(storyboard.shot_count for storyboard in project.batch.storyboards)
    amount = f"{count(len(project.files), 'file')}, {count(shots, 'shot')}"
    faulty_shots = sum(storyboard.faulty_shot_count for storyboard in project.batch.storyboards)
    errors = count(len(project.problems.errors), "error")
    if faulty_shots:
        errors += f" in {count(faulty_shots, 'shot')}"
    if consequences := len(project.problems.consequences):
        errors += f" ({count(consequences, 'consequence')} of others)"
    counts = [errors] if project.problems.errors else []
    counts += [count(len(project.problems.warnings), "warning")] if project.problems.warnings else []
    return f"{amount}: {', '.join(counts) or 'nothing is wrong'}"
