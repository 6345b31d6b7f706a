"""Bills that grow after the end of their tasks: read again at their moments, final, and waited for by nobody."""

from collections.abc import Callable
from decimal import Decimal

import anyio
import pytest

from runner.attempts.events import Output, PollResult, Succeeded
from runner.attempts.history import History
from runner.diagnostics.problem import ExitCode, Place
from runner.editions.edition import load
from runner.engine.run_events import RunResult
from runner.language.model import Shot
from runner.planning.plan import Plan
from runner.planning.plan_inputs import ProviderTerms, RepositoryFiles
from runner.planning.planner import build_plan
from runner.requests.request import RemoteFile, Request
from runner.show.screens.closing import closing
from runner.show.screens.closing_context import ClosingContext
from tests.builders.engine_batches import PAID, PATH, batch
from tests.builders.ledgers import LedgerHome

from .harness import EngineHarness, run_engine
from .provider import Simulated, World

WALTZ = RemoteFile("https://cdn.example.com/waltz.mp4", "video", Decimal(10))
MINUTE = 60.0
TASK = 60.0
"""How long a task takes, in seconds."""


def late(id: str, prompt: str = "") -> Shot:
    """A shot whose bill is 175 credits at first, and (5 + 10) × 35 = 525 in the end."""
    request = Request("seedance2-5", "720p", 5, "16:9", "reference", prompt or f"{id} like @video1", (WALTZ,))
    return Shot(PATH, id, request, 1, Place(PATH, 1, 1))


def plain(id: str) -> Shot:
    """A shot of 200 credits, all of which are billed at the end of its task."""
    return Shot(PATH, id, Request("seedance-20", "720p", 5, "16:9", "text", f"a picture of {id}"), 1, Place(PATH, 1, 1))


def planner(*shots: Shot) -> Callable[[History], Plan]:
    return lambda history: build_plan(
        batch(*shots),
        history,
        ProviderTerms(PAID, load("2026-10"), Decimal("0.005")),
        RepositoryFiles(lambda clip: True),
    )


class GrowingBills(Simulated):
    """A provider whose late bills are whole some seconds after the success; it notes when it is asked for one."""

    def __init__(self, whole_after: float, whole: int = 525) -> None:
        super().__init__(World(seconds=lambda count: TASK))
        self.whole_after, self.whole = whole_after, whole
        self.asked: list[float] = []
        """Seconds after the end of its task at which a record was asked for."""
        self.poll_script = self.record

    def record(self, task_id: str, count: int) -> PollResult | None:
        task, now = self.world.tasks[task_id], anyio.current_time()
        if not task.ended_by(now):
            return None
        after = now - task.created_at - task.seconds
        outputs = (Output(f"https://media.example/{task_id}.mp4"),)
        if "videoUrls" not in task.body:
            return Succeeded(outputs, Decimal(200))
        self.asked.append(after)
        return Succeeded(outputs, Decimal(175 if after < self.whole_after else self.whole))


def engine(ledgers: LedgerHome, provider: GrowingBills, *shots: Shot) -> EngineHarness:
    return EngineHarness(ledgers, provider, planner(*shots))


def only(outcomes: list[RunResult]) -> RunResult:
    (outcome,) = outcomes
    return outcome


def test_a_run_does_not_wait_for_a_bill_and_says_that_it_is_not_final(ledgers: LedgerHome) -> None:
    provider = GrowingBills(4 * MINUTE)
    outcome = only(run_engine(engine(ledgers, provider, late("SH010"))))

    assert (len(outcome.finished), outcome.exit_code) == (1, ExitCode.OK)
    assert all(after < MINUTE for after in provider.asked)
    screen = closing(outcome, 100, False, ClosingContext())
    assert "bill not final: SH010 (175 so far, 525 expected)" in screen


def test_a_low_bill_that_may_grow_is_no_warning(ledgers: LedgerHome) -> None:
    film = engine(ledgers, GrowingBills(4 * MINUTE), late("SH010"))
    run_engine(film)

    assert "warning" not in film.events()


def test_the_next_run_reads_it_again_until_it_is_whole(ledgers: LedgerHome) -> None:
    provider = GrowingBills(4 * MINUTE)
    film = engine(ledgers, provider, late("SH010"))
    outcomes = run_engine(film, 6, gap=2 * MINUTE)

    assert [[attempt.billed for attempt in outcome.open_bills] for outcome in outcomes[:2]] == [[175], [175]]
    assert not outcomes[-1].open_bills
    (attempt,) = film.history().attempts.values()
    assert attempt.billed == attempt.credits == 525
    assert len(provider.world.tasks) == 1
    readings = len(provider.asked)
    run_engine(film)
    assert len(provider.asked) == readings


def test_a_bill_that_never_grows_is_final_after_fifteen_minutes(ledgers: LedgerHome) -> None:
    provider = GrowingBills(9e9)
    film = engine(ledgers, provider, late("SH010"))
    run_engine(film, 2, gap=16 * MINUTE)

    (attempt,) = film.history().attempts.values()
    assert [attempt.billed, attempt.credits] == [Decimal(175), Decimal(525)]
    assert not only(run_engine(film)).open_bills
    assert len([after for after in provider.asked if after > MINUTE]) == 1


def test_a_run_that_goes_on_reads_it_at_its_moments(ledgers: LedgerHome) -> None:
    provider = GrowingBills(9e9)
    shots = [plain(f"s{number}") for number in range(1, 24)]
    outcome = only(run_engine(engine(ledgers, provider, late("SH010"), *shots), concurrency=1))

    assert len(outcome.finished) == 24
    later = [round(after / MINUTE) for after in provider.asked if after > MINUTE / 2]
    assert later == [1, 3, 7, 15]


def test_a_whole_bill_above_the_quote_stops_new_tasks(ledgers: LedgerHome) -> None:
    provider = GrowingBills(2 * MINUTE, whole=700)
    shots = [plain(f"s{number}") for number in range(1, 10)]
    outcome = only(run_engine(engine(ledgers, provider, late("SH010"), *shots), concurrency=1))

    assert outcome.exit_code is ExitCode.DECLINED
    assert outcome.stop_reason is not None
    assert "700" in outcome.stop_reason.message
    assert outcome.not_started


def test_a_ceiling_counts_the_whole_price_before_it_is_billed(ledgers: LedgerHome) -> None:
    provider = GrowingBills(9e9)
    film = engine(ledgers, provider, late("SH010"), late("SH020"))
    outcome = only(run_engine(film, max_credits=Decimal(1049), concurrency=1))

    assert (len(outcome.finished), len(outcome.not_started)) == (1, 1)
    assert outcome.exit_code is ExitCode.DECLINED


@pytest.mark.parametrize("shot", [plain("SH010")])
def test_other_bills_are_final_at_once(ledgers: LedgerHome, shot: Shot) -> None:
    outcome = only(run_engine(engine(ledgers, GrowingBills(9e9), shot)))

    assert not outcome.open_bills
