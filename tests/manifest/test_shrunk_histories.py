"""Over random histories, a manifest whose superseded takes have shrunk plans, fetches and bills as the whole one."""

import copy
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.attempts.attempt import AttemptState
from runner.attempts.events import Created, Doubtful, Failed, Payload, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.attempts.task_facts import TaskFacts
from runner.language.model import Shot
from runner.lazy_dataclass import replace
from runner.planning.confirmation import confirmed, objection, to_confirm
from runner.planning.plan import Action, Plan
from runner.store.manifest.composing import compose
from runner.store.manifest.document import Manifest
from runner.store.manifest.layout import layout
from runner.store.manifest.reading import read
from tests.builders.plans import BOARD_FILM, after, clip, last_frame, plan, shot

OUTCOMES = ("stored", "stored", "doubtful", "failed", "running", "succeeded")
Film = tuple[Shot, ...]


@st.composite
def films(draw: st.DrawFn) -> Film:
    """A film whose shots come, go, change their prompts and their numbers of takes."""
    quay = shot("quay", draw(st.sampled_from(("dawn", "noon"))), takes=draw(st.integers(1, 2)))
    boat = shot(draw(st.sampled_from(("boat", "ship"))), draw(st.sampled_from(("fog", "rain"))))
    enter = shot("enter", materials=[last_frame("quay", 1)])
    shots = [(quay, enter), (quay, boat), (boat,), (quay, boat, enter)]
    return draw(st.sampled_from(shots))


Runs = Sequence[tuple[Film, Sequence[str]]]
RUNS = st.lists(st.tuples(films(), st.lists(st.sampled_from(OUTCOMES), min_size=4, max_size=4)), min_size=1, max_size=6)


def run(film: Film, outcomes: Sequence[str], history: History) -> None:
    """What a run of a film leaves in the history: an outcome for every take that it orders."""
    for step, outcome in zip(plan(*film, history=history).steps, outcomes, strict=False):
        if step.action is not Action.MAKE:
            continue
        task = f"task_{len(history.attempts)}"
        path = f"renders/film/kinovi/clips/{step.shot.id}/take-{step.take}.{len(history.attempts)}.mp4"
        own = replace(clip(step.shot.id), path=path)
        succeeded = Succeeded((), step.price.credits)
        payloads: dict[str, tuple[Payload, ...]] = {
            "stored": (succeeded, Stored(own)),
            "doubtful": (succeeded, Doubtful(own, "is damaged")),
            "failed": (Failed("provider", "no"),),
            "running": (),
            "succeeded": (succeeded,),
        }
        after(history, step, SendStarted(), Created(task), *payloads[outcome])


def whole(content: dict[str, Any], history: History) -> dict[str, Any]:
    """The same manifest with the requests of all takes."""
    requests = {attempt.task_id: dict(attempt.intent.request) for attempt in history.attempts.values()}
    content = copy.deepcopy(content)
    for entry in content["shots"]:
        for take in entry["takes"]:
            take.setdefault("request", requests[take["task_id"]])
    return content


def parsed(content: dict[str, Any], folder: Path) -> Manifest:
    path = folder / "manifest.json"
    path.write_text(layout(content), "utf-8")
    manifest = read(path, "manifest.json", folder)
    assert manifest is not None
    return manifest


def clone(manifest: Manifest) -> History:
    history = History()
    history.merge_manifest(manifest.attempts, {})
    return history


def confirm(film: Film, history: History) -> None:
    """Confirm what a film waits for, at a provider that has a record of every task."""
    while waiting := list(to_confirm(plan(*film, history=history), history)):
        for step, attempt in waiting:
            answer = Succeeded((), attempt.credits_used)
            facts = TaskFacts(attempt.task_id or "", step.shot.request.model, None, None, attempt.credits_used)
            assert objection(step, attempt, answer, facts, history) is None
            history.confirm(confirmed(step, attempt, answer))
            history.mark_imported(attempt.id)


def decisions(decided: Plan, history: History) -> list[tuple[str, int, str, str | None]]:
    tasks = {id: attempt.task_id for id, attempt in history.attempts.items()}
    return [(step.shot.id, step.take, str(step.action), tasks.get(step.attempt or "")) for step in decided.steps]


def orders(decided: Plan) -> set[tuple[str, int]]:
    """The takes that a run would order at once."""
    return {(step.shot.id, step.take) for step in decided.steps if step.action is Action.MAKE}


def bill(history: History) -> dict[str | None, tuple[Decimal, Decimal]]:
    return {attempt.task_id: (attempt.credits, attempt.billed) for attempt in history.attempts.values()}


def fetchable(history: History) -> dict[str | None, tuple[AttemptState, object]]:
    return {attempt.task_id: (attempt.state, attempt.clip) for attempt in history.attempts.values()}


@given(runs=RUNS, wanted=films())
@settings(max_examples=200, derandomize=True)
def test_a_shrunk_manifest_plans_fetches_and_bills_as_the_whole_one(
    tmp_path_factory: Any, runs: Runs, wanted: Film
) -> None:
    folder: Path = tmp_path_factory.getbasetemp()
    history, manifest = History(), None
    for film, outcomes in runs:
        run(film, outcomes, history)
        content = compose(plan(*film, history=history), history, BOARD_FILM, manifest)
        manifest = parsed(content, folder)
        assert compose(plan(*film, history=history), history, BOARD_FILM, manifest) == content
    assert manifest is not None
    shrunk, complete = clone(manifest), clone(parsed(whole(dict(manifest.content), history), folder))
    assert bill(shrunk) == bill(complete)
    assert fetchable(shrunk) == fetchable(complete)

    expected = plan(*wanted, history=complete)
    assert orders(plan(*wanted, history=shrunk)) <= orders(expected)
    confirm(wanted, shrunk)
    assert decisions(plan(*wanted, history=shrunk), shrunk) == decisions(expected, complete)

    before = decisions(plan(*wanted, history=history), history)
    history.merge_manifest(manifest.attempts, {})
    assert decisions(plan(*wanted, history=history), history) == before
