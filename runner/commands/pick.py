"""`storyboard pick`: the good take of a shot, chosen and recorded in the manifest."""

import argparse

from runner.app.named_shots import find_shot, open_for_shots
from runner.app.pick import pick_take
from runner.attempts.film import storyboard_slug
from runner.commands import flags
from runner.commands.parsed_options import command_options
from runner.diagnostics.problem import CommandError, ExitCode
from runner.paid_providers import paid_provider_name


def add(parser: argparse.ArgumentParser) -> None:
    # What is recorded is never taken from a memory.
    parser.set_defaults(verify_files=True)
    parser.description = (
        "Chooses the good take of a shot, a retake as well. Shots that are made from this shot use the picked take; a "
        "later change makes them again. The pick is of this clip: it waits while the shot asks for another one, and "
        "counts again when the old text is restored. It follows the shot to a new name. The manifest of this provider "
        "and profile records it. Costs nothing by itself."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard pick quay 2\n"
        f"  storyboard pick harbour:quay 1 --provider {paid_provider_name()}\n"
        "  storyboard pick quay none\n"
        "      removes the pick"
    )
    parser.add_argument(
        "shot", metavar="SHOT", help="quay, or harbour:quay if two storyboards have a shot of that name"
    )
    parser.add_argument("take", metavar="TAKE", type=_take, help="the number of the take, or `none`")
    flags.add_input(parser, several_films=False)
    flags.add_output(parser)


def _take(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isascii() or not text.isdigit() or int(text[:6]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither the number of a take nor `none`")
    return int(text[:6])


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_shots(command_options(args), [args.shot])
    shot, number = find_shot(session.planner, session.history_reader.read, args.shot)
    line = session.look_line().of_files()
    # `quay#2 3` would be two takes, and `quay#2` no choice: one way to say it.
    if number is not None:
        raise CommandError(ExitCode.USAGE, f"write the take after the shot:\n  {line.pick(shot.id, str(number))}")
    history = session.history_reader.read()
    pick_take(session.manifests, session.planner.plan(history), history, shot, args.take, line)
    if not args.quiet:
        choice = f"take {args.take}" if args.take is not None else "no take"
        folder = shot.film.folder(session.settings.provider)
        print(f"{storyboard_slug(shot.storyboard)}:{shot.id}: {choice} is picked ({folder})")
    return ExitCode.OK
