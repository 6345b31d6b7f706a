"""The sound of an encoded film: its parts one after the other, music below, at an even level (EBU R128).

The mix lies in a temporary file as 32-bit floating point, 48 kHz stereo. ffmpeg's `loudnorm` reads it twice: once to
measure it, once to change it by what was measured.
"""

import json
import math
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING

from runner.assembly.parts import Assembly, AssemblyError, Part
from runner.assembly.sources import open_source

if TYPE_CHECKING:
    import av
    from av.filter.context import FilterContext

RATE = 48_000
LOUDNESS, TRUE_PEAK, LOUDNESS_RANGE = -23, -1, 11
"""LUFS integrated, dBTP and LU: EBU R128 for the first two."""
# Two channels of 32 bits.
_FRAME_BYTES = 8
# Samples that are handed on at once.
_BLOCK = 48_000
# LUFS below which EBU R128 gates everything: such a film has no loudness to change.
_SILENT = -70.0


def samples_at(seconds: Fraction) -> int:
    return round(seconds * RATE)


def write_mix(assembly: Assembly, mix: IO[bytes], music: IO[bytes]) -> list[str]:
    """Write the film's own sound and, where there is any, the music, both of the film's length; returns notes."""
    notes: list[str] = []
    at = Fraction(0)
    for part in assembly.parts:
        wanted = samples_at(at + part.seconds) - samples_at(at)
        _write_part(part, mix, wanted)
        at += part.seconds
    if assembly.music is not None:
        wanted = samples_at(assembly.seconds)
        source = assembly.music
        written = _write_source(source.path, source.start, source.level, music, wanted)
        if written == 0:
            raise AssemblyError("has no sound at the music's start", source.path)
        if written < wanted - RATE // 10:
            notes.append(f"the music ends {float((wanted - written) / Fraction(RATE)):.1f} s before the film")
        _write_silence(music, wanted - written)
    return notes


def even_sound(mix: IO[bytes], music: IO[bytes] | None, folder: Path) -> Iterator["av.AudioFrame"]:
    """The mixed sound at an even level, as frames of the AAC encoder's size; `folder` holds the measurement."""
    import av

    statistics = folder / "loudness.json"
    for _ in _filtered(mix, music, {**_targets(), "print_format": "json", "stats_file": str(statistics)}):
        pass
    measured = _measured(statistics)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE, frame_size=1024)
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


def _write_part(part: Part, mix: IO[bytes], wanted: int) -> None:
    written = 0
    if part.kind == "clip" and part.path is not None:
        written = _write_source(part.path, part.start, part.level, mix, wanted)
    _write_silence(mix, wanted - written)


def _write_source(path: Path, start: Fraction, level: float, target: IO[bytes], wanted: int) -> int:
    """Write at most `wanted` samples of a file's sound from `start` on; returns how many."""
    skip, written = samples_at(start), 0
    gain = 10 ** (level / 20)
    for position, data in _decoded(path):
        if position < skip:
            data = data[(skip - position) * _FRAME_BYTES :]
        gap = position - skip - written
        if gap > 0:
            # Sound that begins late, or a hole in it: silence of that length.
            silence = min(gap, wanted - written)
            _write_silence(target, silence)
            written += silence
        data = data[: (wanted - written) * _FRAME_BYTES]
        target.write(_amplified(data, gain))
        written += len(data) // _FRAME_BYTES
        if written >= wanted:
            break
    return written


def _decoded(path: Path) -> Iterator[tuple[int, bytes]]:
    """A file's sound as (position in samples, interleaved samples); ends at damage."""
    import av
    from av.error import FFmpegError

    with open_source(path) as container:
        if not container.streams.audio or container.streams.audio[0].codec_context is None:
            return
        resampler = av.AudioResampler(format="flt", layout="stereo", rate=RATE)
        position: int | None = None
        try:
            for frame in container.decode(container.streams.audio[0]):
                stated = round(frame.time * RATE) if frame.time is not None else None
                if position is None or (stated is not None and stated - position > RATE // 20):
                    position = stated or 0
                for piece in resampler.resample(frame):
                    yield position, bytes(piece.planes[0])[: piece.samples * _FRAME_BYTES]
                    position += piece.samples
        except (FFmpegError, ValueError):
            return


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
