"""What is ordered next, for a plan, a history and what is in flight: tables of values, no loop."""

from decimal import Decimal

import pytest

from runner.attempts.events import (
    Clip,
    ConcurrencyLimited,
    Created,
    Event,
    Failed,
    Intent,
    NotSent,
    OutcomeUnknown,
    Output,
    Payload,
    Refused,
    SendStarted,
    ServerError,
    Stored,
    Succeeded,
)
from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode
from runner.engine.eligibility import can_retry
from runner.engine.in_flight import Creates, MaterialNeed, PublicAddress
from runner.engine.limits import RunLimits
from runner.engine.queue import build_queue
from runner.engine.run_events import StopReason
from runner.engine.run_state import OtherRuns, RunState
from runner.engine.schedule import (
    Create,
    Download,
    Order,
    Poll,
    Publish,
    ReadOtherRuns,
    Wait,
    approved_takes,
    next_orders,
)
from runner.engine.throttle import (
    CreateThrottle,
    current_concurrency,
    on_concurrency_limited,
    on_created,
    on_task_ended,
    poll_share,
    spend_tokens,
)
from runner.engine.work_index import WorkIndex
from runner.language.model import Batch
from runner.lazy_dataclass import replace
from runner.planning.plan import Plan, Step
from runner.requests.request import TakeReference
from tests.builders.engine_batches import batch, film, planner, shot

from .virtual import BEGIN

LIMITS = RunLimits("run1", concurrency=3)
MADE = Succeeded((Output("https://m.example/1.mp4"),))


class Scenario:
    """A plan, its history so far, and the state in flight."""

    def __init__(self, of: Batch, cap: int = 3) -> None:
        self.history = History()
        self.plan: Plan = planner(of)(self.history)
        self.state = RunState(CreateThrottle(cap, first_answered=True), creates=Creates(approved_takes(self.plan)))

    def steps(self) -> dict[str, Step]:
        return {f"{step.shot.id}{'' if step.take == 1 else step.take}": step for step in self.plan.steps}

    def happened(self, take: str, *payloads: Payload, run: str = "run1", suffix: str = "") -> str:
        """An attempt of a take, with what became of it."""
        step, attempt = self.steps()[take], f"{take}{suffix}"
        intent = Intent(
            step.shot.storyboard, step.shot.id, step.take, step.fingerprint or "", step.neutral_request(), "{}",
            step.price.credits or Decimal(0), "classic", "key", "receipt", run,
        )  # fmt: skip
        for payload in (intent, *payloads):
            self.history.apply(Event(BEGIN, attempt, payload))
        return attempt

    def runs(self, take: str, next_at: float = 1000.0) -> None:
        attempt = self.happened(take, SendStarted(), Created(f"task_{take}"))
        self.state.polls.follow(attempt, 0.0, 0.0).next_at = next_at

    def stored(self, take: str) -> None:
        attempt = self.happened(
            take, SendStarted(), Created(f"task_{take}"), MADE, Stored(Clip("x", "x", 1, 1, 1, 1.0))
        )
        self.state.downloads.store((attempt, self.steps()[take].key))

    def work(self, limits: RunLimits = LIMITS) -> WorkIndex:
        return WorkIndex(build_queue(self.plan, self.history, 100.0), self.history, self.state, limits)

    def orders(self, now: float = 100.0, limits: RunLimits = LIMITS) -> list[Order]:
        return next_orders(self.work(limits), self.state, now, limits)

    def created(self, now: float = 100.0, limits: RunLimits = LIMITS) -> list[str]:
        takes = {step.key: take for take, step in self.steps().items()}
        return [takes[order.step.key] for order in self.orders(now, limits) if isinstance(order, Create)]


def test_free_slots_are_filled_in_the_files_order() -> None:
    assert Scenario(film(5)).created() == ["s1", "s2", "s3"]


def test_the_first_request_of_a_run_goes_alone() -> None:
    scenario = Scenario(film(5))
    scenario.state.throttle.first_answered = False
    assert scenario.created() == ["s1"]
    scenario.state.creates.begin(scenario.steps()["s1"].fingerprint or "")
    assert scenario.created() == []


def test_the_longest_remaining_chain_goes_first() -> None:
    scenario = Scenario(batch(shot("solo"), shot("end", ("middle",)), shot("middle", ("start",)), shot("start")))
    assert scenario.created() == ["start", "solo"]


def test_running_tasks_and_requests_on_their_way_hold_slots() -> None:
    scenario = Scenario(film(5))
    scenario.runs("s1")
    scenario.state.creates.begin(scenario.steps()["s2"].fingerprint or "")
    assert scenario.created() == ["s3"]


def test_a_slot_is_free_when_the_task_ended_not_when_its_clip_is_here() -> None:
    scenario = Scenario(film(5), cap=1)
    attempt = scenario.happened("s1", SendStarted(), Created("t"), MADE)
    scenario.state.downloads.renew_link(attempt)
    orders = scenario.orders(limits=RunLimits("run1", concurrency=1))
    assert [type(order) for order in orders] == [Download, Create]


@pytest.mark.parametrize(
    ("whats", "tried"),
    [
        ((), False),
        ((SendStarted(),), False),
        ((SendStarted(), Created("t")), False),
        ((SendStarted(), OutcomeUnknown("reset")), False),
        ((SendStarted(), Created("t"), MADE), False),
        ((SendStarted(), Refused(400, "no")), False),
        ((SendStarted(), Created("t"), Failed("moderation", "no")), False),
        ((SendStarted(), Created("t"), Failed("other", "no")), False),
        ((SendStarted(), Created("t"), Failed("review", "no")), False),
        ((SendStarted(), Created("t"), Failed("provider", "no")), True),
        ((NotSent("no"),), True),
        ((SendStarted(), ConcurrencyLimited("no")), True),
        ((SendStarted(), ServerError("500")), True),
    ],
)
def test_what_this_run_met_says_whether_it_tries_again(whats: tuple[Payload, ...], tried: bool) -> None:
    scenario = Scenario(film(1))
    scenario.happened("s1", *whats)
    assert (scenario.created() == ["s1"]) is tried


@pytest.mark.parametrize(
    ("whats", "tried"),
    [
        ((SendStarted(), Refused(400, "no")), True),
        ((SendStarted(), Created("t"), Failed("other", "no")), True),
        ((SendStarted(), OutcomeUnknown("reset")), False),
        ((SendStarted(), Created("t")), False),
    ],
)
def test_what_earlier_runs_met_is_the_plans_to_judge_but_nothing_open_is_tried(
    whats: tuple[Payload, ...], tried: bool
) -> None:
    scenario = Scenario(film(1))
    scenario.happened("s1", *whats, run="run0")
    assert can_retry(scenario.history.attempts_of(scenario.steps()["s1"].fingerprint or ""), LIMITS) is tried


def test_a_take_that_the_shown_plan_does_not_order_is_never_created() -> None:
    scenario = Scenario(film(2))
    scenario.state.creates.approved = frozenset({scenario.steps()["s2"].key})
    assert scenario.created() == ["s2"]


@pytest.mark.parametrize("cause", ["stop reason", "stopping"])
def test_nothing_is_created_after_creating_stopped(cause: str) -> None:
    scenario = Scenario(film(3))
    scenario.runs("s1", next_at=50.0)
    if cause == "stop reason":
        scenario.state.stop.forbid_tasks(StopReason(ExitCode.DECLINED, "enough"))
        assert scenario.orders() == [Poll("s1")]
    else:
        scenario.state.stop.interrupt()
        assert scenario.orders() == []


def test_a_shot_waits_for_the_stored_clip_of_the_shot_above_and_publishes_its_frame_first() -> None:
    scenario = Scenario(batch(shot("a"), shot("b", ("a",))))
    scenario.happened("a", SendStarted(), Created("t"), MADE)
    assert scenario.created() == []
    scenario.history.apply(Event(BEGIN, "a", Stored(Clip("x", "x", 1, 1, 1, 1.0))))
    assert scenario.created() == []
    scenario.state.downloads.store(("a", scenario.steps()["a"].key))
    need = MaterialNeed(TakeReference("a", "last_frame"), "a")
    assert [order for order in scenario.orders() if not isinstance(order, Wait)] == [Publish(need)]
    scenario.state.addresses.publish(need, PublicAddress("https://files.example/1.png"))
    assert scenario.created() == ["b"]


def test_an_address_that_may_no_longer_be_used_is_published_again() -> None:
    scenario = Scenario(batch(shot("a"), shot("b", ("a",))))
    scenario.stored("a")
    need = MaterialNeed(TakeReference("a", "last_frame"), "a")
    scenario.state.addresses.publish(need, PublicAddress("https://files.example/1.png", until=float("-inf")))
    assert [order for order in scenario.orders() if not isinstance(order, Wait)] == [Publish(need)]


def test_a_material_that_cannot_be_published_is_not_asked_for_again() -> None:
    scenario = Scenario(batch(shot("a"), shot("b", ("a",))))
    scenario.stored("a")
    scenario.state.addresses.refuse(MaterialNeed(TakeReference("a", "last_frame"), "a"), "it has changed")
    assert scenario.orders() == []


def test_takes_whose_material_cannot_be_published_keep_no_other_take_waiting() -> None:
    lost = [shot(f"b{number}", ("a",)) for number in range(9)]
    scenario = Scenario(batch(shot("a"), *lost, shot("z")))
    scenario.stored("a")
    scenario.state.addresses.refuse(MaterialNeed(TakeReference("a", "last_frame"), "a"), "it has changed")
    assert scenario.created() == ["z"]


def test_downloads_that_another_take_waits_for_go_first() -> None:
    scenario = Scenario(batch(shot("x"), shot("a"), shot("b", ("a",))))
    for name in ("x", "a"):
        scenario.state.downloads.renew_link(scenario.happened(name, SendStarted(), Created(f"task_{name}"), MADE))
    assert [order.attempt for order in scenario.orders() if isinstance(order, Download)] == ["a", "x"]


def test_a_link_that_failed_is_asked_for_anew_before_the_next_download() -> None:
    scenario = Scenario(film(1))
    attempt = scenario.happened("s1", SendStarted(), Created("t"), MADE)
    clip = (attempt, scenario.steps()["s1"].key)
    assert scenario.state.downloads.fail(clip, 88.0, is_last=False, most=8).next_at == 90.0
    scenario.state.polls.follow(attempt, 0.0, 0.0).next_at = 90.0
    assert scenario.orders() == [Poll(attempt)]


def test_polls_keep_to_the_limit_of_requests_and_the_longest_overdue_goes_first() -> None:
    scenario = Scenario(film(4), cap=4)
    for name, due in (("s1", 90.0), ("s2", 70.0), ("s3", 80.0)):
        scenario.runs(name, next_at=due)
    scenario.state.throttle.tokens, scenario.state.throttle.tokens_at = 2.0, 100.0
    slow = RunLimits("run1", concurrency=3, requests_per_second=2)
    orders = scenario.orders(limits=slow)
    assert orders == [Poll("s2"), Poll("s3"), Wait(100.5)]


@pytest.mark.parametrize(
    ("tokens", "poll_first", "creates", "polls"),
    [
        (4.0, False, 2, 2),
        (5.0, False, 3, 2),
        (5.0, True, 2, 3),
        (1.0, False, 1, 0),
        (1.5, True, 0, 1),
        (30.0, False, 6, 3),
    ],
)
def test_overdue_polls_get_half_of_the_requests_while_new_tasks_want_them(
    tokens: float, poll_first: bool, creates: int, polls: int
) -> None:
    scenario = Scenario(film(9), cap=9)
    for name in ("s1", "s2", "s3"):
        scenario.runs(name, next_at=90.0)
    throttle = scenario.state.throttle
    throttle.tokens, throttle.tokens_at, throttle.poll_first = tokens, 100.0, poll_first
    orders = scenario.orders(limits=RunLimits("run1", concurrency=9, requests_per_second=30))
    assert [sum(isinstance(order, kind) for order in orders) for kind in (Create, Poll)] == [creates, polls]


def test_a_poll_that_is_due_just_now_gives_way_to_a_new_task() -> None:
    scenario = Scenario(film(3))
    scenario.runs("s1", next_at=99.5)
    scenario.state.throttle.tokens, scenario.state.throttle.tokens_at = 2.0, 100.0
    limits = RunLimits("run1", concurrency=3, requests_per_second=2)
    assert [type(order) for order in scenario.orders(limits=limits)] == [Create, Create, Wait]


def test_the_odd_request_goes_to_polls_and_new_tasks_in_turn() -> None:
    throttle = CreateThrottle(3, tokens=1.0)
    turns = []
    for now in range(4):
        polls = poll_share(throttle, 1.0, overdue_polls=5)
        spend_tokens(throttle, float(now), RunLimits("run1", requests_per_second=1), 1 - polls, polls)
        turns.append(polls)
    assert turns == [0, 1, 0, 1]


def test_few_createtask_requests_are_in_flight_however_many_slots_are_free() -> None:
    scenario = Scenario(film(100), cap=400)
    scenario.state.throttle.tokens = 1000.0
    assert len(scenario.created(limits=RunLimits("run1", concurrency=400, requests_per_second=1000))) == 16


def test_a_task_that_outlasted_the_wait_is_not_looked_at_any_more() -> None:
    scenario = Scenario(film(1))
    scenario.runs("s1", next_at=1801.0)
    assert scenario.orders(now=1802.0) == []


def test_doubt_holds_a_slot_until_a_task_can_no_longer_live() -> None:
    scenario = Scenario(film(5))
    attempt = scenario.happened("s1", SendStarted(), OutcomeUnknown("reset"))
    scenario.state.unsettled.hold(attempt, 500.0)
    assert scenario.created(now=499.0) == ["s2", "s3"]
    assert scenario.created(now=501.0) == ["s2", "s3", "s4"]


def test_a_refused_burst_counts_once_and_the_cap_shrinks_to_what_runs() -> None:
    throttle = CreateThrottle(50, first_answered=True)
    for _ in range(46):
        on_concurrency_limited(throttle, 100.0, own_tasks=3, limit=None, retry_after=None, jitter=0.5)
    assert (throttle.concurrency, throttle.limited_in_row, throttle.not_before) == (3, 1, 105.0)


@pytest.mark.parametrize(
    ("own", "limit", "cap"), [(4, None, 4), (4, 3, 3), (2, 5, 2), (0, None, 1), (0, 3, 1), (9, 50, 9)]
)
def test_after_a_429_the_cap_is_what_runs_and_never_above_the_limit(own: int, limit: int | None, cap: int) -> None:
    throttle = CreateThrottle(50)
    on_concurrency_limited(throttle, 100.0, own, limit, None, 0.5)
    assert throttle.concurrency == cap


def test_the_cap_grows_back_by_one_slot_at_a_time() -> None:
    throttle = CreateThrottle(3)
    on_concurrency_limited(throttle, 100.0, own_tasks=1, limit=None, retry_after=None, jitter=0.5)
    assert [current_concurrency(throttle, now) for now in (100.0, 159.0, 160.0)] == [1, 1, 2]
    on_created(throttle, 160.0, LIMITS)
    assert [current_concurrency(throttle, now) for now in (160.0, 219.0, 220.0)] == [2, 2, 3]


def test_each_growth_that_was_refused_makes_the_next_one_later() -> None:
    throttle = CreateThrottle(3)
    on_concurrency_limited(throttle, 100.0, own_tasks=1, limit=None, retry_after=None, jitter=0.5)
    on_concurrency_limited(throttle, 160.0, own_tasks=1, limit=None, retry_after=None, jitter=0.5)
    assert (throttle.growth, throttle.grow_at) == (120.0, 280.0)


def test_an_own_task_that_ended_is_the_moment_to_ask_again() -> None:
    throttle = CreateThrottle(3)
    on_concurrency_limited(throttle, 100.0, own_tasks=1, limit=None, retry_after=300.0, jitter=0.5)
    assert throttle.not_before == 400.0
    on_task_ended(throttle)
    assert throttle.not_before == 0.0


def test_consent_leaves_out_what_waits_for_a_pick() -> None:
    scenario = Scenario(batch(shot("a", takes=2), shot("b", ("a",))))
    assert {key[1:] for key in scenario.state.creates.approved} == {("a", 1), ("a", 2)}


def test_only_free_slots_are_filled_however_long_the_queue() -> None:
    scenario = Scenario(film(10_000))
    work = scenario.work()
    for _ in range(20):
        assert len(next_orders(work, scenario.state, 100.0, LIMITS)) == 3


# -- what other repositories' runs make, and what other keys ordered ----------------------------------------


def held_elsewhere(scenario: Scenario, *payloads: Payload) -> str:
    """The attempt of the one shot, which a living run of another repository has ordered."""
    attempt = scenario.happened("s1", SendStarted(), Created("t"), *payloads, run="other")
    of_other = replace(scenario.history.attempts[attempt], repository="/spot", held_elsewhere=True)
    scenario.history.attempts[attempt] = of_other
    scenario.plan = planner(film(1))(scenario.history)
    return attempt


@pytest.mark.parametrize("payloads", [(), (MADE,)])
def test_what_another_repositorys_run_makes_is_looked_for_in_the_ledger_alone(payloads: tuple[Payload, ...]) -> None:
    scenario = Scenario(film(1))
    scenario.state.downloads.renew_link(held_elsewhere(scenario, *payloads))
    fingerprint = scenario.steps()["s1"].fingerprint or ""
    assert scenario.orders() == [ReadOtherRuns((fingerprint,))]
    scenario.state.others.begin_reading()
    assert scenario.orders() == []


def test_between_two_looks_the_run_waits_and_after_its_longest_wait_it_ends() -> None:
    scenario = Scenario(film(1))
    held_elsewhere(scenario)
    scenario.state.others = OtherRuns(next_at=102.0, until=200.0)
    assert scenario.orders(100.0) == [Wait(102.0)]
    assert scenario.orders(201.0) == []
    assert scenario.orders(100.0, RunLimits("run1", no_wait=True)) == []


def test_another_keys_task_is_not_asked_for() -> None:
    scenario = Scenario(film(1))
    scenario.runs("s1", next_at=0.0)
    assert scenario.orders() == [Poll("s1")]
    scenario.state.key_id = "89abcdef"
    assert scenario.orders() == []
