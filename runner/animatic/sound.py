"""The sound of an animatic: the audio references over the soft background noise of a place."""

import re
from array import array
from collections.abc import Iterable
from itertools import chain, pairwise, repeat
from operator import add, mul
from pathlib import Path

from runner.animatic.encode import RATE
from runner.animatic.prompt_words import story
from runner.animatic.seeded_noise import random_bytes
from runner.lazy_dataclass import dataclass
from runner.media.open_media import open_media

_LOOP_SAMPLES = RATE
"""Samples after which the background noise repeats, inaudibly at this level."""


@dataclass(frozen=True, slots=True)
class RoomTone:
    """Background noise: its volume (0 to 1), and how much of the highs is removed (0 to 1)."""

    level: float = 0.004
    softness: float = 0.93


_ROOMS = {
    r"\brain(?!coat|bow)|storm|downpour|waterfall|雨(?!衣)": RoomTone(0.016, 0.55),
    r"\bsea\b|ocean|waves?\b|harbou?r|quay|beach|shore|river|海": RoomTone(0.012, 0.9),
    r"\bwind|desert|mountain|snow|forest|field|风": RoomTone(0.008, 0.95),
    r"\bcity|street|traffic|crowd|market|club|car\b|train": RoomTone(0.008, 0.97),
}


def room_tone_of(prompt: str) -> RoomTone:
    """The background noise of the place that a prompt names."""
    text = story(prompt, "sound", "audio")
    return next((room for pattern, room in _ROOMS.items() if re.search(pattern, text)), RoomTone())


def sound_track(prompt: str, seconds: int, references: Iterable["array[float]"]) -> "array[float]":
    """The left and right samples in turn, -1 to 1, for `seconds`; each reference is mono and plays once from 0."""
    count = seconds * RATE
    left, right = (_room_tone(room_tone_of(prompt), f"{prompt} {side}", count) for side in ("left", "right"))
    played = [samples for samples in references if samples]
    for samples in played:
        track = _with_fade_out(samples[:count], 0.85 / len(played))
        track.extend(repeat(0.0, count - len(track)))
        left, right = array("f", map(add, left, track)), array("f", map(add, right, track))
    return array("f", chain.from_iterable(zip(left, right, strict=True)))


def _room_tone(room: RoomTone, seed: str, count: int) -> "array[float]":
    value, keep = 0.0, room.softness
    give = (1 - keep) / 128 * room.level * (1 + 4 * keep)
    tone = array("f")
    for byte in random_bytes(seed, _LOOP_SAMPLES + 2_000):
        value = value * keep + (byte - 127.5) * give
        tone.append(value)
    # The end runs over into the beginning, so that the loop has no seam.
    for at in range(2_000):
        tone[at] = tone[at] * at / 2_000 + tone[_LOOP_SAMPLES + at] * (1 - at / 2_000)
    loop = tone[:_LOOP_SAMPLES]
    return array("f", (loop * (count // _LOOP_SAMPLES + 1))[:count])


def _with_fade_out(samples: "array[float]", volume: float) -> "array[float]":
    """The samples at a volume, with a short fade at the end, so that a cut does not click."""
    out = array("f", map(mul, samples, repeat(volume)))
    length = min(len(out), RATE // 4)
    for at in range(length):
        out[-1 - at] *= at / length
    return out


def decode_audio(path: Path, seconds: float) -> "array[float]":
    """The first `seconds` of a file's sound, mono; empty when no sound can be decoded."""
    import av
    from av.error import FFmpegError

    samples = array("f")
    try:
        with open_media(str(path)) as container:
            if not container.streams.audio:
                return samples
            resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
            for frame in container.decode(container.streams.audio[0]):
                for piece in resampler.resample(frame):
                    samples.frombytes(bytes(piece.planes[0])[: piece.samples * 4])
                if len(samples) >= seconds * RATE:
                    break
    except (FFmpegError, OSError, ValueError, OverflowError):
        # The samples up to the damaged place are used.
        pass
    return samples[: int(seconds * RATE)]


def peaks(samples: "array[float]", count: int) -> list[float]:
    """The loudest sample (0 to 1) of each of `count` equal stretches: a waveform to draw."""
    if not samples or count < 1:
        return [0.0] * max(0, count)
    edges = [len(samples) * at // count for at in range(count + 1)]
    maxima = [
        max(max(samples[start:end], default=0.0), -min(samples[start:end], default=0.0))
        for start, end in pairwise(edges)
    ]
    top = max(maxima) or 1.0
    return [min(1.0, peak / top) for peak in maxima]
