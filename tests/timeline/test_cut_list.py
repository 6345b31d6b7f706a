"""The cut list of a film: its order, the take that is shown, the range of the clip, and what stands in for a clip."""

from collections.abc import Callable
from decimal import Decimal

from runner.attempts.events import Clip, Created, Stored, Succeeded
from runner.attempts.history import History
from runner.diagnostics.problem import Place
from runner.language.edit import CutEntry, Music
from runner.language.model import Batch, Shot
from runner.lazy_dataclass import replace
from runner.planning.plan import Action, Step
from runner.timeline.cut_list import CutList, Segment, cut_list
from tests.builders.plans import BOARD, after, batch, clip, pick, plan, plan_of, shot

PLACE = Place(BOARD, 1, 1)


def made(history: History, step: Step, length: float = 5.0) -> None:
    """Makes the clip of a step, which came with a length of its own."""
    came = replace(clip(step.shot.id, step.take), seconds=length)
    after(history, step, Created(f"task-{step.shot.id}-{step.take}"), Succeeded((), None), Stored(came))


def film(
    *shots: Shot,
    history: History | None = None,
    cut: tuple[CutEntry, ...] | None = None,
    music: Music | None = None,
    on_disk: Callable[[Clip], bool] = lambda clip: True,
) -> CutList:
    """The cut list of one storyboard with these shots."""
    history = history or History()
    board = replace(batch(*shots).storyboards[0], cut=cut, music=music)
    return cut_list(board, plan_of(Batch((board,)), history), history, on_disk)


def entry(kind: str, text: str, **fields: object) -> CutEntry:
    return CutEntry(kind, text, PLACE, **fields)  # type: ignore[arg-type]


def rows(cut: CutList) -> list[tuple[str, str, str, str | None]]:
    return [(s.label, f"{s.in_seconds:f}", f"{s.seconds:f}", s.path and s.path.split("/")[-1]) for s in cut.segments]


def history_with(*shots: Shot, length: float = 5.0) -> History:
    history = History()
    for step in plan(*shots).steps:
        made(history, step, length)
    return history


def only(cut: CutList) -> Segment:
    (segment,) = cut.segments
    return segment


def test_without_a_cut_every_shot_is_shown_once_in_the_order_of_the_file() -> None:
    quay, boat = shot("quay"), shot("boat")
    cut = film(quay, boat, history=history_with(quay, boat))
    assert rows(cut) == [("quay", "0", "5", "take-1.mp4"), ("boat", "0", "5", "take-1.mp4")]
    assert cut.seconds == 10
    assert cut.missing == ()


def test_a_cut_shows_a_clip_twice_in_its_own_order() -> None:
    quay, boat = shot("quay"), shot("boat")
    cut = film(
        quay, boat,
        history=history_with(quay, boat),
        cut=(
            entry("shot", "boat", in_seconds=Decimal("0.5"), seconds=Decimal("1.2")),
            entry("shot", "quay"),
            entry("shot", "boat", in_seconds=Decimal(2), seconds=Decimal(1), level=Decimal(-6)),
        ),
    )  # fmt: skip
    assert rows(cut) == [
        ("boat", "0.5", "1.2", "take-1.mp4"),
        ("quay", "0", "5", "take-1.mp4"),
        ("boat", "2", "1", "take-1.mp4"),
    ]
    assert [segment.level for segment in cut.segments] == [None, None, Decimal(-6)]
    assert [segment.is_whole for segment in cut.segments] == [False, True, False]


def test_an_entry_overrides_the_film_time_of_its_shot_field_by_field() -> None:
    quay = shot("quay", in_seconds=Decimal(1), film_seconds=Decimal(2))
    cut = film(quay, history=history_with(quay), cut=(entry("shot", "quay", seconds=Decimal(3)),))
    assert rows(cut) == [("quay", "1", "3", "take-1.mp4")]


def test_the_picked_take_is_shown_else_the_lowest_that_is_made() -> None:
    quay = shot("quay", takes=3)
    history = History()
    second, third = plan(quay).steps[1:]
    made(history, second)
    made(history, third)
    assert only(film(quay, history=history)).take == 2
    pick(history, third)
    shown = only(film(quay, history=history))
    assert (shown.take, shown.is_picked) == (3, True)


def test_an_entry_shows_a_take_without_picking_it() -> None:
    quay = shot("quay", takes=2)
    history = history_with(quay)
    pick(history, plan(quay).steps[0])
    shown = only(film(quay, history=history, cut=(entry("shot", "quay", take=2),)))
    assert (shown.take, shown.is_picked) == (2, False)
    assert shown.path == "renders/film/kinovi/clips/quay/take-2.mp4"


def test_a_shot_without_a_clip_is_a_slate_of_its_planned_length_and_says_why() -> None:
    cut = film(shot("quay", in_seconds=Decimal(1), film_seconds=Decimal("2.5")))
    missing = only(cut)
    assert (missing.path, missing.seconds, missing.state, missing.reason) == (None, Decimal("2.5"), Action.MAKE, "new")
    assert cut.missing == (missing,)


def test_a_clip_that_is_not_on_this_machine_is_a_slate() -> None:
    quay = shot("quay")
    missing = only(film(quay, history=history_with(quay), on_disk=lambda clip: False))
    assert (missing.path, missing.state, missing.reason) == (None, Action.KEEP, "its clip is not on this machine")


def test_a_whole_clip_is_as_long_as_it_came() -> None:
    quay = shot("quay")
    shown = only(film(quay, history=history_with(quay, length=5.042)))
    assert (shown.seconds, shown.is_whole) == (Decimal("5.042"), True)


def test_a_clip_that_came_shorter_than_the_edit_needs_is_shown_to_its_end_and_noted() -> None:
    quay = shot("quay", film_seconds=Decimal("4.5"))
    cut = film(quay, history=history_with(quay, length=4.0))
    assert only(cut).seconds == 4
    assert cut.notes == ("quay: the edit uses the clip to 4.5 s, and it has 4 s",)


def test_a_clip_that_ends_before_the_edit_begins_is_a_slate() -> None:
    quay = shot("quay", in_seconds=Decimal(4))
    shown = only(film(quay, history=history_with(quay, length=3.0)))
    assert (shown.path, shown.seconds) == (None, Decimal(1))


def test_a_skipped_shot_is_shown_where_it_has_a_clip_and_left_out_where_it_has_none() -> None:
    quay, boat = shot("quay"), shot("boat")
    history = history_with(quay)
    cut = film(quay._replace(skip=True), boat._replace(skip=True), history=history)
    assert [(segment.label, segment.path is not None) for segment in cut.segments] == [("quay", True)]


def test_a_skipped_shot_that_the_cut_names_is_a_slate() -> None:
    missing = only(film(shot("quay", skip=True), cut=(entry("shot", "quay"),)))
    assert (missing.path, missing.state) == (None, None)


def test_slates_and_own_clips_stand_as_the_compiler_measured_them() -> None:
    cut = film(
        shot("quay"),
        cut=(
            entry("slate", "Title card", seconds=Decimal(3)),
            entry("clip", "assets/logo.mp4", path="assets/logo.mp4", in_seconds=Decimal(1), seconds=Decimal("1.5")),
            entry("clip", "assets/map.png", path="assets/map.png", is_picture=True, seconds=Decimal(2)),
        ),
        music=Music("assets/score.mp3", Decimal(4)),
    )
    assert rows(cut) == [
        ("Title card", "0", "3", None),
        ("assets/logo.mp4", "1", "1.5", "logo.mp4"),
        ("assets/map.png", "0", "2", "map.png"),
    ]
    assert [segment.is_picture for segment in cut.segments] == [False, False, True]
    assert cut.music == Music("assets/score.mp3", Decimal(4))
    assert cut.seconds == Decimal("6.5")


def test_the_length_of_a_film_is_that_of_its_cut() -> None:
    quay, boat = shot("quay", film_seconds=Decimal(3)), shot("boat", skip=True)
    cut = (
        entry("slate", "The end", seconds=Decimal("1.5")),
        entry("shot", "quay"),
        entry("shot", "boat", in_seconds=Decimal(2)),
    )
    board = batch(quay, boat).storyboards[0]
    assert plan(quay, boat).film_length(board) == 3
    edited = replace(board, cut=cut)
    decided = plan_of(Batch((edited,)))
    assert decided.film_length(edited) == film(quay, boat, cut=cut).seconds == Decimal("7.5")
