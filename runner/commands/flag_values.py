"""The values of flags that several commands share: parsed, or refused with the form that is wanted."""

import argparse
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from runner.diagnostics.problem import CommandError, ExitCode, closest_match


class ProfileCombinations(argparse.Action):
    """A flag for combinations of profiles, each a film: appends one, `tall+draft`."""

    several = True

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        # Each combination is a film with an output of its own: twice the same would be two runs into one folder.
        text, earlier = str(values), tuple(getattr(namespace, self.dest))
        names = text.split("+")
        if not all(names):
            parser.error(f"--profile: {text!r} has an empty name: write NAME+NAME")
        if twice := next((name for name in names if names.count(name) > 1), None):
            parser.error(f"--profile: {twice} stands twice in {text}")
        if "none" in names and len(names) > 1:
            parser.error("--profile: none is the storyboard without a profile, and combines with none")
        if text in earlier:
            parser.error(f"--profile: {text} is given twice: each film once")
        if earlier and not self.several:
            parser.error(f"--profile: this command works on one film, not on several ({earlier[0]}, {text}): give one")
        setattr(namespace, self.dest, (*earlier, text))


class OneCombination(ProfileCombinations):
    """A flag for one combination: the command is about one shot, or one take, of one film."""

    several = False


def unknown_name(kind: str, typed: str, name: str, names: Collection[str]) -> CommandError:
    """The refusal of a name that is none of those of a kind (`page`, `example`, `schema`); `typed` may say more."""
    suggestion = closest_match(name, names)
    hint = f"; did you mean {suggestion!r}?" if suggestion else f"; the {kind}s are {', '.join(names)}"
    return CommandError(ExitCode.USAGE, f"there is no {kind} {typed!r}{hint}")


def task_id(text: str) -> str:
    """The value of `--task`: an id as the provider gives it."""
    from runner.attempts.task_id import is_task_id

    if not is_task_id(text):
        # What is pasted by mistake may be a whole page.
        excerpt = text if len(text) <= 40 else f"{text[:40]}…"
        raise argparse.ArgumentTypeError(
            f"{excerpt!r} is no task id: those have letters, digits and . _ : - only, at most 200; copy it from the "
            "vendor's page"
        )
    return text


def validity(text: str) -> timedelta:
    """Parse a time such as `30d`, `12h` or `90s`."""
    units = {"d": "days", "h": "hours", "s": "seconds"}
    number, unit = text[:-1], text[-1:]
    # Digits of other scripts are digits to Python, and so is a number of any length.
    if unit not in units or not (number.isascii() and number.isdigit()) or not 0 < int(number[:9]) < 10**8:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time: write 30d, 12h or 90s")
    time = timedelta(**{units[unit]: int(number[:9])})
    # A price contract of more than a year is forgotten rather than meant.
    if time > timedelta(days=366):
        raise argparse.ArgumentTypeError(f"{text} is too long: a saved plan is valid for 366d at most")
    return time


def credits(text: str) -> Decimal:
    """Parse a number of credits, 0 or more."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    # `Decimal` takes "NaN" and "Infinity", which compare with no limit.
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of credits")
    return number


def count(text: str) -> int:
    """Parse a whole number from 1 to 1000."""
    # Cut before it is parsed: Python refuses a number of thousands of digits with an error of its own.
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1000")
    return int(text)


def port(text: str) -> int:
    """Parse the number of a port; 0 chooses a free one."""
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; 0 chooses a free one")
    return int(text)
