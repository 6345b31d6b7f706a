"""A film file holds its parts' used ranges, in order, whole, with sound that has no gap."""

import json
import tempfile
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from av.filter import Graph
from PIL import Image

from runner.assembly.assemble import assemble, can_copy
from runner.assembly.film_key import FilmKey, key_of
from runner.assembly.film_sound import LOUDNESS
from runner.assembly.parts import AssembledFilm, Assembly, AssemblyError, FilmShape, MusicTrack, Part
from tests.builders.clips import Decoded, decode, make_clip


def part(path: Path, seconds: Fraction | int = 1, start: Fraction | int = 0, level: float = 0.0) -> Part:
    return Part("clip", Fraction(seconds), path, Fraction(start), level)


def film(tmp_path: Path, assembly: Assembly) -> tuple[AssembledFilm, Decoded]:
    """Assemble into a new file, and decode it from end to end."""
    target = tmp_path / "cut.mp4"
    with target.open("w+b") as file:
        result = assemble(assembly, file, target, lambda seconds: None)
    return result, decode(target)


def assert_whole(result: AssembledFilm, decoded: Decoded, expected: Fraction) -> None:
    """The length is the sum of the ranges within a picture, frames rise evenly, the sound has no gap above 1 ms."""
    picture = 1 / result.shape.rate
    assert abs(decoded.seconds - expected) <= picture
    assert len(decoded.times) == round(expected * result.shape.rate)
    assert all(abs(b - a - picture) < Fraction(1, 1000) for a, b in pairwise(decoded.times))
    assert decoded.largest_gap <= 0.001


# -- copied --------------------------------------------------------------------------------------------------


def test_clips_of_one_format_are_joined_by_copying_their_packets(tmp_path: Path) -> None:
    clips = [make_clip(tmp_path / f"{level}.mp4", level=level) for level in (200, 150, 100)]
    result, decoded = film(tmp_path, Assembly(tuple(part(clip) for clip in clips)))
    assert result.copied
    assert_whole(result, decoded, Fraction(3))
    assert [decoded.luma[at] for at in (0, 24, 48)] == pytest.approx([200, 150, 100], abs=2)


def test_a_range_from_a_key_frame_to_any_frame_without_later_needs_is_copied(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=Fraction(2), level=200)
    result, decoded = film(tmp_path, Assembly((part(clip, Fraction(3, 4), Fraction(1, 2)), part(clip, 1))))
    assert result.copied
    assert_whole(result, decoded, Fraction(7, 4))
    assert decoded.luma[0] == pytest.approx(188, abs=2)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"size": (160, 160)}, "1 clip is of another size"),
        ({"rate": Fraction(30)}, "1 clip is of another frame rate"),
        ({"codec": "mpeg4"}, "1 clip is of another codec"),
    ],
)
def test_clips_of_mixed_formats_are_encoded_once_and_the_reason_is_named(
    tmp_path: Path, second: dict[str, object], reason: str
) -> None:
    clips = [make_clip(tmp_path / "a.mp4"), make_clip(tmp_path / "b.mp4", **second)]  # type: ignore[arg-type]
    assembly = Assembly((part(clips[0], 1), part(clips[0], 1), part(clips[1], 1)))
    result, decoded = film(tmp_path, assembly)
    assert (result.copied, result.reason) == (False, reason)
    assert_whole(result, decoded, Fraction(3))


def test_a_range_that_begins_between_two_key_frames_is_encoded(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=Fraction(2), level=200)
    result, decoded = film(tmp_path, Assembly((part(clip, 1, Fraction(7, 24)),)))
    assert result.reason == "a clip begins between two key frames"
    assert_whole(result, decoded, Fraction(1))
    assert decoded.luma[0] == pytest.approx(193, abs=2)


def test_the_key_of_the_edit_stands_in_the_file_and_can_be_read_without_decoding(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    film(tmp_path, Assembly((part(clip),), key="a1" * 32))
    assert key_of((tmp_path / "cut.mp4").read_bytes()[:65536]) == FilmKey("a1" * 32)
    assert key_of(clip.read_bytes()) is None


# -- encoded -------------------------------------------------------------------------------------------------


def test_the_shape_is_what_most_of_the_film_time_has_and_others_get_bars(tmp_path: Path) -> None:
    wide = make_clip(tmp_path / "wide.mp4", level=200)
    tall = make_clip(tmp_path / "tall.mp4", size=(90, 160), rate=Fraction(30), level=200)
    result, decoded = film(tmp_path, Assembly((part(wide), part(wide), part(tall))))
    assert result.shape == FilmShape(160, 90, Fraction(24))
    assert decoded.size == (160, 90)
    assert_whole(result, decoded, Fraction(3))


def test_of_equal_shares_the_larger_shape_is_taken(tmp_path: Path) -> None:
    small = make_clip(tmp_path / "small.mp4")
    large = make_clip(tmp_path / "large.mp4", size=(320, 180), rate=Fraction(30))
    result, _ = film(tmp_path, Assembly((part(small), part(large))))
    assert result.shape == FilmShape(320, 180, Fraction(30))


def test_an_encoded_film_has_the_loudness_of_ebu_r128(tmp_path: Path) -> None:
    quiet = make_clip(tmp_path / "quiet.mp4", seconds=Fraction(4), loudness=0.02)
    slate = Part("slate", Fraction(1, 2), slate_lines=("Title",))
    film(tmp_path, Assembly((part(quiet, 4), slate, part(quiet, 4))))
    assert integrated_loudness(tmp_path / "cut.mp4") == pytest.approx(LOUDNESS, abs=1)


def test_a_silent_film_stays_silent(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", tone=None)
    result, decoded = film(tmp_path, Assembly((part(clip), Part("slate", Fraction(1), slate_lines=("Later",)))))
    assert_whole(result, decoded, Fraction(2))
    assert decoded.loudness(0, 2) == 0


def test_levels_of_parts_keep_their_distance(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=Fraction(3))
    _, decoded = film(tmp_path, Assembly((part(clip, 3), part(clip, 3, level=-12))))
    assert decoded.loudness(0.5, 2.5) / decoded.loudness(3.5, 5.5) == pytest.approx(10 ** (12 / 20), rel=0.1)


def test_music_lies_below_the_whole_film_and_its_early_end_is_noted(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "silent.mp4", seconds=Fraction(2), tone=None)
    music = make_clip(tmp_path / "music.mp4", seconds=Fraction(2), tone=300.0)
    result, decoded = film(tmp_path, Assembly((part(silent, 2),), music=MusicTrack(music, Fraction(1))))
    assert result.notes == ("the music ends 1.0 s before the film",)
    assert decoded.loudness(0.1, 0.9) > 0.05
    assert decoded.loudness(1.1, 1.9) < 0.001


def test_a_clip_that_is_too_short_is_held_and_noted(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", level=200)
    result, decoded = film(tmp_path, Assembly((part(clip, 2),)))
    assert result.notes == ("clip.mp4 is 1.0 s shorter than its time in the film",)
    assert_whole(result, decoded, Fraction(2))
    assert set(decoded.luma[24:]) == {decoded.luma[-1]}


def test_slates_and_pictures_are_shown_for_their_time(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (255, 255, 255)).save(tmp_path / "white.png")
    still = Part("picture", Fraction(1), tmp_path / "white.png")
    slate = Part("slate", Fraction(1, 2), slate_lines=("Title card", "made elsewhere"))
    result, decoded = film(tmp_path, Assembly((still, slate), fallback=FilmShape(160, 90, Fraction(25))))
    assert_whole(result, decoded, Fraction(3, 2))
    assert decoded.luma[0] == pytest.approx(235, abs=2)
    assert decoded.luma[-1] < 60


def test_burnt_in_text_changes_the_upper_edge_only(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", level=200)
    named = Part("clip", Fraction(1), clip, burn_in="quay  take 1")
    _, decoded = film(tmp_path, Assembly((named,)))
    assert decoded.luma[0] == pytest.approx(200, abs=2)


def test_a_quick_film_has_480_lines(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=(1280, 720), seconds=Fraction(1, 4))
    slate = Part("slate", Fraction(1, 4), slate_lines=("Later",))
    result, _ = film(tmp_path, Assembly((part(clip, Fraction(1, 4)), slate), quick=True))
    assert (result.shape.width, result.shape.height) == (854, 480)


# -- bad input -----------------------------------------------------------------------------------------------


def test_a_file_that_is_no_clip_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(AssemblyError) as caught:
        film(tmp_path, Assembly((part(tmp_path / "notes.mp4"),)))
    assert (caught.value.path, caught.value.message) == (
        tmp_path / "notes.mp4",
        "cannot be opened: it is no video or is damaged",
    )


def test_an_empty_film_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match="nothing to show"):
        film(tmp_path, Assembly(()))


def test_copying_is_foreseen_from_the_headers(tmp_path: Path) -> None:
    wide, tall = make_clip(tmp_path / "w.mp4"), make_clip(tmp_path / "t.mp4", size=(90, 160))
    assert can_copy(Assembly((part(wide), part(wide))))
    assert not can_copy(Assembly((part(wide), part(tall))))


class Stopped(Exception):  # noqa: N818 - as a key press
    pass


def test_progress_is_told_and_may_stop_the_work(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")

    def stop(seconds: Fraction) -> None:
        raise Stopped

    with (tmp_path / "cut.mp4").open("w+b") as file, pytest.raises(Stopped):
        assemble(
            Assembly((part(clip), Part("slate", Fraction(1), slate_lines=("x",)))), file, tmp_path / "cut.mp4", stop
        )


def integrated_loudness(path: Path) -> float:
    """LUFS of a whole file, by ffmpeg's own meter."""
    with tempfile.TemporaryDirectory() as folder, av.open(str(path)) as container:
        graph = Graph()
        source = graph.add_abuffer(template=container.streams.audio[0])
        meter = graph.add("loudnorm", print_format="json", stats_file=f"{folder}/loudness.json")
        sink = graph.add("abuffersink")
        source.link_to(meter)
        meter.link_to(sink)
        graph.configure()
        for frame in [*container.decode(audio=0), None]:
            source.push(frame)
            with suppress(av.BlockingIOError, av.EOFError):
                while True:
                    sink.pull()
        del source, meter, sink, graph
        return float(json.loads(Path(folder, "loudness.json").read_text())["input_i"])
