"""Whatever a stranger wrote or a provider answered, no screen carries it to the terminal as it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import Account
from runner.attempts.film import FilmName
from runner.diagnostics.problem import ExitCode, HealthCheck, Place, Problem
from runner.engine.run_events import RunEvent, RunResult, StopReason, TakeResult
from runner.language.model import Storyboard
from runner.planning.alternatives import Alternative
from runner.planning.plan import Plan, Step
from runner.requests.request import JsonValue, RemoteFile
from runner.show.json.run import event_json
from runner.show.live.frame import frame
from runner.show.live.log import event_line
from runner.show.live.progress import Progress
from runner.show.screens import question
from runner.show.screens.clips import ClipCheck, clips
from runner.show.screens.closing import closing
from runner.show.screens.closing_context import ClosingContext, UncommittedManifest
from runner.show.screens.doctor import doctor
from runner.show.screens.plan import PlanContext, screen
from runner.show.screens.settle import UnsettledList, confirmation, settle
from runner.show.screens.spend import BillItem, build_bill, spend, spend_csv
from runner.show.screens.status import StatusReport, status
from runner.show.text.command_line import CommandLine
from runner.show.text.escape import json_line
from runner.show.text.style import Style
from tests.builders.screen_films import CENTS, KINOVI, NOON, SANDBOX, history, last_frame, outgoing, picture, plan, shot
from tests.show.driver import attempt_of

EVIL = "\x1b]0;owned\x07\x9b31m\u202eabc\u2028\r\b\ud800\x7f"


def film(evil: str, account: Account = KINOVI) -> Plan:
    """A film in which everything that a stranger may name is named like this."""
    path, remote = f"storyboards/{evil}.yaml", RemoteFile(f"https://x.example/{evil}", "image")
    shots = (
        shot("a", picture(evil), path=path, scene=evil, takes=2),
        shot("b", path=path, scene=evil),
        shot(f"c{evil}", path=path, model=evil, resolution=evil),
        shot("d", last_frame(f"c{evil}"), path=path),
        shot("e", remote, path=path, seconds=6),
        shot(f"f-{evil}-1", path=path, seconds=9),
        shot(f"f-{evil}-2-longer-than-a-pair", path=path, seconds=9),
        shot("g", last_frame("a"), path=path),
    )
    return plan(Storyboard(path, evil, shots, budget_credits=Decimal(10)), account=account)


def long_film(evil: str) -> Plan:
    """So many scenes that they are folded."""
    path = f"storyboards/{evil}.yaml"
    each = [shot(f"{evil}{at}", path=path, scene=f"{evil}{at // 2}") for at in range(100)]
    return plan(
        Storyboard(path, evil, tuple(each)),
        Storyboard("storyboards/x.yaml", evil, (shot("x", path="storyboards/x.yaml"),)),
    )


def attempt(step: Step, evil: str, state: AttemptState) -> Attempt:
    made = attempt_of(step, NOON, state, status=evil)
    clip = replace(made.clip, path=f"renders/{evil}.mp4") if made.clip is not None else None
    return replace(made, task_id=evil, message=evil, clip=clip)


def planned(evil: str) -> str:
    told = PlanContext(
        command_line=typed(evil), paid_provider=evil,
        warnings=[Problem(evil, Place(evil, 1, 1), evil, evil, "warning")],
        cheaper=[Alternative(evil, Decimal(1), True)], outgoing=outgoing(film(evil)), expected_seconds=60,
        concurrency=3,
    )  # fmt: skip
    films = (film(evil), film(evil, SANDBOX), long_film(evil), changed(evil))
    return "\n".join(screen(each, width, color=False, context=told) for each in films for width in (80, 140))


def changed(evil: str) -> Plan:
    """After a run in which one take failed and another is in doubt, with other prompts."""
    before = film(evil)
    past = history(before, {("a", 1): "stored", ("a", 2): "failed", ("b", 1): "unsettled", ("e", 1): "stored"})
    past.attempts |= {id: replace(each, message=evil) for id, each in past.attempts.items()}
    (board,) = before.batch.storyboards
    shots = tuple(
        each._replace(request=each.request._replace(prompt=f"{each.request.prompt} {evil}{evil}"))
        for each in board.shots
    )
    return plan(replace(board, shots=shots if evil.strip() else board.shots), history=past)


def news(evil: str) -> list[RunEvent]:
    made = film(evil)
    steps = made.steps[:4]
    states = (AttemptState.STORED, AttemptState.REFUSED, AttemptState.UNSETTLED, AttemptState.RUNNING)
    events = ("stored", "refused", "unsettled", "running")
    later = [
        RunEvent(event, NOON, step, attempt(step, evil, state), evil)  # type: ignore[arg-type]
        for step, state, event in zip(steps, states, events, strict=True)
    ]
    return [RunEvent("plan", NOON, plan=made), *later, RunEvent("warning", NOON, message=evil)]


def live(evil: str) -> str:
    progress, lines = Progress(paid_provider=evil), list[str]()
    for each in news(evil):
        progress.apply(each)
        lines.append(event_line(progress, each) or "")
        if each.event == "running":
            lines.append(event_line(progress, replace(each, event="created")) or "")
    return "\n".join([*frame(progress, NOON + timedelta(seconds=9), 100, 40, Style(color=False)), *lines])


def typed(evil: str) -> CommandLine:
    flags = ("--provider", "--profile", "--select", "--retake")
    return CommandLine((evil,), tuple((flag, evil) for flag in flags))


def ended(evil: str) -> str:
    made = film(evil)
    fates = [TakeResult(step, attempt(step, evil, AttemptState.STORED), evil) for step in made.steps]
    outcome = RunResult(
        made, finished=tuple(fates), failed=tuple(fates), refused=tuple(fates), unsettled=tuple(fates),
        gone=tuple(fates),
        blocked=tuple(fates), waiting=tuple(fates), not_started=tuple(fates), maybe_charged=tuple(fates),
        stop_reason=StopReason(ExitCode.DECLINED, evil),
    )  # fmt: skip
    one = replace(outcome, refused=(fates[0],))
    free = RunResult(film(evil, SANDBOX), finished=tuple(fates))
    after = ClosingContext(
        typed(evil), run="another", whole_plan=film(evil), prefix=evil,
        seconds=9,
        paid_provider=evil, to_commit=(UncommittedManifest(evil, Decimal(40)),), zone=UTC,
    )  # fmt: skip
    return "\n".join(closing(each, 100, color=False, context=after) for each in (outcome, one, free))


def stands(evil: str) -> str:
    past = history(film(evil), {("a", 1): "stored", ("a", 2): "running", ("b", 1): "unsettled"})
    past.attempts |= {
        id: replace(each, task_id=evil, message=evil, status=evil, clip=each.clip and replace(each.clip, path=evil))
        for id, each in past.attempts.items()
    }
    now = plan(*film(evil).batch.storyboards, history=past)
    return status(StatusReport(now, past, NOON, typed(evil), UTC, evil), 100, color=False, all_shots=True)


def books(evil: str) -> str:
    states = (AttemptState.UNSETTLED, AttemptState.MAYBE_CHARGED)
    made = [attempt(step, evil, state) for step in film(evil).steps for state in states]
    request: dict[str, JsonValue] = {"model": evil, "resolution": evil, "seconds": 4, "prompt": evil}
    made = [replace(each, intent=replace(each.intent, request=request, webhook_token=evil)) for each in made]
    found = build_bill([BillItem(each, evil, (evil,)) for each in made], "tag", CENTS, evil)
    checks = [HealthCheck(evil, "error", evil, evil)]
    clip = [ClipCheck(FilmName(evil), evil, 1, evil, "failed", evil)]
    return "\n".join(
        (
            settle(UnsettledList(made, CENTS, UTC), 100, color=False),
            confirmation(made[0], "adopted", evil),
            spend(found, 100, color=False),
            spend_csv(found),
            doctor(checks, 100, color=False),
            clips(clip, 100, color=False, next_command=evil),
        )
    )


def asked(evil: str) -> str:
    made = film(evil)
    ways = [Alternative(evil, Decimal(1), typed) for typed in (True, False)]
    return "\n".join(
        (
            question.question(made),
            question.no_terminal(made, typed(evil)),
            question.over_limit(made, evil, Decimal(1), Decimal(2), ways),
            question.unknown_price(made),
        )
    )


SCREENS: dict[str, Callable[[str], str]] = {
    "plan": planned,
    "live": live,
    "closing": ended,
    "status": stands,
    "books": books,
    "question": asked,
}


@pytest.mark.parametrize("name", SCREENS)
def test_no_screen_carries_an_attack(name: str) -> None:
    text = SCREENS[name](EVIL)
    assert text.replace("\n", "").isprintable()
    assert "\\x1b" in text, "it is shown, not swallowed"


@pytest.mark.parametrize("name", SCREENS)
@settings(max_examples=25)
@given(evil=st.text(st.characters(exclude_categories=()), min_size=1, max_size=12))
def test_no_screen_carries_anything_that_steers(name: str, evil: str) -> None:
    text = SCREENS[name](evil)
    shown = text.replace("\n", "").replace("\u200c", "").replace("\u200d", "")
    assert all(char.isprintable() or char.isspace() for char in shown)
    assert not set(text) & set("\x1b\x9b\r\b\u2028\u2029\u202e\x85\x0b\x0c\x1c\x1d\x1e")


def test_no_event_line_carries_an_attack() -> None:
    for each in news(EVIL):
        line = json_line(event_json(each))
        assert line.isascii()
        assert line.isprintable()
