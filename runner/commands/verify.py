"""`storyboard verify`: clips against the manifest's hashes; no key, no network."""

import argparse
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from runner.app.plan_report import history_now
from runner.app.project import color, columns
from runner.app.session import Opened, looking, typed
from runner.attempts.events import Clip
from runner.attempts.history import Attempt, History, State
from runner.commands import flags
from runner.diagnostics.problem import ExitCode
from runner.planning.plan import Step
from runner.show.screens.clips import ClipCheck, clips, clips_json
from runner.show.text.escape import json_document


def add(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Holds every clip that was made against its hash: whole, changed, or missing. Asks nobody, opens no\n"
        "connection. Without --provider it looks at the provider that has clips: the paid one, when several have."
    )
    parser.epilog = (
        "examples\n"
        "  storyboard verify storyboards/harbour.yaml\n"
        "exit codes: 0 all are whole, 1 some are not: storyboard fetch brings them back for nothing"
    )
    flags.add_looking(parser, required=True, every="whole ones in a line of their own, too")


def run(args: argparse.Namespace) -> ExitCode:
    desk = looking(args)
    checks = [check(desk, step, attempt, clip) for step, attempt, clip in made(desk, history_now(desk))]
    if args.json:
        print(json_document(clips_json(checks, "verify")), end="")
    else:
        next_command = f"storyboard fetch {typed(args, desk.files)}"
        print(clips(checks, columns(), color(args, sys.stdout), next_command, args.all), end="")
    return ExitCode.DONE if all(each.verdict == "whole" for each in checks) else ExitCode.FAILED


def made(desk: Opened, history: History) -> Iterator[tuple[Step, Attempt, Clip]]:
    """Every take of the storyboards that has a clip, with the clip that lies under its own name."""
    for step in desk.plan(history, selected=desk.selected).steps:
        attempt = history.standing(step.fingerprint) if step.fingerprint is not None else None
        if attempt is not None and attempt.state is State.STORED and attempt.clip is not None:
            own = target(desk, step).relative_to(desk.settings.root).as_posix()
            found = (clip for clip in attempt.clips if clip.path == own)
            yield step, attempt, next(found, attempt.clip)


def target(desk: Opened, step: Step) -> Path:
    """The final name of a take's clip."""
    return desk.output(step.shot.storyboard) / "clips" / step.shot.id / f"take-{step.take}.mp4"


def check(desk: Opened, step: Step, attempt: Attempt, clip: Clip) -> ClipCheck:
    """Whether the file of a take is the clip that was made."""
    path = target(desk, step)
    name = path.relative_to(desk.settings.root).as_posix()
    about = (step.shot.storyboard, step.shot.id, step.take, name)
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == clip.sha256
    except FileNotFoundError:
        return ClipCheck(*about, "missing")
    except OSError as error:
        return ClipCheck(*about, "failed", error.strerror or str(error))
    return ClipCheck(*about, "whole") if same else ClipCheck(*about, "changed", "its content is not what was made")
