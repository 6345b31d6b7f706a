"""`storyboard explain`: the meaning of a problem code, an exit code, a word of the plan, a field or a flag."""

import argparse
import sys

from runner.commands import COMMANDS, command_module
from runner.diagnostics.problem import CommandError, ExitCode, closest_match
from runner.language.catalogue import catalogue
from runner.show.pages.explanations import explanations, flag_text, words
from runner.show.screens.problems import code_lines, explain_code
from runner.show.text.cells import wrap
from runner.show.text.terminal import terminal_width


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Explains a problem in more detail than its message: what the problem means, with a wrong and a right "
        "example. The code is in brackets in every message: error[unknown-name]. Also explains an exit code (4), a "
        "word of the plan (blocked, prompt-changed), a field of a storyboard (takes) and a flag (max-credits). "
        "Without WORD: lists the codes of all problems."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard explain unknown-name\n"
        "  storyboard explain 9\n"
        "  storyboard explain prompt-changed\n"
        "  storyboard explain max-credits\n"
        "  storyboard explain"
    )
    parser.add_argument("word", nargs="?", metavar="WORD", help="unknown-name, 9, blocked, takes, max-credits, …")


def run(args: argparse.Namespace) -> ExitCode:
    entries = catalogue()
    if args.word is None:
        print(*code_lines(entries), sep="\n")
        return ExitCode.OK
    flags = _flags()
    problem = explain_code(args.word)
    texts = [problem.rstrip("\n")] if problem is not None else []
    texts += explanations(args.word)
    # One word may be a problem, a field and a flag at once: all of them are shown.
    texts += [flag_text(args.word, helps) for name, helps in flags.items() if name == args.word]
    if not texts:
        suggestion = closest_match(args.word, [*entries, *words(), *flags])
        hint = f"; did you mean {suggestion!r}?" if suggestion else "; `storyboard explain` lists the codes of problems"
        kinds = "problem code, exit code, word of the plan, field or flag"
        raise CommandError(ExitCode.USAGE, f"there is no {kinds} {args.word!r}{hint}")
    print(*_screen_lines("\n\n".join(texts)), sep="\n")
    return ExitCode.OK


def _screen_lines(text: str) -> list[str]:
    """The lines of a text, on a terminal wrapped by words; what is indented is an example or a list, and stays."""
    lines = text.split("\n")
    # Another program wraps for itself, or compares lines.
    if not sys.stdout.isatty():
        return lines
    width = terminal_width()
    return [part for line in lines for part in ([line] if line[:1] in ("", " ") else wrap(line, width))]


def _flags() -> dict[str, dict[str, list[str]]]:
    """The help texts of each flag, without its dashes, with the commands that have the text."""
    flags: dict[str, dict[str, list[str]]] = {}
    for command in COMMANDS:
        parser = argparse.ArgumentParser(add_help=False)
        command_module(command).add(parser)
        for action in parser._actions:
            for option in action.option_strings:
                helps = flags.setdefault(option.removeprefix("--"), {})
                helps.setdefault(str(action.help), []).append(command)
    return flags
