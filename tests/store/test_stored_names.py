"""The stored names: the tables cover every field of every class, and equal the names that commit ddd2066 wrote."""

from dataclasses import fields
from typing import Any, get_args

import pytest

from runner.attempts.attempt import Attempt
from runner.attempts.events import Intent, Payload
from runner.sandbox.state.sandbox_state import TASK_FIELDS
from runner.sandbox.state.task import Task
from runner.store.ledger.stored_names import COLUMNS, EVENT_KINDS, FIELDS, STORED_ELSEWHERE

WRITTEN = {
    "Intended": "quoted edition key_id receipt profile scene tags",
    "Sending": "",
    "Created": "task_id",
    "NotSent": "words final",
    "Refused": "status words errors stop",
    "KeyRefused": "words",
    "NoCredits": "words required available",
    "Busy": "words limit current retry_after",
    "TryLater": "words",
    "Unknown": "words status headers raw stop",
    "Running": "status words heard missing key_refused retry_after",
    "Succeeded": "outputs credits_used created_ms completed_ms",
    "Failed": "kind words code credits_used created_ms completed_ms",
    "Vanished": "words",
    "Stored": "clip notes",
    "Settled": "verdict task_id words",
}
ADDED = {"Doubtful": "clip doubt"}
"""Kinds of events that later versions added."""
ADDED_TO_INTENDED = "drawing"
"""Fields of an intent that later versions added; each is left out where it says nothing."""
CLIP = "path sha256 bytes width height seconds repository"
OUTPUT = "url width height"
ADDED_TO_OUTPUT = "last_frame seed"
"""Fields of an output that later versions added; each is left out where it says nothing."""
ATTEMPT = (
    "state intended_at sent_at task_id status accepted_at ended_at failure words errors outputs credits_used took clip "
    "copies notes charged before_settled"
)
ADDED_TO_ATTEMPT = "doubt bill_read_at"
"""Fields of an attempt that later versions added; each is left out where it says nothing."""
ADDED_TO_COLUMNS = "plan"
"""Columns of an intent that later versions added; a row without a value stands as before."""
TASK = "id account model credits made lasts order seed callback error fault prompt number server begun drawn called"
ADDED_TO_TASK = "bills bills_after"
"""Fields of a sandbox task that later versions added; both are left out where the bill is whole at once."""


def names(kind: type[Any]) -> set[str]:
    return {field.name for field in fields(kind)}


@pytest.mark.parametrize("kind", FIELDS)
def test_every_field_of_a_class_has_its_stored_name_or_its_own_place(kind: type[Any]) -> None:
    attributes = [*FIELDS[kind].values(), *STORED_ELSEWHERE.get(kind, ())]
    assert sorted(attributes) == sorted(names(kind))


def test_every_kind_of_event_has_its_stored_name() -> None:
    assert set(EVENT_KINDS.values()) == set(get_args(Payload))
    assert set(EVENT_KINDS.values()) < set(FIELDS)


def test_every_field_of_a_sandbox_task_has_its_stored_name() -> None:
    assert sorted(TASK_FIELDS.values()) == sorted(names(Task))


def test_the_stored_names_of_events_are_those_of_the_first_version() -> None:
    written = WRITTEN | ADDED | {"Intended": f"{WRITTEN['Intended']} {ADDED_TO_INTENDED}"}
    assert {kind: " ".join(FIELDS[EVENT_KINDS[kind]]) for kind in EVENT_KINDS} == written


def test_the_stored_names_of_values_are_those_of_the_first_version() -> None:
    values = {cls for cls in FIELDS if cls not in EVENT_KINDS.values() and cls is not Attempt}
    assert sorted(" ".join(FIELDS[value]) for value in values) == sorted([CLIP, f"{OUTPUT} {ADDED_TO_OUTPUT}"])
    assert " ".join(FIELDS[Attempt]) == f"{ATTEMPT} {ADDED_TO_ATTEMPT}"
    assert " ".join(COLUMNS) == f"storyboard shot take fingerprint run {ADDED_TO_COLUMNS}"
    assert set(COLUMNS.values()) < names(Intent)


def test_the_stored_names_of_a_sandbox_task_are_those_of_the_first_version() -> None:
    assert " ".join(TASK_FIELDS) == f"{TASK} {ADDED_TO_TASK}"
