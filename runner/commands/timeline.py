"""`storyboard timeline`: the film for an editor; no key, no network."""

import argparse
import sys
from pathlib import Path

from runner.app.display_path import display_path
from runner.app.films import films, only_target
from runner.app.session import open_for_reading
from runner.app.timeline import FORMATS, write_timeline
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.show.json.film_files import film_files_json
from runner.show.screens.film_files import FilmFile, film_files
from runner.show.text.escape import json_document
from runner.show.text.format import count
from runner.show.text.terminal import terminal_width, use_color


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
    session = open_for_reading(flags.command_options(args))
    selected = films(session)
    only_target(selected, args.to)
    timelines = [write_timeline(session.manifests, film, args.to, args.format) for film in selected]
    files = [
        FilmFile(
            "timeline",
            timeline.film.cut.film,
            display_path(timeline.path),
            timeline.film.cut.seconds,
            (count(timeline.clips, "clip") + " in media/",),
            timeline.notes,
            tuple((segment.label, segment.reason) for segment in timeline.film.cut.missing),
        )
        for timeline in timelines
    ]
    if args.json:
        print(json_document(film_files_json(files, "timeline")), end="")
    else:
        print(film_files(files, terminal_width(), use_color(sys.stdout, args.no_color)), end="")
    return ExitCode.FAILED if any(timeline.film.cut.missing for timeline in timelines) else ExitCode.OK
