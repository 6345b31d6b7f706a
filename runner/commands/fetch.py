"""`storyboard fetch`: the clips that the manifest names and this machine lacks, downloaded; nothing is paid for."""

import argparse
import sys
from pathlib import Path

from runner.app.fetch_clips import accept_clips, fetch_clips
from runner.app.named_shots import open_for_shots
from runner.app.session import open_for_billing, open_for_reading
from runner.app.task_fetch import fetch_task
from runner.commands import flag_values, flags
from runner.commands.notes import note
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import CommandError, ExitCode
from runner.paid_providers import paid_provider_name
from runner.show.json.clips import clips_json
from runner.show.screens.clips import clips, command_after_fetch
from runner.show.text.escape import escape_terminal, json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Downloads the clips that the manifest names and that this machine lacks or that were changed: from another "
        "place on this disk, else from the provider, which keeps media for some days. Clips of earlier versions of a "
        "shot are fetched too, into earlier/. Creates no task, pays for nothing. A download is kept only if it is the "
        "recorded clip.\n"
        "\n"
        "A clip that was paid for and fails a check is doubtful: it is kept beside its place, as take-1.doubtful.mp4. "
        "Look at it; --accept takes it. To download it again instead, delete that file and run storyboard fetch."
    )
    parser.epilog = (
        "examples:\n"
        f"  storyboard fetch storyboards/harbour.yaml --provider {paid_provider_name()}\n"
        f"  storyboard fetch --accept harbour:quay --provider {paid_provider_name()}\n"
        "  storyboard fetch --task task_clxxxx --to quay.mp4\n"
        "      a paid task of a repository that is gone\n"
        "\n"
        "exit codes:\n"
        "  0  every current clip is here\n"
        "  1  some clips are doubtful, gone or could not be fetched\n"
        "  2  no such task\n"
        "  3  invalid input\n"
        "  5  the key is missing or was refused\n"
        "  9  the task still runs"
    )
    flags.add_reading(parser, required=False, all_help="list intact clips too")
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="SHOT",
        help="take the doubtful clip of a shot (quay, harbour:quay, quay#2) as it is; nothing else is done",
    )
    parser.add_argument(
        "--task",
        metavar="ID",
        type=flag_values.task_id,
        help="with --to: fetch the clip of this task, and nothing else",
    )
    parser.add_argument("--to", type=Path, metavar="FILE", help="the file for --task; never one that exists")


def run(args: argparse.Namespace) -> ExitCode:
    if args.task is not None or args.to is not None:
        return _fetch_task(args)
    options = command_options(args)
    # An error in another storyboard keeps nobody from accepting a clip.
    session = open_for_shots(options, args.accept) if args.accept else open_for_reading(options)
    if args.accept:
        results = accept_clips(session.planner, session.store_opener, args.accept, note)
    else:
        results = fetch_clips(session.selection, session.store_opener, session.command_line, note)
    if args.json:
        print(json_document(clips_json(results, "fetch")), end="")
    else:
        command = command_after_fetch(results, session.command_line)
        print(clips(results, terminal_width(), use_color(sys.stdout, args.no_color), command, args.all), end="")
    return ExitCode.OK if all(result.is_fine for result in results) else ExitCode.FAILED


def _fetch_task(args: argparse.Namespace) -> ExitCode:
    """Fetch the clip of one task, whatever repository ordered it."""
    # A task may be of no film at hand: neither a name for its file nor a document of films fits it.
    if args.task is None or args.to is None or args.accept or args.json:
        raise CommandError(ExitCode.USAGE, "say which task and where: storyboard fetch --task ID --to FILE")
    # The storyboards of a task may be broken or gone; its clip is paid for all the same.
    session = open_for_billing(command_options(args))
    fetched = fetch_task(session.edition, session.store_opener, args.task, args.to, note)
    if fetched.code is not ExitCode.OK or not args.quiet:
        print(escape_terminal(fetched.message), file=sys.stdout if fetched.code is ExitCode.OK else sys.stderr)
    return fetched.code
