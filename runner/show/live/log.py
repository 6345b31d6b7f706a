"""Log lines of a run, for pipes and files: one short line that grep finds for each event worth noting. Pure."""

from datetime import datetime

from runner.attempts.attempt import AttemptState
from runner.engine.run_events import RunEvent
from runner.planning.plan import Action, Step
from runner.show.live.progress import Progress, clock_time, sending_text, summary, wait_lines
from runner.show.text.escape import one_line
from runner.show.text.format import count, lasting
from runner.show.text.labels import clip_path, shot_name

# No line for `running` and `succeeded`: a log has one when a task begins, and one when its clip is at hand.
_VERBS = {"created": "sent", "stored": "made", "failed": "failed", "refused": "refused", "unsettled": "unsettled"}


def event_line(progress: Progress, event: RunEvent) -> str | None:
    """`06:41 made      SH010 take 1  renders/…/take-1.mp4`; None for an event that the log leaves out."""
    time = clock_time(progress, event.at)
    if event.event == "warning":
        return f"{time} warning   {one_line(event.message, 1000)}"
    if event.event not in _VERBS or event.step is None:
        return None
    word = "again" if event.will_retry else "doubtful" if _is_doubtful(event) else _VERBS[event.event]
    name = f"{shot_name(event.step, progress.several)} take {event.step.take}"
    # Nine cells are `unsettled`, the longest word: names stand in one column, for `cut` and `awk`.
    return f"{time} {word:<9} {name}  {_detail(event, event.step, progress.prefix)}".rstrip()


def _detail(event: RunEvent, step: Step, prefix: str) -> str:
    attempt = event.attempt
    # Longer than on any screen: a log is where a provider's text is looked up afterwards.
    message = one_line(event.message or (attempt.message if attempt is not None else ""), 1000)
    if attempt is None:
        return message
    if _is_doubtful(event):
        return message
    if event.event == "created":
        about = f", about {lasting(event.expected)}" if event.expected else ""
        return f"{one_line(attempt.task_id or '', 200)}{about}"
    if event.event == "stored" and attempt.clip is not None:
        return clip_path(attempt, step, prefix)
    return f'"{message}"' if message else ""


def _is_doubtful(event: RunEvent) -> bool:
    return event.attempt is not None and event.attempt.state is AttemptState.DOUBTFUL


def heartbeat(progress: Progress, now: datetime) -> str:
    """`05:00 working   8 of 28 made · 3 running · 16 to go`."""
    time = clock_time(progress, now)
    rest = progress.seconds_left(now)
    about = [f"about {lasting(rest)} left"] if rest else []
    sending = [f"sending {text}"] if (text := sending_text(progress, now)) else []
    # Only the soonest wait: a heartbeat stays one line.
    return f"{time} working   {' · '.join([*summary(progress), *sending, *about, *wait_lines(progress, now)[:1]])}"


def opening_line(progress: Progress) -> str:
    """`00:00 start     The Last Ferry: 28 takes, 3 of them resumed`."""
    takes = progress.started_count + len(progress.to_go)
    name = progress.title
    resumed = sum(step.action is Action.RESUME for step in progress.to_go.values())
    part = "resumed" if resumed == takes == 1 else f"{resumed} of them resumed"
    going = f", {part}" if resumed else ""
    concurrency = f", {progress.concurrency} at a time" if progress.concurrency > 1 else ""
    return f"00:00 start     {name}: {count(takes, 'take')}{going}{concurrency}"
