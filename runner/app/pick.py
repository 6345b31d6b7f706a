"""The choice of a shot's good take."""

from datetime import datetime

from runner.app.manifest_files import ManifestFiles
from runner.app.manifests import write_pick
from runner.attempts.attempt import AttemptState
from runner.attempts.film import storyboard_slug
from runner.attempts.history import History
from runner.attempts.pick import Pick
from runner.clock import SystemClock
from runner.diagnostics.problem import CommandError, ExitCode
from runner.language.model import Shot
from runner.planning.plan import Plan
from runner.show.text.command_line import CommandLine


def pick_take(
    manifests: ManifestFiles, plan: Plan, history: History, shot: Shot, take: int | None, line: CommandLine
) -> None:
    """Record the pick of a take in the manifest, or that no take is picked; `plan` is that of all shots."""
    pick = None if take is None else _pick(history, plan, shot, take, line, SystemClock().now())
    write_pick(manifests, history, plan, plan.batch.storyboard_of(shot.film), shot.id, pick)


def _pick(history: History, plan: Plan, shot: Shot, take: int, line: CommandLine, now: datetime) -> Pick:
    """The pick of a take, bound to its clip; `CommandError` (exit 2) when there is no whole clip to choose."""
    steps = plan.steps_of(shot.key)
    if not steps:
        raise CommandError(ExitCode.USAGE, f"{shot.id} is skipped: it has no take to pick")
    if steps[0].fingerprint is None:
        shots = ", ".join(steps[0].blockers)
        message = f"{shot.id} waits for a pick itself: first pick a take of {shots}, which it is made from"
        raise CommandError(ExitCode.USAGE, message)
    clips = {step.take: attempt for step in steps if (attempt := history.attempts.get(step.attempt or "")) is not None}
    attempt = clips.get(take)
    # Bound to the clip by fingerprint and task: a take that is made anew under the number is another one.
    if attempt is not None and attempt.state is AttemptState.STORED and not attempt.needs_confirmation:
        return Pick(take, attempt.intent.fingerprint, attempt.task_id, now)
    if attempt is not None and attempt.state is AttemptState.DOUBTFUL:
        name = f"{storyboard_slug(shot.storyboard)}:{shot.id}#{take}"
        fault = f"take {take} of {shot.id} is doubtful: its clip {attempt.clip_fault}"
        message = f"{fault}. If it is good, take it, then pick it:"
        raise CommandError(ExitCode.USAGE, f"{message}\n  {line.of_film(shot.film.profile).accept(name)}")
    finished = [str(number) for number, other in sorted(clips.items()) if other.state is AttemptState.STORED]
    summary = f"takes with a clip: {', '.join(finished)}" if finished else "no take has a clip yet"
    raise CommandError(
        ExitCode.USAGE,
        f"take {take} of {shot.id} has no clip from {shot.film.folder(plan.account.provider)}: {summary}",
    )
