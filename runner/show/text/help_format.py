"""`--help`: prose wrapped by words at the terminal's width, commands to copy on lines of their own."""

import argparse
import textwrap
from collections.abc import Iterable

from runner.lazy_pattern import lazy_pattern
from runner.show.text.terminal import terminal_width

# As type checkers understand it; `typing` is not imported for a help text.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Commands to copy: never wrapped, since a shell would run the first half.
_COMMAND = lazy_pattern(r" +storyboard ")
# The code of an exit code, before its meaning.
_LABEL = lazy_pattern(r"\S+  +")
# How often an argument may stand, by its `nargs`.
_REPEATED = {"+": "{}…", "*": "[{}…]", "?": "[{}]"}


class HelpFormatter(argparse.HelpFormatter):
    """The form of a command's help.

    In a description or an epilog each line is a paragraph, an indented line that begins with `storyboard` is a command.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=terminal_width())

    def start_section(self, heading: str | None) -> None:
        super().start_section("arguments" if heading == "positional arguments" else heading)

    def add_argument(self, action: argparse.Action) -> None:
        super().add_argument(action)
        if isinstance(action, argparse._SubParsersAction):  # argparse forgets that commands stand further to the right
            self._action_max_length += self._indent_increment

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: "Any", prefix: str | None = None
    ) -> None:
        super().add_usage(usage or " ".join([self._prog, *_usage(actions)]), actions, groups, prefix)

    def _format_action(self, action: argparse.Action) -> str:
        text = super()._format_action(action)
        if not isinstance(action, argparse._SubParsersAction):
            return text
        _, _, commands = text.partition("\n")  # the first line only repeats the word COMMAND
        return textwrap.indent(textwrap.dedent(commands), "  ")

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(line for paragraph in text.splitlines() for line in _wrapped(paragraph, width, indent))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _wrapped(" ".join(text.split()), width, "")


def _usage(actions: Iterable[argparse.Action]) -> list[str]:
    """The arguments of a command in their order, then `[options]` where there are any beside `--help`."""
    arguments, options = [], []
    for action in actions:
        if action.option_strings:
            options += [] if action.dest == "help" else ["[options]"]
        else:
            # argparse spells `FILE [FILE ...]`.
            arguments.append(_REPEATED.get(str(action.nargs), "{}").format(action.metavar))
    return arguments + options[:1]


def _wrapped(paragraph: str, width: int, indent: str) -> list[str]:
    """The lines of a paragraph; those after the first stand below its first word, or below the meaning of a label."""
    if _COMMAND.match(paragraph) or not paragraph:
        return [paragraph]
    text = paragraph.lstrip()
    indent += " " * (len(paragraph) - len(text))
    label = _LABEL.match(text)
    hanging = indent + " " * (label.end() if label else 0)
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
