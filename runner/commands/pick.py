"""`storyboard pick`: chooses the good take of a shot; recorded in the manifest."""

import argparse
from datetime import datetime

from runner.app.manifests import write_pick
from runner.app.named_shots import find_shot, open_for_shots
from runner.app.plan_report import read_history
from runner.app.session import Session
from runner.attempts.attempt import AttemptState
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.clock import SystemClock
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Shot
from runner.planning.plan import Plan
from runner.planning.selection import storyboard_slug


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Chooses the good take of a shot, a retake as well. Shots that are made from this shot use the picked take; a "
        "later change makes them again. The pick is of this clip: it waits while the shot asks for another one, and "
        "counts again when the old text is restored. It follows the shot to a new name. The manifest of this provider "
        "and profile records it. Costs nothing by itself."
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
    session = open_for_shots(args, [args.shot])
    shot, take_number = find_shot(session, args.shot)
    if take_number is not None:
        raise CommandError(ExitCode.USAGE, f"write the take after the shot:\n  storyboard pick {shot.id} {take_number}")
    history = read_history(session)
    plan = session.plan(history)
    pick = None if args.take is None else _pick(session, history, plan, shot, args.take, SystemClock().now())
    storyboard = next(storyboard for storyboard in session.batch.storyboards if storyboard.path == shot.storyboard)
    write_pick(session, history, plan, storyboard, shot.id, pick)
    if not args.quiet:
        choice = f"take {args.take}" if args.take is not None else "no take"
        print(f"{storyboard_slug(shot.storyboard)}:{shot.id}: {choice} is picked ({session.settings.variant})")
    return ExitCode.OK


def _pick(session: Session, history: History, plan: Plan, shot: Shot, take: int, now: datetime) -> Pick:
    """The pick of a take, bound to its clip; `CommandError` (exit 2) when there is no whole clip to choose."""
    steps = plan.steps_of(shot.storyboard, shot.id)
    if not steps:
        raise CommandError(ExitCode.USAGE, f"{shot.id} is skipped: it has no take to pick")
    if steps[0].fingerprint is None:
        shots = ", ".join(steps[0].blockers)
        message = f"{shot.id} waits for a pick itself: first pick a take of {shots}, which it is made from"
        raise CommandError(ExitCode.USAGE, message)
    clips = {step.take: attempt for step in steps if (attempt := history.attempts.get(step.attempt or "")) is not None}
    attempt = clips.get(take)
    if attempt is not None and attempt.state is AttemptState.STORED and not attempt.needs_confirmation:
        return Pick(take, attempt.intent.fingerprint, attempt.task_id, now)
    if attempt is not None and attempt.state is AttemptState.DOUBTFUL:
        name = f"{storyboard_slug(shot.storyboard)}:{shot.id}#{take}"
        message = (
            f"take {take} of {shot.id} is doubtful: its clip {attempt.doubt}. If it is good, take it, then pick it:"
        )
        raise CommandError(ExitCode.USAGE, f"{message}\n  storyboard fetch --accept {name}")
    finished = [str(number) for number, other in sorted(clips.items()) if other.state is AttemptState.STORED]
    summary = f"takes with a clip: {', '.join(finished)}" if finished else "no take has a clip yet"
    raise CommandError(
        ExitCode.USAGE, f"take {take} of {shot.id} has no clip from {session.settings.variant}: {summary}"
    )
