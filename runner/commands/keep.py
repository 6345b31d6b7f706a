"""`storyboard keep`: the clips at hand stand for the storyboard as it is now, although it changed since."""

import argparse
from collections.abc import Iterator

from runner.app import run_store
from runner.app.manifests import write_keeps, write_manifests
from runner.app.named_shots import open_for_shots, shot_of_former_name
from runner.app.session import Session
from runner.attempts.attempt import Attempt
from runner.attempts.clip_name import ClipName
from runner.attempts.history import History
from runner.commands import flags
from runner.diagnostics.problem import CommandError, ExitCode
from runner.lazy_dataclass import replace
from runner.planning.keeping import KeepAnswer, clips_to_keep
from runner.planning.plan import Plan
from runner.planning.selection import ShotKey, select, storyboard_slug
from runner.show.text.escape import escape_terminal
from runner.show.text.format import money


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Says that the clips at hand stand for the storyboard as it is now, although their shots changed since: no "
        "run sends these shots until they change again. What is made from them stays, and so do their picks. The "
        "manifest records it. Costs nothing; a take without a clip is still to be made, and is named."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard keep quay --provider kinovi\n"
        "  storyboard keep 'quay scene:harbour'\n"
        "  storyboard keep quay --undo\n"
        "      the shot is made anew by the next run, and so is what is made from it\n"
        "\n"
        "exit codes:\n"
        "  0  kept, or nothing to keep\n"
        "  1  some clips are doubtful, gone or still to come, and cannot be kept\n"
        "  2  no such shot\n"
        "  3  invalid input\n"
        "  7  another run holds this output"
    )
    parser.add_argument(
        "selection",
        nargs="+",
        metavar="SELECT",
        help="the shots: an id, a glob, tag:NAME or scene:NAME; a space means OR, a comma AND",
    )
    parser.add_argument("--undo", action="store_true", help="the clips stand for nothing but their own request again")
    flags.add_input(parser)
    flags.add_output(parser)


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_shots(args, args.selection)
    with run_store.open_run_store(session) as store:
        history = session.with_manifests(store.history())
        write_manifests(session, history)
        keys = _selected(session)
        return _undo(session, history, keys) if args.undo else _keep(session, history, keys)


def _selected(session: Session) -> list[ShotKey]:
    """The selected shots in the files' order, also by a former name."""
    keys: set[ShotKey] = set()
    for expression in session.args.selection:
        try:
            keys |= select(session.batch, [expression], ()) or set()
        except CommandError:
            if (shot := shot_of_former_name(session, expression)) is None:
                raise
            keys.add((shot.storyboard, shot.id))
    return [(shot.storyboard, shot.id) for shot in session.batch.shots if (shot.storyboard, shot.id) in keys]


def _keep(session: Session, history: History, keys: list[ShotKey]) -> ExitCode:
    plan = session.plan(history)
    answers = [answer for key in keys for answer in _answers(session, history, plan, key)]
    keeps = [(answer.shot[0], answer.attempt, answer.wanted) for answer in answers if answer.attempt is not None]
    _record(session, history, keeps)
    for answer in answers:
        _tell(session, answer.shot, f"take {answer.take} {answer.message}")
    return ExitCode.FAILED if any(answer.is_refused for answer in answers) else ExitCode.OK


def _answers(session: Session, history: History, plan: Plan, key: ShotKey) -> Iterator[KeepAnswer]:
    clip_exists = session.clip_exists(history)
    folder = session.output_folder(key[0]).relative_to(session.settings.root).as_posix()
    paths = {board.path for board in session.batch.storyboards}

    def own_clip(shot: ShotKey, take: int, attempt: Attempt) -> bool:
        path = f"{folder}/{ClipName(shot[1], take).path}"
        return any(clip.path == path and clip_exists(clip) for clip in attempt.clips)

    def is_of_film(attempt: Attempt) -> bool:
        intent = attempt.intent
        is_here = intent.storyboard == key[0] or intent.storyboard not in paths
        return is_here and intent.profile == session.settings.profile

    yield from clips_to_keep(plan, history, key, own_clip, is_of_film)


def _undo(session: Session, history: History, keys: list[ShotKey]) -> ExitCode:
    plan = session.plan(history)
    steps = [step for key in keys for step in plan.steps_of(*key) if step.keep is not None]
    if not steps:
        raise CommandError(ExitCode.USAGE, f"no clip of {', '.join(shot for _, shot in keys)} is kept")
    _record(session, history, [(step.shot.storyboard, history.attempts[step.attempt or ""], None) for step in steps])
    for step in steps:
        _tell(session, step.key[:2], f"take {step.take} is no longer kept")
    after = session.plan(history)
    if not session.args.quiet and (shots := dict.fromkeys(step.shot.id for step in after.steps if step.is_billable)):
        price = "free" if after.is_free else money(after.totals.credits, session.settings.usd_per_credit)
        print(escape_terminal(f"to be made now: {', '.join(shots)}   {price}"))
    return ExitCode.OK


def _record(session: Session, history: History, keeps: list[tuple[str, Attempt, str | None]]) -> None:
    """Write what clips are kept for; a clip that was kept for the same request before is no longer."""
    for board in session.batch.storyboards:
        tasks = {attempt.task_id: wanted for path, attempt, wanted in keeps if path == board.path and attempt.task_id}
        replaced = {
            attempt.task_id: None
            for attempt in history.attempts.values()
            if attempt.task_id and attempt.kept_for is not None and attempt.kept_for in tasks.values()
        }
        if tasks:
            write_keeps(session, board, replaced | tasks)
    for _, attempt, wanted in keeps:
        history.attempts[attempt.id] = replace(attempt, kept_for=wanted)


def _tell(session: Session, shot: ShotKey, message: str) -> None:
    if not session.args.quiet:
        print(escape_terminal(f"{storyboard_slug(shot[0])}:{shot[1]}: {message}"))
