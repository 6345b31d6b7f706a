"""The last screen of a run: what was made, what it cost, what is in doubt, what to type next."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from runner.attempts.attempt import AttemptState
from runner.attempts.sums import CreditSums
from runner.commands import COMMANDS
from runner.diagnostics.problem import ExitCode
from runner.engine.limits import RunLimits
from runner.engine.result import summarize_run as ending
from runner.engine.run_events import CreditTotals, RunResult, StopReason, TakeResult
from runner.engine.run_state import RunState
from runner.engine.throttle import CreateThrottle
from runner.language.model import Storyboard
from runner.show.screens.closing import closing
from runner.show.screens.closing_context import ClosingContext, UncommittedManifest
from runner.show.text.cells import width as cells
from runner.show.text.command_line import CommandLine
from tests.builders.screen_films import NOON, PATH, SANDBOX, edited_series, ferry, history, matrix, plan, series, shot
from tests.show.conftest import Golden
from tests.show.driver import attempt_of, bad, outcome

TYPED = ClosingContext(
    CommandLine(("storyboards/ferry.yaml",), (("--provider", "kinovi"),)), seconds=24 * 60, zone=UTC,
    to_commit=(UncommittedManifest("renders/ferry/kinovi/manifest.json", Decimal(4000)),),
)  # fmt: skip


def free() -> RunResult:
    film = plan(matrix(), account=SANDBOX)
    return RunResult(
        film, finished=tuple(TakeResult(step, attempt_of(step, NOON, AttemptState.STORED)) for step in film.steps)
    )


def halted() -> RunResult:
    words = "402: the account has 120 credits and this needs 160\n  top up at the vendor's page, then run again"
    ended = outcome(plan(ferry()), NOON, StopReason(ExitCode.DECLINED, words))
    return replace(
        ended,
        finished=ended.finished[:5],
        not_started=ended.finished[5:],
        unsettled=(),
        money=CreditTotals(CreditSums(Decimal(800))),
    )


def interrupted() -> RunResult:
    ended = outcome(plan(ferry()), NOON)
    running = tuple(replace(fate, attempt=attempt_of(fate.step, NOON)) for fate in ended.finished[5:8])
    return RunResult(
        ended.plan, finished=ended.finished[:5], waiting=running, not_started=ended.finished[8:], interrupted=True,
        money=CreditTotals(CreditSums(Decimal(800), Decimal(480))),
    )  # fmt: skip


def failed() -> RunResult:
    film = plan(series(12, 1))
    first, *rest = film.steps
    words = "Video generation failed. Please try again."
    fates = tuple(TakeResult(step, bad(step, NOON, AttemptState.FAILED, words, "provider")) for step in rest)
    perhaps = (TakeResult(first, bad(first, NOON, AttemptState.MAYBE_CHARGED, "server error")),)
    made = (TakeResult(first, replace(attempt_of(first, NOON, AttemptState.STORED), credits_used=Decimal(200))),)
    return RunResult(
        film,
        finished=made,
        failed=fates,
        maybe_charged=perhaps,
        money=CreditTotals(CreditSums(Decimal(200), maybe_charged=Decimal(160))),
    )


def doubtful() -> RunResult:
    """A run that made nothing: two takes are in doubt since an earlier one."""
    ended = outcome(plan(ferry()), NOON)
    twice = (*ended.unsettled, replace(ended.unsettled[0], step=ended.finished[0].step))
    return RunResult(ended.plan, unsettled=twice, money=CreditTotals(CreditSums(unsettled=Decimal(320))))


ENDS: dict[str, tuple[Callable[[], RunResult], ClosingContext]] = {
    "unsettled": (lambda: outcome(plan(ferry()), NOON), TYPED),
    "doubtful": (doubtful, TYPED),
    "free": (free, ClosingContext(CommandLine(("storyboards/spot.yaml",)), seconds=41)),
    "halted": (halted, TYPED),
    "interrupted": (interrupted, TYPED),
    "failed": (failed, replace(TYPED, to_commit=())),
}


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("name", ENDS)
def test_the_closing_as_it_is_drawn(name: str, width: int, golden: Golden) -> None:
    end, after = ENDS[name]
    golden(f"closing-{name}-{width}", closing(end(), width, color=False, context=after))


def test_the_closing_in_colour(golden: Golden) -> None:
    golden("closing-colour", closing(outcome(plan(ferry()), NOON), 100, color=True, context=TYPED))


@pytest.mark.parametrize("width", range(72, 150, 13))
@pytest.mark.parametrize("name", ENDS)
def test_no_line_is_wider_than_the_screen_but_a_command(name: str, width: int) -> None:
    end, after = ENDS[name]
    for line in closing(end(), width, color=False, context=after).splitlines():
        assert cells(line) <= width or line.strip().startswith(("storyboard ", "next "))
        assert line == line.rstrip()


@pytest.mark.parametrize("name", ENDS)
def test_only_commands_that_exist_are_named(name: str) -> None:
    end, after = ENDS[name]
    named = set(re.findall(r"storyboard ([a-z]+)", closing(end(), 100, color=False, context=after)))
    assert named <= set(COMMANDS)


def test_every_take_that_did_not_come_out_is_named() -> None:
    ended = outcome(plan(ferry()), NOON)
    text = closing(ended, 100, color=False, context=TYPED)
    for fate in (*ended.refused, *ended.unsettled, *ended.blocked, *ended.waiting):
        assert fate.step.shot.id in text


def test_a_bill_that_differs_is_said() -> None:
    assert "quoted 160: 40 more" in closing(failed(), 100, color=False, context=TYPED)


def by(run: str, fate: TakeResult) -> TakeResult:
    """The same take, ordered by another run."""
    assert fate.attempt is not None
    return replace(fate, attempt=replace(fate.attempt, intent=replace(fate.attempt.intent, run=run)))


def test_what_an_earlier_run_ordered_is_compared_with_its_own_quote() -> None:
    ended = outcome(plan(ferry()), NOON)
    made = tuple(by("run-0", fate) for fate in ended.finished[:2])
    told = replace(TYPED, run="run-1")
    text = closing(RunResult(ended.plan, finished=made), 140, color=False, context=told)
    assert "billed        320 credits  $1.60   as quoted; all of it by an earlier run" in text
    both = RunResult(ended.plan, finished=(*made, ended.finished[2]), money=CreditTotals(CreditSums(Decimal(160))))
    assert "480 credits  $2.40   as quoted; 320 of it by an earlier run" in closing(
        both, 140, color=False, context=told
    )


def test_takes_that_share_a_request_are_billed_once() -> None:
    ended = outcome(plan(ferry()), NOON)
    first, second = ended.finished[:2]
    shared = RunResult(
        ended.plan,
        finished=(first, replace(second, attempt=first.attempt)),
        money=CreditTotals(CreditSums(Decimal(160))),
    )
    assert "160 credits  $0.80   as quoted\n" in closing(shared, 100, color=False, context=replace(TYPED, run="run-1"))


def test_a_clip_is_named_by_its_takes_own_copy_as_seen_from_the_reader() -> None:
    ended = outcome(plan(ferry()), NOON)
    first, second = ended.finished[0], ended.finished[3]
    assert first.attempt is not None
    assert first.attempt.clip is not None
    copy = replace(first.attempt.clip, path="renders/ferry/kinovi/clips/SH030/take-1.mp4")
    shared = replace(second, attempt=replace(first.attempt, other_copies=(copy,)))
    text = closing(
        RunResult(ended.plan, finished=(first, shared)), 100, color=False, context=replace(TYPED, prefix="..")
    )
    assert second.step.shot.id == "SH030"
    assert "clips      ../renders/ferry/kinovi/clips/SH010/take-1.mp4\n" in text
    assert "           ../renders/ferry/kinovi/clips/SH030/take-1.mp4\n" in text


def test_the_film_counts_all_shots_with_what_was_made_before() -> None:
    film = plan(ferry())
    past = history(film, {(shot, 1): "stored" for shot in ("SH030", "SH060", "SH090")})
    now = plan(ferry(), history=past, selected={"SH100"})
    (step,) = now.steps
    ended = RunResult(
        now,
        finished=(TakeResult(step, attempt_of(step, NOON, AttemptState.STORED)),),
        money=CreditTotals(CreditSums(Decimal(160))),
    )
    told = replace(TYPED, whole_plan=plan(ferry(), history=past))
    assert "film       4 of 24 shots, 0:16\n" in closing(ended, 100, color=False, context=told)


@pytest.mark.parametrize(
    ("made", "film"),
    [
        pytest.param(("S0001", "S0003"), "2 of 3 shots, 0:07", id="title 2 s, first shot 2 + 1 s, third shot 2 s"),
        pytest.param(("S0001", "S0002", "S0003"), "3 of 3 shots, 0:12", id="all, with the second shot's 5 s"),
    ],
)
def test_the_film_has_the_time_of_its_cut(made: tuple[str, ...], film: str) -> None:
    ended = RunResult(plan(edited_series(), history=history(plan(edited_series()), {(id, 1): "stored" for id in made})))
    assert f"film       {film}\n" in closing(ended, 100, color=False, context=TYPED)


def test_several_films_have_the_time_of_all_their_cuts() -> None:
    films = (edited_series(), series(2, 1, "storyboards/other.yaml"))
    # Equal requests of both films are one clip: 2 + 3 s of the first one, and 4 s of the other.
    past = history(plan(*films), {("S0001", 1): "stored"})
    text = closing(RunResult(plan(*films, history=past)), 100, color=False, context=TYPED)
    assert "film       2 of 5 shots, 0:09\n" in text


def test_the_next_lines_keep_what_was_typed_and_offer_the_rest_beside_a_selection() -> None:
    film = plan(ferry(), selected={"SH100"})
    (step,) = film.steps
    ended = RunResult(
        film,
        finished=(TakeResult(step, attempt_of(step, NOON, AttemptState.STORED)),),
        money=CreditTotals(CreditSums(Decimal(160))),
    )
    public = Storyboard(PATH, "F", (shot("SH100"), shot("SH200")))
    whole = plan(public, history=history(plan(public), {("SH100", 1): "stored"}))
    flags = (("--provider", "kinovi"), ("--profile", "draft"), ("--select", "SH100"))
    told = replace(TYPED, command_line=CommandLine(("storyboards/ferry.yaml",), flags), whole_plan=whole)
    text = closing(ended, 120, color=False, context=told)
    assert re.search(r"storyboard run +storyboards/ferry.yaml --provider kinovi --profile draft\s+the rest, 160", text)
    assert "storyboard status storyboards/ferry.yaml --provider kinovi --profile draft" in text
    private = closing(ended, 120, color=False, context=replace(told, whole_plan=plan(ferry())))
    assert "the rest" not in private


def test_after_a_free_run_of_a_selection_the_real_price_is_offered_for_that_selection() -> None:
    film = plan(matrix(), account=SANDBOX, selected={"city-faro-wide"})
    (step,) = film.steps
    ended = RunResult(film, finished=(TakeResult(step, attempt_of(step, NOON, AttemptState.STORED)),))
    line = CommandLine(("storyboards/spot.yaml",), (("--select", "faro"),))
    told = ClosingContext(line, whole_plan=plan(matrix(), account=SANDBOX))
    text = closing(ended, 140, color=False, context=told)
    assert re.search(r"storyboard run storyboards/spot.yaml +the rest\n", text)
    assert "storyboard plan storyboards/spot.yaml --select faro --provider kinovi" in text
    assert "storyboard run storyboards/spot.yaml --select faro --provider kinovi" in text


def next_lines(ended: RunResult) -> list[str]:
    """The commands that the closing names to type next."""
    text = closing(ended, 140, color=False, context=replace(TYPED, to_commit=()))
    return re.findall(r"storyboard [a-z]+", text.rpartition("\n\n  next")[2])


def test_no_next_line_repeats_what_failed() -> None:
    ended = outcome(plan(ferry()), NOON)
    refused, unsettled = RunResult(ended.plan, refused=ended.refused), RunResult(ended.plan, unsettled=ended.unsettled)
    stopped = replace(halted(), waiting=())
    key = replace(stopped, stop_reason=StopReason(ExitCode.KEY, "401: the key was refused"))
    assert next_lines(refused) == ["storyboard plan"]
    assert next_lines(replace(refused, refused=(), failed=failed().failed)) == ["storyboard plan"]
    assert next_lines(unsettled) == ["storyboard settle"]
    assert next_lines(stopped) == ["storyboard plan"]
    assert next_lines(key) == ["storyboard doctor"]
    unreachable = replace(stopped, stop_reason=StopReason(ExitCode.INVALID, "no request was sent"))
    assert next_lines(unreachable) == ["storyboard doctor"]


def test_what_is_left_to_do_is_gone_on_with_after_the_doubt() -> None:
    ended = interrupted()
    assert next_lines(ended) == ["storyboard run"]
    assert next_lines(replace(ended, unsettled=outcome(plan(ferry()), NOON).unsettled)) == [
        "storyboard settle",
        "storyboard run",
    ]


def test_quiet_leaves_what_went_wrong_and_nothing_of_a_success() -> None:
    assert closing(free(), 100, color=False, context=ClosingContext(quiet=True)) == ""
    text = closing(failed(), 100, color=False, context=replace(TYPED, quiet=True))
    assert "failed" in text
    assert not re.search("billed|film  |next  ", text)


def test_a_paid_take_that_only_lacks_its_clip_is_said_to_be_paid() -> None:
    film = plan(series(1, 1))
    past = history(film, {("S0001", 1): "succeeded"})
    ended = ending(
        plan(series(1, 1), history=past), past, RunState(CreateThrottle(1)), RunLimits("run-2"), CreditTotals()
    )
    text = closing(ended, 100, color=False, context=TYPED)
    assert "waiting    S0001  paid; its clip is still to be fetched" in text


@pytest.mark.parametrize(
    ("is_unsettled", "command"),
    [(False, "storyboard status storyboards/ferry.yaml --provider kinovi"), (True, "storyboard settle")],
)
def test_of_many_attempts_of_earlier_versions_the_rest_is_counted_with_the_command_that_lists_all(
    is_unsettled: bool, command: str
) -> None:
    film = plan(series(12, 1))

    def screen(number: int) -> str:
        attempts = tuple(attempt_of(step, NOON) for step in film.steps[:number])
        ended = RunResult(film, unsettled_orphans=attempts) if is_unsettled else RunResult(film, orphans=attempts)
        return closing(ended, 120, color=False, context=TYPED)

    twelve, ten = screen(12), screen(10)
    assert re.search(rf"^ +{re.escape(command)} +and 2 more$", twelve, re.MULTILINE), twelve
    assert (twelve.count("earlier version"), ten.count("earlier version"), "more" in ten) == (10, 10, False)


def test_the_vendors_words_steer_no_terminal() -> None:
    film = plan(series(1, 1))
    evil = bad(film.steps[0], NOON, AttemptState.REFUSED, "\x1b]0;owned\x07no\r\nfaces\u202e", "face")
    text = closing(RunResult(film, refused=(TakeResult(film.steps[0], evil),)), 100, color=False, context=TYPED)
    assert text.replace("\n", "").isprintable()
    assert "no faces" in text
