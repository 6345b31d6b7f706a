"""A join of clips whose pictures are copied: no gap, no click and no drift in the sound, no picture that is changed.

Measured by decoding the film from end to end, against what the clips themselves hold.
"""

import math
from array import array
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from runner.assembly.assemble import assemble
from runner.assembly.parts import Assembly, Part
from runner.lazy_dataclass import dataclass
from tests.builders import containers
from tests.builders.clips import decode, make_clip

NTSC = Fraction(24000, 1001)
LOUDNESS = 0.2
HERTZ = 440.0
PICTURES = (13, 17, 22)
"""Lengths of three clips: none ends with a packet of sound."""
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
NO_EDIT_LIST = {"use_editlist": "0"}


@dataclass(frozen=True, slots=True)
class Kind:
    """Pictures and samples a second, channels, and how the file says where its sound begins."""

    rate: Fraction
    sound_rate: int
    layout: str
    b_frames: int = 0
    muxer: tuple[tuple[str, str], ...] = ()
    has_marks: bool = True
    """Whether an edit list of the sound is left in the file."""


KINDS = {
    "24 pictures, 48 kHz, stereo": Kind(Fraction(24), 48_000, "stereo"),
    "24 pictures, 44.1 kHz, mono": Kind(Fraction(24), 44_100, "mono"),
    "25 pictures, 44.1 kHz, stereo, B-frames": Kind(Fraction(25), 44_100, "stereo", 2),
    "30 pictures, 48 kHz, mono, B-frames": Kind(Fraction(30), 48_000, "mono", 2),
    "23.976 pictures, 44.1 kHz, mono": Kind(NTSC, 44_100, "mono"),
    "24 pictures, no edit list": Kind(Fraction(24), 48_000, "stereo", 0, tuple(NO_EDIT_LIST.items())),
    "30 pictures, 44.1 kHz, no edit list": Kind(Fraction(30), 44_100, "stereo", 0, tuple(NO_EDIT_LIST.items())),
    "25 pictures, mono, no edit list, B-frames": Kind(Fraction(25), 48_000, "mono", 2, tuple(NO_EDIT_LIST.items())),
    "30 pictures, fragments": Kind(Fraction(30), 48_000, "stereo", 0, tuple(FRAGMENTS.items())),
    "25 pictures, fragments, B-frames": Kind(Fraction(25), 48_000, "stereo", 2, tuple(FRAGMENTS.items())),
    "24 pictures, lead-in without a mark": Kind(Fraction(24), 48_000, "stereo", has_marks=False),
}


@dataclass(frozen=True, slots=True)
class Heard:
    """The first channel of a file's sound, in its own rate."""

    rate: int
    samples: "array[float]"

    def quietest_millisecond(self, start: float, end: float) -> float:
        """Root mean square of the quietest 1 ms between two moments."""
        length = self.rate // 1000
        squares = [sample * sample for sample in self.samples[round(start * self.rate) : round(end * self.rate)]]
        return math.sqrt(min(sum(squares[at : at + length]) for at in range(0, len(squares) - length, 6)) / length)


def heard(path: Path) -> Heard:
    """A file's sound; its time stamps follow each other without a gap."""
    samples, end = array("f"), 0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            assert frame.pts == end
            end += frame.samples
            samples.frombytes(bytes(frame.planes[0])[: frame.samples * 4])
        return Heard(container.streams.audio[0].rate, samples)


def joined(tmp_path: Path, parts: list[Part]) -> Path:
    target = tmp_path / "cut.mp4"
    with target.open("w+b") as file:
        assert assemble(Assembly(tuple(parts)), file, target, lambda seconds: None).copied
    return target


@dataclass(frozen=True, slots=True)
class Tone:
    """Three clips with one tone that goes on from each to the next, the samples that they hold, and their join."""

    kind: Kind
    parts: list[Part]
    samples: "array[float]"
    target: Path


@pytest.fixture(scope="module", params=list(KINDS.values()), ids=list(KINDS))
def tone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tone:
    kind: Kind = request.param
    folder = tmp_path_factory.mktemp("tone")
    parts, samples, at = [], array("f"), Fraction(0)
    for number, pictures in enumerate(PICTURES):
        seconds = pictures / kind.rate
        paths = {
            muxer: make_clip(
                folder / f"{number}-{len(muxer)}.mp4",
                seconds=seconds,
                rate=kind.rate,
                level=200,
                tone=HERTZ,
                loudness=LOUDNESS,
                tone_start=at,
                sound_rate=kind.sound_rate,
                layout=kind.layout,
                b_frames=kind.b_frames,
                muxer=dict(muxer),
            )
            for muxer in {(), kind.muxer}
        }
        clip = paths[kind.muxer]
        clip = clip if kind.has_marks else containers.edit(clip, folder / f"{number}.mp4", [], b"soun")
        wanted = round((at + seconds) * kind.sound_rate) - round(at * kind.sound_rate)
        samples += heard(paths[()]).samples[:wanted]
        parts.append(Part("clip", seconds, clip))
        at += seconds
    return Tone(kind, parts, samples, joined(folder, parts))


def test_a_tone_that_goes_on_in_the_next_clip_has_neither_gap_nor_click_at_the_join(tone: Tone) -> None:
    kind, parts, source = tone.kind, tone.parts, tone.samples
    film = heard(tone.target)
    assert film.rate == kind.sound_rate
    assert 0 <= len(film.samples) - len(source) < 1024
    step = 2 * math.pi * HERTZ / film.rate
    near = film.rate // 50
    for join in (parts[0].seconds, parts[0].seconds + parts[1].seconds):
        assert film.quietest_millisecond(float(join) - 0.05, float(join) + 0.05) > LOUDNESS / 2
        around = range(round(join * film.rate) - near, round(join * film.rate) + near)
        own_error = max(abs(source[at] - LOUDNESS * math.sin(step * at)) for at in around)
        assert max(abs(film.samples[at] - source[at]) for at in around) <= max(own_error, LOUDNESS / 100)


def test_the_pictures_of_a_join_are_those_of_the_clips_at_an_even_rate(tone: Tone) -> None:
    packets = [packet for part in tone.parts if part.path for packet in picture_packets(part.path)]
    assert picture_packets(tone.target) == packets
    decoded = decode(tone.target)
    assert decoded.luma == tuple(200 - number for pictures in PICTURES for number in range(pictures))
    assert [round(float(time * tone.kind.rate), 2) for time in decoded.times] == list(range(sum(PICTURES)))


@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.long)])
def test_after_many_joins_the_sound_stands_where_the_pictures_have_it(tmp_path: Path, count: int) -> None:
    seconds = Fraction(7, 24)
    loud = make_clip(tmp_path / "loud.mp4", seconds=seconds, loudness=0.5, sound_rate=44_100, layout="mono")
    silent = make_clip(tmp_path / "silent.mp4", seconds=seconds, loudness=0, sound_rate=44_100, layout="mono")
    target = joined(tmp_path, [Part("clip", seconds, clip) for clip in (loud, silent) * (count // 2)])
    film = heard(target)
    for number in (0, 1, count // 2 - 2, count // 2 - 1):
        end = round((2 * number + 1) * seconds * film.rate)
        assert max(map(abs, film.samples[end - film.rate // 250 : end])) > 0.4
        assert max(map(abs, film.samples[end + film.rate // 250 : end + film.rate // 10])) < 0.01
    assert abs(len(film.samples) - count * seconds * film.rate) < 1024
    assert decode(target).seconds == count * seconds


def test_parts_of_one_clip_that_follow_each_other_are_heard_as_the_clip(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=Fraction(2))
    half = Fraction(1)
    film = heard(joined(tmp_path, [Part("clip", half, clip), Part("clip", half, clip, start=half)]))
    source = heard(clip).samples
    assert max(abs(film.samples[at] - source[at]) for at in range(46_000, 50_000)) < 0.2 / 100


def test_a_clip_without_sound_is_joined_as_silence_of_its_length(tmp_path: Path) -> None:
    tone, silent = make_clip(tmp_path / "tone.mp4"), make_clip(tmp_path / "silent.mp4", tone=None)
    film = heard(joined(tmp_path, [Part("clip", Fraction(1), clip) for clip in (tone, silent, tone)]))
    assert film.quietest_millisecond(0.95, 1) > 0.1
    assert max(map(abs, film.samples[48_000 + 200 : 96_000 - 200])) < 0.01
    assert film.quietest_millisecond(2, 2.05) > 0.05


def test_clips_without_sound_are_joined_without_a_track_of_sound(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "silent.mp4", tone=None)
    with av.open(str(joined(tmp_path, [Part("clip", Fraction(1), silent)] * 2))) as film:
        assert not film.streams.audio


def test_sound_that_ends_before_its_picture_is_the_clips_own_silence_and_the_next_begins_in_time(
    tmp_path: Path,
) -> None:
    short = make_clip(tmp_path / "short.mp4", sound_seconds=Fraction(1, 2))
    whole = make_clip(tmp_path / "whole.mp4")
    film = heard(joined(tmp_path, [Part("clip", Fraction(1), clip) for clip in (short, whole)]))
    assert film.quietest_millisecond(0.4, 0.5) > 0.05
    assert max(map(abs, film.samples[26_000:47_800])) < 0.01
    assert film.quietest_millisecond(1, 1.1) > 0.05


@pytest.mark.parametrize(
    ("rates", "layouts", "expected"),
    [
        ((44_100, 44_100), ("mono", "mono"), (44_100, "mono")),
        ((44_100, 48_000), ("mono", "mono"), (48_000, "mono")),
        ((48_000, 48_000), ("mono", "stereo"), (48_000, "stereo")),
    ],
)
def test_clips_of_other_sound_are_joined_in_the_form_that_they_share(
    tmp_path: Path, rates: tuple[int, int], layouts: tuple[str, str], expected: tuple[int, str]
) -> None:
    clips = [
        make_clip(tmp_path / f"{number}.mp4", sound_rate=rate, layout=layout, tone=1000.0)
        for number, (rate, layout) in enumerate(zip(rates, layouts, strict=True))
    ]
    target = joined(tmp_path, [Part("clip", Fraction(1), clip) for clip in clips])
    with av.open(str(target)) as film:
        assert (film.streams.audio[0].rate, film.streams.audio[0].layout.name) == expected
    assert heard(target).quietest_millisecond(0.9, 1.1) > LOUDNESS / 3


def test_clips_keep_their_level(tmp_path: Path) -> None:
    clips = [make_clip(tmp_path / f"{level}.mp4", loudness=level) for level in (0.5, 0.01)]
    film = heard(joined(tmp_path, [Part("clip", Fraction(1), clip) for clip in clips]))
    assert max(film.samples[4_000:44_000]) == pytest.approx(0.5, rel=0.02)
    assert max(film.samples[52_000:92_000]) == pytest.approx(0.01, rel=0.1)


def picture_packets(path: Path) -> list[bytes]:
    """The bytes of each packet of pictures, in decoding order; their time stamps rise."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.dts is not None]
        assert all((a.dts or 0) < (b.dts or 0) for a, b in pairwise(packets))
        return [bytes(packet) for packet in packets]
