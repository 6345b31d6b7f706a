"""`storyboard cut`: the film as one video; no key, no network."""

import argparse
import sys
from pathlib import Path

from runner.app.cut import CutOptions, command_for_missing, make_cut
from runner.app.films import Film, films
from runner.app.options import DisplayOptions
from runner.app.session import open_for_reading
from runner.app.viewer import open_in_viewer
from runner.commands import flags
from runner.commands.film_output import print_film_files
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import CommandError, ExitCode
from runner.show.live.film_progress import FilmProgress
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Makes the film of a storyboard as one video: the picked takes (else the lowest made) in the film's order, "
        "with their ranges, slates for what is missing, and the music below. Clips of one format are joined without "
        "encoding them again; others are encoded once, at an even level (EBU R128, -23 LUFS). Nothing is made where "
        "the file already shows this edit and these clips. Opens no connection. Without --provider: the provider that "
        "has clips, the paid one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard cut storyboards/harbour.yaml --open\n"
        "  storyboard cut storyboards/harbour.yaml --scene quay --burn-in\n"
        "  storyboard cut storyboards/harbour.yaml --to ~/Desktop/harbour.mp4\n"
        "  storyboard cut storyboards/harbour.yaml --from edited.otio --write\n"
        "\n"
        "exit codes:\n"
        "  0  the film is made and whole\n"
        "  1  the film is made, and slates stand in for clips that are missing;\n"
        "     with --from: the timeline holds what a cut cannot say\n"
        "  3  invalid input: nothing was made"
    )
    flags.add_film_parts(parser)
    group = parser.add_argument_group("film")
    text = "write the film here (default: cut.mp4 beside the manifest; a part of the film: cut.SELECTION.mp4)"
    group.add_argument("--to", type=Path, metavar="FILE", help=text)
    group.add_argument("--burn-in", action="store_true", help="write shot, take and time code into the picture")
    group.add_argument("--open", action="store_true", help="open the film with the system's player")
    group = parser.add_argument_group("back from the editor")
    text = "read a timeline that was edited elsewhere, and show it as the storyboard's cut: section; makes no film"
    group.add_argument("--from", type=Path, dest="timeline", metavar="OTIO", help=text)
    group.add_argument("--write", action="store_true", help="with --from: put the section into the storyboard")


def run(args: argparse.Namespace) -> ExitCode:
    _check_flags(args)
    session = open_for_reading(command_options(args))
    display, selected = session.command.display, films(session.selection, session.history_reader, args.to)
    if args.timeline is not None:
        return _back_from_the_editor(session.settings.root, selected, args.timeline, args.write, display)
    with FilmProgress(sys.stderr, "cut", is_shown=not (display.as_json or display.quiet)) as progress:
        options = CutOptions(args.to, args.burn_in)
        cuts = [make_cut(session.settings, film, options, progress.on_progress) for film in selected]
    print_film_files("cut", [cut.file for cut in cuts], display, command_for_missing(session.command_line, cuts))
    # The first: a viewer for each of several films would hide one behind the other.
    if args.open:
        open_in_viewer(cuts[0].path)
    return ExitCode.FAILED if any(cut.missing for cut in cuts) else ExitCode.OK


def _check_flags(args: argparse.Namespace) -> None:
    """Raise `CommandError` for flags that cannot stand together."""
    if args.timeline is None:
        if args.write:
            raise CommandError(ExitCode.USAGE, "--write puts an edited timeline into the storyboard: add --from OTIO")
        return
    # They say how a film is made, and none is made here.
    others = ("to", "burn_in", "open", "json", "select", "exclude", "scenes")
    if other := next((name for name in others if getattr(args, name)), None):
        flag = f"--{other.removesuffix('s') if other == 'scenes' else other.replace('_', '-')}"
        raise CommandError(ExitCode.USAGE, f"--from reads a whole film's timeline back, and makes none: without {flag}")


def _back_from_the_editor(
    root: Path, selected: list[Film], timeline: Path, write: bool, display: DisplayOptions
) -> ExitCode:
    """Show the section of an edited timeline, or write it."""
    from runner.app.edited_cut import cut_from_editor
    from runner.show.screens import edited_cut as screen

    edited = cut_from_editor(root, selected, timeline, write=write)
    width, color = terminal_width(), use_color(sys.stdout, display.no_color)
    text = screen.pasted_section(edited.section)
    if edited.is_written:
        text = screen.written_section(
            edited.storyboard, edited.entries, width, color, lost_comments=edited.lost_comments
        )
    print(text, end="")
    print(screen.edit_notes(edited.notes, width, use_color(sys.stderr, display.no_color)), end="", file=sys.stderr)
    # A cut that says less than the timeline is written, and not passed over in silence.
    return ExitCode.FAILED if edited.notes else ExitCode.OK
