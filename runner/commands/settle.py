"""`storyboard settle`: the list of unsettled attempts, and the settling of one."""

import argparse
import sys

from runner.app import settle
from runner.app.options import DisplayOptions
from runner.app.session import open_for_billing
from runner.commands import flag_values, flags
from runner.commands.notes import note
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import CommandError, ExitCode
from runner.show.json.settle import settle_json
from runner.show.screens import settle as screens
from runner.show.screens.settle import UnsettledList
from runner.show.text.cells import wrap
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Without SHOT: lists the unsettled attempts, of which nobody knows whether the provider created and charged "
        "them. With SHOT: settles one, by the id of its task on the provider's page, or by your own statement. Only "
        "polls that task; never pays. Nothing is overwritten: --undo reverts a decision."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard settle\n"
        "  storyboard settle quay --task task_clxxxx\n"
        "      the task exists: take it over, at no new charge\n"
        "  storyboard settle harbour:quay --not-charged\n"
        "      the task does not exist: the next run creates it\n"
        "  storyboard settle quay#2 --charged\n"
        "      the task was charged, and its clip is lost\n"
        "  storyboard settle quay --undo\n"
        "      revert the last decision\n"
        "  storyboard settle quay@Ab3dE2f7 --not-charged\n"
        "      one of several attempts of a take, by the id in the list\n"
        "  storyboard settle --task task_clxxxx --forget\n"
        "      a task that only a receipt names, and of no shot any more: give it up\n"
        "\n"
        "exit codes:\n"
        "  0  listed or settled\n"
        "  2  no such attempt, or nothing to undo\n"
        "  5  the key is missing or was refused\n"
        "  6  listed, and some attempts are unsettled"
    )
    parser.add_argument(
        "shot", nargs="?", metavar="SHOT", help="quay, harbour:quay, quay#2 (its take 2) or quay@ATTEMPT"
    )
    group = parser.add_argument_group("outcome").add_mutually_exclusive_group()
    group.add_argument(
        "--task",
        metavar="ID",
        type=flag_values.task_id,
        help="this task was created: confirm it at the provider, then take it over",
    )
    group.add_argument("--not-charged", action="store_true", help="no task was created: the next run may create it")
    group.add_argument(
        "--charged", action="store_true", help="the task was charged and its clip is lost: count it, and make it again"
    )
    group.add_argument("--undo", action="store_true", help="revert the last decision about it")
    parser.add_argument(
        "--forget", action="store_true", help="with --task and without SHOT: give up a task that only a receipt names"
    )
    flags.add_input(parser, several_films=False)
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    # Also where a storyboard has errors or is gone: what was paid for is settled all the same.
    session = open_for_billing(command_options(args))
    statement = settle.Statement(task=args.task, not_charged=args.not_charged, charged=args.charged, undo=args.undo)
    if args.forget:
        task = settle.forget_task(session.store_opener, args.task, args.shot, note)
        if not args.quiet:
            print(screens.given_up(task))
        return ExitCode.OK
    if args.shot is None:
        if statement != settle.Statement():
            raise CommandError(ExitCode.USAGE, "name the shot: storyboard settle SHOT …")
        unsettled = settle.list_unsettled(session.planner, session.history_reader)
        for message in unsettled.foreign:
            note(message)
        _show(unsettled.listed, session.command.display)
        return unsettled.exit_code
    attempt, verdict = settle.settle_attempt(session.planner, session.store_opener, args.shot, statement, note)
    if not args.quiet:
        print(*wrap(screens.confirmation(attempt, verdict, args.task), terminal_width()), sep="\n")
    return ExitCode.OK


def _show(unsettled: UnsettledList, display: DisplayOptions) -> None:
    if display.as_json:
        print(json_document(settle_json(unsettled)), end="")
    else:
        print(screens.settle(unsettled, terminal_width(), use_color(sys.stdout, display.no_color)), end="")
