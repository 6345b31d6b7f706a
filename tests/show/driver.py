"""News of a run that never was, at any speed: for looking at the live view, and for its tests.

python -m tests.show.driver --seconds 20        (in a terminal, or with `| cat`)
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Clip, FailureClass, Intent
from runner.attempts.sums import CreditSums
from runner.clock import SystemClock
from runner.engine.run_events import CreditTotals, RunEvent, RunResult, StopReason, TakeResult
from runner.planning.plan import Plan, Step
from runner.show.live.progress import Progress
from runner.show.live.view import view
from tests.builders.screen_films import KINOVI, NOON, SANDBOX, ferry, plan

USUAL = 160.0
"""Seconds that a task of these films takes."""
FACE = "Face detected in uploaded media"


def attempt_of(
    step: Step, at: datetime, state: AttemptState = AttemptState.RUNNING, status: str = "generating"
) -> Attempt:
    """An attempt of a step, as news carry it; its outcome stands in `state`."""
    name = f"{step.shot.id}-{step.take}"
    intended = Intent(
        step.shot.storyboard, step.shot.id, step.take, step.fingerprint or "0" * 64, {}, "{}",
        step.price.credits or Decimal(0), "classic", "0a1b2c3d", f"receipt-{name}", "run-1",
    )  # fmt: skip
    made = Attempt(name, intended, state, at, at, f"task_{name}", status, at)
    if state is AttemptState.STORED:
        path = f"renders/ferry/kinovi/clips/{step.shot.id}/take-{step.take}.mp4"
        return replace(made, credits_used=intended.quoted, clip=Clip(path, "c" * 64, 2_400_000, 1280, 720, 4.0))
    return made


def bad(step: Step, at: datetime, state: AttemptState, words: str, failure: FailureClass | None = None) -> Attempt:
    return replace(attempt_of(step, at, state), message=words, failure=failure, ended_at=at)


def story(film: Plan, at_once: int = 3) -> Iterator[RunEvent]:
    """A whole run: three at a time, SH060 is refused for a face, SH160 is unsettled, one failure is tried again."""
    now, queue = NOON, [step for step in film.steps if step.is_billable]
    yield RunEvent("plan", now, plan=film, money=_money(film, {}))
    running: dict[str, tuple[Step, datetime]] = {}
    ended: dict[str, tuple[Step, str]] = {}
    while queue or running:
        while queue and len(running) < at_once:
            step = queue.pop(0)
            running[step.shot.id + str(step.take)] = (step, now)
            waiting = attempt_of(step, now, status="waiting")
            yield RunEvent("created", now, step, waiting, expected=USUAL, money=_money(film, running, ended))
            yield RunEvent(
                "running", now, step, attempt_of(step, now), expected=USUAL, money=_money(film, running, ended)
            )
        key, (step, since) = next(iter(running.items()))
        now = since + timedelta(seconds=USUAL - 25 + 7 * (len(ended) % 6))
        del running[key]
        ended[key] = (step, "stored")
        yield from _ending(film, step, since, now, running, ended, key)
    yield RunEvent("done", now, money=_money(film, running, ended), outcome=outcome(film, now))


def _ending(
    film: Plan,
    step: Step,
    since: datetime,
    now: datetime,
    running: dict[str, tuple[Step, datetime]],
    ended: dict[str, tuple[Step, str]],
    key: str,
) -> Iterator[RunEvent]:
    if step.shot.id == "SH060":
        ended[key] = (step, "refused")
        yield RunEvent(
            "refused",
            now,
            step,
            bad(step, since, AttemptState.REFUSED, FACE, "face"),
            money=_money(film, running, ended),
        )
    elif step.shot.id == "SH160":
        ended[key] = (step, "unsettled")
        lost = bad(step, since, AttemptState.UNSETTLED, "the line broke after the request left")
        yield RunEvent("unsettled", now, step, lost, money=_money(film, running, ended))
    else:
        succeeded = attempt_of(step, since, AttemptState.SUCCEEDED)
        yield RunEvent("succeeded", now, step, succeeded, money=_money(film, running, ended))
        yield RunEvent(
            "stored", now, step, attempt_of(step, since, AttemptState.STORED), money=_money(film, running, ended)
        )


def _money(
    film: Plan, running: dict[str, tuple[Step, datetime]], ended: dict[str, tuple[Step, str]] | None = None
) -> CreditTotals:
    def price(steps: list[Step]) -> Decimal:
        return sum((step.price.credits or Decimal(0) for step in steps), Decimal(0))

    done = ended or {}
    billed = price([step for step, event in done.values() if event == "stored"])
    perhaps = price([step for step, event in done.values() if event == "unsettled"])
    going = price([step for step, _ in running.values()])
    lost = price([step for step, event in done.values() if event == "refused"])
    started = {*running, *done}
    undecided = [step for step in film.steps if step.is_billable and step.fingerprint is None]
    later = price([step for step in undecided if step.shot.id + str(step.take) not in started])
    whole = film.totals.credits or Decimal(0)
    return CreditTotals(CreditSums(billed, going, perhaps), whole - billed - perhaps - going - lost - later)


def outcome(film: Plan, at: datetime, halt: StopReason | None = None) -> RunResult:
    """The end of that run."""
    ordered = [step for step in film.steps if step.is_billable]
    made = tuple(
        TakeResult(step, attempt_of(step, at, AttemptState.STORED))
        for step in ordered
        if step.shot.id not in ("SH060", "SH160", "SH170")
    )
    billed = sum((fate.step.price.credits or Decimal(0) for fate in made), Decimal(0))
    money = CreditTotals(CreditSums(billed, unsettled=Decimal(160)))
    lost = "the line broke after the request left"

    def those(shot: str) -> list[Step]:
        return [step for step in ordered if step.shot.id == shot]

    return RunResult(
        film,
        finished=made,
        refused=tuple(TakeResult(step, bad(step, at, AttemptState.REFUSED, FACE, "face")) for step in those("SH060")),
        unsettled=tuple(TakeResult(step, bad(step, at, AttemptState.UNSETTLED, lost)) for step in those("SH160")),
        blocked=tuple(TakeResult(step, message="SH160 is unsettled") for step in those("SH170")),
        waiting=tuple(TakeResult(step, message=step.reason.text) for step in film.steps if step.needs_pick),
        stop_reason=halt,
        money=money,
    )


class Quickened(SystemClock):
    """A clock that runs faster, and began at noon."""

    def __init__(self, speed: float) -> None:
        self._speed, self._since = speed, time.monotonic()

    def is_at(self, moment: datetime) -> bool:
        """Whether the clock shows this moment or a later one."""
        return self.now() >= moment

    def now(self) -> datetime:
        return NOON + timedelta(seconds=(time.monotonic() - self._since) * self._speed)


def main() -> None:
    """Shows the story in so many seconds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--free", action="store_true")
    args = parser.parse_args()
    film = plan(ferry(), account=SANDBOX if args.free else KINOVI)
    news = list(story(film))
    clock = Quickened((news[-1].at - NOON).total_seconds() / args.seconds)
    progress = Progress(ceiling=Decimal(4480), concurrency=3)
    shown = view(sys.stderr, progress, clock, terminal=sys.stderr.isatty() and not args.plain, color=True)
    try:
        for each in news:
            while clock.now() < each.at:
                time.sleep(0.02)
            shown.on_event(each)
    except KeyboardInterrupt:
        shown.stopping()
        time.sleep(2)
    finally:
        shown.close()


if __name__ == "__main__":
    main()
