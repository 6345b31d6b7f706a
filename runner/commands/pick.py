"""`storyboard pick`: chooses the good take of a shot; recorded in the manifest."""

import argparse
from collections.abc import Mapping

from runner.app.manifests import write_pick
from runner.app.plan_report import read_history
from runner.app.session import Session, open_for_reading, resolve_shot
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.clock import SystemClock
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
    pick = None if args.take is None else _pick(session, (shot.storyboard, shot.id), args.take)
    storyboard = next(storyboard for storyboard in session.batch.storyboards if storyboard.path == shot.storyboard)
    write_pick(session, storyboard, shot.id, pick)
    if not args.quiet:
        choice = f"take {args.take}" if args.take is not None else "no take"
        print(f"{storyboard_slug(shot.storyboard)}:{shot.id}: {choice} is picked ({session.settings.variant})")
    return ExitCode.OK


def _pick(session: Session, key: ShotKey, take: int) -> Pick:
    """The pick of a take that has a clip, bound to its request and task; `CommandError` where it has none."""
    history = read_history(session)
    steps = session.plan(history).steps_of(*key)
    if not steps or steps[0].fingerprint is None:
        raise CommandError(
            ExitCode.USAGE, f"{key[1]} waits for a pick itself: first pick a take of the shot that it is made from"
        )
    request = steps[0].neutral_request()
    attempt = _attempt_with_clip(history, request, take)
    if attempt is None:
        finished = [str(number) for number in range(1, take + 50) if _attempt_with_clip(history, request, number)]
        summary = f"takes with a clip: {', '.join(finished)}" if finished else "no take has a clip yet"
        raise CommandError(
            ExitCode.USAGE, f"take {take} of {key[1]} has no clip from {session.settings.variant}: {summary}"
        )
    return Pick(take, attempt.intent.fingerprint, attempt.task_id, SystemClock().now())


def _attempt_with_clip(history: History, request: Mapping[str, JsonValue], take: int) -> Attempt | None:
    attempt = history.current_attempt(fingerprint({**request, "take": take}))
    is_made = attempt is not None and attempt.state is AttemptState.STORED and not attempt.needs_confirmation
    return attempt if is_made else None
