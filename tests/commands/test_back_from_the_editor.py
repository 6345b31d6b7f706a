"""`cut --from`: what an editor changed comes back as the storyboard's `cut:` section."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest

from tests.builders.content_repo import ContentRepo, content

FILM = """\
storyboard: 1
title: The quay
defaults: {resolution: 480p, duration: 4, aspect_ratio: 16:9}

# How it is shown.
cut:
  - quay          # the opening
  - {slate: "The end: \\"fin\\"", seconds: 1}
  - {shot: boats, in: 0.5, seconds: 2}

# What is made.
shots:
  - {id: quay, prompt: Sunrise over the quay, takes: 2}
  - {id: boats, prompt: Boats leave the harbour}
"""
BOARD = "storyboards/film.yaml"
OUTPUT = "renders/film/sandbox"
Timeline = otio.schema.Timeline


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> ContentRepo:
    film = content(tmp_path_factory.mktemp("edited"), FILM)
    assert film.storyboard("run", BOARD, "--quiet").code == 0
    assert film.storyboard("timeline", BOARD).code == 0
    return film


@pytest.fixture
def film(made: ContentRepo, tmp_path: Path) -> ContentRepo:
    shutil.copytree(made.root.parent, tmp_path / "copy")
    return ContentRepo(tmp_path / "copy" / "film")


def edit(film: ContentRepo, change: Callable[[Any], object]) -> str:
    """Change the track of pictures as an editor does; the path of the edited timeline."""
    timeline = otio.adapters.read_from_file(str(film.root / OUTPUT / "timeline.otio"))
    change(timeline.tracks[0])
    otio.adapters.write_to_file(timeline, str(film.root.parent / "edited.otio"))
    return str(film.root.parent / "edited.otio")


def time(frames: float) -> Any:
    return otio.opentime.RationalTime(frames, 24)


def use(clip: Any, start: float, frames: float) -> None:
    clip.source_range = otio.opentime.TimeRange(time(start), time(frames))


def trim_and_turn(track: Any) -> None:
    """The last clip comes first, six pictures shorter; take 2 of the first clip stands at the end."""
    last = track.pop(2)
    use(last, 18, 42)
    track.insert(0, last)
    first = track.pop(1)
    first.set_media_references(first.media_references(), "take 2")
    track.append(first)


def test_a_timeline_that_nobody_edited_is_the_cut_as_it_was(film: ContentRepo) -> None:
    result = film.storyboard("cut", BOARD, "--from", f"{OUTPUT}/timeline.otio")
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        'cut:\n  - quay\n  - {slate: "The end: \\"fin\\"", seconds: 1}\n  - {shot: boats, in: 0.5, seconds: 2}\n'
    )


def test_order_ranges_and_takes_come_back(film: ContentRepo) -> None:
    result = film.storyboard("cut", BOARD, "--from", edit(film, trim_and_turn))
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "cut:\n  - {shot: boats, in: 0.75, seconds: 1.75}\n"
        '  - {slate: "The end: \\"fin\\"", seconds: 1}\n  - {shot: quay, take: 2, seconds: 4}\n'
    )


def test_the_section_is_replaced_and_no_other_byte(film: ContentRepo) -> None:
    result = film.storyboard("cut", BOARD, "--from", edit(film, trim_and_turn), "--write")
    assert result.code == 0, result.err
    assert "the comments in the old section are gone" in result.out
    text = (film.root / BOARD).read_text()
    before, _, rest = FILM.partition("cut:\n")
    assert text.startswith(before + "cut:\n  - {shot: boats, in: 0.75, seconds: 1.75}\n")
    assert text.endswith("\n# What is made." + rest.partition("\n# What is made.")[2])


def test_what_was_written_is_the_film_that_was_edited(film: ContentRepo) -> None:
    edited = edit(film, trim_and_turn)
    assert film.storyboard("cut", BOARD, "--from", edited, "--write").code == 0
    assert film.storyboard("validate", BOARD).code == 0
    assert film.storyboard("timeline", BOARD).code == 0
    ranges = [
        [(item.trimmed_range(), getattr(item, "active_media_reference_key", None)) for item in document.tracks[0]]
        for document in (
            otio.adapters.read_from_file(path) for path in (edited, str(film.root / OUTPUT / "timeline.otio"))
        )
    ]
    assert ranges[0] == ranges[1]


def test_a_film_without_a_cut_gets_the_section_at_its_end(film: ContentRepo) -> None:
    start, _, rest = FILM.partition("\n# How it is shown.")
    plain = (start + rest.partition("seconds: 2}\n")[2]).replace("\n", "\r\n").encode()
    (film.root / BOARD).write_bytes(plain)
    film.storyboard("timeline", BOARD)
    edited = edit(film, lambda track: use(track[0], 0, 24))
    assert film.storyboard("cut", BOARD, "--from", edited, "--write").code == 0
    written = b"cut:\r\n  - {shot: quay, seconds: 1}\r\n  - boats\r\n"
    assert (film.root / BOARD).read_bytes() == plain + written


def test_clips_without_the_timelines_metadata_are_known_by_their_files(film: ContentRepo) -> None:
    def strip(track: Any) -> None:
        for item in track:
            item.metadata.clear()
            item.name = ""
            for reference in item.media_references().values() if isinstance(item, otio.schema.Clip) else ():
                reference.name = ""
                reference.target_url = "file:///Volumes/Edit/" + reference.target_url

    result = film.storyboard("cut", BOARD, "--from", edit(film, strip))
    assert result.out == "cut:\n  - quay\n  - {shot: boats, in: 0.5, seconds: 2}\n"
    assert (result.code, "a gap of 1.000 s at 4.000 s" in result.err) == (1, True)


def test_media_with_a_time_code_of_its_own_begins_at_second_0(film: ContentRepo) -> None:
    def shift(track: Any) -> None:
        hour = 24 * 3600
        use(track[0], hour + 12, 48)
        references = track[0].media_references()
        for reference in references.values():
            reference.available_range = otio.opentime.TimeRange(time(hour), time(96))
        track[0].set_media_references(references, track[0].active_media_reference_key)

    result = film.storyboard("cut", BOARD, "--from", edit(film, shift))
    assert "- {shot: quay, in: 0.5, seconds: 2}" in result.out


def add_dissolve(track: Any) -> None:
    track.insert(1, otio.schema.Transition("fade", "SMPTE_Dissolve", time(6), time(6)))


def add_gap(track: Any) -> None:
    track.insert(0, otio.schema.Gap(duration=time(24)))


def speed_up(track: Any) -> None:
    track[0].effects.append(otio.schema.LinearTimeWarp(time_scalar=2.0))


def add_stranger(track: Any) -> None:
    stranger = otio.schema.Clip("stock", otio.schema.ExternalReference("stock.mov"))
    use(stranger, 0, 24)
    track.append(stranger)


def reach_beyond(track: Any) -> None:
    use(track[0], 48, 96)


def nest(track: Any) -> None:
    track.append(otio.schema.Stack("compound"))


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (add_dissolve, "a transition at 4.000 s: a cut has none"),
        (add_gap, "a gap of 1.000 s at 0.000 s: a cut has none"),
        (speed_up, "film_quay_t01 at 0.000 s: runs at 2 × its speed"),
        (add_stranger, "stock at 7.000 s: is none of this film's clips"),
        (reach_beyond, "film_quay_t01 at 0.000 s: reaches 2.000 s beyond its clip"),
        (nest, "compound at 7.000 s: a Stack within the track is left out"),
        (lambda track: setattr(track[0], "enabled", False), "film_quay_t01 at 0.000 s: is switched off"),
    ],
)
def test_what_a_cut_cannot_say_is_said(film: ContentRepo, change: Callable[[Any], object], note: str) -> None:
    result = film.storyboard("cut", BOARD, "--from", edit(film, change), COLUMNS="200")
    assert (result.code, note in result.err) == (1, True), result.out + result.err
    assert "boats" in result.out


def test_a_second_track_of_pictures_is_said(film: ContentRepo) -> None:
    def second(track: Any) -> None:
        over = track.deepcopy()
        over.name = "titles"
        track.parent().append(over)

    result = film.storyboard("cut", BOARD, "--from", edit(film, second))
    assert (result.code, "track titles: a cut has one track of pictures" in result.err) == (1, True)


HOSTILE = {
    "cut off": b'{"OTIO_SCHEMA": "Timeline.1", "tracks": {"chil',
    "no timeline": b'{"OTIO_SCHEMA": "Clip.2"}',
    "a list": b"[1, 2]",
    "deep": b"[" * 200_000,
    "no UTF-8": b"\xff\xfe\x00",
    "a huge number": b'{"OTIO_SCHEMA": "Timeline.1", "tracks": ' + b"9" * 5000 + b"}",
    "no number": b'{"OTIO_SCHEMA": "Timeline.1", "x": NaN}',
    "no tracks": b'{"OTIO_SCHEMA": "Timeline.1", "tracks": null}',
    "empty": b"",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_timeline_is_refused_and_nothing_is_written(film: ContentRepo, content: bytes) -> None:
    path = film.root.parent / "hostile.otio"
    path.write_bytes(content)
    result = film.storyboard("cut", BOARD, "--from", str(path), "--write")
    assert (result.code, str(path) in result.err) == (3, True), result.err
    assert (film.root / BOARD).read_text() == FILM


@pytest.mark.parametrize("rate", [0, -24, "x", None, True, 1e300])
def test_times_that_are_none_are_refused(film: ContentRepo, rate: object) -> None:
    document = json.loads((film.root / OUTPUT / "timeline.otio").read_text())
    document["tracks"]["children"][0]["children"][0]["source_range"]["duration"]["rate"] = rate
    path = film.root.parent / "odd.otio"
    path.write_text(json.dumps(document))
    result = film.storyboard("cut", BOARD, "--from", str(path))
    assert (result.code, "has a time that is none" in result.err) == (3, True), result.err


def test_a_timeline_of_another_film_is_refused(film: ContentRepo) -> None:
    film.write("storyboards/other.yaml", FILM.replace("The quay", "Other"))
    result = film.storyboard("cut", "storyboards/other.yaml", "--from", f"{OUTPUT}/timeline.otio")
    assert (result.code, "is of storyboards/film.yaml, not of storyboards/other.yaml" in result.err) == (3, True)


def test_names_from_the_timeline_reach_no_terminal_raw(film: ContentRepo) -> None:
    def name(track: Any) -> None:
        add_stranger(track)
        track[-1].name = "\x1b]0;owned\x07"

    result = film.storyboard("cut", BOARD, "--from", edit(film, name))
    assert "\x1b]" not in result.err + result.out


def test_a_missing_timeline_and_flags_of_a_film_are_refused(film: ContentRepo) -> None:
    assert film.storyboard("cut", BOARD, "--from", "gone.otio").code == 3
    assert film.storyboard("cut", BOARD, "--write").code == 2
    assert film.storyboard("cut", BOARD, "--from", f"{OUTPUT}/timeline.otio", "--burn-in").code == 2
