"""`storyboard completion`: the completion script of a shell."""

import argparse
from collections.abc import Iterable

from runner.commands import COMMANDS, command_module
from runner.commands.completion_script import SHELLS, completion_script
from runner.diagnostics.problem import ExitCode


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Prints the completion script of a shell: commands, flags, files, and the shots, tags, scenes, profiles and "
        "takes of the repository's storyboards as `storyboard validate`, `plan` and `run` last saw them without "
        "an error. TAB starts no program, and reads one text file in the state folder."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard completion bash > ~/.storyboard.bash\n"
        "      with `source ~/.storyboard.bash` in ~/.bashrc\n"
        "  storyboard completion zsh > ~/.zfunc/_storyboard\n"
        "      with fpath=(~/.zfunc $fpath) before compinit in ~/.zshrc\n"
        "  storyboard completion fish > ~/.config/fish/completions/storyboard.fish"
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")


def run(args: argparse.Namespace) -> ExitCode:
    print(completion_script(_command_line(), args.shell), end="")
    return ExitCode.OK


def _command_line() -> argparse.ArgumentParser:
    """The whole command line; a command is described by its summary, and a name that is printed by all of its names."""
    top = argparse.ArgumentParser(prog="storyboard")
    top.add_argument("--version", action="store_true", help="print the version")
    commands = top.add_subparsers()
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        command_module(name).add(command)
        # Shells show one line for a command; the pages of help would fill the terminal.
        command.description, command.epilog = summary, None
        names = _printed_names(name)
        for action in command._actions:
            # Only what is no flag: those have choices of their own.
            if not action.option_strings and names:
                action.choices = names
    return top


def _printed_names(command: str) -> Iterable[str]:
    """The names of what a command prints; none for a command that prints nothing by name."""
    from runner.language.catalogue import catalogue
    from runner.language.schema_files import names as schema_names
    from runner.show.pages.examples import example_paths
    from runner.show.pages.explanations import words
    from runner.show.pages.pages import page_paths

    match command:
        case "docs":
            return list(page_paths())
        case "example":
            return list(example_paths())
        case "explain":
            return [*catalogue(), *words()]
        case "schema":
            return schema_names()
        case _:
            return []
