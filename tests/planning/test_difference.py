"""The difference between two trees names exactly the shots of which something else is sent, and what they cost."""

from pathlib import Path

import pytest

from runner.attempts.events import Created, SendStarted, Stored, Succeeded
from runner.attempts.history import History
from runner.diagnostics.problem import Place
from runner.language.compiler import CompileOptions, compile  # noqa: A004
from runner.language.edit import CutEntry
from runner.language.model import Batch, Shot
from runner.lazy_dataclass import replace
from runner.planning.difference import Difference, difference
from runner.planning.plan import Plan
from runner.planning.reason import ReasonCode
from tests.builders.generated_edits import generated_edit
from tests.builders.plans import after, batch, clip, last_frame, pick, plan, plan_of, renamed, shot

EDITS = 500
SAMPLE = 60
QUAY, BOAT, PIER = shot("quay"), shot("boat"), shot("pier")


def between(before: tuple[Shot, ...], now: tuple[Shot, ...], history: History | None = None) -> Difference:
    history = history or History()
    return difference(plan(*before, history=history), plan(*now, history=history))


def changes(found: Difference) -> list[tuple[str, str, object]]:
    return [(shot.shot, shot.change, shot.credits) for shot in found.shots]


def all_made(*shots: Shot) -> History:
    """The history in which every take of these shots is made."""
    history = History()
    for number, step in enumerate(plan(*shots, history=history).steps):
        after(history, step, SendStarted(), Created(f"task_{number}"), Succeeded(()), Stored(clip(step.shot.id)))
    return history


def test_equal_trees_differ_in_nothing() -> None:
    found = between((QUAY, BOAT), (QUAY, BOAT))
    assert changes(found) == []
    assert not found.credits
    assert not found.has_orders


def test_a_changed_shot_has_its_reason_and_its_price() -> None:
    found = between((QUAY, BOAT), (QUAY, shot("boat", "boat at dusk")))
    assert changes(found) == [("boat", "changed", 200)]
    assert found.shots[0].reason is not None
    assert found.shots[0].reason.text == 'the prompt: "at −dawn−" → "at +dusk+"'


def test_what_both_trees_order_costs_nothing_beyond() -> None:
    found = between((QUAY,), (QUAY, BOAT))
    prices: list[object] = [found.before.credits, found.after.credits, found.credits]
    assert prices == [200, 400, 200]


def test_a_change_that_was_made_before_costs_nothing() -> None:
    changed = shot("quay", "quay at dusk")
    assert changes(between((QUAY,), (changed,), all_made(changed))) == [("quay", "changed", 0)]


def test_what_is_made_from_a_changed_shot_changes_too() -> None:
    low = shot("boat", materials=[last_frame("quay")])
    found = between((QUAY, low), (shot("quay", "quay at dusk"), low))
    assert changes(found) == [("quay", "changed", 200), ("boat", "changed", 200)]
    assert found.shots[1].reason is not None
    assert found.shots[1].reason.code is ReasonCode.UPSTREAM_CHANGED


def test_a_renamed_shot_is_free_and_says_its_old_name() -> None:
    low = shot("boat", materials=[last_frame("quay")])
    new = low._replace(request=low.request._replace(materials=(last_frame("wharf"),)))
    found = between((QUAY, low), (renamed(QUAY, "wharf"), new), all_made(QUAY, low))
    assert [(entry.was, *rest) for entry, rest in zip(found.shots, changes(found), strict=True)] == [
        ("quay", "wharf", "renamed", 0)
    ]


def test_an_added_and_a_removed_shot() -> None:
    assert changes(between((QUAY, BOAT), (QUAY, PIER))) == [("pier", "added", 200), ("boat", "removed", 0)]


def test_only_the_shot_that_was_taken_elsewhere_has_moved() -> None:
    shots = tuple(shot(name) for name in "abcdef")
    assert changes(between(shots, (*shots[1:], shots[0]))) == [("a", "moved", 0)]


def test_the_order_of_the_film_is_that_of_its_cut() -> None:
    def film(*names: str) -> Plan:
        board = batch(QUAY, BOAT, PIER).storyboards[0]
        cut = tuple(CutEntry("shot", name, Place(board.path, 1, 1)) for name in names)
        return plan_of(Batch((replace(board, cut=cut),)))

    found = difference(film("quay", "boat", "pier"), film("pier", "quay", "boat"))
    assert changes(found) == [("pier", "moved", 0)]


def test_more_takes_are_a_change_with_the_price_of_those_that_come_new() -> None:
    found = between((QUAY,), (QUAY._replace(takes=3),))
    assert changes(found) == [("quay", "changed", 400)]
    assert found.shots[0].reason is not None
    assert (found.shots[0].reason.text, found.shots[0].reason.changed) == ("takes 1 → 3", ("takes",))


def test_a_shot_that_is_skipped_no_longer_is_a_change_with_its_price() -> None:
    found = between((QUAY._replace(skip=True),), (QUAY,))
    assert changes(found) == [("quay", "changed", 200)]


def test_a_change_of_a_picked_shot_gives_up_its_pick() -> None:
    two = QUAY._replace(takes=2)
    history = all_made(two)
    pick(history, plan(two, history=history).steps[1])
    found = between((two,), (shot("quay", "quay at dusk", takes=2),), history)
    assert [(entry.shot, entry.gives_up_pick) for entry in found.shots] == [("quay", True)]


def test_a_storyboard_that_was_moved_to_another_file_keeps_its_shots() -> None:
    moved = [entry._replace(storyboard="storyboards/other.yaml") for entry in (QUAY, BOAT)]
    assert changes(between((QUAY, BOAT), tuple(moved))) == []


def test_both_films_are_counted() -> None:
    found = between((QUAY,), (QUAY, shot("boat", seconds=8)))
    assert [(side.shots, int(side.film_seconds)) for side in (found.before, found.after)] == [(1, 5), (2, 13)]


def check_edit(folder: Path, seed: int) -> None:
    edit = generated_edit(seed)
    path = folder / "film.yaml"
    plans = []
    for text in (edit.before, edit.after):
        path.write_text(text)
        compiled, problems = compile([path], folder, CompileOptions())
        assert problems.errors == [], (seed, text)
        plans.append(plan_of(compiled))
    found = difference(*plans)
    assert {shot.shot: shot.change for shot in found.shots} == edit.expected, seed
    ordering = {shot.shot for shot in found.shots if shot.takes}
    assert ordering == {name for name, change in edit.expected.items() if change in ("added", "changed")}, seed
    assert found.has_orders is bool(ordering)


def test_a_sample_of_generated_edits_names_exactly_the_shots_that_change(tmp_path: Path) -> None:
    for seed in range(SAMPLE):
        check_edit(tmp_path, seed)


@pytest.mark.long
def test_generated_edits_name_exactly_the_shots_that_change(tmp_path: Path) -> None:
    for seed in range(EDITS):
        check_edit(tmp_path, seed)
