"""`storyboard timeline`: the film for an editor; no key, no network."""

import argparse
from pathlib import Path

from runner.app.films import films
from runner.app.session import open_for_reading
from runner.app.timeline import FORMATS, write_timeline
from runner.commands import flags
from runner.commands.film_output import print_film_files
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import ExitCode


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Writes the film's timeline for an editor: order, ranges, all takes with the picked one active, music, and "
        "gaps where clips are missing. Beside it a folder media/ holds a link to each clip under a name of its own "
        "(ferry_SH040_t02.mp4), by which editors link again. Opens no connection. Without --provider: the provider "
        "that has clips, the paid one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard timeline storyboards/harbour.yaml\n"
        "  storyboard timeline storyboards/harbour.yaml --format edl\n"
        "\n"
        "exit codes:\n"
        "  0  the timeline is written, with a clip for each shot\n"
        "  1  the timeline is written, with gaps for clips that are missing\n"
        "  3  invalid input: nothing was written"
    )
    flags.add_film_parts(parser)
    group = parser.add_argument_group("timeline")
    text = "write the timeline here (default: timeline.otio, timeline.edl, … beside the manifest)"
    group.add_argument("--to", type=Path, metavar="FILE", help=text)
    group.add_argument(
        "--format",
        choices=tuple(FORMATS),
        default="otio",
        metavar="NAME",
        help=f"{flags.alternatives(tuple(FORMATS))} (default: otio); edl, fcpxml and xml hold the shown takes only",
    )


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(command_options(args))
    selected = films(session.selection, session.history_reader, args.to)
    timelines = [write_timeline(session.manifests, film, args.to, args.format) for film in selected]
    print_film_files("timeline", [timeline.file for timeline in timelines], session.command.display)
    return ExitCode.FAILED if any(timeline.film.cut.missing for timeline in timelines) else ExitCode.OK
