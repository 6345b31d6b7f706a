"""`storyboard pick`: chooses the good take of a shot; recorded in the manifest."""

import argparse
from collections.abc import Mapping

from runner.app import run_store
from runner.app.session import Session, open_for_reading, resolve_shot
from runner.attempts.history import AttemptState, History
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.selection import ShotKey, storyboard_slug
from runner.requests.request import JsonValue, fingerprint


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Chooses the good take of a shot. Shots that are made from it follow the pick; changing it later makes them\n"
        "anew. It stands in the manifest, beside the clips of this provider and profile. Costs nothing by itself."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard pick quay 2\n"
        "  storyboard pick harbour:quay 1 --provider kinovi\n"
        "  storyboard pick quay none          takes the choice back"
    )
    parser.add_argument("shot", metavar="SHOT", help="quay, or harbour:quay when two storyboards have it")
    parser.add_argument("take", metavar="TAKE", type=_take, help="its number, or `none`")
    flags.add_choice(parser)
    flags.add_output(parser)


def _take(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isascii() or not text.isdigit() or int(text[:6]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither the number of a take nor `none`")
    return int(text[:6])


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(args)
    shot, pin = resolve_shot(session, args.shot)
    if pin is not None:
        raise CommandError(ExitCode.USAGE, f"write the take after the shot: storyboard pick {shot.id} {pin}")
    with run_store.open_run_store(session) as records:
        history = session.with_manifests(records.history())
        name = (shot.storyboard, shot.id)
        if args.take is None:
            history.picks.pop(name, None)
        else:
            _must_be_made(session, history, name, args.take)
            history.picks[name] = args.take
        run_store.write_manifests(session, history)
    if not args.quiet:
        said = f"take {args.take}" if args.take is not None else "no take"
        print(f"{storyboard_slug(shot.storyboard)}:{shot.id}: {said} is picked ({session.settings.variant})")
    return ExitCode.OK


def _must_be_made(session: Session, history: History, name: ShotKey, take: int) -> None:
    steps = session.plan(history).steps_of(*name)
    if not steps or steps[0].fingerprint is None:
        raise CommandError(ExitCode.USAGE, f"{name[1]} waits for a pick itself: pick what it is made from first")
    form = steps[0].neutral_request()
    if not _is_made(history, form, take):
        made = [str(number) for number in range(1, take + 50) if _is_made(history, form, number)]
        there = f"made are {', '.join(made)}" if made else "none is made yet"
        raise CommandError(
            ExitCode.USAGE, f"take {take} of {name[1]} has no clip from {session.settings.variant}: {there}"
        )


def _is_made(history: History, form: Mapping[str, JsonValue], take: int) -> bool:
    attempt = history.current_attempt(fingerprint({**form, "take": take}))
    return attempt is not None and attempt.state is AttemptState.STORED
