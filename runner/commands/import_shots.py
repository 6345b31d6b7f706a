"""`storyboard import`: a storyboard from the shot list of another program, on standard output."""

import argparse
import os
import stat
from pathlib import Path

from runner.app.accepted_values import accepted_values
from runner.diagnostics.failures import ShotListUnusable
from runner.diagnostics.problem import CommandError, ExitCode
from runner.shot_lists.reading import MAX_BYTES, read_shot_list
from runner.shot_lists.storyboard_text import storyboard_text


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes a storyboard to standard output from a shot list: a table (.csv, .tsv), a screenplay in Fountain, an "
        "edit decision list (.edl), a timeline (.otio) or JSON. What fits becomes fields; the rest stands beside it "
        "as comments with the reason. The result validates. Writes no file, opens no connection."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard import shots.csv > storyboards/film.yaml\n"
        "  storyboard import shots.csv --map id=Nr --map prompt=Text > film.yaml\n"
        "  storyboard import script.fountain > storyboards/film.yaml\n"
        "\n"
        "exit codes:\n"
        "  0  the storyboard is on standard output\n"
        "  2  a --map that fits nothing\n"
        "  3  the file cannot be read as a shot list; nothing is written"
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the shot list")
    text = "take a field of the shots from this column; may be repeated"
    parser.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN", type=_mapping, help=text)


def _mapping(text: str) -> tuple[str, str]:
    field, equals, column = text.partition("=")
    if not equals or not field.strip() or not column.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=COLUMN")
    return field.strip(), column.strip()


def run(args: argparse.Namespace) -> ExitCode:
    try:
        shot_list = read_shot_list(args.file.name, _content(args.file), dict(args.map), accepted_values())
    except ShotListUnusable as unusable:
        raise CommandError(ExitCode.INVALID, f"{args.file}: {unusable.message}") from None
    # To standard output: an import never writes over a storyboard.
    print(storyboard_text(shot_list, args.file.name), end="")
    return ExitCode.OK


def _content(path: Path) -> bytes:
    """The bytes of an ordinary file of a reasonable size."""
    try:
        # A named pipe without a writer would hold the command for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise ShotListUnusable("is not an ordinary file")
            # One byte more than is allowed tells that there are more.
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ShotListUnusable(f"cannot be read ({reason})") from None
    if len(data) > MAX_BYTES:
        raise ShotListUnusable(f"has more than {MAX_BYTES >> 20} MB: a shot list is text; import it in parts")
    return data
