"""The score of `harbour.yaml`: slow chords that swell and sink like water, and a few notes of a bell above them."""

import math
from collections.abc import Iterator
from pathlib import Path

from drawing.music import pitch, save_mono

RATE = 22_050
BAR = 3.8
"""Seconds; a chord lasts a bar, and rings into the next one."""
FILM = 47
"""Seconds of the cut: the last chord sinks with its last picture."""
SECONDS = FILM + 1
FADE_IN = 3.0
FADE_OUT = 4.5

# One line a bar: the bass note, its chord, and the bell's notes as (note, second of the bar).
BARS = (
    ("D2", "A3 D4 F#4", ""),
    ("B2", "F#3 B3 D4", "A4:2"),
    ("G2", "B3 D4 G4", "F#4:1.5"),
    ("A2", "A3 C#4 E4", "E4:0 A4:2.5"),
    ("D2", "A3 D4 F#4", "D5:1"),
    ("F#2", "A3 C#4 F#4", "C#5:2"),
    ("G2", "B3 D4 G4", "B4:0.5 D5:2.5"),
    ("A2", "A3 C#4 E4", "A4:1.5"),
    ("B2", "F#3 B3 D4", "F#4:0 D5:2"),
    ("G2", "B3 D4 G4", "E5:1 D5:2.5"),
    ("A2", "A3 C#4 E4", "C#5:1"),
    ("D2", "A3 D4 F#4", "D5:0 A4:2"),
)


def notes() -> Iterator[tuple[float, float, float, float, float]]:
    """Start in seconds, hertz, loudness, seconds of swell, seconds until it is gone."""
    for bar, (bass, chord, bell) in enumerate(BARS):
        start = bar * BAR
        yield start, pitch(bass), 0.24, 1.2, BAR + 2.6
        for number, note in enumerate(chord.split()):
            # One after the other, as a hand rolls a chord; slightly apart from each other, so that they breathe.
            yield start + number * 0.18, pitch(note) * (1 + 0.0007 * (number - 1)), 0.15, 1.5, BAR + 2.6
        for item in bell.split():
            note, second = item.split(":")
            yield start + float(second), pitch(note), 0.13, 0.03, 3.2


def score() -> list[int]:
    """Samples of the whole piece, from silence to silence."""
    length = round(SECONDS * RATE)
    sound = [0.0] * length
    for start, hertz, loudness, swell, seconds in notes():
        first = round(start * RATE)
        count = min(round(seconds * RATE), length - first)
        envelope = [_envelope(index / RATE, swell, seconds) for index in range(count)]
        for partial, part in ((1, 1.0), (2, 0.22), (3, 0.07)):
            turn, level = math.tau * hertz * partial / RATE, loudness * part
            for index in range(count):
                sound[first + index] += level * envelope[index] * math.sin(turn * index)
    for index in range(length):
        second = index / RATE
        sound[index] *= min(1.0, second / FADE_IN, max(0.0, FILM - second) / FADE_OUT)
    peak = max(map(abs, sound))
    return [round(value / peak * 22_000) for value in sound]


def _envelope(second: float, swell: float, seconds: float) -> float:
    """Loudness of a note at a moment: it swells, then sinks to nothing, without an edge."""
    rise = min(1.0, second / swell)
    fall = max(0.0, 1 - second / seconds)
    return rise * rise * (3 - 2 * rise) * fall * fall


def save_score(path: Path) -> None:
    save_mono(path, score(), RATE, 32_000)
