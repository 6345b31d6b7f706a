"""`storyboard cut`: the film as one video; no key, no network."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from runner.app.cut import CutOptions, MadeCut, make_cut
from runner.app.display_path import display_path
from runner.app.films import Film, films, only_target
from runner.app.session import open_for_reading
from runner.app.viewer import open_in_viewer
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.show.json.film_files import film_files_json
from runner.show.live.film_progress import FilmProgress
from runner.show.screens.film_files import FilmFile, film_files
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import json_document
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
    session = open_for_reading(flags.command_options(args))
    if args.timeline is not None:
        return _back_from_the_editor(args, films(session), session.settings.root)
    selected = films(session)
    only_target(selected, args.to)
    options = CutOptions(args.to, args.burn_in)
    with FilmProgress(sys.stderr, "cut", is_shown=not (args.json or args.quiet)) as progress:
        cuts = [make_cut(session.settings, film, options, progress.tell) for film in selected]
    files = [film_file(cut) for cut in cuts]
    if args.json:
        print(json_document(film_files_json(files, "cut")), end="")
    else:
        print(
            film_files(
                files, terminal_width(), use_color(sys.stdout, args.no_color), _way_on(session.command_line, cuts)
            ),
            end="",
        )
    if args.open:
        open_in_viewer(cuts[0].path)
    return ExitCode.FAILED if any(cut.missing for cut in cuts) else ExitCode.OK


def _way_on(command_line: CommandLine, cuts: Sequence[MadeCut]) -> str:
    """The command that brings the clips for which slates stand in; "" where none is missing."""
    missing = [segment for cut in cuts for segment in cut.missing]
    if not missing:
        return ""
    is_damaged = all(segment.is_damaged for segment in missing)
    return command_line.verify() if is_damaged else command_line.run()


def _check_flags(args: argparse.Namespace) -> None:
    """Raise `CommandError` for flags that cannot stand together."""
    if args.timeline is None:
        if args.write:
            raise CommandError(ExitCode.USAGE, "--write puts an edited timeline into the storyboard: add --from OTIO")
        return
    others = ("to", "burn_in", "open", "json", "select", "exclude", "scenes")
    if other := next((name for name in others if getattr(args, name)), None):
        flag = f"--{other.removesuffix('s') if other == 'scenes' else other.replace('_', '-')}"
        raise CommandError(ExitCode.USAGE, f"--from reads a whole film's timeline back, and makes none: without {flag}")


def _back_from_the_editor(args: argparse.Namespace, selected: list[Film], root: Path) -> ExitCode:
    """Show the section of an edited timeline, or write it."""
    from runner.app.edited_cut import cut_from_editor
    from runner.show.screens import edited_cut as screen

    if len(selected) > 1:
        raise CommandError(ExitCode.USAGE, "--from is the timeline of one film: name its storyboard")
    edited = cut_from_editor(root, selected[0], args.timeline, write=args.write)
    width, color = terminal_width(), use_color(sys.stdout, args.no_color)
    if edited.is_written:
        text = screen.written_section(
            edited.storyboard, edited.entries, width, color, lost_comments=edited.lost_comments
        )
    else:
        text = screen.pasted_section(edited.section)
    print(text, end="")
    print(screen.edit_notes(edited.notes, width, use_color(sys.stderr, args.no_color)), end="", file=sys.stderr)
    return ExitCode.FAILED if edited.notes else ExitCode.OK


def film_file(cut: MadeCut) -> FilmFile:
    """A cut as the screen shows it."""
    facts = ["unchanged: it already shows this edit and these clips"]
    if cut.result is not None:
        shape = cut.result.shape
        facts = [f"{shape.width} × {shape.height}", f"{float(shape.rate):.5g} fps"]
        facts.append("pictures not encoded again" if cut.result.copied else f"encoded, since {cut.result.reason}")
    return FilmFile(
        "watch",
        cut.film.cut.film,
        display_path(cut.path),
        cut.film.cut.seconds,
        tuple(facts),
        (*cut.film.cut.notes, *(cut.result.notes if cut.result is not None else ())),
        tuple((segment.label, segment.reason) for segment in cut.missing),
    )
