"""`storyboard pick`: chooses the good take of a shot; recorded in the manifest."""

import argparse
from collections.abc import Mapping

from runner.app import run_store
from runner.app.session import Session, open_for_reading, resolve_shot
from runner.attempts.attempt import AttemptState
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.planning.selection import ShotKey, storyboard_slug
from runner.requests.request import JsonValue, fingerprint


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Chooses the good take of a shot. Shots that are made from this shot use the picked take; a later change "
        "makes them again. The pick is recorded in the manifest of this provider and profile. Costs nothing by "
        "itself."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard pick quay 2\n"
        "  storyboard pick harbour:quay 1 --provider kinovi\n"
        "  storyboard pick quay none\n"
        "      removes the pick"
    )
    parser.add_argument(
        "shot", metavar="SHOT", help="quay, or harbour:quay if two storyboards have a shot of that name"
    )
    parser.add_argument("take", metavar="TAKE", type=_take, help="the number of the take, or `none`")
    flags.add_input(parser)
    flags.add_output(parser)


def _take(text: str) -> int | None:
    if text == "none":
        return None
    if not text.isascii() or not text.isdigit() or int(text[:6]) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is neither the number of a take nor `none`")
    return int(text[:6])


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(args)
    shot, take_number = resolve_shot(session, args.shot)
    if take_number is not None:
        raise CommandError(ExitCode.USAGE, f"write the take after the shot:\n  storyboard pick {shot.id} {take_number}")
    with run_store.open_run_store(session) as store:
        history = session.with_manifests(store.history())
        key = (shot.storyboard, shot.id)
        if args.take is None:
            history.picks.pop(key, None)
        else:
            _require_clip(session, history, key, args.take)
            history.picks[key] = Pick(args.take)
        run_store.write_manifests(session, history)
    if not args.quiet:
        choice = f"take {args.take}" if args.take is not None else "no take"
        print(f"{storyboard_slug(shot.storyboard)}:{shot.id}: {choice} is picked ({session.settings.variant})")
    return ExitCode.OK


def _require_clip(session: Session, history: History, key: ShotKey, take: int) -> None:
    steps = session.plan(history).steps_of(*key)
    if not steps or steps[0].fingerprint is None:
        raise CommandError(
            ExitCode.USAGE, f"{key[1]} waits for a pick itself: first pick a take of the shot that it is made from"
        )
    request = steps[0].neutral_request()
    if not _has_clip(history, request, take):
        finished = [str(number) for number in range(1, take + 50) if _has_clip(history, request, number)]
        summary = f"takes with a clip: {', '.join(finished)}" if finished else "no take has a clip yet"
        raise CommandError(
            ExitCode.USAGE, f"take {take} of {key[1]} has no clip from {session.settings.variant}: {summary}"
        )


def _has_clip(history: History, request: Mapping[str, JsonValue], take: int) -> bool:
    attempt = history.current_attempt(fingerprint({**request, "take": take}))
    return attempt is not None and attempt.state is AttemptState.STORED
