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

from runner.attempts.events import Clip, FailureClass, Intended
from runner.attempts.history import Attempt, State
from runner.clock import SystemClock
from runner.engine.run_events import Fate, Halt, Money, News, Outcome
from runner.planning.plan import Plan, Step
from runner.show.live.progress import Progress
from runner.show.live.view import view
from tests.show.films import KINOVI, NOON, SANDBOX, ferry, plan

USUAL = 160.0
"""Seconds that a task of these films takes."""
FACE = "Face detected in uploaded media"


def attempt_of(step: Step, at: datetime, state: State = State.RUNNING, status: str = "generating") -> Attempt:
    """An attempt of a step, as news carry it; its outcome stands in `state`."""
    name = f"{step.shot.id}-{step.take}"
    intended = Intended(
        step.shot.storyboard, step.shot.id, step.take, step.fingerprint or "0" * 64, {}, "{}",
        step.price.credits or Decimal(0), "classic", "0a1b2c3d", f"receipt-{name}", "run-1",
    )  # fmt: skip
    made = Attempt(name, intended, state, at, at, f"task_{name}", status, at)
    if state is State.STORED:
        path = f"renders/ferry/kinovi/clips/{step.shot.id}/take-{step.take}.mp4"
        return replace(made, credits_used=intended.quoted, clip=Clip(path, "c" * 64, 2_400_000, 1280, 720, 4.0))
    return made


def bad(step: Step, at: datetime, state: State, words: str, failure: FailureClass | None = None) -> Attempt:
    return replace(attempt_of(step, at, state), words=words, failure=failure, ended_at=at)


def story(film: Plan, at_once: int = 3) -> Iterator[News]:
    """A whole run: three at a time, SH060 is refused for a face, SH160 is unsettled, one failure is tried again."""
    now, queue = NOON, [step for step in film.steps if step.orders]
    yield News("plan", now, plan=film, money=_money(film, {}))
    running: dict[str, tuple[Step, datetime]] = {}
    ended: dict[str, tuple[Step, str]] = {}
    while queue or running:
        while queue and len(running) < at_once:
            step = queue.pop(0)
            running[step.shot.id + str(step.take)] = (step, now)
            waiting = attempt_of(step, now, status="waiting")
            yield News("created", now, step, waiting, expected=USUAL, money=_money(film, running, ended))
            yield News("running", now, step, attempt_of(step, now), expected=USUAL, money=_money(film, running, ended))
        key, (step, since) = next(iter(running.items()))
        now = since + timedelta(seconds=USUAL - 25 + 7 * (len(ended) % 6))
        del running[key]
        ended[key] = (step, "stored")
        yield from _ending(film, step, since, now, running, ended, key)
    yield News("done", now, money=_money(film, running, ended), outcome=outcome(film, now))


def _ending(
    film: Plan,
    step: Step,
    since: datetime,
    now: datetime,
    running: dict[str, tuple[Step, datetime]],
    ended: dict[str, tuple[Step, str]],
    key: str,
) -> Iterator[News]:
    if step.shot.id == "SH060":
        ended[key] = (step, "refused")
        yield News(
            "refused", now, step, bad(step, since, State.REFUSED, FACE, "face"), money=_money(film, running, ended)
        )
    elif step.shot.id == "SH160":
        ended[key] = (step, "unsettled")
        lost = bad(step, since, State.UNSETTLED, "the line broke after the request left")
        yield News("unsettled", now, step, lost, money=_money(film, running, ended))
    else:
        succeeded = attempt_of(step, since, State.SUCCEEDED)
        yield News("succeeded", now, step, succeeded, money=_money(film, running, ended))
        yield News("stored", now, step, attempt_of(step, since, State.STORED), money=_money(film, running, ended))


def _money(
    film: Plan, running: dict[str, tuple[Step, datetime]], ended: dict[str, tuple[Step, str]] | None = None
) -> Money:
    def price(steps: list[Step]) -> Decimal:
        return sum((step.price.credits or Decimal(0) for step in steps), Decimal(0))

    done = ended or {}
    billed = price([step for step, event in done.values() if event == "stored"])
    perhaps = price([step for step, event in done.values() if event == "unsettled"])
    going = price([step for step, _ in running.values()])
    lost = price([step for step, event in done.values() if event == "refused"])
    return Money(billed, going, perhaps, (film.totals.credits or Decimal(0)) - billed - perhaps - going - lost)


def outcome(film: Plan, at: datetime, halt: Halt | None = None) -> Outcome:
    """The end of that run."""
    ordered = [step for step in film.steps if step.orders]
    made = tuple(
        Fate(step, attempt_of(step, at, State.STORED))
        for step in ordered
        if step.shot.id not in ("SH060", "SH160", "SH170")
    )
    money = Money(sum((fate.step.price.credits or Decimal(0) for fate in made), Decimal(0)), perhaps=Decimal(160))
    lost = "the line broke after the request left"

    def those(shot: str) -> list[Step]:
        return [step for step in ordered if step.shot.id == shot]

    return Outcome(
        film,
        made=made,
        refused=tuple(Fate(step, bad(step, at, State.REFUSED, FACE, "face")) for step in those("SH060")),
        unsettled=tuple(Fate(step, bad(step, at, State.UNSETTLED, lost)) for step in those("SH160")),
        blocked=tuple(Fate(step, words="SH160 is unsettled") for step in those("SH170")),
        waits=tuple(Fate(step, words=step.reason) for step in film.steps if step.later),
        halt=halt,
        money=money,
    )


class Quickened(SystemClock):
    """A clock that runs faster, and began at noon."""

    def __init__(self, speed: float) -> None:
        self._speed, self._since = speed, time.monotonic()

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
    progress = Progress(ceiling=Decimal(4480), at_once=3)
    shown = view(sys.stderr, progress, clock, terminal=sys.stderr.isatty() and not args.plain, color=True)
    try:
        for each in news:
            while clock.now() < each.at:
                time.sleep(0.02)
            shown.tell(each)
    except KeyboardInterrupt:
        shown.stopping()
        time.sleep(2)
    finally:
        shown.close()


if __name__ == "__main__":
    main()
