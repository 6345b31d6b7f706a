"""The sound and the move of `music.yaml`: a music box in D, and a waltz's box step danced by a figure of sticks."""

import math
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from drawing.paper import AMBER, CORAL, CREAM, DUSK, INDIGO, INK, PLUM, SUN, Point, mixed
from PIL import Image, ImageDraw

RATE = 32_000
BEAT = 1 / 3
"""Seconds; 180 beats a minute, so that a bar of three is a second."""
BARS = 8

# One line a bar: the bass note, the two notes of its chord, and the melody as (note, beats).
TUNE = (
    ("D3", "F#4 A4", "A5:1 F#5:1 D5:1"),
    ("A2", "E4 G4", "E5:1.5 F#5:0.5 G5:1"),
    ("D3", "F#4 A4", "F#5:2 A5:1"),
    ("G2", "D4 B4", "B5:1 G5:1 D5:1"),
    ("D3", "F#4 A4", "A5:1.5 G5:0.5 F#5:1"),
    ("E3", "G4 B4", "E5:1 G5:1 B5:1"),
    ("A2", "E4 G4", "C#6:1 B5:0.5 A5:0.5 E5:1"),
    ("D3", "F#4 A4", "D5:1 F#5:0.5 A5:0.5 D6:1"),
)


# -- the music box --------------------------------------------------------------------------------------------


def pitch(note: str) -> float:
    """Hertz of a name like `F#4`."""
    steps = {"C": -9, "D": -7, "E": -5, "F": -4, "G": -2, "A": 0, "B": 2}
    return float(440 * 2 ** ((steps[note[0]] + note.count("#")) / 12 + int(note[-1]) - 4))


def notes() -> Iterator[tuple[float, float, float, float]]:
    """Start in seconds, hertz, loudness, seconds of ring."""
    for bar, (bass, chord, melody) in enumerate(TUNE):
        start = bar * 3 * BEAT
        yield start, pitch(bass), 0.30, 0.9
        for beat in (1, 2):
            for note in chord.split():
                yield start + beat * BEAT, pitch(note), 0.10, 0.35
        at = start
        for item in melody.split():
            note, beats = item.split(":")
            yield at, pitch(note), 0.26, 1.3
            at += float(beats) * BEAT


def music_box() -> list[int]:
    """Samples of the loop; what rings on past its end sounds at its beginning."""
    length = round(BARS * 3 * BEAT * RATE)
    sound = [0.0] * length
    for start, hertz, loudness, ring in notes():
        first = round(start * RATE)
        for partial, part, fade in ((1, 1.0, 1.0), (2, 0.28, 1.8), (4.07, 0.14, 4.0)):
            turn = math.tau * hertz * partial / RATE
            decay = math.exp(-fade * 4.6 / (ring * RATE))
            level = loudness * part
            for index in range(round(ring / fade * RATE)):
                sound[(first + index) % length] += level * math.sin(turn * index) * min(1.0, index / 60)
                level *= decay
    peak = max(abs(value) for value in sound)
    return [round(value / peak * 26_000) for value in sound]


def save_sound(path: Path) -> None:
    save_mono(path, music_box(), RATE, 64_000)


def save_mono(path: Path, samples: list[int], rate: int, bit_rate: int) -> None:
    """Write samples of 16 bits as an MP3 of one channel."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libmp3lame", rate=rate, layout="mono")
        stream.bit_rate = bit_rate
        piece_samples = 1152 if rate >= 32_000 else 576
        for first in range(0, len(samples), piece_samples):
            piece = samples[first : first + piece_samples]
            frame = av.AudioFrame(format="s16", layout="mono", samples=len(piece))
            plane = frame.planes[0]
            plane.update(array("h", piece).tobytes().ljust(plane.buffer_size, b"\0"))
            frame.sample_rate, frame.pts = rate, first
            out.mux(stream.encode(_planar(frame)))
        out.mux(stream.encode(None))


def _planar(frame: av.AudioFrame) -> Any:
    return av.AudioResampler(format="s16p", layout="mono", rate=frame.sample_rate).resample(frame)[0]


# -- the box step ---------------------------------------------------------------------------------------------

PICTURES = 24
SECONDS = 6
SIZE = (640, 360)

# Where each foot stands after each of the six beats: to the side, and into the depth.
LEFT = ((0, 0), (0, 1), (0, 1), (1, 1), (1, 1), (0, 0), (0, 0))
RIGHT = ((0, 0), (0, 0), (1, 1), (1, 1), (1, 0), (1, 0), (0, 0))


def foot(steps: tuple[tuple[int, int], ...], beat: float) -> tuple[float, float, float]:
    """Side, depth and lift of a foot at that beat."""
    number, part = int(beat) % 6, beat % 1
    ease = part * part * (3 - 2 * part)
    (x0, y0), (x1, y1) = steps[number], steps[number + 1]
    lift = 0.0 if (x0, y0) == (x1, y1) else math.sin(part * math.pi) * 16
    return x0 + (x1 - x0) * ease, y0 + (y1 - y0) * ease, lift


def on_floor(side: float, depth: float) -> Point:
    return 640 + (side - 0.5) * (300 - 60 * depth), 610 - depth * 90


def figure(beat: float) -> dict[str, Point]:
    """Joints on a picture of 1280 × 720."""
    left, right = foot(LEFT, beat), foot(RIGHT, beat)
    (lx, ly), (rx, ry) = on_floor(*left[:2]), on_floor(*right[:2])
    lx, rx = lx - 30, rx + 30
    rise = 18 * math.sin((beat % 3) / 3 * math.pi)
    lean = 16 * math.sin(beat / 3 * math.pi)
    hip = ((lx + rx) / 2, (ly + ry) / 2 - 208 - rise)
    neck = (hip[0] + lean, hip[1] - 150)
    return {
        "left foot": (lx, ly - left[2]),
        "right foot": (rx, ry - right[2]),
        "left knee": (lx * 0.6 + hip[0] * 0.4 - 16, (ly + hip[1]) / 2 - left[2]),
        "right knee": (rx * 0.6 + hip[0] * 0.4 + 16, (ry + hip[1]) / 2 - right[2]),
        "hip": hip,
        "neck": neck,
        "head": (neck[0] + lean * 0.5, neck[1] - 52),
        "left elbow": (neck[0] - 104, neck[1] + 34 + lean),
        "left hand": (neck[0] - 160, neck[1] - 40 + lean * 1.6),
        "right elbow": (neck[0] + 96, neck[1] + 48 - lean),
        "right hand": (neck[0] + 30, neck[1] + 84 - lean * 0.6),
    }


def picture(second: float) -> Image.Image:
    beat = second / BEAT
    image = Image.new("RGB", (SIZE[0] * 2, SIZE[1] * 2), INDIGO)
    pen = ImageDraw.Draw(image)
    pen.ellipse([300, 20, 980, 700], fill=DUSK)
    pen.polygon([(0, 560), (1280, 560), (1280, 720), (0, 720)], fill=mixed(INDIGO, INK, 0.4))
    pen.polygon([on_floor(-0.25, -0.2), on_floor(1.25, -0.2), on_floor(1.25, 1.3), on_floor(-0.25, 1.3)], fill=PLUM)
    for number in range(6):
        for steps, shift in ((LEFT, -30), (RIGHT, 30)):
            x, y = on_floor(*steps[number])
            pen.ellipse([x + shift - 24, y - 9, x + shift + 24, y + 9], fill=mixed(PLUM, INK, 0.25))
    joints = figure(beat)
    shadow = on_floor(0.5 + (joints["hip"][0] - 640) / 270, 0.5)
    pen.ellipse([shadow[0] - 110, shadow[1] - 20, shadow[0] + 110, shadow[1] + 20], fill=mixed(PLUM, INK, 0.35))
    sticks(pen, joints)
    bar = int(second)
    for mark in range(SECONDS):
        x = 640 + (mark - (SECONDS - 1) / 2) * 44
        pen.ellipse([x - 9, 676, x + 9, 694], fill=SUN if mark == bar else mixed(DUSK, INDIGO, 0.3))
    return image.resize(SIZE, Image.Resampling.LANCZOS)


LIMBS = (
    ("left elbow", "left hand", CREAM),
    ("neck", "left elbow", CREAM),
    ("hip", "left knee", AMBER),
    ("left knee", "left foot", AMBER),
    ("hip", "right knee", SUN),
    ("right knee", "right foot", SUN),
    ("hip", "neck", CORAL),
    ("neck", "head", CORAL),
    ("neck", "right elbow", CREAM),
    ("right elbow", "right hand", CREAM),
)


def sticks(pen: ImageDraw.ImageDraw, joints: dict[str, Point]) -> None:
    for start, end, colour in LIMBS:
        pen.line([joints[start], joints[end]], fill=colour, width=26 if start == "hip" else 20)
        for x, y in (joints[start], joints[end]):
            pen.ellipse([x - 13, y - 13, x + 13, y + 13], fill=colour)
            pen.ellipse([x - 4, y - 4, x + 4, y + 4], fill=INK)
    for name in ("left foot", "right foot"):
        x, y = joints[name]
        pen.ellipse([x - 26, y - 8, x + 26, y + 14], fill=CORAL)
    x, y = joints["head"]
    pen.ellipse([x - 44, y - 46, x + 44, y + 46], fill=CREAM)


def save_move(path: Path) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as out:
        stream = out.add_stream("libx264", rate=PICTURES, options={"crf": "27", "preset": "slow", "threads": "1"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for number in range(PICTURES * SECONDS):
            frame = av.VideoFrame.from_image(picture(number / PICTURES))
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
