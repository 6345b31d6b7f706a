"""The sound of a file's used range: exactly as many samples as the film needs, silence where the file has none."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from runner.lazy_dataclass import dataclass

if TYPE_CHECKING:
    import av

    Packet = av.Packet[av.AudioStream]

_BLOCK = 48_000
"""Samples of silence that are handed on at once."""
_HOLE = Fraction(1, 20)
"""Seconds from which on a jump of the time stamps is a hole in the sound, and no rounding."""
_ROUNDING = Fraction(1, 1000)
"""Seconds by which rounded time stamps of pictures and sound may differ."""


@dataclass(frozen=True, slots=True)
class SoundForm:
    """The form in which sound is mixed or encoded."""

    rate: int
    layout: str
    sample_format: str = "fltp"


@dataclass(frozen=True, slots=True)
class SoundRange:
    """A used range of a file's sound, in the file's own seconds."""

    start: Fraction
    samples: int
    """Length in the film, at the rate of its form."""
    file_begin: Fraction = Fraction(0)
    """The moment of the file's first picture."""
    file_end: Fraction = Fraction(0)
    """The moment at which the last picture ends."""


class ClipSound:
    """The samples of one range: fed with the packets of its file in their order, it hands on those that are heard.

    A packet that cannot be decoded is a hole; holes become silence.
    """

    def __init__(self, form: SoundForm, used: SoundRange) -> None:
        import av

        self.written = 0
        self._form = form
        self._used = used
        self._resampler = av.AudioResampler(format=form.sample_format, layout=form.layout, rate=form.rate)
        self._first = round(used.start * form.rate)
        self._hole = _HOLE * form.rate
        self._position: int | None = None
        self._is_begun = False

    @property
    def missing(self) -> int:
        """Samples of the range that are not handed on yet."""
        return self._used.samples - self.written

    def feed(self, packet: "Packet") -> Iterator["av.AudioFrame"]:
        """The part of a packet that is heard; frames without time stamps."""
        if self.missing <= 0:
            return
        frames = _decoded(packet)
        if not self._is_begun:
            self._is_begun = True
            self._first += round(_unmarked_delay(packet, self._used) * self._form.rate)
        for frame in frames:
            yield from self._resampled(frame)

    def end(self) -> Iterator["av.AudioFrame"]:
        """The rest of the range: the last samples of the file, and silence."""
        if self._position is not None:
            yield from self._resampled(None)
        yield from self._silence(self.missing)

    def _resampled(self, frame: "av.AudioFrame | None") -> Iterator["av.AudioFrame"]:
        from av.error import FFmpegError

        try:
            pieces = self._resampler.resample(frame)
        except (FFmpegError, ValueError):
            return
        for piece in pieces:
            yield from self._placed(piece)

    def _placed(self, piece: "av.AudioFrame") -> Iterator["av.AudioFrame"]:
        """The samples of a piece that lie in the range, after silence where the piece follows a hole."""
        stated = self._stated(piece)
        position = self._position
        if position is None:
            position = -self._first if stated is None else stated
        # A smaller jump is a rounded time stamp: followed, it would be heard as a gap.
        elif stated is not None and (not self.written or stated - position > self._hole):
            position = stated
        self._position = position + piece.samples
        yield from self._silence(min(position - self.written, self.missing))
        skipped = max(0, self.written - position)
        count = min(piece.samples - skipped, self.missing)
        if count > 0:
            self.written += count
            yield _part(piece, skipped, count)

    def _stated(self, piece: "av.AudioFrame") -> int | None:
        """The sample of the range at which a piece begins by its time stamp; None without one."""
        ticks, base = piece.pts, piece.time_base
        if ticks is None or base is None:
            return None
        # Time stamps of sound nearly always count its samples; fractions would cost more than decoding.
        is_counted = base.numerator == 1 and base.denominator == self._form.rate
        return (ticks if is_counted else round(ticks * base * self._form.rate)) - self._first

    def _silence(self, samples: int) -> Iterator["av.AudioFrame"]:
        while samples > 0:
            count = min(samples, _BLOCK)
            samples -= count
            self.written += count
            yield _silent(self._form, count)


def _decoded(packet: "Packet") -> "list[av.AudioFrame]":
    import av
    from av.error import FFmpegError

    try:
        return [frame for frame in packet.decode() if isinstance(frame, av.AudioFrame)]
    except (FFmpegError, ValueError):
        return []


def _unmarked_delay(first: "Packet", used: SoundRange) -> Fraction:
    """Seconds by which a sound is late because of its encoder's lead-in, where no edit list says so; else 0.

    The first packet of AAC holds nothing whole. Without a mark it is heard as silence before the clip's sound, and the
    end of the sound lies as much behind the last picture. Where the pictures begin with the second packet, their
    time stamp may be rounded.
    """
    context, stream, base = first.stream.codec_context, first.stream, first.time_base
    if context.name != "aac" or not first.duration or base is None or stream.duration is None:
        return Fraction(0)
    if first.pts is None or first.pts < 0:
        return Fraction(0)  # an edit list begins the sound behind it
    delay = (first.pts + first.duration) * base - used.file_begin
    packet = Fraction(context.frame_size or 1024, context.sample_rate)
    sound_end = ((stream.start_time or 0) + stream.duration) * base
    if abs(delay) < _ROUNDING or (0 < delay < packet + _ROUNDING and sound_end > used.file_end + delay - _ROUNDING):
        return delay
    return Fraction(0)


def _part(piece: "av.AudioFrame", first: int, count: int) -> "av.AudioFrame":
    """`count` samples of a piece from `first` on."""
    import av

    # The queue refuses a piece whose time stamp does not continue the one before.
    piece.pts = None
    if count == piece.samples:
        return piece
    queue = av.AudioFifo()
    queue.write(piece)
    if first:
        queue.read(first)
    part = queue.read(count)
    assert part is not None
    part.pts = None
    return part


def _silent(form: SoundForm, samples: int) -> "av.AudioFrame":
    import av

    frame = av.AudioFrame(format=form.sample_format, layout=form.layout, samples=samples)
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate = form.rate
    return frame
