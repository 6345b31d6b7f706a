"""The OTIO document: equal ranges when OpenTimelineIO reads it back, every take a reference, names of their own."""

import json
from decimal import Decimal
from fractions import Fraction

import opentimelineio as otio
import pytest

from runner.language.edit import Music
from runner.timeline.cut_list import CutList, Segment
from runner.timeline.media_names import MAX_REEL, media_names
from runner.timeline.otio import MediaFile, TimelineEntry, editors_rate, otio_document
from runner.timeline.shot_note import ShotNote

RATE = Fraction(24)


def segment(label: str, start: str, seconds: str) -> Segment:
    return Segment("shot", label, Decimal(start), Decimal(seconds), path=f"clips/{label}.mp4", take=2)


def media(name: str, key: str, seconds: int = 5, *, has_sound: bool = True) -> MediaFile:
    return MediaFile(key, name, f"media/{name}.mp4", Fraction(seconds), has_sound)


def read_back(
    entries: list[TimelineEntry], music: MediaFile | None = None, rate: Fraction = RATE
) -> "otio.schema.Timeline":
    track = Music("assets/score.mp3", Decimal(1), Decimal(-12), Decimal(60)) if music is not None else None
    cut = CutList("storyboards/ferry.yaml", "The Last Ferry", tuple(entry.segment for entry in entries), track)
    document = otio_document(cut, entries, rate, music)
    timeline = otio.adapters.read_from_string(json.dumps(document), "otio_json")
    assert isinstance(timeline, otio.schema.Timeline)
    return timeline


def test_the_ranges_are_those_of_the_edit_and_add_up_to_the_film() -> None:
    entries = [
        TimelineEntry(segment("quay", "0.5", "1.2"), (media("ferry_quay_t02", "take 2"),)),
        TimelineEntry(segment("enter", "0", "3.3"), (media("ferry_enter_t02", "take 2"),)),
        TimelineEntry(
            segment("night", "0", "2"),
        ),
    ]
    pictures = read_back(entries).tracks[0]
    ranges = [(item.source_range.start_time.value, item.source_range.duration.value) for item in pictures]
    assert ranges == [(12, 29), (0, 79), (0, 48)]
    assert pictures.duration().value == round(Fraction("6.5") * 24)
    assert [type(item).__name__ for item in pictures] == ["Clip", "Clip", "Gap"]


def test_every_take_is_a_reference_and_the_shown_one_is_active() -> None:
    files = (media("ferry_quay_t01", "take 1"), media("ferry_quay_t02", "take 2"), media("ferry_quay_t03", "take 3"))
    clip = read_back([TimelineEntry(segment("quay", "0", "5"), files, active=1)]).tracks[0][0]
    assert sorted(clip.media_references()) == ["take 1", "take 2", "take 3"]
    assert clip.active_media_reference_key == "take 2"
    assert (clip.name, clip.media_reference.target_url) == ("ferry_quay_t02", "media/ferry_quay_t02.mp4")
    assert clip.media_reference.available_range.duration.value == 120


def test_a_clip_without_sound_is_a_gap_on_the_sound_track() -> None:
    silent = media("ferry_quay_t02", "take 2", has_sound=False)
    sound = read_back([TimelineEntry(segment("quay", "0", "5"), (silent,))]).tracks[1]
    assert (sound.kind, type(sound[0]).__name__) == ("Audio", "Gap")


def test_music_lies_on_a_track_of_its_own_as_long_as_the_film() -> None:
    entries = [TimelineEntry(segment("quay", "0", "5"), (media("ferry_quay_t02", "take 2"),))]
    music = read_back(entries, media("score", "music", 60)).tracks[2][0]
    assert (music.source_range.start_time.value, music.source_range.duration.value) == (24, 120)


def test_notes_are_markers_on_the_picture() -> None:
    entry = TimelineEntry(
        segment("quay", "0", "5"),
        (media("ferry_quay_t02", "take 2"),),
        notes=(ShotNote("too dark", "2026-11-29T10:00Z", 2),),
    )
    timeline = read_back([entry])
    assert [marker.name for marker in timeline.tracks[0][0].markers] == ["too dark"]
    assert not timeline.tracks[1][0].markers


def test_a_rate_of_24000_to_1001_is_kept() -> None:
    entry = TimelineEntry(segment("quay", "0", "5"), (media("ferry_quay_t02", "take 2"),))
    timeline = read_back([entry], rate=Fraction(24000, 1001))
    assert timeline.tracks[0][0].source_range.duration.rate == pytest.approx(23.976, abs=0.001)


def test_24_takes_of_long_names_have_24_names_that_fit_a_reel() -> None:
    shots = [f"a-very-long-name-of-a-shot-in-the-harbour-{number}" for number in range(12)]
    names = media_names((f"storyboards/{'film' * 20}.yaml", shot, take) for shot in shots for take in (1, 2))
    assert len({name.casefold() for name in names.values()}) == 24
    assert all(len(name) <= MAX_REEL and name.isascii() for name in names.values())


def test_a_name_tells_film_shot_and_take() -> None:
    assert media_names([("storyboards/ferry.yaml", "SH040", 2)]) == {
        ("storyboards/ferry.yaml", "SH040", 2): "ferry_SH040_t02"
    }


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (Fraction(24), Fraction(24)),
        (Fraction(12), Fraction(24)),
        (Fraction(15), Fraction(30)),
        (Fraction(24000, 1001), Fraction(24000, 1001)),
        (Fraction(17), Fraction(24)),
    ],
)
def test_a_timeline_counts_frames_as_editors_do(rate: Fraction, expected: Fraction) -> None:
    assert editors_rate(rate) == expected
