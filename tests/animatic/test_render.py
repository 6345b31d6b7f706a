"""A clip is what was asked for: shape, length, pictures, sound; and always the same."""

import hashlib
import json
import subprocess
import sys
import wave
from array import array
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from runner.animatic.pictures import extend, open_picture
from runner.animatic.render import drawn_size, render
from runner.animatic.sound import decode_audio, peaks, sound_track
from runner.animatic.spec import AnimaticSpec, Reference, to_json
from runner.media.clip import frame, probe
from runner.media.frames import image_of
from runner.media.mp4_boxes import walk

SMALL: Mapping[str, Any] = {"model": "seedance-20", "seconds": 1, "width": 320, "height": 180}


def _spec(prompt: str = "Dawn over the harbour, a woman walks", **changes: Any) -> AnimaticSpec:
    return AnimaticSpec(**{**SMALL, "prompt": prompt, **changes})


def _rendered(folder: Path, spec: AnimaticSpec, name: str = "clip.mp4") -> Path:
    render(spec, folder / name)
    return folder / name


def _pictures(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [image_of(picture) for picture in container.decode(video=0)]


def _distance(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean) / 3


def _drawing(path: Path, size: tuple[int, int], colour: str) -> Path:
    image = Image.new("RGB", size, colour)
    ImageDraw.Draw(image).ellipse((size[0] * 0.3, size[1] * 0.2, size[0] * 0.7, size[1] * 0.8), fill="white")
    image.save(path)
    return path


def _tone(path: Path, seconds: float, loud: int = 12_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(
            array("h", [loud if at // 30 % 2 else -loud for at in range(round(seconds * 24_000))]).tobytes()
        )
    return path


@pytest.mark.parametrize(
    ("width", "height", "seconds"), [(320, 180, 1), (180, 320, 2), (240, 240, 4), (854, 480, 1), (420, 180, 1)]
)
def test_a_clip_has_the_shape_and_the_length_that_were_asked(
    tmp_path: Path, width: int, height: int, seconds: int
) -> None:
    path = _rendered(tmp_path, _spec(width=width, height=height, seconds=seconds))
    facts = probe(path)
    assert (facts.width, facts.height, facts.seconds) == (width, height, Decimal(seconds))
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert audio.codec_context.name == "aac"
        # BT.709, limited range, and said so: players guess otherwise.
        assert (video.codec_context.colorspace, video.codec_context.color_range) == (1, 1)
        assert video.frames == seconds * 12
        assert video.average_rate == 12
        assert container.duration == seconds * 1_000_000


def test_browsers_can_start_at_once_and_seek(tmp_path: Path) -> None:
    path = _rendered(tmp_path, _spec(seconds=5))
    with path.open("rb") as file:
        names = [box.name for box in walk(file, path.stat().st_size)]
    assert names.index(b"moov") < names.index(b"mdat")
    with av.open(str(path)) as container:
        keys = [packet.pts for packet in container.demux(video=0) if packet.is_keyframe]
    assert len(keys) == 3


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        ((1280, 720), (1280, 720)),
        ((720, 1280), (720, 1280)),
        ((1680, 720), (1680, 720)),
        ((854, 480), (854, 480)),
        ((1920, 1080), (1280, 720)),
        ((3840, 2160), (1280, 720)),
        ((2160, 3840), (720, 1280)),
        ((2160, 2160), (720, 720)),
    ],
)
def test_nothing_is_drawn_larger_than_720p(size: tuple[int, int], drawn: tuple[int, int]) -> None:
    assert drawn_size(*size, 720) == drawn


def test_a_large_clip_shows_twelve_pictures_a_second(tmp_path: Path) -> None:
    path = _rendered(tmp_path, _spec(width=1920, height=1080))
    assert probe(path).seconds == 1
    with av.open(str(path)) as container:
        assert container.streams.video[0].frames == 12
        assert container.streams.video[0].average_rate == 12


def test_the_same_spec_gives_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    spec = _spec("Rain in a neon street, 你好, she runs, handheld", references=_materials(tmp_path))
    first = hashlib.sha256(_rendered(tmp_path, spec).read_bytes()).hexdigest()
    _rendered(tmp_path, _spec("Шум моря, مرحبا"), "other.mp4")
    assert hashlib.sha256(_rendered(tmp_path, spec).read_bytes()).hexdigest() == first
    script = (
        "import json, sys, pathlib\n"
        "from runner.animatic.spec import from_json\n"
        "from runner.animatic.render import render\n"
        "render(from_json(json.load(sys.stdin)), pathlib.Path(sys.argv[1]))\n"
    )
    target = tmp_path / "again.mp4"
    subprocess.run(
        [sys.executable, "-c", script, str(target)],
        input=json.dumps(to_json(spec)),
        text=True,
        check=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert hashlib.sha256(target.read_bytes()).hexdigest() == first


def test_another_take_looks_different(tmp_path: Path) -> None:
    spec = _spec()
    first, second = (
        _pictures(_rendered(tmp_path, replace(spec, variation=number), f"{number}.mp4"))[0] for number in (0, 1)
    )
    assert 1.5 < _distance(first, second) < 60


def test_first_and_last_frame_are_the_opening_and_the_closing_picture(tmp_path: Path) -> None:
    first, last = _drawing(tmp_path / "a.png", (640, 360), "navy"), _drawing(tmp_path / "b.jpg", (640, 360), "maroon")
    path = _rendered(tmp_path, _spec("Slow push in, pan left", first=first, last=last, seconds=2))
    pictures = _pictures(path)
    for picture, source in ((pictures[0], first), (pictures[-1], last)):
        with Image.open(source) as image:
            assert _distance(picture, image.resize((320, 180), Image.Resampling.LANCZOS)) < 4
    assert _distance(pictures[0], pictures[6]) > 3


def test_a_chain_of_clips_keeps_its_colours(tmp_path: Path) -> None:
    source = picture = _drawing(tmp_path / "0.png", (320, 180), "#c08040")
    for number in range(1, 5):
        clip = _rendered(tmp_path, _spec("static", first=picture), f"{number}.mp4")
        picture = tmp_path / f"{number}.png"
        frame(clip, "last", picture)
    with Image.open(source) as first, Image.open(picture) as last:
        assert _distance(first, last) < 5


def test_opening_and_closing_picture_carry_no_text(tmp_path: Path) -> None:
    spec = _spec("static camera, an empty door")
    with_text, without = (
        _pictures(_rendered(tmp_path, replace(spec, prompt=prompt), f"{at}.mp4"))
        for at, prompt in enumerate(("static camera, an empty door", "static camera, an empty door "))
    )
    # In the middle the lower part is darkened for the caption; at both ends it is not.
    lower = (0, 120, 320, 180)
    for pictures in (with_text, without):
        ends = [ImageStat.Stat(pictures[at].crop(lower)).mean[0] for at in (0, -1)]
        middle = ImageStat.Stat(pictures[6].crop(lower)).mean[0]
        assert abs(ends[0] - ends[1]) < 6
        assert abs(middle - ends[0]) > 4


def test_a_picture_of_another_shape_is_shown_whole(tmp_path: Path) -> None:
    tall = _drawing(tmp_path / "tall.png", (180, 320), "#00c000")
    picture = _pictures(_rendered(tmp_path, _spec("static", first=tall)))[0]
    top, bottom = picture.getpixel((160, 3)), picture.getpixel((160, 176))
    for pixel in (top, bottom):
        assert isinstance(pixel, tuple)
        assert pixel[1] > 150 > pixel[0] + 60


def _materials(folder: Path) -> tuple[Reference, ...]:
    video = folder / "film.mp4"
    if not video.exists():
        render(_spec("A dancer on stage"), video)
    return (
        Reference("image", "image1", _drawing(folder / "i.png", (300, 400), "orange")),
        Reference("video", "video1", video),
        Reference("audio", "audio1", _tone(folder / "t.wav", 0.8)),
        Reference("image", "image2", None, "https://cdn.example.com/cast/maria.png"),
    )


def test_references_stand_in_the_picture_and_videos_move(tmp_path: Path) -> None:
    materials = _materials(tmp_path)
    plain = _pictures(_rendered(tmp_path, _spec("static camera, a door"), "plain.mp4"))
    cards = _pictures(_rendered(tmp_path, _spec("static camera, a door", references=materials), "cards.mp4"))
    assert _distance(plain[0], cards[0]) < 3
    assert _distance(plain[6].crop((0, 0, 320, 80)), cards[6].crop((0, 0, 320, 80))) > 8
    assert _distance(cards[5].crop((0, 20, 160, 70)), cards[8].crop((0, 20, 160, 70))) > 0.3


@pytest.mark.parametrize("count", [1, 4, 15])
@pytest.mark.parametrize("shape", [(320, 180), (180, 320), (180, 180)])
def test_any_number_of_references_fits(tmp_path: Path, count: int, shape: tuple[int, int]) -> None:
    picture = _drawing(tmp_path / "i.png", (300, 200), "orange")
    references = tuple(Reference("image", f"image{number + 1}", picture) for number in range(count))
    spec = _spec("A wall", references=references, width=shape[0], height=shape[1])
    assert probe(_rendered(tmp_path, spec)).seconds == 1


def test_an_audio_reference_is_heard_and_a_room_is_never_dead(tmp_path: Path) -> None:
    tone = Reference("audio", "audio1", _tone(tmp_path / "t.wav", 0.5))
    path = _rendered(tmp_path, _spec("A wall", references=(tone,)))
    samples = decode_audio(path, 1)
    start, end = samples[4_000:20_000], samples[30_000:46_000]
    assert max(start) > 0.1
    assert 0.00005 < max(end) < 0.02
    assert len(samples) == 48_000


def test_sound_may_be_left_out(tmp_path: Path) -> None:
    path = _rendered(tmp_path, _spec(sound=False))
    assert probe(path).seconds == 1
    with av.open(str(path)) as container:
        assert not container.streams.audio


def test_a_loud_mix_stays_within_what_can_be_played() -> None:
    loud = array("f", [1.0] * 96_000)
    track = sound_track(_spec("storm at sea"), [loud, loud, loud])
    assert len(track) == 48_000
    assert max(track) <= 1
    assert min(track) >= -1


def test_a_waveform_has_as_many_peaks_as_asked() -> None:
    assert peaks(array("f", [0, 0.5, -1, 0.25]), 2) == [0.5, 1.0]
    assert peaks(array("f"), 3) == [0, 0, 0]
    assert len(peaks(array("f", [0.1]), 40)) == 40


def test_the_margin_around_a_picture_has_no_seam() -> None:
    wide = extend(Image.new("RGB", (320, 180), (240, 160, 80)))
    darkest = [min(band.tobytes()) for band in wide.split()]
    assert all(value > colour - 3 for colour, value in zip((240, 160, 80), darkest, strict=True))


def test_material_that_cannot_be_read_becomes_a_card_and_no_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    references = (
        Reference("image", "image1", broken),
        Reference("video", "video1", broken),
        Reference("audio", "audio1", broken),
        Reference("image", "image2", tmp_path / "gone.png"),
    )
    assert probe(_rendered(tmp_path, _spec(references=references))).seconds == 1
    assert probe(_rendered(tmp_path, _spec(first=broken, last=tmp_path / "gone.png"))).seconds == 1
    assert probe(_rendered(tmp_path, _spec(first_address="https://cdn.example.com/a.png"))).seconds == 1


def test_a_target_that_cannot_be_written_raises_the_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        render(_spec(), tmp_path / "gone" / "clip.mp4")


PLACES = (
    "space",
    "product shot of a perfume bottle",
    "a radio, studio",
    "a sneaker, packshot",
    "concert",
    "a door",
    "a bar",
    "a kitchen",
    "an office",
    "old town roofs",
    "harbour",
    "a rainy street",
    "city skyline",
    "the sea, a beach",
    "a road",
    "a desert",
    "a forest in fog",
    "mountains in snow",
    "",
    "night",
    "a close-up of a woman with long red hair",
    "two people dance",
    "a man runs, medium shot, golden hour, dust",
)


@pytest.mark.parametrize("prompt", PLACES)
def test_every_place_can_be_drawn(tmp_path: Path, prompt: str) -> None:
    picture = _pictures(_rendered(tmp_path, _spec(prompt, width=160, height=120)))[6]
    # A picture, not a plain card: it has light and dark.
    assert ImageStat.Stat(picture.convert("L")).stddev[0] > 8


@pytest.mark.parametrize("shape", [(160, 68), (68, 160), (120, 120), (16, 16), (2, 2)])
def test_even_tiny_and_odd_shapes_can_be_drawn(tmp_path: Path, shape: tuple[int, int]) -> None:
    spec = _spec("0-1s: @image1 walks", width=shape[0], height=shape[1], references=_materials(tmp_path))
    facts = probe(_rendered(tmp_path, spec))
    assert (facts.width, facts.height) == shape


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pictures_of_every_depth_keep_their_light(tmp_path: Path, mode: str) -> None:
    grey = Image.linear_gradient("L").resize((64, 64))
    wide = Image.frombytes("I;16", grey.size, b"".join((v * 257).to_bytes(2, "little") for v in grey.tobytes()))
    (wide if mode == "I;16" else grey.convert(mode)).save(tmp_path / "a.png")
    picture = open_picture(tmp_path / "a.png", (64, 64))
    assert picture is not None
    assert _distance(picture.resize((1, 8)), grey.resize((1, 8))) < 8


def test_a_background_that_repeats_is_heard_to_the_end_without_a_gap(tmp_path: Path) -> None:
    samples = decode_audio(_rendered(tmp_path, _spec("storm at sea", seconds=5)), 5)
    assert len(samples) == 5 * 48_000
    stretches = [samples[start : start + 4_800] for start in range(0, len(samples), 4_800)]
    levels = [sum(map(abs, stretch)) / len(stretch) for stretch in stretches]
    assert min(levels) > 0.7 * max(levels)
    steps = [abs(after - before) for before, after in pairwise(samples)]
    # No step between two samples is larger than those of the first second, which is encoded as it is.
    assert max(steps) <= max(steps[:48_000]) * 1.1
