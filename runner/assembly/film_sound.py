"""The sound of an encoded film: its parts one after the other, music below, at an even level (EBU R128).

The mix lies in a temporary file as 32-bit floating point, 48 kHz stereo. ffmpeg's `loudnorm` reads it twice: once to
measure it, once to change it by what was measured.
"""

import json
import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING

from runner.assembly.clip_sound import ClipSound, SoundForm, SoundRange
from runner.assembly.parts import Assembly, AssemblyError, Part
from runner.assembly.sound_track import RATE
from runner.assembly.sources import SourceFacts, open_source

if TYPE_CHECKING:
    import av
    from av.filter.context import FilterContext

MIX = SoundForm(RATE, "stereo")
LOUDNESS, TRUE_PEAK, LOUDNESS_RANGE = -23, -1, 11
"""LUFS integrated, dBTP and LU: EBU R128 for the first two."""
_INTERLEAVED = SoundForm(RATE, "stereo", "flt")
# Two channels of 32 bits.
_FRAME_BYTES = 8
# Samples that are handed on at once.
_BLOCK = 48_000
# LUFS below which EBU R128 gates everything: such a film has no loudness to change.
_SILENT = -70.0


def samples_at(seconds: Fraction) -> int:
    return round(seconds * RATE)


def write_mix(assembly: Assembly, sources: Mapping[Path, SourceFacts], mix: IO[bytes], music: IO[bytes]) -> list[str]:
    """Write the film's own sound and, where there is any, the music, both of the film's length; returns notes."""
    notes: list[str] = []
    at = Fraction(0)
    for part in assembly.parts:
        wanted = samples_at(at + part.seconds) - samples_at(at)
        if part.kind == "clip" and part.path is not None:
            _write_range(part.path, _range_of(part, sources[part.path], wanted), part.level, mix)
        else:
            _write_silence(mix, wanted)
        at += part.seconds
    if assembly.music is not None:
        wanted = samples_at(assembly.seconds)
        source = assembly.music
        heard = _write_range(source.path, SoundRange(source.start, wanted), source.level, music)
        if heard == 0:
            raise AssemblyError("has no sound at the music's start", source.path)
        # A tenth of a second less than the film is not heard as an end.
        if heard < wanted - RATE // 10:
            notes.append(f"the music ends {float((wanted - heard) / Fraction(RATE)):.1f} s before the film")
    return notes


def even_sound(mix: IO[bytes], music: IO[bytes] | None, folder: Path) -> Iterator["av.AudioFrame"]:
    """The mixed sound at an even level, as frames of the AAC encoder's size; `folder` holds the measurement."""
    import av

    statistics = folder / "loudness.json"
    for _ in _filtered(mix, music, {**_targets(), "print_format": "json", "stats_file": str(statistics)}):
        pass
    measured = _measured(statistics)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE, frame_size=1024)
    # Linear: one gain for the whole film where its peaks allow that, so that quiet scenes stay quiet.
    for frame in _filtered(mix, music, {**_targets(), **measured, "linear": "true"} if measured else None):
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _targets() -> dict[str, str]:
    return {"I": str(LOUDNESS), "TP": str(TRUE_PEAK), "LRA": str(LOUDNESS_RANGE)}


def _measured(statistics: Path) -> dict[str, str]:
    """The measurement of the first pass as arguments of the second; empty for silence."""
    try:
        values = json.loads(statistics.read_text("utf-8"))
        loudness = float(values["input_i"])
    except (OSError, ValueError, KeyError):
        return {}
    if not math.isfinite(loudness) or loudness <= _SILENT:
        return {}
    return {
        "measured_I": values["input_i"],
        "measured_TP": values["input_tp"],
        "measured_LRA": values["input_lra"],
        "measured_thresh": values["input_thresh"],
        "offset": values["target_offset"],
    }


# -- parts to samples ------------------------------------------------------------------------------------


def _range_of(part: Part, facts: SourceFacts, wanted: int) -> SoundRange:
    return SoundRange(part.start + facts.begin, wanted, facts.begin, facts.begin + facts.seconds)


def _write_range(path: Path, used: SoundRange, level: float, target: IO[bytes]) -> int:
    """Write a range of a file's sound, silence where it has none; returns how much of it, in samples, it has."""
    sound = ClipSound(_INTERLEAVED, used)
    _write_frames(_fed(path, sound), level, target)
    heard = sound.written
    _write_frames(sound.end(), level, target)
    return heard


def _fed(path: Path, sound: ClipSound) -> Iterator["av.AudioFrame"]:
    """A file's sound, decoded; ends where the file ends or cannot be read on."""
    from av.error import FFmpegError

    with open_source(path) as container:
        if not container.streams.audio or container.streams.audio[0].codec_context is None:
            return
        try:
            for packet in container.demux(container.streams.audio[0]):
                yield from sound.feed(packet)
                if not sound.missing:
                    return
        except (FFmpegError, ValueError):
            return


def _write_frames(frames: Iterable["av.AudioFrame"], level: float, target: IO[bytes]) -> None:
    gain = 10 ** (level / 20)
    for frame in frames:
        target.write(_amplified(bytes(frame.planes[0])[: frame.samples * _FRAME_BYTES], gain))


def _amplified(data: bytes, gain: float) -> bytes:
    if gain == 1 or not data:
        return data
    return array("f", [sample * gain for sample in array("f", data)]).tobytes()


def _write_silence(target: IO[bytes], samples: int) -> None:
    block = bytes(_BLOCK * _FRAME_BYTES)
    while samples > 0:
        target.write(block[: samples * _FRAME_BYTES])
        samples -= _BLOCK


# -- filters ---------------------------------------------------------------------------------------------


def _filtered(mix: IO[bytes], music: IO[bytes] | None, loudness: dict[str, str] | None) -> Iterator["av.AudioFrame"]:
    """The mix with the music, through `loudnorm` with these arguments (None: unchanged)."""
    from av.filter import Graph

    files = [mix] if music is None else [mix, music]
    graph = Graph()
    sources = [graph.add_abuffer(sample_rate=RATE, format="flt", layout="stereo") for _ in files]
    last = sources[0]
    if music is not None:
        # `normalize` would lower film and music alike by the number of tracks.
        last = graph.add("amix", inputs="2", duration="first", normalize="0")
        for index, source in enumerate(sources):
            source.link_to(last, 0, index)
    if loudness is not None:
        normaliser = graph.add("loudnorm", **loudness)
        last.link_to(normaliser)
        last = normaliser
    sink = graph.add("abuffersink")
    last.link_to(sink)
    graph.configure()
    for file in files:
        file.seek(0)
    position = 0
    while blocks := [block for file in files if (block := file.read(_BLOCK * _FRAME_BYTES))]:
        for source, block in zip(sources, blocks, strict=True):
            source.push(_frame(block, position))
        position += len(blocks[0]) // _FRAME_BYTES
        yield from _pulled(sink)
    for source in sources:
        source.push(None)
    yield from _pulled(sink)


def _frame(block: bytes, position: int) -> "av.AudioFrame":
    import av

    frame = av.AudioFrame(format="flt", layout="stereo", samples=len(block) // _FRAME_BYTES)
    # The buffer of a frame is longer than its samples: it is padded for the processor.
    frame.planes[0].update(block.ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate = RATE
    frame.time_base = Fraction(1, RATE)
    frame.pts = position
    return frame


def _pulled(sink: "FilterContext") -> Iterator["av.AudioFrame"]:
    import av

    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame
