"""The one set of sums: every attempt is in one of them at most, and only once."""

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.attempts.attempt import Attempt, AttemptState
from runner.attempts.events import SendStarted
from runner.attempts.history import History
from runner.attempts.sums import CreditSums, sum_credits, sums_of
from tests.builders.plans import after, plan, shot

QUOTE, BILL = Decimal(200), Decimal("201.5")


def attempt(state: AttemptState, charged: bool = False) -> Attempt:
    ordered = after(History(), plan(shot("quay")).steps[0], SendStarted())
    used = BILL if state.is_charged else None
    return replace(ordered, state=state, credits_used=used, charged=charged)


EXPECTED = {
    AttemptState.INTENDED: CreditSums(in_flight=QUOTE),
    AttemptState.NOT_CREATED: CreditSums(),
    AttemptState.REFUSED: CreditSums(),
    AttemptState.MAYBE_CHARGED: CreditSums(maybe_charged=QUOTE),
    AttemptState.UNSETTLED: CreditSums(unsettled=QUOTE),
    AttemptState.RUNNING: CreditSums(in_flight=QUOTE),
    AttemptState.SUCCEEDED: CreditSums(billed=BILL),
    AttemptState.STORED: CreditSums(billed=BILL),
    AttemptState.DOUBTFUL: CreditSums(billed=BILL),
    AttemptState.FAILED: CreditSums(),
    AttemptState.GONE: CreditSums(billed=BILL),
    AttemptState.ABANDONED: CreditSums(),
}


@pytest.mark.parametrize("state", AttemptState)
def test_each_state_counts_in_one_sum_or_in_none(state: AttemptState) -> None:
    assert sums_of(attempt(state)) == EXPECTED[state]


def test_what_the_user_settled_as_charged_is_billed() -> None:
    assert sums_of(attempt(AttemptState.ABANDONED, charged=True)) == CreditSums(billed=QUOTE)


def test_the_sums_hold_all_credits_that_were_or_may_be_charged() -> None:
    attempts = [attempt(state) for state in AttemptState]
    total = sum_credits(attempts)
    assert total == CreditSums(BILL * 4, QUOTE * 2, QUOTE, QUOTE)
    assert sum(total) == sum(each.credits for each in attempts)


def test_a_part_is_taken_out_of_a_sum() -> None:
    whole = CreditSums(BILL, QUOTE, QUOTE, QUOTE)
    assert whole.minus(CreditSums(billed=BILL)).plus(CreditSums(unsettled=QUOTE)) == CreditSums(
        Decimal(0), QUOTE, QUOTE * 2, QUOTE
    )
