"""`storyboard verify`: checks clips against the hashes in the manifest; no key, no network."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from runner.app.plan_report import read_history
from runner.app.session import Session, command_arguments, open_for_reading
from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.clip_name import ClipName
from runner.attempts.events import Clip
from runner.attempts.history import History
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.files.reading import hash_clip
from runner.planning.plan import Step
from runner.show.json.clips import clips_json
from runner.show.screens.clips import ClipCheck, clips, next_command
from runner.show.text.escape import json_document
from runner.show.text.terminal import terminal_width, use_color


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Checks every clip against the hash in the manifest: intact, changed or missing. Opens no connection. Without "
        "--provider: the provider that has clips, the paid one if several have."
    )
    parser.epilog = (
        "examples:\n"
        "  storyboard verify storyboards/harbour.yaml\n"
        "\n"
        "exit codes:\n"
        "  0  every clip is intact\n"
        "  1  some clips are not: `storyboard fetch` downloads them again for nothing\n"
        "  3  invalid input"
    )
    flags.add_reading(parser, required=True, all_help="list intact clips too")


def run(args: argparse.Namespace) -> ExitCode:
    session = open_for_reading(args)
    results = [
        check(session, step, attempt, clip) for step, attempt, clip in takes_with_clips(session, read_history(session))
    ]
    if args.json:
        print(json_document(clips_json(results, "verify")), end="")
    else:
        command = next_command(results, command_arguments(args, session.files))
        print(clips(results, terminal_width(), use_color(sys.stdout, args.no_color), command, args.all), end="")
    return ExitCode.OK if all(result.verdict == "whole" for result in results) else ExitCode.FAILED


def takes_with_clips(session: Session, history: History) -> Iterator[tuple[Step, Attempt, Clip]]:
    """Every selected take that has a clip, with the clip under its own name."""
    for step in session.plan(history, selected=session.selected).steps:
        attempt = history.current_attempt(step.fingerprint) if step.fingerprint is not None else None
        if attempt is not None and attempt.state.has_clip and attempt.clip is not None:
            own_path = target(session, step, attempt).relative_to(session.settings.root).as_posix()
            own_clips = (clip for clip in attempt.clips if clip.path == own_path)
            yield step, attempt, next(own_clips, attempt.clip)


def target(session: Session, step: Step, attempt: Attempt) -> Path:
    """The path of a take's clip; a doubtful clip lies beside its final name."""
    name = ClipName(step.shot.id, step.take, is_doubtful=attempt.state is AttemptState.DOUBTFUL)
    return session.output_folder(step.shot.storyboard) / name.path


def check(session: Session, step: Step, attempt: Attempt, clip: Clip) -> ClipCheck:
    """Check the file of a take against the recorded clip."""
    path = target(session, step, attempt)
    name = path.relative_to(session.settings.root).as_posix()
    identity = (step.shot.storyboard, step.shot.id, step.take, name)
    try:
        is_same = hash_clip(path, session.settings.root) == clip.sha256
    except FileNotFoundError:
        return ClipCheck(*identity, "missing")
    except OSError as error:
        return ClipCheck(*identity, "failed", error.strerror or str(error))
    if not is_same:
        return ClipCheck(*identity, "changed", "its content differs from the recorded clip")
    if attempt.state is AttemptState.DOUBTFUL:
        return ClipCheck(*identity, "doubtful", f"it {attempt.doubt}")
    return ClipCheck(*identity, "whole")
