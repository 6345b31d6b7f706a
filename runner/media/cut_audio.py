"""A part cut out of a sound file: WAV and FLAC to the sample, the others by whole packets, never encoded with loss."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

from runner.media.open_media import open_media

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av

# ffmpeg's names of the containers: `ipod` is M4A, `adts` is AAC by itself.
_MUXERS = {"mp3": "mp3", "ogg": "ogg", "aac": "adts", "m4a": "ipod", "wav": "wav"}
# M4A is read by the reader of MP4.
_DEMUXERS = {"m4a": "mov"}
# Without loss they can be encoded anew, and so be cut at any sample; the others are cut between packets.
_EXACT = ("wav", "flac")


def cut_sound(source: Path, form: str, start: Decimal, seconds: Decimal | None, target: Path) -> None:
    """Write the part of a sound from `start` on; `form` is its format (mp3, wav, flac, ogg, m4a, aac).

    Raises FFmpegError, OSError, ValueError for a file that cannot be cut.
    """
    import av

    with open_media(str(source), _DEMUXERS.get(form, form)) as container:
        stream = container.streams.audio[0]
        begin = Fraction(start)
        end = None if seconds is None else begin + Fraction(seconds)
        # No version of the library and no tag in it: the same part has the same bytes, and is sent once.
        options = {"fflags": "+bitexact"} | ({"id3v2_version": "0"} if form == "mp3" else {})
        with av.open(str(target), "w", format=_MUXERS.get(form, form), options=options) as output:
            if form in _EXACT:
                _encode(container, stream, output, begin, end)
            else:
                copy_packets(container, {stream: output.add_stream_from_template(stream)}, output, begin, end)


def copy_packets(
    container: "av.container.InputContainer",
    streams: "dict[av.stream.Stream, av.stream.Stream]",
    output: "av.container.OutputContainer",
    begin: Fraction,
    end: Fraction | None,
) -> None:
    """Copy the packets that lie whole between two times, in seconds, and move them to time 0."""
    for packet in container.demux(list(streams)):
        if packet.pts is None or packet.time_base is None:
            continue
        at = packet.pts * packet.time_base
        if at < begin or (end is not None and at + (packet.duration or 0) * packet.time_base > end):
            continue
        shift = int(begin / packet.time_base)
        packet.pts -= shift
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.stream = streams[packet.stream]
        output.mux(packet)


def _encode(
    container: "av.container.InputContainer",
    stream: "av.AudioStream",
    output: "av.container.OutputContainer",
    begin: Fraction,
    end: Fraction | None,
) -> None:
    """Encode the samples between two times with the file's own lossless codec; other codecs become plain samples."""
    name = stream.codec_context.name
    is_lossless = name.startswith("pcm_") or name == "flac"
    added = output.add_stream(name if is_lossless else "pcm_s16le", rate=stream.rate, layout=stream.layout.name)
    target_stream = cast("av.AudioStream", added)
    rate, position = stream.rate, 0
    first, last = round(begin * rate), None if end is None else round(end * rate)
    resampler = _resampler(stream, target_stream)
    for frame in container.decode(stream):
        position, offset = position + frame.samples, position
        if last is not None and offset >= last:
            break
        if position <= first:
            continue
        for piece in _trimmed(frame, max(0, first - offset), None if last is None else last - offset):
            for ready in resampler.resample(piece):
                output.mux(target_stream.encode(ready))
    for ready in resampler.resample(None):
        output.mux(target_stream.encode(ready))
    output.mux(target_stream.encode(None))


def _resampler(stream: "av.AudioStream", target_stream: "av.AudioStream") -> "av.AudioResampler":
    import av

    context = target_stream.codec_context
    if target_stream.codec_context.name == "flac":
        context.format = stream.format
        context.open()
    return av.AudioResampler(format=context.format, layout=stream.layout, rate=stream.rate, frame_size=4096)


def _trimmed(frame: "av.AudioFrame", first: int, last: int | None) -> "Iterator[av.AudioFrame]":
    """The samples of a frame from `first` up to `last`, as one frame without a time."""
    import av

    count = min(frame.samples, frame.samples if last is None else last) - first
    if count <= 0:
        return
    piece = av.AudioFrame(format=frame.format, layout=frame.layout, samples=count)
    width = frame.format.bytes * (1 if frame.format.is_planar else frame.layout.nb_channels)
    for old, new in zip(frame.planes, piece.planes, strict=True):
        data = bytes(old)[first * width : (first + count) * width]
        # ffmpeg's planes are longer than their samples.
        new.update(data.ljust(new.buffer_size, b"\0"))
    piece.sample_rate = frame.sample_rate
    yield piece
