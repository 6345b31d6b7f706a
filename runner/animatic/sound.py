"""The sound of an animatic: the audio references over the soft background noise of a place."""

import math
import re
from array import array
from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import pairwise, repeat
from operator import add, mul
from pathlib import Path

from runner.animatic.encode import BLOCK, RATE
from runner.animatic.prompt_words import story
from runner.animatic.seeded_noise import random_bytes
from runner.animatic.spec import AnimaticSpec
from runner.animatic.speech import SpokenLine, spoken_lines, syllables
from runner.lazy_dataclass import dataclass
from runner.media.open_media import open_media

# Root mean square to which every referenced sound is brought: about -21 dB below full scale.
_LEVEL = 0.09
# Pitches of successive syllables, as factors.
_MELODY = (1.0, 1.12, 0.96, 1.06, 0.9)
# A pause in syllables: 0.28 s at 0.19 s each, as `speech` counts the length of a line.
_PAUSE_SYLLABLES = 1.5
# Steps of one turn of a voice, and of one syllable: a sine for each sample would take seven times as long.
_TABLE = 4_096
# Samples after which the background noise repeats, inaudibly at this level: whole blocks of the encoder, a second.
_LOOP_SAMPLES = 47 * BLOCK


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


def sound_track(spec: AnimaticSpec, references: Iterable["array[float]"]) -> "array[float]":
    """The samples of one channel, -1 to 1; each reference plays once from 0, all equally loud.

    Spoken lines are heard as soft syllables.
    """
    count = spec.seconds * RATE
    sound = _room_tone(room_tone_of(spec.prompt), count)
    played = [samples for samples in references if samples]
    # By the root of their number: independent sounds together are then as loud as one alone.
    tracks = [_with_fade_out(samples[:count], even_volume(samples) / len(played) ** 0.5) for samples in played]
    for line in spoken_lines(spec.shown_text, spec.seconds):
        voice = array("f", bytes(4 * min(count, int(line.start * RATE))))
        voice.extend(voice_of(line))
        tracks.append(voice[:count])
    if not tracks:
        return sound
    for track in tracks:
        track.extend(array("f", bytes(4 * (count - len(track)))))
        sound = array("f", map(add, sound, track))
    loudest = max(max(sound, default=0.0), -min(sound, default=0.0))
    return sound if loudest <= 1 else array("f", map(mul, sound, repeat(1 / loudest)))


def loop_of(spec: AnimaticSpec, references: Iterable["array[float]"]) -> int:
    """The samples after which the sound track of a spec repeats: 0 when more than the background is heard."""
    has_more = any(references) or spoken_lines(spec.shown_text, spec.seconds)
    return 0 if has_more else _LOOP_SAMPLES


def even_volume(samples: "array[float]") -> float:
    """The factor that brings a sound to the level of all others, without its peaks being cut."""
    # Every seventh sample gives the same loudness in a seventh of the time.
    sampled = samples[::7]
    power = sum(map(mul, sampled, sampled)) / max(1, len(sampled))
    peak = max(max(samples, default=0.0), -min(samples, default=0.0))
    if not power or not peak:
        return 0.0
    # Below full scale, which the encoder may overshoot.
    return min(_LEVEL / math.sqrt(power), 0.85 / peak)


def voice_of(line: SpokenLine) -> "array[float]":
    """The soft syllables of a spoken line, as long as the line takes, with its pauses."""
    # The usual pitch in hertz at which women and men speak.
    pitch = 205.0 if line.is_high else 118.0
    words = re.findall(r"\S+", line.words)
    total = int((line.end - line.start) * RATE)
    weights = [syllables(word) + (_PAUSE_SYLLABLES if word[-1] in ",;:.!?…—。，、！？" else 0.0) for word in words]
    step = total / max(1.0, sum(weights))
    samples = array("f", bytes(4 * total))
    at, number = 0.0, 0
    for word, weight in zip(words, weights, strict=True):
        for part in range(syllables(word)):
            tone = _syllable(pitch * _MELODY[number % len(_MELODY)], int(step * 0.82))
            start = int(at + part * step)
            end = min(total, start + len(tone))
            samples[start:end] = tone[: max(0, end - start)]
            number += 1
        at += weight * step
    return samples


@lru_cache(maxsize=64)
def _syllable(pitch: float, length: int) -> "array[float]":
    """One voiced syllable: a tone with two overtones that swells and falls."""
    wave, swell = _wave_table(), _swell_table()
    turn = pitch / RATE * _TABLE
    tone = map(wave.__getitem__, [int(at * turn) % _TABLE for at in range(length)])
    loud = map(swell.__getitem__, [at * _TABLE // length for at in range(length)])
    return array("f", map(mul, tone, loud))


@cache
def _wave_table() -> "array[float]":
    """One turn of a voice."""
    phases = [math.tau * at / _TABLE for at in range(_TABLE)]
    return array("f", [math.sin(at) + 0.45 * math.sin(2 * at) + 0.2 * math.sin(3 * at) for at in phases])


@cache
def _swell_table() -> "array[float]":
    """The level of a syllable from its beginning to its end."""
    return array("f", [0.07 * math.sin(math.pi * at / _TABLE) ** 0.7 for at in range(_TABLE)])


def _room_tone(room: RoomTone, count: int) -> "array[float]":
    loop = _tone_loop(room)
    return array("f", (loop * (count // _LOOP_SAMPLES + 1))[:count])


@lru_cache(maxsize=16)
def _tone_loop(room: RoomTone) -> "array[float]":
    """A second of background noise without a seam; kept, since a drawing process draws many clips."""
    value, keep = 0.0, room.softness
    give = (1 - keep) / 128 * room.level * (1 + 4 * keep)
    tone = array("f")
    for byte in random_bytes("room", _LOOP_SAMPLES + 2_000):
        value = value * keep + (byte - 127.5) * give
        tone.append(value)
    # The end runs over into the beginning, so that the loop has no seam.
    for at in range(2_000):
        tone[at] = tone[at] * at / 2_000 + tone[_LOOP_SAMPLES + at] * (1 - at / 2_000)
    return tone[:_LOOP_SAMPLES]


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
